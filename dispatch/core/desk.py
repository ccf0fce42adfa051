"""The desk: takes what happens, answers with events.

Deciding never changes anything: `quote`, `accept`, `cancel`, `refuse`, `serve` return events (or quotes), and only
`apply` folds events into the world and brings the arrays up to date. So a live service can lose a commit and a
simulator can run the same code, and the same inputs always give the same answers.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core import offers, selective
from dispatch.core.domain import Access, Promise, Quote, Receipt
from dispatch.core.fold import fold_in
from dispatch.core.openings import Found, Opening, best_opening, opening_between
from dispatch.core.pack import pack, write_call, write_drive, write_ends, write_ride, write_shuttle
from dispatch.core.refusals import impossible, why_not
from dispatch.core.schedule import timetable
from dispatch.core.timing import OK, start
from dispatch.core.world import Ride, World
from routing.paths import length_mm
from routing.travel_times import DriveTimes

ANSWER_WITHIN = 30_000
"""ms until the next multiple of which a rider has an answer, queue or no queue"""

Reroute = Callable[[frozenset[int], float], DriveTimes]
"""driving times with these edges closed and all drives lengthened by the factor"""


class Answer(Struct, frozen=True):
    """What a rider can have. No quote among `quotes` goes beyond what was asked; those in `later` do."""

    quotes: tuple[Quote, ...]
    later: tuple[Quote, ...]
    receipt: Receipt


class Desk:
    """One zone's dispatcher: the world, its arrays, and the decisions made on them."""

    def __init__(self, times: DriveTimes, *, reroute: Reroute | None = None, world: World | None = None) -> None:
        self.times = times
        self.world = world or World()
        self.names = list(self.world.shuttles)
        self.touched: set[str] = set(self.names)
        """shuttles that events have changed since whoever drives them last looked"""
        self._fleet = pack(self.world, times)
        self._late: set[str] = set()
        self._unwritten: set[str] = set(self.names)
        """shuttles whose rows are not as the world is: arriving, boarding and leaving are one moment, written once"""
        self.rejected = 0
        """proposals that the judge refused"""
        self.reroute = reroute

    @property
    def fleet(self) -> f.Fleet:
        """The world's arrays, as it is now."""
        if self._unwritten:
            self._write()
        return self._fleet

    @property
    def late(self) -> set[str]:
        """Shuttles whose timetable breaks something that was promised."""
        if self._unwritten:
            self._write()
        return self._late

    # folding

    def apply(self, event: ev.Event) -> None:
        """Fold one event into the world and its arrays."""
        world, kind = self.world, type(event)
        if kind is ev.RequestMade:
            fold_in(world, event)
            return
        if kind in _DRIVES:
            fold_in(world, event)
            name: str = event.shuttle  # type: ignore[attr-defined]
            self.touched.add(name)
            if name in self._unwritten or not (
                kind in _AS_PLANNED and write_drive(self._fleet, world.shuttles[name], self.times)
            ):
                self._unwritten.add(name)
            return
        if kind in _ONE_RIDE:
            fold_in(world, event)
            write_ride(self._fleet, world, world.rides[event.request])  # type: ignore[attr-defined]
            self._unwritten.add(event.shuttle)  # type: ignore[attr-defined]
            self.touched.add(event.shuttle)  # type: ignore[attr-defined]
            return
        request = getattr(event, "request", None)
        ride = world.rides.get(request) if isinstance(request, str) else None
        touched = {getattr(event, "shuttle", None), ride.shuttle if ride else None}
        fold_in(world, event)
        if ride is not None:
            touched.add(ride.shuttle)
            if ride.promise is not None:
                write_ride(self._fleet, world, ride)
        if kind is ev.PlansChanged:
            touched.update(event.plans)  # type: ignore[attr-defined]
        elif kind is ev.ShiftOpened:
            self._open(event.shift.id)  # type: ignore[attr-defined]
        elif kind is ev.BreakPlanned:
            write_call(self._fleet, world.calls[len(world.numbered) - 1])
        elif kind is ev.PolicyChanged:
            self._fleet = pack(world, self.times)
            touched.update(world.shuttles)
        elif kind in _ROADS:
            if self.reroute is not None:
                self.times = self.reroute(frozenset(world.closed_edges), world.speed_factor)
            touched.update(world.shuttles)
        touched.discard(None)
        self._unwritten |= touched  # type: ignore[arg-type]
        self.touched |= touched  # type: ignore[arg-type]

    def _open(self, name: str) -> None:
        self.names.append(name)
        for code in self.world.shuttles[name].plan.visits:
            write_call(self._fleet, self.world.calls[code // 2])
        self._unwritten.add(name)
        self.touched.add(name)

    def _write(self) -> None:
        for name in self._unwritten:
            if write_shuttle(self._fleet, self.world, self.world.shuttles[name], self.times) == OK:
                self._late.discard(name)
            else:
                self._late.add(name)
        self._unwritten.clear()

    # riders

    def quote(self, request: str, now: int) -> Answer:
        """What the rider of an open request can have now: quotes as asked, else later ones.

        The receipt counts who was in reach; `explain` says why there was nothing.
        """
        ride = self.world.rides[request]
        policy = self.world.policy
        refusal = impossible(self.world, ride.request, now)
        if refusal is not None:
            return Answer((), (), refusal)
        found = self._best(ride, now)
        reach = Receipt(found.on_shift, found.in_reach)
        if found.opening is not None:
            no = self._too_much(ride, found, now)
            if no is not None:
                return Answer((), (), no)
            quotes = [self._quote(ride, found.opening, "soonest", now)]
            if policy.quotes > 1 and len(ride.request.origins) * len(ride.request.destinations) > 1:
                near = self._best(ride, now, nearest_only=True).opening
                if near is not None and near.walk < found.opening.walk:
                    quotes.append(self._quote(ride, near, "least_walk", now))
            return Answer(tuple(quotes), (), reach)
        later: tuple[Quote, ...] = ()
        if policy.later_s > 0:
            ahead = self._best(ride, now, later=policy.later_s * 1000).opening
            if ahead is not None:
                later = (self._quote(ride, ahead, "later", now),)
        return Answer((), later, reach)

    def explain(self, request: str, now: int) -> Receipt:
        """Why an open request can't be had now: what bound each shuttle, and what would have worked."""
        return why_not(self.world, self.fleet, self.names, self.times, self.world.rides[request], now)

    def accept(self, quote: Quote, now: int) -> list[ev.Event]:
        """Book what was quoted, judged again if the world has moved on; [] if it can no longer be had."""
        ride = self.world.rides[quote.request]
        if ride.state not in ("asked", "queued"):
            return []
        if quote.seq != self.world.seq:
            found = self._between(ride, now, quote.pickup, quote.dropoff, quote.promise)
            if found is None or now > quote.expires_at:
                return []
            quote = self._quote(ride, found, quote.kind, now)
        return self._book(ride, quote, now)

    def cancel(self, request: str, now: int, reason: str = "") -> list[ev.Event]:
        """Give a booking, or a place in the queue, back; [] if there is nothing left to give back."""
        ride = self.world.rides.get(request)
        if ride is None or ride.state not in ("asked", "queued", "booked"):
            return []
        events: list[ev.Event] = []
        if ride.shuttle is not None:
            codes = (2 * ride.number, 2 * ride.number + 1)
            rest = tuple(c for c in self.world.shuttles[ride.shuttle].plan.visits if c not in codes)
            events += self.turn(ride.shuttle, rest, now)
        return [*events, ev.RideCancelled(now, request, reason)]

    def refuse(self, request: str, now: int, answer: Answer) -> list[ev.Event]:
        """The answer to a rider for whom there is no quote: a place in the queue, or no and why.

        Without a queue the rider is tried once more when the plans have been improved, at the next multiple of 30 s.
        """
        policy = self.world.policy
        if answer.receipt.binding is None and self.world.rides[request].state == "asked":
            if policy.queue:
                until = max(_next_answer(now), now + policy.queue.max_wait_s * 1000)
                return [ev.RideQueued(now, request, until, self.explain(request, now))]
            if policy.reoptimise:
                return [ev.RideQueued(now, request, _next_answer(now), answer.receipt)]
        if answer.receipt.binding == selective.BINDING:
            return [ev.RideRefused(now, request, answer.receipt)]
        times = tuple((q.pickup_at, q.dropoff_at) for q in answer.later)
        return [ev.RideRefused(now, request, self.explain(request, now), times)]

    def serve(self, request: str, now: int) -> list[ev.Event]:
        """Try a queued request again, up to `later_s` later than asked if there is a queue.

        Booked, refused because its time is over, or [] (still waiting).
        """
        ride = self.world.rides[request]
        if self.world.paused and (ride.until is None or now < ride.until):
            return []
        later = self.world.policy.later_s * 1000 if self.world.policy.queue else 0
        found = self._best(ride, now, later=later).opening
        booked = [] if found is None else self._book(ride, self._quote(ride, found, "soonest", now), now)
        return booked or self.give_up(request, now)

    def give_up(self, request: str, now: int) -> list[ev.Event]:
        """Refuse a queued request whose time is over; [] while it is not."""
        ride = self.world.rides[request]
        if ride.until is None or ride.receipt is None or now < ride.until:
            return []
        # why, as it was when the rider asked; a rider who was only to be tried twice has not been told yet
        receipt = self.explain(request, now) if ride.receipt.binding is None else ride.receipt
        return [ev.RideRefused(now, request, receipt)]

    # where there is room

    def _best(self, ride: Ride, now: int, *, later: int = 0, nearest_only: bool = False) -> Found:
        return best_opening(
            self.fleet, self.times, self.world.policy, ride, now, later=later, nearest_only=nearest_only
        )

    def _between(self, ride: Ride, now: int, origin: Access, destination: Access, within: Promise) -> Opening | None:
        policy = self.world.policy
        return opening_between(self.fleet, self.times, policy, ride, now, origin, destination, within).opening

    def _too_much(self, ride: Ride, found: Found, now: int) -> Receipt | None:
        """The refusal of a ride that takes too much of the shuttles' time, if the policy is so."""
        rules, opening = self.world.policy.selective, found.opening
        if rules is None or opening is None:
            return None
        taken = (opening.cost - int(self.fleet.rules[f.W_DELAY]) * (opening.dropoff_at - now)) // 1000
        persons = max(ride.request.seats, ride.request.wheelchairs)
        return selective.refusal(self.world, rules, taken, persons, (found.on_shift, found.in_reach), now)

    def _quote(self, ride: Ride, opening: Opening, kind: str, now: int) -> Quote:
        policy = self.world.policy
        return Quote(
            request=ride.request.id,
            kind=kind,  # type: ignore[arg-type]
            shuttle=self.names[opening.row],
            after=opening.after,
            pickup=opening.origin,
            dropoff=opening.destination,
            pickup_at=opening.pickup_at,
            dropoff_at=opening.dropoff_at,
            promise=offers.promise(opening.allowed, opening.pickup_at, policy),
            fare=offers.fare(ride.request, policy.fares),
            seq=self.world.seq,
            expires_at=now + policy.quote_valid_s * 1000,
        )

    def _book(self, ride: Ride, quote: Quote, now: int) -> list[ev.Event]:
        shuttle = self.world.shuttles[quote.shuttle]
        plan = _with(shuttle.plan.visits, ride, quote.after)
        if not self._fits(ride, quote, plan, now):
            self.rejected += 1
            return []
        return [
            *self.turn(quote.shuttle, plan, now, quote.pickup.place if quote.after[0] == 0 else None),
            ev.RideBooked(
                at=now,
                request=quote.request,
                shuttle=quote.shuttle,
                after=quote.after,
                version=shuttle.plan.version + 1,
                promise=quote.promise,
                pickup=quote.pickup,
                dropoff=quote.dropoff,
                pickup_at=quote.pickup_at,
                dropoff_at=quote.dropoff_at,
                kind=quote.kind,
                fare=quote.fare,
            ),
        ]

    def insert(self, quote: Quote, shuttle: str, after: tuple[int, int], now: int) -> list[ev.Event]:
        """Book what was promised on this very shuttle, after points (i, j) of its plan; [] if that cannot be."""
        ride = self.world.rides[quote.request]
        quote = replace(quote, shuttle=shuttle, after=after)
        plan = _with(self.world.shuttles[shuttle].plan.visits, ride, after)
        if not self._fits(ride, quote, plan, now):
            return []
        pickup, dropoff = self.planned(ride, shuttle, plan, now)
        return self._book(ride, replace(quote, pickup_at=pickup, dropoff_at=dropoff), now)

    def _fits(self, ride: Ride, quote: Quote, plan: tuple[int, ...], now: int) -> bool:
        """Does the quote's shuttle keep everything promised, this quote's included, if it has this plan?"""
        # the search tried other stop points since: the ride is judged between those that were quoted
        write_ends(self.fleet, self.world.policy, ride, quote.pickup.place, quote.dropoff.place, quote.promise)
        return timetable(self.fleet, self.times, self.world.shuttles[quote.shuttle], plan, now)[0] == OK

    def turn(self, name: str, visits: tuple[int, ...], now: int, first_place: int | None = None) -> list[ev.Event]:
        """The driving shuttle gives up its goal at the next node, if that is not where `visits` begin."""
        shuttle = self.world.shuttles[name]
        if shuttle.heading < 0:
            return []
        if first_place is None and visits:
            first_place = int(self.fleet.visits[visits[0], f.V_PLACE])
        if first_place == shuttle.heading:
            return []
        node, at, driven = self.waypoint(name, now)
        return [ev.ProgressMade(now, name, node, at, driven)]

    def place(self, ride: Ride, now: int, within: Promise) -> tuple[str, tuple[int, ...]] | None:
        """Shuttle and plan that would carry a ride already booked within these bounds; None if there is none."""
        opening = self._between(ride, now, Access(ride.pickup), Access(ride.dropoff), within)
        if opening is None:
            return None
        name = self.names[opening.row]
        return name, _with(self.world.shuttles[name].plan.visits, ride, opening.after)

    def planned(self, ride: Ride, name: str, visits: tuple[int, ...], now: int) -> tuple[int, int]:
        """(pickup, drop-off) times of a ride if the shuttle had this plan."""
        _, route = timetable(self.fleet, self.times, self.world.shuttles[name], visits, now)
        at = {int(c): int(b) for c, b in zip(route[f.CODE], route[f.BEGIN], strict=True)}
        return at[2 * ride.number], at[2 * ride.number + 1]

    def planned_now(self, ride: Ride, name: str, visits: tuple[int, ...]) -> tuple[int | None, int]:
        """(pickup, drop-off) times of a ride by its shuttle's timetable as it is; no pickup: it is aboard."""
        route = self.fleet.routes[self.world.shuttles[name].row, f.BEGIN, : len(visits)].tolist()
        at = dict(zip(visits, route, strict=True))
        return at.get(2 * ride.number), at[2 * ride.number + 1]

    def waypoint(self, name: str, now: int) -> tuple[int, int, int]:
        """Start waypoint of a shuttle: (node, time, mm driven since it was last heard of)."""
        times = self.times
        row = self.fleet.shuttles[self.world.shuttles[name].row]
        node, at = start(row, now, times.table, times.indptr, times.heads, times.edge_ms)
        driven = 0
        if row[f.HEADING] >= 0:
            driven = length_mm(
                times.table,
                times.indptr,
                times.heads,
                times.edge_ms,
                times.edge_mm,
                row[f.SLICE],
                row[f.NODE],
                row[f.HEADING],
                node,
            )
        return int(node), int(at), int(driven)


def _with(visits: tuple[int, ...], ride: Ride, after: tuple[int, int]) -> tuple[int, ...]:
    (i, j), code = after, 2 * ride.number
    return (*visits[:i], code, *visits[i:j], code + 1, *visits[j:])


def _next_answer(now: int) -> int:
    return (now // ANSWER_WITHIN + 1) * ANSWER_WITHIN


_DRIVES = frozenset(
    {ev.DriveStarted, ev.ProgressMade, ev.PositionReported, ev.ShuttleOverdue, ev.StopArrived, ev.IdleSent}
)
"""what changes a shuttle and nobody's ride"""
_AS_PLANNED = frozenset({ev.DriveStarted, ev.StopArrived})
"""of these, what a timetable foresees"""
_ONE_RIDE = frozenset({ev.RideBooked, ev.RiderBoarded, ev.RiderAlighted})
"""what changes a ride and the shuttle that it is on, and no other"""
_ROADS = frozenset({ev.RoadClosed, ev.RoadReopened, ev.SpeedsChanged})
