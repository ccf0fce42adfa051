"""OR-Tools proposes: what it may do wrong changes nothing, and what it does right is right."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy, Reoptimise, Shift
from dispatch.core.invariants import check
from dispatch.core.reactions import Reactions, answer
from dispatch.core.reoptimise import PooledPlan, Solvers, improve
from dispatch.core.timing import OK
from dispatch.solver import OR_TOOLS, choose_routes, min_cost_moves, polish_cluster
from tests.core.test_reoptimise import MINUTE, Town
from tests.worlds import drive_times, grid, ms, opened, request

RULES = Reoptimise(30, 20, choose=True, polish=4)


def raises(*_: object) -> dict[int, tuple[int, ...]]:
    """A solver that breaks down."""
    raise RuntimeError("model invalid")


def finds_nothing(*_: object) -> None:
    """A solver without an answer."""


def two_booked(solvers: Solvers) -> tuple[Reactions, list[ev.Event]]:
    """Two shuttles at the ends of a street, each with a ride that the other one is nearer to."""
    written: list[ev.Event] = []
    react = Reactions(Desk(drive_times(grid(9, 1))), written.append, solvers)
    react.record([opened(9), ev.PolicyChanged(0, Policy(max_wait_s=3600, journey_extra_s=3600, reoptimise=RULES))])
    for name, node, start, goal in (("west", 0, 8, 6), ("east", 8, 0, 2)):
        react.record([ev.ShiftOpened(0, Shift(name, name, node, 0, ms(7200), 4))])
        asked = request(f"of {name}", start, goal, direct_s=120)
        react.record([ev.RequestMade(0, asked)])
        react.record(answer(react.desk, asked, 0, lambda *_: 0))
        if name == "west":
            react.record([ev.ActTaken(0, "lock", "mina", "until the other one is there", asked.id)])
    react.record([ev.ActTaken(0, "unlock", "mina", "now", "of west")])
    return react, written


@pytest.mark.parametrize("choose", [raises, finds_nothing, lambda *_: {0: (0, 0)}, lambda *_: {7: (0, 1)}])
@pytest.mark.parametrize("polish", [raises, finds_nothing])
def test_whatever_a_solver_does_the_judge_decides(choose: Any, polish: Any) -> None:
    """It raises, finds nothing, proposes what may not be: every ride keeps its promise, and it is counted."""
    react, written = two_booked(OR_TOOLS._replace(choose=choose, polish=polish))
    react.tick(ms(30))
    assert react.desk.rejected == (choose is not finds_nothing) + (polish is raises)
    plans = [shuttle.plan.visits for shuttle in react.desk.world.shuttles.values()]
    assert sorted(code for plan in plans for code in plan) == [0, 1, 2, 3]
    assert check([*written, ev.DayClosed(ms(7200))]) is not None


def test_the_solvers_are_asked_as_the_rules_say() -> None:
    """Polishing alone, with no search at all, exchanges the two rides; asked for nothing, nothing is done."""
    for polish, better in ((4, True), (0, False)):
        react, _ = two_booked(OR_TOOLS)
        rules = structs.replace(react.desk.world.policy, reoptimise=Reoptimise(30, 0, polish=polish))
        before = {name: shuttle.plan.visits for name, shuttle in react.desk.world.shuttles.items()}
        react.record([ev.PolicyChanged(0, rules)])
        react.tick(ms(30))
        after = {name: shuttle.plan.visits for name, shuttle in react.desk.world.shuttles.items()}
        assert (after != before) == better


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
