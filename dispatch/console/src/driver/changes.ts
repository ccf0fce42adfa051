// What changed since the driver last looked: riders who came or went, and where to go next. What the driver did
// themselves is no news.

import type { Boarding, ManifestSaid } from "./types";

/** A round as it was looked at. */
export interface Seen {
  /** by ride; where they board is null once they are aboard */
  riders: Record<string, { name: string | null; seats: number; wheelchairs: number; board: string | null; alight: string | null; at: string }>;
  /** stops in order: their ids */
  stops: string[];
}

export type Change =
  | { kind: "added"; ride: string; name: string | null; seats: number; wheelchairs: number; stop: string; at: string }
  | { kind: "gone"; ride: string; name: string | null; seats: number; stop: string }
  | { kind: "moved"; ride: string; name: string | null; stop: string; at: string }
  | { kind: "next"; stop: string; at: string };

export function seenOf(manifest: ManifestSaid): Seen {
  const riders: Seen["riders"] = {};
  const note = (who: Boarding, stop: string, at: string, side: "board" | "alight"): void => {
    const known = riders[who.ride] ?? { name: who.name, seats: who.seats, wheelchairs: who.wheelchairs, board: null, alight: null, at };
    riders[who.ride] = { ...known, [side]: stop, at: side === "board" ? at : known.at };
  };
  for (const { stop, boarding, alighting, arrive_at } of manifest.stops) {
    for (const who of boarding) note(who, stop?.name ?? "", arrive_at, "board");
    for (const who of alighting) note(who, stop?.name ?? "", arrive_at, "alight");
  }
  return { riders, stops: manifest.stops.map((stop) => stop.stop?.id ?? "") };
}

/** News of `now` against what was seen. `done`: rides that the driver brought to an end since. */
export function changes(seen: Seen, manifest: ManifestSaid, done: ReadonlySet<string>): Change[] {
  const now = seenOf(manifest);
  const out: Change[] = [];
  for (const [ride, rider] of Object.entries(now.riders)) {
    const before = seen.riders[ride];
    const { name, seats, wheelchairs, at } = rider;
    if (before === undefined) out.push({ kind: "added", ride, name, seats, wheelchairs, stop: rider.board ?? rider.alight ?? "", at });
    else if (rider.board !== null && before.board !== null && rider.board !== before.board) out.push({ kind: "moved", ride, name, stop: rider.board, at });
  }
  for (const [ride, { name, seats, board, alight }] of Object.entries(seen.riders)) {
    if (now.riders[ride] === undefined && !done.has(ride)) out.push({ kind: "gone", ride, name, seats, stop: board ?? alight ?? "" });
  }
  const next = manifest.stops[0];
  const expected = seen.stops.find((id) => now.stops.includes(id));
  if (next?.stop && expected !== undefined && next.stop.id !== expected) out.push({ kind: "next", stop: next.stop.name, at: next.arrive_at });
  return out;
}
