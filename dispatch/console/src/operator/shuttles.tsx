// The list of shuttles: who is late, how full, what comes next.

import { signal } from "@preact/signals";
import { clock, difference } from "../shared/format";
import { listKeys } from "./keyboard";
import { byName, byNeed, lateBy, leastSlack, status, type Status } from "./status";
import { choose, shown, stopName, subject } from "./store";
import type { ShuttleSaid } from "./types";
import { t } from "./words";

/** shuttles off shift are shown too */
const all = signal(false);
/** a slack below this is told, s */
const TIGHT_S = 300;

export function Shuttles() {
  const w = t.value.shuttles;
  const known = shown.value?.shuttles ?? [];
  const rows = known.filter((one) => all.value || (one.state !== "closed" && status(one) !== "notYet")).sort((a, b) => (known.length > 24 ? byNeed(a, b) : byName(a.id, b.id)));
  const off = known.length - known.filter((one) => one.state !== "closed" && status(one) !== "notYet").length;
  return (
    <section class="panel shuttles" aria-labelledby="shuttles-title">
      <h2 id="shuttles-title">
        {w.title} <span class="badge">{known.length - off}</span>
        {off > 0 && (
          <label class="toggle">
            <input type="checkbox" checked={all.value} onChange={() => (all.value = !all.value)} /> +{off}
            <span class="visually-hidden">{w.filter}</span>
          </label>
        )}
      </h2>
      <ul id="shuttles" tabIndex={-1} onKeyDown={listKeys}>
        {rows.length === 0 && <li class="none">{w.none}</li>}
        {rows.map((one) => (
          <Row key={one.id} shuttle={one} chosen={subject.value?.kind === "shuttle" && subject.value.id === one.id} />
        ))}
      </ul>
    </section>
  );
}

const SIGN: Record<Status, string> = { onTime: "", late: "!", out: "×", silent: "?", idle: "", notYet: "", closed: "" };

export function standing(shuttle: ShuttleSaid): { how: Status; words: string } {
  const w = t.value.shuttles;
  const how = status(shuttle);
  const late = lateBy(shuttle);
  const slack = leastSlack(shuttle);
  if (shuttle.break_until !== null && (how === "idle" || how === "onTime")) return { how, words: w.rests(clock(shuttle.break_until)) };
  switch (how) {
    case "late": return { how, words: late > 0 ? w.late(difference(late).slice(1)) : w.late("") };
    case "out": return { how, words: w.out };
    case "silent": return { how, words: w.silent };
    case "idle": return { how, words: w.idle };
    case "notYet": return { how, words: w.notYet };
    case "closed": return { how, words: w.closed };
    case "onTime": return { how, words: slack !== null && slack < TIGHT_S ? t.value.shuttle.slack(difference(Math.max(0, slack)).slice(1)) : w.onTime };
  }
}

function Row({ shuttle, chosen }: { shuttle: ShuttleSaid; chosen: boolean }) {
  const w = t.value;
  const { how, words } = standing(shuttle);
  const [next, ...rest] = shuttle.plan;
  return (
    <li>
      <button type="button" data-row class={chosen ? "row chosen" : "row"} aria-current={chosen} onClick={() => choose("shuttle", shuttle.id)}>
        <span class="row-head">
          <i class={`mark ${MARK[how]}`} aria-hidden="true">
            {SIGN[how]}
          </i>
          <strong>{shuttle.id}</strong>
          <Load aboard={shuttle.aboard} seats={shuttle.seats} />
          <span class={how === "late" || how === "out" || how === "silent" ? "standing bad" : "standing"}>{words}</span>
        </span>
        <span class="row-next">
          {next === undefined ? (
            "–"
          ) : (
            <>
              <time>{clock(next.begin_at)}</time>
              <b aria-label={next.kind === "pickup" ? w.shuttle.pickup : w.shuttle.dropoff}>{next.kind === "pickup" ? "↑" : next.kind === "dropoff" ? "↓" : "•"}</b>
              <span class="clip">{next.stop === null ? w.shuttle[next.kind] : stopName(next.stop)}</span>
              {rest.length > 0 && <span class="muted">{w.shuttles.more(rest.length)}</span>}
            </>
          )}
        </span>
      </button>
    </li>
  );
}

export const MARK: Record<Status, string> = { onTime: "on-time", late: "late", out: "out", silent: "late", idle: "idle", notYet: "idle", closed: "idle" };

/** Seats taken, as figures and as a bar. */
export function Load({ aboard, seats }: { aboard: number; seats: number }) {
  const share = seats ? Math.min(1, aboard / seats) : 0;
  return (
    <span class="load" title={t.value.shuttles.load(aboard, seats)}>
      <svg viewBox="0 0 40 8" width="40" height="8" aria-hidden="true">
        <rect class="load-all" width="40" height="8" rx="2" />
        <rect class="load-taken" width={40 * share} height="8" rx="2" />
      </svg>
      {aboard}/{seats}
    </span>
  );
}
