// One shuttle, its plan as a timeline; one ride, its story and receipt.

import { clock, clockSeconds, difference, minutes } from "../shared/format";
import { whyWords } from "../shared/problems";
import { askAssign, askCancel, askClear, askLock, askMessage, askServiceOf } from "./act_dialogs";
import { listKeys } from "./keyboard";
import { showOnMap } from "./map";
import { Load, MARK, standing } from "./shuttles";
import { choose, chooseNone, isPast, moment, now, positions, rideOf, shown, shuttleOf, stopName, story, subject } from "./store";
import { sentence, tells } from "./telling";
import type { RideLine, ShuttleSaid, VisitSaid } from "./types";
import { t } from "./words";

export function Details() {
  const looked = subject.value;
  if (looked === null) return null;
  return (
    <section class="panel details" id="details" tabIndex={-1} aria-label={looked.id}>
      {looked.kind === "shuttle" ? <ShuttleDetails id={looked.id} /> : <RideDetails id={looked.id} />}
    </section>
  );
}

function Back() {
  return (
    <button type="button" class="icon-button" aria-label={t.value.dialog.close} onClick={chooseNone}>
      ×
    </button>
  );
}

function ShuttleDetails({ id }: { id: string }) {
  const w = t.value;
  const shuttle = shuttleOf(id);
  if (shuttle === undefined)
    return (
      <header>
        <h2>{id}</h2>
        <Back />
      </header>
    );
  const { how, words } = standing(shuttle);
  return (
    <>
      <header>
        <h2>
          <i class={`mark ${MARK[how]}`} aria-hidden="true" /> {shuttle.id}
        </h2>
        <span class={how === "late" || how === "out" ? "standing bad" : "standing"}>{words}</span>
        <Back />
      </header>
      <p class="facts">
        <Load aboard={shuttle.aboard} seats={shuttle.seats} />
        {shuttle.wheelchairs > 0 && <span>{w.shuttle.wheelchairs(shuttle.wheelchairs)}</span>}
        <span>{shuttle.driver === null ? w.shuttles.nobody : `${w.shuttles.driver} ${shuttle.driver}`}</span>
        <span>{w.shuttle.shift(clock(shuttle.shift_start), clock(shuttle.shift_end))}</span>
        {shuttle.heard_s_ago !== null && <span>{w.shuttle.heard(minutes(shuttle.heard_s_ago))}</span>}
      </p>
      <div class="answers">
        <button type="button" class={shuttle.state === "on" ? "button small danger" : "button small"} disabled={isPast.value || shuttle.state === "closed"} onClick={() => askServiceOf(id)}>
          {shuttle.state === "on" ? w.acts.withdraw : w.acts.bringBack} <kbd aria-hidden="true">x</kbd>
        </button>
        {shuttle.state === "on" && shuttle.plan.some((visit) => visit.kind === "pickup") && (
          <button type="button" class="button small" disabled={isPast.value} onClick={() => askClear(shuttle)}>
            {w.acts.clear}
          </button>
        )}
        <button
          type="button"
          class="button small"
          onClick={() => {
            const [lat, lon] = positions.value[id] ?? [shuttle.lat, shuttle.lon];
            showOnMap(lat, lon);
          }}
        >
          {w.shuttle.follow}
        </button>
      </div>
      <h3>{w.shuttle.plan}</h3>
      {shuttle.plan.length === 0 ? <p class="none">{w.shuttle.noPlan}</p> : <Timeline shuttle={shuttle} />}
    </>
  );
}

const WIDE = 100;

/** Visits in order; a bar each from the planned time to the latest that breaks nothing, and the promise as a line. */
function Timeline({ shuttle }: { shuttle: ShuttleSaid }) {
  const w = t.value.shuttle;
  const from = moment.value ?? now.value;
  const end = (visit: VisitSaid) => Math.max(Date.parse(visit.begin_at) + (visit.slack_s ?? 0) * 1000, visit.latest === null ? 0 : Date.parse(visit.latest));
  const to = Math.max(from + 600_000, ...shuttle.plan.map(end).map((at) => Math.min(at, from + 3 * 3_600_000)));
  const x = (at: number) => Math.max(0, Math.min(WIDE, ((at - from) / (to - from)) * WIDE));
  return (
    <>
      <ol class="timeline" onKeyDown={listKeys}>
        {shuttle.plan.map((visit, number) => {
          const begin = Date.parse(visit.begin_at);
          const latest = visit.latest === null ? null : Date.parse(visit.latest);
          const late = latest !== null && begin > latest;
          const tight = !late && visit.slack_s !== null && visit.slack_s < 120;
          const slack = visit.slack_s === null ? begin : begin + visit.slack_s * 1000;
          return (
            <li key={`${visit.kind} ${visit.ride ?? number}`} class={late ? "late" : tight ? "tight" : ""}>
              <button type="button" data-row class="visit" disabled={visit.ride === null} onClick={() => visit.ride !== null && choose("ride", visit.ride)}>
                <time>{clock(begin)}</time>
                <b class={visit.kind} aria-hidden="true">
                  {visit.kind === "pickup" ? "↑" : visit.kind === "dropoff" ? "↓" : "•"}
                </b>
                <span class="visit-what">
                  <span class="clip">{visit.stop === null ? "" : stopName(visit.stop)}</span>
                  <span class="muted">
                    {w[visit.kind]} {visit.ride ?? ""} · {w.load(visit.load_after)}
                  </span>
                </span>
                <span class="visit-slack">
                  {late ? w.lateBy(difference((begin - latest) / 1000).slice(1)) : visit.slack_s === null ? "" : w.slack(difference(visit.slack_s).slice(1))}
                  {latest !== null && <span class="muted">{w.promised(clock(latest))}</span>}
                </span>
                <svg viewBox={`0 0 ${WIDE} 6`} preserveAspectRatio="none" aria-hidden="true">
                  <rect class="axis" x="0" y="2.5" width={WIDE} height="1" />
                  <rect class="slack" x={x(begin)} y="0" width={Math.max(0.8, x(slack) - x(begin))} height="6" />
                  {latest !== null && <rect class="promise" x={Math.min(x(latest), WIDE - 0.8)} y="0" width="0.8" height="6" />}
                </svg>
              </button>
            </li>
          );
        })}
      </ol>
      <p class="hint">{w.legend}</p>
    </>
  );
}

function RideDetails({ id }: { id: string }) {
  const w = t.value;
  const told = story.value?.ride.id === id ? story.value : null;
  const ride: RideLine | undefined = (isPast.value ? rideOf(id) : undefined) ?? told?.ride ?? rideOf(id);
  if (ride === undefined)
    return (
      <header>
        <h2>{id}</h2>
        <Back />
      </header>
    );
  const visits = shown.value?.shuttles.find((one) => one.id === ride.shuttle)?.plan.filter((visit) => visit.ride === id) ?? [];
  const planned = (kind: VisitSaid["kind"]) => visits.find((visit) => visit.kind === kind)?.begin_at;
  const off = isPast.value;
  const until = moment.value;
  const lines = (told?.story ?? []).filter((line) => tells(line) && (until === null || Date.parse(line.at) <= until));
  const [from, to] = [ride.pickup ?? ride.origin, ride.dropoff ?? ride.destination];
  return (
    <>
      <header>
        <h2 class="id">{ride.id}</h2>
        <span class={`state-word ${ride.state}`}>{w.rides.states[ride.state]}</span>
        {ride.late && <span class="flag bad">! {w.rides.late}</span>}
        {ride.locked && <span class="flag">{w.rides.locked}</span>}
        <Back />
      </header>
      <dl class="card">
        <div>
          <dt>{w.ride.rider}</dt>
          <dd>
            <bdi>{told?.name ?? w.ride.unknown}</bdi>
            {told?.phone && <span class="muted"> {told.phone}</span>}
          </dd>
        </div>
        <div>
          <dt>{w.ride.from}</dt>
          <dd>
            {from.name}
            {(told?.pickup?.walk_s ?? 0) > 0 && <span class="muted"> {w.ride.walk(minutes(told?.pickup?.walk_s))}</span>}
          </dd>
        </div>
        <div>
          <dt>{w.ride.to}</dt>
          <dd>
            {to.name}
            {(told?.dropoff?.walk_s ?? 0) > 0 && <span class="muted"> {w.ride.walk(minutes(told?.dropoff?.walk_s))}</span>}
          </dd>
        </div>
        {ride.pickup_from !== null && (
          <div>
            <dt>{w.ride.pickup}</dt>
            <dd>
              {clock(ride.pickup_from)}–{clock(ride.pickup_to)}
              {planned("pickup") && <span class="muted"> {w.ride.expected(clock(planned("pickup")))}</span>}
            </dd>
          </div>
        )}
        {ride.arrive_by !== null && (
          <div>
            <dt>{w.ride.arrive}</dt>
            <dd>
              {clock(ride.arrive_by)}
              {planned("dropoff") && <span class="muted"> {w.ride.expected(clock(planned("dropoff")))}</span>}
            </dd>
          </div>
        )}
        <div>
          <dt>{w.ride.shuttle}</dt>
          <dd>
            {ride.shuttle === null ? (
              w.ride.none
            ) : (
              <button type="button" class="text-button" onClick={() => choose("shuttle", ride.shuttle!)}>
                {ride.shuttle}
              </button>
            )}
            {(ride.seats > 1 || ride.wheelchairs > 0) && (
              <span class="muted">
                {" "}
                {w.rides.people(ride.seats)}
                {ride.wheelchairs > 0 && `, ${w.rides.wheelchairs(ride.wheelchairs)}`}
              </span>
            )}
          </dd>
        </div>
        {ride.why !== null && (
          <div class="wide">
            <dt>{w.ride.receipt}</dt>
            <dd>{whyWords(ride.why)}</dd>
          </div>
        )}
      </dl>
      <div class="answers">
        {(ride.state === "booked" || ride.state === "stranded") && (
          <>
            <button type="button" class="button small" disabled={off} onClick={() => askAssign(ride)}>
              {ride.shuttle === null ? w.acts.place : w.acts.assign} <kbd aria-hidden="true">g</kbd>
            </button>
            <button type="button" class="button small" disabled={off} onClick={() => askLock(ride)}>
              {ride.locked ? w.acts.unlock : w.acts.lock} <kbd aria-hidden="true">k</kbd>
            </button>
          </>
        )}
        {ride.rider !== null && (
          <button type="button" class="button small" disabled={off} onClick={() => askMessage(ride)}>
            {w.acts.message}
          </button>
        )}
        {["asked", "queued", "booked"].includes(ride.state) && ride.rider !== null && (
          <button type="button" class="button small danger" disabled={off} onClick={() => askCancel(ride)}>
            {w.acts.cancel}
          </button>
        )}
      </div>
      <h3>{w.ride.story}</h3>
      <ol class="log story">
        {lines.map((line) => (
          <li key={line.id}>
            <div class="log-line">
              <time>{clockSeconds(line.at)}</time> <span>{sentence(line)}</span>
            </div>
          </li>
        ))}
      </ol>
    </>
  );
}
