"""From one service day to the next: what a new day's log begins with, rides booked ahead included."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.domain import NEVER, Access, Promise, Quote, Receipt, RideRequest, Shift
from dispatch.core.reactions import Reactions
from dispatch.core.world import Ride, World


def close_day(reactions: Reactions, now: int) -> None:
    """End the log of a day: who is still in the queue is told no."""
    world = reactions.desk.world
    for request in list(world.queue):
        receipt = world.rides[request].receipt or Receipt(0, 0)
        reactions.record([ev.RideRefused(now, request, receipt)])
    reactions.record([ev.DayClosed(now)])


def open_day(reactions: Reactions, opening: Sequence[ev.Event], now: int, before: World | None = None) -> None:
    """Begin the log of a day with `opening` (DayOpened first), as it stands at `now`.

    From the day before come the policy in force, closed roads, shifts that are not over and that the new day does not
    name itself, and rides booked ahead with the promises that were made. One that no shuttle of the new day can carry
    is asked for and refused, so that its rider is told.
    """
    opened = opening[0]
    assert isinstance(opened, ev.DayOpened)
    reactions.record([replace(opened, at=now)])
    if before is None or before.opened is None:
        reactions.record([replace(event, at=now) for event in opening[1:]])
        return
    later = opened.zero_utc - before.opened.zero_utc
    reactions.record([ev.PolicyChanged(now, before.policy)])
    named = {event.shift.id for event in opening if isinstance(event, ev.ShiftOpened)}
    for event in opening[1:]:
        if not isinstance(event, ev.PolicyChanged):
            reactions.record([replace(event, at=now)])
    for shuttle in before.shuttles.values():
        if shuttle.state == "on" and shuttle.shift.id not in named and shuttle.shift.end - later > now:
            reactions.record([ev.ShiftOpened(now, _moved_shift(shuttle.shift, later, shuttle.node))])
    if before.closed_edges:
        reactions.change_roads(ev.RoadClosed(now, tuple(before.closed_edges), "", "still closed"), now)
    if before.speed_factor != 1.0:
        reactions.change_roads(ev.SpeedsChanged(now, before.speed_factor), now)
    places = {name: place for place, name in enumerate(opened.places)}
    moved = {old: places[name] for old, name in enumerate(before.opened.places) if name in places}
    for ride in sorted(before.rides.values(), key=_by_pickup):
        if ride.state == "booked" and ride.promise is not None and ride.promise.pickup_to - later >= now:
            _carry(reactions, ride, ride.promise, later, moved, now)


def _carry(reactions: Reactions, ride: Ride, promise: Promise, later: int, places: dict[int, int], now: int) -> None:
    request = _moved_request(ride.request, later, places)
    if request is None:
        return  # its stop points are no more: nothing of it can be said in the new day's terms
    pickup = next((a for a in request.origins if a.place == places.get(ride.pickup)), None)
    dropoff = next((a for a in request.destinations if a.place == places.get(ride.dropoff)), None)
    reactions.record([ev.RequestMade(now, request)])
    promise = Promise(
        promise.pickup_from - later, promise.pickup_to - later, promise.dropoff_by - later, promise.max_ride
    )
    events: list[ev.Event] = []
    if pickup is not None and dropoff is not None:
        quote = Quote(request.id, "soonest", "", (0, 0), pickup, dropoff, 0, 0, promise, 0, -1, NEVER)
        events = [
            replace(event, promise=promise) if isinstance(event, ev.RideBooked) else event
            for event in reactions.desk.accept(quote, now)
        ]
    reactions.record(events or [ev.RideRefused(now, request.id, Receipt(0, 0, "off_shift"))])


def _by_pickup(ride: Ride) -> tuple[int, int]:
    return (0 if ride.promise is None else ride.promise.pickup_from), ride.number


def _moved_shift(shift: Shift, later: int, node: int) -> Shift:
    calls = tuple(replace(c, earliest=c.earliest - later, latest=c.latest - later) for c in shift.calls)
    return replace(shift, node=node, start=shift.start - later, end=shift.end - later, calls=calls)


def _moved_request(request: RideRequest, later: int, places: dict[int, int]) -> RideRequest | None:
    def at(moment: int | None) -> int | None:
        return None if moment is None else moment - later

    origins = tuple(Access(places[a.place], a.walk) for a in request.origins if a.place in places)
    destinations = tuple(Access(places[a.place], a.walk) for a in request.destinations if a.place in places)
    if not origins or not destinations:
        return None
    return replace(
        request,
        origins=origins,
        destinations=destinations,
        depart_after=request.depart_after - later,
        arrive_by=at(request.arrive_by),
        latest_pickup=at(request.latest_pickup),
        latest_dropoff=at(request.latest_dropoff),
        first_depart=at(request.first_depart),
    )
