// The driver's main screen: where to next, who gets in and out, and one large button for the thumb.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { type Mark, PhoneMap } from "../phone/PhoneMap";
import { shake, useNow } from "../phone/ticking";
import { Trouble } from "../phone/Parts";
import { said } from "../phone/problems";
import { ApiProblem } from "../shared/api";
import { length, minutes, spokenClock } from "../shared/format";
import { say } from "./aloud";
import { here } from "./positions";
import { arrival, lateness } from "./round";
import { refused } from "./sending";
import { did, endBreak, looked, news, round, way } from "./shift";
import { aloudText, newsLine } from "./telling";
import type { ManifestSaid, ManifestStop } from "./types";
import { Who } from "./Who";
import { t } from "./words";

export function Round() {
  const now = useNow();
  const known = round.value;
  const key = known === null ? "" : `${known.stops[0]?.stop?.id} ${known.stops[0]?.here} ${known.drive !== null}`;
  useEffect(() => {
    if (known !== null) say(aloudText(known));
  }, [key]);
  if (known === null) return null;
  if (known.shift.state !== "on") return <Out known={known} />;
  const next = known.stops[0];
  return (
    <>
      {/* it scrolls on small phones: also by the keys of a keyboard */}
      <div class="work" tabIndex={0}>
        <News />
        <NotTaken />
        {next === undefined ? <Idle known={known} now={now} /> : <Next known={known} next={next} now={now} />}
      </div>
      <div class="foot">{next !== undefined && <Primary known={known} next={next} now={now} />}</div>
    </>
  );
}

function Out({ known }: { known: ManifestSaid }) {
  const broken = known.shift.state === "broken";
  return (
    <div class="work">
      <section class="page stack">
        <h1>{broken ? t.value.next.out : t.value.next.closed}</h1>
        {broken && <p>{t.value.next.outNote}</p>}
      </section>
    </div>
  );
}

function Idle({ known, now }: { known: ManifestSaid; now: number }) {
  const w = t.value.next;
  const resting = Date.parse(known.ready_at) - now > 60_000;
  return (
    <section class="page stack idle">
      <Icon name={resting ? "coffee" : "check"} size={64} />
      <h1>{resting ? w.breakUntil(spokenClock(known.ready_at)) : w.nothing}</h1>
      <p>{known.wait_at === null ? w.waitHere : w.waitAt(known.wait_at.name)}</p>
      {resting && known.may_end_break && <EndBreak />}
    </section>
  );
}

/** Go on before the break is over. */
function EndBreak() {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<string | null>(null);
  const end = (): void => {
    setBusy(true);
    setWrong(null);
    endBreak()
      .catch((error: unknown) => setWrong(said(error)))
      .finally(() => setBusy(false));
  };
  return (
    <div class="stack">
      <button type="button" class="button big" disabled={busy} onClick={end}>
        {t.value.next.endBreak}
      </button>
      <Trouble text={wrong} />
    </div>
  );
}

/** The next stop: its name very large, the time, how late or early, who gets in and out. */
function Next({ known, next, now }: { known: ManifestSaid; next: ManifestStop; now: number }) {
  const w = t.value.next;
  const arrives = arrival(known, now);
  const off = lateness(next, next.here ? Date.parse(next.arrive_at) : arrives);
  const label = next.here ? w.here : known.drive === null ? w.drive : w.driving;
  const name = next.fixed === "break" ? w.break : (next.stop?.name ?? w.break);
  const resting = next.here || known.drive !== null ? 0 : Date.parse(known.ready_at) - now;
  return (
    <>
      <section class={`next ${next.here ? "here" : ""}`} aria-labelledby="next-name">
        <p class="next-label">{label}</p>
        <h1 id="next-name">
          <bdi>{name}</bdi>
        </h1>
        {next.fixed === "break" ? (
          <p class="next-time">{w.breakFrom(spokenClock(next.begin_at), spokenClock(next.done_at))}</p>
        ) : (
          <p class="next-time">
            <strong>{spokenClock(next.here ? next.begin_at : arrives)}</strong>
            {(next.boarding.length > 0 || next.alighting.length > 0) && <Off seconds={off} />}
          </p>
        )}
        {resting > 60_000 && <p class="next-hint">{w.breakUntil(spokenClock(known.ready_at))}</p>}
        {resting > 60_000 && known.may_end_break && <EndBreak />}
      </section>
      {!next.here && next.stop !== null && <Way known={known} next={next} />}
      <Who known={known} next={next} now={now} />
      <Then stops={known.stops.slice(1)} />
    </>
  );
}

function Off({ seconds }: { seconds: number }) {
  const w = t.value.next;
  if (seconds >= 60) return <span class="off late">{w.late(minutes(seconds))}</span>;
  if (seconds <= -60) return <span class="off early">{w.early(minutes(-seconds))}</span>;
  return <span class="off">{w.onTime}</span>;
}

/** The way to the next stop on the map, and its streets by name. */
function Way({ known, next }: { known: ManifestSaid; next: ManifestStop }) {
  const w = t.value.next;
  const goal = next.stop;
  const leg = way.value?.legs.find((one) => one.to.id === goal?.id);
  const line = known.drive !== null && known.drive.line.length > 1 ? known.drive.line : (leg?.line ?? null);
  const own = here.value ?? known.position;
  const marks = useMemo<Mark[]>(() => {
    const found: Mark[] = [{ id: "shuttle", kind: "shuttle", lat: own.lat, lon: own.lon }];
    if (goal) found.push({ id: "goal", kind: "to", lat: goal.lat, lon: goal.lon });
    return found;
  }, [own.lat, own.lon, goal?.id]);
  const named = (leg?.streets ?? []).filter((street) => street.length_m >= 30).slice(0, 4);
  const far = goal === null ? 0 : Math.round(Math.log2(Math.hypot(own.lat - goal.lat, own.lon - goal.lon) + 1e-4));
  return (
    <section class="way" aria-label={w.way}>
      <div class="way-map">
        <PhoneMap label={w.way} marks={marks} line={line} fit="marks" fitKey={`${goal?.id} ${far} ${line?.length}`} />
      </div>
      {named.length > 0 && (
        <ol class="streets" aria-label={w.streets}>
          {named.map((street, i) => (
            <li key={i}>
              <bdi>{street.name || w.unnamed}</bdi> <small>{length(street.length_m)}</small>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Then({ stops }: { stops: readonly ManifestStop[] }) {
  const next = stops[0];
  if (next === undefined) return null;
  const w = t.value.next;
  return (
    <p class="then">
      <span class="muted">{w.then}</span> <strong>{spokenClock(next.begin_at)}</strong> <bdi>{next.fixed === "break" ? w.break : next.stop?.name}</bdi>
    </p>
  );
}

/** The one large button: drive off, arrived, begin the break. Who gets in and out has buttons of their own. */
function Primary({ known, next, now }: { known: ManifestSaid; next: ManifestStop; now: number }) {
  const w = t.value;
  if (next.fixed !== null && (next.here || next.stop === null)) {
    const early = Date.parse(next.begin_at) - now > 60_000;
    return (
      <button type="button" class="thumb" disabled={early && next.fixed === "timetable"} onClick={() => did("call")}>
        <Icon name={next.fixed === "break" ? "coffee" : "check"} size={32} />
        {next.fixed === "break" ? w.act.beginBreak : w.act.beginCall}
      </button>
    );
  }
  if (next.here || next.stop === null) return null;
  const stop = next.stop.id;
  if (known.drive !== null) {
    return (
      <button type="button" class="thumb arrived" onClick={() => did("arrived", { stop })}>
        <Icon name="flag" size={32} /> {w.act.arrived}
      </button>
    );
  }
  const leave = next.leave_at === null ? 0 : Date.parse(next.leave_at) - now;
  return (
    <button type="button" class="thumb" onClick={() => did("departed", { stop })}>
      <Icon name="bus" size={32} />
      <span>
        {w.act.depart}
        <small>{leave > 30_000 ? w.next.leaveBy(spokenClock(next.leave_at)) : w.next.leaveNow}</small>
      </span>
    </button>
  );
}

/** What changed since the driver last looked: stays until they say that they have seen it. */
function News() {
  const all = news.value;
  const w = t.value.news;
  const lines = all.map(newsLine);
  const key = all.map((one) => `${one.kind}${"ride" in one ? one.ride : one.stop}`).join(" ");
  useEffect(() => {
    if (all.length === 0) return;
    shake([200, 100, 200]);
    say([t.value.say.changed, ...lines].join(" "));
  }, [key]);
  return (
    <div role="alert">
      {all.length > 0 && (
        <section class="news">
          <h2>
            <Icon name="alert" /> {w.heading}
          </h2>
          <ul>
            {lines.map((line) => (
              <li key={line}>
                <bdi>{line}</bdi>
              </li>
            ))}
          </ul>
          <button type="button" class="button primary big" onClick={looked}>
            {w.looked}
          </button>
        </section>
      )}
    </div>
  );
}

/** What the driver did and the service would not count. */
function NotTaken() {
  const all = refused.value;
  const [open, setOpen] = useState(true);
  useEffect(() => setOpen(true), [all.length]);
  if (all.length === 0 || !open) return null;
  const w = t.value.refused;
  return (
    <section class="news bad" role="alert">
      <h2>
        <Icon name="alert" /> {w.heading}
      </h2>
      <ul>
        {all.slice(-4).map(({ event, code }) => (
          <li key={event.id}>{w.line(w.kinds[event.kind], said(new ApiProblem({ code }, 409, null)))}</li>
        ))}
      </ul>
      <button
        type="button"
        class="button big"
        onClick={() => {
          refused.value = [];
        }}
      >
        {w.away}
      </button>
    </section>
  );
}
