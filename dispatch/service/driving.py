"""What drivers tell, made into facts of the log: each checked against what the shuttle is doing, none counted twice.

Telephones lose, double and shuffle what they send. So a fact that implies an earlier one (who boards has arrived, who
has arrived has left) brings it along if it never came, and the earlier one is refused when it comes after all.
"""

from __future__ import annotations

from collections.abc import Callable

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.breaks import drop_break, end_break, plan_break
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy
from dispatch.core.world import Ride, Shuttle
from dispatch.service.problems import refuse
from routing.paths import length_mm
from routing.travel_times import QUARTER_MS

Fact = Callable[[Desk, int], list[ev.Event]]
"""(desk, when) -> events. Raises Refused"""


def depart(name: str, to: int | None) -> Fact:
    """The shuttle leaves for the next stop of its plan, or for where it is to wait; `to`: as its driver believes."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        shuttle = working(desk, name)
        if shuttle.heading >= 0:
            raise refuse("already_driving")
        goal = next_goal(desk, name)
        if goal is None or to not in (None, goal[0]):
            raise refuse("nowhere_to_go")
        return [ev.DriveStarted(at, name, shuttle.node, *goal)]

    return fact


def arrive(name: str, place: int) -> Fact:
    """The shuttle stands at a place."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        events = _come_to(desk, name, place, at)
        if not events:
            raise refuse("not_driving")
        return events

    return fact


def board(name: str, request: str) -> Fact:
    """Boarding begins."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        ride = _planned(desk, name, request, ("booked", "stranded"))
        come = _come_to(desk, name, ride.pickup, at)
        return [*come, *_first(desk, name, 2 * ride.number, at), ev.RiderBoarded(at, name, request)]

    return fact


def alight(name: str, request: str) -> Fact:
    """Alighting begins."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        ride = _planned(desk, name, request, ("aboard",))
        come = _come_to(desk, name, ride.dropoff, at)
        return [*come, *_first(desk, name, 2 * ride.number + 1, at), ev.RiderAlighted(at, name, request)]

    return fact


def miss(name: str, request: str) -> Fact:
    """The rider is not there: the shuttle waits as long as the policy says, then it is a no-show."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        ride = _planned(desk, name, request, ("booked",))
        come = _come_to(desk, name, ride.pickup, at)
        first = _first(desk, name, 2 * ride.number, at)
        since = desk.world.shuttles[name].awaits.get(request)
        until = waited_out(desk.world.policy, ride, at if since is None else since)
        if since is not None and not come and at >= until:
            return [*first, ev.NoShow(at, name, request)]
        return [*come, *first, ev.RiderAwaited(at, name, request, max(at, until))]

    return fact


def waited_out(policy: Policy, ride: Ride, since: int) -> int:
    """When a shuttle that waits for a rider since then need wait no longer: the grace counts from the promise on."""
    opens = since if ride.promise is None else ride.promise.pickup_from
    return max(opens, since) + policy.no_show_grace_s * 1000


def make_call(name: str) -> Fact:
    """The break, timetabled call or depot that comes next begins."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        shuttle = working(desk, name)
        code = next(iter(shuttle.plan.visits), -1)
        if code < 0 or desk.world.ride_of(code) is not None:
            raise refuse("not_on_your_plan")
        call = desk.world.calls[code // 2].call
        if at < call.earliest:
            raise refuse("too_early")
        if call.place is None and shuttle.heading >= 0:
            raise refuse("already_driving")
        come = [] if call.place is None else _come_to(desk, name, call.place, at)
        return [*come, ev.CallMade(at, name, code // 2)]

    return fact


def take_break(name: str, duration: int, driver: str) -> Fact:
    """A break of so many ms, at once or as soon as the plan has room for it."""
    return _about_break(name, lambda desk, at: plan_break(desk, name, duration, at, driver))


def give_up_break(name: str, driver: str) -> Fact:
    """The break that was asked for and has not begun is not taken."""
    return _about_break(name, lambda desk, at: drop_break(desk, name, at, driver))


def leave_break(name: str, driver: str) -> Fact:
    """The break that was asked for, and has begun, is over now."""
    return _about_break(name, lambda desk, at: end_break(desk, name, at, driver))


def _about_break(name: str, decide: Fact) -> Fact:
    """What the core decides about a break of a shuttle that works; its reason against it is the refusal's code."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        working(desk, name)
        try:
            return decide(desk, at)
        except ValueError as reason:
            raise refuse(str(reason)) from None

    return fact


def report(name: str, node: int, reached: int) -> Fact:
    """The shuttle is later on its way than the timetable has it."""

    def fact(desk: Desk, at: int) -> list[ev.Event]:
        shuttle = working(desk, name)
        if shuttle.heading < 0 or reached < shuttle.at:
            raise refuse("not_driving")
        return [ev.PositionReported(at, name, node, reached, _driven_mm(desk, shuttle, shuttle.heading, node, at))]

    return fact


# what a shuttle is doing


def working(desk: Desk, name: str) -> Shuttle:
    """A shuttle that takes part. Raises Refused."""
    shuttle = desk.world.shuttles[name]
    if shuttle.state != "on":
        raise refuse("shift_not_open")
    return shuttle


def next_goal(desk: Desk, name: str) -> tuple[int, str] | None:
    """(place, purpose) of the shuttle's next drive; None: it stands where it has to be."""
    shuttle = desk.world.shuttles[name]
    if shuttle.idle_goal is not None:
        return shuttle.idle_goal, "rebalance"
    if not shuttle.plan.visits:
        return None
    code = shuttle.plan.visits[0]
    place = int(desk.fleet.routes[shuttle.row, f.PLACE, 0])
    if place < 0 or int(desk.times.place_nodes[place]) == shuttle.node:
        return None
    ride = desk.world.ride_of(code)
    return place, desk.world.calls[code // 2].call.kind if ride is None else ride.request.id


def _planned(desk: Desk, name: str, request: str, states: tuple[str, ...]) -> Ride:
    """A ride on this shuttle's plan in one of these states. Raises Refused."""
    working(desk, name)
    ride = desk.world.rides.get(request)
    if ride is None or ride.shuttle != name:
        raise refuse("not_on_your_plan")
    if ride.state not in states:
        raise refuse("already_answered")
    return ride


def _come_to(desk: Desk, name: str, place: int, at: int) -> list[ev.Event]:
    """The drive and arrival that nobody told of; [] if the shuttle stands there. Raises Refused if it can't be."""
    shuttle = working(desk, name)
    if shuttle.heading == place:
        return [ev.StopArrived(at, name, place, _driven_mm(desk, shuttle, place, -1, at))]
    if shuttle.heading >= 0:
        raise refuse("not_there")
    goal = next_goal(desk, name)
    if goal is not None and goal[0] == place:
        driven = _driven_mm(desk, shuttle, place, -1, at)
        return [ev.DriveStarted(at, name, shuttle.node, *goal), ev.StopArrived(at, name, place, driven)]
    if shuttle.node != int(desk.times.place_nodes[place]):
        raise refuse("not_there")
    return []


def _first(desk: Desk, name: str, code: int, at: int) -> list[ev.Event]:
    """Riders at one stop point get in and out as they like: the plan follows. Raises Refused for another place."""
    shuttle = desk.world.shuttles[name]
    visits = shuttle.plan.visits
    k = visits.index(code)
    if k == 0:
        return []
    places = desk.fleet.routes[shuttle.row, f.PLACE, : k + 1]
    if (places != places[k]).any():
        raise refuse("not_there")
    return [ev.PlansChanged(at, {name: (code, *visits[:k], *visits[k + 1 :])}, "as they come")]


def _driven_mm(desk: Desk, shuttle: Shuttle, goal: int, until: int, at: int) -> int:
    """mm from where the shuttle was last known to be to the node `until` (-1: its goal)."""
    times = desk.times
    if shuttle.heading >= 0:
        k = int(desk.fleet.shuttles[shuttle.row, f.SLICE])
    else:
        k = int(times.slices[min(max(at, 0) // QUARTER_MS, len(times.slices) - 1)])
    arrays = (times.table, times.indptr, times.heads, times.edge_ms, times.edge_mm)
    return int(length_mm(*arrays, k, shuttle.node, goal, until))
