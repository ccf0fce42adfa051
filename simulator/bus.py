"""Journeys by a town's fixed buses: the earliest arrival, directly or with one change, from a timetable.

RAPTOR in two rounds (Delling, Pajor and Werneck, Round-Based Public Transit Routing, 2015): trips that call at the
same stops are one route; each round boards the first trip that can be caught at any stop reached in the round before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from routing.stop_points import WALK_DETOUR

if TYPE_CHECKING:
    from routing.network import RoadNetwork
    from simulator.accounts import Baselines
    from simulator.timetable import Timetable, Trip

ROUNDS: Final = 2
"""buses taken at most"""
_NEVER: Final = 2**62


class BusJourney(NamedTuple):
    """A journey by bus. Times are ms of the service day."""

    arrive: int
    walk_ms: int
    buses: int


class _Route(NamedTuple):
    """Trips that call at the same stops, in order of departure (none overtakes another in what is used of them)."""

    stops: tuple[int, ...]
    trips: tuple[Trip, ...]
    departs: tuple[tuple[int, ...], ...]
    """by stop, each trip's departure, ascending"""


class _Label(NamedTuple):
    arrive: int
    walk_ms: int


@dataclass(frozen=True, eq=False)
class Buses:
    """A timetable ready to be asked, in local metres of a network."""

    words: Baselines
    x: np.ndarray
    y: np.ndarray
    routes: tuple[_Route, ...]
    at: tuple[tuple[tuple[int, int], ...], ...]
    """of each stop: (route, position) of its calls"""
    near: tuple[tuple[tuple[int, int], ...], ...]
    """of each stop: (another stop, ms on foot) within a transfer's walk"""

    def journey(self, origin: tuple[float, float], destination: tuple[float, float], depart: int) -> BusJourney | None:
        """The earliest arrival from one point (x, y) to another, begun at `depart`; None: no bus takes one there."""
        first, last = self._walks(origin), dict(self._walks(destination))
        reached = {stop: _Label(depart + walk, walk) for stop, walk in first}
        best: BusJourney | None = None
        ever: dict[int, int] = {}
        for buses in range(1, ROUNDS + 1):
            alighted = self._ride(reached, ever, _NEVER if best is None else best.arrive)
            for stop, label in alighted.items():
                if stop in last and (best is None or label.arrive + last[stop] < best.arrive):
                    best = BusJourney(label.arrive + last[stop], label.walk_ms + last[stop], buses)
            reached = self._change(alighted)
        limit = depart + round(self.words.bus_within_s * 1000)
        return best if best is not None and best.arrive <= limit else None

    def _walks(self, point: tuple[float, float]) -> list[tuple[int, int]]:
        metres = WALK_DETOUR * np.hypot(self.x - point[0], self.y - point[1])
        near = np.flatnonzero(metres <= self.words.bus_walk_m)
        return [(int(stop), round(metres[stop] / self.words.walk_m_s * 1000)) for stop in near]

    def _ride(self, reached: dict[int, _Label], ever: dict[int, int], before: int) -> dict[int, _Label]:
        """Stops reached by one bus boarded at any of these, each earlier than ever so far and before a bound."""
        first: dict[int, int] = {}
        for stop in reached:
            for number, position in self.at[stop]:
                first[number] = min(position, first.get(number, position))
        out: dict[int, _Label] = {}
        for number, begin in first.items():
            route = self.routes[number]
            trip, walked = -1, 0
            for position in range(begin, len(route.stops)):
                stop = route.stops[position]
                if trip >= 0:
                    arrive = route.trips[trip].arrive[position]
                    if arrive < min(ever.get(stop, _NEVER), before):
                        ever[stop] = arrive
                        out[stop] = _Label(arrive, walked)
                label = reached.get(stop)
                if label is not None and (trip < 0 or label.arrive <= route.trips[trip].depart[position]):
                    caught = bisect_left(route.departs[position], label.arrive)
                    if caught < len(route.trips) and (trip < 0 or caught < trip):
                        trip, walked = caught, label.walk_ms
        return out

    def _change(self, alighted: dict[int, _Label]) -> dict[int, _Label]:
        """Where one can board again, after a change."""
        gap = round(self.words.transfer_s * 1000)
        out: dict[int, _Label] = {}
        for stop, label in alighted.items():
            for other, walk in ((stop, 0), *self.near[stop]):
                arrive = label.arrive + max(gap, walk)
                if other not in out or arrive < out[other].arrive:
                    out[other] = _Label(arrive, label.walk_ms + walk)
        return out


def buses_of(timetable: Timetable, network: RoadNetwork, words: Baselines) -> Buses:
    """A timetable on a network's metres."""
    from scipy.spatial import KDTree

    x, y = network.project([stop.lat for stop in timetable.stops], [stop.lon for stop in timetable.stops])
    routes = tuple(_route(trips) for trips in _alike(timetable.trips))
    at: list[list[tuple[int, int]]] = [[] for _ in timetable.stops]
    for number, route in enumerate(routes):
        for position, stop in enumerate(route.stops):
            at[stop].append((number, position))
    points = np.column_stack((x, y))
    pairs = KDTree(points).query_pairs(words.transfer_walk_m / WALK_DETOUR, output_type="ndarray")
    near: list[list[tuple[int, int]]] = [[] for _ in timetable.stops]
    for a, b in pairs.tolist():
        walk = round(WALK_DETOUR * float(np.hypot(x[a] - x[b], y[a] - y[b])) / words.walk_m_s * 1000)
        near[a].append((b, walk))
        near[b].append((a, walk))
    return Buses(words, x, y, routes, tuple(map(tuple, at)), tuple(map(tuple, near)))


def _alike(trips: Sequence[Trip]) -> list[list[Trip]]:
    """Trips by the stops they call at; one that overtakes another is in a list of its own."""
    lists: dict[tuple[int, ...], list[list[Trip]]] = {}
    for trip in sorted(trips, key=lambda trip: (trip.depart[0], trip.arrive[-1], trip.id)):
        for kept in lists.setdefault(trip.stops, []):
            last = kept[-1]
            if all(a <= b for a, b in zip((*last.depart, *last.arrive), (*trip.depart, *trip.arrive), strict=True)):
                kept.append(trip)
                break
        else:
            lists[trip.stops].append([trip])
    return [kept for group in lists.values() for kept in group]


def _route(trips: list[Trip]) -> _Route:
    departs = tuple(tuple(trip.depart[i] for trip in trips) for i in range(len(trips[0].stops)))
    return _Route(trips[0].stops, tuple(trips), departs)
