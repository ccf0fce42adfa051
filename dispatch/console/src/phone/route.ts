// Which screen is shown: the address's fragment, so that the phone's own "back" works.

import { signal } from "@preact/signals";

const read = (): string[] => location.hash.replace(/^#\/?/, "").split("/").map(decode);

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** parts of the fragment: `#/ride/AB12` is ["ride", "AB12"] */
export const route = signal<string[]>(read());

window.addEventListener("hashchange", () => {
  route.value = read();
});

/** Show a screen; `instead`: "back" does not come to this one again. */
export function go(path: string, instead = false): void {
  const address = `#/${path}`;
  if (location.hash === address) return;
  if (instead) {
    history.replaceState(null, "", address);
    route.value = read();
  } else {
    location.hash = address;
  }
}
