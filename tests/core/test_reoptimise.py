"""Improving plans in tiny worlds: nobody is lost, what is committed stays, and the same seed gives the same plans."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest

from dispatch.core import fleet as f
from dispatch.core.domain import NEVER
from dispatch.core.fleet import Fleet
from dispatch.core.fleet_insertion import best_insertion
from dispatch.core.openings import read_by_kernels
from dispatch.core.reoptimise import improve
from dispatch.core.timing import OK, time_route
from routing.travel_times import DriveTimes
from tests.worlds import drive_times, grid

MINUTE = 60_000
ROADS = drive_times(grid(6, 6))
DEAR = 2_000_000_000
"""worth of somebody who waits, beyond any detour here"""


class Town:
    """Six by six streets of a minute each, and some shuttles."""

    def __init__(self, nodes: list[int], *, times: DriveTimes = ROADS, seats: int = 4) -> None:
        self.times = times
        self.fleet = Fleet(len(nodes), 8, 40)
        self.fleet.count = len(nodes)
        self.fleet.rules[:] = (0, 5 * MINUTE, 1000, 800, 150_000_000, 1)
        for v, node in enumerate(nodes):
            row = self.fleet.shuttles[v]
            row[[f.NODE, f.HEADING, f.STANDS, f.SEATS, f.END, f.OPEN]] = node, -1, -1, seats, NEVER, 1
        self.rides = 0

    def ride(self, origin: int, destination: int, *, by: int = 60, pickup: tuple[int, int] = (0, 30)) -> int:
        """A ride wanted, limits in minutes: its code."""
        code = 2 * self.rides
        self.rides += 1
        self.fleet.room_for(code=code + 1)
        window = (pickup[0] * MINUTE, pickup[1] * MINUTE)
        self.fleet.visits[code] = (origin, *window, 0, 1, 0, NEVER, f.PICKUP)
        self.fleet.visits[code + 1] = (destination, 0, by * MINUTE, 0, -1, 0, NEVER, f.DROPOFF)
        return code

    def plan(self, v: int, *codes: int) -> None:
        """Give shuttle v a plan."""
        self.fleet.routes[v, f.CODE, : len(codes)] = codes
        self.fleet.shuttles[v, f.N] = len(codes)
        self.time(v)

    def time(self, v: int, codes: tuple[int, ...] | None = None) -> int:
        """Time plan v, or another one for that shuttle: what it breaks."""
        fleet, times, row = self.fleet, self.times, self.fleet.shuttles[v]
        route = fleet.routes[v]
        if codes is not None:
            row, route = row.copy(), np.zeros((f.ROUTE_ROWS, len(codes)), np.int64)
            route[f.CODE] = codes
        n = int(row[f.N]) if codes is None else len(codes)
        return int(
            time_route(
                route, n, row, row[f.NODE], row[f.AT], fleet.visits, fleet.rules, times.table, times.place_nodes,
                times.slices,
            )
        )  # fmt: skip

    def plans(self) -> dict[int, tuple[int, ...]]:
        """As they are."""
        fleet = self.fleet
        return {v: tuple(fleet.routes[v, f.CODE, : fleet.shuttles[v, f.N]].tolist()) for v in range(fleet.count)}

    def better(self, **how: Any) -> dict[int, tuple[int, ...]]:
        """Plans after a search, those that did not change included."""
        found = improve(self.fleet, self.times, 0, **{"iterations": 200, "seed": 1, **how})
        return {**self.plans(), **found.plans}


def test_a_ride_moves_to_the_shuttle_that_stands_at_its_pickup() -> None:
    """Two rides given to the wrong shuttles change places."""
    town = Town([0, 35])
    a, b = town.ride(35, 29), town.ride(0, 6)
    town.plan(0, a, a + 1)
    town.plan(1, b, b + 1)
    assert town.better() == {0: (b, b + 1), 1: (a, a + 1)}


def test_a_locked_ride_stays_on_its_shuttle_but_may_move_within_its_plan() -> None:
    """Of two rides given to the wrong shuttles only the one that nobody locked moves; the locked one is put first."""
    town = Town([0, 35])
    a, b, near = town.ride(35, 29), town.ride(0, 6), town.ride(34, 28)
    town.plan(0, near, near + 1, a, a + 1)
    town.plan(1, b, b + 1)
    better = town.better(locked=[a])
    assert a in better[0]
    assert b in better[0]
    assert near in better[1]


def test_riders_aboard_stay_in_their_shuttle_but_may_be_put_down_in_another_order() -> None:
    """The nearer drop-off comes first; no other shuttle can have it."""
    town = Town([0, 35])
    a, b = town.ride(0, 35), town.ride(0, 1)
    town.fleet.shuttles[0, f.ABOARD] = 2
    town.plan(0, a + 1, b + 1)
    assert town.better() == {0: (b + 1, a + 1), 1: ()}


def test_the_frozen_head_and_the_tail_stay() -> None:
    """Neither the committed first visit nor the depot at the end move, and nothing comes before or after them."""
    town = Town([0])
    a, b, depot = town.ride(35, 29), town.ride(0, 6), town.ride(0, 0)
    town.fleet.visits[depot] = (0, 0, NEVER, 0, 0, 0, NEVER, f.FIXED)
    town.fleet.shuttles[0, [f.FROZEN, f.TAIL]] = 1, 1
    town.plan(0, a, a + 1, b, b + 1, depot)
    plan = town.better()[0]
    assert plan[0] == a
    assert plan[-1] == depot
    assert sorted(plan) == sorted([a, a + 1, b, b + 1, depot])


def test_a_driving_shuttle_that_may_not_be_diverted_goes_on_to_its_stop() -> None:
    """With DIVERT 0 the first visit stays, though another order were shorter; with DIVERT 1 it does not."""
    town = Town([0])
    a, b = town.ride(35, 29), town.ride(0, 6)
    town.fleet.shuttles[0, f.HEADING] = 35
    town.plan(0, a, a + 1, b, b + 1)
    assert town.better()[0] == (b, b + 1, a, a + 1)
    town.fleet.rules[f.DIVERT] = 0
    assert town.better()[0][0] == a


def test_a_closed_shuttle_takes_nothing_and_may_be_relieved() -> None:
    """What it had moves to the open one where that is nearer, never the other way."""
    town = Town([35, 0])
    a, b = town.ride(1, 2), town.ride(34, 33)
    town.fleet.shuttles[0, f.OPEN] = 0
    town.plan(0, a, a + 1)
    town.plan(1, b, b + 1)
    assert town.better() == {0: (), 1: (a, a + 1, b, b + 1)}


def test_fixed_calls_stay_in_their_order() -> None:
    """A timetabled call and a break are never taken out."""
    town = Town([0])
    a, call, rest = town.ride(3, 4), town.ride(0, 0), town.ride(0, 0)
    town.fleet.visits[call] = (5, 10 * MINUTE, 12 * MINUTE, 0, 0, 0, NEVER, f.FIXED)
    town.fleet.visits[rest] = (-1, 20 * MINUTE, 30 * MINUTE, 5 * MINUTE, 0, 0, NEVER, f.BREAK)
    town.plan(0, call, rest, a, a + 1)
    plan = town.better()[0]
    assert plan == (a, a + 1, call, rest)


def test_a_waiting_ride_is_taken_when_others_make_room() -> None:
    """The shuttle that could be there in time has a ride already: the other shuttle takes that one."""
    town = Town([0, 5], seats=1)
    a, near = town.ride(1, 7, pickup=(0, 5)), town.ride(0, 6, pickup=(0, 3))
    town.plan(0, a, a + 1)
    found = improve(town.fleet, town.times, 0, iterations=100, seed=1, waiting=[near], refusal=DEAR)
    assert found.served == (near,)
    assert found.after < found.before


def test_a_town_is_not_rearranged_for_one_rider_at_any_price() -> None:
    """The same two rides, where the detour of the one who makes room costs more than leaving the other waiting."""
    town = Town([0, 5], seats=1)
    a, near = town.ride(1, 7, pickup=(0, 5)), town.ride(0, 6, pickup=(0, 3))
    town.plan(0, a, a + 1)
    served = improve(town.fleet, town.times, 0, iterations=100, seed=1, waiting=[near], refusal=DEAR)
    price = served.after - (served.before - DEAR)
    for worth, who in ((price + 1_000, (near,)), (price - 1_000, ())):
        found = improve(town.fleet, town.times, 0, iterations=100, seed=1, waiting=[near], refusal=worth)
        assert found.served == who


def test_who_is_waiting_and_cannot_be_carried_costs_nobody_a_promise() -> None:
    """A request out of reach stays out, and every booked ride stays on a plan."""
    town = Town([0])
    a, far = town.ride(1, 7), town.ride(35, 0, pickup=(0, 2))
    town.plan(0, a, a + 1)
    found = improve(town.fleet, town.times, 0, iterations=50, seed=1, waiting=[far])
    assert found.served == ()
    assert {**town.plans(), **found.plans} == {0: (a, a + 1)}


def test_a_plan_that_the_world_has_broken_is_relieved() -> None:
    """The shuttle is late for its second ride; the other one takes it over."""
    town = Town([0, 30])
    a, b = town.ride(5, 35), town.ride(30, 31, pickup=(0, 5))
    town.plan(0, a, a + 1, b, b + 1)
    assert town.time(0) != OK
    assert town.better() == {0: (a, a + 1), 1: (b, b + 1)}


def test_no_rides_no_shuttles_no_iterations() -> None:
    """Nothing to improve is not an error."""
    assert improve(Town([0]).fleet, ROADS, 0, iterations=10, seed=1).plans == {}
    assert improve(Fleet(), ROADS, 0, iterations=10, seed=1).plans == {}
    town = Town([0])
    a = town.ride(1, 2)
    assert improve(town.fleet, ROADS, 0, iterations=0, seed=1, waiting=[a]).plans == {}


@pytest.mark.parametrize("seed", range(12))
def test_random_fleets_keep_every_ride_and_every_bound(seed: int) -> None:
    """Whatever is proposed carries who was carried, in time, and costs less; the arrays given stay as they were."""
    r = random.Random(seed)
    town = Town([r.randrange(36) for _ in range(5)], seats=r.randint(1, 3))
    waiting = []
    for _ in range(25):
        origin, destination = r.sample(range(36), 2)
        early = r.randrange(20)
        code = town.ride(origin, destination, pickup=(early, early + 10), by=early + r.randint(15, 40))
        town.fleet.visits[code + 1, f.V_RIDE] = r.choice((NEVER, 20 * MINUTE))
        town.fleet.visits[[code, code + 1], f.V_DWELL] = r.choice((0, 5000))
        fleet = town.fleet
        hit = best_insertion(fleet.count, code, 0, *read_by_kernels(fleet, town.times))
        if hit[1] < 0:
            waiting.append(code)
            continue
        v, i, j = hit[1:4]
        plan = town.plans()[v]
        town.plan(v, *plan[:i], code, *plan[i:j], code + 1, *plan[j:])
    shuttles, routes = town.fleet.shuttles.copy(), town.fleet.routes.copy()
    found = improve(town.fleet, town.times, 0, iterations=150, seed=seed, waiting=waiting, refusal=DEAR)
    assert (shuttles == town.fleet.shuttles).all()
    assert (routes == town.fleet.routes).all()
    after = {**town.plans(), **found.plans}
    carried = sorted(code for plan in town.plans().values() for code in plan)
    taken = [code + end for code in found.served for end in (0, 1)]
    assert sorted(code for plan in after.values() for code in plan) == sorted(carried + taken)
    assert all(town.time(v, plan) == OK for v, plan in after.items())
    assert found.after <= found.before
    assert found == improve(town.fleet, town.times, 0, iterations=150, seed=seed, waiting=waiting, refusal=DEAR)
