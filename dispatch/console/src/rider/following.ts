// A ride as it goes: the last frame of its stream, and whether the connection holds.

import { signal } from "@preact/signals";
import { ApiProblem } from "../shared/api";
import { follow, type Stream, type StreamState } from "../shared/stream";
import { serviceTold } from "../shared/zone";
import { connected } from "../phone/boot";
import { keep, kept } from "../phone/keeping";
import { asRider, session } from "./session";
import type { RideSaid, RideState, TrackSaid } from "./types";

const OPEN: readonly RideState[] = ["asked", "queued", "booked", "aboard", "stranded"];
const KEPT = "naru.rider.ride";

export const isOpen = (ride: RideSaid): boolean => OPEN.includes(ride.state);
/** Worth coming back to: in line, ahead, or under way. */
export const isAhead = (ride: RideSaid): boolean => isOpen(ride) && ride.state !== "asked";

/** the ride on the screen; kept, so that code and times are there without connection */
export const track = signal<TrackSaid | null>(null);
export const state = signal<StreamState>("connecting");
/** the rider's rides of today; null: not read yet */
export const rides = signal<RideSaid[] | null>(null);

let stream: Stream | null = null;

/** Follow a ride; what was followed before is left. */
export function watch(id: string, onRefused: (error: unknown) => void): void {
  unwatch();
  const last = kept<TrackSaid>(KEPT);
  track.value = last?.ride.id === id ? last : null;
  state.value = "connecting";
  stream = follow(`/v1/rides/${encodeURIComponent(id)}/live`, {
    token: () => session.current.value?.token ?? null,
    silentMs: 12_000,
    onFrame: ({ data }) => {
      const said = data as TrackSaid;
      if (said.shuttle) serviceTold(said.shuttle.at);
      set(said);
    },
    onState: (now) => {
      state.value = now;
      connected.value = now !== "lost";
    },
    onRefused: (error) => {
      session.noticed(error);
      onRefused(error);
    },
  });
}

/** What is known of the ride from now on. */
export function set(said: TrackSaid): void {
  track.value = said;
  keep(KEPT, said);
  rides.value = rides.value?.map((ride) => (ride.id === said.ride.id ? said.ride : ride)) ?? null;
  if (!isOpen(said.ride)) unwatch();
}

/** An answer of the API about the ride on the screen. */
export function told(ride: RideSaid): void {
  const last = track.value;
  set({ ride, shuttle: last?.ride.id === ride.id ? last.shuttle : null, stops_before: null });
}

export function unwatch(): void {
  stream?.close();
  stream = null;
}

/** Read the rider's rides of today; `asked` false: only if that needs no sign-in. Throws as `call` does. */
export async function loadRides(asked = true): Promise<void> {
  if (!asked && session.current.value === null) return;
  const said = asked ? await asRider<RideSaid[]>("GET", "/v1/rides") : await session.call<RideSaid[]>("GET", "/v1/rides");
  rides.value = said.filter((ride) => ride.state !== "asked" && ride.state !== "declined");
}

/** Read one ride; null: there is no such one today. */
export async function loadRide(id: string): Promise<RideSaid | null> {
  try {
    return await asRider<RideSaid>("GET", `/v1/rides/${encodeURIComponent(id)}`);
  } catch (error) {
    if (error instanceof ApiProblem && error.code === "no_such_ride") return null;
    throw error;
  }
}

/** Forget what the phone knows of rides: another rider may sign in. */
export function forgetRides(): void {
  unwatch();
  track.value = null;
  rides.value = null;
  keep(KEPT, null);
}
