"""Tiny named towns: nodes on a plane in metres, streets driven at 10 m/s (100 ms a metre)."""

from __future__ import annotations

import heapq
from typing import Any

import numpy as np
from hypothesis import strategies as st

from routing.network import RoadNetwork
from routing.travel_times import UNREACHABLE


def town(nodes: dict[str, tuple[float, float]], streets: str, **more: Any) -> RoadNetwork:
    """Nodes with (x, y); streets such as "A-B B>C C-D": `-` goes both ways, `>` one."""
    ids = list(nodes)
    pairs = []
    for street in streets.split():
        a, _, b = street.partition("-" if "-" in street else ">")
        pairs += [(ids.index(a), ids.index(b))] + ([(ids.index(b), ids.index(a))] if "-" in street else [])
    pairs.sort()
    at = np.array(list(nodes.values()), float)
    tail, head = np.array(pairs, np.int32).reshape(-1, 2).T
    length = np.hypot(*(at[tail] - at[head]).T)
    fields: dict[str, Any] = {
        "node_ids": np.array(ids),
        "lat": at[:, 1].copy(),
        "lon": at[:, 0].copy(),
        "edge_from": tail.copy(),
        "edge_to": head.copy(),
        "length_m": length,
        "time_ms": np.maximum(1, np.rint(length * 100)).astype(np.int32),
        "road_class": np.zeros(len(pairs), np.uint8),
        "name": np.zeros(len(pairs), np.int32),
        "shape_start": np.zeros(len(pairs) + 1, np.int64),
        "shape_lat": np.zeros(0),
        "shape_lon": np.zeros(0),
        "planar": True,
    }
    return RoadNetwork(**(fields | more))


def block() -> RoadNetwork:
    """A square of 100 m: A (0, 0) and B (100, 0) joined both ways, then one-way round B > C > D > A."""
    return town({"A": (0, 0), "B": (100, 0), "C": (100, 100), "D": (0, 100)}, "A-B B>C C>D D>A")


@st.composite
def networks(draw: st.DrawFn, *, most_nodes: int = 9) -> RoadNetwork:
    """Random networks: a ring that keeps all nodes connected, chords one-way or both ways, odd times, some parallel."""
    n = draw(st.integers(2, most_nodes))
    at = draw(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=n, max_size=n, unique=True))
    ends = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1))
    chords = draw(st.lists(ends.filter(lambda pair: pair[0] != pair[1]), max_size=2 * n))
    pairs = sorted([(i, (i + 1) % n) for i in range(n)] + chords)
    times = draw(st.lists(st.integers(1, 90_000), min_size=len(pairs), max_size=len(pairs)))
    tail, head = np.array(pairs, np.int32).T
    plain = town({f"n{i}": point for i, point in enumerate(at)}, " ".join(f"n{u}>n{v}" for u, v in pairs))
    assert (plain.edge_from == tail).all()
    assert (plain.edge_to == head).all()
    plain.time_ms[:] = times
    return plain


def scipy_times(network: RoadNetwork, places: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(N, P) by scipy's Dijkstra on the reversed network; of parallel edges the fastest counts."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    order = np.lexsort((network.time_ms, network.edge_to, network.edge_from))
    tail, head, ms = network.edge_from[order], network.edge_to[order], network.time_ms[order]
    first = np.append(True, (np.diff(tail) != 0) | (np.diff(head) != 0))
    shape = (network.nodes, network.nodes)
    reverse = csr_array((ms[first].astype(float), (head[first], tail[first])), shape=shape)
    return dijkstra(reverse, indices=places).T


def oracle(network: RoadNetwork, edge_ms: Any = None) -> np.ndarray[Any, Any]:
    """(N, N) shortest times by the plainest Dijkstra there is, which shares no code with `routing`."""
    weights = network.time_ms if edge_ms is None else edge_ms
    out: list[list[tuple[int, int]]] = [[] for _ in range(network.nodes)]
    for u, v, ms in zip(network.edge_from.tolist(), network.edge_to.tolist(), weights.tolist(), strict=True):
        if ms < UNREACHABLE:
            out[u].append((v, ms))
    table = np.full((network.nodes, network.nodes), UNREACHABLE, np.int64)
    for source in range(network.nodes):
        queue = [(0, source)]
        while queue:
            at, u = heapq.heappop(queue)
            if at >= table[source, u]:
                continue
            table[source, u] = at
            for v, ms in out[u]:
                heapq.heappush(queue, (at + ms, v))
    return table
