// The round in sentences: to be read, and to be read aloud.

import { spokenClock } from "../shared/format";
import type { Change } from "./changes";
import type { Boarding, ManifestSaid } from "./types";
import { t } from "./words";

/** `김하나 · 2명 · 휠체어 1대`. */
export function whoIs(who: { name: string | null; seats: number; wheelchairs: number }): string {
  const w = t.value.who;
  const parts = [who.name ?? w.unnamed, w.people(who.seats)];
  if (who.wheelchairs > 0) parts.push(w.wheelchairs(who.wheelchairs));
  return parts.join(" · ");
}

export function newsLine(change: Change): string {
  const w = t.value.news;
  const at = "at" in change ? spokenClock(change.at) : "";
  switch (change.kind) {
    case "added":
      return w.added(whoIs(change), change.stop, at);
    case "gone":
      return w.gone(whoIs({ ...change, wheelchairs: 0 }), change.stop);
    case "moved":
      return w.moved(change.name ?? t.value.who.unnamed, change.stop, at);
    case "next":
      return w.next(change.stop, at);
  }
}

const spoken = (who: Boarding): string => whoIs(who).replaceAll(" · ", ", ");

/** What there is to do, aloud: where to, and who gets in and out there. */
export function aloudText(round: ManifestSaid): string {
  const w = t.value.say;
  const next = round.stops[0];
  if (!next?.stop) return "";
  const people = [...next.alighting.map((who) => w.alights(spoken(who))), ...next.boarding.map((who) => w.boards(spoken(who)))];
  if (next.here) return people.join(" ");
  const where = round.drive === null ? w.drive(next.stop.name, spokenClock(next.arrive_at)) : w.next(next.stop.name);
  return [where, ...people].join(" ");
}
