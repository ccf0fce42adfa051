"""A plan judged from scratch: plain Python, every pair tried, no code shared with the timetable or the kernels.

`moment(world, times, shuttle, now)` reads one shuttle off the world as plain values; `breaches` says what its plan
breaks, `best_insertion` tries every (shuttle, i, j) for one more rider and times each plan whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from dispatch.core.domain import NEVER, Policy, Promise
from dispatch.core.world import Ride, Shuttle, World
from routing.travel_times import UNREACHABLE, DriveTimes


class Visit(NamedTuple):
    """A pickup, drop-off or fixed call, with all that binds it."""

    who: str
    kind: str
    """pickup, dropoff, or what fixed call it is"""
    place: int
    earliest: int
    latest: int
    dwell: int
    seats: int = 0
    wheelchairs: int = 0
    max_ride: int = NEVER


@dataclass(frozen=True)
class Moment:
    """One shuttle, now: from where and when it can go on, who is aboard, what it is to do."""

    node: int
    at: int
    stands: int
    goal: int
    """place it is driving to, -1 when it does not"""
    since: int
    """since when whoever is aboard has waited where it stands"""
    seats_aboard: int
    wheelchairs_aboard: int
    seats: int
    wheelchairs: int
    end: int
    stop_dwell: int
    wait_aboard: int
    visits: tuple[Visit, ...]


def moment(world: World, times: DriveTimes, name: str, now: int) -> Moment:
    """Read a shuttle off the world."""
    shuttle, policy = world.shuttles[name], world.policy
    node, at = start(shuttle, times, now)
    return Moment(
        node=node,
        at=at,
        stands=shuttle.stands,
        goal=shuttle.heading,
        since=shuttle.since,
        seats_aboard=shuttle.aboard,
        wheelchairs_aboard=shuttle.wheelchairs,
        seats=shuttle.shift.seats,
        wheelchairs=shuttle.shift.wheelchairs,
        end=shuttle.shift.end,
        stop_dwell=round(policy.dwell_stop_s * 1000),
        wait_aboard=policy.wait_aboard_s * 1000,
        visits=tuple(_visit(world, code) for code in shuttle.plan.visits),
    )


def start(shuttle: Shuttle, times: DriveTimes, now: int) -> tuple[int, int]:
    """Where and when it can next turn: along the streets of its drive, the first node not yet passed."""
    node, at = shuttle.node, shuttle.at
    if shuttle.heading < 0:
        return node, max(at, now)
    left = times.table[0, :, shuttle.heading]
    while at < now and 0 < left[node] < UNREACHABLE:
        for edge in range(int(times.indptr[node]), int(times.indptr[node + 1])):
            ms, head = int(times.edge_ms[0, edge]), int(times.heads[edge])
            if ms + int(left[head]) == int(left[node]):
                node, at = head, at + ms
                break
    return node, max(at, now)  # there by the clock, though nobody has said so


def _visit(world: World, code: int) -> Visit:
    ride = world.ride_of(code)
    if ride is None:
        call = world.calls[code // 2].call
        return Visit(f"call {code // 2}", call.kind, -1 if call.place is None else call.place,
                     call.earliest, call.latest, call.duration)  # fmt: skip
    pickup, dropoff = _ends(ride, _bounds(ride), ride.pickup, ride.dropoff, world.policy)
    if code % 2 and ride.state == "aboard":
        assert ride.boarded_at is not None
        return dropoff._replace(latest=min(dropoff.latest, ride.boarded_at + dropoff.max_ride), max_ride=NEVER)
    return dropoff if code % 2 else pickup


def _bounds(ride: Ride) -> Promise:
    """The promise; where a fact broke it, what was announced instead."""
    promise = ride.promise
    assert promise is not None
    longest = None if promise.max_ride is None else max(0, promise.max_ride - ride.ridden)
    begins, ends, by = promise.pickup_from, promise.pickup_to, promise.dropoff_by
    if ride.late_dropoff is not None:
        if ride.boarded_at is not None and longest is not None:
            by = min(by, ride.boarded_at + longest)
        by, longest = max(by, ride.late_dropoff), None
    if ride.late_pickup is not None:
        ends = max(ends, ride.late_pickup)
    if ride.state == "stranded":
        begins, ends = 0, NEVER if ride.late_pickup is None else ride.late_pickup
    return Promise(begins, ends, by, longest)


def _ends(ride: Ride, limits: Promise, pickup: int, dropoff: int, policy: Policy) -> tuple[Visit, Visit]:
    request = ride.request
    dwell = round(policy.dwell_rider_s * 1000) * request.seats
    longest = NEVER if limits.max_ride is None else limits.max_ride
    return (
        Visit(request.id, "pickup", pickup, limits.pickup_from, limits.pickup_to, dwell,
              request.seats, request.wheelchairs),
        Visit(request.id, "dropoff", dropoff, 0, limits.dropoff_by, dwell,
              -request.seats, -request.wheelchairs, longest),
    )  # fmt: skip


def places(now: Moment) -> list[int]:
    """Where each visit is: a break is wherever the shuttle then stands."""
    out, here = [], now.stands
    for visit in now.visits:
        here = visit.place if visit.place >= 0 else here
        out.append(here)
    return out


def timetable(now: Moment, times: DriveTimes) -> list[int] | None:
    """When each visit begins at the earliest if every bound on times is kept; None if that can't be.

    The least solution of the bounds, by raising whatever is too early until nothing is (Bellman and Ford).
    """
    n, where, times_of = len(now.visits), places(now), _Durations(now, times)
    aboard = now.seats_aboard
    loads = [aboard := aboard + visit.seats for visit in now.visits]
    before = [now.seats_aboard, *loads][:n]
    pickups = {visit.who: k for k, visit in enumerate(now.visits) if visit.kind == "pickup"}
    begins = [visit.earliest for visit in now.visits]
    first = now.at + times_of.first(where)
    for _ in range(2 * n + 3):
        old = list(begins)
        for k, visit in enumerate(now.visits):
            ready = first if k == 0 else begins[k - 1] + times_of.between(k - 1, where)
            begins[k] = max(begins[k], ready)
            since = min(ready, now.since) if k == 0 and ready == now.at else ready
            too_long = begins[k] - since - now.wait_aboard
            if before[k] > 0 and too_long > 0 and begins[k] > ready:
                if k == 0:
                    return None
                begins[k - 1] += too_long
            if visit.kind == "dropoff" and visit.who in pickups:
                own = pickups[visit.who]
                begins[own] = max(begins[own], begins[k] - visit.max_ride)
        if begins == old:
            break
    else:
        return None
    for k, visit in enumerate(now.visits):
        if begins[k] > visit.latest or begins[k] + times_of.service(k, where) > now.end:
            return None
    return begins


class _Durations:
    """Drives and dwells of a plan."""

    def __init__(self, now: Moment, times: DriveTimes) -> None:
        self._now = now
        self._table = times.table[0]
        self._nodes = times.place_nodes

    def first(self, where: Sequence[int]) -> int:
        """Drive to the first visit."""
        return 0 if not where or self._now.visits[0].place < 0 else int(self._table[self._now.node, where[0]])

    def service(self, k: int, where: Sequence[int]) -> int:
        """Dwell at visit k; the stop's own share only where the doors are not open already."""
        before = where[k - 1] if k else self._now.stands
        return self._now.visits[k].dwell + (self._now.stop_dwell if where[k] != before else 0)

    def between(self, k: int, where: Sequence[int]) -> int:
        """From the begin of visit k to the arrival at the next."""
        if self._now.visits[k + 1].place < 0:
            return self.service(k, where)
        node = self._now.node if where[k] < 0 else int(self._nodes[where[k]])
        return self.service(k, where) + int(self._table[node, where[k + 1]])

    def drive(self, where: Sequence[int]) -> int:
        """All driving of the plan."""
        node, total = self._now.node, 0
        for k, place in enumerate(where):
            if self._now.visits[k].place >= 0:
                total += int(self._table[node, place])
                node = int(self._nodes[place])
        return total


def breaches(now: Moment, times: DriveTimes) -> list[str]:
    """All that is wrong with a plan, in words."""
    found = []
    seats, wheelchairs = now.seats_aboard, now.wheelchairs_aboard
    seen: set[tuple[str, str]] = set()
    for visit in now.visits:
        if (visit.who, visit.kind) in seen:
            found.append(f"{visit.kind} of {visit.who} twice")
        if visit.kind == "pickup" and (visit.who, "dropoff") in seen:
            found.append(f"{visit.who} alights before boarding")
        seen.add((visit.who, visit.kind))
        seats, wheelchairs = seats + visit.seats, wheelchairs + visit.wheelchairs
        if not 0 <= seats <= now.seats or not 0 <= wheelchairs <= now.wheelchairs:
            found.append(f"{seats} persons, {wheelchairs} wheelchairs after {visit.who}")
        if visit.kind == "break" and seats > 0:
            found.append("a break with riders aboard")
    found += [f"{who} never alights" for who, kind in seen if kind == "pickup" and (who, "dropoff") not in seen]
    if not found and timetable(now, times) is None:
        found.append("no timetable keeps every bound")
    return found


def insertions(now: Moment, pickup: Visit, dropoff: Visit, *, divert: bool) -> Iterator[tuple[int, int, Moment]]:
    """Every plan with one more rider: (i, j, the shuttle with that plan). The depot stays last."""
    visits = now.visits
    last = len(visits) - (1 if visits and visits[-1].kind == "depot" else 0)
    held = not divert and now.goal >= 0 and len(visits) > 0
    for i in range(1 if held else 0, last + 1):
        for j in range(i, last + 1):
            yield i, j, replace(now, visits=(*visits[:i], pickup, *visits[i:j], dropoff, *visits[j:]))


def best_insertion(
    world: World, times: DriveTimes, ride: Ride, limits: Promise, origin: int, destination: int, now: int
) -> tuple[float, set[tuple[str, int, int]]]:
    """(least cost in thousandths of ms, all (shuttle, i, j) that have it) over the fleet; infinite if there is none."""
    policy, weights = world.policy, world.policy.weights
    pickup, dropoff = _ends(ride, limits, origin, destination, policy)
    best, where = float("inf"), set[tuple[str, int, int]]()
    for name, shuttle in world.shuttles.items():
        if shuttle.state != "on":
            continue
        old = moment(world, times, name, now)
        was = timetable(old, times)
        assert was is not None, f"the plan of {name} cannot be kept: {old}"
        for i, j, new in insertions(old, pickup, dropoff, divert=policy.divert):
            begins = None if breaches(new, times) else timetable(new, times)
            if begins is None:
                continue
            kept = [begin for k, begin in enumerate(begins) if k not in (i, j + 1)]
            delay = begins[j + 1] - now + sum(
                after - before
                for visit, after, before in zip(old.visits, kept, was, strict=True)
                if visit.kind == "dropoff"
            )  # fmt: skip
            drive = _Durations(new, times).drive(places(new)) - _Durations(old, times).drive(places(old))
            cost = round(weights.drive * 1000) * drive + round(weights.delay * 1000) * delay
            if not old.visits and old.goal < 0:
                cost -= round(weights.wake_s * 1_000_000)
            if cost < best:
                best, where = cost, set()
            if cost == best:
                where.add((name, i, j))
    return best, where
