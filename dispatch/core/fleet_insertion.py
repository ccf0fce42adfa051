"""The best insertion of a request over the fleet, and how near each shuttle came to one."""

from __future__ import annotations

import numpy as np
from numba import njit

from dispatch.core.fleet import (
    AT,
    BEGIN,
    CODE,
    DONE,
    END,
    HEADING,
    LEG,
    NODE,
    OPEN,
    PLACE,
    START,
    STOP_DWELL,
    TAIL,
    V_DWELL,
    V_EARLIEST,
    V_LATEST,
    V_PLACE,
    W_DELAY,
    W_DRIVE,
    WAITS,
    WAKE,
    N,
)
from dispatch.core.insertion import FITS, INFEASIBLE, OUT_OF_REACH, best_in_route, is_loose, onward_from
from dispatch.core.overdue import is_overdue
from dispatch.core.timing import slice_at, start
from dispatch.core.uncounted import uncounted

NEAREST = 3
"""shuttles named in a receipt: those farther away say little"""


@njit(cache=True, forceinline=True)
def _floor(  # type: ignore[no-untyped-def]
    shuttle, route, now, visit, direct, there, bound, to_place, from_place, place_nodes, rules
):
    """What no insertion of a ride into this plan costs less than, if that is below `bound`; one speed all day.

    It is told by the pickup alone.

    `visit` is the pickup's row, `direct` the drive to the drop-off, `there` the soonest the shuttle is at the pickup,
    `to_place` and `from_place` the drives there from all nodes and from there to all places. Detours by the triangle
    inequality; who comes after the pickup is late by all that the shuttle is, where nobody waits for a window.
    """
    n, w_drive, w_delay = shuttle[N], rules[W_DRIVE], rules[W_DELAY]
    late = visit[V_LATEST]
    served = visit[V_DWELL] + direct - now
    least, to_p = w_delay * (there + served), to_place[shuttle[NODE]]
    give = 2 * rules[STOP_DWELL]
    dropoffs = 0
    for k in range(n):
        dropoffs += route[CODE, k] & 1
    last, low = n - shuttle[TAIL], bound
    for i in range(last + 1):
        onward = onward_from(route, i, n)
        if i == 0:
            arrive, detour = there, 0
            goal = shuttle[HEADING]
            if onward < n and (goal < 0 or goal == route[PLACE, onward]):
                goal = route[PLACE, onward]
                detour = to_p + from_place[goal] - route[LEG, onward]
        else:
            stands = route[PLACE, i - 1]
            if stands < 0 or w_delay * (route[DONE, i - 1] + served) >= low:
                return min(low, least) if stands < 0 else low
            detour = to_place[place_nodes[stands]]
            arrive = max(route[DONE, i - 1] + detour, there)
            detour += from_place[route[PLACE, onward]] - route[LEG, onward] if onward < n else direct
            dropoffs -= route[CODE, i - 1] & 1
        if arrive > late:
            continue
        delay = arrive + served
        if onward == i and i < n:
            delay += dropoffs * max(arrive + visit[V_DWELL] + from_place[route[PLACE, i]] - route[BEGIN, i] - give, 0)
        low = min(low, w_drive * detour + w_delay * delay)
    return low


@njit(cache=True)
def best_insertion(  # type: ignore[no-untyped-def]
    count, code, now, shuttles, routes, scratch, visits, rules, table, into, place_nodes, slices, indptr, heads, edge_ms
):
    """Best insertion over the first `count` shuttles.

    (cost, shuttle, i, j, pickup begins, drop-off begins, overdue, takes, reach): shuttle is -1 where there is none.
    `overdue`: it should have left or arrived by now, and nobody has said so. `takes` counts the shuttles on shift at
    the time asked for, `reach` those of them that could be at the pickup in time by driving there straight. Plans are
    looked at in the order of what an insertion costs at least, until that is more than the best: most need no look at
    all. One that will do is found first, so that most need not be asked whole what they cost at least.
    """
    # each shuttle asked is a call with these
    shuttles, routes, scratch, visits = uncounted(shuttles), uncounted(routes), uncounted(scratch), uncounted(visits)
    rules, table, into, place_nodes = uncounted(rules), uncounted(table), uncounted(into), uncounted(place_nodes)
    slices, indptr, heads, edge_ms = uncounted(slices), uncounted(indptr), uncounted(heads), uncounted(edge_ms)
    takes, reach = 0, 0
    best, best_v, best_i, best_j, best_p, best_d = np.int64(INFEASIBLE), -1, -1, -1, 0, 0
    visit = visits[code]
    place, late = visit[V_PLACE], visit[V_LATEST]
    early = max(now, visit[V_EARLIEST])
    one_slice, to_place, from_place = len(slices) == 1, into[place], table[0, place_nodes[place]]
    direct = from_place[visits[code + 1, V_PLACE]] if one_slice else 0
    served = visit[V_DWELL] + direct - now
    # who may be the best, and what that costs at least
    may, least = np.empty(count, np.int64), np.empty(count, np.int64)
    v, lowest = -1, np.int64(0)
    for other in range(count):
        shuttle = shuttles[other]
        if shuttle[OPEN] == 0 or shuttle[END] <= early or shuttle[START] > late:
            continue
        takes += 1
        low = np.int64(-INFEASIBLE)
        if one_slice:
            # nobody is at the pickup sooner than by driving there straight from where the shuttle last was known to be
            drive = to_place[shuttle[NODE]]
            there = max(shuttle[AT] + drive, early)
            if there > late:
                continue
            if not is_loose(shuttle, rules, slices):
                low = rules[W_DELAY] * (there + served)
                if shuttle[N] == 0:
                    low -= rules[WAKE]
                    if shuttle[HEADING] < 0:
                        low += rules[W_DRIVE] * (drive + direct)
                elif shuttle[WAITS] > 0:
                    # who waited for a window may wait less, where the new rider stops where the shuttle stops anyway
                    low -= rules[W_DELAY] * rules[STOP_DWELL] * shuttle[N]
        least[other] = low
        may[reach] = other
        reach += 1
        if v < 0 or low < lowest:
            v, lowest = other, low
    m = reach
    first = True
    while v >= 0:
        least[v] = INFEASIBLE
        shuttle = shuttles[v]
        node, at = start(shuttle, now, table, indptr, heads, edge_ms)
        if not one_slice or at + to_place[node] <= late:
            cost, i, j, p, d, _ = best_in_route(
                shuttle, routes[v], scratch, node, at, now, code, best, visits, rules, table, into, place_nodes, slices
            )
            if i >= 0:
                best, best_v, best_i, best_j, best_p, best_d = cost, v, i, j, p, d
        v, still = -1, 0
        for k in range(m):
            other = may[k]
            shuttle = shuttles[other]
            if first and one_slice and least[other] < best and shuttle[WAITS] == 0 and shuttle[N] > 0:
                # after who could be there soonest few others can be better
                there = max(shuttle[AT] + to_place[shuttle[NODE]], early)
                least[other] = _floor(
                    shuttle, routes[other], now, visit, direct, there, best, to_place, from_place, place_nodes, rules
                )
            if least[other] < best:
                may[still] = other
                still += 1
                if v < 0 or least[other] < least[v]:
                    v = other
        m, first = still, False
    late_already = best_v >= 0 and is_overdue(shuttles[best_v], routes[best_v], now)
    return best, best_v, best_i, best_j, best_p, best_d, late_already, takes, reach


@njit(cache=True)
def nearest(  # type: ignore[no-untyped-def]
    count, code, now, shuttles, routes, scratch, visits, rules, table, into, place_nodes, slices, indptr, heads, edge_ms
):
    """Why nobody carries the request: (shuttles on shift, those in reach, the NEAREST ones that came nearest to it).

    Of these (shuttle, stage, ms by which it missed) each, nearest to carrying it first; the shuttle is -1 where there
    are fewer.
    """
    shuttles, routes, scratch, visits = uncounted(shuttles), uncounted(routes), uncounted(scratch), uncounted(visits)
    rules, table, into, place_nodes = uncounted(rules), uncounted(table), uncounted(into), uncounted(place_nodes)
    slices, indptr, heads, edge_ms = uncounted(slices), uncounted(indptr), uncounted(heads), uncounted(edge_ms)
    takes, reach = 0, 0
    out = np.full((NEAREST, 3), -1, np.int64)
    place, late = visits[code, V_PLACE], visits[code, V_LATEST]
    early = max(now, visits[code, V_EARLIEST])
    for v in range(count):
        shuttle = shuttles[v]
        if shuttle[OPEN] == 0 or shuttle[END] <= early or shuttle[START] > late:
            continue
        takes += 1
        node, at = start(shuttle, now, table, indptr, heads, edge_ms)
        short = max(at + table[slice_at(slices, at), node, place] - late, 0)
        stage = OUT_OF_REACH
        if short == 0:
            reach += 1
            _, i, _, _, _, stage = best_in_route(
                shuttle, routes[v], scratch, node, at, now, code, np.int64(INFEASIBLE), visits, rules, table,
                into, place_nodes, slices,
            )  # fmt: skip
            if i >= 0:
                stage = FITS
        k = NEAREST
        while k > 0 and (out[k - 1, 1] < stage or (out[k - 1, 1] == stage and out[k - 1, 2] > short)):
            k -= 1
        for later in range(NEAREST - 1, k, -1):
            out[later] = out[later - 1]
        if k < NEAREST:
            out[k] = v, stage, short
    return takes, reach, out
