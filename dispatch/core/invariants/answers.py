"""What riders ask and what they are told: once each, in time, and only steps that can follow each other."""

from __future__ import annotations

from typing import Final

from dispatch.core import events as e
from dispatch.core.domain import NEVER
from dispatch.core.invariants.day import ASKED, BOOKED, CANCELLED, DECLINED, OPEN, QUEUED, REFUSED, STRANDED, Day, Ride
from dispatch.core.invariants.plans import insert, taken_out
from dispatch.core.invariants.promises import judge_promise
from dispatch.core.invariants.rules import clock

ANSWER_MS: Final = 30_000


def request_made(day: Day, event: e.RequestMade) -> None:
    request = event.request
    due = (event.at // ANSWER_MS + 1) * ANSWER_MS + day.quote_valid
    if request.id in day.by_id:
        day.found("once", f"request {request.id} is made a second time", None, day.by_id[request.id])
        return
    ride = day.by_id[request.id] = day.numbered(request.id, ASKED, due)
    ride.request = request
    ride.seats, ride.wheelchairs = request.seats, request.wheelchairs
    visit = 2 * ride.number
    day.adds_seats[visit], day.adds_seats[visit + 1] = request.seats, -request.seats
    day.adds_wheelchairs[visit], day.adds_wheelchairs[visit + 1] = request.wheelchairs, -request.wheelchairs
    if not day.pending:
        day.due = due
    day.pending[request.id] = due


def quote_declined(day: Day, event: e.QuoteDeclined) -> None:
    ride = day.ride(event.request)
    if ride is not None:
        _answered(day, ride, DECLINED, (ASKED, QUEUED, REFUSED), "declines a quote")


def ride_refused(day: Day, event: e.RideRefused) -> None:
    ride = day.ride(event.request)
    if ride is not None and _answered(day, ride, REFUSED, (ASKED, QUEUED), "is refused"):
        ride.offered = bool(event.alternatives)


def ride_queued(day: Day, event: e.RideQueued) -> None:
    ride = day.ride(event.request)
    if ride is not None and _answered(day, ride, QUEUED, (ASKED,), "is queued"):
        ride.due = -(-event.until // ANSWER_MS) * ANSWER_MS
        ride.queued = True


def ride_cancelled(day: Day, event: e.RideCancelled) -> None:
    ride = day.ride(event.request)
    if ride is None:
        return
    if _answered(day, ride, CANCELLED, (ASKED, QUEUED, BOOKED, STRANDED), "cancels"):
        taken_out(ride)


def ride_booked(day: Day, event: e.RideBooked) -> None:
    ride = day.ride(event.request)
    shuttle = day.shuttle(event.shuttle)
    if ride is None or shuttle is None:
        return
    if ride.state is REFUSED and not ride.offered:
        day.found("legal", f"{ride.id} is booked after it was refused with nothing else offered", shuttle, ride)
    if ride.state in OPEN:
        day.found("once", f"{ride.id} is booked a second time", shuttle, ride)
        return
    if not _answered(day, ride, BOOKED, (ASKED, QUEUED, REFUSED), "is booked"):
        return
    if shuttle.closed or event.at >= shuttle.shift.end:
        why = shuttle.closed or f"off shift since {clock(shuttle.shift.end)}"
        day.found("off_shift", f"{ride.id} is promised a ride on {shuttle.id}, which is {why}", shuttle, ride)
    promise = event.promise
    ride.shuttle = shuttle
    ride.pickup_place, ride.dropoff_place = event.pickup.place, event.dropoff.place
    ride.pickup_from, ride.pickup_to, ride.dropoff_by = promise.pickup_from, promise.pickup_to, promise.dropoff_by
    ride.max_ride = NEVER if promise.max_ride is None else promise.max_ride
    judge_promise(day, event, ride, shuttle)
    insert(day, event, ride, shuttle)


def _answered(day: Day, ride: Ride, state: str, allowed: tuple[str, ...], does: str) -> bool:
    """The rider has an answer; was this one still possible?"""
    if day.pending.pop(ride.id, None) is not None:
        day.due = next(iter(day.pending.values()), NEVER)
    before = ride.state
    if before not in allowed:
        day.found("legal", f"{ride.id} {does}, but is {before} already", ride.shuttle, ride)
        return False
    if before is QUEUED and day.now > ride.due:
        day.found("answered", f"{ride.id} was to be answered by {clock(ride.due)}", None, ride)
    ride.state = state
    return True


def overdue(day: Day, at: int) -> None:
    for id_, due in list(day.pending.items()):
        if due >= at:
            break
        ride = day.by_id[id_]
        day.found("answered", f"{id_} had no answer by {clock(due)}", None, ride)
        del day.pending[id_]
    day.due = next(iter(day.pending.values()), NEVER)
