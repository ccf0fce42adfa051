"""The best insertion of a request into one plan.

Every (i, j) is tried: "pickup after point i, drop-off after point j" (Jaw et al. 1986). What can't lead to the best is
cut by bounds that hold for sure: driving time keeps the triangle inequality, so a detour only grows and nobody arrives
sooner than by driving straight there. What is left is timed forward from the pickup until it meets the old timetable
again. Where a ride or a wait aboard gets too long and somewhere there is waiting to be used up, the whole plan is timed
anew, since a pickup may then be delayed (`timing.time_route`).

cost = W_DRIVE × added driving + W_DELAY × (delay of all drop-offs + the rider's own drop-off time) − WAKE if idle
"""

from __future__ import annotations

import numpy as np
from numba import njit

from dispatch.core.domain import NEVER
from dispatch.core.fleet import (
    ABOARD,
    BEGIN,
    BREAK,
    CODE,
    DIVERT,
    DONE,
    END,
    FROZEN,
    HEADING,
    LATEST_OK,
    LEG,
    LOAD,
    PAIR,
    PLACE,
    ROOM,
    SEATS,
    SINCE,
    SLICE,
    SOONEST,
    STANDS,
    STOP_DWELL,
    TAIL,
    TRIAL,
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
from dispatch.core.timing import DELAYS, DELAYS_A_WAIT, OK, STRICT, settle, slice_at

INFEASIBLE = 2**60
FAR = 2**36
"""ms, more than any detour"""

LEAST = SOONEST
"""Row of `scratch`, free while an insertion is tried: the least detour of the drop-off from this point on."""

# why a shuttle can't carry a request, nearer to carrying it later in the list
CLOSED, OUT_OF_REACH, TOO_FULL, PICKUP_LATE, DROPOFF_LATE, BREAKS_PROMISE, FITS = range(7)


@njit(cache=True, forceinline=True)
def is_loose(shuttle, rules, slices):  # type: ignore[no-untyped-def]
    """Whether what was delayed on purpose may be delayed less once there are two more visits.

    A wait aboard may be another one then; a stop dwell or a drive at another time of day may be shorter.
    """
    if shuttle[WAITS] < DELAYS:
        return False
    return shuttle[WAITS] == DELAYS_A_WAIT or rules[STOP_DWELL] > 0 or len(slices) > 1


@njit(cache=True)
def _whole(  # type: ignore[no-untyped-def]
    shuttle, route, scratch, node, at, code, i, j, visits, rules, table, place_nodes, slices
):
    """(feasible, total delay of old drop-offs, begin of the pickup, begin of the drop-off), the whole plan timed.

    It starts from the old timetable: with two more visits nothing is earlier, unless the old one is `is_loose`.
    """
    n, seats = shuttle[N], visits[code, V_SEATS]
    one_slice = len(slices) == 1
    loose, spared = is_loose(shuttle, rules, slices), 2 * rules[STOP_DWELL]
    m = 0
    for k in range(n + 1):
        if k in (i, j):
            for new in range(code if k == i else code + 1, code + 2 if k == j else code + 1):
                pickup = new == code
                scratch[CODE, m], scratch[PLACE, m] = new, visits[new, V_PLACE]
                scratch[BEGIN, m], scratch[LATEST_OK, m] = visits[new, V_EARLIEST], visits[new, V_LATEST]
                scratch[LOAD, m] = (scratch[LOAD, m - 1] if m > 0 else shuttle[ABOARD]) + (seats if pickup else -seats)
                scratch[PAIR, m] = -1 if pickup else i
                m += 1
        if k < n:
            old = route[CODE, k]
            scratch[CODE, m], scratch[PLACE, m] = old, route[PLACE, k]
            if route[PAIR, k] == -2:
                scratch[PLACE, m] = scratch[PLACE, m - 1] if m > 0 else shuttle[STANDS]
            scratch[BEGIN, m], scratch[DONE, m] = route[BEGIN, k], route[DONE, k]
            if loose or (k >= i and (spared > 0 or not one_slice)):
                scratch[BEGIN, m] = visits[old, V_EARLIEST]
            scratch[LATEST_OK, m] = visits[old, V_LATEST]
            if one_slice and route[PAIR, k] != -2:
                scratch[LATEST_OK, m] = route[LATEST_OK, k] + spared
            scratch[LOAD, m] = route[LOAD, k] + (seats if i <= k < j else 0)
            pair = route[PAIR, k]
            scratch[PAIR, m] = pair + (pair >= i) + (pair >= j) if pair >= 0 else pair
            m += 1
    status, _ = settle(
        scratch, n + 2, np.int64(0 if loose else i), shuttle, node, at, visits, rules, table, place_nodes, slices,
        np.int64(STRICT),
    )  # fmt: skip
    delay = 0
    if status == OK:
        for k in range(n):
            if route[CODE, k] & 1:
                delay += scratch[BEGIN, k + (k >= i) + (k >= j)] - route[BEGIN, k]
    return status == OK, delay, scratch[BEGIN, i], scratch[BEGIN, j + 1]


@njit(cache=True, forceinline=True)
def onward_from(route, k, n):  # type: ignore[no-untyped-def]
    """Point driven to from before point k on, n: none. A break is taken wherever the shuttle then is."""
    while k < n and route[PAIR, k] == -2:
        k += 1
    return k


@njit(cache=True)
def _follow(  # type: ignore[no-untyped-def]
    shuttle, route, scratch, i, j, t, stands, room, visits, rules, table, place_nodes, slices
):
    """Time the old points from j on, begun when the new drop-off at `stands` is done at t: (verdict, their delay).

    Verdict 1: they keep every bound, at less than `room` for their delay; 0: they don't; -1: only the whole plan can
    tell.
    """
    n, end, stop_dwell = shuttle[N], shuttle[END], rules[STOP_DWELL]
    one_slice = len(slices) == 1
    if t > end:
        return 0, 0
    delay = 0
    driven = False  # whether the old drives are the drives again
    from_node = place_nodes[stands]
    load = route[LOAD, j - 1] if j > 0 else shuttle[ABOARD]
    for k in range(j, n):
        c = route[CODE, k]
        place = visits[c, V_PLACE]
        arrive = t
        if place >= 0:
            arrive += route[LEG, k] if one_slice and driven else table[slice_at(slices, t), from_node, place]
            from_node = place_nodes[place]
            driven = True
        begin = max(arrive, visits[c, V_EARLIEST])
        # stop dwells may have gone over to the new visits: by so much the old slack may be exceeded
        if begin > visits[c, V_LATEST] or (one_slice and place >= 0 and begin > route[LATEST_OK, k] + 2 * stop_dwell):
            return 0, 0
        if load > 0 and begin - arrive > rules[WAIT_ABOARD]:
            return -1, 0
        load = route[LOAD, k]
        pair = route[PAIR, k]
        if pair >= 0 and visits[c, V_RIDE] < NEVER:
            pair_begin = route[BEGIN, pair] if pair < i else scratch[TRIAL, pair]
            if begin - pair_begin > visits[c, V_RIDE]:
                return -1, 0
        scratch[TRIAL, k] = begin
        if c & 1:
            delay += begin - route[BEGIN, k]
            if one_slice and rules[W_DELAY] * delay >= room:
                return 0, 0
        t = begin + visits[c, V_DWELL]
        if place >= 0 and place != stands:
            t += stop_dwell
            stands = place
        if t > end:
            return 0, 0
        if place >= 0 and begin == route[BEGIN, k] and t == route[DONE, k]:
            break  # the old timetable from here on
    return 1, delay


@njit(cache=True)
def best_in_route(  # type: ignore[no-untyped-def]
    shuttle, route, scratch, node, at, now, code, bound, visits, rules, table, into, place_nodes, slices
):
    """Best insertion of ride `code` into one plan: (cost, i, j, pickup begins, drop-off begins, why not).

    Only costs below `bound` are of interest: if there is none, i is -1 and the cost one that none is below, at least
    `bound`. `scratch` has the shape of `route` and is overwritten.
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
    # the drives to and from the rider's two stop points, each a row: one speed all day asks nothing else of the table
    to_pickup, from_pickup, to_dropoff, from_dropoff = into[p_place], table[0, p_node], into[d_place], table[0, d_node]
    waking = rules[WAKE] if n == 0 and shuttle[HEADING] < 0 else 0
    best, best_i, best_j, best_p, best_d = bound, -1, -1, 0, 0
    stage = PICKUP_LATE
    if seats > shuttle[SEATS] or wheels > shuttle[WHEELCHAIRS]:
        return best, -1, -1, 0, 0, TOO_FULL
    # with something delayed on purpose, which may be so by less or more, times are but bounds: `_whole` decides
    delays, loose = shuttle[WAITS] >= DELAYS, is_loose(shuttle, rules, slices)
    sooner = 0
    # whoever stops where the shuttle stops anyway spares those after it a stop dwell, if there was waiting before
    spared = 0
    if stop_dwell > 0 and shuttle[WAITS] > 0:
        for k in range(n):
            if route[PLACE, k] == p_place or route[PLACE, k] == d_place:
                spared = w_delay * stop_dwell * n
    # where nobody waits for a window, whoever comes later is delayed by all that the shuttle is; but for stop dwells
    rigid = one_slice and shuttle[WAITS] == 0
    give = 2 * stop_dwell
    dropoffs = 0
    if rigid:
        for k in range(n):
            dropoffs += route[CODE, k] & 1
    straight = p_dwell + (from_pickup[d_place] if one_slice else 0)
    last = n - shuttle[TAIL]
    first = shuttle[FROZEN]
    if first == 0 and n > 0 and shuttle[HEADING] >= 0 and rules[DIVERT] == 0:
        first = 1
    if one_slice:
        behind, least, direct = np.int64(FAR), np.int64(FAR), np.int64(from_pickup[d_place])
        scratch[LEAST, last + 1] = behind
        for j in range(last, first - 1, -1):
            scratch[LEAST, j] = behind
            soonest, before = at, -1
            if j > 0:
                soonest, before = route[DONE, j - 1], route[PLACE, j - 1]
            if loose:
                soonest = -NEVER
            # with the pickup in, the drop-off's turn may come sooner by stop dwells that are spared, and no more
            if soonest - give > d_late:
                continue
            from_node = place_nodes[before] if before >= 0 else node
            m = onward_from(route, j, n)
            old_leg, from_d = 0, 0
            if m < n:
                old_leg = route[LEG, m] if j > 0 else table[0, from_node, route[PLACE, m]]
                from_d = from_dropoff[route[PLACE, m]] - old_leg
            to_p, to_d = np.int64(to_pickup[from_node]), np.int64(to_dropoff[from_node])
            if soonest + to_p <= p_late:
                from_p = from_pickup[route[PLACE, m]] - old_leg if m < n else 0
                least = min(least, to_p + min(direct + from_d, from_p + behind))
            if soonest - give + to_d <= d_late:
                behind = min(behind, to_d + from_d)
                scratch[LEAST, j] = behind
        # the two visits make the way so much longer at least, and nobody is brought there sooner than straight
        least = w_drive * least + w_delay * (at + straight - now) - waking - spared
        if not loose and least >= best:
            return least, -1, -1, 0, 0, stage
    for k in range(first):
        dropoffs -= route[CODE, k] & 1
    for i in range(first, last + 1):
        if i > first:
            dropoffs -= route[CODE, i - 1] & 1
        if i == 0:
            t, stands, load, wload = at, shuttle[STANDS], shuttle[ABOARD], shuttle[WABOARD]
            from_node = node
        else:
            t, stands, load, wload = route[DONE, i - 1], route[PLACE, i - 1], route[LOAD, i - 1], route[WLOAD, i - 1]
            from_node = place_nodes[stands] if stands >= 0 else node
            if loose:
                for k in range(0 if i == first else i - 1, i):
                    if route[CODE, k] & 1:
                        sooner += route[SOONEST, k] - route[DONE, k]
                t = route[SOONEST, i - 1]
        if t > p_late:
            break
        if one_slice and not loose and w_delay * (t + straight - now) - waking - spared >= best:
            break  # from here on nobody is brought there in time to be the best
        if load + seats > shuttle[SEATS] or wload + wheels > shuttle[WHEELCHAIRS]:
            stage = max(stage, TOO_FULL)
            continue
        # the drive under way keeps its slice where it goes on to the same place
        s = slice_at(slices, t)
        s_p = shuttle[SLICE] if i == 0 and p_place == shuttle[HEADING] else s
        to_p = to_pickup[from_node] if one_slice else table[s_p, from_node, p_place]
        p_begin = max(t + to_p, p_early)
        if p_begin > p_late:
            continue
        old_leg = 0
        m = onward_from(route, i, n)
        onward = route[PLACE, m] if m < n else -1
        if i > 0 and m < n:
            old_leg = route[LEG, m]
        elif onward >= 0:
            s_old = shuttle[SLICE] if onward == shuttle[HEADING] else s
            old_leg = table[s_old, from_node, onward]
        p_done = p_begin + p_dwell + (stop_dwell if p_place != stands else 0)
        s = slice_at(slices, p_done)
        direct = from_pickup[d_place] if one_slice else table[s, p_node, d_place]
        if max(p_done + direct, d_early) > d_late:
            stage = max(stage, DROPOFF_LATE)
            continue
        if p_done + direct - p_begin > ride:
            stage = max(stage, DROPOFF_LATE)
            if one_slice:
                continue
        if p_done + direct > end:
            continue
        if one_slice:
            detour, late = to_p - old_leg, 0
            beside = detour + direct
            if onward >= 0:
                leg = from_pickup[onward]
                beside += from_dropoff[onward]
                detour += leg
                if rigid and m == i:
                    late = w_delay * dropoffs * max(p_done + leg - route[BEGIN, i] - give, 0)
            detour = min(beside, detour + scratch[LEAST, i + 1])
            if late + w_drive * detour + w_delay * (sooner + p_done + direct - now) - waking - spared >= best:
                continue
        # the state of the plan with the pickup in and the drop-off still to come
        waits = p_begin > t + to_p
        can_wait = shuttle[WAITS] > 0 or waits or not one_slice  # at another time of day a ride may be shorter
        arrive = min(t, shuttle[SINCE]) if i == 0 and to_p == 0 else t + to_p
        whole = delays or (waits and load > 0 and p_begin - arrive > rules[WAIT_ABOARD])
        t, from_node, stands = p_done, p_node, p_place
        # begin to begin, no waiting counted: what of the ride no delay can take away; and the latest begin there may be
        busy = p_done - p_begin
        p_latest = p_late
        delay = sooner
        left = dropoffs
        drive = to_p - old_leg
        for j in range(i, last + 1):
            # the drop-off here, after old point j - 1
            if t > d_late:
                break
            s = slice_at(slices, t)
            to_d = to_dropoff[from_node] if one_slice else table[s, from_node, d_place]
            d_arrive = t + to_d
            d_begin = max(d_arrive, d_early)
            if d_begin <= d_late:
                total_drive = drive + to_d
                late, shift, after = 0, -1, -1
                m = onward_from(route, j, n)
                onward = route[PLACE, m] if m < n else -1
                d_done = d_begin + d_dwell + (stop_dwell if d_place != stands else 0)
                if onward >= 0:
                    leg = from_dropoff[onward] if one_slice else table[s, d_node, onward]
                    total_drive += leg
                    if rigid and m == j:
                        shift = d_done + leg - route[BEGIN, j]
                        late = w_delay * left * max(shift - give, 0)
                    if j > i:
                        total_drive -= route[LEG, m]
                cost = w_drive * total_drive + w_delay * (delay + d_begin - now) - waking
                if cost + late - spared < best:
                    verdict, later = -1, 0
                    if not (whole or d_begin - p_begin > ride or d_begin - d_arrive > rules[WAIT_ABOARD]):
                        if shift >= 0:
                            # all that is left of the plan moves by as much: no need to time it
                            after = shift + (stop_dwell if onward != d_place else 0)
                            after -= route[DONE, j] - route[BEGIN, j] - visits[route[CODE, j], V_DWELL]
                        if after >= 0 and max(shift, after) <= route[ROOM, j]:
                            c = route[CODE, j]
                            later = after * left + (shift - after) * (c & 1)
                            verdict = route[BEGIN, j] + shift <= visits[c, V_LATEST]
                            if j + 1 < n:
                                verdict = verdict and route[BEGIN, j + 1] + after <= route[LATEST_OK, j + 1]
                            else:
                                verdict = verdict and route[DONE, j] + after <= end
                        else:
                            verdict, later = _follow(
                                shuttle, route, scratch, i, j, d_done, d_place, best - cost + spared, visits, rules,
                                table, place_nodes, slices,
                            )  # fmt: skip
                    p_at, d_at = p_begin, d_begin
                    if verdict < 0 and one_slice:
                        # what no delay mends: the rider's own time on the way, and lateness at the next point
                        if busy + to_d > ride or d_begin - p_latest > ride:
                            verdict = 0
                        elif onward >= 0 and m == j:
                            there = d_begin + d_dwell + from_dropoff[onward]
                            if there > route[LATEST_OK, j] + 2 * stop_dwell:
                                verdict = 0
                    if verdict < 0 and (can_wait or d_begin > d_arrive):
                        fits, later, p_at, d_at = _whole(
                            shuttle, route, scratch, node, at, code, i, j, visits, rules, table, place_nodes, slices
                        )
                        verdict = 1 if fits else 0
                        cost = w_drive * total_drive + w_delay * (d_at - now) - waking
                    if verdict > 0:
                        stage = FITS
                        cost += w_delay * later
                        if cost < best:
                            best, best_i, best_j, best_p, best_d = cost, i, j, p_at, d_at
                    else:
                        stage = max(stage, BREAKS_PROMISE)
            # pass the next old point with the rider aboard
            if j >= last or (one_slice and busy > ride):
                break
            c = route[CODE, j]
            if visits[c, V_KIND] == BREAK:
                break
            if route[LOAD, j] + seats > shuttle[SEATS] or route[WLOAD, j] + wheels > shuttle[WHEELCHAIRS]:
                break
            place = route[PLACE, j]
            leg = 0
            if place >= 0:
                leg = from_pickup[place] if one_slice else table[s, from_node, place]
                if one_slice and j > i:
                    leg = route[LEG, j]
                from_node = place_nodes[place]
            arrive = t + leg
            begin = max(arrive, visits[c, V_EARLIEST])
            if delays and not loose:
                begin = max(begin, route[BEGIN, j])
            if begin > visits[c, V_LATEST] or (one_slice and begin > route[LATEST_OK, j] + 2 * stop_dwell):
                stage = max(stage, BREAKS_PROMISE)
                break
            can_wait = can_wait or begin > arrive
            whole = whole or begin - arrive > rules[WAIT_ABOARD]
            pair = route[PAIR, j]
            if pair >= 0 and visits[c, V_RIDE] < NEVER:
                pair_begin = route[BEGIN, pair] if pair < i else scratch[TRIAL, pair]
                whole = whole or begin - pair_begin > visits[c, V_RIDE]
            if whole and not can_wait:
                stage = max(stage, BREAKS_PROMISE)
                break
            scratch[TRIAL, j] = begin
            drive += leg
            if j > i:
                drive -= route[LEG, j]
            if c & 1:
                delay += begin - route[BEGIN, j]
                left -= 1
            if j == i and place >= 0:
                p_latest = min(p_latest, route[LATEST_OK, j] + 2 * stop_dwell - leg - p_dwell)
            busy += leg + visits[c, V_DWELL] + (stop_dwell if place != stands else 0)
            t = begin + visits[c, V_DWELL] + (stop_dwell if place != stands else 0)
            stands = place
            late = w_delay * left * max(t - route[DONE, j] - give, 0) if rigid else 0
            if one_slice:
                least = w_drive * (drive + scratch[LEAST, j + 1]) + w_delay * (delay + t - now)
                if late + least - waking - spared >= best:
                    break
    return best, best_i, best_j, best_p, best_d, stage
