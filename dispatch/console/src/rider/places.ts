// Stop points: loaded once, found by name as people type it, and by nearness.

import { signal } from "@preact/signals";
import { call } from "../shared/api";
import type { StopPointSaid } from "../shared/types";

/** Where a journey begins or ends: a stop, or a point of the rider's own. */
export type Place = ({ kind: "stop" } & StopPointSaid) | { kind: "point"; lat: number; lon: number; here: boolean };

/** null: not known yet */
export const stops = signal<StopPointSaid[] | null>(null);

interface Collection {
  features: { properties: { id: string; name: string }; geometry: { coordinates: [number, number] } }[];
}

/** Ask for the stop points, again and again until they come. */
export async function loadStops(): Promise<void> {
  try {
    const said = await call<Collection>("GET", "/v1/stop-points");
    stops.value = said.features.map(({ properties, geometry }) => ({
      id: properties.id,
      name: properties.name,
      lon: geometry.coordinates[0],
      lat: geometry.coordinates[1],
    }));
  } catch {
    window.setTimeout(() => void loadStops(), 4_000);
  }
}

/** Metres as the crow flies. */
export function apart(a: { lat: number; lon: number }, b: { lat: number; lon: number }): number {
  const x = (a.lon - b.lon) * Math.cos(((a.lat + b.lat) * Math.PI) / 360);
  return Math.hypot(x, a.lat - b.lat) * 111_195;
}

/** The stop nearest to a point; null: none is known. */
export function nearest(point: { lat: number; lon: number }, among = stops.value ?? []): StopPointSaid | null {
  let best: StopPointSaid | null = null;
  for (const stop of among) if (best === null || apart(point, stop) < apart(point, best)) best = stop;
  return best;
}

/** Without case and accents; Hangul in its letters, so that a syllable half typed is found. */
export function folded(text: string): string {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[\s\p{P}]+/gu, " ")
    .trim();
}

/** First letters of the Hangul syllables: `시청` is found by `ㅅㅊ`. */
function initials(text: string): string {
  return text.replace(/[^\u1100-\u1112]/g, "");
}

const ONLY_INITIALS = /^[\u1100-\u1112]+$/;

/** How well a name fits: 0 begins with it, 1 a word does, 2 holds it, 3 by first letters; null: not at all. */
export function fit(name: string, query: string): number | null {
  if (name.startsWith(query)) return 0;
  if (name.includes(` ${query}`)) return 1;
  if (name.includes(query)) return 2;
  const letters = query.replaceAll(" ", "");
  if (ONLY_INITIALS.test(letters) && initials(name).includes(letters)) return 3;
  return null;
}

/** Stops by name (or by their own sign), best first; those as good by nearness. Nothing typed: the nearest. */
export function find(text: string, near: { lat: number; lon: number } | null, most = 30): StopPointSaid[] {
  const query = folded(text.slice(0, 100));
  const found: { stop: StopPointSaid; rank: number; away: number }[] = [];
  for (const stop of stops.value ?? []) {
    const rank = query === "" ? 0 : (fit(folded(stop.name), query) ?? (folded(stop.id) === query ? 0 : null));
    if (rank !== null) found.push({ stop, rank, away: near === null ? 0 : apart(near, stop) });
  }
  found.sort((a, b) => a.rank - b.rank || a.away - b.away || a.stop.name.localeCompare(b.stop.name) || a.stop.id.localeCompare(b.stop.id));
  return found.slice(0, most).map(({ stop }) => stop);
}

export type Located = { lat: number; lon: number } | "refused" | "unknown";

/** Where the phone is; refused: it may not tell; unknown: it cannot. */
export function locate(): Promise<Located> {
  return new Promise((resolve) => {
    if (!("geolocation" in navigator)) {
      resolve("unknown");
      return;
    }
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => resolve({ lat: coords.latitude, lon: coords.longitude }),
      (error) => resolve(error.code === error.PERMISSION_DENIED ? "refused" : "unknown"),
      { enableHighAccuracy: true, timeout: 10_000, maximumAge: 30_000 },
    );
  });
}
