"""The figures of a day, as one fold over its events: live days and simulated days alike.

Everything is counted from the attempt, the first time a rider asks for a journey: retries, the queue and alternatives
belong to it and never reset a wait. Means are over delivered bookings unless their definition says otherwise, one
booking one voice whatever the party; a mean over nothing is None. `DEFINITIONS` says in words what each key is.

The fold knows nothing of plans or roads and shares no code with the world's fold, so the two can check each other.
What no event may hold (how long the machine took, how much memory) joins the figures in `complete`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from dispatch.core import events as ev
from dispatch.core.domain import NEVER, RideRequest

ANSWER_MS: Final = 30_000
"""Every call is answered within this; who waits longer is in the queue."""
LATE_CANCEL_MS: Final = 300_000
"""A cancellation is late when the pickup last told is less than this away."""

DEFINITIONS: Final[Mapping[str, str]] = {
    "attempts": "journeys asked for, retries not counted again: booked + refused + declined",
    "booked": "attempts that ended with a booking: delivered + cancelled + no_show + undelivered",
    "refused": "attempts that ended without a ride being offered; waiting in the queue in vain is one",
    "declined": "attempts whose rider was offered a ride and did not take it",
    "delivered": "booked attempts whose rider alighted at the destination",
    "cancelled": "booked attempts that the rider gave back",
    "no_show": "booked attempts whose rider was not at the stop point within the grace",
    "undelivered": "booked attempts that came to none of these ends",
    "calls": "each single try, retries included",
    "service_rate": "delivered ÷ attempts",
    "acceptance_rate": "booked ÷ attempts",
    "wait_mean_s": "boarding − the departure asked for in the attempt's first request: queue, retries and "
    "alternatives never reset it",
    "wait_p95_s": "19 of 20 riders waited at most this long, counted as in wait_mean_s",
    "last_call_wait_mean_s": "boarding − the departure asked for in the call that was booked: the pilot's figure",
    "ride_mean_s": "alighting − boarding; a wait for another shuttle after a breakdown is in it",
    "direct_mean_s": "unshared drive between the two stop points",
    "direct_km_mean": "length of the unshared drive between the two stop points, km",
    "ride_to_direct_mean": "mean of ride ÷ direct drive, each rider's own",
    "ride_to_direct_p95": "19 of 20 riders rode at most this many times their direct drive",
    "pickup_in_window_rate": "share of delivered bookings that boarded within the window promised, neither before it "
    "nor after; promises are told in whole seconds, rounded outward",
    "window_mean_s": "mean length of the pickup windows promised, over booked attempts",
    "promises_broken": "bookings with a pickup before or after the window promised, a drop-off after the latest one "
    "promised, or a longer ride than promised; a promise that ran out without the rider being served counts",
    "shuttle_hours": "sum of the shifts, each until it ended, or longer where the shuttle still worked",
    "vehicle_km": "all km of all shifts",
    "empty_share": "km with nobody aboard ÷ all km",
    "km_per_rider": "all km of all shifts ÷ persons delivered",
    "riders_per_shuttle_hour": "persons delivered ÷ shuttle_hours",
    "pooling_rate": "share of delivered bookings that ever shared the shuttle with another booking",
    "occupancy_km": "persons aboard, averaged over all km, empty ones included",
    "party_mean": "persons a delivered booking",
    "booked_ahead_share": "share of booked attempts whose departure was asked for later than the moment of the call",
    "violations": "broken invariants found in the log",
    "violations_by_invariant": "the same, by invariant",
    "decision_ms": "milliseconds that computing the answer to a request took: median, 99th percentile, longest",
    "requests_per_s": "attempts ÷ seconds from the first event to the log closed",
    "wall_s": "seconds the whole run took",
    "peak_rss_mb": "largest memory held, MB",
    "seed": "the seed of the random streams",
    "scenario": "the scenario's name",
    "version": "the version of Naru that wrote the log",
    "extra": "further figures",
    "extra.persons_delivered": "persons in delivered bookings",
    "extra.delivered_per_call": "delivered ÷ calls: what the pilot published as riders carried of those who called",
    "extra.wait_p50_s": "half of the riders waited at most this long",
    "extra.wait_max_s": "the longest wait",
    "extra.journey_mean_s": "alighting − the departure asked for in the attempt's first request",
    "extra.walk_mean_s": "walks to the pickup and from the drop-off together",
    "extra.queued": "attempts that were put in the queue; an answer within half a minute is none",
    "extra.queued_booked_share": "share of those that were booked in the end",
    "extra.queue_wait_mean_s": "booking − queueing, over queued attempts that were booked",
    "extra.alternatives_taken_share": "share of booked attempts that took another ride than the soonest one",
    "extra.pickup_told_error_mean_s": "boarding − the pickup time told at booking, its size without its sign",
    "extra.pickup_told_error_p95_s": "19 of 20 riders boarded within this much of the time told at booking",
    "extra.cancelled_late": f"cancellations less than {LATE_CANCEL_MS // 60_000} minutes before the pickup last told",
    "extra.cancelled_queued": "riders who gave their place in the queue back (their attempts are refused ones)",
    "extra.unanswered": "attempts that the log has no answer to; they count as refused",
    "extra.fares_total": "fares of delivered bookings, in the scenario's currency",
    "extra.drive_hours": "hours that shuttles spent driving",
    "extra.idle_share": "share of the shuttle hours not spent driving: standing, waiting, boarding",
    "extra.promises_at_risk": "bookings whose rider was told that a fact of the world endangered the promise",
    "extra.broken_by": "broken promises by what broke: early, late_pickup, late_dropoff, ride_time; a booking may "
    "have several",
    "extra.breakdowns": "shuttles that broke down",
    "extra.stranded": "riders who had to leave a broken shuttle and wait for another one",
    "extra.refused_by": "refused attempts by the constraint that bound the shuttle nearest to carrying the rider, for "
    "queued ones when they were queued",
    "extra.by_hour": "attempts by the hour of the departure first asked for: what became of them, and the mean wait",
}
"""What each key of the KPI object means; keys under `extra` are written with a dot."""


def figures(events: Iterable[ev.Event]) -> dict[str, Any]:
    """The KPI object of a log, without what only the caller knows (`complete` adds that).

    A log that was cut off in the middle of a day is told as far as it goes.
    """
    tally = _Tally()
    handler_of = _HANDLERS.get
    event: ev.Event | None = None
    for event in events:
        handler = handler_of(type(event))
        if handler is not None:
            handler(tally, event)
    return _tell(tally, until=0 if event is None else event.at)


def complete(
    figures: Mapping[str, Any],
    *,
    violations_by_invariant: Mapping[str, int] | None = None,
    decision_ms: Sequence[float] = (),
    log_s: float | None = None,
    wall_s: float | None = None,
    peak_rss_mb: float | None = None,
) -> dict[str, Any]:
    """The whole KPI object: a log's figures and what the run that wrote it measured.

    `violations_by_invariant` None: the log was not judged. `decision_ms`: one figure a request. `log_s`: seconds from
    the first event to the log closed, imports and compilation left out.
    """
    answers = sorted(decision_ms)
    judged = None if violations_by_invariant is None else dict(sorted(violations_by_invariant.items()))
    runtime = {
        "violations": None if judged is None else sum(judged.values()),
        "violations_by_invariant": judged,
        "decision_ms": {
            "p50": _rounded(_percentile(answers, 0.50)),
            "p99": _rounded(_percentile(answers, 0.99)),
            "max": _rounded(answers[-1] if answers else None),
        },
        "requests_per_s": _rounded(_ratio(figures["attempts"], log_s or 0)),
        "wall_s": _rounded(wall_s),
        "peak_rss_mb": _rounded(peak_rss_mb),
    }
    last = ("seed", "scenario", "version", "extra")
    first = {key: value for key, value in figures.items() if key not in last}
    return {**first, **runtime, **{key: figures[key] for key in last}}


def persons(request: RideRequest) -> int:
    """Persons who travel on one request; one in a wheelchair is a person too, with or without a seat counted."""
    return max(request.seats, request.wheelchairs)


# What the fold keeps


class _Call:
    """One request and what came of it."""

    __slots__ = ("aboard", "alighted", "asked", "attempt", "boarded", "booking", "cancelled", "no_show", "persons",
                 "pickup_at", "pooled", "request", "stranded")  # fmt: skip

    def __init__(self, request: RideRequest, asked: int, attempt: _Attempt) -> None:
        self.request = request
        self.asked = asked
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
        self.aboard: _Shuttle | None = None


class _Attempt:
    """All calls for one journey."""

    __slots__ = ("answer", "binding", "booked", "depart", "queued")

    def __init__(self, depart: int) -> None:
        self.depart = depart
        """first asked for"""
        self.answer: str | None = None
        """the last one: booked, refused, declined or queued"""
        self.booked: _Call | None = None
        self.binding: str | None = None
        self.queued: int | None = None


class _Shuttle:
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
        self.aboard: set[_Call] = set()


class _Tally:
    __slots__ = ("attempts", "breakdowns", "calls", "cancelled_queued", "closed", "day", "empty_mm", "load_mm", "mm",
                 "risks", "shuttles")  # fmt: skip

    def __init__(self) -> None:
        self.day: ev.DayOpened | None = None
        self.closed = False
        self.calls: dict[str, _Call] = {}
        self.attempts: dict[str, _Attempt] = {}
        self.shuttles: dict[str, _Shuttle] = {}
        self.mm = 0
        self.empty_mm = 0
        self.load_mm = 0
        """Σ driven × persons aboard"""
        self.breakdowns = 0
        self.cancelled_queued = 0
        self.risks: set[str] = set()


# One handler an event type


def _day_opened(tally: _Tally, event: ev.DayOpened) -> None:
    tally.day = event


def _day_closed(tally: _Tally, _: ev.DayClosed) -> None:
    tally.closed = True


def _shift_opened(tally: _Tally, event: ev.ShiftOpened) -> None:
    shift = event.shift
    tally.shuttles[shift.id] = _Shuttle(shift.start, shift.end)


def _shift_closed(tally: _Tally, event: ev.ShiftClosed) -> None:
    tally.shuttles[event.shuttle].closed = event.at


def _request_made(tally: _Tally, event: ev.RequestMade) -> None:
    request = event.request
    key = request.attempt or request.id
    attempt = tally.attempts.get(key)
    if attempt is None:
        depart = request.depart_after if request.first_depart is None else request.first_depart
        attempt = tally.attempts[key] = _Attempt(depart)
    tally.calls[request.id] = _Call(request, event.at, attempt)


def _quote_declined(tally: _Tally, event: ev.QuoteDeclined) -> None:
    tally.calls[event.request].attempt.answer = "declined"


def _ride_cancelled(tally: _Tally, event: ev.RideCancelled) -> None:
    call = tally.calls[event.request]
    if call.booking is None:
        tally.cancelled_queued += 1
    else:
        call.cancelled = event.at


def _ride_booked(tally: _Tally, event: ev.RideBooked) -> None:
    call = tally.calls[event.request]
    call.booking = event
    call.pickup_at = event.pickup_at
    call.attempt.answer = "booked"
    call.attempt.booked = call


def _ride_refused(tally: _Tally, event: ev.RideRefused) -> None:
    attempt = tally.calls[event.request].attempt
    if attempt.answer != "queued":  # why it was queued tells more than that the time in the queue is over
        attempt.binding = event.receipt.binding
    attempt.answer = "refused"


def _ride_queued(tally: _Tally, event: ev.RideQueued) -> None:
    attempt = tally.calls[event.request].attempt
    attempt.answer = "queued"
    attempt.binding = event.receipt.binding
    if attempt.queued is None and event.until - event.at > ANSWER_MS:
        attempt.queued = event.at


def _promise_at_risk(tally: _Tally, event: ev.PromiseAtRisk) -> None:
    tally.risks.add(event.request)
    if event.pickup_at is not None:
        tally.calls[event.request].pickup_at = event.pickup_at


def _drive_started(tally: _Tally, event: ev.DriveStarted) -> None:
    shuttle = tally.shuttles[event.shuttle]
    shuttle.driving_since = max(event.at, shuttle.seen)  # told to turn, it sets out when it reaches the node


def _driven(tally: _Tally, shuttle: _Shuttle, mm: int) -> None:
    tally.mm += mm
    if shuttle.load:
        tally.load_mm += mm * shuttle.load
    else:
        tally.empty_mm += mm


def _position_reported(tally: _Tally, event: ev.PositionReported) -> None:
    _driven(tally, tally.shuttles[event.shuttle], event.driven_mm)


def _drive_ended(tally: _Tally, shuttle: _Shuttle, at: int, driven_mm: int) -> None:
    _driven(tally, shuttle, driven_mm)
    shuttle.seen = at
    if shuttle.driving_since is not None:
        shuttle.drive_ms += at - shuttle.driving_since
        shuttle.driving_since = None


def _progress_made(tally: _Tally, event: ev.ProgressMade) -> None:
    _drive_ended(tally, tally.shuttles[event.shuttle], event.reached_at, event.driven_mm)


def _stop_arrived(tally: _Tally, event: ev.StopArrived) -> None:
    _drive_ended(tally, tally.shuttles[event.shuttle], event.at, event.driven_mm)


def _shuttle_broke_down(tally: _Tally, event: ev.ShuttleBrokeDown) -> None:
    tally.breakdowns += 1
    _drive_ended(tally, tally.shuttles[event.shuttle], event.at, event.driven_mm)


def _rider_boarded(tally: _Tally, event: ev.RiderBoarded) -> None:
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


def _leave(call: _Call) -> None:
    shuttle = call.aboard
    if shuttle is not None:
        shuttle.aboard.discard(call)
        shuttle.load -= call.persons
        call.aboard = None


def _rider_alighted(tally: _Tally, event: ev.RiderAlighted) -> None:
    call = tally.calls[event.request]
    call.alighted = event.at
    tally.shuttles[event.shuttle].seen = event.at
    _leave(call)


def _rider_stranded(tally: _Tally, event: ev.RiderStranded) -> None:
    call = tally.calls[event.request]
    call.stranded = True
    _leave(call)


def _no_show(tally: _Tally, event: ev.NoShow) -> None:
    tally.calls[event.request].no_show = True
    tally.shuttles[event.shuttle].seen = event.at


_HANDLERS: Final[dict[type[ev.Event], Callable[[_Tally, Any], None]]] = {
    ev.DayOpened: _day_opened,
    ev.DayClosed: _day_closed,
    ev.ShiftOpened: _shift_opened,
    ev.ShiftClosed: _shift_closed,
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


# From what was kept to the figures


def _tell(tally: _Tally, until: int) -> dict[str, Any]:
    outcome = {key: _outcome(attempt) for key, attempt in tally.attempts.items()}
    count = Counter(outcome.values())
    delivered = [a.booked for key, a in tally.attempts.items() if outcome[key] == "delivered" and a.booked is not None]
    booked = [a.booked for key, a in tally.attempts.items() if outcome[key] in _BOOKED and a.booked is not None]
    attempts = len(outcome)
    waits = sorted(_wait(call) for call in delivered)
    rides = [_alighted(call) - _boarded(call) for call in delivered]
    stretches = sorted(
        ride / call.request.direct for call, ride in zip(delivered, rides, strict=True) if call.request.direct
    )
    broken = [_broken(call, until) for call in booked]
    carried = sum(call.persons for call in delivered)
    shuttle_ms = sum(_worked(shuttle, until, tally.closed) for shuttle in tally.shuttles.values())
    km = tally.mm / 1e6
    told = sorted(abs(_boarded(call) - _booking(call).pickup_at) for call in delivered)
    queued = [a for a in tally.attempts.values() if a.queued is not None]
    served_queue = [_booking(a.booked).at - a.queued for a in queued if a.booked is not None and a.queued is not None]
    drive_ms = sum(shuttle.drive_ms for shuttle in tally.shuttles.values())
    day = tally.day
    kpis: dict[str, Any] = {
        "attempts": attempts,
        "booked": len(booked),
        "refused": count["refused"],
        "declined": count["declined"],
        "delivered": len(delivered),
        "cancelled": count["cancelled"],
        "no_show": count["no_show"],
        "undelivered": count["undelivered"],
        "calls": len(tally.calls),
        "service_rate": _ratio(len(delivered), attempts),
        "acceptance_rate": _ratio(len(booked), attempts),
        "wait_mean_s": _mean_s(waits),
        "wait_p95_s": _percentile(waits, 0.95, unit=1000),
        "last_call_wait_mean_s": _mean_s([_boarded(call) - call.request.depart_after for call in delivered]),
        "ride_mean_s": _mean_s(rides),
        "direct_mean_s": _mean_s([call.request.direct for call in delivered]),
        "direct_km_mean": _ratio(sum(call.request.direct_mm for call in delivered), 1e6 * len(delivered)),
        "ride_to_direct_mean": _ratio(sum(stretches), len(stretches)),
        "ride_to_direct_p95": _percentile(stretches, 0.95),
        "pickup_in_window_rate": _ratio(sum(_in_window(call) for call in delivered), len(delivered)),
        "window_mean_s": _mean_s([_booking(c).promise.pickup_to - _booking(c).promise.pickup_from for c in booked]),
        "promises_broken": sum(map(bool, broken)),
        "shuttle_hours": shuttle_ms / 3.6e6,
        "vehicle_km": km,
        "empty_share": _ratio(tally.empty_mm, tally.mm),
        "km_per_rider": _ratio(km, carried),
        "riders_per_shuttle_hour": _ratio(carried, shuttle_ms / 3.6e6),
        "pooling_rate": _ratio(sum(call.pooled for call in delivered), len(delivered)),
        "occupancy_km": _ratio(tally.load_mm, tally.mm),
        "party_mean": _ratio(carried, len(delivered)),
        "booked_ahead_share": _ratio(sum(call.request.depart_after > call.asked for call in booked), len(booked)),
        "seed": None if day is None else day.seed,
        "scenario": None if day is None else day.scenario,
        "version": None if day is None else day.version,
        "extra": {
            "persons_delivered": carried,
            "delivered_per_call": _ratio(len(delivered), len(tally.calls)),
            "wait_p50_s": _percentile(waits, 0.50, unit=1000),
            "wait_max_s": waits[-1] / 1000 if waits else None,
            "journey_mean_s": _mean_s([_alighted(call) - call.attempt.depart for call in delivered]),
            "walk_mean_s": _mean_s([_booking(c).pickup.walk + _booking(c).dropoff.walk for c in delivered]),
            "queued": len(queued),
            "queued_booked_share": _ratio(len(served_queue), len(queued)),
            "queue_wait_mean_s": _mean_s(served_queue),
            "alternatives_taken_share": _ratio(sum(_booking(c).kind != "soonest" for c in booked), len(booked)),
            "pickup_told_error_mean_s": _mean_s(told),
            "pickup_told_error_p95_s": _percentile(told, 0.95, unit=1000),
            "cancelled_late": sum(
                call.cancelled is not None and call.cancelled > call.pickup_at - LATE_CANCEL_MS for call in booked
            ),
            "cancelled_queued": tally.cancelled_queued,
            "unanswered": sum(attempt.answer is None for attempt in tally.attempts.values()),
            "fares_total": sum(_booking(call).fare for call in delivered),
            "drive_hours": drive_ms / 3.6e6,
            "idle_share": None if not shuttle_ms else 1 - drive_ms / shuttle_ms,
            "promises_at_risk": len(tally.risks),
            "broken_by": dict(sorted(Counter(what for whats in broken for what in whats).items())),
            "breakdowns": tally.breakdowns,
            "stranded": sum(call.stranded for call in tally.calls.values()),
            "refused_by": _refused_by(tally.attempts, outcome),
            "by_hour": _by_hour(tally.attempts, outcome),
        },
    }
    return {key: _rounded(value) for key, value in kpis.items()}


_BOOKED: Final = ("delivered", "cancelled", "no_show", "undelivered")


def _outcome(attempt: _Attempt) -> str:
    """How an attempt ended. A booking that stands is not undone by a later refusal."""
    call = attempt.booked
    if call is not None and (attempt.answer == "booked" or call.cancelled is None):
        if call.alighted is not None:
            return "delivered"
        if call.cancelled is not None:
            return "cancelled"
        return "no_show" if call.no_show else "undelivered"
    return "declined" if attempt.answer == "declined" else "refused"


def _booking(call: _Call) -> ev.RideBooked:
    assert call.booking is not None
    return call.booking


def _boarded(call: _Call) -> int:
    assert call.boarded is not None
    return call.boarded


def _alighted(call: _Call) -> int:
    assert call.alighted is not None
    return call.alighted


def _wait(call: _Call) -> int:
    return _boarded(call) - call.attempt.depart


def _down(ms: int) -> int:
    return ms // 1000 * 1000


def _up(ms: int) -> int:
    return -(-ms // 1000) * 1000


def _in_window(call: _Call) -> bool:
    promise = _booking(call).promise
    return _down(promise.pickup_from) <= _boarded(call) <= _up(promise.pickup_to)


def _broken(call: _Call, until: int) -> tuple[str, ...]:
    """What the promise of a booking was broken by, as far as the log goes."""
    if call.cancelled is not None or call.no_show:
        return ()
    promise = _booking(call).promise
    boarded = until if call.boarded is None else call.boarded
    alighted = until if call.alighted is None else call.alighted
    broken = (
        ("early", call.boarded is not None and boarded < _down(promise.pickup_from)),
        ("late_pickup", boarded > _up(promise.pickup_to)),
        ("late_dropoff", alighted > _up(promise.dropoff_by)),
        (
            "ride_time",
            call.boarded is not None and promise.max_ride is not None and alighted - boarded > _up(promise.max_ride),
        ),
    )
    return tuple(what for what, is_broken in broken if is_broken)


def _worked(shuttle: _Shuttle, until: int, day_closed: bool) -> int:
    """Working time of a shift, ms: to its end or its closing, longer if it was still at work then.

    A shift without an end, or one that a log cut off leaves open, is worked until the log ends.
    """
    if shuttle.closed is not None:
        end = min(shuttle.end, shuttle.closed)
    elif day_closed and shuttle.end < NEVER:
        end = shuttle.end
    else:
        end = min(shuttle.end, until)
    return max(end, shuttle.seen) - shuttle.start


def _refused_by(attempts: Mapping[str, _Attempt], outcome: Mapping[str, str]) -> dict[str, int]:
    count = Counter(a.binding or "unknown" for key, a in attempts.items() if outcome[key] == "refused")
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))


def _by_hour(attempts: Mapping[str, _Attempt], outcome: Mapping[str, str]) -> list[dict[str, Any]]:
    hours: dict[int, list[tuple[str, _Attempt]]] = {}
    for key, attempt in attempts.items():
        hours.setdefault(attempt.depart // 3_600_000, []).append((outcome[key], attempt))
    rows = []
    for hour in range(min(hours, default=0), max(hours, default=-1) + 1):
        ended = hours.get(hour, [])
        waits = [_wait(a.booked) for how, a in ended if how == "delivered" and a.booked is not None]
        rows.append({
            "hour": hour,
            "attempts": len(ended),
            "booked": sum(how in _BOOKED for how, _ in ended),
            "delivered": len(waits),
            "refused": sum(how == "refused" for how, _ in ended),
            "declined": sum(how == "declined" for how, _ in ended),
            "queued": sum(a.queued is not None for _, a in ended),
            "wait_mean_s": _mean_s(waits),
        })  # fmt: skip
    return rows


# Arithmetic


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _mean_s(values_ms: Sequence[int]) -> float | None:
    return _ratio(sum(values_ms), 1000 * len(values_ms))


def _percentile(ascending: Sequence[float], share: float, unit: float = 1) -> float | None:
    """Linear between the two nearest values, as numpy does by default."""
    if not ascending:
        return None
    place = share * (len(ascending) - 1)
    below = int(place)
    above = min(below + 1, len(ascending) - 1)
    return (ascending[below] + (ascending[above] - ascending[below]) * (place - below)) / unit


def _rounded(value: Any) -> Any:
    """Six decimals: far below what any figure means, and the same text on every machine."""
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return value
