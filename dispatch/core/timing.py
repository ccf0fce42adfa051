"""The timetable of a plan: the earliest one that keeps every bound.

Service times are the least solution of difference constraints (Dechter, Meiri & Pearl 1991): drives and dwells push
later visits back; the longest ride and the longest wait with riders aboard push *earlier* visits back (a pickup is
delayed rather than a rider driven about). Passes are repeated until nothing moves; without waits one is enough.
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
    DONE,
    DROPOFF,
    END,
    HEADING,
    LATEST_OK,
    LEG,
    LOAD,
    NODE,
    PAIR,
    PLACE,
    ROOM,
    SEATS,
    SINCE,
    SLICE,
    SOONEST,
    STANDS,
    STOP_DWELL,
    V_DWELL,
    V_EARLIEST,
    V_KIND,
    V_LATEST,
    V_PLACE,
    V_RIDE,
    V_SEATS,
    V_WHEELCHAIRS,
    WABOARD,
    WAIT_ABOARD,
    WAITS,
    WHEELCHAIRS,
    WLOAD,
)
from routing.paths import turn
from routing.travel_times import QUARTER_MS

OK, LATE, FULL, RIDE, WAIT, SHIFT_END = 0, 1, 2, 3, 4, 5
"""What a timetable breaks, worst place first met."""

SETTLE, ONCE, STRICT = 0, 1, 2

DELAYS, DELAYS_A_WAIT = 2, 3
"""In shuttle column WAITS: something begins later than it could, for the sake of a ride; of a wait aboard."""


@njit(cache=True, forceinline=True)
def slice_at(slices, t):  # type: ignore[no-untyped-def]
    """Time slice in which a drive begun at t lies."""
    if len(slices) == 1:
        return slices[0]
    return slices[min(max(t, 0) // QUARTER_MS, len(slices) - 1)]


@njit(cache=True)
def start(shuttle, now, table, indptr, heads, edge_ms):  # type: ignore[no-untyped-def]
    """Start waypoint: (node, time) where the shuttle can next turn, never before `now`."""
    if shuttle[HEADING] >= 0:
        node, at = turn(
            table, indptr, heads, edge_ms, shuttle[SLICE], shuttle[NODE], shuttle[AT], shuttle[HEADING], now
        )
        return node, max(at, now)  # already there by the clock, and nobody has said so yet
    return shuttle[NODE], max(shuttle[AT], now)


@njit(cache=True)
def _push(route, pickup, dropoff, wanted):  # type: ignore[no-untyped-def]
    """How much later a pickup has to be for a ride `wanted` ms shorter, where drives depend on the time of day.

    Sooner than one of the drives on the way changes its speed only what is waited on the way becomes less.
    """
    change, waited = QUARTER_MS, False
    for k in range(pickup, dropoff):
        change = min(change, QUARTER_MS - route[DONE, k] % QUARTER_MS)
        waited = waited or route[BEGIN, k + 1] > route[DONE, k] + route[LEG, k + 1]
    return min(wanted, change) if waited else change


@njit(cache=True, forceinline=True)
def settle(  # type: ignore[no-untyped-def]
    route, n, first, shuttle, node, at, visits, rules, table, place_nodes, slices, mode
):
    """Push begins back until every bound is kept: (OK or the first kind of bound that can't be, what WAITS is then).

    PLACE, LOAD and PAIR are given, and in BEGIN lower bounds; before point `first` they are the timetable. What is
    broken still gets a timetable: who is late, or too many, the earliest one (mode ONCE: that one in any case); who
    waits or rides for too long, one that shortens it. In mode STRICT LATEST_OK holds upper bounds, and the first thing
    broken ends it.
    """
    status, waits, passes = OK, 0, 0
    # what leaves later may arrive sooner then: what a visit was pushed to is kept apart from when it begins
    sliced, pushed = len(slices) > 1, ROOM
    most = (n + 1) * len(slices)
    if sliced:
        for k in range(n):
            route[pushed, k] = route[BEGIN, k]
    while True:
        passes += 1
        lowest = n
        if sliced and mode == SETTLE:
            status = OK  # who is late may be in time once those before leave later
        if first == 0:
            t, from_node, stands, aboard = at, node, shuttle[STANDS], shuttle[ABOARD]
        else:
            t, stands, aboard = route[DONE, first - 1], route[PLACE, first - 1], route[LOAD, first - 1]
            from_node = place_nodes[stands] if stands >= 0 else node
        for k in range(first, n):
            code = route[CODE, k]
            place = route[PLACE, k]
            drive = 0
            if place >= 0:
                # the drive under way keeps its slice as long as its goal stays
                s = shuttle[SLICE] if k == 0 and place == shuttle[HEADING] else slice_at(slices, t)
                drive = table[s, from_node, place]
            route[LEG, k] = drive
            arrive = t + drive
            begin = max(arrive, visits[code, V_EARLIEST], route[BEGIN, k])
            route[BEGIN, k] = begin
            if begin > arrive:
                waits = max(waits, 1)
                waited = begin - (min(arrive, shuttle[SINCE]) if k == 0 and drive == 0 else arrive)
                too_long = waited - rules[WAIT_ABOARD]
                if aboard > 0 and too_long > 0:
                    room = visits[route[CODE, k - 1], V_LATEST] - route[BEGIN, k - 1] if k > 0 and mode != ONCE else 0
                    if too_long > room and status == OK:
                        status = WAIT
                    # where all must not be spared the wait, nobody else is kept waiting for less of it
                    alone = k < 2 or route[LOAD, k - 2] == 0
                    if room >= too_long or (room > 0 and alone and (k > 1 or shuttle[ABOARD] == 0)):
                        route[BEGIN, k - 1] += min(too_long, room)
                        if sliced:
                            route[pushed, k - 1] = route[BEGIN, k - 1]
                        lowest = min(lowest, k - 1)
                        waits = DELAYS_A_WAIT
            done = begin + visits[code, V_DWELL]
            if place != stands:
                done += rules[STOP_DWELL]
            route[DONE, k] = done
            if passes == 1 and mode != STRICT:
                route[SOONEST, k] = done
            if begin > visits[code, V_LATEST]:
                status = LATE
            elif done > shuttle[END] and status != LATE:
                status = SHIFT_END
            pair = route[PAIR, k]
            if pair >= 0 and begin - route[BEGIN, pair] > visits[code, V_RIDE]:
                later = begin - visits[code, V_RIDE]
                if sliced:
                    later = route[BEGIN, pair] + _push(route, pair, k, later - route[BEGIN, pair])
                latest = visits[route[CODE, pair], V_LATEST]
                if later > latest and status == OK:
                    status = RIDE
                if mode != ONCE and route[BEGIN, pair] < latest:
                    route[BEGIN, pair] = min(later, latest)
                    if sliced:
                        route[pushed, pair] = route[BEGIN, pair]
                    lowest = min(lowest, pair)
                    waits = max(waits, DELAYS)
            if mode == STRICT and (status != OK or begin > route[LATEST_OK, k]):
                return max(status, LATE), waits
            t = done
            stands = place
            if place >= 0:
                from_node = place_nodes[place]
            aboard = route[LOAD, k]
        late = status in (LATE, SHIFT_END)
        if lowest == n and (passes == 1 or mode == ONCE or not late):
            return status, waits
        endless = passes > most  # each delay brings on the next (a cycle of Bellman & Ford)
        if endless and status == OK:
            status = RIDE
        if endless or (late and (lowest == n or not sliced)):
            if mode == STRICT:
                return status, waits
            mode, lowest, waits = ONCE, np.int64(0), 0
            for k in range(n):
                route[BEGIN, k] = route[pushed, k] = -NEVER
        elif sliced:
            if mode == SETTLE:
                lowest = np.int64(0)  # all is judged anew
            for k in range(lowest, n):
                route[BEGIN, k] = route[pushed, k]
        first = lowest


@njit(cache=True)
def time_route(route, n, shuttle, node, at, visits, rules, table, place_nodes, slices):  # type: ignore[no-untyped-def]
    """Write the timetable of `route` begun at (node, at); return OK or the first kind of bound that it breaks."""
    status = OK
    here = shuttle[STANDS]
    load, wload = shuttle[ABOARD], shuttle[WABOARD]
    for k in range(n):
        code = route[CODE, k]
        place = visits[code, V_PLACE]
        if place < 0:
            place = here if k == 0 else route[PLACE, k - 1]
        route[PLACE, k] = place
        route[BEGIN, k] = -NEVER
        load += visits[code, V_SEATS]
        wload += visits[code, V_WHEELCHAIRS]
        route[LOAD, k] = load
        route[WLOAD, k] = wload
        if load > shuttle[SEATS] or wload > shuttle[WHEELCHAIRS]:
            status = FULL
        if load > 0 and visits[code, V_KIND] == BREAK:
            status = FULL
        route[PAIR, k] = -1 if visits[code, V_PLACE] >= 0 else -2
        if visits[code, V_KIND] == DROPOFF:
            for m in range(k - 1, -1, -1):
                if route[CODE, m] == code - 1:
                    route[PAIR, k] = m
                    break
    settled, waits = settle(
        route, n, np.int64(0), shuttle, node, at, visits, rules, table, place_nodes, slices,
        np.int64(ONCE if status == FULL else SETTLE),
    )  # fmt: skip
    if status == OK:
        status = settled
    shuttle[WAITS] = waits
    room = NEVER
    for k in range(n - 1, -1, -1):
        code, pair = route[CODE, k], route[PAIR, k]
        route[LATEST_OK, k] = visits[code, V_LATEST]
        if pair >= 0:
            room = min(room, visits[code, V_RIDE] - route[BEGIN, k] + route[BEGIN, pair])
        route[ROOM, k] = room
    capped = True
    while capped:
        capped = False
        slack = NEVER
        for k in range(n - 1, -1, -1):
            serve = route[DONE, k] - route[BEGIN, k]
            latest = min(route[LATEST_OK, k], shuttle[END] - serve)
            if k < n - 1:
                drive = 0
                if route[PLACE, k + 1] >= 0 and route[PLACE, k] >= 0:
                    drive = route[LEG, k + 1]
                latest = min(latest, slack - serve - drive)
            slack = latest
            route[LATEST_OK, k] = latest
        if status == OK:
            for k in range(n):
                pair = route[PAIR, k]
                if pair >= 0:
                    latest = route[LATEST_OK, pair] + visits[route[CODE, k], V_RIDE]
                    if latest < route[LATEST_OK, k]:
                        route[LATEST_OK, k] = latest
                        capped = True
    return status


@njit(cache=True)
def time_from(  # type: ignore[no-untyped-def]
    route, n, shuttle, now, visits, rules, table, place_nodes, slices, indptr, heads, edge_ms
):
    """`time_route`, begun where the shuttle can next turn."""
    node, at = start(shuttle, now, table, indptr, heads, edge_ms)
    return time_route(route, n, shuttle, node, at, visits, rules, table, place_nodes, slices)
