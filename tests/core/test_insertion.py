"""The compiled timetable and insertion against a plain one that knows nothing of slack, bounds or order of search."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from dispatch.core import fleet as f
from dispatch.core.domain import NEVER
from dispatch.core.fleet_insertion import best_insertion
from dispatch.core.insertion import INFEASIBLE, best_in_route
from dispatch.core.timing import OK, time_route

BATCHES = [*range(int(os.environ.get("NARU_BATCHES", "12"))), 81, 137, 231]
"""of a hundred random worlds; those named alone see a bound forget a stop dwell that is spared, or one who boards where
the shuttle has long stood with riders aboard"""


@dataclass
class World:
    """A small town: places on a line or grid, node = place; one shuttle that is at `node` from `at` on."""

    table: Any
    rules: Any
    visits: list[list[int]] = field(default_factory=list)
    shuttle: Any = field(default_factory=lambda: np.zeros(f.SHUTTLE_COLUMNS, np.int64))
    plan: list[int] = field(default_factory=list)
    node: int = 0
    at: int = 0

    def ride(self, origin: int, destination: int, seats: int = 1, wheelchairs: int = 0, **limits: Any) -> int:
        """A ride that may be inserted: its code. Limits: pickup=(earliest, latest), dropoff=…, ride, dwell."""
        code = len(self.visits)
        p, d = limits.get("pickup", (0, NEVER)), limits.get("dropoff", (0, NEVER))
        dwell, ride = limits.get("dwell", 0), limits.get("ride", NEVER)
        self.visits.append([origin, *p, dwell, seats, wheelchairs, NEVER, f.PICKUP])
        self.visits.append([destination, *d, dwell, -seats, -wheelchairs, ride, f.DROPOFF])
        return code

    def call(self, place: int, earliest: int, latest: int, dwell: int = 0, kind: int = f.FIXED) -> int:
        """A fixed call or, with place -1 and kind BREAK, a break."""
        code = len(self.visits)
        self.visits += [[place, earliest, latest, dwell, 0, 0, NEVER, kind], [0] * f.VISIT_COLUMNS]
        return code

    def timetable(self, plan: list[int]) -> list[int] | None:
        """Begins of the earliest timetable that keeps every bound (Bellman & Ford), None if there is none."""
        places, here = [], int(self.shuttle[f.STANDS])
        for code in plan:
            here = self.visits[code][f.V_PLACE] if self.visits[code][f.V_PLACE] >= 0 else here
            places.append(here)
        loads, wheels = [int(self.shuttle[f.ABOARD])], [int(self.shuttle[f.WABOARD])]
        for code in plan:
            if self.visits[code][f.V_KIND] == f.BREAK and loads[-1] > 0:
                return None
            loads.append(loads[-1] + self.visits[code][f.V_SEATS])
            wheels.append(wheels[-1] + self.visits[code][f.V_WHEELCHAIRS])
        if max(loads) > self.shuttle[f.SEATS] or max(wheels) > self.shuttle[f.WHEELCHAIRS]:
            return None
        begins = [self.visits[code][f.V_EARLIEST] for code in plan]

        def arrival(k: int) -> int:
            """At point k, by the begins as they are."""
            if k == 0:
                return self.at + (int(self.table[0, self.node, places[0]]) if places[0] >= 0 else 0)
            before = places[k - 2] if k > 1 else int(self.shuttle[f.STANDS])
            dwell = self.visits[plan[k - 1]][f.V_DWELL]
            dwell += int(self.rules[f.STOP_DWELL]) if places[k - 1] != before else 0
            whence = places[k - 1] if places[k - 1] >= 0 else self.node
            leg = int(self.table[0, whence, places[k]]) if places[k] >= 0 else 0
            return begins[k - 1] + dwell + leg

        for _ in range(3 * len(plan) + 3):
            old = list(begins)
            for k, code in enumerate(plan):
                begins[k] = max(begins[k], arrival(k))
                since = arrival(k)
                if k == 0 and since == self.at:
                    since = min(since, int(self.shuttle[f.SINCE]))
                too_long = begins[k] - since - int(self.rules[f.WAIT_ABOARD])
                if loads[k] > 0 and too_long > 0 and begins[k] > arrival(k):
                    if k == 0:
                        return None
                    begins[k - 1] += too_long
                if code % 2 and code - 1 in plan:
                    pickup = plan.index(code - 1)
                    begins[pickup] = max(begins[pickup], begins[k] - self.visits[code][f.V_RIDE])
            if begins == old:
                break
        else:
            return None
        for k, code in enumerate(plan):
            before = places[k - 1] if k else int(self.shuttle[f.STANDS])
            dwell = self.visits[code][f.V_DWELL] + (int(self.rules[f.STOP_DWELL]) if places[k] != before else 0)
            if begins[k] > self.visits[code][f.V_LATEST] or begins[k] + dwell > self.shuttle[f.END]:
                return None
        return begins

    def drive(self, plan: list[int]) -> int:
        """Driving time of a plan."""
        total, here = 0, self.node
        for code in plan:
            if self.visits[code][f.V_PLACE] >= 0:
                total += int(self.table[0, here, self.visits[code][f.V_PLACE]])
                here = self.visits[code][f.V_PLACE]
        return total

    def best(self, code: int) -> tuple[int, int, int]:
        """(cost, i, j) of the best insertion, every one of them timed whole."""
        old = self.timetable(self.plan)
        assert old is not None
        best = (INFEASIBLE, -1, -1)
        last = len(self.plan) - int(self.shuttle[f.TAIL])
        for i in range(int(self.shuttle[f.FROZEN]), last + 1):
            for j in range(i, last + 1):
                plan = [*self.plan[:i], code, *self.plan[i:j], code + 1, *self.plan[j:]]
                begins = self.timetable(plan)
                if begins is None:
                    continue
                delay = begins[j + 1] - self.at
                for k, c in enumerate(self.plan):
                    if self.visits[c][f.V_KIND] == f.DROPOFF:
                        delay += begins[k + (k >= i) + (k >= j)] - old[k]
                drive = self.drive(plan) - self.drive(self.plan)
                waking = int(self.rules[f.WAKE]) if not self.plan and self.shuttle[f.HEADING] < 0 else 0
                cost = int(self.rules[f.W_DRIVE]) * drive + int(self.rules[f.W_DELAY]) * delay - waking
                best = min(best, (cost, i, j))
        return best

    def arrays(self) -> tuple[Any, ...]:
        """(route, scratch, visits, place nodes, slices), the route timed."""
        visits = np.array(self.visits or [[0] * f.VISIT_COLUMNS], np.int64)
        route, scratch = np.zeros((2, f.ROUTE_ROWS, len(self.plan) + 2), np.int64)
        route[f.CODE, : len(self.plan)] = self.plan
        self.shuttle[f.N] = len(self.plan)
        places, slices = np.arange(self.table.shape[2]), np.zeros(1, np.int64)
        status = time_route(
            route, len(self.plan), self.shuttle, self.node, self.at, visits, self.rules, self.table, places, slices
        )
        assert status == OK
        return route, scratch, visits, places, slices


def town(seed: int) -> tuple[World, random.Random]:
    """A random small world with a plan that can be kept."""
    r = random.Random(seed)
    spots = [(r.randrange(30), r.randrange(30)) for _ in range(8)]
    table = np.array([[[10 * (abs(a - c) + abs(b - d)) for c, d in spots] for a, b in spots]], np.int32)
    rules = np.zeros(f.RULES, np.int64)
    rules[f.STOP_DWELL] = r.choice((0, 15))
    rules[f.WAIT_ABOARD] = r.choice((0, 60, NEVER))
    rules[f.W_DRIVE], rules[f.W_DELAY], rules[f.DIVERT] = 1000, r.choice((0, 800)), 1
    rules[f.WAKE] = 150 if seed % 3 else 200_000
    world = World(table, rules, node=r.randrange(8), at=r.randrange(100))
    s = world.shuttle
    s[f.HEADING], s[f.STANDS] = -1, r.choice((-1, world.node))
    s[f.SINCE] = r.choice((NEVER, world.at - r.randrange(100)))
    s[f.SEATS], s[f.WHEELCHAIRS], s[f.OPEN] = r.randint(1, 4), r.randint(0, 1), 1
    s[f.END] = r.choice((NEVER, 2500))
    for _ in range(r.randint(0, 2)):  # riders aboard
        code = world.ride(0, r.randrange(8), dropoff=(0, r.randint(300, 1500)), dwell=r.choice((0, 5)))
        s[f.ABOARD] += 1
        if s[f.ABOARD] <= s[f.SEATS] and world.timetable([*world.plan, code + 1]) is not None:
            world.plan.append(code + 1)
        else:
            s[f.ABOARD] -= 1
    if r.random() < 0.3:
        kind = r.choice((f.FIXED, f.BREAK))
        code = world.call(-1 if kind == f.BREAK else r.randrange(8), r.randrange(1000), 1500, 50, kind)
        if world.timetable([*world.plan, code]) is not None:
            world.plan.append(code)
    s[f.TAIL] = 0
    if r.random() < 0.3:
        code = world.call(r.randrange(8), 0, 3000)
        if world.timetable([*world.plan, code]) is not None:
            world.plan.append(code)
            s[f.TAIL] = 1
    for _ in range(r.randint(0, 5)):
        cost, i, j = world.best(code := any_ride(world, r))
        if cost < INFEASIBLE:
            world.plan = [*world.plan[:i], code, *world.plan[i:j], code + 1, *world.plan[j:]]
    s[f.FROZEN] = r.randint(0, 1) if len(world.plan) > s[f.TAIL] else 0
    return world, r


def any_ride(world: World, r: random.Random) -> int:
    """A request with random limits."""
    origin, destination = r.sample(range(8), 2)
    early = r.randrange(1200)
    if destination != world.node and r.random() < 0.15:  # where the shuttle stands, soon
        origin, early = world.node, world.at + r.randrange(150)
    direct = int(world.table[0, origin, destination])
    return world.ride(
        origin, destination, r.randint(1, 2), int(r.random() < 0.2), dwell=r.choice((0, 5)),
        pickup=(early, early + r.randint(50, 600)),
        dropoff=(r.choice((0, 0, early + direct)), early + 2 * direct + 500),
        ride=r.choice((NEVER, direct + r.randint(0, 200))),
    )  # fmt: skip


@pytest.mark.parametrize("batch", BATCHES)
def test_best_insertion_in_a_route_is_the_best_of_all(batch: int) -> None:
    """Cost and times are those of trying every pair and timing every plan whole, whatever the bounds."""
    for seed in range(batch * 100, batch * 100 + 100):
        world, r = town(seed)
        code = any_ride(world, r)
        cost, _, _ = world.best(code)
        route, scratch, visits, places, slices = world.arrays()
        assert list(route[f.BEGIN, : len(world.plan)]) == world.timetable(world.plan), seed
        s = world.shuttle
        arrays = s, route, scratch, world.node, world.at, world.at, code
        given = visits, world.rules, world.table, np.ascontiguousarray(world.table[0, places].T), places, slices
        got, i, j, p, d, _ = best_in_route(*arrays, INFEASIBLE, *given)
        assert got == cost, (seed, i, j)
        if i >= 0:
            begins = world.timetable([*world.plan[:i], code, *world.plan[i:j], code + 1, *world.plan[j:]])
            assert begins is not None
            assert (p, d) == (begins[i], begins[j + 1]), seed
            assert best_in_route(*arrays, cost + 1, *given)[:3] == (cost, i, j), seed
            assert best_in_route(*arrays, cost, *given)[1] == -1, seed
            on_the_dot = visits.copy()
            on_the_dot[[code, code + 1], f.V_LATEST] = p, d
            assert best_in_route(*arrays, cost + 1, on_the_dot, *given[1:])[:3] == (cost, i, j), seed
        for _ in range(4):
            bound = min(cost, 2_000_000) - r.randrange(1, 2_000_000)
            at_least, i, *_ = best_in_route(*arrays, bound, *given)
            assert i == -1, (seed, bound)
            assert bound <= at_least <= cost, (seed, bound, "what is told as a lower bound is one")


def test_best_insertion_of_a_fleet_is_the_best_of_its_routes() -> None:
    """Looking first at the shuttle that could be there first, and at no other that can't beat it, loses nothing."""
    for seed in range(120):
        r = random.Random(seed)
        world, _ = town(seed)
        world.plan, world.visits = [], []
        fleet, size = [], 6
        base = World(world.table, world.rules)
        base.visits = world.visits
        for k in range(size):
            one = World(world.table, world.rules, world.visits, node=r.randrange(8), at=r.randrange(300))
            one.shuttle[[f.HEADING, f.STANDS]] = -1
            one.shuttle[[f.SEATS, f.WHEELCHAIRS, f.END, f.OPEN]] = 4, 1, NEVER, 1
            one.shuttle[[f.NODE, f.AT]] = one.node, one.at
            for _ in range(k % 4):
                cost, i, j = one.best(code := any_ride(one, r))
                if cost < INFEASIBLE:
                    one.plan = [*one.plan[:i], code, *one.plan[i:j], code + 1, *one.plan[j:]]
            fleet.append(one)
        code = any_ride(world, r)
        # with now = 0 every shuttle counts from its own time on: the same offset is in every cost
        best = min(one.best(code)[0] + int(world.rules[f.W_DELAY]) * one.at for one in fleet)
        shuttles = np.zeros((size, f.SHUTTLE_COLUMNS), np.int64)
        routes = np.zeros((size, f.ROUTE_ROWS, 20), np.int64)
        for v, one in enumerate(fleet):
            route, _, visits, places, slices = one.arrays()
            routes[v, :, : route.shape[1]] = route
            shuttles[v] = one.shuttle
        no_roads = np.zeros(1, np.int64), np.zeros(0, np.int64), np.zeros((1, 0), np.int32)
        got = best_insertion(
            size, code, 0, shuttles, routes, np.zeros_like(routes[0]), visits, world.rules, world.table,
            np.ascontiguousarray(world.table[0, places].T), places, slices, *no_roads,
        )  # fmt: skip
        assert got[0] == (best if best < INFEASIBLE // 2 else INFEASIBLE), seed
