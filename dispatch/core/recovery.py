"""When facts break plans: who is told, who is moved, who is fetched.

Each function looks and returns events; none changes anything.
"""

from __future__ import annotations

import numpy as np

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.domain import NEVER, Promise
from dispatch.core.overdue import overdue_rows
from dispatch.core.pack import MARGIN, bounds
from dispatch.core.schedule import timetable
from dispatch.core.world import Ride
from routing.travel_times import UNREACHABLE

SILENT = 60_000
"""ms that a shuttle may be overdue before it is asked what that breaks: whoever is slow tells so every minute"""


def at_risk(desk: Desk, now: int) -> list[ev.Event]:
    """For the first late shuttle: move an endangered ride to another one, else tell its riders."""
    for name in sorted(desk.late):
        shuttle = desk.world.shuttles[name]
        route = desk.fleet.routes[shuttle.row]
        begins = dict(zip(shuttle.plan.visits, route[f.BEGIN].tolist(), strict=False))
        told: dict[str, ev.Event] = {}
        for code, begin in begins.items():
            ride = desk.world.ride_of(code)
            if ride is None or ride.request.id in told:
                continue
            pickup, dropoff = begins.get(2 * ride.number), begins[2 * ride.number + 1]
            late = begin > desk.fleet.visits[code, f.V_LATEST]
            long = pickup is not None and dropoff - pickup > desk.fleet.visits[code | 1, f.V_RIDE]
            if not late and not long:
                continue
            moved = _moved(desk, ride, now)
            if moved:
                return moved
            told[ride.request.id] = ev.PromiseAtRisk(
                now, ride.request.id, None if pickup is None else pickup + MARGIN, dropoff + MARGIN, "late"
            )
        if told:
            return list(told.values())
    return []


def overdue(desk: Desk, now: int) -> list[ev.Event]:
    """Shuttles that should have gone on a while ago, of which nobody has said so, where that breaks a promise.

    A driver who does not set out tells nothing: without this nobody would tell the riders either.
    """
    fleet = desk.fleet
    found: list[ev.Event] = []
    for row in overdue_rows(fleet.count, now - SILENT, fleet.shuttles, fleet.routes).tolist():
        name = desk.names[row]
        shuttle = desk.world.shuttles[name]
        _, route = timetable(fleet, desk.times, shuttle, shuttle.plan.visits, now)
        counted = fleet.routes[row, f.BEGIN, : len(shuttle.plan.visits)]
        latest = fleet.visits[list(shuttle.plan.visits), f.V_LATEST]
        if ((route[f.BEGIN] > latest) & (counted <= latest)).any():
            behind = now - int(counted[0])
            found.append(ev.ShuttleOverdue(now, name, now if shuttle.heading < 0 else shuttle.at + behind))
    return found


def _moved(desk: Desk, ride: Ride, now: int) -> list[ev.Event]:
    """The ride on another shuttle's plan, its promise kept; [] if there is none, or the rider is aboard."""
    if ride.state not in ("booked", "stranded") or ride.shuttle is None or ride.locked:
        return []
    own = desk.world.shuttles[ride.shuttle]
    open_ = int(desk.fleet.shuttles[own.row, f.OPEN])
    desk.fleet.shuttles[own.row, f.OPEN] = 0
    try:
        plan = desk.place(ride, now, bounds(ride))
    finally:
        desk.fleet.shuttles[own.row, f.OPEN] = open_
    if plan is None:
        return []
    name, visits = plan
    rest = tuple(c for c in own.plan.visits if c // 2 != ride.number)
    return [
        *desk.turn(ride.shuttle, rest, now),
        *desk.turn(name, visits, now),
        ev.PlansChanged(now, {ride.shuttle: rest, name: visits}, "promise at risk"),
    ]


def replace(desk: Desk, request: str, now: int) -> list[ev.Event]:
    """A booking whose shuttle was lost: on another plan within its promise, else as soon as can be, and told so."""
    ride = desk.world.rides[request]
    plan = desk.place(ride, now, bounds(ride))
    told: list[ev.Event] = []
    if plan is None:
        plan = desk.place(ride, now, Promise(0, NEVER, NEVER))
        if plan is None:
            if ride.late_dropoff is not None:
                return []
            return [ev.PromiseAtRisk(now, request, None, None, "no shuttle yet")]
        pickup, dropoff = desk.planned(ride, *plan, now)
        told = [ev.PromiseAtRisk(now, request, pickup + MARGIN, dropoff + MARGIN, "shuttle lost")]
    name, visits = plan
    return [*told, *desk.turn(name, visits, now), ev.PlansChanged(now, {name: visits}, "shuttle lost")]


def break_down(desk: Desk, name: str, now: int) -> list[ev.Event]:
    """The shuttle stops at the next node; who is aboard gets out at the stop point nearest to it."""
    node, _, driven = desk.waypoint(name, now)
    place = int(np.argmin(desk.times.table[0, node]))
    aboard = [
        ride.request.id
        for code in desk.world.shuttles[name].plan.visits
        if (ride := desk.world.ride_of(code)) is not None and ride.state == "aboard"
    ]
    return [
        ev.ShuttleBrokeDown(now, name, node, driven),
        *(ev.RiderStranded(now, name, request, place) for request in aboard),
    ]


def roads_changed(desk: Desk, change: ev.Event, now: int) -> list[ev.Event]:
    """A closure, reopening or change of speed: what is being driven is noted first, as it goes on from there."""
    noted: list[ev.Event] = []
    for name, shuttle in desk.world.shuttles.items():
        if shuttle.heading >= 0:
            node, at, driven = desk.waypoint(name, now)
            noted.append(ev.PositionReported(now, name, node, at, driven))
    return [*noted, change]


def cut_off(desk: Desk, now: int) -> list[ev.Event]:
    """Idle shuttles whose way to the place where they were to wait is closed go there no more."""
    times = desk.times
    return [
        event
        for name, shuttle in desk.world.shuttles.items()
        if shuttle.heading >= 0 and shuttle.heading == shuttle.idle_goal
        if times.table[desk.fleet.shuttles[shuttle.row, f.SLICE], shuttle.node, shuttle.heading] >= UNREACHABLE
        for event in desk.turn(name, (), now)
    ]
