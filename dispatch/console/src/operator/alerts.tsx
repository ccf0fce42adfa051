// Alerts first: what calls for a person, and the act that answers it.

import { signal } from "@preact/signals";
import { clock, difference, minutes } from "../shared/format";
import { askAssign, askBringBack, askClear, askMessage, askWithdraw } from "./act_dialogs";
import { listKeys } from "./keyboard";
import { lateBy } from "./status";
import { alerts, choose, isPast, lines, live, rideOf, shuttleOf } from "./store";
import { rideIn } from "./telling";
import type { AlertSaid } from "./types";
import { t } from "./words";

const RANK: Record<AlertSaid["kind"], number> = { unplaced: 0, trouble: 1, silent: 2, at_risk: 3, late: 4, broken: 5 };
/** alerts that somebody has looked at, by what makes them different from later ones */
const seen = signal<ReadonlySet<string>>(new Set());

const keyOf = (alert: AlertSaid) => `${alert.kind} ${alert.shuttle} ${alert.ride} ${alert.kind === "trouble" || alert.kind === "broken" ? alert.at : ""}`;

export function Alerts() {
  const w = t.value.alerts;
  const all = [...alerts.value].sort((a, b) => RANK[a.kind] - RANK[b.kind]);
  const open = all.filter((one) => !seen.value.has(keyOf(one)));
  const hidden = all.length - open.length;
  return (
    <section class="panel alerts" aria-labelledby="alerts-title">
      <h2 id="alerts-title">
        {w.title} <span class={open.length ? "badge loud" : "badge"}>{open.length}</span>
      </h2>
      <div class="visually-hidden" role="status">
        {open.length ? `${w.title}: ${open.length}. ${title(open[0]!)}` : ""}
      </div>
      <ul id="alerts" tabIndex={-1} onKeyDown={listKeys}>
        {open.length === 0 && <li class="none">{w.none}</li>}
        {open.map((alert) => (
          <Alert key={keyOf(alert)} alert={alert} />
        ))}
      </ul>
      {hidden > 0 && (
        <button type="button" class="text-button" onClick={() => (seen.value = new Set())}>
          {w.hidden(hidden)}
        </button>
      )}
    </section>
  );
}

const SIGN: Record<AlertSaid["kind"], string> = { broken: "×", unplaced: "!", at_risk: "!", late: "!", silent: "?", trouble: "!" };

function title(alert: AlertSaid): string {
  const w = t.value.alerts;
  switch (alert.kind) {
    case "broken": return w.broken(alert.shuttle ?? "");
    case "unplaced": return w.unplaced(alert.ride ?? "");
    case "at_risk": return w.at_risk(alert.ride ?? "");
    case "late": return w.late(alert.shuttle ?? "");
    case "silent": return w.silent(alert.shuttle ?? "");
    case "trouble": return w.trouble(alert.shuttle ?? "");
  }
}

function more(alert: AlertSaid): string {
  const w = t.value.alerts;
  const shuttle = shuttleOf(alert.shuttle);
  switch (alert.kind) {
    case "broken": return recovered(alert.shuttle ?? "");
    case "unplaced": return w.unplacedMore;
    case "at_risk": {
      const ride = rideOf(alert.ride);
      return ride === undefined ? "" : `${(ride.pickup ?? ride.origin).name} → ${(ride.dropoff ?? ride.destination).name}`;
    }
    case "late": return shuttle === undefined || lateBy(shuttle) <= 0 ? "" : w.lateMore(difference(lateBy(shuttle)));
    case "silent": return w.silentMore(minutes((Date.parse(live.value?.at ?? alert.at) - Date.parse(alert.at)) / 1000));
    case "trouble": {
      const kind = w.troubles[(alert.trouble ?? "other") as keyof typeof w.troubles] ?? alert.trouble ?? "";
      return alert.said ? `${kind}: ${alert.said}` : kind;
    }
  }
}

/** What has become of those who were on a shuttle that went out of service. */
function recovered(shuttle: string): string {
  const out = lines.value.findLast((line) => line.event.type === "ShuttleBrokeDown" && line.event.shuttle === shuttle);
  if (out === undefined) return "";
  const touched = new Set<string>();
  for (const line of lines.value)
    if (line.seq >= out.seq && line.event.at === out.event.at && ["RiderStranded", "PromiseAtRisk"].includes(line.event.type)) touched.add(rideIn(line.event) ?? "");
  const left = new Set((live.value?.rides ?? []).filter((ride) => ride.shuttle === null && ride.state === "stranded").map((ride) => ride.id));
  const waiting = [...touched].filter((ride) => left.has(ride)).length;
  return touched.size ? t.value.alerts.recovered(touched.size - waiting, waiting) : "";
}

function Alert({ alert }: { alert: AlertSaid }) {
  const w = t.value;
  const shuttle = shuttleOf(alert.shuttle);
  const ride = rideOf(alert.ride);
  const open = () => (alert.ride !== null ? choose("ride", alert.ride) : alert.shuttle !== null && choose("shuttle", alert.shuttle));
  const off = isPast.value;
  return (
    <li class={`alert ${alert.kind}`}>
      <button type="button" class="alert-title" data-row onClick={open}>
        <i class="sign" aria-hidden="true">
          {SIGN[alert.kind]}
        </i>
        <strong>{title(alert)}</strong> <time>{clock(alert.at)}</time>
      </button>
      <p>{more(alert)}</p>
      <div class="answers">
        {(alert.kind === "silent" || alert.kind === "trouble" || alert.kind === "late") && shuttle?.state === "on" && (
          <button type="button" class="button small danger" disabled={off} onClick={() => askWithdraw(shuttle)}>
            {w.acts.withdraw}
          </button>
        )}
        {alert.kind === "late" && shuttle?.plan.some((visit) => visit.kind === "pickup") && (
          <button type="button" class="button small" disabled={off} onClick={() => askClear(shuttle)}>
            {w.acts.clear}
          </button>
        )}
        {alert.kind === "broken" && shuttle !== undefined && (
          <button type="button" class="button small" disabled={off} onClick={() => askBringBack(shuttle)}>
            {w.acts.bringBack}
          </button>
        )}
        {(alert.kind === "unplaced" || alert.kind === "at_risk") && ride !== undefined && (ride.state === "booked" || ride.state === "stranded") && (
          <button type="button" class="button small primary" disabled={off} onClick={() => askAssign(ride)}>
            {ride.shuttle === null ? w.acts.place : w.acts.assign}
          </button>
        )}
        {ride !== undefined && ride.rider !== null && (
          <button type="button" class="button small" disabled={off} onClick={() => askMessage(ride)}>
            {w.acts.message}
          </button>
        )}
        <button type="button" class="button small quiet" title={w.alerts.seenHint} onClick={() => (seen.value = new Set([...seen.value, keyOf(alert)]))}>
          {w.alerts.seen}
        </button>
      </div>
    </li>
  );
}
