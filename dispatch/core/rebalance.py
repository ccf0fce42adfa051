"""Rebalancing: idle shuttles are sent to wait where riders are expected.

The town is cut into parts no wider than a short drive. How many riders each part will ask for soon is expected from the
day so far, refused ones included. Of a part the first shuttle is worth the
probability that anybody asks there, the second one that two do, and so on (the number that ask is taken as Poisson);
shuttles whose plans end there soon come first. Which idle shuttle goes where is a minimum-cost flow: driving against
worth, solved by whoever is given as `assign`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.domain import Rebalance
from dispatch.core.reoptimise import Assign
from dispatch.core.world import Shuttle, World
from routing.travel_times import QUARTER_MS, UNREACHABLE, DriveTimes

NOT_THERE = 2**40
"""cost of a drive that cannot be"""


class Parts(NamedTuple):
    """The town in parts, each around one of its places."""

    centres: tuple[int, ...]
    part: NDArray[np.int64]
    """(P,) part of each place; -1: none can be reached from it"""
    reach: int
    """ms by which it was cut"""


def parts_of(times: DriveTimes, reach: int) -> Parts:
    """The town cut so that every place is within `reach` ms of its part's centre, by road.

    Centres are found farthest first (Gonzalez 1985), from place 0 on.
    """
    between = times.table[0][times.place_nodes]  # from place, to place
    centres: list[int] = []
    nearest = np.full(len(between), UNREACHABLE, np.int64)
    part = np.full(len(between), -1, np.int64)
    farthest = 0
    while len(centres) < len(between) and nearest[farthest] > reach:
        closer = between[:, farthest] < nearest
        nearest[closer], part[closer] = between[closer, farthest], len(centres)
        centres.append(farthest)
        farthest = int(np.argmax(nearest))
    return Parts(tuple(centres), part, reach)


def expected(world: World, rules: Rebalance, places: int, now: int) -> NDArray[np.float64]:
    """(P,) riders expected to ask for a ride at each place within the time that the rules look ahead."""
    counts = np.zeros(places)
    since = now - rules.learn_s * 1000
    for name in reversed(world.numbered):
        if name is None:
            continue
        ride = world.rides[name]
        if ride.made_at < since:
            break
        if ride.request.attempt is None:  # who calls again is one rider
            counts[ride.request.origins[0].place] += 1
    return counts * (rules.ahead_s / rules.learn_s)


def moves(desk: Desk, parts: Parts, rules: Rebalance, now: int, assign: Assign) -> list[ev.Event]:
    """Idle shuttles sent elsewhere; [] if all wait where they should, or nobody can say."""
    times, count = desk.times, len(parts.centres)
    k = _slice(times, now)
    riders = expected(desk.world, rules, len(times.place_nodes), now)
    known = parts.part >= 0
    asked = np.bincount(parts.part[known], riders[known], minlength=count)
    idle: list[Shuttle] = []
    there = [0] * count
    for shuttle in desk.world.shuttles.values():
        if shuttle.state != "on" or not shuttle.shift.start <= now < shuttle.shift.end:
            continue
        if _idle(desk, shuttle, now):
            idle.append(shuttle)
        elif (place := _ends(desk, shuttle, now + rules.ahead_s * 1000)) >= 0 and known[place]:
            there[int(parts.part[place])] += 1
    goals: list[int] = []
    worth: list[int] = []
    for part, mean in enumerate(asked.tolist()):
        chances = _at_least(mean, there[part], len(idle))
        goals += [part] * len(chances)
        worth += [round(rules.worth_s * 1000 * chance) for chance in chances]
    if not idle or not goals:
        return []
    best = {part: _waiting_place(parts, times, riders, part, k) for part in dict.fromkeys(goals)}
    at = [int(np.argmin(times.table[0, shuttle.node, list(parts.centres)])) for shuttle in idle]
    drive = [
        [0 if part == own else _drive(desk, shuttle, best[part], k, now) for part in goals]
        for shuttle, own in zip(idle, at, strict=True)
    ]
    found = assign(drive, [1] * len(goals), worth)
    if found is None:
        return []
    return [
        ev.IdleSent(now, shuttle.shift.id, best[goals[goal]])
        for shuttle, own, goal in zip(idle, at, found, strict=True)
        if goal >= 0 and goals[goal] != own
    ]


def possible(found: Sequence[int], drive: Sequence[Sequence[int]], wanted: Sequence[int]) -> bool:
    """Is there one place a shuttle, none it cannot drive to, and none with more shuttles than it wants?"""
    goes = [(s, place) for s, place in enumerate(found) if place != -1]
    return (
        len(found) == len(drive)
        and all(0 <= place < len(wanted) and drive[s][place] < NOT_THERE for s, place in goes)
        and all(number <= wanted[place] for place, number in Counter(place for _, place in goes).items())
    )


def _slice(times: DriveTimes, now: int) -> int:
    return int(times.slices[min(max(now, 0) // QUARTER_MS, len(times.slices) - 1)])


def _idle(desk: Desk, shuttle: Shuttle, now: int) -> bool:
    """Stands with nobody to fetch. Fixed calls ahead are left room for (`_drive`)."""
    if shuttle.heading >= 0 or shuttle.idle_goal is not None or shuttle.at > now or shuttle.awaits:
        return False
    visits = shuttle.plan.visits
    # a shuttle that may not be diverted keeps to the first of its plan once it drives
    return not visits or (desk.world.policy.divert and all(desk.world.ride_of(code) is None for code in visits))


def _ends(desk: Desk, shuttle: Shuttle, by: int) -> int:
    """Place where the shuttle will have nothing more to do by then; -1: it will be busy."""
    n = len(shuttle.plan.visits)
    if n:
        route = desk.fleet.routes[shuttle.row]
        return int(route[f.PLACE, n - 1]) if route[f.DONE, n - 1] <= by else -1
    return shuttle.heading if shuttle.idle_goal is None else shuttle.idle_goal


def _drive(desk: Desk, shuttle: Shuttle, place: int, k: int, now: int) -> int:
    """ms to the place; `NOT_THERE` if shift or fixed calls leave no room to go there and to come back."""
    times = desk.times
    there = int(times.table[k, shuttle.node, place])
    if there >= UNREACHABLE:
        return NOT_THERE
    until, back = shuttle.shift.end, there
    if shuttle.plan.visits:
        route = desk.fleet.routes[shuttle.row]
        until = int(route[f.LATEST_OK, 0])
        if (call := int(route[f.PLACE, 0])) >= 0:
            back = int(times.table[k, times.place_nodes[place], call])
    return there if now + 2 * there + back <= until else NOT_THERE


def _at_least(mean: float, already: int, most: int) -> list[float]:
    """Probability that at least k ask, for the `most` k after `already`, as long as it is one in a hundred."""
    term = left = math.exp(-min(mean, 700.0))
    found = []
    for k in range(1, already + most + 1):
        chance = 1 - left
        if chance < 0.01:
            break
        if k > already:
            found.append(chance)
        term *= mean / k
        left += term
    return found


def _waiting_place(parts: Parts, times: DriveTimes, riders: NDArray[np.float64], part: int, k: int) -> int:
    """The part's place from which its riders are nearest."""
    members = np.flatnonzero(parts.part == part)
    asked = members[riders[members] > 0]
    drives = times.table[k][np.ix_(times.place_nodes[members], asked)].astype(np.float64) @ riders[asked]
    return int(members[np.argmin(drives)])
