"""All insertions of a request over the fleet, best first.

For one plan every (i, j) is tried: "pickup after point i, drop-off after point j" (Jaw et al. 1986; slack as in
MATSim's DrtShift-aware insertion search). What can't lead to the best is cut by bounds that hold for sure; what is
left is timed forward from the pickup until it meets the old timetable again. Where a plan waits somewhere and a ride
gets too long, the whole plan is timed anew, since a pickup may then be delayed (`timing.time_route`).

cost = W_DRIVE × added driving + W_DELAY × (delay of all drop-offs + the rider's own drop-off time) − WAKE if idle
"""

from __future__ import annotations

import numpy as np
from numba import njit

from dispatch.core.domain import NEVER
from dispatch.core.fleet import (
    ABOARD,
    AT,
    BEGIN,
    BREAK,
    CODE,
    DIVERT,
    DONE,
    DROPOFF,
    END,
    FROZEN,
    HEADING,
    LATEST_OK,
    LOAD,
    NODE,
    OPEN,
    PAIR,
    PLACE,
    SEATS,
    SLICE,
    STANDS,
    STOP_DWELL,
    TAIL,
    V_DWELL,
    V_EARLIEST,
    V_KIND,
    V_LATEST,
    V_PLACE,
    V_RIDE,
    V_SEATS,
    V_WHEELCHAIRS,
    W_DELAY,
    W_DRIVE,
    WABOARD,
    WAIT_ABOARD,
    WAITS,
    WAKE,
    WHEELCHAIRS,
    WLOAD,
    N,
)
from dispatch.core.timing import OK, slice_at, start, time_route

INFEASIBLE = 2**60

# why a shuttle can't carry a request, nearer to carrying it later in the list
CLOSED, OUT_OF_REACH, TOO_FULL, PICKUP_LATE, DROPOFF_LATE, BREAKS_PROMISE, FITS = range(7)


@njit(cache=True)
def _whole(shuttle, route, scratch, n, node, at, code, i, j, visits, rules, table, place_nodes, slices):  # type: ignore[no-untyped-def]
    """(feasible, total delay of old drop-offs, begin of the pickup, begin of the drop-off), the whole plan timed."""
    m = 0
    for k in range(n + 1):
        if k == i:
            scratch[CODE, m] = code
            m += 1
        if k == j:
            scratch[CODE, m] = code + 1
            m += 1
        if k < n:
            scratch[CODE, m] = route[CODE, k]
            m += 1
    waits = shuttle[WAITS]
    status = time_route(scratch, n + 2, shuttle, node, at, visits, rules, table, place_nodes, slices)
    shuttle[WAITS] = waits
    delay = 0
    for k in range(n):
        if visits[route[CODE, k], V_KIND] == DROPOFF:
            delay += scratch[BEGIN, k + (k >= i) + (k >= j)] - route[BEGIN, k]
    return status == OK, delay, scratch[BEGIN, i], scratch[BEGIN, j + 1]


@njit(cache=True)
def best_in_route(  # type: ignore[no-untyped-def]
    shuttle, route, scratch, node, at, now, code, bound, visits, rules, table, place_nodes, slices
):
    """Best insertion of ride `code` into one plan: (cost, i, j, pickup begins, drop-off begins, why not).

    Only costs below `bound` are of interest. `scratch` has the shape of `route` and is overwritten.
    """
    n = shuttle[N]
    p_place, d_place = visits[code, V_PLACE], visits[code + 1, V_PLACE]
    p_early, p_late = visits[code, V_EARLIEST], visits[code, V_LATEST]
    d_early, d_late = visits[code + 1, V_EARLIEST], visits[code + 1, V_LATEST]
    p_dwell, d_dwell = visits[code, V_DWELL], visits[code + 1, V_DWELL]
    seats, wheels = visits[code, V_SEATS], visits[code, V_WHEELCHAIRS]
    ride = visits[code + 1, V_RIDE]
    p_node, d_node = place_nodes[p_place], place_nodes[d_place]
    w_drive, w_delay, stop_dwell, end = rules[W_DRIVE], rules[W_DELAY], rules[STOP_DWELL], shuttle[END]
    one_slice = len(slices) == 1
    best, best_i, best_j, best_p, best_d = bound, -1, -1, 0, 0
    stage = PICKUP_LATE
    last = n - shuttle[TAIL]
    first = shuttle[FROZEN]
    if first == 0 and shuttle[HEADING] >= 0 and rules[DIVERT] == 0:
        first = 1
    for i in range(first, last + 1):
        if i == 0:
            t, from_node, stands, load, wload = at, node, shuttle[STANDS], shuttle[ABOARD], shuttle[WABOARD]
        else:
            t, stands, load, wload = route[DONE, i - 1], route[PLACE, i - 1], route[LOAD, i - 1], route[WLOAD, i - 1]
            from_node = place_nodes[stands] if stands >= 0 else node
        if t > p_late:
            break
        if load + seats > shuttle[SEATS] or wload + wheels > shuttle[WHEELCHAIRS]:
            if stage < TOO_FULL:
                stage = TOO_FULL
            continue
        # the drive under way keeps its slice when the pickup lies where it goes anyway
        s = shuttle[SLICE] if i == 0 and p_place == shuttle[HEADING] else slice_at(slices, t)
        to_p = table[s, from_node, p_place]
        p_begin = max(t + to_p, p_early)
        if p_begin > p_late:
            continue
        if load > 0 and p_begin - t - to_p > rules[WAIT_ABOARD] and i == 0:
            continue
        p_done = p_begin + p_dwell + (stop_dwell if p_place != stands else 0)
        s_p = slice_at(slices, p_done)
        direct = table[s_p, p_node, d_place]
        if p_done + direct > d_late or p_done + direct - p_begin > ride:
            if stage < DROPOFF_LATE:
                stage = DROPOFF_LATE
            if p_done + direct > d_late:
                continue
        if p_done + direct > end:
            continue
        # driving added before the next old point; -1: the plan ends here
        old_leg = 0
        if i < n and route[PLACE, i] >= 0:
            s_old = shuttle[SLICE] if i == 0 and route[PLACE, 0] == shuttle[HEADING] else s
            old_leg = table[s_old, from_node, route[PLACE, i]]
        waking = rules[WAKE] if n == 0 and shuttle[HEADING] < 0 else 0
        if w_delay * (p_done + direct - now) - waking >= best and one_slice:
            continue
        # state of the plan with the pickup in and the drop-off still to come
        t, from_node, stands = p_done, p_node, p_place
        delay = 0
        drive = to_p - old_leg
        waited = p_begin > at and p_begin == p_early
        broken = False
        for j in range(i, last + 1):
            # the drop-off here, directly after old point j
            s_t = slice_at(slices, t)
            to_d = table[s_t, from_node, d_place]
            d_arrive = t + to_d
            d_begin = max(d_arrive, d_early)
            if t > d_late:
                break
            if d_begin <= d_late:
                next_leg, old_next = 0, 0
                if j < n and route[PLACE, j] >= 0:
                    next_leg = table[s_t, d_node, route[PLACE, j]]
                    if j == i:
                        old_next = 0  # replaced already by the pickup
                    else:
                        s_old = slice_at(slices, route[DONE, j - 1])
                        old_next = table[s_old, place_nodes[route[PLACE, j - 1]], route[PLACE, j]]
                total_drive = drive + to_d + next_leg - old_next
                cost = w_drive * total_drive + w_delay * (delay + d_begin - now) - waking
                if cost < best:
                    # time what follows
                    feasible, try_whole = not broken, broken
                    tail_delay = 0
                    d_done = d_begin + d_dwell + (stop_dwell if d_place != stands else 0)
                    if d_done > end:
                        feasible = False
                    if d_begin - p_begin > ride:
                        feasible, try_whole = False, True
                    if d_begin - d_arrive > rules[WAIT_ABOARD]:
                        feasible, try_whole = False, True
                    u, u_node, u_stands = d_done, d_node, d_place
                    u_load = load if j == i else route[LOAD, j - 1]
                    if feasible:
                        for k in range(j, n):
                            c = route[CODE, k]
                            place = route[PLACE, k]
                            arrive = u
                            if place >= 0:
                                arrive = u + table[slice_at(slices, u), u_node, place]
                            b = max(arrive, visits[c, V_EARLIEST])
                            if b > visits[c, V_LATEST] or (one_slice and b > route[LATEST_OK, k]):
                                feasible = False
                                if stage < BREAKS_PROMISE:
                                    stage = BREAKS_PROMISE
                                break
                            if u_load > 0 and b - arrive > rules[WAIT_ABOARD]:
                                feasible, try_whole = False, True
                                break
                            pair = route[PAIR, k]
                            if pair >= 0 and visits[c, V_RIDE] < NEVER:
                                pair_begin = route[BEGIN, pair] if pair < i else scratch[BEGIN, pair]
                                if b - pair_begin > visits[c, V_RIDE]:
                                    feasible, try_whole = False, True
                                    if stage < BREAKS_PROMISE:
                                        stage = BREAKS_PROMISE
                                    break
                            if b < route[BEGIN, k]:
                                feasible, try_whole = False, True  # was delayed on purpose: time it all
                                break
                            scratch[BEGIN, k] = b
                            u = b + visits[c, V_DWELL] + (stop_dwell if place != u_stands else 0)
                            if u > end:
                                feasible = False
                                break
                            if b == route[BEGIN, k] and u == route[DONE, k]:
                                break  # the old timetable from here on
                            if visits[c, V_KIND] == DROPOFF:
                                tail_delay += b - route[BEGIN, k]
                                if cost + w_delay * tail_delay >= best:
                                    feasible = False
                                    break
                            u_stands, u_load = place, route[LOAD, k]
                            if place >= 0:
                                u_node = place_nodes[place]
                    p_at = p_begin
                    if try_whole and (waited or shuttle[WAITS] == 1 or d_begin > d_arrive):
                        feasible, whole, p_at, d_at = _whole(
                            shuttle, route, scratch, n, node, at, code, i, j, visits, rules, table, place_nodes, slices
                        )
                        if feasible:
                            d_begin = d_at
                            cost = w_drive * total_drive + w_delay * (whole + d_begin - now) - waking
                            tail_delay = 0
                        # the scratch timetable of the points before j is lost: restore it
                        v, v_node, v_stands = p_done, p_node, p_place
                        for k in range(i, j):
                            place = route[PLACE, k]
                            arrive = v + (table[slice_at(slices, v), v_node, place] if place >= 0 else 0)
                            scratch[BEGIN, k] = max(arrive, visits[route[CODE, k], V_EARLIEST])
                            v = scratch[BEGIN, k] + visits[route[CODE, k], V_DWELL]
                            v += stop_dwell if place != v_stands else 0
                            v_stands = place
                            if place >= 0:
                                v_node = place_nodes[place]
                    if feasible:
                        stage = FITS
                        cost += w_delay * tail_delay
                        if cost < best:
                            best, best_i, best_j, best_p, best_d = cost, i, j, p_at, d_begin
            # pass the next old point with the rider aboard
            if j >= last:
                break
            c = route[CODE, j]
            place = route[PLACE, j]
            if visits[c, V_KIND] == BREAK:
                break
            if route[LOAD, j] + seats > shuttle[SEATS] or route[WLOAD, j] + wheels > shuttle[WHEELCHAIRS]:
                break
            arrive = t
            leg = 0
            if place >= 0:
                leg = table[slice_at(slices, t), from_node, place]
                arrive = t + leg
            b = max(arrive, visits[c, V_EARLIEST])
            if b > visits[c, V_LATEST] or (one_slice and b > route[LATEST_OK, j]):
                if stage < BREAKS_PROMISE:
                    stage = BREAKS_PROMISE
                break
            if b - arrive > rules[WAIT_ABOARD] or b < route[BEGIN, j]:
                broken = True
            pair = route[PAIR, j]
            if pair >= 0 and visits[c, V_RIDE] < NEVER:
                pair_begin = route[BEGIN, pair] if pair < i else scratch[BEGIN, pair]
                if b - pair_begin > visits[c, V_RIDE]:
                    broken = True
            if broken and not (waited or shuttle[WAITS] == 1 or b > arrive):
                if stage < BREAKS_PROMISE:
                    stage = BREAKS_PROMISE
                break
            scratch[BEGIN, j] = b
            if j == i:
                drive += leg
            else:
                s_old = slice_at(slices, route[DONE, j - 1])
                drive += leg - (
                    table[s_old, place_nodes[route[PLACE, j - 1]], place]
                    if place >= 0 and route[PLACE, j - 1] >= 0 else 0
                )
            if visits[c, V_KIND] == DROPOFF:
                delay += b - route[BEGIN, j]
            t = b + visits[c, V_DWELL] + (stop_dwell if place != stands else 0)
            stands = place
            if place >= 0:
                from_node = place_nodes[place]
            if w_delay * (delay + t - now) - waking >= best and one_slice:
                break
    return best, best_i, best_j, best_p, best_d, stage


@njit(cache=True)
def best_insertion(  # type: ignore[no-untyped-def]
    count, code, now, shuttles, routes, scratch, visits, rules, table, place_nodes, slices, indptr, heads, edge_ms
):
    """Best insertion over the first `count` shuttles: (cost, shuttle, i, j, pickup begins, drop-off begins, node, at, open, in reach).

    shuttle is -1 where there is none. (node, at) is the start waypoint used; `open` counts the shuttles that take
    riders, `in reach` those that could be at the pickup in time by driving there straight.
    """
    takes, reach = 0, 0
    best, best_v, best_i, best_j, best_p, best_d, best_node, best_at = INFEASIBLE, -1, -1, -1, 0, 0, 0, 0
    place, late = visits[code, V_PLACE], visits[code, V_LATEST]
    one_slice = len(slices) == 1
    for v in range(count):
        shuttle = shuttles[v]
        if shuttle[OPEN] == 0:
            continue
        takes += 1
        # nobody is at the pickup sooner than by driving there straight from where the shuttle last was known to be
        if one_slice and max(shuttle[AT], 0) + table[0, shuttle[NODE], place] > late:
            continue
        node, at = start(shuttle, now, table, indptr, heads, edge_ms)
        if one_slice and at + table[0, node, place] > late:
            continue
        reach += 1
        cost, i, j, p, d, _ = best_in_route(
            shuttle, routes[v], scratch, node, at, now, code, best, visits, rules, table, place_nodes, slices
        )
        if i >= 0:
            best, best_v, best_i, best_j, best_p, best_d, best_node, best_at = cost, v, i, j, p, d, node, at
    return best, best_v, best_i, best_j, best_p, best_d, best_node, best_at, takes, reach


@njit(cache=True)
def stages(  # type: ignore[no-untyped-def]
    count, code, now, shuttles, routes, scratch, visits, rules, table, place_nodes, slices, indptr, heads, edge_ms
):
    """For each shuttle how near it came to carrying the request: (count, 2) of (stage, ms by which it missed)."""
    out = np.zeros((count, 2), np.int64)
    place, late = visits[code, V_PLACE], visits[code, V_LATEST]
    for v in range(count):
        shuttle = shuttles[v]
        if shuttle[OPEN] == 0 or shuttle[END] <= now:
            out[v, 0] = CLOSED
            continue
        node, at = start(shuttle, now, table, indptr, heads, edge_ms)
        sooner = at + table[slice_at(slices, at), node, place]
        if sooner > late:
            out[v, 0] = OUT_OF_REACH
            out[v, 1] = sooner - late
            continue
        _, i, _, _, _, stage = best_in_route(
            shuttle, routes[v], scratch, node, at, now, code, INFEASIBLE, visits, rules, table, place_nodes, slices
        )
        out[v, 0] = FITS if i >= 0 else stage
    return out
