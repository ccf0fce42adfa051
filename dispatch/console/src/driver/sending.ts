// What the driver did, on its way to the service: kept on the phone until the service has it, sent in order, each once.

import { signal } from "@preact/signals";
import { ApiProblem, Unreachable } from "../shared/api";
import { serviceNow } from "../shared/zone";
import { connected } from "../phone/boot";
import { keep, kept, unique } from "../phone/keeping";
import { session } from "./session";
import type { DriverEvent, EventKind, EventsSaid, ManifestSaid } from "./types";

const KEPT = "naru.driver.waiting";
const MOST = 400;
const FIRST_WAIT_MS = 1_500;
const LONGEST_WAIT_MS = 15_000;

interface Waiting {
  shift: string;
  events: DriverEvent[];
}

/** what the service has not confirmed yet, oldest first */
export const waiting = signal<Waiting>(kept<Waiting>(KEPT) ?? { shift: "", events: [] });
/** events that the service would not count, with its code; the driver looks at them and puts them away */
export const refused = signal<{ event: DriverEvent; code: string }[]>([]);

let sending = false;
let timer = 0;
let pause = FIRST_WAIT_MS;
let onManifest: (manifest: ManifestSaid) => void = () => undefined;

function set(events: DriverEvent[], shift = waiting.value.shift): void {
  waiting.value = { shift, events };
  keep(KEPT, waiting.value);
}

/** Who is told what the service answers. */
export function receive(listener: (manifest: ManifestSaid) => void): void {
  onManifest = listener;
}

/** Note what happened, now by the service's clock, and send it. */
export function tell(shift: string, kind: EventKind, what: Partial<Pick<DriverEvent, "stop" | "ride" | "code">> = {}): DriverEvent {
  const event: DriverEvent = { id: unique(), at: new Date(serviceNow()).toISOString(), kind, ...what };
  const before = waiting.value.shift === shift ? waiting.value.events : [];
  set([...before, event], shift);
  void send();
  return event;
}

/** Send what waits. What cannot be sent stays, and is tried again. */
export async function send(): Promise<void> {
  if (sending || session.current.value === null) return;
  clearTimeout(timer);
  sending = true;
  try {
    while (waiting.value.events.length > 0) {
      const { shift, events } = waiting.value;
      await post(shift, events.slice(0, MOST));
      connected.value = true;
      pause = FIRST_WAIT_MS;
    }
  } catch (error) {
    if (error instanceof Unreachable) connected.value = false;
    timer = window.setTimeout(() => void send(), pause);
    pause = Math.min(pause * 1.7, LONGEST_WAIT_MS);
  } finally {
    sending = false;
  }
}

async function post(shift: string, events: DriverEvent[]): Promise<void> {
  let answer: EventsSaid;
  try {
    answer = await session.call<EventsSaid>("POST", `/v1/driver/shifts/${encodeURIComponent(shift)}/events`, { body: { events }, timeoutMs: 10_000 });
  } catch (error) {
    // the service will never take it: one at a time, so that one bad event does not hold up the others for ever
    const hopeless = error instanceof ApiProblem && error.status < 500 && ![401, 403, 429].includes(error.status);
    if (!hopeless) throw error;
    if (events.length > 1) {
      for (const event of events) await post(shift, [event]);
      return;
    }
    settle(events, [{ code: error.code, refused: true }]);
    return;
  }
  settle(
    events,
    answer.outcomes.map((outcome) => ({ code: outcome.code ?? "defect", refused: outcome.outcome === "refused" })),
  );
  onManifest(answer.manifest);
}

function settle(sent: DriverEvent[], outcomes: { code: string; refused: boolean }[]): void {
  const ids = new Set(sent.map((event) => event.id));
  set(waiting.value.events.filter((event) => !ids.has(event.id)));
  const news = sent.flatMap((event, i) => {
    const outcome = outcomes[i];
    // what the service knew already, because something later implied it, is no trouble to anybody
    const known = outcome?.code === "not_driving" || outcome?.code === "already_driving" || outcome?.code === "already_answered";
    return outcome?.refused && !known ? [{ event, code: outcome.code }] : [];
  });
  if (news.length > 0) refused.value = [...refused.value, ...news];
}

/** Nothing waits any more, and nothing is to be looked at. */
export function forget(): void {
  clearTimeout(timer);
  refused.value = [];
  set([], "");
}

window.addEventListener("online", () => {
  pause = FIRST_WAIT_MS;
  void send();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void send();
});
