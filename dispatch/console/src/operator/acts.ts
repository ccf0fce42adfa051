// What an operator does. Every act has a reason and is in the log; what the world allows to be undone offers it.

import { signal } from "@preact/signals";
import { call } from "../shared/api";
import { newKey } from "../shared/keys";
import { problemWords } from "../shared/problems";
import { chooseNone, live, readStory, refresh, session, storySeen, subject } from "./store";
import type { Streets } from "../shared/map";
import type { ComplaintSaid, QuotesSaid, ShiftSaid } from "../shared/types";
import type { PolicySaid, RideLine, RiderFound, RoadsSaid, ShuttleSaid, StopSaid } from "./types";
import { t } from "./words";

/** an act that was done from this page */
export interface Done {
  id: number;
  words: string;
  /** the opposite, if there is one */
  undo: ((reason: string) => Promise<void>) | null;
  state: "done" | "undone" | "failed";
  problem: string | null;
}

export const dones = signal<readonly Done[]>([]);
let counter = 0;

function did(words: string, undo: Done["undo"]): void {
  const done: Done = { id: ++counter, words, undo, state: "done", problem: null };
  dones.value = [...dones.value, done].slice(-50);
  void refresh();
  if (subject.value?.kind === "ride") void readStory(subject.value.id);
}

/** Do the opposite of an act; why that is not possible is told beside it. */
export async function undo(done: Done): Promise<void> {
  if (done.undo === null) return;
  const put = (change: Partial<Done>): void => {
    dones.value = dones.value.map((one) => (one.id === done.id ? { ...one, ...change } : one));
  };
  try {
    await done.undo(t.value.undoReason(done.words));
    put({ state: "undone", undo: null, problem: null });
    await refresh();
    if (subject.value?.kind === "ride") void readStory(subject.value.id);
  } catch (error) {
    put({ state: "failed", problem: problemWords(error) });
  }
}

/** The last act that can be undone. */
export const lastUndoable = (): Done | undefined => dones.value.findLast((one) => one.undo !== null && one.state === "done");

const rides = (ride: string) => `/v1/operator/rides/${encodeURIComponent(ride)}`;
const shuttles = (shuttle: string) => `/v1/operator/shuttles/${encodeURIComponent(shuttle)}`;
const post = <T>(path: string, body: unknown, key?: string): Promise<T> =>
  session.call<T>("POST", path, { body, ...(key === undefined ? {} : { key }) });
const put = <T>(path: string, body: unknown): Promise<T> => session.call<T>("PUT", path, { body });

/** Up to where the operator has seen what they act on: the story if it is open, else the list. Taken when they begin to
 *  decide: what changes behind an open dialog has not been seen. */
export const seenNow = (id: string): number => (subject.value?.id === id && storySeen.value ? storySeen.value : (live.value?.seq ?? 0));

export async function assign(ride: RideLine, shuttle: string | null, reason: string, seen: number): Promise<void> {
  const from = ride.shuttle;
  await post(`${rides(ride.id)}/assign`, { reason, shuttle, seen });
  const back = from === null ? null : async (why: string) => void (await post(`${rides(ride.id)}/assign`, { reason: why, shuttle: from }));
  did(t.value.did.assigned(ride.id, shuttle ?? t.value.another), back);
}

export async function lock(ride: RideLine, locked: boolean, reason: string, seen: number): Promise<void> {
  const [act, opposite] = locked ? ["lock", "unlock"] : ["unlock", "lock"];
  await post(`${rides(ride.id)}/${act}`, { reason, seen });
  did(locked ? t.value.did.locked(ride.id) : t.value.did.unlocked(ride.id), async (why) => void (await post(`${rides(ride.id)}/${opposite}`, { reason: why })));
}

export async function cancel(ride: RideLine, reason: string): Promise<void> {
  await post(`/v1/rides/${encodeURIComponent(ride.id)}/cancel?rider=${encodeURIComponent(ride.rider ?? "")}`, { reason });
  did(t.value.did.cancelled(ride.id), null);
}

export async function withdraw(shuttle: ShuttleSaid, reason: string, seen: number): Promise<void> {
  await post(`${shuttles(shuttle.id)}/withdraw`, { reason, seen });
  did(t.value.did.withdrawn(shuttle.id), (why) => bringBack(shuttle, why));
}

/** The shuttle drives again from where it stands, until its shift was to end: as a shift of its own. */
export async function bringBack(shuttle: ShuttleSaid, reason: string): Promise<void> {
  await post(`${shuttles(shuttle.id)}/restore`, { reason });
  did(t.value.did.broughtBack(shuttle.vehicle), null);
}

/** All who have not boarded yet ride with others, where that keeps all promises. */
export async function clear(shuttle: ShuttleSaid, reason: string): Promise<void> {
  const said = await post<{ moved: string[]; left: string[] }>(`${shuttles(shuttle.id)}/clear`, { reason });
  did(t.value.did.cleared(shuttle.id, said.moved.length, said.left.length), null);
}

export async function pause(paused: boolean, reason: string): Promise<void> {
  await post(`/v1/operator/${paused ? "pause" : "resume"}`, { reason });
  did(paused ? t.value.did.paused : t.value.did.resumed, async (why) => void (await post(`/v1/operator/${paused ? "resume" : "pause"}`, { reason: why })));
}

export type LatLon = [number, number];

/** Streets that a drawn line crosses, as GeoJSON. */
export const streetsMeeting = (line: LatLon[]): Promise<Streets> => post("/v1/operator/roads/meeting", { line });

export async function closeRoads(edges: number[], reason: string): Promise<void> {
  const said = await post<RoadsSaid>("/v1/operator/roads/close", { reason, edges });
  did(t.value.did.closed(said.edges.length), async (why) => void (await post("/v1/operator/roads/reopen", { reason: why, edges: said.edges })));
}

export async function reopenRoads(edges: number[], reason: string): Promise<void> {
  const said = await post<RoadsSaid>("/v1/operator/roads/reopen", { reason, edges });
  did(t.value.did.reopened(said.edges.length), async (why) => void (await post("/v1/operator/roads/close", { reason: why, edges: said.edges })));
}

export async function message(rider: string | null, words: string, reason: string): Promise<void> {
  const said = await post<{ riders: number }>("/v1/operator/messages", { reason, words, ...(rider === null ? {} : { rider }) });
  did(t.value.did.sent(said.riders), null);
}

export const policy = (): Promise<PolicySaid> => session.call("GET", "/v1/operator/policy");

export async function changePolicy(changes: Record<string, unknown>, old: Record<string, unknown>, from: string | null, reason: string): Promise<PolicySaid> {
  const said = await put<PolicySaid>("/v1/operator/policy", { reason, changes, from_at: from });
  const back = from === null ? async (why: string) => void (await put("/v1/operator/policy", { reason: why, changes: old })) : null;
  did(t.value.did.rules(Object.keys(changes).length), back);
  return said;
}

// not minute by minute

export const complaints = (): Promise<ComplaintSaid[]> => session.call("GET", "/v1/operator/complaints");
export const shifts = (): Promise<ShiftSaid[]> => session.call("GET", "/v1/operator/shifts");
export const stopPoints = async (): Promise<StopSaid[]> => (await session.call<{ stop_points: StopSaid[] }>("GET", "/v1/operator/stop-points")).stop_points;

export async function answerComplaint(complaint: ComplaintSaid, words: string, reason: string): Promise<void> {
  await post(`/v1/operator/complaints/${encodeURIComponent(complaint.id)}/answer`, { reason, words });
  did(t.value.did.answered(complaint.ride), null);
}

export async function endShift(shift: ShiftSaid, end: string, reason: string): Promise<void> {
  const path = `/v1/operator/shifts/${encodeURIComponent(shift.id)}`;
  await put(path, { reason, end });
  did(t.value.did.shiftEnds(shift.id), async (why) => void (await put(path, { reason: why, end: shift.end })));
}

export async function setStopClosed(stop: StopSaid, closed: boolean, reason: string): Promise<void> {
  const path = (act: string) => `/v1/operator/stop-points/${encodeURIComponent(stop.id)}/${act}`;
  await post(path(closed ? "close" : "open"), { reason });
  did(closed ? t.value.did.stopClosed(stop.name) : t.value.did.stopOpened(stop.name), async (why) => void (await post(path(closed ? "open" : "close"), { reason: why })));
}

// a phone booking

export const findRider = (phone: string, name: string, reason: string): Promise<RiderFound> =>
  post("/v1/operator/riders", { reason, phone, ...(name.trim() ? { name } : {}) });

export interface Journey {
  from: { stop: string };
  to: { stop: string };
  seats: number;
  wheelchairs: number;
  depart_after?: string;
}

export const quotes = (rider: string, journey: Journey): Promise<QuotesSaid> => post(`/v1/quotes?rider=${encodeURIComponent(rider)}`, journey);

export async function book(rider: string, quote: string): Promise<RideLine> {
  const ride = await post<RideLine>(`/v1/bookings?rider=${encodeURIComponent(rider)}`, { quote }, newKey());
  did(t.value.did.booked(ride.id), async (why) => {
    await post(`/v1/rides/${encodeURIComponent(ride.id)}/cancel?rider=${encodeURIComponent(rider)}`, { reason: why });
    if (subject.value?.id === ride.id) chooseNone();
  });
  return ride;
}

export async function queue(rider: string, request: string): Promise<void> {
  await post(`/v1/requests/${encodeURIComponent(request)}/queue?rider=${encodeURIComponent(rider)}`, undefined);
  did(t.value.did.queued(request), null);
}

/** The caller hung up, or wants none of these. What cannot be declined any more lapses by itself. */
export async function decline(rider: string, request: string): Promise<void> {
  try {
    await call("POST", `/v1/requests/${encodeURIComponent(request)}/decline?rider=${encodeURIComponent(rider)}`, {
      token: session.current.value?.token ?? null,
    });
  } catch {
    // see above
  }
}
