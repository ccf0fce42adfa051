"""From a journey asked for to its answer: checks, the request in the log, quotes or a refusal."""

from __future__ import annotations

import time
from collections.abc import Iterator

from dispatch.core import events as ev
from dispatch.core.desk import Answer, Desk
from dispatch.core.domain import NEVER, Policy
from dispatch.core.places import End
from dispatch.service.auth import reference
from dispatch.service.lapses import lapses_at
from dispatch.service.live import Live
from dispatch.service.models import Hint, JourneyAsk, PlaceAsk, QuotesSaid
from dispatch.service.problems import Problem
from dispatch.service.views import offer_said, why_said
from dispatch.service.zone import Journey, request_for
from routing.fixed_lines import Direct

PAST_MS = 60_000
"""a departure so little ago is meant as now"""
STRIKES = 3
STRIKES_WITHIN_S = 30 * 86_400
SUSPENDED_S = 7 * 86_400
LEAST_BUS_WALK_M = 500.0
"""how far people walk to a bus by the timetable, where the policy does not let them walk farther"""


def end_of(live: Live, asked: PlaceAsk) -> End:
    """An end of a journey on the map, at a stop point that is open. Raises Problem."""
    closed = live.world.closed_places
    if asked.stop is not None:
        end = live.area.end_at_stop(asked.stop)
        if end is None:
            raise Problem("unknown_stop")
        if end.place in closed:
            other = live.area.end_at(end.lat, end.lon, closed)
            words = [] if other is None else [f"the nearest open one is {live.area.places.ids[other.place]}"]
            raise Problem("stop_closed", fields=words)
        return end
    assert asked.lat is not None
    assert asked.lon is not None
    end = live.area.end_at(asked.lat, asked.lon, closed)
    if end is None:
        raise Problem("outside_zone")
    return end


def journey_of(live: Live, ask: JourneyAsk) -> Journey:
    """A journey that can be asked for in principle. Raises Problem."""
    policy, ms = live.world.policy, live.moments.ms
    if ask.depart_after is not None and ask.arrive_by is not None:
        raise Problem("two_times")
    depart = None if ask.depart_after is None else ms(ask.depart_after)
    arrive = None if ask.arrive_by is None else ms(ask.arrive_by)
    check_times(live, depart, arrive)
    check_party(policy, ask.seats, ask.wheelchairs)
    return checked(Journey(end_of(live, ask.from_), end_of(live, ask.to), depart, arrive, ask.seats, ask.wheelchairs))


def check_times(live: Live, depart: int | None, arrive: int | None) -> None:
    """Raises Problem for a time that has passed, is too far ahead, or is of a day without service."""
    now, area = live.now, live.area
    if (depart is not None and depart < now - PAST_MS) or (arrive is not None and arrive <= now):
        raise Problem("time_past")
    latest = max(depart or 0, arrive or 0)
    if latest > now + live.world.policy.horizon_s * 1000:
        raise Problem("time_beyond")
    if area.calendar.closed(live.moments.service_date(latest or now)):
        raise Problem("no_service")


def check_party(policy: Policy, seats: int, wheelchairs: int) -> None:
    """Raises Problem for a party that no booking may have."""
    if seats > policy.max_party:
        raise Problem("party_too_large", fields=[f"body.seats: must be at most {policy.max_party}"])
    if wheelchairs > seats:
        raise Problem("too_many_wheelchairs")


def checked(journey: Journey) -> Journey:
    """The journey. Raises Problem if both ends have the same stop point."""
    if journey.origin.place == journey.destination.place:
        raise Problem("same_place")
    return journey


async def check_rider(live: Live, rider: str) -> str | None:
    """The rider's age group, if told. Raises Problem for one who was deleted, or who missed rides too often."""
    known = await live.vault.standing(rider)
    if known is None:
        raise Problem("no_such_rider")
    now = live.moments.zero_utc // 1000 + live.now // 1000
    recent = [at for at in known.missed if at > now - STRIKES_WITHIN_S]
    if len(recent) >= STRIKES and recent[-1] > now - SUSPENDED_S:
        raise Problem("suspended")
    return known.age_group


async def ask(
    live: Live, rider: str, journey: Journey, act: ev.ActTaken | None = None, age: str | None = None
) -> QuotesSaid:
    """Ask for a journey: the request is in the log, and its answer or its quotes come back.

    `act` is that of an operator who asks for somebody on the phone.
    """
    live.require_ready()
    began = time.perf_counter()
    name = reference()
    answers: list[Answer] = []
    channel = "app" if act is None else "phone"

    def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
        world = desk.world
        request = request_for(
            live.area, desk.times, world.policy, journey, now,
            id=name, rider=rider, closed=world.closed_places, age=age, channel=channel,
        )  # fmt: skip
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
    """Say so where walking all the way, or a bus by the timetable, is faster than the best offer."""
    offers = answer.quotes or answer.later
    asked = max(live.now, journey.depart_after or 0)
    soonest = min((quote.dropoff_at + quote.dropoff.walk - asked for quote in offers), default=NEVER)
    if journey.arrive_by is not None:  # who has to be there by a time does not ask what is there first
        return None
    walk = live.area.walk_ms(journey.origin, journey.destination)
    bus = _bus(live, journey, asked)
    takes = NEVER if bus is None else bus.there_s * 1000 - live.moments.in_service_day(asked)
    if offers and walk < min(soonest, takes):
        return Hint(kind="walk", takes_s=walk // 1000, words=f"On foot it takes about {-(-walk // 60_000)} minutes.")
    if bus is None or takes >= min(soonest, walk):
        return None
    began = asked - live.moments.in_service_day(asked)
    departs, there = live.moments.told(began + bus.departs_s * 1000), live.moments.told(began + bus.there_s * 1000)
    words = (
        f"Bus {bus.route} goes there directly: {departs:%H:%M} from {bus.board} to {bus.alight}, "
        f"there at {there:%H:%M}, {-(-bus.walk_s // 60)} minutes of walking included."
    )
    return Hint(
        kind="bus", takes_s=takes // 1000, words=words, line=bus.route, board_at=bus.board, departs_at=departs,
        arrives_at=there,
    )  # fmt: skip


def _bus(live: Live, journey: Journey, depart: int) -> Direct | None:
    """The bus that is there first, by one ride."""
    lines = live.area.fixed_lines
    if lines is None:
        return None
    origin, goal = journey.origin, journey.destination
    seconds = -(-live.moments.in_service_day(depart) // 1000)
    walk_m = max(live.world.policy.walk_m, LEAST_BUS_WALK_M)
    date = live.moments.service_date(depart)
    return lines.direct((origin.lat, origin.lon), (goal.lat, goal.lon), date, seconds, walk_m)
