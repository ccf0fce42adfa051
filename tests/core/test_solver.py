"""OR-Tools proposes: what it may do wrong changes nothing, and what it does right is right."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from dispatch.core import fleet as f
from dispatch.core.reoptimise import PooledPlan, improve
from dispatch.core.timing import OK
from dispatch.solver import choose_routes, min_cost_moves, polish_cluster, propose
from tests.core.test_reoptimise import MINUTE, Town

PLAN = {0: (2, 3)}


def raises() -> dict[int, tuple[int, ...]]:
    """A solver that breaks down."""
    raise RuntimeError("model invalid")


def hangs() -> dict[int, tuple[int, ...]]:
    """A solver that does not keep its limit."""
    time.sleep(30)
    return PLAN


@pytest.mark.parametrize(
    ("call", "fits", "cause"),
    [
        (raises, True, "raised"),
        (hangs, True, "late"),
        (lambda: None, True, "nothing"),
        (lambda: PLAN, False, "rejected"),
        (lambda: PLAN, True, "accepted"),
    ],
)
def test_whatever_a_solver_does_only_what_the_judge_accepts_comes_through(call, fits, cause) -> None:  # type: ignore[no-untyped-def]
    """Raises, hangs past its limit, finds nothing, proposes what is infeasible: a counter, and the old plan."""
    plans, counter = {0: (0, 1)}, Counter[str]()
    begun = time.perf_counter()
    proposal = propose(call, lambda _: fits, within_s=0.1)
    counter[proposal.cause] += 1
    plans.update(proposal.result or {})
    assert counter == {cause: 1}
    assert plans == (PLAN if cause == "accepted" else {0: (0, 1)})
    assert time.perf_counter() - begun < 5


def test_a_judge_that_raises_refuses() -> None:
    """A proposal that can't even be judged is none."""
    assert propose(lambda: PLAN, lambda plans: bool(plans[7])).cause == "raised"


def test_choose_routes_takes_one_plan_a_shuttle_and_everybody_once() -> None:
    """Two plans that only together are better are found, though each alone would leave somebody out."""
    current = {0: (0, 1, 2, 3), 1: ()}
    pool = [
        PooledPlan(0, (0, 1, 2, 3), 100),
        PooledPlan(1, (), 0),
        PooledPlan(0, (0, 1), 30),
        PooledPlan(1, (2, 3), 40),
        PooledPlan(1, (0, 1), 10),
        PooledPlan(0, (0, 2, 1, 3), 90),
    ]
    assert choose_routes(pool, current=current) == {0: (0, 1), 1: (2, 3)}
    assert choose_routes(pool[:2], current=current) is None
    assert choose_routes([], current=current) is None


def test_choose_routes_of_a_search_s_pool_costs_no_more_than_the_search_s_best() -> None:
    """The best plans are in the pool: what is chosen is feasible and carries the same riders."""
    town = Town([0, 35, 17])
    for k in range(8):
        code = town.ride((7 * k) % 36, (11 * k + 5) % 36, pickup=(0, 60), by=120)
        town.plan(0, *town.plans()[0], code, code + 1)
    found = improve(town.fleet, town.times, 0, iterations=60, seed=1, pool=5000)
    chosen = choose_routes(found.pool, current=town.plans())
    assert chosen is not None
    assert all(town.time(v, plan) == OK for v, plan in chosen.items())
    after = {**town.plans(), **chosen}
    assert sorted(c for plan in after.values() for c in plan) == list(range(16))
    cost = {(p.row, p.visits): p.cost for p in found.pool}
    assert sum(cost.get((v, plan), 0) for v, plan in after.items()) <= found.after


def test_polish_cluster_improves_and_leaves_riders_aboard_where_they_are() -> None:
    """Rides on the wrong shuttles change places; who is aboard does not."""
    town = Town([0, 35])
    aboard, a, b = town.ride(0, 2), town.ride(34, 29), town.ride(6, 12)
    town.fleet.shuttles[0, f.ABOARD] = 1
    town.plan(0, aboard + 1, a, a + 1)
    town.plan(1, b, b + 1)
    plans = polish_cluster(town.fleet, town.times, 0, [0, 1])
    assert plans is not None
    assert aboard + 1 in plans[0]
    assert plans[1] == (a, a + 1)
    assert all(town.time(v, plan) == OK for v, plan in plans.items())


def test_polish_cluster_gives_up_on_what_it_does_not_know() -> None:
    """Too little to do, a committed head, a plan already late: None, not a guess."""
    town = Town([0, 35])
    a, b = town.ride(34, 29), town.ride(6, 12)
    town.plan(0, a, a + 1)
    assert polish_cluster(town.fleet, town.times, 0, [0]) is None
    town.plan(1, b, b + 1)
    town.fleet.shuttles[1, f.FROZEN] = 1
    assert polish_cluster(town.fleet, town.times, 0, [0, 1]) is None
    town.fleet.shuttles[1, f.FROZEN] = 0
    town.fleet.visits[a, f.V_LATEST] = MINUTE
    town.time(0)
    assert polish_cluster(town.fleet, town.times, 0, [0, 1]) is None


def test_min_cost_moves_sends_whom_it_pays_to_send() -> None:
    """Each place gets at most what it wants; a shuttle for which no place is worth its drive stays."""
    drive = [[10, 2], [3, 4], [50, 60]]
    assert min_cost_moves(drive, wanted=[1, 1], worth=[20, 20]) == [1, 0, -1]
    assert min_cost_moves(drive, wanted=[0, 0], worth=[20, 20]) == [-1, -1, -1]
    assert min_cost_moves([], wanted=[1], worth=[5]) == []
