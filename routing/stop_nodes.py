"""Stop points made nodes of the network, so that nothing after this needs to know of positions on edges.

A stop point splits the edge on whose kerb it stands. The parts' integer times add up to the edge's, so no drive
between the nodes that were there before becomes longer or shorter by a millisecond.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from routing.errors import InputError
from routing.network import RoadNetwork, starts
from routing.snap import NO_STOPPING, EdgeIndex

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from routing.stop_points import StopPoint

SAME_PLACE_M = 1.0


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of an edge between two nodes, one of them new."""

    edge: int
    tail: int
    head: int
    length_m: float
    time_ms: int
    shape: slice


def with_stops(
    network: RoadNetwork, stop_points: Sequence[StopPoint], *, limit_m: float = 150.0
) -> tuple[RoadNetwork, NDArray[np.int64]]:
    """(network with the stop points as nodes, (S,) node of each stop point).

    A stop point with a `node` is that node. Any other is set on the nearest street where stopping is possible, in the
    direction that passes it on the kerb side; within a metre of a node or another stop point it shares that one's
    node. Old nodes keep their numbers; new ones follow and are named `stop:` and the stop point's id.
    Raises InputError for an id that stands twice, an unknown node, or a stop point farther than `limit_m` from any
    street (streets that were cut off count as absent).
    """
    twice = [name for name, n in Counter(stop.id for stop in stop_points).items() if n > 1]
    if twice:
        raise InputError(f"stop point {twice[0]!r} is given twice", field="stop_id", expected="each stop point once")
    node = np.full(len(stop_points), -1, np.int64)
    for i, stop in enumerate(stop_points):
        if stop.node is not None:
            if stop.node not in network.index:
                raise InputError(
                    f"stop point {stop.id!r}: node {stop.node!r} is not on this map (or was cut: not in its largest "
                    "connected part)",
                    field="node_id",
                    expected="a node of the map",
                )
            node[i] = network.index[stop.node]
    free = np.flatnonzero(node < 0)
    if len(free) == 0:
        return network, node
    placed = [stop_points[i] for i in free.tolist()]
    snaps = EdgeIndex(network, without=NO_STOPPING).snap(
        [stop.lat for stop in placed],
        [stop.lon for stop in placed],
        limit_m=limit_m,
        names=[f"stop point {stop.id!r}" for stop in placed],
    )

    new_ids: list[str] = []
    new_lat: list[float] = []
    new_lon: list[float] = []
    parts: list[_Part] = []
    split = np.zeros(network.edges, bool)
    for edge in np.unique(snaps.edge).tolist():
        on_edge = np.flatnonzero(snaps.edge == edge)
        on_edge = on_edge[np.argsort(snaps.fraction[on_edge], kind="stable")]
        cuts: list[tuple[float, int]] = []  # (fraction, new node), ascending
        for s in on_edge.tolist():
            spot = float(snaps.fraction[s])
            shared = _near_node(network, edge, spot, cuts)
            if shared is None:
                shared = network.nodes + len(new_ids)
                cuts.append((spot, shared))
                new_ids.append(f"stop:{placed[s].id}")
                new_lat.append(float(snaps.lat[s]))
                new_lon.append(float(snaps.lon[s]))
            node[free[s]] = shared
        if cuts:
            split[edge] = True
            parts += _parts(network, edge, cuts)
    if not parts:
        return network, node
    return _rebuild(network, split, parts, (new_ids, new_lat, new_lon)), node


def _near_node(network: RoadNetwork, edge: int, spot: float, cuts: list[tuple[float, int]]) -> int | None:
    """The node to share: an end or the stop point before within a metre, or all milliseconds are used up; else None."""
    length = float(network.length_m[edge])
    if spot * length <= SAME_PLACE_M:
        return int(network.edge_from[edge])
    if (1 - spot) * length <= SAME_PLACE_M:
        return int(network.edge_to[edge])
    if cuts and (spot - cuts[-1][0]) * length <= SAME_PLACE_M:
        return cuts[-1][1]
    if network.time_ms[edge] < len(cuts) + 2:
        return cuts[-1][1] if cuts else int(network.edge_from[edge] if spot < 0.5 else network.edge_to[edge])
    return None


def _parts(network: RoadNetwork, edge: int, cuts: list[tuple[float, int]]) -> list[_Part]:
    """The pieces of an edge cut at ascending fractions; times and lengths add up exactly, each time at least 1 ms."""
    total_ms, total_m = int(network.time_ms[edge]), float(network.length_m[edge])
    first, last = int(network.shape_start[edge]), int(network.shape_start[edge + 1])
    x, y = network.project(*network.line(edge))
    along = np.cumsum(np.hypot(np.diff(x), np.diff(y)))
    along = along[:-1] / max(float(along[-1]), 1e-9)  # of the points between the end nodes
    at_ms, clocks = 0, []
    for i, (spot, _) in enumerate(cuts):
        latest = total_ms - (len(cuts) - i)
        at_ms = min(max(round(spot * total_ms), at_ms + 1), latest)
        clocks.append(at_ms)
    tails = [int(network.edge_from[edge]), *(node for _, node in cuts)]
    heads = [*(node for _, node in cuts), int(network.edge_to[edge])]
    spots = [0.0, *(spot for spot, _ in cuts), 1.0]
    clocks = [0, *clocks, total_ms]
    points = [first, *(first + int(np.searchsorted(along, spot)) for spot, _ in cuts), last]
    return [
        _Part(
            edge,
            tails[i],
            heads[i],
            (spots[i + 1] - spots[i]) * total_m,
            clocks[i + 1] - clocks[i],
            slice(points[i], points[i + 1]),
        )
        for i in range(len(tails))
    ]


def _rebuild(
    network: RoadNetwork,
    split: NDArray[np.bool_],
    parts: list[_Part],
    new_nodes: tuple[list[str], list[float], list[float]],
) -> RoadNetwork:
    """The network with split edges replaced by their parts, edges in order again."""
    whole = np.flatnonzero(~split)
    old = np.concatenate((whole, [part.edge for part in parts])).astype(np.int64)
    tail = np.concatenate((network.edge_from[whole], [part.tail for part in parts])).astype(np.int32)
    head = np.concatenate((network.edge_to[whole], [part.head for part in parts])).astype(np.int32)
    length = np.concatenate((network.length_m[whole], [part.length_m for part in parts]))
    time = np.concatenate((network.time_ms[whole], [part.time_ms for part in parts])).astype(np.int32)
    begin = np.concatenate((network.shape_start[:-1][whole], [part.shape.start for part in parts])).astype(np.int64)
    end = np.concatenate((network.shape_start[1:][whole], [part.shape.stop for part in parts])).astype(np.int64)

    order = np.argsort(tail, kind="stable")
    old, begin, count = old[order], begin[order], (end - begin)[order]
    shape_start = starts(count)
    points = np.repeat(begin - shape_start[:-1], count) + np.arange(shape_start[-1])
    ids, lat, lon = new_nodes
    source = np.arange(network.edges, dtype=np.int32) if network.source_edge is None else network.source_edge
    return replace(
        network,
        node_ids=np.concatenate((network.node_ids, np.array(ids, np.str_))),
        lat=np.concatenate((network.lat, lat)),
        lon=np.concatenate((network.lon, lon)),
        edge_from=tail[order],
        edge_to=head[order],
        length_m=length[order],
        time_ms=time[order],
        road_class=network.road_class[old],
        name=network.name[old],
        shape_start=shape_start,
        shape_lat=network.shape_lat[points],
        shape_lon=network.shape_lon[points],
        source_edge=source[old],
    )
