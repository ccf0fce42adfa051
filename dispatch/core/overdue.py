"""Shuttles that should have left, or arrived, by now and of which nobody has said so: their timetables are too early.

The world has not heard that time has passed, so what is tried on their plans is tried on a timetable from now on, and
then the arrays are the world's again. There may be as many as there are shuttles, and riders wait meanwhile: compiled.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from dispatch.core.fleet import BEGIN, HEADING, LEG, N
from dispatch.core.timing import start, time_route


@njit(cache=True, forceinline=True)
def is_overdue(shuttle, route, now):  # type: ignore[no-untyped-def]
    """Whether a shuttle should have left, or arrived where it drives to, before now."""
    if shuttle[N] == 0:
        return False
    due = route[BEGIN, 0] if shuttle[HEADING] >= 0 else route[BEGIN, 0] - route[LEG, 0]
    return due < now


@njit(cache=True)
def overdue_rows(count, now, shuttles, routes):  # type: ignore[no-untyped-def]
    """Rows of the shuttles that should have left, or arrived where they drive to, before now."""
    rows, n = np.empty(count, np.int64), 0
    for v in range(count):
        if is_overdue(shuttles[v], routes[v], now):
            rows[n] = v
            n += 1
    return rows[:n]


@njit(cache=True)
def go_on(  # type: ignore[no-untyped-def]
    count, now, rows, was, were, shuttles, routes, visits, rules, table, place_nodes, slices, indptr, heads, edge_ms
):
    """Time anew, from now on, every plan that is overdue; how many.

    Their numbers are in `rows` then, and what was written of them before in `was` (shuttles) and `were` (routes).
    """
    n = 0
    for v in range(count):
        shuttle, route = shuttles[v], routes[v]
        if not is_overdue(shuttle, route, now):
            continue
        rows[n] = v
        was[n] = shuttle
        visits_ahead = shuttle[N]
        were[n, :, :visits_ahead] = route[:, :visits_ahead]
        node, at = start(shuttle, now, table, indptr, heads, edge_ms)
        time_route(route, visits_ahead, shuttle, node, at, visits, rules, table, place_nodes, slices)
        n += 1
    return n


@njit(cache=True)
def as_they_were(n, rows, was, were, shuttles, routes):  # type: ignore[no-untyped-def]
    """Undo `go_on`."""
    for k in range(n):
        shuttles[rows[k]] = was[k]
        visits_ahead = was[k, N]
        routes[rows[k], :, :visits_ahead] = were[k, :, :visits_ahead]
