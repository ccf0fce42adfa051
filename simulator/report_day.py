"""What a report tells of a day beyond its figures: what each shuttle did, each call's course, each stop point's use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dispatch.core import events as ev
from dispatch.core.domain import DAY_ENDS, RideRequest, Shift
from dispatch.core.kpi_tally import persons


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a shift in which nothing changed. Times in ms of the service day."""

    shuttle: str
    start: int
    end: int
    load: int
    """persons aboard"""
    driving: bool


@dataclass(slots=True)
class Call:
    """One request and what came of it, as far as the log goes. Times in ms of the service day."""

    request: RideRequest
    asked: int
    depart: int
    """first asked for in the attempt"""
    booked: ev.RideBooked | None = None
    refused: ev.RideRefused | None = None
    queued: ev.RideQueued | None = None
    declined: bool = False
    cancelled: bool = False
    boarded: int | None = None
    alighted: int | None = None

    @property
    def attempt(self) -> str:
        """Id of the attempt's first request."""
        return self.request.attempt or self.request.id

    @property
    def wait(self) -> int | None:
        """Boarding − the departure first asked for, ms; None for whoever was not carried."""
        return None if self.boarded is None or self.alighted is None else self.boarded - self.depart


@dataclass(frozen=True, slots=True)
class StopUse:
    """What happened at a stop point."""

    place: int
    boardings: int
    """bookings, not persons"""
    alightings: int
    refusals: int
    """attempts from here that ended refused"""
    wait_mean_s: float | None
    reasons: tuple[tuple[str, int], ...] = ()
    """of the refusals: the constraint that bound the nearest shuttle, and how often; the commonest first"""


@dataclass(frozen=True)
class Day:
    """A day as a report tells it."""

    opened: ev.DayOpened
    shifts: Mapping[str, Shift]
    spans: Sequence[Span]
    """by shuttle, then in time"""
    calls: Sequence[Call]
    """in the order in which they were made"""
    until: int
    """the last moment of the log, ms"""
    whole: bool
    """whether the day was brought to its end"""
    refused: Sequence[Call] = field(init=False)
    """the last call of each attempt that ended refused"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "refused", _refused(self.calls))

    @property
    def delivered(self) -> list[Call]:
        """Calls that ended with a rider at the destination."""
        return [call for call in self.calls if call.wait is not None]

    def clocks(self) -> tuple[int, int]:
        """First and last whole hour in which a shuttle worked or a rider asked, as (from, to) in hours."""
        starts = [span.start for span in self.spans] + [call.asked for call in self.calls]
        ends = [span.end for span in self.spans] + [call.alighted or call.asked for call in self.calls]
        hour = 3_600_000
        return min(starts, default=0) // hour, max(1 + min(starts, default=0) // hour, -(-max(ends, default=0) // hour))


def read_day(events: Iterable[ev.Event]) -> Day | None:
    """The day of a log; None if it does not begin with one."""
    opened: ev.DayOpened | None = None
    shifts: dict[str, Shift] = {}
    tracks: dict[str, _Track] = {}
    calls: dict[str, Call] = {}
    first_depart: dict[str, int] = {}
    event: ev.Event | None = None
    for event in events:
        match event:
            case ev.DriveStarted(at=at, shuttle=shuttle):
                tracks[shuttle].change(at, driving=True)
            case ev.ProgressMade(shuttle=shuttle, reached_at=at) | ev.StopArrived(at=at, shuttle=shuttle):
                tracks[shuttle].change(at, driving=False)
            case ev.ShuttleBrokeDown(at=at, shuttle=shuttle):
                tracks[shuttle].change(at, driving=False)
                tracks[shuttle].broken = True
            case ev.RiderBoarded(at=at, shuttle=shuttle, request=request):
                call = calls[request]
                call.boarded = at if call.boarded is None else call.boarded
                tracks[shuttle].change(at, boards=persons(call.request))
            case ev.RiderAlighted(at=at, shuttle=shuttle, request=request):
                calls[request].alighted = at
                tracks[shuttle].change(at, boards=-persons(calls[request].request))
            case ev.RiderStranded(at=at, shuttle=shuttle, request=request):
                tracks[shuttle].change(at, boards=-persons(calls[request].request))
            case ev.RequestMade(at=at, request=made):
                own = made.depart_after if made.first_depart is None else made.first_depart
                depart = first_depart.setdefault(made.attempt or made.id, own)
                calls[made.id] = Call(made, at, depart)
            case ev.RideBooked(request=request):
                calls[request].booked = event
            case ev.RideRefused(request=request):
                calls[request].refused = event
            case ev.RideQueued(request=request):
                calls[request].queued = event
            case ev.QuoteDeclined(request=request):
                calls[request].declined = True
            case ev.RideCancelled(request=request):
                calls[request].cancelled = True
            case ev.ShiftOpened(shift=shift) if shift.start < DAY_ENDS:  # others are of days to come
                shifts[shift.id] = shift
                tracks[shift.id] = _Track(shift)
            case ev.ShiftClosed(at=at, shuttle=shuttle) if shuttle in tracks:
                tracks[shuttle].closed = at
            case ev.DayOpened():
                opened = event
    if opened is None or event is None:
        return None
    spans = [span for track in tracks.values() for span in track.finish(event.at)]
    return Day(opened, shifts, spans, list(calls.values()), event.at, isinstance(event, ev.DayClosed))


def stop_uses(day: Day) -> list[StopUse]:
    """Every stop point of the day, in its order, used or not."""
    boarded: dict[int, list[int]] = {}
    alighted: dict[int, int] = {}
    refusals: dict[int, Counter[str]] = {}
    for call in day.delivered:
        assert call.booked is not None
        assert call.wait is not None
        boarded.setdefault(call.booked.pickup.place, []).append(call.wait)
        alighted[call.booked.dropoff.place] = alighted.get(call.booked.dropoff.place, 0) + 1
    for call in day.refused:
        if call.request.origins:
            place = call.request.origins[0].place
            answer = call.queued or call.refused  # why it was queued tells more than that its time was over
            reason = None if answer is None else answer.receipt.binding
            refusals.setdefault(place, Counter())[reason or "unknown"] += 1
    return [
        StopUse(
            place,
            len(boarded.get(place, ())),
            alighted.get(place, 0),
            refusals[place].total() if place in refusals else 0,
            sum(boarded[place]) / len(boarded[place]) / 1000 if place in boarded else None,
            tuple(refusals[place].most_common()) if place in refusals else (),
        )
        for place in range(len(day.opened.places))
    ]


def _refused(calls: Sequence[Call]) -> list[Call]:
    attempts: dict[str, list[Call]] = {}
    for call in calls:
        attempts.setdefault(call.attempt, []).append(call)
    return [
        tries[-1]
        for tries in attempts.values()
        if (tries[-1].refused or tries[-1].queued)
        and not tries[-1].declined
        and not any(call.booked and not (call.cancelled and call is not tries[-1]) for call in tries)
    ]


class _Track:
    """One shift while the log is read."""

    def __init__(self, shift: Shift) -> None:
        self.shift = shift
        self.closed: int | None = None
        self.broken = False
        self.spans: list[Span] = []
        self.since = shift.start
        self.load = 0
        self.driving = False

    def change(self, at: int, *, driving: bool | None = None, boards: int = 0) -> None:
        at = max(at, self.since)  # a turn is told before it is reached
        if at > self.since:
            self.spans.append(Span(self.shift.id, self.since, at, self.load, self.driving))
            self.since = at
        self.load += boards
        self.driving = self.driving if driving is None else driving

    def finish(self, until: int) -> list[Span]:
        if self.broken:
            return self.spans
        self.change(max(self.since, min(self.shift.end, until if self.closed is None else self.closed)))
        return self.spans
