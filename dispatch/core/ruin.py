"""Ruin: strings of visits taken out of neighbouring plans (SISR §5.2: adjacent string removal, split strings too)."""

from __future__ import annotations

import numpy as np
from numba import njit

from dispatch.core.chance import draw
from dispatch.core.fleet import CODE, TAIL, V_EARLIEST, V_PLACE, N
from dispatch.core.search import (
    ABSENT,
    ABSENT_LIST,
    CARDINALITY,
    CODE_OF,
    GAP,
    IS_TOUCHED,
    MARKED,
    ON,
    STRING,
    first_free,
    moved,
    take_out,
    touch,
)

FEW = 12
"""neighbours listed at first: most ruins need no more"""


@njit(cache=True)
def _gap(s, a, b):  # type: ignore[no-untyped-def]
    """How far apart visits a and b are: driving, and half the time between their windows' beginnings."""
    visits = s.visits
    drive = s.table[0, s.place_nodes[visits[a, V_PLACE]], visits[b, V_PLACE]]
    return drive * 2 + abs(visits[a, V_EARLIEST] - visits[b, V_EARLIEST]) * s.n[GAP] // 16


@njit(cache=True)
def _find_near(s, end, few):  # type: ignore[no-untyped-def]
    """List the elements nearest to one end (2 × element, + 1 for its drop-off), itself first: a few or all wanted."""
    me, near = end >> 1, s.near[end]
    visit = s.rides[me, CODE_OF] + (end & 1 if s.rides[me, CODE_OF] & 1 == 0 else 0)
    m, wanted = len(s.rides), min(len(near), few)
    order = np.empty(m, np.int64)  # gap and element in one number: no two are equal
    sorted_ = 0
    for e in range(m):
        code = s.rides[e, CODE_OF]
        gap = _gap(s, visit, code)
        if code & 1 == 0:
            gap = min(gap, _gap(s, visit, code + 1))
        value = (0 if e == me else gap + 1) * m + e
        if sorted_ == wanted:
            if value > order[wanted - 1]:
                continue
            sorted_ -= 1
        at = sorted_
        while at > 0 and order[at - 1] > value:
            order[at] = order[at - 1]
            at -= 1
        order[at] = value
        sorted_ += 1
    for k in range(sorted_):
        near[k] = order[k] % m
    if sorted_ < len(near):
        near[sorted_] = -1


@njit(cache=True)
def _string(s, v, e, longest):  # type: ignore[no-untyped-def]
    """Take a string of visits around element e out of plan v, both ends of each ride that has one in it."""
    shuttle, route, marked = s.shuttles[v], s.routes[v], s.lists[MARKED]
    n = shuttle[N]
    first, last = first_free(shuttle, s.rules), n - shuttle[TAIL]
    size = last - first
    at = first
    for k in range(first, last):
        if route[CODE, k] == s.rides[e, CODE_OF]:
            at = k
    if s.rides[e, CODE_OF] & 1 == 0 and draw(s.chance, 2) == 1:
        for k in range(at + 1, last):
            if route[CODE, k] == s.rides[e, CODE_OF] + 1:
                at = k
    length = 1 + draw(s.chance, min(size, longest))
    kept = 0
    if length > 1 and length < size and draw(s.chance, 2) == 1:
        kept = 1
        while length + kept < size and draw(s.chance, 100) == 0:
            kept += 1
    span = length + kept
    low = max(first, at - span + 1)
    high = min(at, last - span)
    low += draw(s.chance, high - low + 1)
    kept_from = low + 1 + draw(s.chance, length - 1) if kept else -1
    for k in range(n):
        marked[k] = 0
    for k in range(low, low + span):
        if kept_from <= k < kept_from + kept:
            continue
        mine = s.element[route[CODE, k] >> 1]
        if mine < 0 or s.rides[mine, ON] < 0:
            continue
        moved(s, mine, np.int64(-1))
        s.lists[ABSENT_LIST, s.n[ABSENT]] = mine
        s.n[ABSENT] += 1
        for m in range(first, last):
            if route[CODE, m] >> 1 == s.rides[mine, CODE_OF] >> 1 and route[CODE, m] >= s.rides[mine, CODE_OF]:
                marked[m] = 1
    take_out(s, v)


@njit(cache=True)
def ruin(s):  # type: ignore[no-untyped-def]
    """Take strings out of some plans near to one another; what was taken is absent then."""
    elements = len(s.rides)
    assigned = elements - s.n[ABSENT]
    if assigned == 0:
        return
    used, visits = 0, 0
    for v in range(len(s.plans)):
        size = s.shuttles[v, N] - first_free(s.shuttles[v], s.rules) - s.shuttles[v, TAIL]
        if size > 0:
            used += 1
            visits += size
    longest = max(1, min(s.n[STRING], visits // max(used, 1)))
    # strings: evenly 1 … 4 c / (1 + longest) - 1, so that c visits go on average
    strings = 1 + draw(s.chance, max(1, 4 * s.n[CARDINALITY] // (1 + longest) - 1))
    seed = draw(s.chance, elements)
    for _ in range(elements):
        if s.rides[seed, ON] >= 0:
            break
        seed = (seed + 1) % elements
    end = 2 * seed + draw(s.chance, 2)
    for k in range(s.near.shape[1]):
        if s.near[end, k] < 0:
            _find_near(s, end, FEW if k == 0 else s.near.shape[1])
        e = s.near[end, k]
        v = s.rides[e, ON]
        if v < 0 or s.plans[v, IS_TOUCHED]:
            continue
        touch(s, v)
        _string(s, v, e, longest)
        strings -= 1
        if strings == 0:
            break
