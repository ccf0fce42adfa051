// A ride: where the shuttle is, when it comes, what to show, and what can be done about it.

import { useEffect, useMemo, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Sheet, Trouble } from "../phone/Parts";
import { type Mark, PhoneMap } from "../phone/PhoneMap";
import { go } from "../phone/route";
import { shake } from "../phone/ticking";
import { minutes, money, spokenClock } from "../shared/format";
import { said } from "../phone/problems";
import { Complaints, Rating } from "./AfterRide";
import { NearestTime, screenOf, useStep, WhyNot } from "./Answer";
import { answered, askBack, giveBack } from "./asking";
import { BoardingPass } from "./BoardingPass";
import { loadRide, state, told, track, unwatch, watch } from "./following";
import { party } from "./naming";
import { NotSignedIn, session } from "./session";
import { statusOf } from "./status";
import type { RideSaid, TrackSaid } from "./types";
import { t } from "./words";

/** Follow a ride while it is shown; what is wrong with it, in words. */
export function useRide(id: string): { track: TrackSaid | null; trouble: string | null } {
  const [trouble, setTrouble] = useState<string | null>(null);
  const signedIn = session.current.value !== null;
  useEffect(() => {
    let left = false;
    setTrouble(null);
    const refused = (error: unknown): void => {
      // an ended session is asked for anew by the call; then the stream is followed again
      loadRide(id)
        .then((ride) => {
          if (left) return;
          if (ride === null) setTrouble(t.value.ride.notToday);
          else told(ride);
        })
        .catch((again: unknown) => {
          if (!left && !(again instanceof NotSignedIn)) setTrouble(said(error));
        });
    };
    if (signedIn) watch(id, refused);
    else refused(null);
    return () => {
      left = true;
      unwatch();
    };
  }, [id, signedIn]);
  const known = track.value;
  return { track: known?.ride.id === id ? known : null, trouble };
}

/** `map` false: the same in words alone. */
export function RidePage({ id, map = true }: { id: string; map?: boolean }) {
  const { track: known, trouble } = useRide(id);
  const ride = known?.ride ?? null;
  // what changes is said once: the headline, not every frame
  useEffect(() => {
    if (ride !== null && (ride.state === "booked" || ride.state === "stranded")) shake(200);
  }, [ride?.state]);
  if (known === null || ride === null) {
    return (
      <section class="page stack">
        <h1>{t.value.ride.heading}</h1>
        <Trouble text={trouble} />
        {trouble === null && <p class="muted" aria-busy="true">…</p>}
        <a class="button" href="#/">
          {t.value.ride.again}
        </a>
      </section>
    );
  }
  const moving = ride.state === "booked" || ride.state === "aboard" || ride.state === "stranded";
  return (
    <div class={moving && map ? "ride moving" : "ride"}>
      {moving && map && <RideMap known={known} />}
      <section class="panel stack">
        <Headline ride={ride} />
        {state.value === "lost" && moving && (
          <p class="note warn" role="status">
            <Icon name="offline" /> {t.value.ride.reconnect}
          </p>
        )}
        {moving && <Steps known={known} />}
        <BoardingPass ride={ride} />
        <Refused ride={ride} />
        {ride.state === "delivered" && <Rating ride={ride} />}
        {(ride.state === "delivered" || ride.state === "no_show") && <Complaints ride={ride} />}
        <Acts ride={ride} />
      </section>
    </div>
  );
}

function Headline({ ride }: { ride: RideSaid }) {
  const { label, headline, note, tone } = statusOf(ride);
  return (
    <div class={`headline ${tone}`} role="status">
      {label !== undefined && <p class="headline-label">{label}</p>}
      <h1>{headline}</h1>
      {note !== "" && <p>{note}</p>}
    </div>
  );
}

function RideMap({ known }: { known: TrackSaid }) {
  const { ride, shuttle } = known;
  const goal = ride.state === "aboard" ? ride.dropoff : ride.pickup;
  const marks = useMemo<Mark[]>(() => {
    const found: Mark[] = [];
    if (goal) found.push({ id: `goal-${ride.state === "aboard"}`, kind: ride.state === "aboard" ? "to" : "from", lat: goal.lat, lon: goal.lon, label: goal.name });
    if (shuttle) found.push({ id: "shuttle", kind: "shuttle", lat: shuttle.lat, lon: shuttle.lon });
    return found;
  }, [shuttle?.lat, shuttle?.lon, goal?.id, ride.state]);
  // fitted anew when the shuttle has come half as near
  const nearer = shuttle && goal ? Math.round(Math.log2(Math.hypot(shuttle.lat - goal.lat, shuttle.lon - goal.lon) + 1e-4)) : 0;
  return (
    <div class="ride-map">
      <PhoneMap label={t.value.ride.live} marks={marks} fit="marks" fitKey={`${ride.state} ${nearer} ${shuttle !== null}`} />
    </div>
  );
}

/** Where and when to board and to get off. */
export function Steps({ known }: { known: TrackSaid }) {
  const { ride, stops_before } = known;
  const w = t.value.ride;
  const leave = ride.expected_pickup && ride.pickup && ride.pickup.walk_s >= 30 ? Math.min(Date.parse(ride.expected_pickup), Date.parse(ride.pickup_from ?? ride.expected_pickup)) - ride.pickup.walk_s * 1000 : null;
  return (
    <ol class="steps big-steps" aria-label={w.story}>
      {ride.state !== "aboard" && ride.pickup && (
        <li>
          <Icon name="from" />
          <span>
            <strong>
              <bdi>{w.board(ride.pickup.name)}</bdi>
            </strong>
            {leave !== null && (
              <>
                <br />
                {w.walk(minutes(ride.pickup.walk_s))} · {w.leaveBy(spokenClock(leave))}
              </>
            )}
            {stops_before !== null && (
              <>
                <br />
                <span class="muted">{w.stopsBefore(stops_before)}</span>
              </>
            )}
          </span>
        </li>
      )}
      {ride.dropoff && (
        <li>
          <Icon name="to" />
          <span>
            <strong>
              <bdi>{w.getOff(ride.dropoff.name)}</bdi>
            </strong>
            {ride.state !== "aboard" && (
              <>
                <br />
                {w.arrival(spokenClock(ride.expected_arrival), spokenClock(ride.arrive_by))}
              </>
            )}
            {ride.dropoff.walk_s >= 30 && (
              <>
                <br />
                <span class="muted">{w.walk(minutes(ride.dropoff.walk_s))}</span>
              </>
            )}
          </span>
        </li>
      )}
      <li>
        <Icon name="person" />
        <span>
          {party(ride)}
          {ride.fare !== null && ` · ${money(ride.fare, ride.currency)}`}
        </span>
      </li>
    </ol>
  );
}

/** In line, or refused: why, and the nearest time that would work. */
function Refused({ ride }: { ride: RideSaid }) {
  if (ride.state !== "queued" && ride.state !== "refused") return null;
  const journey = answered.value?.answer.request === ride.id ? answered.value.journey : null;
  const why = ride.why ?? (answered.value?.answer.request === ride.id ? answered.value.answer.why : null);
  return (
    <>
      {why !== null && <WhyNot why={why} />}
      {why !== null && <NearestTime why={why} journey={journey} instead={ride.state === "queued" ? ride.id : null} />}
    </>
  );
}

function Acts({ ride }: { ride: RideSaid }) {
  const [asking, setAsking] = useState(false);
  const { busy, trouble, step } = useStep();
  const w = t.value.ride;
  const over = ["delivered", "cancelled", "no_show", "refused", "declined"].includes(ride.state);
  return (
    <>
      {ride.state === "delivered" && (
        <button type="button" class="button big" disabled={busy} onClick={() => step(async () => go(screenOf(await askBack(ride))))}>
          <Icon name="swap" /> {w.back}
        </button>
      )}
      {over && (
        <a class="button primary big" href="#/">
          {w.again}
        </a>
      )}
      {ride.cancelling !== null && ride.state !== "asked" && (
        <button type="button" class="button danger" onClick={() => setAsking(true)}>
          {ride.state === "queued" ? t.value.why.leaveLine : w.cancel}
        </button>
      )}
      <Trouble text={trouble} />
      {asking && <CancelSheet ride={ride} onClose={() => setAsking(false)} />}
    </>
  );
}

/** Says what cancelling means before it is done. */
export function CancelSheet({ ride, onClose }: { ride: RideSaid; onClose: () => void }) {
  const { busy, trouble, step } = useStep();
  const w = t.value.ride;
  const line = ride.state === "queued";
  const cancel = () =>
    step(async () => {
      told(await giveBack(ride.id));
      onClose();
    });
  return (
    <Sheet title={line ? t.value.why.leaveLine : w.cancelTitle} onClose={onClose}>
      <div class="stack">
        {!line && <p class={ride.cancelling === "missed" ? "note warn" : ""}>{ride.cancelling === "missed" ? w.cancelMissed : w.cancelFree}</p>}
        <button type="button" class="button danger big" disabled={busy} onClick={cancel}>
          {line ? t.value.why.leaveLine : w.cancelYes}
        </button>
        <button type="button" class="button big" onClick={onClose}>
          {line ? t.value.why.stay : w.keep}
        </button>
        <Trouble text={trouble} />
      </div>
    </Sheet>
  );
}
