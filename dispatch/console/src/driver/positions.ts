// Where the phone is, told in batches. What could not be sent goes along the next time.

import { signal } from "@preact/signals";
import { serviceNow, zone } from "../shared/zone";
import { manifest } from "./shift";
import { session } from "./session";

const EVERY_MS = 10_000;
const MOST = 600;

interface Fix {
  at: string;
  lat: number;
  lon: number;
}

/** the last one; null: not known */
export const here = signal<{ lat: number; lon: number } | null>(null);
/** the phone may not tell */
export const forbidden = signal(false);

let fixes: Fix[] = [];
let watching: number | null = null;
let timer = 0;

function note({ coords, timestamp }: GeolocationPosition): void {
  forbidden.value = false;
  here.value = { lat: coords.latitude, lon: coords.longitude };
  // the phone's own clock may be wrong: only how long ago it was is taken from it
  const ago = Math.max(0, Date.now() - timestamp) * (zone.value?.clock_speed ?? 1);
  fixes.push({ at: new Date(serviceNow() - ago).toISOString(), lat: coords.latitude, lon: coords.longitude });
  // a long gap: every other one is enough
  if (fixes.length > MOST) fixes = fixes.filter((_, i) => i % 2 === 1);
}

async function post(): Promise<void> {
  const shift = manifest.value?.shift;
  if (shift?.state !== "on" || session.current.value === null || fixes.length === 0) return;
  const sent = fixes;
  fixes = [];
  try {
    await session.call("POST", `/v1/driver/shifts/${encodeURIComponent(shift.id)}/positions`, { body: { positions: sent } });
  } catch {
    fixes = [...sent, ...fixes].slice(-MOST);
  }
}

/** Tell positions from now on. */
export function startTelling(): void {
  if (watching !== null || !("geolocation" in navigator)) return;
  watching = navigator.geolocation.watchPosition(
    note,
    (error) => {
      forbidden.value = error.code === error.PERMISSION_DENIED;
    },
    { enableHighAccuracy: true, maximumAge: 5_000 },
  );
  timer = window.setInterval(() => void post(), EVERY_MS);
}

export function stopTelling(): void {
  if (watching !== null) navigator.geolocation.clearWatch(watching);
  clearInterval(timer);
  watching = null;
  fixes = [];
  here.value = null;
}
