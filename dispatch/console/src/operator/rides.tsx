// Rides, queue, refusals and the log: what comes in and what became of it.

import { computed, signal } from "@preact/signals";
import { clock, clockSeconds } from "../shared/format";
import { whyWords } from "../shared/problems";
import { listKeys } from "./keyboard";
import { rideOrder } from "./status";
import { choose, linesShown, shown, subject } from "./store";
import { isAct, isTrouble, rideIn, sentence, tells } from "./telling";
import type { LogLine, RideLine } from "./types";
import { t } from "./words";

export type Tab = "rides" | "queue" | "refused" | "log";
export const tab = signal<Tab>("rides");
const which = signal<"showAll" | "showActs" | "showTrouble">("showAll");
const LINES_SHOWN = 300;

const OPEN = new Set(["booked", "aboard", "stranded", "asked"]);
const open = computed(() => (shown.value?.rides ?? []).filter((ride) => OPEN.has(ride.state)).sort(rideOrder));
const queued = computed(() => {
  const byId = new Map((shown.value?.rides ?? []).map((ride) => [ride.id, ride]));
  return (shown.value?.queue ?? []).flatMap((id) => byId.get(id) ?? []);
});
const refused = computed(() => (shown.value?.rides ?? []).filter((ride) => ride.state === "refused").sort((a, b) => Date.parse(b.asked_at) - Date.parse(a.asked_at)));

export function Rides() {
  const w = t.value.rides;
  const counts: Record<Tab, number | null> = { rides: open.value.length, queue: queued.value.length, refused: refused.value.length, log: null };
  return (
    <section class="panel rides">
      <div class="tabs" role="tablist" aria-label={w.tabs.rides} onKeyDown={tabKeys}>
        {(Object.keys(counts) as Tab[]).map((one) => (
          <button key={one} type="button" role="tab" id={`tab-${one}`} aria-selected={tab.value === one} aria-controls="tab-panel" tabIndex={tab.value === one ? 0 : -1} onClick={() => (tab.value = one)}>
            {w.tabs[one]} {counts[one] !== null && <span class={one !== "rides" && counts[one] ? "badge loud" : "badge"}>{counts[one]}</span>}
          </button>
        ))}
      </div>
      <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab.value}`} tabIndex={-1} onKeyDown={listKeys}>
        {tab.value === "rides" && <List rides={open.value} none={w.none} />}
        {tab.value === "queue" && <List rides={queued.value} none={w.noneQueue} />}
        {tab.value === "refused" && <List rides={refused.value} none={w.noneRefused} />}
        {tab.value === "log" && <Log />}
      </div>
    </section>
  );
}

function tabKeys(event: KeyboardEvent): void {
  if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
  const order: Tab[] = ["rides", "queue", "refused", "log"];
  const by = event.key === "ArrowRight" ? 1 : -1;
  const next = order[(order.indexOf(tab.value) + by + order.length) % order.length]!;
  tab.value = next;
  document.getElementById(`tab-${next}`)?.focus();
  event.preventDefault();
}

function List({ rides, none }: { rides: readonly RideLine[]; none: string }) {
  if (rides.length === 0) return <p class="none">{none}</p>;
  return (
    <ul>
      {rides.slice(0, LINES_SHOWN).map((ride) => (
        <RideRow key={ride.id} ride={ride} />
      ))}
    </ul>
  );
}

export function RideRow({ ride }: { ride: RideLine }) {
  const w = t.value.rides;
  const chosen = subject.value?.kind === "ride" && subject.value.id === ride.id;
  const due = ride.state === "aboard" ? ride.arrive_by : ride.pickup_to;
  return (
    <li>
      <button type="button" data-row class={chosen ? "row chosen" : "row"} aria-current={chosen} onClick={() => choose("ride", ride.id)}>
        <span class="row-head">
          <strong class="id">{ride.id}</strong>
          <span class={`state-word ${ride.state}`}>{w.states[ride.state]}</span>
          {ride.late && <span class="flag bad">! {w.late}</span>}
          {ride.locked && <span class="flag">{w.locked}</span>}
          <span class="when">{due !== null ? w.by(clock(due)) : clock(ride.asked_at)}</span>
        </span>
        <span class="row-next">
          <span class="clip">
            {(ride.pickup ?? ride.origin).name} → {(ride.dropoff ?? ride.destination).name}
          </span>
          {ride.seats > 1 && <span class="muted">{w.people(ride.seats)}</span>}
          {ride.wheelchairs > 0 && <span class="muted">{w.wheelchairs(ride.wheelchairs)}</span>}
          {ride.shuttle !== null && <span class="on">{ride.shuttle}</span>}
        </span>
        {ride.why !== null && <span class="row-why">{whyWords(ride.why)}</span>}
      </button>
    </li>
  );
}

function Log() {
  const w = t.value.rides;
  const wanted = { showAll: tells, showActs: isAct, showTrouble: isTrouble }[which.value];
  const found = linesShown.value.filter(wanted);
  const rows = found.slice(-LINES_SHOWN).reverse();
  return (
    <>
      <div class="chips" role="group" aria-label={w.tabs.log}>
        {(["showAll", "showActs", "showTrouble"] as const).map((one) => (
          <button type="button" key={one} class="chip" aria-pressed={which.value === one} onClick={() => (which.value = one)}>
            {w[one]}
          </button>
        ))}
      </div>
      {rows.length === 0 && <p class="none">{w.noneLog}</p>}
      <ol class="log">
        {rows.map((line) => (
          <LogRow key={line.id} line={line} />
        ))}
      </ol>
      {found.length > rows.length && <p class="none">{w.older}</p>}
    </>
  );
}

export function LogRow({ line }: { line: LogLine }) {
  const ride = rideIn(line.event);
  const shuttle = line.event.shuttle ?? null;
  const go = ride !== null ? () => choose("ride", ride) : shuttle !== null ? () => choose("shuttle", shuttle) : null;
  const kind = isAct(line) ? "act" : isTrouble(line) ? "trouble" : "";
  const words = (
    <>
      <time>{clockSeconds(line.at)}</time> <span>{sentence(line)}</span>
    </>
  );
  return (
    <li class={kind}>
      {go === null ? (
        <div class="log-line">{words}</div>
      ) : (
        <button type="button" data-row class="log-line" onClick={go}>
          {words}
        </button>
      )}
    </li>
  );
}
