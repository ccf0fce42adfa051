// The answer to a journey: up to three offers, each with what it means; or why not now, and what would work.

import { useEffect, useState } from "preact/hooks";
import { Icon } from "../phone/Icon";
import { Trouble } from "../phone/Parts";
import { go } from "../phone/route";
import { minutesSeconds } from "../phone/ticking";
import { minutes, money, spokenClock } from "../shared/format";
import { said } from "../phone/problems";
import { reasons } from "./why";
import { serviceNow } from "../shared/zone";
import type { EndSaid, Offer, QuotesSaid, Why } from "../shared/types";
import { answered, ask, askAgain, type Asked, book, leave, waitInLine } from "./asking";
import { told } from "./following";
import { span } from "./naming";
import { NotSignedIn } from "./session";
import type { JourneyAsk } from "./types";
import { t } from "./words";

/** Where an answer is shown. */
export const screenOf = (answer: QuotesSaid): string => (answer.offers.length > 0 ? "offers" : `ride/${answer.request}`);

/** A step that may be refused: one at a time, and what went wrong in words. */
export function useStep(): { busy: boolean; trouble: string | null; step: (work: () => Promise<void>) => void } {
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  const step = (work: () => Promise<void>): void => {
    if (busy) return;
    setBusy(true);
    setTrouble(null);
    work()
      .catch((error: unknown) => setTrouble(error instanceof NotSignedIn ? null : said(error)))
      .finally(() => setBusy(false));
  };
  return { busy, trouble, step };
}

/** Seconds of the service's clock until a moment, counted down while it is shown. */
export function useLeft(until: string | null): number {
  const left = () => (until === null ? 0 : Math.max(0, Math.ceil((Date.parse(until) - serviceNow()) / 1000)));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = window.setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  }, [until]);
  return seconds;
}

export function Answer() {
  const open = answered.value;
  useEffect(() => {
    if (open === null || open.answer.offers.length === 0) go(open === null ? "" : screenOf(open.answer), true);
  }, [open]);
  return open === null || open.answer.offers.length === 0 ? null : <Offers open={open} />;
}

function Offers({ open }: { open: Asked }) {
  const { answer, journey } = open;
  const { busy, trouble, step } = useStep();
  const left = useLeft(answer.offers[0]?.expires_at ?? null);
  const later = answer.state === "later_only";
  const w = t.value;

  const take = (offer: Offer) =>
    step(async () => {
      const ride = await book(offer);
      told(ride);
      go(`ride/${ride.id}`, true);
    });
  const again = () => step(async () => go(screenOf(await ask(journey)), true));
  const line = () =>
    step(async () => {
      const ride = await waitInLine(answer.request);
      go(`ride/${ride.id}`, true);
    });

  return (
    <section class="page stack">
      <h1>{later ? w.why.laterHeading : w.offers.heading(answer.offers.length)}</h1>
      {later && answer.why !== null && <WhyNot why={answer.why} />}
      {left > 0 ? (
        <p class="holds" role="timer">
          <Icon name="clock" size={20} /> {w.offers.holds(minutesSeconds(left))}
        </p>
      ) : (
        <div class="note warn stack" role="alert">
          <p>{w.offers.over}</p>
          <button type="button" class="button primary big" disabled={busy} onClick={again}>
            {w.offers.again}
          </button>
        </div>
      )}
      <Trouble text={trouble} />
      {trouble !== null && left > 0 && (
        <button type="button" class="button" disabled={busy} onClick={again}>
          {w.offers.again}
        </button>
      )}
      <ul class="offers">
        {answer.offers.map((offer) => (
          <li key={offer.quote}>
            <OfferCard offer={offer} first={answer.offers[0] ?? offer} journey={journey} busy={busy || left === 0} onTake={() => take(offer)} />
          </li>
        ))}
      </ul>
      {answer.hint !== null && (
        <p class="note">
          <Icon name="walk" /> {w.offers.walkHint(minutes(answer.hint.takes_s))}
        </p>
      )}
      {later && (
        <div class="stack">
          <button type="button" class="button big" disabled={busy} onClick={line}>
            {w.why.queue}
          </button>
          <p class="muted small">{w.why.queueNote}</p>
        </div>
      )}
      <button
        type="button"
        class="button quiet"
        onClick={() => {
          leave();
          go("", true);
        }}
      >
        {w.offers.none}
      </button>
    </section>
  );
}

/** What sets an offer apart from the first one; "": it is the first, and as asked. */
export function difference(offer: Offer, first: Offer, journey: JourneyAsk): string {
  const w = t.value.offers;
  if (offer.kind === "later") {
    const wanted = journey.depart_after === undefined ? serviceNow() : Date.parse(journey.depart_after);
    const wait = (Date.parse(offer.expected_pickup) - wanted) / 1000;
    return wait > 60 && journey.arrive_by === undefined ? w.differsLater(minutes(wait)) : "";
  }
  if (offer === first) return "";
  const onFoot = first.pickup.walk_s + first.dropoff.walk_s - offer.pickup.walk_s - offer.dropoff.walk_s;
  const later = (Date.parse(offer.expected_arrival) - Date.parse(first.expected_arrival)) / 1000;
  if (onFoot < 30) return "";
  return later > 30 ? w.differs(minutes(onFoot), minutes(later)) : w.differsFoot(minutes(onFoot));
}

function OfferCard(props: { offer: Offer; first: Offer; journey: JourneyAsk; busy: boolean; onTake: () => void }) {
  const { offer } = props;
  const w = t.value.offers;
  const apart = difference(offer, props.first, props.journey);
  const [from, to] = span(offer.pickup_from, offer.pickup_to);
  return (
    <article class="card offer">
      <header>
        <span class={`badge ${offer.kind}`}>{w.kind[offer.kind]}</span>
        <span class="offer-fare">{money(offer.fare, offer.currency)}</span>
      </header>
      <h2 class="offer-window">
        <small>{w.pickup}</small> <span>{w.pickupWindow(from, to)}</span>
      </h2>
      {apart !== "" && <p class="offer-apart">{apart}</p>}
      <ol class="steps">
        <li>
          <Icon name="walk" />
          <span>
            <Walked end={offer.pickup} way="to" />
          </span>
        </li>
        <li>
          <Icon name="flag" />
          <span>
            {w.arrival(spokenClock(offer.expected_arrival), spokenClock(offer.arrive_by))}
            {offer.dropoff.walk_s >= 30 && (
              <>
                <br />
                <small class="muted">
                  <Walked end={offer.dropoff} way="from" />
                </small>
              </>
            )}
          </span>
        </li>
      </ol>
      <button type="button" class="button primary big" disabled={props.busy} onClick={props.onTake}>
        {w.book}
      </button>
    </article>
  );
}

export function Walked({ end, way }: { end: EndSaid; way: "to" | "from" }) {
  const w = t.value.offers;
  if (end.walk_s < 30) return <bdi>{way === "to" ? w.atStop(end.name) : end.name}</bdi>;
  return <bdi>{way === "to" ? w.walkTo(minutes(end.walk_s), end.name) : w.walkFrom(minutes(end.walk_s), end.name)}</bdi>;
}

/** Why it cannot be had as asked, in plain words. */
export function WhyNot({ why }: { why: Why }) {
  const [first, ...rest] = reasons(why);
  return (
    <section class="note why" aria-label={t.value.why.heading}>
      <h2>{t.value.why.heading}</h2>
      <p>{first}</p>
      {rest.map((one) => (
        <p key={one} class="small">
          {one}
        </p>
      ))}
    </section>
  );
}

/** The nearest time that would work, one tap away. `instead`: the request that it takes the place of. */
export function NearestTime({ why, journey, instead }: { why: Why; journey: JourneyAsk | null; instead: string | null }) {
  const { busy, trouble, step } = useStep();
  const w = t.value.why;
  if (why.nearest_pickup_at === null || journey === null) return null;
  const at = why.nearest_pickup_at;
  return (
    <div class="stack">
      <h2>{w.nearest}</h2>
      <button type="button" class="button primary big" disabled={busy} onClick={() => step(async () => go(screenOf(await askAgain(journey, at, instead)), true))}>
        <Icon name="clock" /> {w.takeNearest(spokenClock(at))}
      </button>
      <Trouble text={trouble} />
    </div>
  );
}
