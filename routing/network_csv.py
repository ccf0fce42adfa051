"""A road network from a pair of CSV files, checked line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from routing.csv_table import Row, Table, read_table
from routing.errors import InputError
from routing.network import MAX_EDGE_S, METRES_PER_DEGREE, Floats, RoadNetwork

if TYPE_CHECKING:
    from pathlib import Path

Ints = NDArray[np.int32]
Nodes = tuple[list[str], Floats, Floats]


def read(nodes_path: str | Path, edges_path: str | Path) -> RoadNetwork:
    """See `routing.network.read_csv`."""
    nodes = read_table(nodes_path, required=("node_id",))
    planar = _is_planar(nodes)
    ids, lat, lon = _read_nodes(nodes, planar)
    edges = read_table(edges_path, required=("from_node", "to_node", "length_m", "travel_time_s"))
    if not edges.rows:
        raise InputError("has no edges", file=edges.file, expected="at least one line after the header")

    number = {node: i for i, node in enumerate(ids)}
    names, classes = {"": 0}, {"road": 0}
    tail, head, name, road_class = (np.zeros(len(edges), np.int32) for _ in range(4))
    length, time = np.zeros(len(edges)), np.zeros(len(edges))
    for i, row in enumerate(edges):
        tail[i], head[i] = _end(row, "from_node", number), _end(row, "to_node", number)
        length[i] = row.number("length_m", low=0, high=1e6, unit="metres")
        time[i] = row.number("travel_time_s", low=0, high=MAX_EDGE_S, unit="seconds")
        if row.has("name"):
            name[i] = names.setdefault(row.text("name"), len(names))
        if row.has("road_class"):
            road_class[i] = classes.setdefault(row.text("road_class"), len(classes))
            if len(classes) > 255:
                raise row.error("road_class", "more than 255 road classes", expected="a handful")
    if not planar:
        _check_not_swapped(nodes, (ids, lat, lon), tail, head, length)

    order = np.argsort(tail, kind="stable")
    network = RoadNetwork(
        node_ids=np.array(ids, dtype=np.str_),
        lat=lat,
        lon=lon,
        edge_from=tail[order],
        edge_to=head[order],
        length_m=length[order],
        time_ms=np.maximum(1, np.rint(time[order] * 1000)).astype(np.int32),
        road_class=road_class[order].astype(np.uint8),
        name=name[order],
        shape_start=np.zeros(len(edges) + 1, np.int64),
        shape_lat=np.zeros(0),
        shape_lon=np.zeros(0),
        classes=tuple(classes),
        names=tuple(names),
        planar=planar,
    )
    try:
        return network.largest_component()
    except InputError as error:
        raise InputError(error.what, file=edges.file, expected=error.expected) from None


def _is_planar(nodes: Table) -> bool:
    if nodes.has("lat", "lon"):
        return False
    if nodes.has("x_m", "y_m"):
        return True
    missing = "lon" if nodes.has("lat") else "y_m" if nodes.has("x_m") else "x_m" if nodes.has("y_m") else "lat"
    raise InputError(
        f"column {missing} is missing",
        file=nodes.file,
        line=1,
        field=missing,
        expected="node_id,lat,lon or node_id,x_m,y_m",
    )


def _read_nodes(nodes: Table, planar: bool) -> Nodes:
    if not nodes.rows:
        raise InputError("has no nodes", file=nodes.file, expected="at least one line after the header")
    seen: dict[str, int] = {}
    lat, lon = np.zeros(len(nodes)), np.zeros(len(nodes))
    for i, row in enumerate(nodes):
        node = row.text("node_id")
        if node in seen:
            raise row.error("node_id", f"{node!r} stands on line {seen[node]} too", expected="each node once")
        seen[node] = row.line
        if planar:
            lat[i], lon[i] = row.number("y_m", low=-1e7, high=1e7), row.number("x_m", low=-1e7, high=1e7)
        else:
            lat[i], lon[i] = read_position(row)
    return list(seen), lat, lon


def read_position(row: Row, lat: str = "lat", lon: str = "lon") -> tuple[float, float]:
    """(lat, lon) of a row, within ±90 and ±180. Raises InputError, which says so if the two look swapped."""
    y, x = row.number(lat), row.number(lon)
    if abs(y) > 90 and abs(x) <= 90 and abs(y) <= 180:
        raise row.error(lat, f"{y:g} is no latitude; {lat} and {lon} look swapped", expected="degrees from -90 to 90")
    return row.number(lat, low=-90, high=90, unit="degrees"), row.number(lon, low=-180, high=180, unit="degrees")


def _end(row: Row, field: str, number: dict[str, int]) -> int:
    node = row.text(field)
    if node not in number:
        raise row.error(field, f"node {node!r} is not in the nodes file", expected="a node_id of that file")
    return number[node]


def _check_not_swapped(nodes: Table, at: Nodes, tail: Ints, head: Ints, length: Floats) -> None:
    """No street is shorter than the straight line between its ends. Where many are, and with lat and lon exchanged
    none is, they were exchanged: both lie within ±90 degrees in much of the world, so ranges alone cannot tell."""
    _, lat, lon = at
    if np.abs(lon).max() > 90:
        return

    def too_short(y: Floats, x: Floats) -> float:
        north = (y[tail] - y[head]) * METRES_PER_DEGREE
        east = (x[tail] - x[head]) * METRES_PER_DEGREE * np.cos(np.radians(y[tail]))
        straight = np.hypot(north, east)
        long = straight > 30
        return float((length[long] < 0.93 * straight[long]).mean()) if long.sum() >= 20 else 0.0

    if too_short(lat, lon) > 0.1 and too_short(lon, lat) < 0.01:
        raise InputError(
            "lat and lon look swapped: streets are shorter than the straight line between their ends",
            file=nodes.file,
            field="lat",
            expected="latitude in lat, longitude in lon",
        )
