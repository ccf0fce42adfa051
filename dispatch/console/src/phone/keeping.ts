// What a page remembers on the phone. Where storage is full or forbidden, it remembers nothing, and still works.

/** What was kept under a name; null: nothing, or nothing readable. */
export function kept<T>(name: string, storage: () => Storage = () => localStorage): T | null {
  try {
    return JSON.parse(storage().getItem(name) ?? "null") as T | null;
  } catch {
    return null;
  }
}

/** Keep a value; null forgets it. Whether it is kept now. */
export function keep(name: string, value: unknown, storage: () => Storage = () => localStorage): boolean {
  try {
    if (value === null) storage().removeItem(name);
    else storage().setItem(name, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}

/** A name that nobody else has, for keys and events. */
export function unique(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}
