// The journey that a rider is putting together: kept while the window lives, whatever happens to the sign-in.

import { effect, signal } from "@preact/signals";
import { keep, kept } from "../phone/keeping";
import { wallClock } from "../shared/format";
import { serviceNow } from "../shared/zone";
import type { Place } from "./places";
import type { JourneyAsk, PlaceAsk } from "./types";

export type When = "now" | "depart" | "arrive";

export interface Draft {
  from: Place | null;
  to: Place | null;
  when: When;
  /** HH:MM of the zone's wall clock, for `depart` and `arrive` */
  time: string;
  seats: number;
  wheelchairs: number;
}

const KEPT = "naru.rider.draft";
export const NOTHING: Draft = { from: null, to: null, when: "now", time: "", seats: 1, wheelchairs: 0 };
const window_ = () => sessionStorage;

export const draft = signal<Draft>({ ...NOTHING, ...kept<Draft>(KEPT, window_) });

effect(() => {
  keep(KEPT, draft.value, window_);
});

export function change(part: Partial<Draft>): void {
  draft.value = { ...draft.peek(), ...part };
}

export function swap(): void {
  change({ from: draft.peek().to, to: draft.peek().from });
}

const HOUR = 3_600_000;

/** The moment at which the zone's clocks show this time on the service's day of today. */
export function momentToday(time: string, now = serviceNow()): number | null {
  const [hours, minutes] = time.split(":").map(Number);
  if (hours === undefined || minutes === undefined || Number.isNaN(hours + minutes)) return null;
  // the day that is served turns at 04:00, and so does what riders mean by "tonight"
  const start = wallClock(now).minutes;
  const wanted = hours * 60 + minutes;
  let ahead = wanted - start;
  if (start >= 240 && wanted < 240) ahead += 1440;
  if (start < 240 && wanted >= 240) ahead -= 1440;
  const whole = now - (now % 60_000);
  const guess = whole + ahead * 60_000;
  // a night on which the clocks are set
  const off = wanted - wallClock(guess).minutes;
  return guess + (Math.abs(off) <= 120 ? off * 60_000 : 0);
}

/** `HH:MM` on the zone's clocks, rounded up to five minutes. */
export function timeOf(moment: number): string {
  const minutes = Math.ceil(wallClock(moment).minutes / 5) * 5;
  return `${String(Math.floor(minutes / 60) % 24).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
}

/** A time to begin with when none was chosen yet. */
export function likelyTime(): string {
  return timeOf(serviceNow() + HOUR / 2);
}

const end = (place: Place): PlaceAsk => (place.kind === "stop" ? { stop: place.id } : { lat: place.lat, lon: place.lon });

/** What is asked of the service; null: something is missing. */
export function asked(journey: Draft): JourneyAsk | null {
  if (journey.from === null || journey.to === null) return null;
  const ask: JourneyAsk = { from: end(journey.from), to: end(journey.to), seats: journey.seats, wheelchairs: journey.wheelchairs };
  if (journey.when !== "now") {
    const moment = momentToday(journey.time);
    if (moment === null) return null;
    ask[journey.when === "depart" ? "depart_after" : "arrive_by"] = new Date(moment).toISOString();
  }
  return ask;
}
