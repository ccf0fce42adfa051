// What the console knows: the zone's state as the service tells it, the log as it grows, and what the operator looks at.
// The service is the only truth: every change that the log tells of is answered by asking for the state again.

import { batch, computed, effect, signal } from "@preact/signals";
import { ApiProblem, Unreachable } from "../shared/api";
import { SessionKeeper } from "../shared/session";
import { follow, type Frame, type Stream, type StreamState } from "../shared/stream";
import type { StopPointSaid } from "../shared/types";
import { loadZone, serviceNow, serviceTold, zone } from "../shared/zone";
import type { AlertSaid, BeforeSaid, Figures, LogLine, RideLine, ShuttleSaid, StateSaid, StorySaid } from "./types";

/** between two readings of the state, ms */
const REFRESH_MS = 1_500;
const FIGURES_MS = 15_000;
const ALERTS_MS = 5_000;
/** lines of the log that are kept here; the service has all of them */
const LINES_KEPT = 3_000;
const LINES_FIRST = 600;

export const session = new SessionKeeper("console", ["operator"], "window");

export const live = signal<StateSaid | null>(null);
export const alerts = signal<readonly AlertSaid[]>([]);
export const figures = signal<Figures | null>(null);
export const before = signal<BeforeSaid | null>(null);
export const lines = signal<readonly LogLine[]>([]);
export const positions = signal<Readonly<Record<string, readonly [number, number]>>>({});
export const connection = signal<StreamState>("connecting");
/** whether the stream has been open since the page was loaded: before that nothing is lost */
export const connected = signal(false);
/** the last reading failed: shown until one succeeds */
export const failure = signal<unknown>(null);
export const stops = signal<ReadonlyMap<string, StopPointSaid>>(new Map());
/** ids in the order of the zone's places: events name places by number */
export const places = signal<readonly string[]>([]);

/** the moment looked at, ms since 1970; null: now */
export const moment = signal<number | null>(null);
const then = signal<StateSaid | null>(null);
/** what is shown: the state now, or at the moment looked at */
export const shown = computed(() => (moment.value === null ? live.value : (then.value ?? live.value)));
export const isPast = computed(() => moment.value !== null);

export type Subject = { kind: "shuttle" | "ride"; id: string };
export const subject = signal<Subject | null>(null);
export const story = signal<StorySaid | null>(null);
/** line of the log up to which the story has been read */
export const storySeen = signal(0);

export const shuttleOf = (id: string | null): ShuttleSaid | undefined => shown.value?.shuttles.find((one) => one.id === id);
export const rideOf = (id: string | null): RideLine | undefined => shown.value?.rides.find((one) => one.id === id);
export const stopName = (id: string | null): string => (id === null ? "–" : (stops.value.get(id)?.name ?? id));

/** Service time, ms, read every second by whoever shows it. */
export const now = signal(Date.now());

let stream: Stream | null = null;
let due = 0;
let asking = false;
let again = false;
let generation = 0;

/** Read everything and follow the log until the session ends. */
export function start(): () => void {
  const mine = ++generation;
  const timers = [
    window.setInterval(() => (now.value = serviceNow()), 1000),
    window.setInterval(() => void readFigures(), FIGURES_MS),
    window.setInterval(() => void readAlerts(), ALERTS_MS),
  ];
  void begin(mine);
  return () => {
    generation++;
    timers.forEach(clearInterval);
    stream?.close();
    stream = null;
    window.clearTimeout(due);
    due = 0;
    batch(() => {
      live.value = null;
      lines.value = [];
      alerts.value = [];
      figures.value = null;
      subject.value = null;
      moment.value = null;
    });
  };
}

async function begin(mine: number): Promise<void> {
  for (let wait = 500; mine === generation; wait = Math.min(wait * 2, 10_000)) {
    try {
      await Promise.all([loadZone(), readStops(), refresh()]);
      if (mine !== generation) return;
      now.value = serviceNow();
      await readLog();
      void readFigures();
      break;
    } catch (error) {
      failure.value = error;
      if (session.current.value === null) return;
      await new Promise((resolve) => window.setTimeout(resolve, wait));
    }
  }
  if (mine !== generation) return;
  stream = follow("/v1/operator/live", {
    token: () => session.current.value?.token ?? null,
    ...(live.value === null ? {} : { lastId: live.value.id }),
    silentMs: 8_000,
    onFrame: heard,
    onState: (state) => {
      connection.value = state;
      if (state === "open") connected.value = true;
      if (state === "open") void refresh();
    },
    onRefused: (error) => session.noticed(error),
  });
}

let fresh: LogLine[] = [];
let flushing = 0;

function heard(frame: Frame): void {
  if (frame.event === "positions") {
    const said = frame.data as { at: string; shuttles: Record<string, [number, number]> };
    positions.value = said.shuttles;
    serviceTold(said.at);
    return;
  }
  if (frame.event !== "log" || frame.id === null) return;
  const { seq, event } = frame.data as { seq: number; event: LogLine["event"] };
  const zero = zeroOf();
  fresh.push({ id: frame.id, seq, at: new Date(zero + event.at).toISOString(), event, moved_to: null });
  // after a gap thousands come at once: they are shown together
  flushing ||= window.setTimeout(flush, 120);
  if (event.type !== "TimerTicked" && event.type !== "PlansProposed") soon();
}

function flush(): void {
  flushing = 0;
  const come = fresh;
  fresh = [];
  const day = come.at(-1)?.id.split(":")[0] ?? "";
  const kept = lines.value.filter((line) => line.id.startsWith(`${day}:`));
  const last = kept.at(-1)?.seq ?? 0;
  lines.value = [...kept, ...come.filter((line) => line.id.startsWith(`${day}:`) && line.seq > last)].slice(-LINES_KEPT);
  const looked = subject.value;
  if (looked?.kind === "ride" && come.some((line) => touches(line, looked.id))) void readStory(looked.id);
}

export function touches(line: LogLine, ride: string): boolean {
  const request = line.event.request;
  return request === ride || (typeof request === "object" && request?.id === ride);
}

/** The service day's zero, ms since 1970: what the times of events count from. */
function zeroOf(): number {
  const line = lines.value.at(-1);
  return line === undefined ? dayZero : Date.parse(line.at) - line.event.at;
}
let dayZero = 0;

/** Read the state soon: at most every REFRESH_MS. */
export function soon(): void {
  due ||= window.setTimeout(() => {
    due = 0;
    void refresh();
  }, document.hidden ? REFRESH_MS * 6 : REFRESH_MS);
}

/** Read the state and the alerts now; a failure is kept in `failure`, not thrown. */
export async function refresh(): Promise<void> {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    do {
      again = false;
      const [state, found] = await Promise.all([
        session.call<StateSaid>("GET", "/v1/operator/state"),
        session.call<AlertSaid[]>("GET", "/v1/operator/alerts"),
      ]);
      batch(() => {
        live.value = state;
        alerts.value = found;
        failure.value = null;
        if (moment.value === null) positions.value = Object.fromEntries(state.shuttles.map((one) => [one.id, [one.lat, one.lon]]));
      });
    } while (again);
  } catch (error) {
    failure.value = error;
    if (!(error instanceof ApiProblem || error instanceof Unreachable)) throw error;
    if (session.current.value !== null && stream === null) throw error;
    window.setTimeout(soon, 2_000);
  } finally {
    asking = false;
  }
}

async function readAlerts(): Promise<void> {
  if (document.hidden || asking || live.value === null) return;
  try {
    alerts.value = await session.call<AlertSaid[]>("GET", "/v1/operator/alerts");
  } catch {
    // the next reading of the state tells
  }
}

async function readFigures(): Promise<void> {
  if (document.hidden && figures.value !== null) return;
  try {
    [figures.value, before.value] = await Promise.all([
      session.call<Figures>("GET", "/v1/operator/kpis"),
      session.call<BeforeSaid>("GET", "/v1/operator/kpis/before"),
    ]);
  } catch {
    // older figures are shown until new ones come
  }
}

async function readStops(): Promise<void> {
  if (stops.value.size > 0) return;
  type Collection = { features: { id: string; properties: { name: string }; geometry: { coordinates: [number, number] } }[] };
  const found = await session.call<Collection>("GET", "/v1/stop-points");
  const read = found.features.map(({ id, properties, geometry: { coordinates: [lon, lat] } }) => ({ id, name: properties.name, lat, lon }));
  stops.value = new Map(read.map((stop) => [stop.id, stop]));
  places.value = read.map((stop) => stop.id);
}

async function readLog(): Promise<void> {
  const seq = live.value?.seq ?? 0;
  const read: LogLine[] = [];
  for (let after = Math.max(0, seq - LINES_FIRST); ; ) {
    const page = await session.call<LogLine[]>("GET", `/v1/operator/log?after=${after}&limit=1000`);
    read.push(...page);
    if (page.length < 1000) break;
    after = page.at(-1)?.seq ?? after;
  }
  lines.value = read.slice(-LINES_KEPT);
  const last = read.at(-1);
  if (last !== undefined) dayZero = Date.parse(last.at) - last.event.at;
}

// one ride or shuttle

export function choose(kind: Subject["kind"], id: string): void {
  if (subject.value?.kind === kind && subject.value.id === id) return;
  batch(() => {
    subject.value = { kind, id };
    story.value = null;
  });
  if (kind === "ride") void readStory(id);
}

export function chooseNone(): void {
  subject.value = null;
  story.value = null;
}

export async function readStory(ride: string): Promise<void> {
  const seen = live.value?.seq ?? 0;
  try {
    const told = await session.call<StorySaid>("GET", `/v1/operator/rides/${encodeURIComponent(ride)}`);
    if (subject.value?.kind !== "ride" || subject.value.id !== ride) return;
    batch(() => {
      story.value = told;
      storySeen.value = Math.max(seen, told.story.at(-1)?.seq ?? 0);
    });
  } catch (error) {
    if (error instanceof ApiProblem && error.status === 404) chooseNone();
    else failure.value = error;
  }
}

// time travel

let wanted = 0;

/** Look at a moment of the open day; null: at what is now. */
export function travel(to: number | null): void {
  const state = live.value;
  if (to === null || state === null) {
    wanted++;
    batch(() => {
      moment.value = null;
      then.value = null;
    });
    return;
  }
  moment.value = Math.min(Math.max(to, Date.parse(state.log_from) + 1000), serviceNow() - 1000);
  const mine = ++wanted;
  window.setTimeout(() => void readThen(mine), 120);
}

async function readThen(mine: number): Promise<void> {
  const at = moment.value;
  if (mine !== wanted || at === null) return;
  try {
    const state = await session.call<StateSaid>("GET", `/v1/operator/state?at=${encodeURIComponent(new Date(at).toISOString())}`);
    if (mine !== wanted) return;
    then.value = state;
    failure.value = null;
  } catch (error) {
    if (mine === wanted) failure.value = error;
  }
}

/** lines of the log up to the moment looked at */
export const linesShown = computed(() => {
  const until = moment.value;
  return until === null ? lines.value : lines.value.filter((line) => Date.parse(line.at) <= until);
});

effect(() => {
  const name = zone.value?.name;
  document.title = name === undefined ? "Naru" : `${alerts.value.length ? `(${alerts.value.length}) ` : ""}${name} – Naru`;
});
