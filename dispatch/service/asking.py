"""From a journey asked for to its answer: checks, the request in the log, quotes or a refusal."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dispatch.core import events as ev
from dispatch.core.desk import Answer, Desk
from dispatch.core.places import End
from dispatch.service.auth import reference
from dispatch.service.lapses import lapses_at
from dispatch.service.live import Live
from dispatch.service.models import Hint, JourneyAsk, PlaceAsk, QuotesSaid
from dispatch.service.problems import Problem
from dispatch.service.views import offer_said, why_said
from dispatch.service.zone import Journey, request_for

PAST_MS = 60_000
"""a departure so little ago is meant as now"""
STRIKES = 3
STRIKES_WITHIN_S = 30 * 86_400
SUSPENDED_S = 7 * 86_400


def end_of(live: Live, asked: PlaceAsk) -> End:
    """An end of a journey on the map. Raises Problem."""
    if asked.stop is not None:
        end = live.area.end_at_stop(asked.stop)
        if end is None:
            raise Problem("unknown_stop")
        return end
    assert asked.lat is not None
    assert asked.lon is not None
    end = live.area.end_at(asked.lat, asked.lon)
    if end is None:
        raise Problem("outside_zone")
    return end


def journey_of(live: Live, ask: JourneyAsk) -> Journey:
    """A journey that can be asked for in principle. Raises Problem."""
    policy, now, ms = live.world.policy, live.now, live.moments.ms
    if ask.depart_after is not None and ask.arrive_by is not None:
        raise Problem("two_times")
    depart = None if ask.depart_after is None else ms(ask.depart_after)
    arrive = None if ask.arrive_by is None else ms(ask.arrive_by)
    if (depart is not None and depart < now - PAST_MS) or (arrive is not None and arrive <= now):
        raise Problem("time_past")
    if max(depart or 0, arrive or 0) > now + policy.horizon_s * 1000:
        raise Problem("time_beyond")
    if ask.seats > policy.max_party:
        raise Problem("party_too_large", fields=[f"body.seats: must be at most {policy.max_party}"])
    if ask.wheelchairs > ask.seats:
        raise Problem("too_many_wheelchairs")
    return checked(Journey(end_of(live, ask.from_), end_of(live, ask.to), depart, arrive, ask.seats, ask.wheelchairs))


def checked(journey: Journey) -> Journey:
    """The journey. Raises Problem if both ends have the same stop point."""
    if journey.origin.place == journey.destination.place:
        raise Problem("same_place")
    return journey


async def check_rider(live: Live, rider: str) -> None:
    """Raises Problem for a rider who was deleted, or who missed rides too often."""
    missed = await live.vault.standing(rider)
    if missed is None:
        raise Problem("no_such_rider")
    now = live.moments.zero_utc // 1000 + live.now // 1000
    recent = [at for at in missed if at > now - STRIKES_WITHIN_S]
    if len(recent) >= STRIKES and recent[-1] > now - SUSPENDED_S:
        raise Problem("suspended")


async def note_missed(live: Live, rider: str | None) -> None:
    """A ride was missed without a word, or given back when the shuttle was on its way already."""
    if rider is not None:
        await live.vault.note_missed(rider, live.moments.zero_utc // 1000 + live.now // 1000)


async def ask(live: Live, rider: str, journey: Journey, act: ev.ActTaken | None = None) -> QuotesSaid:
    """Ask for a journey: the request is in the log, and its answer or its quotes come back."""
    live.require_ready()
    began = time.perf_counter()
    name = reference()
    answers: list[Answer] = []

    def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
        request = request_for(live.area, desk.times, desk.world.policy, journey, now, id=name, rider=rider)
        yield ev.RequestMade(now, request)
        answer = desk.quote(name, now)
        answers.append(answer)
        if not (answer.quotes or answer.later):
            yield from desk.refuse(name, now, answer)
        if act is not None:
            yield ev.ActTaken(now, act.act, act.author, act.reason, name)

    await live.submit(decide)
    live.decisions_ms.append((time.perf_counter() - began) * 1000)
    return answered(live, name, journey, answers[-1])


def answered(live: Live, name: str, journey: Journey, answer: Answer) -> QuotesSaid:
    """The answer to a request as its rider reads it."""
    ride = live.world.rides[name]
    lapse = lapses_at(live.world.policy, ride.made_at)
    offers = answer.quotes or answer.later
    state = "offered" if answer.quotes else "later_only" if answer.later else ride.state
    why = None
    if not answer.quotes:
        receipt = ride.receipt
        if receipt is None or receipt.binding is None:
            receipt = live.dispatcher.desk.explain(name, live.now)
        why = why_said(live, receipt)
    return QuotesSaid(
        request=name,
        state=state,  # type: ignore[arg-type]
        offers=[offer_said(live, quote, lapse) for quote in offers],
        why=why,
        queued_until=live.moments.told_or_none(ride.until) if ride.state == "queued" else None,
        hint=_hint(live, journey, answer),
    )


def _hint(live: Live, journey: Journey, answer: Answer) -> Hint | None:
    """Say so where walking all the way is faster than the best offer."""
    walk = live.area.walk_ms(journey.origin, journey.destination)
    offers = answer.quotes or answer.later
    asked = max(live.now, journey.depart_after or 0)
    soonest = min((quote.dropoff_at + quote.dropoff.walk - asked for quote in offers), default=None)
    if soonest is None or walk >= soonest:
        return None
    return Hint(kind="walk", takes_s=walk // 1000, words=f"On foot it takes about {-(-walk // 60_000)} minutes.")
