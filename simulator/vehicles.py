"""What shuttles do next: they drive along the streets to the next planned stop, and serve who is there.

A shuttle has no state of its own here but how slow its drive is: where it stands, where it heads and what it is to
do is in the desk's world. A shuttle that need not hurry leaves as late as it can while nobody is aboard, so that it
can still be sent elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.domain import RideRequest
from routing.paths import length_mm, next_edge
from routing.travel_times import UNREACHABLE

REPORT_EVERY = 60_000
"""ms between positions told by a shuttle that is slower than its plan, or kept waiting by a rider"""

Presence = Callable[[RideRequest], int | None]
"""when a booked rider is at the stop point; None: never"""


class Next(Struct, frozen=True, gc=False):
    """What a shuttle does next, if nothing is changed before."""

    at: int
    what: Literal["depart", "arrive", "report", "serve", "send"]


def next_of(desk: Desk, name: str, slow: int) -> Next | None:
    """The shuttle's next act; None: nothing to do. `slow`: thousandths that its drive takes of what was expected."""
    shuttle = desk.world.shuttles[name]
    if shuttle.state != "on":
        return None
    times = desk.times
    if shuttle.heading >= 0:
        left = times.table.item(desk.fleet.shuttles[shuttle.row, f.SLICE], shuttle.node, shuttle.heading)
        if left >= UNREACHABLE:
            return None  # streets are closed: it stands until they are open again, or it is sent elsewhere
        if slow == 1000:
            return Next(shuttle.at + left, "arrive")
        arrive = shuttle.at + -(-left * slow // 1000)
        report = shuttle.at + REPORT_EVERY
        return Next(arrive, "arrive") if arrive <= report else Next(report, "report")
    ready = max(shuttle.at, desk.world.now)
    if shuttle.idle_goal is not None:
        return Next(ready, "send")
    if not shuttle.plan.visits:
        return None
    route = desk.fleet.routes[shuttle.row]
    place, begin = route.item(f.PLACE, 0), route.item(f.BEGIN, 0)
    if place < 0 or times.place_nodes[place] == shuttle.node:
        return Next(max(begin, ready), "serve")
    drive = times.longest(shuttle.node, place)
    if drive >= UNREACHABLE:
        return None
    if shuttle.aboard:
        return Next(ready, "depart")
    return Next(max(ready, begin - drive), "depart")


def act(desk: Desk, name: str, act: Next, slow: int, present: Presence) -> list[ev.Event]:
    """The facts that the act makes."""
    at = act.at
    shuttle = desk.world.shuttles[name]
    if act.what == "depart":
        code = shuttle.plan.visits[0]
        ride = desk.world.ride_of(code)
        purpose = desk.world.calls[code // 2].call.kind if ride is None else ride.request.id
        place = int(desk.fleet.routes[shuttle.row, f.PLACE, 0])
        return [ev.DriveStarted(at, name, shuttle.node, place, purpose)]
    if act.what == "send":
        assert shuttle.idle_goal is not None
        return [ev.DriveStarted(at, name, shuttle.node, shuttle.idle_goal, "rebalance")]
    if act.what == "arrive":
        return [ev.StopArrived(at, name, shuttle.heading, _driven(desk, name, -1))]
    if act.what == "report":
        node, reached = _position(desk, name, at, slow)
        return [ev.PositionReported(at, name, node, reached, _driven(desk, name, node))]
    code = shuttle.plan.visits[0]
    ride = desk.world.ride_of(code)
    if ride is None:
        return [ev.CallMade(at, name, code // 2)]
    if code % 2:
        return [ev.RiderAlighted(at, name, ride.request.id)]
    comes = present(ride.request)
    if comes is not None and comes <= at:
        return [ev.RiderBoarded(at, name, ride.request.id)]
    give_up = shuttle.awaits.get(ride.request.id, at) + desk.world.policy.no_show_grace_s * 1000
    if at >= give_up:
        return [ev.NoShow(at, name, ride.request.id)]
    wait = min(give_up, at + REPORT_EVERY, comes if comes is not None else give_up)
    return [ev.RiderAwaited(at, name, ride.request.id, wait)]


def _driven(desk: Desk, name: str, until: int) -> int:
    """mm from where the shuttle was last known to be to the node `until` (-1: its goal)."""
    times, shuttle = desk.times, desk.world.shuttles[name]
    return int(
        length_mm(
            times.table,
            times.indptr,
            times.heads,
            times.edge_ms,
            times.edge_mm,
            desk.fleet.shuttles[shuttle.row, f.SLICE],
            shuttle.node,
            shuttle.heading,
            until,
        )
    )


def _position(desk: Desk, name: str, now: int, slow: int) -> tuple[int, int]:
    """First node that a slow drive reaches at `now` or later, and when."""
    times, shuttle = desk.times, desk.world.shuttles[name]
    k = desk.fleet.shuttles[shuttle.row, f.SLICE]
    node, spent = shuttle.node, 0
    while shuttle.at + -(-spent * slow // 1000) < now:
        edge = next_edge(times.table, times.indptr, times.heads, times.edge_ms, k, node, shuttle.heading)
        if edge < 0:
            break
        node, spent = int(times.heads[edge]), spent + int(times.edge_ms[k, edge])
    return node, shuttle.at + -(-spent * slow // 1000)
