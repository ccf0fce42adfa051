"""The zone as GeoJSON, and streets found on it. [lon, lat] as GeoJSON has it; planar maps: [x, y] in metres."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from dispatch.service.zone import Area
from routing.network import RoadNetwork


class Maps:
    """The zone's streets and stop points, written once."""

    def __init__(self, area: Area) -> None:
        self.area = self._area = area

    @cached_property
    def roads(self) -> bytes:
        """One MultiLineString a road class; of a street that goes both ways, one line."""
        network = self._area.network
        once = _once(network)
        features = []
        for number, name in enumerate(network.classes):
            edges = np.flatnonzero((network.road_class == number) & once).tolist()
            if edges:
                features.append(_lines(network, edges, {"class": name}))
        return _collection(features, network.credit)

    @cached_property
    def stop_points(self) -> bytes:
        """A Point each."""
        features = [
            {
                "type": "Feature",
                "id": stop.id,
                "properties": {"id": stop.id, "name": stop.name},
                "geometry": {"type": "Point", "coordinates": [round(stop.lon, 6), round(stop.lat, 6)]},
            }
            for stop in self._area.stops
        ]
        return _collection(features, self._area.network.credit)

    @cached_property
    def tag(self) -> str:
        """Changes when the map does."""
        return hashlib.sha256(self.roads + self.stop_points).hexdigest()[:24]

    def streets(self, edges: Iterable[int]) -> bytes:
        """These edges, a LineString each."""
        network = self._area.network
        return _collection([_lines(network, [edge], {"edge": edge}) for edge in edges], network.credit)

    def meeting(self, line: Sequence[tuple[float, float]]) -> list[int]:
        """Edges that a line of (lat, lon) crosses."""
        import shapely

        from routing.snap import edge_lines

        network = self._area.network
        x, y = network.project([point[0] for point in line], [point[1] for point in line])
        drawn = shapely.LineString(np.column_stack((x, y)))
        lines = edge_lines(network, np.arange(network.edges))
        return [int(edge) for edge in np.flatnonzero(shapely.intersects(lines, drawn))]

    def within(self, south: float, west: float, north: float, east: float) -> list[int]:
        """Edges with an end in a box."""
        network = self._area.network
        inside = (south <= network.lat) & (network.lat <= north) & (west <= network.lon) & (network.lon <= east)
        return [int(edge) for edge in np.flatnonzero(inside[network.edge_from] | inside[network.edge_to])]


def _once(network: RoadNetwork) -> Any:
    from routing.snap import twins

    twin = twins(network)
    return (twin < 0) | (np.arange(network.edges) < twin)


def _lines(network: RoadNetwork, edges: Sequence[int], properties: dict[str, Any]) -> dict[str, Any]:
    lines = []
    for edge in edges:
        lat, lon = network.line(edge)
        lines.append(np.round(np.column_stack((lon, lat)), 6).tolist())
    geometry = {"type": "MultiLineString", "coordinates": lines}
    if len(lines) == 1:
        geometry = {"type": "LineString", "coordinates": lines[0]}
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _collection(features: list[dict[str, Any]], credit: str) -> bytes:
    return msgspec.json.encode({"type": "FeatureCollection", "credit": credit, "features": features})
