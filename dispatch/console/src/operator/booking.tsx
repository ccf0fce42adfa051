// A ride booked for who calls by phone: who, from where to where, the offers, and what to tell the caller.

import { useEffect, useRef, useState } from "preact/hooks";
import { clock, money, wallClock } from "../shared/format";
import { problemWords, whyWords } from "../shared/problems";
import type { Offer, QuotesSaid, StopPointSaid } from "../shared/types";
import { serviceNow, zone } from "../shared/zone";
import { book, decline, findRider, queue, quotes } from "./acts";
import { Dialog, dialog, useClose } from "./dialog";
import { StopField } from "./stop_field";
import { choose } from "./store";
import { t } from "./words";

export function askBooking(): void {
  dialog.value = () => <Booking />;
}

function Booking() {
  const w = t.value.booking;
  const close = useClose();
  const [phone, setPhone] = useState("");
  const [name, setName] = useState("");
  const [from, setFrom] = useState<StopPointSaid | null>(null);
  const [to, setTo] = useState<StopPointSaid | null>(null);
  const [seats, setSeats] = useState(1);
  const [wheelchairs, setWheelchairs] = useState(0);
  const [at, setAt] = useState("");
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [asked, setAsked] = useState<{ rider: string; said: QuotesSaid } | null>(null);
  const [told, setTold] = useState<{ offer: Offer; ride: string; code: string | null } | null>(null);
  const open = useRef<{ rider: string; request: string } | null>(null);
  const first = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asked !== null && !busy) first.current?.focus();
  }, [asked, busy]);
  // closing the dialog leaves no offer behind
  useEffect(
    () => () => {
      if (open.current !== null) void decline(open.current.rider, open.current.request);
    },
    [],
  );
  const work = async (what: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await what();
    } catch (error) {
      setProblem(problemWords(error));
    }
    setBusy(false);
  };
  const find = (event: Event) => {
    event.preventDefault();
    setMissing(true);
    if (from === null || to === null || !phone.trim() || busy) return;
    void work(async () => {
      if (open.current !== null) void decline(open.current.rider, open.current.request);
      open.current = null;
      const { rider } = await findRider(phone, name, w.title);
      const journey = { from: { stop: from.id }, to: { stop: to.id }, seats, wheelchairs, ...(at ? { depart_after: today(at) } : {}) };
      const said = await quotes(rider, journey);
      if (said.offers.length) open.current = { rider, request: said.request };
      setAsked({ rider, said });
    });
  };
  const take = (offer: Offer) =>
    void work(async () => {
      const ride = await book(asked!.rider, offer.quote);
      open.current = null;
      choose("ride", ride.id);
      setTold({ offer, ride: ride.id, code: (ride as unknown as { code: string | null }).code });
    });
  if (told !== null) {
    const { offer } = told;
    return (
      <Dialog title={w.title}>
        <div class="told" role="status">
          <p>
            <strong>{w.booked}</strong>
          </p>
          <p class="say">{w.tell(offer.pickup.name, clock(offer.pickup_from), clock(offer.pickup_to), clock(offer.arrive_by), money(offer.fare, offer.currency))}</p>
          {told.code !== null && <p class="say">{w.code(told.code)}</p>}
        </div>
        <footer>
          <button type="button" class="button" onClick={askBooking}>
            {w.another}
          </button>
          <button type="button" class="button primary" autofocus onClick={close}>
            {t.value.dialog.close}
          </button>
        </footer>
      </Dialog>
    );
  }
  const said = asked?.said;
  return (
    <Dialog title={w.title} wide>
      <form class="booking" onSubmit={find} noValidate>
        <div class="field">
          <label for="booking-phone">{w.phone}</label>
          <input id="booking-phone" type="tel" autofocus maxLength={30} autoComplete="off" value={phone} aria-invalid={missing && !phone.trim()} onInput={(event) => setPhone(event.currentTarget.value)} />
        </div>
        <div class="field">
          <label for="booking-name">
            {w.name} <span class="muted">({w.optional})</span>
          </label>
          <input id="booking-name" maxLength={80} autoComplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </div>
        <StopField label={w.from} value={from} onChoose={setFrom} missing={missing} />
        <StopField label={w.to} value={to} onChoose={setTo} missing={missing} />
        <div class="row">
          <div class="field">
            <label for="booking-seats">{w.people}</label>
            <input id="booking-seats" type="number" min={1} max={zone.value?.max_party ?? 6} value={seats} onInput={(event) => setSeats(Number(event.currentTarget.value) || 1)} />
          </div>
          <div class="field">
            <label for="booking-wheelchairs">{w.wheelchairs}</label>
            <input id="booking-wheelchairs" type="number" min={0} max={seats} value={wheelchairs} onInput={(event) => setWheelchairs(Number(event.currentTarget.value) || 0)} />
          </div>
          <div class="field">
            <label for="booking-at">
              {w.when} <span class="muted">({w.now})</span>
            </label>
            <input id="booking-at" type="time" value={at} onInput={(event) => setAt(event.currentTarget.value)} />
          </div>
        </div>
        {problem !== null && (
          <p class="note bad" role="alert">
            {problem}
          </p>
        )}
        <footer>
          <button type="submit" class={said === undefined ? "button primary" : "button"} disabled={busy}>
            {busy ? t.value.dialog.busy : said === undefined ? w.find : w.again}
          </button>
        </footer>
      </form>
      {said !== undefined && (
        <section class="offers" aria-live="polite">
          {said.why !== null && (
            <p class="note warn">
              {w.refused} {whyWords(said.why)}
            </p>
          )}
          <ul>
            {said.offers.map((offer, number) => (
              <li key={offer.quote}>
                <div>
                  <strong>{w.kinds[offer.kind]}</strong> {w.offer(clock(offer.pickup_from), clock(offer.pickup_to), clock(offer.arrive_by))}
                  <div class="muted">
                    {offer.pickup.name} → {offer.dropoff.name} · {money(offer.fare, offer.currency)}
                  </div>
                </div>
                <button type="button" class="button primary" disabled={busy} ref={number === 0 ? first : null} onClick={() => take(offer)}>
                  {w.take}
                </button>
              </li>
            ))}
          </ul>
          {said.state === "later_only" && (
            <button
              type="button"
              class="button"
              onClick={() =>
                void work(async () => {
                  await queue(asked!.rider, said.request);
                  open.current = null;
                  choose("ride", said.request);
                  close();
                })
              }
            >
              {w.queue}
            </button>
          )}
        </section>
      )}
    </Dialog>
  );
}

/** A wall-clock time of the zone's day as a moment. */
export function today(time: string): string {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  const now = serviceNow();
  const here = wallClock(now);
  return new Date(Math.floor(now / 60_000) * 60_000 + (hours * 60 + minutes - here.minutes) * 60_000).toISOString();
}
