// Keys that make a call the same call when it is sent again.

/** A new Idempotency-Key. `crypto.randomUUID` needs https or localhost: a town's first trial may have neither. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
