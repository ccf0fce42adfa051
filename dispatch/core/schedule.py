"""The timetable of a plan, and the one judge of whether a plan may be.

Insertion, search and solver propose; `violations` decides. It asks the same least timetable (`timing.time_route`) that
plans are driven by, and counts besides that nobody is lost, doubled, or taken off the shuttle they sit in.
"""

from __future__ import annotations

import numpy as np

from dispatch.core import fleet as f
from dispatch.core.domain import PlannedStop
from dispatch.core.fleet import Fleet, Ints
from dispatch.core.timing import FULL, LATE, OK, RIDE, SHIFT_END, WAIT, time_from
from dispatch.core.world import Shuttle, World
from routing.travel_times import DriveTimes

BREAKS = {
    LATE: "a visit would begin after its latest time",
    FULL: "more riders would be aboard than there are places, or somebody would be aboard during a break",
    RIDE: "somebody would be aboard for longer than allowed",
    WAIT: "riders aboard would wait at a stop point for longer than allowed",
    SHIFT_END: "the plan would end after the shift",
}
"""What a timetable can break, in words."""


def timetable(fleet: Fleet, times: DriveTimes, shuttle: Shuttle, visits: tuple[int, ...], now: int) -> tuple[int, Ints]:
    """(what it breaks, (ROUTE_ROWS, n) rows of `fleet`) of a shuttle if it had this plan from `now` on."""
    row = fleet.shuttles[shuttle.row].copy()
    row[f.N] = len(visits)
    route = np.zeros((f.ROUTE_ROWS, len(visits)), np.int64)
    route[f.CODE] = visits
    status = time_from(
        route, len(visits), row, now, fleet.visits, fleet.rules, times.table, times.place_nodes, times.slices,
        times.indptr, times.heads, times.edge_ms,
    )  # fmt: skip
    return int(status), route


def violations(
    world: World, fleet: Fleet, times: DriveTimes, plans: dict[str, tuple[int, ...]], now: int, *, new: set[int]
) -> list[str]:
    """What these plans, put in force together, would break; [] if nothing.

    `new` are pickup codes of rides that are on no plan yet and may come on one.
    """
    broken: list[str] = []
    had: set[int] = set()
    have: list[int] = []
    for name, visits in plans.items():
        shuttle = world.shuttles[name]
        had.update(shuttle.plan.visits)
        have.extend(visits)
        status, _ = timetable(fleet, times, shuttle, visits, now)
        if status != OK:
            broken.append(f"{name}: {BREAKS[status]}")
        place = {code: k for k, code in enumerate(visits)}
        for code, k in place.items():
            if code % 2 and code - 1 not in place and not _aboard(world, name, code):
                broken.append(f"{name}: a drop-off without its pickup")
            elif code % 2 and place.get(code - 1, -1) > k:
                broken.append(f"{name}: a drop-off before its pickup")
        calls = [c for c in shuttle.plan.visits if world.ride_of(c) is None]
        if calls != [c for c in visits if world.ride_of(c) is None]:
            broken.append(f"{name}: a fixed call moved")
        if {c for c in shuttle.plan.visits if _aboard(world, name, c)} - place.keys():
            broken.append(f"{name}: a rider aboard taken off the plan")
        if {c for c in shuttle.plan.visits if (ride := world.ride_of(c)) and ride.locked} - place.keys():
            broken.append(f"{name}: a ride taken off the plan that a person in charge has locked to it")
    expected = had | {code for pickup in new for code in (pickup, pickup + 1)}
    if len(have) != len(set(have)) or set(have) != expected:
        broken.append("a ride lost, doubled or on no plan before")
    return broken


def _aboard(world: World, name: str, code: int) -> bool:
    ride = world.ride_of(code)
    return ride is not None and ride.state == "aboard" and ride.shuttle == name


def planned_stops(world: World, fleet: Fleet, shuttle: Shuttle) -> list[PlannedStop]:
    """The shuttle's plan as stops: neighbouring visits at one place are one stop."""
    n = len(shuttle.plan.visits)
    route = fleet.routes[shuttle.row, :, :n].tolist()
    stops: list[PlannedStop] = []
    k = 0
    while k < n:
        first, place, fixed = k, route[f.PLACE][k], None
        pickups: list[str] = []
        dropoffs: list[str] = []
        while k < n and route[f.PLACE][k] == place and (fixed is None):
            code = route[f.CODE][k]
            ride = world.ride_of(code)
            if ride is None:
                if k > first:
                    break
                fixed = world.calls[code // 2].call.kind
            else:
                (dropoffs if code % 2 else pickups).append(ride.request.id)
            k += 1
        slack = min(route[f.LATEST_OK][m] - route[f.BEGIN][m] for m in range(first, k))
        stops.append(
            PlannedStop(
                place,
                route[f.BEGIN][first],
                route[f.DONE][k - 1],
                tuple(pickups),
                tuple(dropoffs),
                route[f.LOAD][k - 1],
                slack,
                fixed,
            )
        )
    return stops
