"""What was promised fits what was asked, can be kept by the plan, and is kept or told in time."""

from __future__ import annotations

from typing import Final

from dispatch.core import events as e
from dispatch.core.domain import NEVER
from dispatch.core.invariants.day import ABOARD, FLOOR, OPEN, Day, Ride, Shuttle
from dispatch.core.invariants.rules import clock

TELL_MS: Final = 30_000
ANNOUNCE_MS: Final = 120_000
"""what an announced time may leave for further trouble"""

PROMISED: Final = (
    "is planned to board outside its window",
    "is planned to arrive later than promised",
    "is planned to be picked up in the past, or to arrive before it is picked up",
    "may be picked up before the departure asked for",
    "is to board at a stop point it did not ask for",
    "is to alight at a stop point it did not ask for",
    "is promised a later pickup than it accepts",
    "is promised a later arrival than it accepts",
    "is promised to arrive later than it must",
    "is promised a longer ride than it accepts",
)
"""What is wrong with a promise, in the order in which `judge_promise` asks."""


def promise_at_risk(day: Day, event: e.PromiseAtRisk) -> None:
    ride = day.ride(event.request)
    if ride is None:
        return
    if ride.state not in OPEN:
        day.found("legal", f"{ride.id} is told of a risk, but is {ride.state}", ride.shuttle, ride)
    ride.told_at = min(ride.told_at, event.at)
    if ride.shuttle is not None and ride.shuttle.thinned:
        ride.excused = ride.excused or day.sliced or _too_much(event, ride) <= day.dwell_stop + ANNOUNCE_MS


def judge_promise(day: Day, event: e.RideBooked, ride: Ride, shuttle: Shuttle) -> None:
    """A promise fits what was asked, and what is planned fits the promise."""
    promise = event.promise
    request = ride.request
    assert request is not None
    later = day.later if event.kind == "later" or ride.queued else 0
    if event.kind == "carried":
        later = NEVER  # the log of the day on which it was promised has judged that
    walk = event.dropoff.walk
    latest = _latest(request.latest_pickup, later), _latest(request.latest_dropoff, later - walk)
    arrive_by = _latest(request.arrive_by, later - walk)
    sets_out = (request.depart_after + event.pickup.walk) // 1000 * 1000
    holds = (
        promise.pickup_from <= event.pickup_at <= promise.pickup_to,
        event.dropoff_at <= promise.dropoff_by,
        event.at <= event.pickup_at <= event.dropoff_at,
        promise.pickup_from >= sets_out,
        event.pickup in request.origins,
        event.dropoff in request.destinations,
        promise.pickup_to <= latest[0],
        promise.dropoff_by <= latest[1],
        promise.dropoff_by <= arrive_by,
        ride.max_ride <= (request.max_ride or NEVER),
    )
    if not all(holds):
        for held, what in zip(holds, PROMISED, strict=True):
            if not held:
                day.found("promise", f"{ride.id} {what}", shuttle, ride)
    if event.dropoff_at - event.pickup_at > ride.max_ride:
        day.found("ride_time", f"{ride.id} is planned to be aboard for longer than promised", shuttle, ride)
    if event.kind != "carried" and not day.closed_places.isdisjoint((event.pickup.place, event.dropoff.place)):
        day.found("promise", f"{ride.id} is promised a stop point that is closed", shuttle, ride)


def judge_timetable(day: Day, shuttle: Shuttle, new: int) -> None:
    """No plan is made that could not keep its promises even on free roads.

    Who was told already, or whose promise a fact may have broken, is left to be judged when it happens.
    """
    forced = day.disturbed or shuttle.late
    if forced and new < 0:
        return
    least = day.least
    assert least is not None
    factor, nodes = day.scale(), day.node_of
    rides = day.rides
    if shuttle.goal >= 0:
        node, t = shuttle.drive_node, shuttle.drive_at
    else:
        node, t = shuttle.node, max(shuttle.free_at, day.now)
    here = shuttle.served
    for visit in shuttle.plan:
        ride = rides[visit >> 1]
        place = ride.dropoff_place if visit & 1 else ride.pickup_place
        if place >= 0 and place != here:
            drive = least(node, place)
            t += drive if factor == 1.0 else int(drive * factor * FLOOR)
            node = nodes[place]
        t = max(t, day.now)
        if visit & 1:
            latest = ride.dropoff_by
            if ride.state is ABOARD:
                latest = min(latest, ride.boarded_at + ride.max_ride)
        else:
            latest = ride.pickup_to
            t = max(t, ride.pickup_from)
        if t > latest and ride.told_at == NEVER and (not forced or ride.number == new):
            does = "dropped off" if visit & 1 else ("made" if ride.call is not None else "picked up")
            what = f"{ride.id} is to be {does} by {clock(latest)}, but {shuttle.id} can be there at {clock(t)}"
            day.found("promise", what, shuttle, ride)
            return
        if ride.call is not None:
            t += ride.call.duration
        else:
            t += day.dwell_rider * ride.seats
        if place != here and place >= 0:
            t += day.dwell_stop
            here = place
    if t > shuttle.shift.end and not forced:
        what = f"the plan of {shuttle.id} ends at {clock(t)}, its shift at {clock(shuttle.shift.end)}"
        day.found("shift", what, shuttle)


def breach(day: Day, invariant: str, deadline: int, what: str, shuttle: Shuttle | None, ride: Ride) -> None:
    """A promise was broken: is there a fact to blame, and was the rider told in time?"""
    forced = day.disturbed or ride.excused or (shuttle is not None and shuttle.late)
    if ride.told_at <= deadline + TELL_MS:
        if not forced and day.times is not None:
            day.found(invariant, f"{what}; the rider was told, but no fact of the world forced it", shuttle, ride)
    elif forced:
        told = "never told" if ride.told_at == NEVER else f"told only at {clock(ride.told_at)}"
        day.found("at_risk", f"{what}; the rider was {told}", shuttle, ride)
    else:
        day.found(invariant, what, shuttle, ride)


def _too_much(event: e.PromiseAtRisk, ride: Ride) -> int:
    """By how much what is announced is later, or longer, than what was promised.

    A shuttle that a ride was taken from may be so by the stop dwell that they shared; or, where drives depend on the
    time of day, by any time: it leaves sooner, and is there later.
    """
    if event.dropoff_at is None:
        return NEVER
    begins = ride.boarded_at if ride.state is ABOARD else event.pickup_at
    late = event.dropoff_at - ride.dropoff_by
    if event.pickup_at is not None:
        late = max(late, event.pickup_at - ride.pickup_to)
    return late if begins is None else max(late, event.dropoff_at - begins - ride.max_ride)


def _latest(limit: int | None, later: int) -> int:
    """A limit as it may be promised: in whole seconds, rounded outward."""
    return NEVER if limit is None else -(-(limit + later) // 1000) * 1000
