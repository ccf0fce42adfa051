"""Coordinates to positions on edges: the nearest street, how far along it, and on the right side of the road."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from routing.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routing.network import Floats, RoadNetwork

LIMIT_M = 150.0
NO_STOPPING = ("motorway", "motorway_link", "trunk", "trunk_link")
"""road classes at whose edge nobody can get in or out"""
_ON_THE_LINE_M = 0.01


@dataclass(frozen=True, slots=True)
class Snaps:
    """Positions of n points on directed edges."""

    edge: NDArray[np.int64]
    """(n,) the edge; of a street that goes both ways, the direction on whose kerb side the point lies"""
    fraction: Floats
    """(n,) how far along the edge, 0 to 1"""
    distance_m: Floats
    """(n,) from the point to the edge"""
    lat: Floats
    """(n,) the position on the edge"""
    lon: Floats


class EdgeIndex:
    """Streets as lines in local metres, in a tree that finds the nearest. Build once, ask often."""

    def __init__(self, network: RoadNetwork, *, without: Sequence[str] = ()) -> None:
        """`without`: road classes to leave out, unless nothing else is there."""
        import shapely

        self.network = network
        self.twin = network.twin
        usable = np.array([name not in without for name in network.classes])[network.road_class]
        if not usable.any():
            usable = np.ones(network.edges, bool)
        edges = np.arange(network.edges)
        self.streets = np.flatnonzero(usable & ((self.twin < 0) | (edges < self.twin)))
        self.lines = edge_lines(network, self.streets)
        self.tree = shapely.STRtree(self.lines)

    def snap(
        self,
        lat: Any,
        lon: Any,
        *,
        limit_m: float = LIMIT_M,
        names: Sequence[str] | None = None,
        left: bool | None = None,
    ) -> Snaps:
        """The nearest position on a street for each of n points.

        `names` say in errors which point is meant; `left`: traffic keeps left (default: as the map says).
        Raises InputError for a coordinate out of range and for a point farther than `limit_m` from every street.
        """
        import shapely

        lat, lon = np.atleast_1d(np.asarray(lat, np.float64)), np.atleast_1d(np.asarray(lon, np.float64))
        self._check(lat, lon, names)
        if len(lat) == 0:
            nothing = np.zeros(0)
            return Snaps(np.zeros(0, np.int64), nothing, nothing, nothing, nothing)
        points = shapely.points(*self.network.project(lat, lon))
        which, street = self.tree.query_nearest(points, max_distance=limit_m, all_matches=True)
        best = np.full(len(points), len(self.streets))
        np.minimum.at(best, which, street)  # of equally near streets the first one: the same on any machine
        far = np.flatnonzero(best == len(self.streets))
        if len(far):
            raise InputError(
                f"{_label(names, int(far[0]), lat, lon)} is farther than {limit_m:g} m from every drivable street",
                expected=f"a place within {limit_m:g} m of a street of this map's connected part",
            )
        lines = self.lines[best]
        along = shapely.line_locate_point(lines, points)
        length = np.maximum(shapely.length(lines), 1e-9)
        spot = shapely.line_interpolate_point(lines, along)
        edge, fraction = self.streets[best], along / length
        keeps_left = self.network.keeps_left if left is None else left
        on_left = _left_of(lines, along, length, points)
        turn = (self.twin[edge] >= 0) & (on_left == (-1 if keeps_left else 1))
        spot_lat, spot_lon = self.network.unproject(shapely.get_x(spot), shapely.get_y(spot))
        return Snaps(
            edge=np.where(turn, self.twin[edge], edge),
            fraction=np.where(turn, 1 - fraction, fraction),
            distance_m=shapely.distance(points, spot),
            lat=spot_lat,
            lon=spot_lon,
        )

    def within(self, lat: Any, lon: Any, *, limit_m: float) -> NDArray[np.bool_]:
        """(n,) whether each point lies within `limit_m` of a street."""
        import shapely

        points = shapely.points(*self.network.project(lat, lon))
        near = np.zeros(len(points), bool)
        near[self.tree.query_nearest(points, max_distance=limit_m)[0]] = True
        return near

    def _check(self, lat: Floats, lon: Floats, names: Sequence[str] | None) -> None:
        bad = ~(np.isfinite(lat) & np.isfinite(lon))
        expected = "finite coordinates"
        if not self.network.planar:
            bad |= (np.abs(lat) > 90) | (np.abs(lon) > 180)
            expected = "latitude within ±90 and longitude within ±180 degrees, in this order"
        if bad.any():
            raise InputError(f"{_label(names, int(bad.argmax()), lat, lon)} is no place on earth", expected=expected)


def snap(network: RoadNetwork, lat: Any, lon: Any, *, limit_m: float = LIMIT_M) -> Snaps:
    """The nearest position on a street for each of n points; see `EdgeIndex.snap`, which is faster if asked again."""
    return EdgeIndex(network).snap(lat, lon, limit_m=limit_m)


def twins(network: RoadNetwork) -> NDArray[np.int64]:
    """(E,) the edge that is the same street driven the other way; -1 on one-way streets.

    Two edges are one street if they join the same nodes and their lines have as many points with the same sum; of
    parallel ones the shorter are paired.
    """
    sums = np.zeros((2, len(network.shape_lat) + 1), np.int64)
    for i, degrees in enumerate((network.shape_lat, network.shape_lon)):
        np.cumsum(np.rint(degrees * 1e7).astype(np.int64), out=sums[i, 1:])  # integers: the same in either direction
    totals = sums[:, network.shape_start[1:]] - sums[:, network.shape_start[:-1]]
    waiting: dict[tuple[object, ...], list[int]] = {}
    twin = np.full(network.edges, -1, np.int64)
    order = np.argsort(network.length_m, kind="stable").tolist()
    ends = list(zip(network.edge_from.tolist(), network.edge_to.tolist(), strict=True))
    lines = list(zip(np.diff(network.shape_start).tolist(), *totals.tolist(), strict=True))
    for e in order:
        u, v = ends[e]
        partners = waiting.get((v, u, *lines[e]))
        if partners:
            twin[e] = partners.pop(0)
            twin[twin[e]] = e
        else:
            waiting.setdefault((u, v, *lines[e]), []).append(e)
    return twin


def edge_lines(network: RoadNetwork, edges: NDArray[np.int64]) -> NDArray[Any]:
    """Shapely lines of some edges in local metres, end nodes included."""
    import shapely

    inner = np.diff(network.shape_start)[edges]
    begin = np.concatenate(([0], np.cumsum(inner + 2)))
    owner = np.repeat(np.arange(len(edges)), inner + 2)
    lat, lon = np.empty(begin[-1]), np.empty(begin[-1])
    lat[begin[:-1]], lon[begin[:-1]] = network.lat[network.edge_from[edges]], network.lon[network.edge_from[edges]]
    lat[begin[1:] - 1], lon[begin[1:] - 1] = network.lat[network.edge_to[edges]], network.lon[network.edge_to[edges]]
    inside = np.ones(len(lat), bool)
    inside[begin[:-1]] = inside[begin[1:] - 1] = False
    taken = np.zeros(network.edges, bool)
    taken[edges] = True
    points = np.repeat(taken, np.diff(network.shape_start))  # edges are ascending, so their points are in order
    lat[inside], lon[inside] = network.shape_lat[points], network.shape_lon[points]
    return np.asarray(shapely.linestrings(np.column_stack(network.project(lat, lon)), indices=owner))


def _left_of(lines: NDArray[Any], along: Floats, length: Floats, points: NDArray[Any]) -> NDArray[np.int8]:
    """(n,) 1 where a point lies left of its line's direction, -1 right of it, 0 on it."""
    import shapely

    step = np.minimum(0.5, length / 2)
    back = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.maximum(along - step, 0)))
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, np.minimum(along + step, length)))
    here = shapely.get_coordinates(points)
    way, off = ahead - back, here - back
    cross = (way[:, 0] * off[:, 1] - way[:, 1] * off[:, 0]) / np.maximum(np.hypot(way[:, 0], way[:, 1]), 1e-9)
    side: NDArray[np.int8] = np.where(np.abs(cross) > _ON_THE_LINE_M, np.sign(cross), 0).astype(np.int8)
    return side


def _label(names: Sequence[str] | None, i: int, lat: Floats, lon: Floats) -> str:
    place = f"({lat[i]:.6f}, {lon[i]:.6f})"
    return f"the place {place}" if names is None else f"{names[i]} at {place}"
