"""RoadNetwork: streets as flat arrays. Nodes, directed edges with integer times, names, classes, geometry.

A node is a place where a shuttle may turn or stop. Edges are sorted by the node they leave, so an edge's number is its
position in every array. Values are immutable by convention: each operation gives a new network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import networkx as nx

    from routing.stop_points import StopPoint

Floats = NDArray[np.float64]
METRES_PER_DEGREE = 111_195.08
"""of latitude, on a sphere of 6,371,008.8 m radius"""
MAX_EDGE_S = 86_400


@dataclass(frozen=True)
class Cut:
    """What was left out because it lies outside the largest strongly connected part."""

    nodes: int = 0
    edges: int = 0
    km: float = 0.0

    def __bool__(self) -> bool:
        return self.nodes > 0 or self.edges > 0

    def __str__(self) -> str:
        return (
            f"cut {self.nodes} nodes, {self.edges} edges, {self.km:.1f} km outside the largest strongly connected part"
        )


@dataclass(frozen=True, eq=False)
class WalkNetwork:
    """Ways on foot, where a map has them: undirected straight segments between nodes of their own."""

    lat: Floats
    """(M,) degrees"""
    lon: Floats
    """(M,) degrees"""
    edge_from: NDArray[np.int32]
    """(F,) one end of each segment"""
    edge_to: NDArray[np.int32]
    """(F,) its other end"""
    length_m: Floats
    """(F,) metres"""


@dataclass(frozen=True, eq=False)
class RoadNetwork:
    """Streets that can be driven. N nodes, E directed edges sorted by `edge_from`."""

    node_ids: NDArray[np.str_]
    """(N,) the names that the source gives its nodes"""
    lat: Floats
    """(N,) degrees; y in metres if planar"""
    lon: Floats
    """(N,) degrees; x in metres if planar"""
    edge_from: NDArray[np.int32]
    """(E,) node an edge leaves, ascending"""
    edge_to: NDArray[np.int32]
    """(E,) node it leads to"""
    length_m: Floats
    """(E,) metres"""
    time_ms: NDArray[np.int32]
    """(E,) milliseconds to drive it, at least 1"""
    road_class: NDArray[np.uint8]
    """(E,) index into `classes`"""
    name: NDArray[np.int32]
    """(E,) index into `names`"""
    shape_start: NDArray[np.int64]
    """(E + 1,) where each edge's points begin in `shape_lat`, `shape_lon`"""
    shape_lat: Floats
    """points of the edges' lines between their end nodes"""
    shape_lon: Floats
    classes: tuple[str, ...] = ("road",)
    names: tuple[str, ...] = ("",)
    """street names; the first is the empty one"""
    planar: bool = False
    keeps_left: bool = False
    """traffic drives on the left"""
    credit: str = ""
    """whose data this is; shown on every map and report"""
    cut: Cut = Cut()
    walk: WalkNetwork | None = None
    source_edge: NDArray[np.int32] | None = None
    """(E,) in a network with stop points: the edge of the plain network that each edge is, or is a part of"""

    def __getstate__(self) -> dict[str, Any]:
        # Only the fields: what is cached beside them (an index, a hierarchy in C++) is cheap to make again.
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def nodes(self) -> int:
        """N"""
        return len(self.node_ids)

    @property
    def edges(self) -> int:
        """E"""
        return len(self.edge_from)

    @cached_property
    def index(self) -> dict[str, int]:
        """Position of each node id."""
        return {str(node): i for i, node in enumerate(self.node_ids)}

    @cached_property
    def indptr(self) -> NDArray[np.int64]:
        """(N + 1,) first outgoing edge of each node."""
        return np.searchsorted(self.edge_from, np.arange(self.nodes + 1)).astype(np.int64)

    @cached_property
    def middle(self) -> tuple[float, float]:
        """Middle of the nodes' bounding box (lat, lon); the origin of `project`."""
        return (
            (float(self.lat.min()) + float(self.lat.max())) / 2,
            (float(self.lon.min()) + float(self.lon.max())) / 2,
        )

    @cached_property
    def xy(self) -> tuple[Floats, Floats]:
        """(N,) and (N,) nodes in local metres."""
        return self.project(self.lat, self.lon)

    def project(self, lat: Any, lon: Any) -> tuple[Floats, Floats]:
        """Metres east and north of the map's middle (planar networks: x and y as they are)."""
        lat, lon = np.asarray(lat, np.float64), np.asarray(lon, np.float64)
        if self.planar:
            return lon, lat
        lat0, lon0 = self.middle
        return (lon - lon0) * (METRES_PER_DEGREE * math.cos(math.radians(lat0))), (lat - lat0) * METRES_PER_DEGREE

    def unproject(self, x: Any, y: Any) -> tuple[Floats, Floats]:
        """(lat, lon) of points given in local metres; the inverse of `project`."""
        x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
        if self.planar:
            return y, x
        lat0, lon0 = self.middle
        return lat0 + y / METRES_PER_DEGREE, lon0 + x / (METRES_PER_DEGREE * math.cos(math.radians(lat0)))

    def line(self, edge: int) -> tuple[Floats, Floats]:
        """(lat, lon) of an edge's line, both end nodes included."""
        inner = slice(int(self.shape_start[edge]), int(self.shape_start[edge + 1]))
        u, v = self.edge_from[edge], self.edge_to[edge]
        return (
            np.concatenate(([self.lat[u]], self.shape_lat[inner], [self.lat[v]])),
            np.concatenate(([self.lon[u]], self.shape_lon[inner], [self.lon[v]])),
        )

    def edges_between(self, from_node: int, to_node: int) -> list[int]:
        """Edges of the street that leads from one node straight to another; all its parts if stop points split it.

        Parallel streets are all in the list; it is empty if there is none.
        """
        source = np.arange(self.edges) if self.source_edge is None else self.source_edge
        leaving = source[self.indptr[from_node] : self.indptr[from_node + 1]]
        arriving = source[self.edge_to == to_node]
        return np.flatnonzero(np.isin(source, np.intersect1d(leaving, arriving))).tolist()

    @cached_property
    def twin(self) -> NDArray[np.int64]:
        """(E,) the edge that is the same street driven the other way; -1 on one-way streets."""
        from routing.snap import twins

        return twins(self)

    @cached_property
    def reversed_hierarchy(self) -> Any:
        """Contraction order of the network driven backwards (pyroutingkit): the same for all speeds and closures."""
        from pyroutingkit import CCHTopology

        x, y = self.xy
        hierarchy = CCHTopology()
        hierarchy.build(
            self.edge_to.astype(np.uint32),
            self.edge_from.astype(np.uint32),
            y.astype(np.float32),
            x.astype(np.float32),
            self.nodes,
        )
        return hierarchy

    def largest_component(self) -> RoadNetwork:
        """The largest strongly connected part, nodes in the same order; what was cut is added to `cut`.

        Raises InputError if no two nodes can reach each other.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        graph = coo_array(
            (np.ones(self.edges, np.int8), (self.edge_from, self.edge_to)), shape=(self.nodes, self.nodes)
        )
        _, label = connected_components(graph.tocsr(), directed=True, connection="strong")
        sizes = np.bincount(label)
        if sizes.max(initial=0) < 2:
            raise InputError("no two places can be reached from each other by road", expected="a drivable road network")
        keep = label == int(sizes.argmax())
        return self if keep.all() else self.part(keep)

    def part(self, keep_nodes: NDArray[np.bool_]) -> RoadNetwork:
        """The nodes where `keep_nodes` (N,) is true and the edges between them; the rest is added to `cut`."""
        number = np.cumsum(keep_nodes, dtype=np.int64) - 1
        keep = keep_nodes[self.edge_from] & keep_nodes[self.edge_to]
        points = np.repeat(keep, np.diff(self.shape_start))
        left_out = Cut(
            nodes=self.cut.nodes + int((~keep_nodes).sum()),
            edges=self.cut.edges + int((~keep).sum()),
            km=self.cut.km + float(self.length_m[~keep].sum()) / 1000,
        )
        return replace(
            self,
            node_ids=self.node_ids[keep_nodes],
            lat=self.lat[keep_nodes],
            lon=self.lon[keep_nodes],
            edge_from=number[self.edge_from[keep]].astype(np.int32),
            edge_to=number[self.edge_to[keep]].astype(np.int32),
            length_m=self.length_m[keep],
            time_ms=self.time_ms[keep],
            road_class=self.road_class[keep],
            name=self.name[keep],
            shape_start=starts(np.diff(self.shape_start)[keep]),
            shape_lat=self.shape_lat[points],
            shape_lon=self.shape_lon[points],
            cut=left_out,
        )

    def to_networkx(self) -> nx.MultiDiGraph:
        """The same network as osmnx has it: nodes with x, y; edges with length, travel_time (s), highway, name."""
        import networkx as nx

        graph = nx.MultiDiGraph(crs=None if self.planar else "epsg:4326")
        for node, lat, lon in zip(self.node_ids.tolist(), self.lat.tolist(), self.lon.tolist(), strict=True):
            graph.add_node(node, y=lat, x=lon)
        for e in range(self.edges):
            graph.add_edge(
                str(self.node_ids[self.edge_from[e]]),
                str(self.node_ids[self.edge_to[e]]),
                length=float(self.length_m[e]),
                travel_time=int(self.time_ms[e]) / 1000,
                highway=self.classes[self.road_class[e]],
                name=self.names[self.name[e]],
            )
        return graph

    def within(self, *, south: float, west: float, north: float, east: float) -> RoadNetwork:
        """The largest strongly connected part of what lies in a box (degrees; metres if planar).

        Raises InputError if no street lies in it.
        """
        if not (south < north and west < east):
            raise InputError("the box holds nothing", field="zone", expected="south < north and west < east")
        inside = (south <= self.lat) & (self.lat <= north) & (west <= self.lon) & (self.lon <= east)
        if not inside.any():
            raise InputError("no street of this map lies in the box", field="zone", expected="a box on the map")
        return self.part(inside).largest_component()

    def with_stops(
        self, stop_points: Sequence[StopPoint], *, limit_m: float = 150.0
    ) -> tuple[RoadNetwork, NDArray[np.int64]]:
        """Make stop points nodes: (the new network, (S,) node of each). See `routing.stop_nodes.with_stops`."""
        from routing.stop_nodes import with_stops

        return with_stops(self, stop_points, limit_m=limit_m)

    def save(self, path: str | Path) -> None:
        """Write one compressed file that `load` reads; never half-written. Raises InputError if that fails."""
        from routing.network_file import save

        save(self, path)

    @staticmethod
    def load(path: str | Path) -> RoadNetwork:
        """Read a file that `save` wrote. Raises InputError if it is missing, damaged or something else."""
        from routing.network_file import load

        return load(path)


def starts(counts: NDArray[np.integer[Any]]) -> NDArray[np.int64]:
    """(n + 1,) where each of n runs begins, given their lengths."""
    return np.concatenate(([0], np.cumsum(counts, dtype=np.int64)))


def read_csv(nodes_path: str | Path, edges_path: str | Path) -> RoadNetwork:
    """Read a network from two CSV files and keep its largest strongly connected part (`cut` says what went).

    nodes: `node_id,lat,lon` or `node_id,x_m,y_m`; edges, directed: `from_node,to_node,length_m,travel_time_s`, and
    if you like `name`, `road_class`. Ids and order of the nodes are kept.
    Raises InputError with file, line and field for whatever cannot be used.
    """
    from routing.network_csv import read

    return read(nodes_path, edges_path)
