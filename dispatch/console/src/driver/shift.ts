// The shift that is being worked: its manifest from the service, kept on the phone, and the round as it now is.

import { computed, signal } from "@preact/signals";
import { ApiProblem } from "../shared/api";
import { follow, type Stream, type StreamState } from "../shared/stream";
import { serviceTold } from "../shared/zone";
import type { ShiftSaid } from "../shared/types";
import { connected } from "../phone/boot";
import { keep, kept } from "../phone/keeping";
import { changes, type Seen, seenOf } from "./changes";
import { after } from "./round";
import { forget, receive, send, tell, waiting } from "./sending";
import { session } from "./session";
import type { EventKind, DriverEvent, ManifestSaid, WaySaid } from "./types";

const KEPT = "naru.driver.shift";

interface Kept {
  manifest: ManifestSaid;
  way: WaySaid | null;
  seen: Seen;
  done: string[];
}

const last = kept<Kept>(KEPT);

/** as the service said last; null: no shift is being worked */
export const manifest = signal<ManifestSaid | null>(last?.manifest ?? null);
export const way = signal<WaySaid | null>(last?.way ?? null);
export const state = signal<StreamState>("connecting");
const seen = signal<Seen>(last?.seen ?? { riders: {}, stops: [] });
/** rides that the driver brought to an end since they last looked */
const done = signal<string[]>(last?.done ?? []);

/** the round as it is now, with what the service does not know yet */
export const round = computed<ManifestSaid | null>(() => {
  const said = manifest.value;
  if (said === null) return null;
  return waiting.value.shift === said.shift.id ? after(said, waiting.value.events) : said;
});

/** what changed since the driver last looked */
export const news = computed(() => (round.value === null ? [] : changes(seen.value, round.value, new Set(done.value))));

let stream: Stream | null = null;
let asked = "";

function remember(): void {
  const said = manifest.value;
  keep(KEPT, said === null ? null : ({ manifest: said, way: way.value, seen: seen.value, done: done.value } satisfies Kept));
}

function take(said: ManifestSaid): void {
  if (manifest.value !== null && manifest.value.shift.id !== said.shift.id) return;
  serviceTold(said.now);
  manifest.value = said;
  remember();
  void askWay(said);
}

/** The way ahead, asked for when it has become another one: the phone may soon be without connection. */
async function askWay(said: ManifestSaid): Promise<void> {
  const key = `${said.shift.id} ${said.drive?.to.id ?? "-"} ${said.stops.map((stop) => stop.stop?.id).join(" ")}`;
  if (key === asked) return;
  asked = key;
  try {
    way.value = await session.call<WaySaid>("GET", path(said.shift.id, "way"));
    remember();
  } catch {
    asked = "";
  }
}

const path = (shift: string, what: string): string => `/v1/driver/shifts/${encodeURIComponent(shift)}/${what}`;

export function shiftsOpen(): Promise<ShiftSaid[]> {
  return session.call<ShiftSaid[]>("GET", "/v1/driver/shifts");
}

/** Begin to work a shift. Throws as `call` does. */
export async function begin(shift: string): Promise<void> {
  const said = await session.call<ManifestSaid>("POST", path(shift, "start"));
  manifest.value = said;
  seen.value = seenOf(said);
  done.value = [];
  take(said);
  watch();
}

/** End the shift. Throws as `call` does; what waits to be sent goes first. */
export async function end(): Promise<void> {
  const said = manifest.value;
  if (said === null) return;
  await send();
  await session.call("POST", path(said.shift.id, "end"));
  drop();
}

/** Leave the shift on this phone; it goes on in the service. */
export function drop(): void {
  stream?.close();
  stream = null;
  asked = "";
  manifest.value = null;
  way.value = null;
  forget();
  remember();
}

/** Follow the manifest while a shift is worked. */
export function watch(): void {
  const said = manifest.value;
  stream?.close();
  if (said === null || session.current.value === null) return;
  state.value = "connecting";
  stream = follow(path(said.shift.id, "live"), {
    token: () => session.current.value?.token ?? null,
    onFrame: ({ data }) => take(data as ManifestSaid),
    onState: (now) => {
      state.value = now;
      connected.value = now !== "lost";
      if (now === "open") void send();
    },
    onRefused: (error) => {
      session.noticed(error);
      if (error instanceof ApiProblem && error.code === "no_such_shift") drop();
    },
  });
}

/** The driver did something: seen at once, told to the service when it can be. */
export function did(kind: EventKind, what: Partial<Pick<DriverEvent, "stop" | "ride" | "code">> = {}): void {
  const said = round.value;
  if (said === null) return;
  tell(said.shift.id, kind, what);
  const still = new Set(Object.keys(seenOf(round.value ?? said).riders));
  const over = Object.keys(seenOf(said).riders).filter((ride) => !still.has(ride));
  if (over.length > 0) done.value = [...done.value, ...over];
  remember();
}

/** The driver has looked. */
export function looked(): void {
  if (round.value === null) return;
  seen.value = seenOf(round.value);
  done.value = [];
  remember();
}

/** Something is wrong. Throws as `call` does. */
export async function trouble(kind: "breakdown" | "cannot_reach_stop" | "other", stop: string | null, words: string): Promise<void> {
  const said = manifest.value;
  if (said === null) return;
  const body = { kind, ...(stop === null ? {} : { stop }), ...(words.trim() === "" ? {} : { words: words.trim() }) };
  take(await session.call<ManifestSaid>("POST", path(said.shift.id, "trouble"), { body }));
}

/** A break as soon as there is room for one; asked for again with the same id, it is the same one. Throws as `call` does. */
export async function takeBreak(id: string, minutes: number): Promise<void> {
  const said = manifest.value;
  if (said === null) return;
  take(await session.call<ManifestSaid>("POST", path(said.shift.id, "break"), { body: { id, minutes } }));
}

/** No break after all. Throws as `call` does. */
export async function giveUpBreak(): Promise<void> {
  const said = manifest.value;
  if (said === null) return;
  take(await session.call<ManifestSaid>("DELETE", path(said.shift.id, "break")));
}

/** The break that was asked for is over now. Throws as `call` does. */
export async function endBreak(): Promise<void> {
  const said = manifest.value;
  if (said === null) return;
  take(await session.call<ManifestSaid>("POST", path(said.shift.id, "break/end")));
}

receive(take);
