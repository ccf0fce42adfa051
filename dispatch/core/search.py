"""What a search for better plans works on: copies of the fleet's arrays, and the ways to change a plan.

What is looked for is the plan of least

    W_DRIVE × driving + W_DELAY × begin of every drop-off − WAKE × shuttles in use + penalties of rides not assigned.

An *element* is what may move: a ride not yet begun (its even code), or the drop-off of a rider who is aboard or about
to be (its odd code), which may move within its own plan only. Everything is an integer: the same seed, the same plans.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types
from numba.experimental import structref

from dispatch.core.fleet import (
    BEGIN,
    CODE,
    DIVERT,
    DROPOFF,
    FROZEN,
    HEADING,
    LEG,
    OPEN,
    PICKUP,
    ROUTE_ROWS,
    TAIL,
    V_EARLIEST,
    V_KIND,
    V_LATEST,
    V_PLACE,
    W_DELAY,
    W_DRIVE,
    WAITS,
    WAKE,
    N,
)
from dispatch.core.timing import OK, time_route
from dispatch.core.uncounted import uncounted

MUST = 2**58
"""Penalty of a ride that has a promise: no plan without it is ever accepted."""
BROKEN = 2**44
"""Cost of a plan that facts of the world have broken: to mend it pays more than anything else."""

# counters
ABSENT, TOUCHED, CHANGED, DIRTY, COST, BEST, ACCEPTED = range(7)
STRING = 8  # longest string taken out
CARDINALITY = 9  # visits taken out on average
BLINK = 10  # plans overlooked, of 1,024
TWINS = 11  # visits of an empty plan where all empty shuttles are alike, 0 where they are not
GAP = 12  # weight of time in nearness, in 16ths
NOW = 13
LEFT_OUT = 14  # absent from the best plans
POOLED = 15
COUNTERS = 16


# plans[v, …]: what the search knows of each plan
START_NODE, START_AT = 0, 1
COST_OF = 2
STAMP_OF = 3  # of shuttle and plan, a hash: what is known of a plan holds when it comes again; negative: it is broken
IS_TOUCHED, IS_DIRTY = 4, 5  # in this iteration; since the best was kept
BEST_N = 6
PLAN_COLUMNS = 7

# rides[e, …]: what it knows of each element
CODE_OF = 0
ON = 1  # shuttle, -1: none
HOME = 2  # the only shuttle it may be on, -1: any
PENALTY = 3  # of being on none
BEST_ON = 4
KEYS = 5  # first of the keys by which elements are put in order before they are put back
RIDE_COLUMNS = 9

# lists[…, k]
ABSENT_LIST, WAS_ABSENT = 0, 1
CHANGED_LIST, WAS = 2, 3  # elements moved in this iteration, and where they were
TOUCHED_LIST, DIRTY_LIST = 4, 5
MARKED = 6  # by position in a plan
ASKED = 7  # shuttles
LISTS = 8

BEST_CODES = ROUTE_ROWS  # one row more in the search's routes: the best plan so far
_ODD, _LOW_BITS = 0x1B873593CC9E2D51, 2**60 - 1

OLD = ROUTE_ROWS  # one row more in spare routes: visits, waits, cost and stamp


@structref.register
class SearchType(types.StructRef):
    """Type of a `Search` in compiled code."""


class Search(structref.StructRefProxy):
    """Everything the search reads and writes: one reference, so that calls neither copy nor count twenty arrays."""


FIELDS = [
    "visits",
    "rules",
    "table",
    "into",
    "place_nodes",
    "slices",
    "shuttles",
    "routes",
    "plans",
    "rides",
    "element",  # of ride number (code // 2), -1 if it may not move
    "lists",
    "spare",  # routes as they were before this iteration, in the order in which they were touched
    "scratch",
    "near",  # for both ends of each element the other elements, nearest first; row[0] is -1 until it is asked for
    "reach",  # for each element the shuttles that can be there in time, their number first (-1 until asked for)
    "least",  # what an insertion into those shuttles costs at least, but for waking them
    "known",  # insertions tried before: (element, stamp, cost, i, j), by hash
    "pool",  # plans met on the way, a row each: shuttle, visits, cost, codes; none are kept if it has no rows
    "n",
    "chance",
    "owned",  # the same arrays once more, in this order, as long as the search lives
]
structref.define_proxy(Search, SearchType, FIELDS)  # type: ignore[no-untyped-call]


@njit(cache=True)
def state(s):  # type: ignore[no-untyped-def]
    """(n, plans, rides, reach, routes, pool) of a search: its own arrays, for who steers it from outside."""
    _, _, _, _, _, _, _, routes, plans, rides, _, _, _, _, _, reach, _, _, pool, n, _ = s.owned
    return n, plans, rides, reach, routes, pool


@njit(cache=True, forceinline=True)
def plan_cost(route, n, now, visits, rules):  # type: ignore[no-untyped-def]
    """What a timed plan costs."""
    drive, delay = 0, 0
    for k in range(n):
        drive += route[LEG, k]
        if visits[route[CODE, k], V_KIND] == DROPOFF:
            delay += route[BEGIN, k] - now
    return rules[W_DRIVE] * drive + rules[W_DELAY] * delay - (rules[WAKE] if n > 0 else 0)


@njit(cache=True, forceinline=True)
def first_free(shuttle, rules):  # type: ignore[no-untyped-def]
    """First position of a plan where something may change."""
    if shuttle[FROZEN] == 0 and shuttle[N] > 0 and shuttle[HEADING] >= 0 and rules[DIVERT] == 0:
        return 1
    return shuttle[FROZEN]


@njit(cache=True)
def retime(s, v):  # type: ignore[no-untyped-def]
    """Time plan v anew after its codes have changed; what it costs, and whether it keeps every bound."""
    shuttle, route = s.shuttles[v], s.routes[v]
    n = shuttle[N]
    status = time_route(
        route, n, shuttle, s.plans[v, START_NODE], s.plans[v, START_AT], s.visits, s.rules, s.table, s.place_nodes,
        s.slices,
    )  # fmt: skip
    cost = plan_cost(route, n, s.n[NOW], s.visits, s.rules)
    if status != OK:
        cost += BROKEN
    s.n[COST] += cost - s.plans[v, COST_OF]
    s.plans[v, COST_OF] = cost
    stamp = np.int64(v + 1) * _ODD
    for k in range(n):
        stamp = (stamp ^ route[CODE, k] + 1) * _ODD
        stamp ^= stamp >> 29
    stamp = (stamp & _LOW_BITS) + 1
    # a broken plan takes nothing
    s.plans[v, STAMP_OF] = stamp if status == OK else -stamp


@njit(cache=True)
def touch(s, v):  # type: ignore[no-untyped-def]
    """Keep plan v as it is now, in case this iteration does not pay."""
    if s.plans[v, IS_TOUCHED]:
        return
    s.plans[v, IS_TOUCHED] = 1
    k = s.n[TOUCHED]
    s.lists[TOUCHED_LIST, k] = v
    n = s.shuttles[v, N]
    for row in range(ROUTE_ROWS):
        for c in range(n):
            s.spare[k, row, c] = s.routes[v, row, c]
    old = s.spare[k, OLD]
    old[0], old[1], old[2], old[3] = n, s.shuttles[v, WAITS], s.plans[v, COST_OF], s.plans[v, STAMP_OF]
    s.n[TOUCHED] += 1


@njit(cache=True)
def take_out(s, v):  # type: ignore[no-untyped-def]
    """Take every visit of plan v that is `marked` (by position) out of it; retime."""
    n, m = s.shuttles[v, N], 0
    route, marked = s.routes[v], s.lists[MARKED]
    for k in range(n):
        if marked[k] == 0:
            route[CODE, m] = route[CODE, k]
            m += 1
    s.shuttles[v, N] = m
    retime(s, v)


@njit(cache=True)
def put_in(s, v, code, i, j):  # type: ignore[no-untyped-def]
    """Put ride `code` into plan v after points i and j, or (code odd) a drop-off alone after point i; retime."""
    n = s.shuttles[v, N]
    route = s.routes[v]
    if code & 1:
        for k in range(n, i, -1):
            route[CODE, k] = route[CODE, k - 1]
        route[CODE, i] = code
        s.shuttles[v, N] = n + 1
    else:
        for k in range(n + 1, j + 1, -1):
            route[CODE, k] = route[CODE, k - 2]
        route[CODE, j + 1] = code + 1
        for k in range(j, i, -1):
            route[CODE, k] = route[CODE, k - 1]
        route[CODE, i] = code
        s.shuttles[v, N] = n + 2
    retime(s, v)


@njit(cache=True)
def close_plan(s, v):  # type: ignore[no-untyped-def]
    """Take everything that may move out of plan v and let it take nothing more."""
    shuttle, route, marked = s.shuttles[v], s.routes[v], s.lists[MARKED]
    shuttle[OPEN] = 0
    for k in range(shuttle[N]):
        e = s.element[route[CODE, k] >> 1]
        marked[k] = e >= 0 and s.rides[e, ON] == v
    for e in range(len(s.rides)):
        if s.rides[e, ON] == v:
            s.rides[e, ON] = -1
            s.lists[ABSENT_LIST, s.n[ABSENT]] = e
            s.n[ABSENT] += 1
    if s.plans[v, IS_DIRTY] == 0:
        s.plans[v, IS_DIRTY] = 1
        s.lists[DIRTY_LIST, s.n[DIRTY]] = v
        s.n[DIRTY] += 1
    take_out(s, v)


@njit(cache=True)
def moved(s, e, v):  # type: ignore[no-untyped-def]
    """Element e is now on shuttle v (-1: on none)."""
    s.lists[CHANGED_LIST, s.n[CHANGED]] = e
    s.lists[WAS, s.n[CHANGED]] = s.rides[e, ON]
    s.n[CHANGED] += 1
    s.rides[e, ON] = v


@njit(cache=True)
def open_search(  # type: ignore[no-untyped-def]
    count, now, shuttles, routes, visits, rules, table, into, place_nodes, slices, node, at, waiting, locked, penalties,
    widest, neighbours, memory, pool, seed,
):  # fmt: skip
    """The first `count` shuttles, begun at (node, at) each, made ready for a search.

    `waiting` are pickup codes of rides that are on no plan and cost `penalties` as long as they are not, `locked`
    those of rides that may move within their own plan only. A plan may grow to `widest` visits; `neighbours` elements
    near each are known, `memory` (a power of two) insertions and `pool` plans remembered.
    """
    most = len(waiting)
    for v in range(count):
        most += shuttles[v, N]
    rides = np.full((most, RIDE_COLUMNS), -1, np.int64)
    element = np.full(len(visits) // 2 + 1, -1, np.int64)
    m = 0
    for v in range(count):
        shuttle, route = shuttles[v], routes[v]
        first, last = first_free(shuttle, rules), shuttle[N] - shuttle[TAIL]
        for k in range(first, last):
            code = route[CODE, k]
            kind = visits[code, V_KIND]
            if kind == PICKUP:
                free = False
                for d in range(k + 1, last):
                    free = free or route[CODE, d] == code + 1
                if not free:
                    continue
            elif kind == DROPOFF:
                if element[code >> 1] >= 0:
                    continue
                rides[m, HOME] = v
            else:
                continue
            rides[m, CODE_OF], rides[m, ON], rides[m, PENALTY] = code, v, MUST
            element[code >> 1] = m
            m += 1
    for code in locked:
        e = element[code >> 1]
        if e >= 0:
            rides[e, HOME] = rides[e, ON]
    lists = np.zeros((LISTS, max(2 * most, count, widest) + 2), np.int64)
    for k in range(len(waiting)):
        rides[m, CODE_OF], rides[m, PENALTY] = waiting[k], penalties[k]
        element[waiting[k] >> 1] = m
        lists[ABSENT_LIST, k] = m
        m += 1
    rides = rides[:m].copy()
    for e in range(m):
        pickup, dropoff = rides[e, CODE_OF], rides[e, CODE_OF] | 1
        rides[e, BEST_ON] = rides[e, ON]
        rides[e, KEYS] = -table[0, place_nodes[visits[pickup, V_PLACE]], visits[dropoff, V_PLACE]]
        rides[e, KEYS + 1] = visits[pickup, V_EARLIEST]
        rides[e, KEYS + 2] = visits[dropoff, V_LATEST]
        rides[e, KEYS + 3] = visits[pickup, V_LATEST] - visits[pickup, V_EARLIEST]
    n = np.zeros(COUNTERS, np.int64)
    n[ABSENT], n[NOW], n[STRING], n[CARDINALITY], n[BLINK], n[GAP] = len(waiting), now, 10, 10, 10, 16
    near = np.empty((2 * m, min(m, neighbours)), np.int64)
    if m > 0:
        near[:, 0] = -1
    reach = np.empty((m, count + 1), np.int64)
    reach[:, 0] = -1
    least = np.empty((m, count + 1), np.int64)
    known = np.empty((memory, 5), np.int64)
    known[:, 0] = -1
    chance = np.empty(1, np.uint64)
    chance[0] = np.uint64(seed)
    work = np.empty((count, ROUTE_ROWS + 1, widest), np.int64)
    plans = np.zeros((count, PLAN_COLUMNS), np.int64)
    for v in range(count):
        plans[v, START_NODE], plans[v, START_AT], plans[v, BEST_N] = node[v], at[v], shuttles[v, N]
        for k in range(shuttles[v, N]):
            work[v, CODE, k] = routes[v, CODE, k]
            work[v, BEST_CODES, k] = routes[v, CODE, k]
    shuttles = shuttles[:count].copy()
    spare = np.empty((count, ROUTE_ROWS + 1, max(widest, 4)), np.int64)
    scratch = np.zeros((ROUTE_ROWS, widest + 2), np.int64)
    met = np.zeros((pool, widest + 3), np.int64)
    s = Search(  # type: ignore[no-untyped-call]
        uncounted(visits), uncounted(rules), uncounted(table), uncounted(into), uncounted(place_nodes),
        uncounted(slices), uncounted(shuttles), uncounted(work), uncounted(plans), uncounted(rides), uncounted(element),
        uncounted(lists), uncounted(spare), uncounted(scratch), uncounted(near), uncounted(reach),
        uncounted(least), uncounted(known), met, uncounted(n), uncounted(chance),
        (visits, rules, table, into, place_nodes, slices, shuttles, work, plans, rides, element, lists, spare, scratch,
         near, reach, least, known, met, n, chance),
    )  # fmt: skip
    for v in range(count):
        retime(s, v)
    n[BEST], n[LEFT_OUT] = n[COST] + penalties.sum(), len(waiting)
    return s
