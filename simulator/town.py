"""The town of a scenario: its streets, at which speed they are driven, and its stop points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dispatch.core.places import FARTHEST_WALK_M, End, Places, direct
from routing import stop_points
from routing.errors import InputError
from routing.import_map import import_map
from routing.network import RoadNetwork, read_csv
from routing.stop_points import StopPoint
from routing.travel_times import UNREACHABLE, drive_times
from simulator.maps import shipped_map, shipped_maps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routing.csv_table import Row
    from simulator.scenario_file import NetworkSource, StopSource
    from simulator.tables import Place
    from simulator.yaml_lines import Document

SPEED_SAMPLE = 60
"""stop points between which the mean speed of a town is measured"""
DEFAULT_SPACING_M = 400


def read_network(source: NetworkSource, document: Document) -> RoadNetwork:
    """The streets that `network` names, cut to its box. Raises InputError for whatever cannot be used."""
    named = [name for name in ("nodes", "map", "osm", "place") if getattr(source, name) is not None]
    if len(named) != 1 or (source.nodes is None) != (source.edges is None):
        what = f"names {' and '.join(named)}" if len(named) > 1 else "does not say where the streets are"
        raise document.error(("network",), what, "nodes and edges, or one of map, osm, place")
    folder = document.file.parent
    if source.nodes is not None and source.edges is not None:
        network = read_csv(folder / source.nodes, folder / source.edges)
    elif source.map is not None:
        network = _read_map(source.map, folder, document)
    elif source.osm is not None:
        network = import_map(str(folder / source.osm))
    else:
        network = _download(source.place or "")
    if source.box is None:
        return network
    south, west, north, east = source.box
    try:
        return network.within(south=south, west=west, north=north, east=east)
    except InputError as error:
        raise document.error(("network", "box"), error.what, error.expected) from None


def _read_map(name: str, folder: Path, document: Document) -> RoadNetwork:
    if name in shipped_maps():
        return shipped_map(name)
    if not (folder / name).is_file():
        expected = f"one of {', '.join(shipped_maps())}, or a file that `naru map import` wrote"
        raise document.error(("network", "map"), f"there is no map {name!r}", expected)
    return RoadNetwork.load(folder / name)


def _download(place: str) -> RoadNetwork:
    from routing.osmnx_maps import download_place

    return download_place(place)


def lay_out(
    network: RoadNetwork,
    source: str | StopSource | None,
    named: Sequence[Place],
    document: Document,
    *,
    named_by_node: bool,
) -> Places:
    """Stop points on the network: those that `stops` names; else every place that the requests name.

    Where requests name nothing either, they are generated. `named_by_node`: a place is called by its node's id.
    Raises InputError for whatever cannot be used.
    """
    from simulator.scenario_file import StopSource

    if source is None and named:
        nodes = sorted({found for place in named if (found := _node(network, place)) is not None})
        ids = tuple(str(network.node_ids[node]) for node in nodes)
        spots = zip(ids, network.lat[nodes].tolist(), network.lon[nodes].tolist(), strict=True)
        at_nodes = tuple(StopPoint(name, name, lat, lon, name) for name, lat, lon in spots)
        return Places(network, ids, np.array(nodes, np.int64), at_nodes)
    if source is None:
        source = StopSource(spacing_m=DEFAULT_SPACING_M)
    try:
        stops = _stop_points(network, source, document)
        network, at = network.with_stops(stops)
    except InputError as error:
        if error.file is not None:
            raise
        raise document.error(("stops",), error.what, error.expected) from None
    if named_by_node:
        at, first = _distinct(at)
        stops = [stops[i] for i in first]
        return Places(network, tuple(str(network.node_ids[node]) for node in at), at, tuple(stops))
    return Places(network, tuple(stop.id for stop in stops), at, tuple(stops))


def _distinct(nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], list[int]]:
    """(the nodes, each once, in the order in which they first stand; where that is)."""
    first = sorted(np.unique(nodes, return_index=True)[1].tolist())
    return nodes[first], first


def _stop_points(network: RoadNetwork, source: str | StopSource, document: Document) -> list[StopPoint]:
    folder = document.file.parent
    if isinstance(source, str):
        return stop_points.read_csv(folder / source, network)
    generated = source.count is not None or source.spacing_m is not None or source.walk_m is not None
    if (source.csv is not None) + (source.gtfs is not None) + source.osm + generated != 1:
        expected = "a file, csv, gtfs, `osm: on`, or one of count, spacing_m, walk_m"
        raise document.error(("stops",), "does not say which stop points", expected)
    if source.csv is not None:
        return stop_points.read_csv(folder / source.csv, network)
    if source.gtfs is not None:
        return stop_points.read_gtfs(folder / source.gtfs)
    if source.osm:
        return _bus_stops(document)
    return stop_points.generate(
        network, spacing_m=source.spacing_m, count=source.count, walk_m=source.walk_m, at_nodes=source.at_nodes
    )


def _bus_stops(document: Document) -> list[StopPoint]:
    from routing import osm

    extract = document.data["network"].get("osm")
    if extract is None:
        raise document.error(("stops", "osm"), "there is no extract to take bus stops from", "`network: {osm: …}`")
    return osm.bus_stops(document.file.parent / extract)


def _node(network: RoadNetwork, place: Place) -> int | None:
    """The node that a place names, or the nearest one to its point; None where there is none or it is too far."""
    if place.node is not None:
        return network.index.get(place.node)
    x, y = network.xy
    px, py = network.project(place.lat, place.lon)
    apart = np.hypot(x - px, y - py)
    nearest = int(apart.argmin())
    return nearest if apart[nearest] <= FARTHEST_WALK_M else None


def end_of(place: Place, field: str, row: Row, places: Places) -> End:
    """The end of a journey that a line of the requests names. Raises InputError if it is not in the zone."""
    network = places.network
    if place.node is not None:
        node = network.index.get(place.node)
        if node is None:
            what = f"node {place.node!r} is not on this map, or in its part that was cut"
            raise row.error(f"{field}_node", what, expected="a node of the map")
        if node in places.at_node:
            return places.end_at(places.at_node[node])
        lat, lon = float(network.lat[node]), float(network.lon[node])
    else:
        lat, lon = place.lat, place.lon
        node = _node(network, place)
        if all(stop.node is not None for stop in places.stops) and node in places.at_node:
            return places.end_at(places.at_node[node])
    end = places.nearest(lat, lon)
    if end is None:
        named = f"{field}_node" if place.node is not None else f"{field}_lat"
        what = f"({lat:g}, {lon:g}) has no stop point within {FARTHEST_WALK_M} m on foot"
        raise row.error(named, what, expected="a place within the zone, latitude before longitude")
    return end


def at_speed(places: Places, source: NetworkSource) -> Places:
    """The same places on streets slowed or quickened alike, as `mean_kmh` and `speed_factor` ask for."""
    network = places.network
    faster, slower = round(source.speed_factor * 1000), 1000
    if source.mean_kmh is not None and len(places.stops) > 1:
        ms, mm = _sampled(places)
        faster, slower = faster * ms * round(source.mean_kmh * 1000), slower * mm * 3600
    if faster == slower:
        return places
    slow = slower / faster
    time_ms = np.clip(np.rint(network.time_ms * slow), 1, UNREACHABLE - 1).astype(np.int32)
    scaled = replace(network, time_ms=time_ms)
    scaled.__dict__["reversed_hierarchy"] = network.reversed_hierarchy  # the same for all speeds, and dear
    return replace(places, network=scaled)


def _sampled(places: Places) -> tuple[int, int]:
    """Milliseconds and millimetres of all drives between `SPEED_SAMPLE` stop points, evenly taken."""
    n = len(places.stops)
    sample = np.unique(np.linspace(0, n - 1, min(n, SPEED_SAMPLE)).astype(np.int64))
    times = drive_times(places.network, places.nodes[sample])
    origins, destinations = (ends.ravel() for ends in np.meshgrid(np.arange(len(sample)), np.arange(len(sample))))
    ms, mm = direct(times, origins, destinations, np.zeros(len(origins), np.int64))
    return int(ms.sum()), int(mm.sum())
