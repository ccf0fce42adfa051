"""Stop points: places where shuttles may stop. Read from CSV or GTFS, or generated, the same ones each day.

(Bus stops of an OpenStreetMap extract: `routing.osm.bus_stops`.)
"""

from __future__ import annotations

import csv
import hashlib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from routing.csv_table import Table, read_table
from routing.errors import InputError
from routing.network_csv import read_position
from routing.network_file import whole_file
from routing.snap import NO_STOPPING, EdgeIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.network import Floats, RoadNetwork

WALK_DETOUR = 1.3
"""a walk is this much longer than the crow flies, where the map has no ways on foot"""
NO_VIRTUAL_STOPS = (*NO_STOPPING, "service", "track", "busway")
_KERB_M = 3.0
_EVERY_M = 60.0
_CLEAR_OF_JUNCTION_M = 12.0


@dataclass(frozen=True, slots=True)
class StopPoint:
    """A bus stop or virtual stop. Its position says on which side of the road it stands."""

    id: str
    name: str
    lat: float
    """degrees; y in metres on a planar map"""
    lon: float
    """degrees; x in metres on a planar map"""
    node: str | None = None
    """id of the node it is, where it was given as one"""


def read_csv(path: str | Path, network: RoadNetwork) -> list[StopPoint]:
    """Stop points from `stop_id,node_id` or `stop_id,lat,lon` (planar maps: `stop_id,x_m,y_m`), optionally `name`.

    Raises InputError for what cannot be used: unknown nodes, ids that stand twice, coordinates out of range.
    """
    table = read_table(path, required=("stop_id",))
    at = ("y_m", "x_m") if network.planar else ("lat", "lon")
    by_node = table.has("node_id")
    if not by_node and not table.has(*at):
        missing = next(name for name in at if not table.has(name))
        expected = f"stop_id,node_id or stop_id,{','.join(sorted(at))}"
        raise InputError(f"column {missing} is missing", file=table.file, line=1, field=missing, expected=expected)
    _check_ids(table)
    stops = []
    for row in table:
        name = row.text("name") if row.has("name") else row.text("stop_id")
        if by_node:
            node = row.text("node_id")
            if node not in network.index:
                raise row.error("node_id", f"node {node!r} is not on this map", expected="a node of the map")
            i = network.index[node]
            stops.append(StopPoint(row.text("stop_id"), name, float(network.lat[i]), float(network.lon[i]), node))
        elif network.planar:
            stops.append(StopPoint(row.text("stop_id"), name, row.number("y_m"), row.number("x_m")))
        else:
            stops.append(StopPoint(row.text("stop_id"), name, *read_position(row)))
    return stops


def read_gtfs(path: str | Path) -> list[StopPoint]:
    """The stops and platforms of a GTFS feed: a folder, a zip archive or the file `stops.txt` itself.

    Stations, entrances and other places where nobody boards are passed over. Raises InputError as `read_csv`.
    """
    path = Path(path)
    required = ("stop_id", "stop_lat", "stop_lon")
    if path.suffix.lower() == ".zip":
        table = read_table(path, required=required, member="stops.txt")
    else:
        table = read_table(path / "stops.txt" if path.is_dir() else path, required=required)
    _check_ids(table)
    stops = []
    for row in table:
        if row.has("location_type") and row.text("location_type") != "0":
            continue
        name = row.text("stop_name") if row.has("stop_name") else row.text("stop_id")
        stops.append(StopPoint(row.text("stop_id"), name, *read_position(row, "stop_lat", "stop_lon")))
    if not stops:
        raise InputError("has no stops", file=table.file, expected="at least one stop with location_type 0")
    return stops


def _check_ids(table: Table) -> None:
    seen: dict[str, int] = {}
    for row in table:
        stop = row.text("stop_id")
        if stop in seen:
            raise row.error("stop_id", f"{stop!r} stands on line {seen[stop]} too", expected="each stop point once")
        seen[stop] = row.line


def write_csv(stops: Sequence[StopPoint], path: str | Path, *, planar: bool = False) -> None:
    """Write stop points so that `read_csv` reads the same ones."""
    at_nodes = all(stop.node is not None for stop in stops)
    place = ["node_id"] if at_nodes else ["y_m", "x_m"] if planar else ["lat", "lon"]
    with whole_file(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["stop_id", *place, "name"])
        for stop in stops:
            writer.writerow([stop.id, *([stop.node] if at_nodes else [stop.lat, stop.lon]), stop.name])


def generate(
    network: RoadNetwork,
    *,
    spacing_m: float | None = None,
    count: int | None = None,
    walk_m: float | None = None,
    at_nodes: bool = False,
    seed: int = 1,
) -> list[StopPoint]:
    """Stop points spread evenly over the streets: at the kerb, between junctions, on the side where traffic keeps.

    `spacing_m`: no two are nearer to each other, and no street is farther than this from one (as the crow flies).
    `walk_m`: the same, given as the longest walk. `count`: so many; alone, as far apart as fits. `at_nodes`: at
    junctions instead of at the kerb. The same map, arguments and seed give the same stop points on any machine.
    Raises InputError if none of the three is given, or if `count` do not fit.
    """
    if walk_m is not None:
        spacing_m = walk_m / WALK_DETOUR
    if spacing_m is None and count is None:
        raise InputError("nothing says how many stop points", field="stops", expected="spacing_m, walk_m or count")
    for name, value in (("spacing_m", spacing_m), ("count", count)):
        if value is not None and not 1 <= value <= 1e6:
            raise InputError(f"{value:g}", field=name, expected="1 or more")
    places = _node_places(network) if at_nodes else _kerb_places(network)
    ranks = [int.from_bytes(hashlib.blake2b(f"{seed}|{place.id}".encode(), digest_size=8).digest()) for place in places]
    places = [places[i] for i in sorted(range(len(places)), key=lambda i: (ranks[i], i))]
    x, y = network.project([place.lat for place in places], [place.lon for place in places])
    if spacing_m is not None:
        chosen = _spread(x, y, spacing_m, count)
    else:
        near, far = 1.0, float(np.ptp(x) + np.ptp(y)) + 2
        while far > 1.01 * near:
            middle = math.sqrt(near * far)
            near, far = (middle, far) if len(_spread(x, y, middle, count)) == count else (near, middle)
        chosen = _spread(x, y, near, count)
    if count is not None and len(chosen) < count:
        fit = f"{len(chosen)} stop points fit" if spacing_m is None else f"{len(chosen)} fit {spacing_m:g} m apart"
        raise InputError(f"only {fit} on this map", field="count", expected=f"at most {len(chosen)}")
    digits = max(3, len(str(len(chosen) - 1)))
    stops = []
    for number, i in enumerate(chosen):
        place, name = places[i], f"S{number:0{digits}d}"
        stops.append(StopPoint(name, place.name or name, place.lat, place.lon, place.node))
    return stops


def coverage(network: RoadNetwork, stops: Sequence[StopPoint], *, walk_m: float) -> float:
    """Share of places along the streets from which a stop point is within a walk of `walk_m` (by the stated factor)."""
    from scipy.spatial import KDTree

    places = _kerb_places(network)
    x, y = network.project([place.lat for place in places], [place.lon for place in places])
    tree = KDTree(np.column_stack(network.project([stop.lat for stop in stops], [stop.lon for stop in stops])))
    distance, _ = tree.query(np.column_stack((x, y)))
    return float((distance * WALK_DETOUR <= walk_m).mean())


def _kerb_places(network: RoadNetwork) -> list[StopPoint]:
    """Places about every 60 m along the streets, on the kerb; on a two-way street the sides take turns."""
    import shapely

    index = EdgeIndex(network, without=NO_VIRTUAL_STOPS)
    lengths = shapely.length(index.lines)
    pieces = np.ceil((lengths - 2 * _CLEAR_OF_JUNCTION_M) / _EVERY_M).astype(int).clip(0)
    street = np.repeat(np.arange(len(pieces)), pieces)
    piece = np.arange(len(street)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    usable = lengths[street] - 2 * _CLEAR_OF_JUNCTION_M
    along = _CLEAR_OF_JUNCTION_M + usable * (piece + 0.5) / np.maximum(pieces[street], 1)
    lines = index.lines[street]
    spot = shapely.get_coordinates(shapely.line_interpolate_point(lines, along))
    step = shapely.get_coordinates(shapely.line_interpolate_point(lines, along + 0.5)) - spot
    step /= np.maximum(np.hypot(step[:, 0], step[:, 1]), 1e-9)[:, None]
    edge = index.streets[street]
    right = np.where((index.twin[edge] >= 0) & (piece % 2 == 1), -1.0, 1.0) * (-1.0 if network.keeps_left else 1.0)
    lat, lon = (
        np.round(degrees, 6)
        for degrees in network.unproject(
            spot[:, 0] + _KERB_M * right * step[:, 1], spot[:, 1] - _KERB_M * right * step[:, 0]
        )
    )
    tail, head = network.node_ids[network.edge_from[edge]], network.node_ids[network.edge_to[edge]]
    names = network.name[edge]
    return [
        StopPoint(f"{tail[i]}|{head[i]}|{piece[i]}", network.names[names[i]], float(lat[i]), float(lon[i]))
        for i in range(len(street))
    ]


def _node_places(network: RoadNetwork) -> list[StopPoint]:
    """All nodes where a street ends on which stopping is possible, named after it."""
    street = np.full(network.nodes, -1)
    usable = np.array([name not in NO_VIRTUAL_STOPS for name in network.classes])[network.road_class]
    edges = np.flatnonzero(usable) if usable.any() else np.arange(network.edges)
    street[network.edge_to[edges[::-1]]] = edges[::-1]
    return [
        StopPoint(node, network.names[network.name[street[i]]], float(network.lat[i]), float(network.lon[i]), node)
        for i, node in enumerate(network.node_ids.tolist())
        if street[i] >= 0
    ]


def _spread(x: Floats, y: Floats, spacing_m: float, most: int | None = None) -> list[int]:
    """Indices of places taken in order, each unless one nearer than `spacing_m` was taken before; at `most` so many."""
    from scipy.spatial import KDTree

    at = np.column_stack((x, y))
    tree = KDTree(at)
    near_one = np.zeros(len(at), bool)
    taken: list[int] = []
    for i in range(len(at)):
        if len(taken) == most:
            break
        if not near_one[i]:
            taken.append(i)
            near_one[tree.query_ball_point(at[i], spacing_m)] = True
    return taken
