"""Walks between a rider's door and stop points: along ways on foot where the map has them, else by a stated factor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from routing.stop_points import WALK_DETOUR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.network import Floats, RoadNetwork
    from routing.stop_points import StopPoint

WALK_M_S = 1.2
_OFF_THE_WAY_M = 150.0
"""farther than this from every way on foot, a place is reached by the stated factor"""


@dataclass(frozen=True, slots=True)
class Walk:
    """A walk between a place and a stop point, either way."""

    stop: int
    """number of the stop point"""
    metres: float
    seconds: float


class StopWalks:
    """All stop points of a service, ready to tell which of them are within a walk. Build once, ask often."""

    def __init__(self, network: RoadNetwork, stops: Sequence[StopPoint]) -> None:
        self._network = network
        self._x, self._y = network.project([stop.lat for stop in stops], [stop.lon for stop in stops])
        self._ways = None if network.walk is None else _Ways(network, self._x, self._y)

    def near(self, lat: float, lon: float, *, limit_m: float) -> list[Walk]:
        """Stop points within a walk of `limit_m` of a place, nearest first (of equal ones, the first given)."""
        x, y = (float(metres) for metres in self._network.project(lat, lon))
        metres = WALK_DETOUR * np.hypot(self._x - x, self._y - y)
        if self._ways is not None:
            metres = self._ways.metres(x, y, limit_m, metres)
        order = np.argsort(metres, kind="stable")
        order = order[: int(np.searchsorted(metres[order], limit_m, side="right"))]
        return [Walk(int(i), float(metres[i]), float(metres[i]) / WALK_M_S) for i in order]


def walks(network: RoadNetwork, lat: float, lon: float, stops: Sequence[StopPoint], limit_m: float) -> list[Walk]:
    """Stop points within a walk of one place; see `StopWalks.near`, which is faster if asked again."""
    return StopWalks(network, stops).near(lat, lon, limit_m=limit_m)


class _Ways:
    """Ways on foot as a graph, with the stop points attached to the nearest way."""

    def __init__(self, network: RoadNetwork, x: Floats, y: Floats) -> None:
        import shapely
        from scipy.sparse import coo_array

        walk = network.walk
        assert walk is not None
        px, py = network.project(walk.lat, walk.lon)
        self._ends = np.column_stack((walk.edge_from, walk.edge_to))
        self._length = walk.length_m
        self._lines = shapely.linestrings(np.column_stack((px, py))[self._ends])
        self._tree = shapely.STRtree(self._lines)
        n = len(walk.lat)
        graph = coo_array((np.maximum(self._length, 1e-3), (self._ends[:, 0], self._ends[:, 1])), shape=(n, n))
        self._graph = graph.tocsr()
        self._stops = self._attach(x, y)

    def _attach(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Of n places: (n,) nearest way or -1, (n, 2) metres to its ends, (n,) metres aside of it."""
        import shapely

        points = shapely.points(x, y)
        which, way = self._tree.query_nearest(points, max_distance=_OFF_THE_WAY_M, all_matches=True)
        best = np.full(len(points), len(self._lines))
        np.minimum.at(best, which, way)
        found = best < len(self._lines)
        way = np.where(found, best, 0)
        fraction = shapely.line_locate_point(self._lines[way], points, normalized=True)
        along = fraction * self._length[way]
        aside = shapely.distance(self._lines[way], points)
        return np.where(found, way, -1), np.column_stack((along, self._length[way] - along)), aside

    def metres(self, x: float, y: float, limit_m: float, by_factor: Floats) -> Floats:
        """(S,) walk from a place to each stop point; `by_factor` where either is off the ways."""
        from scipy.sparse.csgraph import dijkstra

        way, to_ends, aside = self._attach(np.array([x]), np.array([y]))
        if way[0] < 0:
            return by_factor
        stop_way, stop_ends, stop_aside = self._stops
        ends = self._ends[way[0]]
        reach = dijkstra(self._graph, directed=False, indices=ends, limit=limit_m)
        to_node = np.minimum(reach[0] + to_ends[0, 0], reach[1] + to_ends[0, 1])
        there = self._ends[stop_way]
        total = np.minimum(to_node[there[:, 0]] + stop_ends[:, 0], to_node[there[:, 1]] + stop_ends[:, 1])
        same = stop_way == way[0]
        total[same] = np.minimum(total[same], np.abs(stop_ends[same, 0] - to_ends[0, 0]))
        return np.where(stop_way < 0, by_factor, total + aside[0] + stop_aside)
