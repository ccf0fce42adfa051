"""From one service day to the next: what a new day's log begins with, rides booked ahead included."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.domain import NEVER, Access, Promise, Quote, Receipt, RideRequest, Shift
from dispatch.core.reactions import Reactions
from dispatch.core.world import Ride, Shuttle, World

NOT_CARRIED = "not_carried"
"""binding constraint of a ride of the day before that the new day cannot carry"""


def on_day(shift: str, day: str) -> str:
    """Id of a shift of a later day, as it is known until that day is open."""
    return f"{shift}@{day}"


def day_of(shift: str) -> str | None:
    """Date of the later day that a shift is of; None: it is one of the open day's."""
    _, at, day = shift.rpartition("@")
    try:
        return dt.date.fromisoformat(day).isoformat() if at else None
    except ValueError:
        return None


def close_day(reactions: Reactions, now: int) -> None:
    """End the log of a day: who is still in the queue is told no."""
    world = reactions.desk.world
    for request in list(world.queue):
        receipt = world.rides[request].receipt or Receipt(0, 0)
        reactions.record([ev.RideRefused(now, request, receipt)])
    reactions.record([ev.DayClosed(now)])


def open_day(reactions: Reactions, opening: Sequence[ev.Event], now: int, before: World | None = None) -> None:
    """Begin the log of a day with `opening` (DayOpened first), as it stands at `now`.

    From the day before come the policy in force, closed roads and stop points, what operators did to shifts, shifts
    that are not over and that the new day does not name itself, and rides booked ahead with the promises that were
    made, each on its own shuttle if that can still be. One that no shuttle of the new day can carry is asked for and
    refused, so that its rider is told.
    """
    opened = opening[0]
    assert isinstance(opened, ev.DayOpened)
    reactions.record([replace(opened, at=now)])
    if before is None or before.opened is None:
        reactions.record([replace(event, at=now) for event in opening[1:]])
        return
    later = opened.zero_utc - before.opened.zero_utc
    reactions.record([ev.PolicyChanged(now, before.policy)])
    known = _known(before, opened.date)
    named = set()
    for event in opening[1:]:
        if isinstance(event, ev.ShiftOpened):
            named.add(event.shift.id)
            _open_shift(reactions, event.shift, known.get(event.shift.id), before, later, now)
        elif not isinstance(event, ev.PolicyChanged):
            reactions.record([replace(event, at=now)])
    for name, old in known.items():
        shuttle = before.shuttles[old]
        if shuttle.state == "on" and name not in named and shuttle.shift.end - later > now:
            reactions.record([ev.ShiftOpened(now, _moved_shift(shuttle.shift, name, later, shuttle.node))])
    if before.closed_edges:
        reactions.change_roads(ev.RoadClosed(now, tuple(before.closed_edges), "", "still closed"), now)
    if before.speed_factor != 1.0:
        reactions.change_roads(ev.SpeedsChanged(now, before.speed_factor), now)
    places = {name: place for place, name in enumerate(opened.places)}
    moved = {old: places[name] for old, name in enumerate(before.opened.places) if name in places}
    if before.paused:
        reactions.record([ev.ActTaken(now, "pause", "naru", "still paused")])
    for old_place in before.closed_places:
        if old_place in moved:
            reactions.record([ev.ActTaken(now, "close_stop", "naru", "still closed", place=moved[old_place])])
    _Carrying(reactions, before, {old: name for name, old in known.items()}, later, moved, now).run()


def _known(before: World, day: str) -> dict[str, str]:
    """Shifts of the day before by the name that they have from now on. Those of the new day lose its date."""
    suffix = on_day("", day)
    return {name.removesuffix(suffix): name for name in before.shuttles}


def _open_shift(reactions: Reactions, shift: Shift, old: str | None, before: World, later: int, now: int) -> None:
    """A shift of the new day's own, as operators left it if it was known the day before."""
    if old is None or day_of(old) is None:
        reactions.record([ev.ShiftOpened(now, shift)])  # new, or the same name on the day that is over
        return
    known = before.shuttles[old]
    if known.state != "on":  # the days until then have to know it, too
        reactions.record([ev.ShiftOpened(now, shift), ev.ShiftClosed(now, shift.id)])
        return
    reactions.record([ev.ShiftOpened(now, replace(shift, end=known.shift.end - later))])


class _Carrying:
    """Rides booked ahead, taken over one after the other in the order in which they will be driven."""

    def __init__(
        self, reactions: Reactions, before: World, named: dict[str, str], later: int, places: dict[int, int], now: int
    ) -> None:
        self.reactions, self.before, self.named = reactions, before, named
        self.later, self.places, self.now = later, places, now

    def run(self) -> None:
        rides = [
            (ride.promise, ride)
            for ride in self.before.rides.values()
            if ride.state == "booked" and ride.promise is not None and ride.promise.pickup_to - self.later >= self.now
        ]
        for promise, ride in sorted(rides, key=lambda pair: (pair[0].pickup_from, pair[1].number)):
            self._carry(ride, promise)

    def _carry(self, ride: Ride, told: Promise) -> None:
        request = _moved_request(ride.request, self.later, self.places)
        if request is None:
            return  # its stop points are no more: nothing of it can be said in the new day's terms
        now, later, name = self.now, self.later, request.id
        self.reactions.record([ev.RequestMade(now, request, carried=True)])
        pickup = next((a for a in request.origins if a.place == self.places.get(ride.pickup)), None)
        dropoff = next((a for a in request.destinations if a.place == self.places.get(ride.dropoff)), None)
        promise = Promise(told.pickup_from - later, told.pickup_to - later, told.dropoff_by - later, told.max_ride)
        events: list[ev.Event] = []
        if pickup is not None and dropoff is not None:
            quote = Quote(name, "carried", "", (0, 0), pickup, dropoff, 0, 0, promise, 0, -1, NEVER)
            events = self._as_planned(ride, quote) or self.reactions.desk.accept(quote, now)
        booked = [
            replace(event, promise=promise, fare=ride.fare) if isinstance(event, ev.RideBooked) else event
            for event in events
        ]
        self.reactions.record(booked or [ev.RideRefused(now, name, Receipt(0, 0, NOT_CARRIED))])
        if booked and ride.locked:
            self.reactions.record([ev.ActTaken(now, "lock", "naru", "still locked", name)])

    def _as_planned(self, ride: Ride, quote: Quote) -> list[ev.Event]:
        """On the shuttle and in the order of its plan of the day before; [] if that can no longer be."""
        shuttle = None if ride.shuttle is None else self.named.get(ride.shuttle)
        desk = self.reactions.desk
        if ride.shuttle is None or shuttle is None or shuttle not in desk.world.shuttles:
            return []
        there = desk.world.shuttles[shuttle]
        if there.state != "on":
            return []
        rank = {visit: k for k, visit in enumerate(_visits(self.before, self.before.shuttles[ride.shuttle]))}
        ranks = [rank.get(visit, -1) for visit in _visits(desk.world, there)]
        i = sum(r < rank[quote.request, 0] for r in ranks)
        j = sum(r < rank[quote.request, 1] for r in ranks)
        return desk.insert(quote, shuttle, (i, j), self.now)


def _visits(world: World, shuttle: Shuttle) -> list[tuple[str, int]]:
    """A plan's visits by names that hold in any day's log: (ride, 0 or 1), fixed calls by their order."""
    named = []
    calls = 0
    for code in shuttle.plan.visits:
        ride = world.ride_of(code)
        named.append(("", calls) if ride is None else (ride.request.id, code % 2))
        calls += ride is None
    return named


def _moved_shift(shift: Shift, name: str, later: int, node: int) -> Shift:
    calls = tuple(replace(c, earliest=c.earliest - later, latest=c.latest - later) for c in shift.calls)
    return replace(shift, id=name, node=node, start=shift.start - later, end=shift.end - later, calls=calls)


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
