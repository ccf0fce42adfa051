// The round as the driver has to see it: what the service said last, and what the driver has done since that the
// service may not know yet. Doing it twice changes nothing, so it does no harm if the service knew after all.

import type { Boarding, DriverEvent, ManifestSaid, ManifestStop } from "./types";

/** A manifest after these events, in order. */
export function after(manifest: ManifestSaid, events: readonly DriverEvent[]): ManifestSaid {
  return events.reduce(one, manifest);
}

function one(manifest: ManifestSaid, event: DriverEvent): ManifestSaid {
  switch (event.kind) {
    case "departed":
      return departed(manifest, event);
    case "arrived":
      return manifest.stops[0]?.stop?.id === event.stop ? stands(manifest, event.at) : manifest;
    case "boarded":
      return served(manifest, event, "boarding");
    case "alighted":
      return served(manifest, event, "alighting");
    case "not_there":
      return notThere(manifest, event);
    case "call": {
      const [first, ...rest] = manifest.stops;
      return first?.fixed ? { ...manifest, drive: null, stops: rest, ready_at: first.done_at } : manifest;
    }
  }
}

function departed(manifest: ManifestSaid, event: DriverEvent): ManifestSaid {
  const next = manifest.stops[0];
  if (manifest.drive !== null || !next?.stop || next.here || next.stop.id !== event.stop) return manifest;
  const takes = next.leave_at === null ? 0 : Date.parse(next.arrive_at) - Date.parse(next.leave_at);
  const arrive = takes > 0 ? new Date(Date.parse(event.at) + takes).toISOString() : next.arrive_at;
  return { ...manifest, drive: { to: next.stop, since: event.at, arrive_at: arrive, line: [], reach_s: [] } };
}

/** The shuttle stands at the first stop of its plan. */
function stands(manifest: ManifestSaid, at: string): ManifestSaid {
  const [first, ...rest] = manifest.stops;
  if (first === undefined || first.here) return manifest;
  return { ...manifest, drive: null, ready_at: at, stops: [{ ...first, here: true, arrive_at: at }, ...rest] };
}

type Side = "boarding" | "alighting";

function served(manifest: ManifestSaid, event: DriverEvent, side: Side): ManifestSaid {
  const first = manifest.stops[0];
  const who = first?.[side].find((each) => each.ride === event.ride);
  if (first === undefined || who === undefined) return manifest;
  const there = stands(manifest, event.at);
  const stop = there.stops[0] as ManifestStop;
  const does = side === "boarding" ? "board" : "alight";
  const left = without(stop, side, who.ride, does);
  const stops = nobodyLeft(left) ? there.stops.slice(1) : [left, ...there.stops.slice(1)];
  return { ...there, stops, aboard: there.aboard + (side === "boarding" ? who.seats : -who.seats) };
}

function without(stop: ManifestStop, side: Side, ride: string, does: "board" | "alight"): ManifestStop {
  return {
    ...stop,
    [side]: stop[side].filter((each) => each.ride !== ride),
    order: stop.order.filter((each) => each.ride !== ride || each.does !== does),
  };
}

const nobodyLeft = (stop: ManifestStop): boolean => stop.fixed === null && stop.boarding.length + stop.alighting.length === 0;

function notThere(manifest: ManifestSaid, event: DriverEvent): ManifestSaid {
  const who = manifest.stops[0]?.boarding.find((each) => each.ride === event.ride);
  if (who === undefined) return manifest;
  const there = stands(manifest, event.at);
  const [first, ...rest] = there.stops as [ManifestStop, ...ManifestStop[]];
  if (who.awaited_until === null) {
    const since = Math.max(Date.parse(event.at), Date.parse(who.not_before ?? event.at));
    const until = new Date(since + there.no_show_grace_s * 1000).toISOString();
    const boarding = first.boarding.map((each) => (each.ride === who.ride ? { ...each, awaited_until: until } : each));
    return { ...there, stops: [{ ...first, boarding }, ...rest] };
  }
  if (Date.parse(event.at) < Date.parse(who.awaited_until)) return manifest;
  const stops = [without(first, "boarding", who.ride, "board"), ...rest.map((stop) => without(stop, "alighting", who.ride, "alight"))];
  return { ...there, stops: stops.filter((stop) => !nobodyLeft(stop)) };
}

/** Seconds after the latest promise at a stop; negative: so much earlier than the first who may board. 0: in time. */
export function lateness(stop: ManifestStop, arrive: number): number {
  let late = 0;
  for (const who of stop.boarding) if (who.not_after !== null) late = Math.max(late, arrive - Date.parse(who.not_after));
  for (const who of stop.alighting) if (who.arrive_by !== null) late = Math.max(late, arrive - Date.parse(who.arrive_by));
  if (late > 0 || stop.alighting.length > 0 || stop.boarding.length === 0) return late / 1000;
  const opens = Math.min(...stop.boarding.map((who) => (who.not_before === null ? arrive : Date.parse(who.not_before))));
  return Math.min(0, arrive - opens) / 1000;
}

/** When the shuttle comes to its next stop, as things stand: never in the past while it drives. */
export function arrival(manifest: ManifestSaid, now: number): number {
  const next = manifest.stops[0];
  if (manifest.drive !== null) return Math.max(now, Date.parse(manifest.drive.arrive_at));
  if (next === undefined) return now;
  const planned = Date.parse(next.arrive_at);
  if (next.here || next.leave_at === null) return planned;
  return planned + Math.max(0, now - Date.parse(next.leave_at));
}

/** How long a rider still has to be waited for, in seconds; null: nobody has said yet that they are not there. */
export function waitLeft(who: Boarding, now: number): number | null {
  return who.awaited_until === null ? null : Math.max(0, Math.ceil((Date.parse(who.awaited_until) - now) / 1000));
}
