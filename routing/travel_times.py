"""Driving times from every node to every place, as flat integer arrays.

A *place* is a node where a shuttle may stop (stop points are made nodes by `RoadNetwork.with_stops`), so one
table answers both "how far from here" for a shuttle in the middle of a street and "how far from stop to stop".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNREACHABLE = 2**30
QUARTER_MS = 900_000
"""Time-of-day profiles change at quarter hours."""


@dataclass(frozen=True, slots=True)
class DriveTimes:
    """Everything the core knows of roads.

    `table[k, node, place]` is the drive in integer milliseconds when it begins in time slice k; a drive keeps the
    slice in which it began until the shuttle turns elsewhere, so re-timing it on the way changes nothing.
    """

    place_nodes: NDArray[np.int64]
    """(P,) node of each place"""
    table: NDArray[np.int32]
    """(K, N, P) milliseconds, UNREACHABLE where there is no way"""
    slices: NDArray[np.int64]
    """(Q,) slice of each quarter hour of the service day; the last one holds for ever after"""
    indptr: NDArray[np.int64]
    """(N + 1,) first outgoing edge of each node"""
    heads: NDArray[np.int64]
    """(E,) node an edge leads to"""
    edge_ms: NDArray[np.int32]
    """(K, E) milliseconds, at least 1; UNREACHABLE on closed roads"""
    edge_mm: NDArray[np.int64]
    """(E,) length in millimetres"""
    version: int = 0
    """rises with every closure and change of speed"""

    def seconds(self, origin: int, destination: int, at_ms: int = 0) -> float:
        """Drive from place to place, in seconds."""
        k = self.slices[min(at_ms // QUARTER_MS, len(self.slices) - 1)]
        return int(self.table[k, self.place_nodes[origin], destination]) / 1000
