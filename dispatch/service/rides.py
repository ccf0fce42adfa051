"""Riders: quotes, bookings, their rides, tracking; and phone booking by an operator, through the same routes."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse
from msgspec import structs

from dispatch.core import events as ev
from dispatch.core.changes import rehearsal
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy, Quote
from dispatch.core.world import Ride
from dispatch.service import feedback
from dispatch.service.asking import ask, check_rider, check_times, checked, journey_of
from dispatch.service.auth import reference
from dispatch.service.callers import For, ForRider, IdempotencyKey, by_phone, done_at, key_of, note, own_ride
from dispatch.service.live import Live
from dispatch.service.models import (
    BookingAsk,
    CancelAsk,
    ComplaintAsk,
    ComplaintSaid,
    Done,
    Id,
    JourneyAsk,
    PaymentAsk,
    QuotesSaid,
    RatingAsk,
    ReturnAsk,
    RideSaid,
    TrackSaid,
)
from dispatch.service.problems import Problem, answers, refuse
from dispatch.service.sign_in import LiveZone
from dispatch.service.standing import note_missed
from dispatch.service.streaming import frame, stream
from dispatch.service.views import on_its_way, read_quote, ride_said, track_said
from dispatch.service.zone import Journey

router = APIRouter(prefix="/v1", tags=["rides"])
TRACK_S = 3.0
"""seconds between frames of a tracking stream in which nothing happens"""


@router.post(
    "/quotes",
    status_code=201,
    responses=answers("unknown_stop", "time_past", "no_such_rider", "suspended", "paused", "busy"),
)
async def quotes(journey: JourneyAsk, who: ForRider, live: LiveZone) -> QuotesSaid:
    """Ask for a journey: up to three offers; or later ones, or a place in the queue, and why."""
    live.require_ready()
    age = await check_rider(live, who.rider)
    there = journey_of(live, journey)
    if journey.return_after is None:
        return await ask(live, who.rider, there, by_phone(who, "book", None), age)
    after = live.moments.ms(journey.return_after)
    check_times(live, after, None)
    if after <= max(there.depart_after or live.now, there.arrive_by or 0):
        raise Problem("back_before")
    told = await ask(live, who.rider, there, by_phone(who, "book", None), age)
    back = await ask(live, who.rider, there.back(after), by_phone(who, "book", None), age)
    return told.model_copy(update={"back": back})


@router.post("/rides/{ride}/return", status_code=201, responses=answers("no_such_ride", "time_past"))
async def way_back(ride: Id, back: ReturnAsk, who: ForRider, live: LiveZone) -> QuotesSaid:
    """Ask for the same people's way back from a ride: from where it ends, to where it began."""
    request = own_ride(live, who, ride).request
    age = await check_rider(live, who.rider)
    place = live.area.places.end_at
    origin, goal = place(request.origins[0].place), place(request.destinations[0].place)
    journey = Journey(origin, goal, seats=request.seats, wheelchairs=request.wheelchairs)
    depart = None if back.depart_after is None else live.moments.ms(back.depart_after)
    if depart is not None and depart < live.now:
        raise Problem("time_past")
    return await ask(live, who.rider, checked(journey.back(depart)), by_phone(who, "book", None), age)


@router.post(
    "/bookings",
    status_code=201,
    responses=answers(
        "key_missing",
        "key_reused",
        "busy",
        "bad_quote",
        "not_your_quote",
        "quote_expired",
        "quote_gone",
        "already_answered",
    ),
)
async def book(
    booking: BookingAsk, who: ForRider, live: LiveZone, response: Response, key: IdempotencyKey = None
) -> RideSaid:
    """Take an offer. The same key and body again give the same booking."""
    if key is None:
        raise Problem("key_missing")
    live.require_ready()
    began = time.perf_counter()
    taken = [_own_quote(live, who, quote) for quote in (booking.quote, booking.back) if quote is not None]
    if len({quote.request for quote in taken}) < len(taken):
        raise Problem("bad_quote")
    act = by_phone(who, "book", taken[0].request)

    def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
        for quote in taken:
            _check_open(desk, quote, now)
        judged = [judged_at(quote, now, desk.world.policy) for quote in taken]
        events = desk.accept(judged[0], now)
        if not events or (len(taken) > 1 and not _fit_together(desk, events, judged[1], now)):
            raise refuse("quote_gone")
        yield from events
        for quote in judged[1:]:
            yield from desk.accept(quote, now)
        if act is not None:
            yield done_at(act, now)

    body = _body("book", *filter(None, (booking.quote, booking.back)))
    done = await live.submit(decide, key=key_of(who, key), body=body)
    live.decisions_ms.append((time.perf_counter() - began) * 1000)
    rides = [live.world.rides[quote.request] for quote in taken]
    back = ride_said(live, rides[1]) if len(rides) > 1 else None
    if not done.replayed:
        return ride_said(live, rides[0], back=back)
    response.headers["Idempotent-Replayed"] = "true"
    return (await _said(live, rides[0])).model_copy(update={"back": back})


def _own_quote(live: Live, who: For, text: str) -> Quote:
    """An offer made to this rider. Raises Problem."""
    quote = read_quote(live, text)
    ride = live.ride(quote.request)
    if ride is None:
        raise Problem("quote_expired")
    if ride.request.rider != who.rider:
        raise Problem("not_your_quote")
    return quote


def _fit_together(desk: Desk, events: list[ev.Event], other: Quote, now: int) -> bool:
    """Can the other offer still be taken once these events have happened?"""
    trial = rehearsal(desk)
    for event in events:
        trial.apply(event)
    return bool(trial.accept(other, now))


def _check_open(desk: Desk, quote: Quote, now: int) -> None:
    """Raises Refused where an offer can no longer be taken at all."""
    ride, closed = desk.world.rides.get(quote.request), desk.world.closed_places
    if ride is None or ride.state == "declined" or now > quote.expires_at:
        raise refuse("quote_expired")
    if desk.world.paused:
        raise refuse("paused")
    if ride.state not in ("asked", "queued"):
        raise refuse("already_answered")
    if quote.pickup.place in closed or quote.dropoff.place in closed:
        raise refuse("stop_closed")


@router.post("/requests/{request}/queue", status_code=202, responses=answers("no_such_request", "already_answered"))
async def wait_in_queue(request: Id, who: ForRider, live: LiveZone) -> RideSaid:
    """Take none of the later offers: wait for a place that frees up."""
    _own_request(live, who, request)
    act = by_phone(who, "queue", request)

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        if desk.world.rides[request].state != "asked":
            raise refuse("already_answered")
        answer = desk.quote(request, now)
        return [*([] if act is None else [done_at(act, now)]), *desk.refuse(request, now, answer)]

    await live.submit(decide)
    return ride_said(live, live.world.rides[request])


@router.post("/requests/{request}/decline", responses=answers("no_such_request", "already_answered"))
async def decline(request: Id, who: ForRider, live: LiveZone) -> Done:
    """Take none of the offers."""
    _own_request(live, who, request)
    act = by_phone(who, "decline", request)

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        if desk.world.rides[request].state != "asked":
            raise refuse("already_answered")
        return [*([] if act is None else [done_at(act, now)]), ev.QuoteDeclined(now, request)]

    await live.submit(decide)
    return Done()


def _own_request(live: Live, who: For, request: str) -> None:
    ride = live.ride(request)
    if ride is None or ride.request.rider != who.rider:
        raise Problem("no_such_request")


@router.get("/rides", responses=answers())
async def my_rides(who: ForRider, live: LiveZone, limit: Annotated[int, Query(ge=1, le=200)] = 50) -> list[RideSaid]:
    """The rider's own rides and requests of the open day, latest first."""
    await live.settled()
    mine = [ride for ride in live.world.rides.values() if ride.request.rider == who.rider]
    return [await _said(live, ride) for ride in mine[: -limit - 1 : -1]]


@router.get("/rides/{ride}", responses=answers("no_such_ride"))
async def one_ride(ride: Id, who: ForRider, live: LiveZone) -> RideSaid:
    """One ride."""
    await live.settled()
    return await _said(live, own_ride(live, who, ride))


@router.post("/rides/{ride}/cancel", responses=answers("no_such_ride", "too_late_to_cancel"))
async def cancel(ride: Id, who: ForRider, live: LiveZone, given: CancelAsk | None = None) -> RideSaid:
    """Give a ride, or a place in the queue, back. Who does so when the shuttle is on its way to them has missed it."""
    found = own_ride(live, who, ride)
    if found.state == "cancelled":
        return await _said(live, found)
    act = by_phone(who, "cancel", ride, "" if given is None or given.reason is None else given.reason)
    reason = "" if act is None else act.reason  # a rider's own words are no business of the log's
    dispatched = on_its_way(live, found)

    def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
        events = desk.cancel(ride, now, reason)
        if not events:
            raise refuse("too_late_to_cancel")
        if act is not None:
            yield done_at(act, now)
        yield from events

    await live.submit(decide)
    await live.recurring.answered(live, who.rider, ride)
    if dispatched:
        await note_missed(live, found, "late_cancel")
    return await _said(live, found)


@router.get(
    "/rides/{ride}/live",
    response_class=StreamingResponse,
    responses=answers("no_such_ride", frames="TrackSaid"),
)
async def track(ride: Id, who: ForRider, live: LiveZone) -> StreamingResponse:
    """Follow a ride: server-sent events, each a `TrackSaid`; a frame at once, then with every change and every 3 s."""
    own_ride(live, who, ride)

    async def frames() -> AsyncIterator[bytes]:
        viewer = live.ledger.watch(ride)
        try:
            while True:
                found = live.ride(ride)
                if found is None:
                    return
                told = track_said(live, found, await _said(live, found))
                yield frame(told.model_dump_json().encode(), event="ride", id=f"{live.ledger.day}:{live.ledger.seq}")
                if found.state not in ("asked", "queued", "booked", "aboard", "stranded"):
                    return
                live.ledger.attend(viewer, ride, *([] if found.shuttle is None else [found.shuttle]))
                if await viewer.next(TRACK_S) is None:
                    return
        finally:
            live.ledger.leave(viewer)

    return stream(frames())


# after the ride


@router.put("/rides/{ride}/rating", responses=answers("no_such_ride", "not_yet_over"))
async def rate(ride: Id, rating: RatingAsk, who: ForRider, live: LiveZone) -> Done:
    """Stars and, if one likes, words. Once more: the last one counts."""
    if own_ride(live, who, ride).state != "delivered":
        raise Problem("not_yet_over")
    await note(live, by_phone(who, "rate", ride))
    await feedback.rate(live, who.rider, ride, rating.stars, rating.words)
    return Done()


@router.post("/rides/{ride}/complaints", status_code=201, responses=answers("no_such_ride"))
async def complain(ride: Id, complaint: ComplaintAsk, who: ForRider, live: LiveZone) -> ComplaintSaid:
    """Say what went wrong; an operator answers."""
    own_ride(live, who, ride)
    name = reference(10)
    await note(live, by_phone(who, "complaint", ride, about=name))
    return await feedback.complain(live, who.rider, ride, name, complaint.words)


@router.get("/complaints", responses=answers())
async def my_complaints(who: ForRider, live: LiveZone) -> list[ComplaintSaid]:
    """The rider's own complaints and their answers."""
    return [said for rider, said in await feedback.complaints(live) if rider == who.rider]


@router.put("/rides/{ride}/payment", responses=answers("no_such_ride"))
async def pay(ride: Id, payment: PaymentAsk, who: ForRider, live: LiveZone) -> RideSaid:
    """Tie a payment made elsewhere to the ride, by its reference."""
    found = own_ride(live, who, ride)
    await note(live, by_phone(who, "payment", ride, about=payment.reference))
    await feedback.pay(live, ride, "due", payment.reference)
    return await _said(live, found)


@router.get("/rides/{ride}/track", responses=answers("no_such_ride"))
async def where(ride: Id, who: ForRider, live: LiveZone) -> TrackSaid:
    """One frame of the tracking, for who cannot follow a stream."""
    await live.settled()
    found = own_ride(live, who, ride)
    return track_said(live, found, await _said(live, found))


async def _said(live: Live, ride: Ride) -> RideSaid:
    """A ride with what its rider paid and said of it. The world is read after the store, so it is the world of now."""
    payment, stars = await feedback.of_ride(live, ride.request.id)
    return ride_said(live, ride, payment, stars)


def judged_at(quote: Quote, now: int, policy: Policy) -> Quote:
    """The quote, to be judged again on the world as it is, within its promise; as it is in the moment it was made.

    A replay reads off the log which of the two it was: there time has passed between the request and the booking.
    """
    made_at = quote.expires_at - policy.quote_valid_s * 1000
    return quote if made_at == now else structs.replace(quote, seq=-1)


def _body(*what: str) -> bytes:
    return json.dumps(what).encode()
