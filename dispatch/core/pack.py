"""The world written into the fleet's arrays: whole (`pack`) or the one shuttle that an event touched.

The arrays are a cache: after any sequence of events they equal `pack(world)`, which a property test holds.
"""

from __future__ import annotations

from struct import Struct

from dispatch.core import fleet as f
from dispatch.core.domain import NEVER, Policy, Promise
from dispatch.core.fleet import Fleet
from dispatch.core.timing import OK, time_route
from dispatch.core.world import Call, Ride, Shuttle, World, dwell
from routing.travel_times import QUARTER_MS, DriveTimes

_ENDS = Struct(f"={2 * f.VISIT_COLUMNS}q")
_SHUTTLE = Struct(f"={f.SHUTTLE_COLUMNS}q")
_WHERE = Struct(f"={f.SINCE - f.NODE + 1}q")
_CODES = [Struct(f"={n}q") for n in range(64)]
"""Rows are written as bytes: numpy takes twice as long over a tuple, and this is most of what an event costs."""


def pack(world: World, times: DriveTimes) -> Fleet:
    """All of the world as arrays."""
    fleet = Fleet(max(len(world.shuttles), 1), 2 * len(world.numbered) + 4)
    write_policy(fleet, world.policy)
    for ride in world.rides.values():
        if ride.promise is not None:
            write_ride(fleet, world, ride)
    for shuttle in world.shuttles.values():
        for call in (world.calls[c // 2] for c in shuttle.plan.visits if c // 2 in world.calls):
            write_call(fleet, call)
        write_shuttle(fleet, world, shuttle, times)
    return fleet


def write_policy(fleet: Fleet, policy: Policy) -> None:
    """The rules that the kernels go by."""
    weights = policy.weights
    fleet.rules[:] = (
        round(policy.dwell_stop_s * 1000),
        policy.wait_aboard_s * 1000,
        round(weights.drive * 1000),
        round(weights.delay * 1000),
        round(weights.wake_s * 1_000_000),
        int(policy.divert),
    )


def write_ends(fleet: Fleet, policy: Policy, ride: Ride, pickup: int, dropoff: int, limits: Promise) -> None:
    """What a ride between two places within these limits demands."""
    request, code = ride.request, 2 * ride.number
    fleet.room_for(code=code + 1)
    longest = NEVER if limits.max_ride is None else limits.max_ride
    seats, wheelchairs, visits = request.seats, request.wheelchairs, fleet.visits
    dwell_ms = dwell(policy, seats)
    _ENDS.pack_into(
        visits.data, code * visits.strides[0],
        pickup, limits.pickup_from, limits.pickup_to, dwell_ms, seats, wheelchairs, NEVER, f.PICKUP,
        dropoff, 0, limits.dropoff_by, dwell_ms, -seats, -wheelchairs, longest, f.DROPOFF,
    )  # fmt: skip


MARGIN = 120_000
"""ms that an announced time leaves for further trouble, so that a rider is not told a new time every minute"""


def bounds(ride: Ride) -> Promise:
    """What still binds a ride's plan: its promise or, where a fact broke that, what was announced instead."""
    promise = ride.promise
    assert promise is not None
    by, to, longest = promise.dropoff_by, promise.pickup_to, promise.max_ride
    if longest is not None:
        longest = max(0, longest - ride.ridden)
        if ride.late_dropoff is not None and ride.late_pickup is not None:
            longest = max(longest, ride.late_dropoff - ride.late_pickup + MARGIN)
    if ride.state == "aboard" and longest is not None and ride.boarded_at is not None:
        by, longest = min(by, ride.boarded_at + longest), None
    begins = promise.pickup_from
    if ride.state == "stranded":
        begins, to = 0, NEVER  # it was picked up once already
        if ride.late_pickup is not None:
            to = ride.late_pickup
    if ride.late_dropoff is not None:
        by = max(by, ride.late_dropoff)
        if ride.late_pickup is None:
            longest = None
    if ride.late_pickup is not None and ride.state != "stranded":
        to = max(to, ride.late_pickup)
    return Promise(begins, to, by, longest)


def write_ride(fleet: Fleet, world: World, ride: Ride) -> None:
    """What a booked ride demands."""
    write_ends(fleet, world.policy, ride, ride.pickup, ride.dropoff, bounds(ride))


def write_call(fleet: Fleet, call: Call) -> None:
    """What a fixed call demands."""
    fleet.room_for(code=2 * call.number + 1)
    fixed = call.call
    place = -1 if fixed.place is None else fixed.place
    kind = f.BREAK if fixed.kind == "break" else f.FIXED
    fleet.visits[2 * call.number] = (place, fixed.earliest, fixed.latest, fixed.duration, 0, 0, NEVER, kind)


def write_drive(fleet: Fleet, shuttle: Shuttle, times: DriveTimes) -> bool:
    """A shuttle that has set out, or has come to its next stop, as its timetable has it, which then stays as it is.

    False, and nothing written, where it has not, or where only `write_shuttle` can tell.
    """
    row, shuttles, routes = shuttle.row, fleet.shuttles, fleet.routes
    if len(times.slices) > 1 or not shuttle.plan.visits or row >= fleet.count:
        return False
    goal = routes.item(row, f.PLACE, 0)
    if shuttle.heading >= 0:  # it left as soon as it could, from where it was, and comes to its stop's door anew
        if (
            shuttle.at != shuttles.item(row, f.AT)
            or shuttle.node != shuttles.item(row, f.NODE)
            or shuttles.item(row, f.STANDS) == goal
        ):
            return False
    elif (
        shuttles.item(row, f.HEADING) != goal
        or goal < 0
        or shuttle.at != shuttles.item(row, f.AT) + routes.item(row, f.LEG, 0)
    ):
        return False
    else:
        routes[row, f.LEG, 0] = 0
    _WHERE.pack_into(
        shuttles.data, row * shuttles.strides[0] + f.NODE * shuttles.strides[1],
        shuttle.node, shuttle.at, shuttle.heading, 0, shuttle.stands, shuttle.since,
    )  # fmt: skip
    return True


def write_shuttle(fleet: Fleet, world: World, shuttle: Shuttle, times: DriveTimes) -> int:
    """One shuttle, its plan and its timetable; what the timetable breaks (`timing.OK`: nothing)."""
    visits = shuttle.plan.visits
    n, row = len(visits), shuttle.row
    if n + 2 > fleet.routes.shape[2] or row >= len(fleet.shuttles):
        fleet.room_for(shuttle=row, points=n)
    fleet.count = max(fleet.count, row + 1)
    shift = shuttle.shift
    tail = 0
    if visits and (call := world.calls.get(visits[-1] // 2)) is not None and call.call.kind == "depot":
        tail = 1
    leg = 0
    if shuttle.heading >= 0 and len(times.slices) > 1:
        leg = int(times.slices[min(max(shuttle.at, 0) // QUARTER_MS, len(times.slices) - 1)])
    _SHUTTLE.pack_into(
        fleet.shuttles.data,
        row * fleet.shuttles.strides[0],
        n,
        shuttle.node,
        shuttle.at,
        shuttle.heading,
        leg,
        shuttle.stands,
        shuttle.since,
        shift.seats,
        shift.wheelchairs,
        shuttle.aboard,
        shuttle.wheelchairs,
        shift.end,
        shuttle.state == "on",
        tail,
        0,
        0,
        shift.start,
    )
    if n == 0:
        return OK
    route = fleet.routes[row]
    if n < len(_CODES):
        _CODES[n].pack_into(route.data, f.CODE * route.strides[0], *visits)
    else:
        route[f.CODE, :n] = visits
    return int(
        time_route(
            route,
            n,
            fleet.shuttles[row],
            shuttle.node,
            shuttle.at,
            fleet.visits,
            fleet.rules,
            times.table,
            times.place_nodes,
            times.slices,
        )
    )
