"""The fold under the figures of a day: what became of each call, each attempt and each shuttle, event by event.

It knows nothing of plans or roads and shares no code with the world's fold, so the two can check each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from dispatch.core import events as ev
from dispatch.core.domain import RideRequest
from dispatch.core.kpi_definitions import ANSWER_MS


def persons(request: RideRequest) -> int:
    """Persons who travel on one request; one in a wheelchair is a person too, with or without a seat counted."""
    return max(request.seats, request.wheelchairs)


class Call:
    """One request and what came of it."""

    __slots__ = (
        "aboard",
        "alighted",
        "asked",
        "attempt",
        "boarded",
        "booking",
        "cancelled",
        "changes",
        "no_show",
        "persons",
        "pickup_at",
        "pooled",
        "request",
        "stranded",
    )  # fmt: skip

    def __init__(self, request: RideRequest, asked: int, attempt: Attempt, *, changes: bool) -> None:
        self.request = request
        self.asked = asked
        self.changes = changes
        """takes the place of the attempt's booking, by the rider's own wish"""
        self.attempt = attempt
        self.persons = persons(request)
        self.booking: ev.RideBooked | None = None
        self.pickup_at = 0
        """the pickup time last told"""
        self.boarded: int | None = None
        self.alighted: int | None = None
        self.cancelled: int | None = None
        self.no_show = False
        self.pooled = False
        self.stranded = False
        self.aboard: Shuttle | None = None


class Attempt:
    """All calls for one journey."""

    __slots__ = ("answer", "answered_at", "binding", "booked", "depart", "direct", "queued")

    def __init__(self, depart: int, direct: int) -> None:
        self.depart = depart
        """first asked for"""
        self.direct = direct
        """unshared drive, ms"""
        self.answer: str | None = None
        """the last one: booked, refused, declined or queued"""
        self.answered_at: int | None = None
        """when that was"""
        self.booked: Call | None = None
        self.binding: str | None = None
        self.queued: int | None = None


class Shuttle:
    """One shift."""

    __slots__ = ("aboard", "closed", "drive_ms", "driving_since", "end", "load", "seen", "start")

    def __init__(self, start: int, end: int) -> None:
        self.start = start
        self.end = end
        self.closed: int | None = None
        self.seen = start
        """last at work"""
        self.driving_since: int | None = None
        self.drive_ms = 0
        self.load = 0
        self.aboard: set[Call] = set()


class Tally:
    """What a day comes to."""

    __slots__ = ("attempts", "breakdowns", "calls", "cancelled_queued", "closed", "day", "empty_mm", "load_mm", "mm",
                 "risks", "shuttles")  # fmt: skip

    def __init__(self) -> None:
        self.day: ev.DayOpened | None = None
        self.closed = False
        self.calls: dict[str, Call] = {}
        self.attempts: dict[str, Attempt] = {}
        self.shuttles: dict[str, Shuttle] = {}
        self.mm = 0
        self.empty_mm = 0
        self.load_mm = 0
        """Σ driven × persons aboard"""
        self.breakdowns = 0
        self.cancelled_queued = 0
        self.risks: set[str] = set()


# One handler an event type


def _day_opened(tally: Tally, event: ev.DayOpened) -> None:
    tally.day = event


def _day_closed(tally: Tally, _: ev.DayClosed) -> None:
    tally.closed = True


def _shift_opened(tally: Tally, event: ev.ShiftOpened) -> None:
    shift = event.shift
    tally.shuttles[shift.id] = Shuttle(shift.start, shift.end)


def _shift_closed(tally: Tally, event: ev.ShiftClosed) -> None:
    tally.shuttles[event.shuttle].closed = event.at


def _shift_changed(tally: Tally, event: ev.ShiftChanged) -> None:
    tally.shuttles[event.shuttle].end = event.end


def _request_made(tally: Tally, event: ev.RequestMade) -> None:
    request = event.request
    key = request.attempt or request.id
    attempt = tally.attempts.get(key)
    if attempt is None:
        depart = request.depart_after if request.first_depart is None else request.first_depart
        attempt = tally.attempts[key] = Attempt(depart, request.direct)
    tally.calls[request.id] = Call(request, event.at, attempt, changes=event.instead_of is not None)


def _quote_declined(tally: Tally, event: ev.QuoteDeclined) -> None:
    tally.calls[event.request].attempt.answer = "declined"


def _ride_cancelled(tally: Tally, event: ev.RideCancelled) -> None:
    call = tally.calls[event.request]
    if call.booking is None:
        tally.cancelled_queued += 1
    else:
        call.cancelled = event.at


def _ride_booked(tally: Tally, event: ev.RideBooked) -> None:
    call = tally.calls[event.request]
    call.booking = event
    call.pickup_at = event.pickup_at
    call.attempt.answer = "booked"
    call.attempt.booked = call
    if call.changes:
        call.attempt.depart = call.request.depart_after


def _ride_refused(tally: Tally, event: ev.RideRefused) -> None:
    attempt = tally.calls[event.request].attempt
    if attempt.answer != "queued":  # why it was queued tells more than that the time in the queue is over
        attempt.binding = event.receipt.binding
    attempt.answer = "refused"
    attempt.answered_at = event.at


def _ride_queued(tally: Tally, event: ev.RideQueued) -> None:
    attempt = tally.calls[event.request].attempt
    attempt.answer = "queued"
    attempt.binding = event.receipt.binding
    if attempt.queued is None and event.until - event.at > ANSWER_MS:
        attempt.queued = event.at


def _promise_at_risk(tally: Tally, event: ev.PromiseAtRisk) -> None:
    tally.risks.add(event.request)
    if event.pickup_at is not None:
        tally.calls[event.request].pickup_at = event.pickup_at


def _drive_started(tally: Tally, event: ev.DriveStarted) -> None:
    shuttle = tally.shuttles[event.shuttle]
    shuttle.driving_since = max(event.at, shuttle.seen)  # told to turn, it sets out when it reaches the node


def _driven(tally: Tally, shuttle: Shuttle, mm: int) -> None:
    tally.mm += mm
    if shuttle.load:
        tally.load_mm += mm * shuttle.load
    else:
        tally.empty_mm += mm


def _position_reported(tally: Tally, event: ev.PositionReported) -> None:
    _driven(tally, tally.shuttles[event.shuttle], event.driven_mm)


def _drive_ended(tally: Tally, shuttle: Shuttle, at: int, driven_mm: int) -> None:
    _driven(tally, shuttle, driven_mm)
    shuttle.seen = at
    if shuttle.driving_since is not None:
        shuttle.drive_ms += at - shuttle.driving_since
        shuttle.driving_since = None


def _progress_made(tally: Tally, event: ev.ProgressMade) -> None:
    _drive_ended(tally, tally.shuttles[event.shuttle], event.reached_at, event.driven_mm)


def _stop_arrived(tally: Tally, event: ev.StopArrived) -> None:
    _drive_ended(tally, tally.shuttles[event.shuttle], event.at, event.driven_mm)


def _shuttle_broke_down(tally: Tally, event: ev.ShuttleBrokeDown) -> None:
    tally.breakdowns += 1
    _drive_ended(tally, tally.shuttles[event.shuttle], event.at, event.driven_mm)


def _rider_boarded(tally: Tally, event: ev.RiderBoarded) -> None:
    shuttle, call = tally.shuttles[event.shuttle], tally.calls[event.request]
    if call.boarded is None:
        call.boarded = event.at
    call.aboard = shuttle
    shuttle.seen = event.at
    shuttle.load += call.persons
    aboard = shuttle.aboard
    if aboard:
        call.pooled = True
        if len(aboard) == 1:  # of more, each has met another already
            next(iter(aboard)).pooled = True
    aboard.add(call)


def _leave(call: Call) -> None:
    shuttle = call.aboard
    if shuttle is not None:
        shuttle.aboard.discard(call)
        shuttle.load -= call.persons
        call.aboard = None


def _rider_alighted(tally: Tally, event: ev.RiderAlighted) -> None:
    call = tally.calls[event.request]
    call.alighted = event.at
    tally.shuttles[event.shuttle].seen = event.at
    _leave(call)


def _rider_stranded(tally: Tally, event: ev.RiderStranded) -> None:
    call = tally.calls[event.request]
    call.stranded = True
    _leave(call)


def _no_show(tally: Tally, event: ev.NoShow) -> None:
    tally.calls[event.request].no_show = True
    tally.shuttles[event.shuttle].seen = event.at


_HANDLERS: Final[dict[type[ev.Event], Callable[[Tally, Any], None]]] = {
    ev.DayOpened: _day_opened,
    ev.DayClosed: _day_closed,
    ev.ShiftOpened: _shift_opened,
    ev.ShiftClosed: _shift_closed,
    ev.ShiftChanged: _shift_changed,
    ev.RequestMade: _request_made,
    ev.QuoteDeclined: _quote_declined,
    ev.RideCancelled: _ride_cancelled,
    ev.RideBooked: _ride_booked,
    ev.RideRefused: _ride_refused,
    ev.RideQueued: _ride_queued,
    ev.PromiseAtRisk: _promise_at_risk,
    ev.DriveStarted: _drive_started,
    ev.ProgressMade: _progress_made,
    ev.PositionReported: _position_reported,
    ev.StopArrived: _stop_arrived,
    ev.ShuttleBrokeDown: _shuttle_broke_down,
    ev.RiderBoarded: _rider_boarded,
    ev.RiderAlighted: _rider_alighted,
    ev.RiderStranded: _rider_stranded,
    ev.NoShow: _no_show,
}


def tally_of(events: Iterable[ev.Event]) -> tuple[Tally, int]:
    """(what a log comes to, the time of its last event)."""
    tally = Tally()
    handler_of = _HANDLERS.get
    event: ev.Event | None = None
    for event in events:
        handler = handler_of(type(event))
        if handler is not None:
            handler(tally, event)
    return tally, 0 if event is None else event.at
