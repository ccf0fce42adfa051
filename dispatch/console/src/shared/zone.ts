// The zone that the service serves, and its clock (which in demos runs faster than the world's).

import { signal } from "@preact/signals";
import { call } from "./api";
import type { ZoneSaid } from "./types";

export const zone = signal<ZoneSaid | null>(null);
let read = { service: 0, page: 0 };

/** Ask for the zone; sets `zone`. Throws as `call` does. */
export async function loadZone(): Promise<ZoneSaid> {
  const said = await call<ZoneSaid>("GET", "/v1/zone");
  read = { service: Date.parse(said.now), page: performance.now() };
  zone.value = said;
  return said;
}

/** The service's time now, milliseconds since 1970. */
export function serviceNow(): number {
  if (zone.value === null) return Date.now();
  return read.service + (performance.now() - read.page) * zone.value.clock_speed;
}

/** The service has told its time (in a frame): go on from there. */
export function serviceTold(at: string): void {
  read = { service: Date.parse(at), page: performance.now() };
}
