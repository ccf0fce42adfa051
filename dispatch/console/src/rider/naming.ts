// How places, times and people are put into words on riders' pages.

import { clock, spokenClock } from "../shared/format";
import { nearest, type Place, stops } from "./places";
import type { RideSaid } from "./types";
import { t } from "./words";

/** Name of a place that a rider chose. */
export function placeName(place: Place): string {
  if (place.kind === "stop") return place.name;
  const w = t.value.places;
  return place.here ? w.herePlace : w.point;
}

/** What is said beside it: the stop that a point is near to. */
export function placeNote(place: Place): string {
  if (place.kind === "stop") return t.value.places.stop;
  const stop = nearest(place, stops.value ?? []);
  return stop === null ? "" : t.value.places.nearStop(stop.name);
}

/** `오전 7:42 – 7:52`: the half of the day is said once where it is the same. */
export function span(from: string | null, to: string | null): [string, string] {
  const [first, last] = [spokenClock(from), spokenClock(to)];
  const half = (text: string): string => text.replace(/[\d:.\s]+/g, "");
  if (half(first) !== half(last)) return [first, last];
  const bare = (text: string): string => /\d[\d:]*/.exec(text)?.[0] ?? text;
  // the word for the half day stands before the time in Korean, after it in English
  return /^\d/.test(first) ? [bare(first), last] : [first, bare(last)];
}

/** `2명 · 휠체어 1대`. */
export function party(ride: { seats: number; wheelchairs: number }): string {
  const w = t.value.ride;
  return ride.wheelchairs > 0 ? `${w.party(ride.seats)} · ${w.wheelchairs(ride.wheelchairs)}` : w.party(ride.seats);
}

/** `A → B`; without a place: that there was none. */
export function tripName(ride: RideSaid): string {
  const w = t.value.rides;
  return ride.pickup && ride.dropoff ? w.trip(ride.pickup.name, ride.dropoff.name) : w.unknownTrip;
}

export { clock };
