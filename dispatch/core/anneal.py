"""Ruin and recreate: take some rides out of neighbouring plans, put them back where they fit best, keep what pays.

SISR (Christiaens & Vanden Berghe 2020) on the same arrays, timetable and insertion that answer riders. Only the plans
that an iteration touches are copied, timed and, if it does not pay, put back.
"""

from __future__ import annotations

from numba import njit

from dispatch.core.chance import EXPONENTIAL, draw
from dispatch.core.fleet import CODE, OPEN, ROUTE_ROWS, WAITS, N
from dispatch.core.recreate import recreate
from dispatch.core.ruin import ruin
from dispatch.core.search import (
    ABSENT,
    ABSENT_LIST,
    ACCEPTED,
    BEST,
    BEST_CODES,
    BEST_N,
    BEST_ON,
    CHANGED,
    CHANGED_LIST,
    COST,
    COST_OF,
    DIRTY,
    DIRTY_LIST,
    IS_DIRTY,
    IS_TOUCHED,
    LEFT_OUT,
    OLD,
    ON,
    PENALTY,
    POOLED,
    STAMP_OF,
    TOUCHED,
    TOUCHED_LIST,
    WAS,
    WAS_ABSENT,
    retime,
)


@njit(cache=True)
def _put_back(s):  # type: ignore[no-untyped-def]
    """The plans as they were before this iteration."""
    for k in range(s.n[TOUCHED]):
        v = s.lists[TOUCHED_LIST, k]
        old = s.spare[k, OLD]
        n = old[0]
        for row in range(ROUTE_ROWS):
            for c in range(n):
                s.routes[v, row, c] = s.spare[k, row, c]
        s.shuttles[v, N] = n
        s.shuttles[v, WAITS], s.plans[v, COST_OF], s.plans[v, STAMP_OF] = old[1], old[2], old[3]
    for k in range(s.n[CHANGED] - 1, -1, -1):
        s.rides[s.lists[CHANGED_LIST, k], ON] = s.lists[WAS, k]


@njit(cache=True)
def _penalties(s):  # type: ignore[no-untyped-def]
    total = 0
    for k in range(s.n[ABSENT]):
        total += s.rides[s.lists[ABSENT_LIST, k], PENALTY]
    return total


@njit(cache=True)
def remember(s, v):  # type: ignore[no-untyped-def]
    """Put plan v into the pool, in place of the oldest there."""
    row = s.pool[s.n[POOLED] % len(s.pool)]
    n = s.shuttles[v, N]
    row[0], row[1], row[2] = v, n, s.plans[v, COST_OF]
    for k in range(n):
        row[3 + k] = s.routes[v, CODE, k]
    s.n[POOLED] += 1


@njit(cache=True)
def keep_best(s, penalties):  # type: ignore[no-untyped-def]
    """Remember the plans as they are as the best so far."""
    for k in range(s.n[DIRTY]):
        v = s.lists[DIRTY_LIST, k]
        s.plans[v, IS_DIRTY] = 0
        n = s.shuttles[v, N]
        s.plans[v, BEST_N] = n
        for c in range(n):
            s.routes[v, BEST_CODES, c] = s.routes[v, CODE, c]
    s.n[DIRTY] = 0
    for e in range(len(s.rides)):
        s.rides[e, BEST_ON] = s.rides[e, ON]
    s.n[BEST], s.n[LEFT_OUT] = s.n[COST] + penalties, s.n[ABSENT]


@njit(cache=True)
def back_to_best(s):  # type: ignore[no-untyped-def]
    """The best plans kept become the present ones; shuttles that are in use there take riders again."""
    for v in range(len(s.plans)):
        s.shuttles[v, N] = s.plans[v, BEST_N]
        for c in range(s.plans[v, BEST_N]):
            s.routes[v, CODE, c] = s.routes[v, BEST_CODES, c]
        retime(s, v)
        s.plans[v, IS_DIRTY] = 0
    s.n[DIRTY], s.n[ABSENT] = 0, 0
    for e in range(len(s.rides)):
        v = s.rides[e, BEST_ON]
        s.rides[e, ON] = v
        if v >= 0:
            s.shuttles[v, OPEN] = 1
        else:
            s.lists[ABSENT_LIST, s.n[ABSENT]] = e
            s.n[ABSENT] += 1


@njit(cache=True, nogil=True)
def anneal(s, iterations, warm, cold, learn):  # type: ignore[no-untyped-def]
    """Iterate, the temperature falling evenly from `warm` to `cold` (in units of cost).

    With `learn` > 0 the penalty of whatever stays absent grows by it at every iteration, and the search ends as soon
    as nothing is absent (fleet minimisation by absences). Returns the iterations done.
    """
    for iteration in range(iterations if len(s.rides) > 0 else 0):
        before = s.n[COST]
        absent_before = s.n[ABSENT]
        old_total = before + _penalties(s)
        for k in range(absent_before):
            s.lists[WAS_ABSENT, k] = s.lists[ABSENT_LIST, k]
        s.n[TOUCHED], s.n[CHANGED] = 0, 0
        ruin(s)
        whole = recreate(s)
        accepted = False
        if whole:
            penalties = _penalties(s)
            total = s.n[COST] + penalties
            heat = warm + (cold - warm) * iteration // iterations
            luck = EXPONENTIAL[draw(s.chance, 4096)] * heat >> 10
            accepted = total < old_total + luck
            if learn > 0:
                for k in range(s.n[ABSENT]):
                    s.rides[s.lists[ABSENT_LIST, k], PENALTY] += learn
        if whole and len(s.pool) > 0:
            for k in range(s.n[TOUCHED]):
                v = s.lists[TOUCHED_LIST, k]
                if s.plans[v, STAMP_OF] > 0:
                    remember(s, v)
        if accepted:
            s.n[ACCEPTED] += 1
            for k in range(s.n[TOUCHED]):
                v = s.lists[TOUCHED_LIST, k]
                if s.plans[v, IS_DIRTY] == 0:
                    s.plans[v, IS_DIRTY] = 1
                    s.lists[DIRTY_LIST, s.n[DIRTY]] = v
                    s.n[DIRTY] += 1
            if s.n[ABSENT] <= s.n[LEFT_OUT] and (total < s.n[BEST] or (learn > 0 and s.n[ABSENT] == 0)):
                keep_best(s, penalties)
        else:
            _put_back(s)
            s.n[COST] = before
            s.n[ABSENT] = absent_before
            for k in range(absent_before):
                s.lists[ABSENT_LIST, k] = s.lists[WAS_ABSENT, k]
        for k in range(s.n[TOUCHED]):
            s.plans[s.lists[TOUCHED_LIST, k], IS_TOUCHED] = 0
        if learn > 0 and s.n[ABSENT] == 0:
            return iteration + 1
    return iterations
