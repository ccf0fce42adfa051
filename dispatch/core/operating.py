"""What follows from an act of a person in charge: the desk is asked, its promises weighed, and events come back.

Each function looks and returns the events after `ActTaken`; none changes anything. So a replay that meets the act makes
the same decisions again.
"""

from __future__ import annotations

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core import recovery
from dispatch.core.changes import at_closed_stop
from dispatch.core.desk import Desk
from dispatch.core.domain import NEVER, Promise
from dispatch.core.pack import MARGIN, bounds, write_ride
from dispatch.core.world import Ride


def follow(desk: Desk, act: ev.ActTaken, now: int) -> list[ev.Event]:
    """What an act sets off at once. Raises ValueError with the reason where it cannot be done."""
    match act.act:
        case "assign":
            assert act.request is not None
            return assign(desk, act.request, act.shuttle, now)
        case "withdraw":
            assert act.shuttle is not None
            return recovery.break_down(desk, act.shuttle, now)
        case "cancel":
            assert act.request is not None
            return desk.cancel(act.request, now, act.reason)
        case "close_shift":
            assert act.shuttle is not None
            return [ev.ShiftClosed(now, act.shuttle)]
        case "tell":
            assert act.request is not None
            return [at_closed_stop(desk, act.request, now)]
        case "close_stop":
            assert act.place is not None
            return _close_stop(desk, act.place, now)
    return []


def _close_stop(desk: Desk, place: int, now: int) -> list[ev.Event]:
    """Who is aboard and bound for it is told; who is in the queue and can walk to no other one is refused."""
    world = desk.world
    told: list[ev.Event] = [
        at_closed_stop(desk, name, now)
        for name, ride in world.rides.items()
        if ride.state == "aboard" and ride.dropoff == place and ride.late_dropoff is None
    ]
    waiting = (world.rides[name].request for name in world.queue)
    left = [asked.id for asked in waiting if place in (asked.origins[0].place, asked.destinations[0].place)]
    return [*told, *(ev.RideRefused(now, name, desk.explain(name, now)) for name in left)]


def assign(desk: Desk, request: str, to: str | None, now: int) -> list[ev.Event]:
    """The ride on this shuttle's plan, or (None) on any other's than its own.

    Its promise is kept if it can be; else it is carried as soon as can be, and told so. Everybody else's is kept.
    Raises ValueError where no such plan keeps everybody else's promises.
    """
    ride = desk.world.rides[request]
    if ride.state not in ("booked", "stranded"):
        raise ValueError("ride_not_open")
    if to is not None and ride.shuttle == to:
        raise ValueError("nothing_to_change")
    plan = _placed(desk, ride, to, now, bounds(ride))
    told: list[ev.Event] = []
    if plan is None:
        plan = _placed(desk, ride, to, now, Promise(bounds(ride).pickup_from, NEVER, NEVER))
        if plan is None:
            raise ValueError("not_possible")
        pickup, dropoff = desk.planned(ride, *plan, now)
        told = [ev.PromiseAtRisk(now, request, pickup + MARGIN, dropoff + MARGIN, "moved by an operator")]
    name, visits = plan
    plans = {name: visits}
    turns = desk.turn(name, visits, now)
    if ride.shuttle is not None:
        rest = tuple(c for c in desk.world.shuttles[ride.shuttle].plan.visits if c // 2 != ride.number)
        plans = {ride.shuttle: rest, name: visits}
        turns = [*desk.turn(ride.shuttle, rest, now), *turns]
    return [*told, *turns, ev.PlansChanged(now, plans, "moved by an operator")]


def _placed(desk: Desk, ride: Ride, to: str | None, now: int, within: Promise) -> tuple[str, tuple[int, ...]] | None:
    """Shuttle and plan for a ride with only these shuttles asked. The arrays are left as they were."""
    column = desk.fleet.shuttles[:, f.OPEN]
    before = column.copy()
    for name, shuttle in desk.world.shuttles.items():
        if (to is not None and name != to) or name == ride.shuttle:
            column[shuttle.row] = 0
    try:
        return desk.place(ride, now, within)
    finally:
        column[:] = before
        write_ride(desk.fleet, desk.world, ride)
