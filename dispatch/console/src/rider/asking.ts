// From a journey to an answer, and from an offer to a booking. One intention has one key, so a double tap books once.

import { signal } from "@preact/signals";
import { keep, kept, unique } from "../phone/keeping";
import { serviceNow } from "../shared/zone";
import { asRider } from "./session";
import type { Offer, QuotesSaid } from "../shared/types";
import type { JourneyAsk, RideSaid } from "./types";

export interface Asked {
  journey: JourneyAsk;
  answer: QuotesSaid;
  /** Idempotency-Key of each offer: the same after a reload or a new sign-in */
  keys: Record<string, string>;
}

const KEPT = "naru.rider.asked";
const window_ = () => sessionStorage;

/** the last answer; null: none is open */
export const answered = signal<Asked | null>(kept<Asked>(KEPT, window_));

function note(asked: Asked | null): void {
  answered.value = asked;
  keep(KEPT, asked, window_);
}

const take = (journey: JourneyAsk, answer: QuotesSaid): QuotesSaid => {
  note({ journey, answer, keys: Object.fromEntries(answer.offers.map((offer) => [offer.quote, unique()])) });
  return answer;
};

/** Ask for a journey. Throws as `call` does. */
export async function ask(journey: JourneyAsk): Promise<QuotesSaid> {
  return take(journey, await asRider<QuotesSaid>("POST", "/v1/quotes", { body: journey }));
}

/** Ask for the way back of a ride. */
export async function askBack(ride: RideSaid): Promise<QuotesSaid> {
  const answer = await asRider<QuotesSaid>("POST", `/v1/rides/${ride.id}/return`, { body: {} });
  const [from, to] = [{ stop: ride.dropoff?.id ?? "" }, { stop: ride.pickup?.id ?? "" }];
  return take({ from, to, seats: ride.seats, wheelchairs: ride.wheelchairs }, answer);
}

/** The same journey at another time, in place of the request that could not be met. */
export async function askAgain(journey: JourneyAsk, depart_after: string | null, instead: string | null): Promise<QuotesSaid> {
  if (instead !== null) await giveBack(instead).catch(() => undefined);
  const { depart_after: _, arrive_by: __, ...rest } = journey;
  const past = depart_after !== null && Date.parse(depart_after) <= serviceNow();
  return ask(depart_after === null ? journey : past ? rest : { ...rest, depart_after });
}

/** Take an offer. Throws as `call` does; the same offer again is the same booking. */
export async function book(offer: Offer): Promise<RideSaid> {
  const key = answered.value?.keys[offer.quote] ?? unique();
  const ride = await asRider<RideSaid>("POST", "/v1/bookings", { body: { quote: offer.quote }, key });
  note(null);
  return ride;
}

/** Wait in line for a place rather than take what is offered. */
export async function waitInLine(request: string): Promise<RideSaid> {
  const ride = await asRider<RideSaid>("POST", `/v1/requests/${request}/queue`);
  const open = answered.value;
  // the journey stays known: a nearer time can still be taken instead
  if (open !== null) note({ ...open, answer: { ...open.answer, state: "queued", offers: [] } });
  return ride;
}

/** Leave the answer. Offers that nobody takes lapse by themselves, so nothing depends on this arriving. */
export function leave(): void {
  const open = answered.value;
  note(null);
  if (open !== null && open.answer.offers.length > 0) {
    void asRider("POST", `/v1/requests/${open.answer.request}/decline`).catch(() => undefined);
  }
}

/** Give a ride, or a place in line, back. */
export function giveBack(ride: string): Promise<RideSaid> {
  return asRider<RideSaid>("POST", `/v1/rides/${ride}/cancel`, { body: {} });
}
