// How a shuttle stands: what the lists and the map say of it.

import { moment, now } from "./store";
import type { RideLine, ShuttleSaid } from "./types";

export type Status = "out" | "late" | "silent" | "onTime" | "idle" | "notYet" | "closed";
/** not heard of for so long: the service's own alert comes after NARU_SILENT_AFTER_S */
const SILENT_S = 120;

/** By how many seconds the plan is behind a promise, at most; 0: behind none. */
export function lateBy(shuttle: ShuttleSaid): number {
  let worst = 0;
  for (const visit of shuttle.plan)
    if (visit.latest !== null) worst = Math.max(worst, (Date.parse(visit.begin_at) - Date.parse(visit.latest)) / 1000);
  return worst;
}

export function status(shuttle: ShuttleSaid): Status {
  if (shuttle.state === "broken") return "out";
  if (shuttle.state === "closed") return "closed";
  if (shuttle.late || lateBy(shuttle) > 0) return "late";
  if (moment.value === null && shuttle.heading_to !== null && (shuttle.heard_s_ago ?? 0) > SILENT_S) return "silent";
  if (shuttle.plan.length > 0 || shuttle.aboard > 0) return "onTime";
  const at = moment.value ?? now.value;
  if (Date.parse(shuttle.shift_start) > at) return "notYet";
  return "idle";
}

/** The least slack of the plan, seconds; null: nothing binds. */
export function leastSlack(shuttle: ShuttleSaid): number | null {
  const slacks = shuttle.plan.map((visit) => visit.slack_s).filter((slack) => slack !== null);
  return slacks.length ? Math.min(...slacks) : null;
}

const RANK: Record<Status, number> = { out: 0, late: 1, silent: 2, onTime: 3, idle: 4, notYet: 5, closed: 6 };

/** Those first that may need somebody; then by name, numbers as numbers. */
export function byNeed(a: ShuttleSaid, b: ShuttleSaid): number {
  return RANK[status(a)] - RANK[status(b)] || byName(a.id, b.id);
}

const names = new Intl.Collator("en", { numeric: true });
export const byName = (a: string, b: string): number => names.compare(a, b);

export const WAITING: ReadonlySet<string> = new Set(["booked", "stranded", "queued"]);

/** Rides in the order in which somebody has to think of them. */
export function rideOrder(a: RideLine, b: RideLine): number {
  const rank = (ride: RideLine) => (ride.state === "stranded" ? 0 : ride.late ? 1 : 2);
  const due = (ride: RideLine) => (ride.state === "aboard" ? ride.arrive_by : (ride.pickup_to ?? ride.depart_after)) ?? "";
  return rank(a) - rank(b) || Date.parse(due(a)) - Date.parse(due(b));
}
