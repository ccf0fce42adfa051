"""What each event makes of the world.

The only place that changes a world: whoever folds the same events in, in the same order, has the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any

from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.domain import NEVER, Plan
from dispatch.core.world import Call, Ride, Shuttle, World, dwell


def fold(events: Iterable[ev.Event]) -> World:
    """The world that these events make."""
    world = World()
    for event in events:
        fold_in(world, event)
    return world


def fold_in(world: World, event: ev.Event) -> None:
    """Fold one event in."""
    world.seq += 1
    world.now = event.at
    kind = type(event)
    _FOLD[kind](world, event)
    if kind in _COME_OR_GO:
        world.unimproved = True


def _end_service(world: World, shuttle: Shuttle, place: int, at: int, duration: int) -> None:
    if place != shuttle.stands:
        duration += round(world.policy.dwell_stop_s * 1000)
    shuttle.at = shuttle.since = at + duration
    shuttle.stands = place
    shuttle.heading = -1
    shuttle.rests = -1
    shuttle.awaits.clear()


def _without(plan: Plan, *codes: int) -> Plan:
    return Plan(plan.version + 1, tuple(c for c in plan.visits if c not in codes))


def _take_off_plan(world: World, ride: Ride) -> None:
    if ride.shuttle is not None:
        shuttle = world.shuttles[ride.shuttle]
        shuttle.plan = _without(shuttle.plan, 2 * ride.number, 2 * ride.number + 1)
    world.queue.pop(ride.request.id, None)
    world.unplaced.pop(ride.request.id, None)


def _day_opened(world: World, e: ev.DayOpened) -> None:
    world.opened = e


def _policy_changed(world: World, e: ev.PolicyChanged) -> None:
    world.policy = e.policy


def _shift_opened(world: World, e: ev.ShiftOpened) -> None:
    shift = e.shift
    codes = []
    for call in shift.calls:
        number = len(world.numbered)
        world.numbered.append(None)
        world.calls[number] = Call(number, call, shift.id)
        codes.append(2 * number)
    world.shuttles[shift.id] = Shuttle(
        row=len(world.shuttles), shift=shift, node=shift.node, at=shift.start, plan=Plan(0, tuple(codes))
    )


def _shift_closed(world: World, e: ev.ShiftClosed) -> None:
    world.shuttles[e.shuttle].state = "closed"


def _shift_changed(world: World, e: ev.ShiftChanged) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.shift = replace(shuttle.shift, end=e.end)


def _request_made(world: World, e: ev.RequestMade) -> None:
    request = e.request
    world.rides[request.id] = Ride(len(world.numbered), request, e.at)
    world.numbered.append(request.id)
    world.asked.append(e.at)


def _quote_declined(world: World, e: ev.QuoteDeclined) -> None:
    ride = world.rides[e.request]
    ride.state = "declined"
    world.queue.pop(e.request, None)


def _never_past(shuttle: Shuttle, now: int) -> None:
    """A shuttle that stands can begin something else now, not earlier."""
    if shuttle.heading < 0 and shuttle.at < now:
        shuttle.at = now


def _anew(shuttle: Shuttle, now: int) -> None:
    """What a shuttle that stands was waiting for is no more: what it waits for next, it waits for from now on."""
    _never_past(shuttle, now)
    if shuttle.heading < 0:
        shuttle.since = shuttle.at


def _ride_cancelled(world: World, e: ev.RideCancelled) -> None:
    ride = world.rides[e.request]
    if ride.shuttle is not None:
        _anew(world.shuttles[ride.shuttle], e.at)
    _take_off_plan(world, ride)
    ride.state = "cancelled" if ride.promise else "declined"
    ride.shuttle = None


def _ride_booked(world: World, e: ev.RideBooked) -> None:
    ride = world.rides[e.request]
    shuttle = world.shuttles[e.shuttle]
    ride.state, ride.shuttle, ride.promise = "booked", e.shuttle, e.promise
    ride.pickup, ride.dropoff, ride.fare = e.pickup.place, e.dropoff.place, e.fare
    world.queue.pop(e.request, None)
    visits, (i, j), code = shuttle.plan.visits, e.after, 2 * ride.number
    shuttle.plan = Plan(e.version, (*visits[:i], code, *visits[i:j], code + 1, *visits[j:]))
    _never_past(shuttle, e.at)
    shuttle.idle_goal = None


def _ride_refused(world: World, e: ev.RideRefused) -> None:
    world.rides[e.request].state = "refused"
    world.queue.pop(e.request, None)


def _ride_queued(world: World, e: ev.RideQueued) -> None:
    ride = world.rides[e.request]
    ride.state, ride.until, ride.receipt = "queued", e.until, e.receipt
    world.queue[e.request] = None


def _plans_changed(world: World, e: ev.PlansChanged) -> None:
    for name, visits in e.plans.items():
        shuttle = world.shuttles[name]
        shuttle.plan = Plan(shuttle.plan.version + 1, visits)
        _never_past(shuttle, e.at)
        if visits:
            shuttle.idle_goal = None
        for code in visits:
            ride = world.ride_of(code)
            if ride is not None and ride.shuttle != name:
                ride.shuttle = name
                world.unplaced.pop(ride.request.id, None)


def _promise_at_risk(world: World, e: ev.PromiseAtRisk) -> None:
    ride = world.rides[e.request]
    ride.late_pickup = e.pickup_at
    ride.late_dropoff = NEVER if e.dropoff_at is None else e.dropoff_at


def _idle_sent(world: World, e: ev.IdleSent) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.at = max(shuttle.at, e.at)
    shuttle.idle_goal = e.place


def _drive_started(world: World, e: ev.DriveStarted) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.node, shuttle.at, shuttle.heading, shuttle.stands, shuttle.since = e.node, e.at, e.place, -1, NEVER
    shuttle.rests = -1
    shuttle.awaits.clear()


def _progress_made(world: World, e: ev.ProgressMade) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.node, shuttle.at, shuttle.heading = e.node, e.reached_at, -1
    shuttle.idle_goal = None


def _position_reported(world: World, e: ev.PositionReported) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.node, shuttle.at = e.node, e.reached_at


def _shuttle_overdue(world: World, e: ev.ShuttleOverdue) -> None:
    world.shuttles[e.shuttle].at = e.counted_from


def _stop_arrived(world: World, e: ev.StopArrived) -> None:
    shuttle = world.shuttles[e.shuttle]
    assert world.opened is not None
    shuttle.node, shuttle.heading, shuttle.stands = world.opened.place_nodes[e.place], -1, -1
    shuttle.at = shuttle.since = e.at
    shuttle.idle_goal = None


def _rider_awaited(world: World, e: ev.RiderAwaited) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.at = shuttle.since = e.until
    shuttle.awaits.setdefault(e.request, e.at)


def _rider_boarded(world: World, e: ev.RiderBoarded) -> None:
    ride, shuttle = world.rides[e.request], world.shuttles[e.shuttle]
    ride.state, ride.boarded_at = "aboard", e.at
    shuttle.plan = _without(shuttle.plan, 2 * ride.number)
    shuttle.aboard += ride.request.seats
    shuttle.wheelchairs += ride.request.wheelchairs
    _end_service(world, shuttle, ride.pickup, e.at, dwell(world.policy, ride.request.seats))


def _rider_alighted(world: World, e: ev.RiderAlighted) -> None:
    ride, shuttle = world.rides[e.request], world.shuttles[e.shuttle]
    ride.state, ride.shuttle = "delivered", None
    shuttle.plan = _without(shuttle.plan, 2 * ride.number + 1)
    shuttle.aboard -= ride.request.seats
    shuttle.wheelchairs -= ride.request.wheelchairs
    _end_service(world, shuttle, ride.dropoff, e.at, dwell(world.policy, ride.request.seats))


def _no_show(world: World, e: ev.NoShow) -> None:
    ride = world.rides[e.request]
    _take_off_plan(world, ride)
    ride.state, ride.shuttle = "no_show", None
    shuttle = world.shuttles[e.shuttle]
    shuttle.at = shuttle.since = e.at
    shuttle.awaits.pop(e.request, None)


def _call_made(world: World, e: ev.CallMade) -> None:
    shuttle, call = world.shuttles[e.shuttle], world.calls[e.number].call
    shuttle.plan = _without(shuttle.plan, 2 * e.number)
    _end_service(world, shuttle, shuttle.stands if call.place is None else call.place, e.at, call.duration)
    if call.kind == "break":
        shuttle.rests = e.number


def _break_planned(world: World, e: ev.BreakPlanned) -> None:
    shuttle, number = world.shuttles[e.shuttle], len(world.numbered)
    world.numbered.append(None)
    world.calls[number] = Call(number, e.call, e.shuttle, asked=True)
    visits = shuttle.plan.visits
    shuttle.plan = Plan(shuttle.plan.version + 1, (*visits[: e.after], 2 * number, *visits[e.after :]))
    _never_past(shuttle, e.at)
    shuttle.idle_goal = None


def _break_dropped(world: World, e: ev.BreakDropped) -> None:
    shuttle = world.shuttles[e.shuttle]
    _anew(shuttle, e.at)
    shuttle.plan = _without(shuttle.plan, 2 * e.number)


def _break_ended(world: World, e: ev.BreakEnded) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.at, shuttle.rests = e.at, -1


def _shuttle_broke_down(world: World, e: ev.ShuttleBrokeDown) -> None:
    shuttle = world.shuttles[e.shuttle]
    shuttle.state, shuttle.node, shuttle.at, shuttle.heading = "broken", e.node, e.at, -1
    for code in shuttle.plan.visits:
        ride = world.ride_of(code)
        if ride is not None and ride.state in ("booked", "stranded"):
            ride.shuttle = None
            world.unplaced[ride.request.id] = None
    shuttle.plan = Plan(
        shuttle.plan.version + 1,
        tuple(c for c in shuttle.plan.visits if (r := world.ride_of(c)) is not None and r.state == "aboard"),
    )


def _rider_stranded(world: World, e: ev.RiderStranded) -> None:
    ride, shuttle = world.rides[e.request], world.shuttles[e.shuttle]
    shuttle.plan = _without(shuttle.plan, 2 * ride.number + 1)
    shuttle.aboard -= ride.request.seats
    shuttle.wheelchairs -= ride.request.wheelchairs
    if ride.boarded_at is not None:
        ride.ridden += e.at - ride.boarded_at
    ride.state, ride.shuttle, ride.pickup, ride.boarded_at = "stranded", None, e.place, None
    world.unplaced[e.request] = None


def _all_from_now(world: World, now: int) -> None:
    for shuttle in world.shuttles.values():
        _anew(shuttle, now)


def _road_closed(world: World, e: ev.RoadClosed) -> None:
    world.closed_edges.update(dict.fromkeys(e.edges))
    _all_from_now(world, e.at)


def _road_reopened(world: World, e: ev.RoadReopened) -> None:
    for edge in e.edges:
        world.closed_edges.pop(edge, None)
    _all_from_now(world, e.at)


def _speeds_changed(world: World, e: ev.SpeedsChanged) -> None:
    world.speed_factor = e.factor
    _all_from_now(world, e.at)


def _act_taken(world: World, e: ev.ActTaken) -> None:
    if e.act in ("pause", "resume"):
        world.paused = e.act == "pause"
    elif e.act in ("lock", "unlock") and e.request is not None:
        world.rides[e.request].locked = e.act == "lock"
    elif e.act == "close_stop" and e.place is not None:
        world.closed_places[e.place] = None
        _off_closed_places(world)
    elif e.act == "open_stop" and e.place is not None:
        world.closed_places.pop(e.place, None)


def _off_closed_places(world: World) -> None:
    """Who waits for an answer is fetched from, and brought to, open stop points only, if they can walk to one."""
    closed = world.closed_places
    for ride in world.rides.values():
        if ride.state not in ("asked", "queued"):
            continue
        request = ride.request
        ride.request = replace(
            request,
            origins=tuple(a for a in request.origins if a.place not in closed) or request.origins,
            destinations=tuple(a for a in request.destinations if a.place not in closed) or request.destinations,
        )


def _timer_ticked(world: World, e: ev.TimerTicked) -> None:
    if (e.improves or e.tries is None) and world.improves_at(e.at):
        world.unimproved = False
    world.ticked = e.at
    for request in list(islice(world.queue, e.tries or 0)):
        world.queue[request] = world.queue.pop(request)


def _nothing(world: World, e: ev.Event) -> None:
    """Told for the log's sake."""


_FOLD: dict[type, Callable[[World, Any], None]] = {
    ev.DayOpened: _day_opened,
    ev.PolicyChanged: _policy_changed,
    ev.ShiftOpened: _shift_opened,
    ev.ShiftClosed: _shift_closed,
    ev.ShiftChanged: _shift_changed,
    ev.RequestMade: _request_made,
    ev.QuoteDeclined: _quote_declined,
    ev.RideCancelled: _ride_cancelled,
    ev.RideBooked: _ride_booked,
    ev.RideRefused: _ride_refused,
    ev.RideQueued: _ride_queued,
    ev.PlansChanged: _plans_changed,
    ev.PromiseAtRisk: _promise_at_risk,
    ev.IdleSent: _idle_sent,
    ev.DriveStarted: _drive_started,
    ev.ProgressMade: _progress_made,
    ev.PositionReported: _position_reported,
    ev.ShuttleOverdue: _shuttle_overdue,
    ev.StopArrived: _stop_arrived,
    ev.RiderAwaited: _rider_awaited,
    ev.RiderBoarded: _rider_boarded,
    ev.RiderAlighted: _rider_alighted,
    ev.NoShow: _no_show,
    ev.CallMade: _call_made,
    ev.BreakPlanned: _break_planned,
    ev.BreakDropped: _break_dropped,
    ev.BreakEnded: _break_ended,
    ev.ShuttleBrokeDown: _shuttle_broke_down,
    ev.RiderStranded: _rider_stranded,
    ev.RoadClosed: _road_closed,
    ev.RoadReopened: _road_reopened,
    ev.SpeedsChanged: _speeds_changed,
    ev.TimerTicked: _timer_ticked,
    ev.PlansProposed: _nothing,
    ev.ActTaken: _act_taken,
    ev.DayClosed: _nothing,
}
_COME_OR_GO = frozenset(
    {ev.RideBooked, ev.RideCancelled, ev.RideQueued, ev.NoShow, ev.ShuttleBrokeDown, ev.RoadClosed, ev.RoadReopened}
)
