"""What a drive looks like: its line on the map, and its streets in words."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from routing.network import Floats, RoadNetwork


class StreetLeg(NamedTuple):
    """A stretch of a drive along one street."""

    name: str
    """empty where the street has none"""
    metres: float


class PathGeometry(NamedTuple):
    """A drive as it is shown."""

    lat: Floats
    """(n,) points of the line"""
    lon: Floats
    streets: list[StreetLeg]
    """in the order they are driven, stretches of one name together"""

    @property
    def metres(self) -> float:
        """Length of the whole drive."""
        return sum(leg.metres for leg in self.streets)


def streets_along(network: RoadNetwork, edges: Iterable[int]) -> list[StreetLeg]:
    """The streets of a drive by its edges, stretches of one name together."""
    groups = itertools.groupby(edges, key=lambda edge: network.names[network.name[edge]])
    return [StreetLeg(name, sum(float(network.length_m[edge]) for edge in on)) for name, on in groups]


def edges_along(network: RoadNetwork, nodes: NDArray[np.integer[Any]] | Sequence[int]) -> list[int]:
    """The edges between the nodes of a path, of parallel ones the fastest. Raises ValueError if two are not joined."""
    edges = []
    path = np.asarray(nodes).tolist()
    for u, v in itertools.pairwise(path):
        leaving = range(int(network.indptr[u]), int(network.indptr[u + 1]))
        there = [e for e in leaving if network.edge_to[e] == v]
        if not there:
            raise ValueError(f"no street leads from node {u} to node {v}")
        edges.append(min(there, key=lambda e: int(network.time_ms[e])))
    return edges


def path_geometry(network: RoadNetwork, nodes: NDArray[np.integer[Any]] | Sequence[int]) -> PathGeometry:
    """Line and streets of a path given by its nodes (as `routing.paths.follow` gives them)."""
    edges = edges_along(network, nodes)
    first = int(nodes[0])
    lat, lon = [network.lat[first : first + 1]], [network.lon[first : first + 1]]
    for edge in edges:
        edge_lat, edge_lon = network.line(edge)
        lat.append(edge_lat[1:])
        lon.append(edge_lon[1:])
    return PathGeometry(np.concatenate(lat), np.concatenate(lon), streets_along(network, edges))
