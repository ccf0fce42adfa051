"""Recreate: put what is absent back, each where it costs least (SISR §5.3: several orders, greedy, with blinks)."""

from __future__ import annotations

import numpy as np
from numba import njit

from dispatch.core.chance import draw
from dispatch.core.fleet import (
    CODE,
    DONE,
    END,
    LEG,
    OPEN,
    PAIR,
    PLACE,
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
from dispatch.core.insertion import INFEASIBLE, best_in_route
from dispatch.core.search import (
    ABSENT,
    ABSENT_LIST,
    ASKED,
    BLINK,
    CODE_OF,
    COST_OF,
    HOME,
    KEYS,
    MUST,
    NOW,
    PENALTY,
    RIDE_COLUMNS,
    STAMP_OF,
    START_AT,
    START_NODE,
    TWINS,
    first_free,
    moved,
    plan_cost,
    put_in,
    touch,
)
from dispatch.core.timing import OK, time_route

_KEY, _STAMP, _COST, _I, _J = range(5)


@njit(cache=True)
def _find_reach(s, e):  # type: ignore[no-untyped-def]
    """List the shuttles that take riders and can be at element e's pickup in time by driving there straight.

    In the order of the soonest drop-off, whose cost nothing on that shuttle can be below, but for waking it.
    """
    pickup, reach, least = s.rides[e, CODE_OF], s.reach[e], s.least[e]
    place, late, early = s.visits[pickup, V_PLACE], s.visits[pickup, V_LATEST], s.visits[pickup, V_EARLIEST]
    one_slice = len(s.slices) == 1
    served = s.visits[pickup, V_DWELL] - s.n[NOW]
    if one_slice:
        served += s.table[0, s.place_nodes[place], s.visits[pickup + 1, V_PLACE]]
    m = 0
    for v in range(len(s.plans)):
        shuttle = s.shuttles[v]
        if shuttle[OPEN] == 0:
            continue
        cost = -INFEASIBLE
        if one_slice:
            there = max(s.plans[v, START_AT] + s.into[place, s.plans[v, START_NODE]], early)
            if there > late or there > shuttle[END]:
                continue
            cost = s.rules[W_DELAY] * (there + served)
        m += 1
        reach[m], least[m] = v, cost
    reach[0] = m
    if one_slice:
        _sort(least[1 : m + 1], reach[1 : m + 1])


@njit(cache=True)
def _sort(keys, values):  # type: ignore[no-untyped-def]
    """Sort both by the keys, what is equal by its value (Shell's sort)."""
    m = len(keys)
    step = m // 2
    while step > 0:
        for k in range(step, m):
            key, value, at = keys[k], values[k], k
            while at >= step and (keys[at - step] > key or (keys[at - step] == key and values[at - step] > value)):
                keys[at], values[at] = keys[at - step], values[at - step]
                at -= step
            keys[at], values[at] = key, value
        step = step * 5 // 11 if step != 2 else 1


@njit(cache=True)
def _best_alone(s, v, code, bound):  # type: ignore[no-untyped-def]
    """Best place for a drop-off alone in plan v: (added cost, i).

    Each that may be the best is timed whole, plans are short. Nobody after it is sooner, if nobody waits for a window.
    """
    shuttle, route, scratch = s.shuttles[v], s.routes[v], s.scratch
    n, place, table = shuttle[N], s.visits[code, V_PLACE], s.table
    w_drive, w_delay, now = s.rules[W_DRIVE], s.rules[W_DELAY], s.n[NOW]
    bounded = n > 0 and shuttle[WAITS] == 0 and len(s.slices) == 1
    best, best_i = bound, -1
    for i in range(first_free(shuttle, s.rules), n - shuttle[TAIL] + 1):
        if bounded:
            t, from_node = s.plans[v, START_AT], s.plans[v, START_NODE]
            if i > 0:
                t = route[DONE, i - 1]
                if route[PLACE, i - 1] >= 0:
                    from_node = s.place_nodes[route[PLACE, i - 1]]
            if w_delay * (t - now) >= best:
                break
            drive, detour = table[0, from_node, place], 0
            if i == n:
                detour = drive
            elif route[PAIR, i] != -2:
                detour = drive + table[0, s.place_nodes[place], route[PLACE, i]] - route[LEG, i]
            if w_drive * detour + w_delay * (t + drive - now) >= best:
                continue
        for k in range(n):
            scratch[CODE, k + (k >= i)] = route[CODE, k]
        scratch[CODE, i] = code
        waits = shuttle[WAITS]
        status = time_route(
            scratch,
            n + 1,
            shuttle,
            s.plans[v, START_NODE],
            s.plans[v, START_AT],
            s.visits,
            s.rules,
            s.table,
            s.place_nodes,
            s.slices,
        )
        shuttle[WAITS] = waits
        if status == OK:
            cost = plan_cost(scratch, n + 1, s.n[NOW], s.visits, s.rules) - s.plans[v, COST_OF]
            if cost < best:
                best, best_i = cost, i
    return best, best_i


@njit(cache=True)
def _best_in(s, e, v, bound):  # type: ignore[no-untyped-def]
    """Best insertion of element e into plan v below `bound`: (cost, i, j), i = -1 if there is none."""
    code = s.rides[e, CODE_OF]
    if code & 1:
        cost, i = _best_alone(s, v, code, bound)
        return cost, i, i
    cost, i, j, _, _, _ = best_in_route(
        s.shuttles[v], s.routes[v], s.scratch, s.plans[v, START_NODE], s.plans[v, START_AT], s.n[NOW], code, bound,
        s.visits, s.rules,
        s.table, s.into, s.place_nodes, s.slices,
    )  # fmt: skip
    return cost, i, j


@njit(cache=True)
def _look(s, e, v, h, bound):  # type: ignore[no-untyped-def]
    """Remember in row h the best insertion of element e into plan v: below `bound`, or any if that was once in vain."""
    row, stamp = s.known[h], s.plans[v, STAMP_OF]
    again = row[_KEY] == e and row[_STAMP] == stamp
    cost, i, j = _best_in(s, e, v, np.int64(INFEASIBLE) if again else bound)
    row[_KEY], row[_STAMP], row[_COST], row[_I], row[_J] = e, stamp, cost, i, j


@njit(cache=True)
def _put_in_order(s):  # type: ignore[no-untyped-def]
    """Order what is absent: at random, or by one of the keys."""
    orders = RIDE_COLUMNS - KEYS
    by = draw(s.chance, 2 * orders) - orders
    absent = s.lists[ABSENT_LIST]
    m = s.n[ABSENT]
    if by < 0:
        for k in range(m - 1, 0, -1):
            other = draw(s.chance, k + 1)
            absent[k], absent[other] = absent[other], absent[k]
        return
    for k in range(1, m):
        e = absent[k]
        key = s.rides[e, KEYS + by]
        at = k
        while at > 0 and s.rides[absent[at - 1], KEYS + by] > key:
            absent[at] = absent[at - 1]
            at -= 1
        absent[at] = e


@njit(cache=True)
def recreate(s):  # type: ignore[no-untyped-def]
    """Put back what is absent. False as soon as something that must be assigned finds no place.

    What was found for the same plan before is not looked for again: most plans stay as they are.
    """
    _put_in_order(s)
    left = 0
    widest = s.routes.shape[2] - 2
    plans, shuttles, known, reach, chance = s.plans, s.shuttles, s.known, s.reach, s.chance
    blink, twins, wake = s.n[BLINK], s.n[TWINS], s.rules[WAKE]
    # where delay costs nothing, `least` says nothing: what is remembered of plans goes first, and cuts short the rest
    undelayed, open_plans = s.rules[W_DELAY] == 0, s.lists[ASKED]
    for k in range(s.n[ABSENT]):
        e = s.lists[ABSENT_LIST, k]
        best, best_i, best_j = np.int64(INFEASIBLE), np.int64(-1), np.int64(-1)
        best_v = np.int64(-1)  # not a literal: numba would compile everything below for it, too
        if s.rides[e, HOME] >= 0:
            first, count = s.rides[e, HOME], 1
        else:
            if s.reach[e, 0] < 0:
                _find_reach(s, e)
            first, count = -1, s.reach[e, 0]
        empty = False
        asked = 0
        for c in range(1, count + 1):
            v = reach[e, c] if first < 0 else first
            if first < 0 and s.least[e, c] - wake >= best:
                break
            stamp = plans[v, STAMP_OF]
            if stamp < 0 or shuttles[v, N] > widest:
                continue
            if twins and shuttles[v, N] == twins:
                if empty:
                    continue  # one empty shuttle is as good as another
                empty = True
            if blink and draw(chance, 1024) < blink:
                continue
            h = (e * 7919 + stamp) & (len(known) - 1)
            if known[h, _KEY] != e or known[h, _STAMP] != stamp or (known[h, _I] < 0 and known[h, _COST] < best):
                if undelayed:
                    open_plans[asked] = v
                    asked += 1
                    continue
                _look(s, e, v, h, best)
            if known[h, _I] >= 0 and known[h, _COST] < best:
                best, best_v, best_i, best_j = known[h, _COST], v, known[h, _I], known[h, _J]
        for c in range(asked):
            v = open_plans[c]
            h = (e * 7919 + plans[v, STAMP_OF]) & (len(known) - 1)
            _look(s, e, v, h, best)
            if known[h, _I] >= 0 and known[h, _COST] < best:
                best, best_v, best_i, best_j = known[h, _COST], v, known[h, _I], known[h, _J]
        if best_v < 0:
            if s.rides[e, PENALTY] >= MUST:
                return False
            s.lists[ABSENT_LIST, left] = e
            left += 1
            continue
        touch(s, best_v)
        put_in(s, best_v, s.rides[e, CODE_OF], best_i, best_j)
        moved(s, e, best_v)
    s.n[ABSENT] = left
    return True
