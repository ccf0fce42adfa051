"""Where shuttles are, and the streets ahead of them, as lines on a map."""

from __future__ import annotations

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


def line(network: RoadNetwork, times: DriveTimes, k: int, node: int, goal: int) -> tuple[Line, list[float]]:
    """The fastest drive from a node to a place in time slice k: its points, and seconds from the node to each.

    One point where there is no way.
    """
    points: Line = [(round(float(network.lon[node]), 6), round(float(network.lat[node]), 6))]
    reach, spent = [0.0], 0
    while (edge := int(next_edge(times.table, times.indptr, times.heads, times.edge_ms, k, node, goal))) >= 0:
        lat, lon = network.line(edge)
        takes, steps = int(times.edge_ms[k, edge]), len(lat) - 1
        points += [(round(x, 6), round(y, 6)) for x, y in zip(lon[1:].tolist(), lat[1:].tolist(), strict=True)]
        reach += [round((spent + takes * n / steps) / 1000, 1) for n in range(1, steps + 1)]
        spent += takes
        node = int(times.heads[edge])
    return points, reach


def nearest_ahead(
    network: RoadNetwork, desk: Desk, shuttle: Shuttle, lat: float, lon: float, *, within_m: float = 250
) -> tuple[int, int] | None:
    """The node ahead nearest to a point, and ms to it from where the shuttle last was; None: off its way."""
    times = desk.times
    k = int(desk.fleet.shuttles[shuttle.row, f.SLICE])
    x, y = network.xy
    (px,), (py,) = network.project([lat], [lon])
    node, spent, best, found = shuttle.node, 0, within_m**2, None
    while True:
        apart = float((x[node] - px) ** 2 + (y[node] - py) ** 2)
        if apart < best:
            best, found = apart, (node, spent)
        edge = int(next_edge(times.table, times.indptr, times.heads, times.edge_ms, k, node, shuttle.heading))
        if edge < 0:
            return found
        spent += int(times.edge_ms[k, edge])
        node = int(times.heads[edge])
