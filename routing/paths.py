"""Drives followed street by street, straight from the table of driving times.

The next street of a fastest way is the first outgoing edge (u, v) with edge(u, v) + table[v, goal] == table[u, goal]:
integer times make this exact, so no path is ever stored and a path, a table entry and a virtual drive always agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from routing.travel_times import QUARTER_MS, UNREACHABLE, DriveTimes

if TYPE_CHECKING:
    from numpy.typing import NDArray


@njit(cache=True, forceinline=True)
def next_edge(table, indptr, heads, edge_ms, k, node, goal):  # type: ignore[no-untyped-def]
    """Edge that a fastest drive from `node` to place `goal` takes next; -1 at the goal or where there is no way."""
    left = table[k, node, goal]
    if left == 0 or left >= UNREACHABLE:
        return -1
    for e in range(indptr[node], indptr[node + 1]):
        if edge_ms[k, e] + table[k, heads[e], goal] == left:
            return e
    return -1


@njit(cache=True)
def turn(table, indptr, heads, edge_ms, k, node, at, goal, now):  # type: ignore[no-untyped-def]
    """First node of the drive that is reached at `now` or later: (node, time). The shuttle can turn there."""
    while at < now:
        e = next_edge(table, indptr, heads, edge_ms, k, node, goal)
        if e < 0:
            break
        at += edge_ms[k, e]
        node = heads[e]
    return node, at


@njit(cache=True)
def _walk(table, indptr, heads, edge_ms, k, node, goal, out):  # type: ignore[no-untyped-def]
    n = 0
    while n < len(out):
        out[n] = node
        n += 1
        e = next_edge(table, indptr, heads, edge_ms, k, node, goal)
        if e < 0:
            break
        node = heads[e]
    return n


@njit(cache=True)
def length_mm(table, indptr, heads, edge_ms, edge_mm, k, node, goal_place, until):  # type: ignore[no-untyped-def]
    """Millimetres of the drive from `node` towards `goal_place` up to the node `until` (or the goal)."""
    total = 0
    while node != until:
        e = next_edge(table, indptr, heads, edge_ms, k, node, goal_place)
        if e < 0:
            break
        total += edge_mm[e]
        node = heads[e]
    return total


def follow(times: DriveTimes, node: int, goal: int, at_ms: int = 0) -> NDArray[np.int64]:
    """Nodes of the fastest drive from `node` to place `goal`, both ends included, begun at `at_ms`.

    Only [node] where there is no way.
    """
    k = int(times.slices[min(at_ms // QUARTER_MS, len(times.slices) - 1)])
    out = np.empty(times.table.shape[1] + 1, np.int64)
    n = _walk(times.table, times.indptr, times.heads, times.edge_ms, k, node, goal, out)
    return out[:n].copy()
