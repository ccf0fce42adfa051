"""Where shuttles are, and the streets ahead of them, as lines on a map."""

from __future__ import annotations

import math
from collections.abc import Iterator

from msgspec import Struct
from numba import njit

from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.world import Shuttle
from routing.network import RoadNetwork
from routing.paths import next_edge
from routing.travel_times import DriveTimes

FRESH_MS = 60_000
"""a position that a driver told so long ago still goes before the one that the timetable has"""
OFF_THE_WAY_M = 200.0
Line = list[tuple[float, float]]
"""[lon, lat], as GeoJSON has it"""


class Heard(Struct):
    """The last that a shuttle's driver told of its position, by the service day's clock."""

    at: int
    lat: float
    lon: float


@njit(cache=True)
def _under_way(table, indptr, heads, edge_ms, k, node, at, goal, now):  # type: ignore[no-untyped-def]
    """(node left last, edge being driven or -1, ms into it)."""
    while True:
        e = next_edge(table, indptr, heads, edge_ms, k, node, goal)
        if e < 0:
            return node, -1, 0
        if at + edge_ms[k, e] > now:
            return node, e, max(0, now - at)
        at += edge_ms[k, e]
        node = heads[e]


def warm(times: DriveTimes) -> None:
    """Compile what is compiled here, or load it from the cache."""
    _under_way(times.table, times.indptr, times.heads, times.edge_ms, 0, int(times.place_nodes[0]), 0, 0, 0)


def position(desk: Desk, network: RoadNetwork, shuttle: Shuttle, now: int, heard: Heard | None) -> tuple[float, float]:
    """(lat, lon) of a shuttle: as its driver told just now, else as its drive has it."""
    if heard is not None and now - heard.at <= FRESH_MS:
        return heard.lat, heard.lon
    times, node = desk.times, shuttle.node
    if shuttle.heading >= 0:
        k = int(desk.fleet.shuttles[shuttle.row, f.SLICE])
        node, edge, into = _under_way(
            times.table, times.indptr, times.heads, times.edge_ms, k, node, shuttle.at, shuttle.heading, now
        )
        if edge >= 0:
            return _along(network, int(edge), int(into) / int(times.edge_ms[k, edge]))
    return float(network.lat[node]), float(network.lon[node])


def _along(network: RoadNetwork, edge: int, share: float) -> tuple[float, float]:
    """A point on an edge, by its nodes and the points between."""
    lat, lon = network.line(edge)
    at = share * (len(lat) - 1)
    i = min(int(at), len(lat) - 2)
    part = at - i
    return float(lat[i] + (lat[i + 1] - lat[i]) * part), float(lon[i] + (lon[i + 1] - lon[i]) * part)


def edges_ahead(times: DriveTimes, k: int, node: int, goal: int) -> Iterator[int]:
    """Edges of the fastest drive from a node to a place in time slice k; none where there is no way."""
    while (edge := int(next_edge(times.table, times.indptr, times.heads, times.edge_ms, k, node, goal))) >= 0:
        yield edge
        node = int(times.heads[edge])


def line(network: RoadNetwork, times: DriveTimes, k: int, node: int, goal: int) -> tuple[Line, list[float]]:
    """The fastest drive from a node to a place in time slice k: its points, and seconds from the node to each.

    One point where there is no way.
    """
    points: Line = [(round(float(network.lon[node]), 6), round(float(network.lat[node]), 6))]
    reach, spent = [0.0], 0
    for edge in edges_ahead(times, k, node, goal):
        lat, lon = network.line(edge)
        takes, steps = int(times.edge_ms[k, edge]), len(lat) - 1
        points += [(round(x, 6), round(y, 6)) for x, y in zip(lon[1:].tolist(), lat[1:].tolist(), strict=True)]
        reach += [round((spent + takes * n / steps) / 1000, 1) for n in range(1, steps + 1)]
        spent += takes
    return points, reach


class Progress(Struct, frozen=True):
    """How far a drive has come, by the way's own times. ms from where the shuttle was last known to be."""

    spent: int
    """to the position"""
    node: int
    """reached next"""
    to_node: int
    """to that node"""


def progress(network: RoadNetwork, desk: Desk, shuttle: Shuttle, lat: float, lon: float) -> Progress | None:
    """Where on its way a driving shuttle is, given a position; None: it is off its way."""
    times = desk.times
    k = int(desk.fleet.shuttles[shuttle.row, f.SLICE])
    px, py = (float(metres) for metres in network.project(lat, lon))
    node, spent, nearest, found = shuttle.node, 0, OFF_THE_WAY_M, None
    while (
        edge := int(next_edge(times.table, times.indptr, times.heads, times.edge_ms, k, node, shuttle.heading))
    ) >= 0:
        x, y = network.project(*network.line(edge))
        takes, node = int(times.edge_ms[k, edge]), int(times.heads[edge])
        for n in range(len(x) - 1):
            ax, ay, bx, by = float(x[n]), float(y[n]), float(x[n + 1]), float(y[n + 1])
            long = (bx - ax) ** 2 + (by - ay) ** 2
            share = 0.0 if long == 0 else min(1.0, max(0.0, ((px - ax) * (bx - ax) + (py - ay) * (by - ay)) / long))
            apart = math.hypot(ax + share * (bx - ax) - px, ay + share * (by - ay) - py)
            if apart < nearest:
                nearest = apart
                found = Progress(spent + round(takes * (n + share) / (len(x) - 1)), node, spent + takes)
        spent += takes
    return found
