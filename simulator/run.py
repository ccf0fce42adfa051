"""A day under a virtual clock: the same desk that answers real riders, the people and shuttles around it simulated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from msgspec import Struct, field

from dispatch import solver
from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy, Promise, Quote, RideRequest, Shift
from dispatch.core.reactions import Reactions, Write, answer
from dispatch.core.world import World
from simulator import disturbances as disturb
from simulator import riders as habits
from simulator import vehicles
from simulator.choice import Way
from simulator.clock import CANCELLATION, CHANGE, FACT, REQUEST, TIMER, Agenda
from simulator.disturbances import Disturbances
from simulator.riders import Riders


class Day(Struct, frozen=True):
    """What a day starts from."""

    opened: ev.DayOpened
    policy: Policy
    shifts: tuple[Shift, ...]
    requests: tuple[tuple[int, RideRequest], ...]
    """(when it is made, ms; the request), in order of time"""
    riders: Riders
    disturbances: Disturbances
    seed: int
    ways: dict[str, tuple[Way, ...]] = field(default_factory=dict)
    """what each attempt could do instead, where riders choose"""
    rules: tuple[ev.PolicyChanged, ...] = ()
    """other policies during the day, as a trial's schedule has them"""
    acts: tuple[ev.ActTaken, ...] = ()
    """what operators do before anybody asks"""


class People(Protocol):
    """What riders do about what they are told."""

    def answer(self, request: RideRequest, quotes: Sequence[Quote]) -> int | None:
        """Index of the quote taken; None: none."""

    def cancel_at(self, request: RideRequest, promise: Promise, booked_at: int) -> int | None:
        """When the booking is given back; None: never."""

    def shows_up_at(self, request: RideRequest, promise: Promise) -> int | None:
        """When the rider is at the stop point; None: never."""

    def retry(self, request: RideRequest, refused_at: int, calls: int) -> RideRequest | None:
        """The next call after a refusal, made at its `depart_after`; None: gives up. `calls`: so far."""


class Drawn(Struct, frozen=True):
    """People whose habits are drawn from named streams of the seed."""

    riders: Riders
    seed: int
    ways: dict[str, tuple[Way, ...]] = field(default_factory=dict)

    def answer(self, request: RideRequest, quotes: Sequence[Quote]) -> int | None:
        """As `People.answer`."""
        return habits.answer(self.riders, self.seed, request, quotes, self.ways.get(habits.attempt_of(request), ()))

    def cancel_at(self, request: RideRequest, promise: Promise, booked_at: int) -> int | None:
        """As `People.cancel_at`."""
        return habits.cancel_at(self.riders, self.seed, request, promise, booked_at)

    def shows_up_at(self, request: RideRequest, promise: Promise) -> int | None:
        """As `People.shows_up_at`."""
        return habits.shows_up_at(self.riders, self.seed, request, promise)

    def retry(self, request: RideRequest, refused_at: int, calls: int) -> RideRequest | None:
        """As `People.retry`."""
        return habits.retry(self.riders, self.seed, request, refused_at, calls)


class Measured(Struct):
    """What a run cost; nothing of it is in the log."""

    decision_ms: list[float]
    """one a call: from the request to its answer"""


class Simulation:
    """One day being lived."""

    def __init__(
        self,
        day: Day,
        desk: Desk,
        write: Write,
        progress: Callable[[int], None] | None = None,
        people: People | None = None,
    ) -> None:
        self.day = day
        self.desk = desk
        self.measured = Measured([])
        self._react = Reactions(desk, write, solver.OR_TOOLS)
        self._people: People = people or Drawn(day.riders, day.seed, day.ways)
        self._progress = progress
        self._agenda = Agenda((at, REQUEST, request) for at, request in day.requests)
        self._stamp: dict[str, int] = {}
        self._slow: dict[str, int] = {}
        self._calls: dict[str, int] = {}
        self._left = 0
        """requests still to be made"""

    def run(self) -> World:
        """Live the whole day; returns the world at its end."""
        day, agenda = self.day, self._agenda
        record = self._react.record
        record([day.opened, ev.PolicyChanged(day.opened.at, day.policy)])
        record([ev.ShiftOpened(day.opened.at, shift) for shift in day.shifts])
        record(day.acts)
        self._left = len(day.requests)
        for change in day.rules:
            agenda.add(change.at, CHANGE, change)
        for speed in day.disturbances.speeds:
            agenda.add(speed.at, CHANGE, ev.SpeedsChanged(speed.at, speed.factor))
        for closure in day.disturbances.closures:
            agenda.add(closure.at, CHANGE, ev.RoadClosed(closure.at, closure.edges, "", closure.reason))
            if closure.to is not None:
                agenda.add(closure.to, CHANGE, ev.RoadReopened(closure.to, closure.edges, "", closure.reason))
        for breakdown in day.disturbances.breakdowns:
            agenda.add(breakdown.at, CHANGE, breakdown)
        self._follow()
        self._next_timer(day.requests[0][0] if day.requests else 0)
        now = day.opened.at
        while agenda:
            now, kind, what = agenda.pop()
            self._step(now, kind, what)
            self._follow()
        record([ev.DayClosed(now)])
        return self.desk.world

    def _step(self, now: int, kind: int, what: object) -> None:
        if kind == FACT:
            self._shuttle(now, what)  # type: ignore[arg-type]
            return
        if kind == REQUEST:
            self._left -= 1
            self._call(now, what)  # type: ignore[arg-type]
            if self._progress is not None:
                self._progress(now)
        elif kind == TIMER:
            self._timer(now)
        elif kind == CANCELLATION:
            self._react.cancel(what, now)  # type: ignore[arg-type]
        elif isinstance(what, disturb.Breakdown):
            if self.desk.world.shuttles[what.shift].state == "on":
                self._react.break_down(what.shift, now)
        elif isinstance(what, ev.PolicyChanged):
            self._react.record([what])
        else:
            assert isinstance(what, ev.Event)
            self._react.change_roads(what, now)
        self._react.settle(now)

    # shuttles

    def _follow(self) -> None:
        """Put the next act of every shuttle on the agenda whose plan or place has changed."""
        touched = self.desk.touched
        for name in sorted(touched) if len(touched) > 1 else touched:
            self._expect(name, vehicles.next_of(self.desk, name, self._slow.get(name, 1000)))
        touched.clear()

    def _expect(self, name: str, act: vehicles.Next | None) -> None:
        stamp = self._stamp[name] = self._stamp.get(name, 0) + 1
        if act is not None:
            self._agenda.add(act.at, FACT, (name, stamp, act), self.desk.world.shuttles[name].row)

    def _shuttle(self, now: int, what: tuple[str, int, vehicles.Next]) -> None:
        name, stamp, act = what
        if self._stamp[name] != stamp:
            return  # it was given something else to do
        desk = self.desk
        after: vehicles.Next | None = act
        while after is not None and after.at <= now:  # arriving, boarding and leaving again are often one moment
            slow = self._slow.get(name, 1000)
            facts = vehicles.act(desk, name, after, slow, self._present)
            if after.what in ("depart", "send"):
                self._slow[name] = slow = self._slowness(facts[0])
            self._react.record(facts)
            self._react.settle(now)
            after = vehicles.next_of(desk, name, slow)
        desk.touched.discard(name)
        self._expect(name, after)

    def _slowness(self, drive: ev.Event) -> int:
        """Thousandths a drive takes of what is expected. Who is early for the timetable waits: nobody outruns it."""
        assert isinstance(drive, ev.DriveStarted)
        day = self.day
        return max(
            1000,
            disturb.drive_permille(
                day.disturbances,
                day.seed,
                drive.shuttle,
                drive.node,
                drive.place,
                drive.at,
                day.opened.place_nodes[drive.place],
            ),
        )

    def _present(self, request: RideRequest) -> int | None:
        ride = self.desk.world.rides[request.id]
        if ride.state == "stranded":
            return 0
        assert ride.promise is not None
        return self._people.shows_up_at(request, ride.promise)

    # riders

    def _call(self, now: int, request: RideRequest) -> None:
        desk = self.desk
        attempt = habits.attempt_of(request)
        self._calls[attempt] = self._calls.get(attempt, 0) + 1
        self._react.record([ev.RequestMade(now, request)])
        began = perf_counter()
        events = answer(desk, request, now, self._people.answer)
        self.measured.decision_ms.append((perf_counter() - began) * 1000)
        self._react.record(events)
        self._answered(now, request)

    def _answered(self, now: int, request: RideRequest) -> None:
        """What the rider does about the answer."""
        ride = self.desk.world.rides[request.id]
        if ride.state == "booked" and ride.promise is not None:
            at = self._people.cancel_at(request, ride.promise, now)
            if at is not None:
                self._agenda.add(max(at, now), CANCELLATION, request.id)
        elif ride.state == "refused":
            again = self._people.retry(request, now, self._calls[habits.attempt_of(request)])
            if again is not None:
                self._left += 1
                self._agenda.add(again.depart_after, REQUEST, again)

    # timers

    def _next_timer(self, now: int) -> None:
        day, every = self.day, self.desk.world.round_ms
        policies = (day.policy, *(change.policy for change in day.rules))
        acts = any(policy.reoptimise or policy.queue or policy.rebalance for policy in policies)
        if not acts and not day.disturbances.breakdowns:
            return
        self._agenda.add((now // every + 1) * every, TIMER, None)

    def _timer(self, now: int) -> None:
        world = self.desk.world
        going = any(shuttle.plan.visits for shuttle in world.shuttles.values()) or world.policy.rebalance
        if going or world.queue or world.unplaced:
            for request in self._react.tick(now):
                self._answered(now, world.rides[request].request)
        # where nothing else is to happen, nobody comes any more for who lost their shuttle or stands cut off
        going_on = self._agenda and (world.unplaced or any(s.plan.visits for s in world.shuttles.values()))
        if self._left or world.queue or going_on:
            self._next_timer(now)
