"""The figures of a day, as one fold over its events: live days and simulated days alike.

Everything is counted from the attempt, the first time a rider asks for a journey: retries, the queue and alternatives
belong to it and never reset a wait. Means are over delivered bookings unless their definition says otherwise, one
booking one voice whatever the party; a mean over nothing is None. `kpi_definitions` says in words what each key is,
`kpi_tally` folds the events. What no event may hold (how long the machine took, how much memory) joins in `complete`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from dispatch.core import events as ev
from dispatch.core.domain import DAY_ENDS, NEVER
from dispatch.core.kpi_definitions import LATE_CANCEL_MS
from dispatch.core.kpi_tally import Attempt, Call, Shuttle, Tally, tally_of


def figures(events: Iterable[ev.Event]) -> dict[str, Any]:
    """The KPI object of a log, without what only the caller knows (`complete` adds that).

    A log that was cut off in the middle of a day is told as far as it goes.
    """
    return _tell(*tally_of(events))


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


def _tell(tally: Tally, until: int) -> dict[str, Any]:
    later = {key for key, attempt in tally.attempts.items() if _is_later(attempt, until if tally.closed else NEVER)}
    attempts_of = {key: attempt for key, attempt in tally.attempts.items() if key not in later}
    outcome = {key: _outcome(attempt) for key, attempt in attempts_of.items()}
    count = Counter(outcome.values())
    delivered = [a.booked for key, a in attempts_of.items() if outcome[key] == "delivered" and a.booked is not None]
    booked = [a.booked for key, a in attempts_of.items() if outcome[key] in _BOOKED and a.booked is not None]
    attempts = len(outcome)
    waits = sorted(_wait(call) for call in delivered)
    rides = [_alighted(call) - _boarded(call) for call in delivered]
    stretches = sorted(
        ride / call.request.direct for call, ride in zip(delivered, rides, strict=True) if call.request.direct
    )
    broken = [_broken(call, until) for call in booked]
    carried = sum(call.persons for call in delivered)
    shuttles = [shuttle for shuttle in tally.shuttles.values() if shuttle.start < DAY_ENDS]
    shuttle_ms = sum(_worked(shuttle, until, tally.closed) for shuttle in shuttles)
    km = tally.mm / 1e6
    told = sorted(abs(_boarded(call) - _booking(call).pickup_at) for call in delivered)
    queued = [a for a in attempts_of.values() if a.queued is not None]
    served_queue = [_booking(a.booked).at - a.queued for a in queued if a.booked is not None and a.queued is not None]
    hoped = sorted(
        max(0, a.answered_at - a.depart)
        for key, a in attempts_of.items()
        if outcome[key] == "refused" and a.answered_at is not None
    )
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
            "refused_wait_mean_s": _mean_s(hoped),
            "refused_wait_p95_s": _percentile(hoped, 0.95, unit=1000),
            "walk_mean_s": _mean_s([_booking(c).pickup.walk + _booking(c).dropoff.walk for c in delivered]),
            "queued": len(queued),
            "queued_booked_share": _ratio(len(served_queue), len(queued)),
            "queue_wait_mean_s": _mean_s(served_queue),
            "alternatives_taken_share": _ratio(sum(_booking(c).kind in _OTHER_RIDES for c in booked), len(booked)),
            "pickup_told_error_mean_s": _mean_s(told),
            "pickup_told_error_p95_s": _percentile(told, 0.95, unit=1000),
            "cancelled_late": sum(
                call.cancelled is not None and call.cancelled > call.pickup_at - LATE_CANCEL_MS for call in booked
            ),
            "cancelled_queued": tally.cancelled_queued,
            "unanswered": sum(attempt.answer is None for attempt in attempts_of.values()),
            "fares_total": sum(_booking(call).fare for call in delivered),
            "drive_hours": drive_ms / 3.6e6,
            "idle_share": None if not shuttle_ms else 1 - drive_ms / shuttle_ms,
            "promises_at_risk": len(tally.risks),
            "broken_by": dict(sorted(Counter(what for whats in broken for what in whats).items())),
            "later_days": len(later),
            "breakdowns": tally.breakdowns,
            "stranded": sum(call.stranded for call in tally.calls.values()),
            "refused_by": _refused_by(attempts_of, outcome),
            "by_hour": _by_hour(attempts_of, outcome),
            "by_distance": _by_distance(attempts_of, outcome),
        },
    }
    return {key: _rounded(value) for key, value in kpis.items()}


_OTHER_RIDES: Final = ("least_walk", "later")
_BOOKED: Final = ("delivered", "cancelled", "no_show", "undelivered")


def _is_later(attempt: Attempt, closed_at: int) -> bool:
    """A booking for a day to come, on which it is counted."""
    call = attempt.booked
    if call is None or call.cancelled is not None or call.boarded is not None or call.no_show:
        return False
    begins = _booking(call).promise.pickup_from
    return begins >= DAY_ENDS or begins > closed_at


def _outcome(attempt: Attempt) -> str:
    """How an attempt ended. A booking that stands is not undone by a later refusal."""
    call = attempt.booked
    if call is not None and (attempt.answer == "booked" or call.cancelled is None):
        if call.alighted is not None:
            return "delivered"
        if call.cancelled is not None:
            return "cancelled"
        return "no_show" if call.no_show else "undelivered"
    return "declined" if attempt.answer == "declined" else "refused"


def _booking(call: Call) -> ev.RideBooked:
    assert call.booking is not None
    return call.booking


def _boarded(call: Call) -> int:
    assert call.boarded is not None
    return call.boarded


def _alighted(call: Call) -> int:
    assert call.alighted is not None
    return call.alighted


def _wait(call: Call) -> int:
    return _boarded(call) - call.attempt.depart


def _down(ms: int) -> int:
    return ms // 1000 * 1000


def _up(ms: int) -> int:
    return -(-ms // 1000) * 1000


def _in_window(call: Call) -> bool:
    promise = _booking(call).promise
    return _down(promise.pickup_from) <= _boarded(call) <= _up(promise.pickup_to)


def _broken(call: Call, until: int) -> tuple[str, ...]:
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


def _worked(shuttle: Shuttle, until: int, day_closed: bool) -> int:
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


def _refused_by(attempts: Mapping[str, Attempt], outcome: Mapping[str, str]) -> dict[str, int]:
    count = Counter(a.binding or "unknown" for key, a in attempts.items() if outcome[key] == "refused")
    return dict(sorted(count.items(), key=lambda item: (-item[1], item[0])))


def _by_hour(attempts: Mapping[str, Attempt], outcome: Mapping[str, str]) -> list[dict[str, Any]]:
    hours: dict[int, list[tuple[str, Attempt]]] = {}
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


def _by_distance(attempts: Mapping[str, Attempt], outcome: Mapping[str, str]) -> list[dict[str, Any]]:
    ordered = sorted(attempts, key=lambda key: attempts[key].direct)
    rows = []
    for part in range(5):
        keys = ordered[len(ordered) * part // 5 : len(ordered) * (part + 1) // 5]
        if not keys:
            continue
        ended = [outcome[key] for key in keys]
        rows.append({
            "direct_from_s": attempts[keys[0]].direct / 1000,
            "direct_to_s": attempts[keys[-1]].direct / 1000,
            "attempts": len(keys),
            "booked": sum(how in _BOOKED for how in ended),
            "delivered": ended.count("delivered"),
            "service_rate": _rounded(_ratio(ended.count("delivered"), len(keys))),
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
