"""Improve what is not committed: a short search by ruin and recreate over the plans as they now are.

Every ride that is on a plan stays on one; riders aboard keep their shuttle; heads and tails that may not move don't;
shuttles that take nobody new get nobody new. What comes back is a proposal: the judge decides (`schedule.violations`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import NamedTuple

import numpy as np
from msgspec import Struct, structs
from numba import njit

from dispatch.core.anneal import anneal, remember
from dispatch.core.domain import Reoptimise
from dispatch.core.fleet import CODE, NODE, V_PLACE, W_DELAY, W_DRIVE, Fleet, Ints, N
from dispatch.core.search import BEST, BEST_CODES, BEST_N, BEST_ON, CARDINALITY, POOLED, STAMP_OF, STRING, open_search
from dispatch.core.timing import start
from routing.travel_times import DriveTimes

_LONGEST_STRING, _TAKEN_OUT = 6, 6
"""visits: live plans are short"""
_WARM, _COLD = 20_000_000, 1_000_000
"""temperatures, in thousandths of ms of driving"""
_NEIGHBOURS = 64
_MEMORY = 2**13
_POOL = 2**12

Plans = dict[int, tuple[int, ...]]
"""codes of plans, by the shuttle's row"""


class PooledPlan(NamedTuple):
    """A plan that one shuttle could have."""

    row: int
    visits: tuple[int, ...]
    cost: int


class Improvement(Struct, frozen=True):
    """Better plans."""

    plans: Plans
    """those that changed"""
    served: tuple[int, ...]
    """pickup codes of the waiting rides that are on a plan now"""
    before: int
    after: int
    """costs, in thousandths of ms of driving"""
    pool: tuple[PooledPlan, ...] = ()
    """feasible plans met on the way"""
    failed: int = 0
    """solvers that raised"""


Assign = Callable[[Sequence[Sequence[int]], Sequence[int], Sequence[int]], "list[int] | None"]
"""(drive[shuttle][place], wanted[place], worth[place]) -> the place of each idle shuttle, -1: it stays"""


class Solvers(NamedTuple):
    """What a solver is asked for. None: it has no answer; whatever it says is judged, whatever it raises is counted."""

    assign: Assign
    choose: Callable[[Sequence[PooledPlan], Mapping[int, tuple[int, ...]]], Plans | None]
    """(plans that could be, plans that are) -> a cheaper choice of one plan a shuttle, those that change"""
    polish: Callable[[Fleet, DriveTimes, int, Sequence[int]], Plans | None]
    """(fleet, times, now, rows) -> better plans for the shuttles in these rows, those that change"""


def better_plans(
    fleet: Fleet,
    times: DriveTimes,
    now: int,
    settings: Reoptimise,
    solvers: Solvers,
    *,
    seed: int,
    waiting: Sequence[int] = (),
    locked: Sequence[int] = (),
    refusal: int = 0,
) -> Improvement:
    """Search for better plans (`improve`), with what `settings` want of the solvers: polished plans before it, and
    a choice among all plans met after it (Alonso-Mora et al. 2017; Sartori & Buriol 2020).
    """
    if not settings.choose and settings.polish == 0:
        return improve(
            fleet, times, now, iterations=settings.iterations, seed=seed, waiting=waiting, locked=locked,
            refusal=refusal,
        )  # fmt: skip
    failed = 0

    def asked(solver: Callable[..., Plans | None], *about: object) -> Plans:
        nonlocal failed
        try:
            return solver(*about) or {}
        except Exception:  # noqa: BLE001 - whatever a solver throws, the plans hold without it
            failed += 1
            return {}

    was = {v: tuple(fleet.routes[v, CODE, : fleet.shuttles[v, N]].tolist()) for v in range(fleet.count)}
    polished: Plans = {}
    if settings.polish > 0:
        polished = asked(solvers.polish, fleet, times, now, _neighbours(fleet, times, seed, settings.polish))
        fleet = _with(fleet, polished)
    found = improve(
        fleet, times, now, iterations=settings.iterations, seed=seed, waiting=waiting, locked=locked, refusal=refusal,
        pool=_POOL if settings.choose else 0,
    )  # fmt: skip
    plans = {**polished, **found.plans}
    if settings.choose:
        plans |= asked(solvers.choose, found.pool, {**was, **plans})
    changed = {row: visits for row, visits in sorted(plans.items()) if visits != was.get(row)}
    return structs.replace(found, plans=changed, pool=(), failed=failed)


def _neighbours(fleet: Fleet, times: DriveTimes, seed: int, most: int) -> list[int]:
    """Rows of the shuttles that are soonest where one of those with something to do, by turns, drives to."""
    next_places = fleet.visits[fleet.routes[: fleet.count, CODE, 0], V_PLACE]
    busy = np.flatnonzero((fleet.shuttles[: fleet.count, N] > 0) & (next_places >= 0))
    if len(busy) == 0:
        return []
    place = next_places[busy[seed % len(busy)]]
    drive = times.table[0, fleet.shuttles[: fleet.count, NODE], place]
    return sorted(np.argsort(drive, kind="stable")[:most].tolist())


def _with(fleet: Fleet, plans: Plans) -> Fleet:
    """The fleet with other codes on these plans, their timetables not yet made: the search makes its own."""
    other = copy(fleet)
    other.shuttles, other.routes = fleet.shuttles.copy(), fleet.routes.copy()
    longest = max(map(len, plans.values()), default=0)
    other.room_for(points=longest)
    for row, visits in plans.items():
        other.shuttles[row, N] = len(visits)
        other.routes[row, CODE, : len(visits)] = visits
    return other


def improve(
    fleet: Fleet,
    times: DriveTimes,
    now: int,
    *,
    iterations: int,
    seed: int,
    waiting: Sequence[int] = (),
    locked: Sequence[int] = (),
    refusal: int = 0,
    pool: int = 0,
) -> Improvement:
    """Search for better plans of the whole fleet, also for the rides in `waiting` (pickup codes) that are on none.

    Nobody is rearranged for somebody whom it costs less to leave waiting: their own direct ride and `refusal`
    (thousandths of ms). The rides in `locked` (pickup codes) stay on their shuttles. The last `pool` plans met are
    given back, too.
    """
    count = fleet.count
    node, at, longest = _starts(count, now, fleet.shuttles, times.table, times.indptr, times.heads, times.edge_ms)
    asked, stay = np.array(waiting, np.int64), np.array(locked, np.int64)
    s = open_search(
        count, now, fleet.shuttles, fleet.routes, fleet.visits, fleet.rules, times.table, times.into, times.place_nodes,
        times.slices, node, at, asked, stay, _worth(fleet, times, asked, refusal), longest + 16, _NEIGHBOURS, _MEMORY,
        pool, seed,
    )  # fmt: skip
    before = _begin(s)
    anneal(s, iterations, _WARM, _COLD, 0)
    rows, lengths, codes, served, after, met = _outcome(s, fleet.shuttles, fleet.routes, asked)
    plans = {int(v): tuple(codes[k, : lengths[k]].tolist()) for k, v in enumerate(rows)}
    pooled = {PooledPlan(v, tuple(row[:n]), cost) for v, n, cost, *row in met.tolist()}
    return Improvement(plans, tuple(served.tolist()), int(before), int(after), tuple(sorted(pooled)))


def _worth(fleet: Fleet, times: DriveTimes, asked: Ints, refusal: int) -> Ints:
    """What it costs to leave each of them waiting: their own direct ride and `refusal`; of equals, the first most."""
    if len(asked) == 0:
        return asked
    ends = fleet.visits[[asked, asked + 1], V_PLACE]
    direct = times.table[0, times.place_nodes[ends[0]], ends[1]]
    weight = fleet.rules[W_DRIVE] + fleet.rules[W_DELAY]
    worth: Ints = weight * direct.astype(np.int64) + refusal + np.arange(len(asked), 0, -1)
    return worth


@njit(cache=True)
def _starts(count, now, shuttles, table, indptr, heads, edge_ms):  # type: ignore[no-untyped-def]
    """(node, time) of each shuttle's start waypoint, and the longest plan's visits."""
    node, at = np.empty(count, np.int64), np.empty(count, np.int64)
    longest = 0
    for v in range(count):
        node[v], at[v] = start(shuttles[v], now, table, indptr, heads, edge_ms)
        longest = max(longest, shuttles[v, N])
    return node, at, longest


@njit(cache=True)
def _begin(s):  # type: ignore[no-untyped-def]
    """Set the search up for live plans; what they cost as they are."""
    for v in range(min(len(s.plans), len(s.pool))):
        if s.plans[v, STAMP_OF] > 0:
            remember(s, v)
    s.n[STRING], s.n[CARDINALITY] = _LONGEST_STRING, _TAKEN_OUT
    return s.n[BEST]


@njit(cache=True)
def _outcome(s, shuttles, routes, waiting):  # type: ignore[no-untyped-def]
    """(rows, lengths, codes of the best plans that are not as they were; who of `waiting` is on one; cost; pool)."""
    count = len(s.plans)
    rows, lengths = np.empty(count, np.int64), np.empty(count, np.int64)
    codes = np.empty((count, s.routes.shape[2]), np.int64)
    m = 0
    for v in range(count):
        n = s.plans[v, BEST_N]
        same = n == shuttles[v, N]
        for k in range(n):
            same = same and s.routes[v, BEST_CODES, k] == routes[v, CODE, k]
        if not same:
            rows[m], lengths[m] = v, n
            for k in range(n):
                codes[m, k] = s.routes[v, BEST_CODES, k]
            m += 1
    served = np.empty(len(waiting), np.int64)
    taken = 0
    first = len(s.rides) - len(waiting)
    for k in range(len(waiting)):
        if s.rides[first + k, BEST_ON] >= 0:
            served[taken] = waiting[k]
            taken += 1
    met = s.pool[: min(s.n[POOLED], len(s.pool))]
    return rows[:m], lengths[:m], codes[:m], served[:taken], s.n[BEST], met
