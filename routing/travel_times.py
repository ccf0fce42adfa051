"""Driving times from every node to every place, as flat integer arrays.

A *place* is a node where a shuttle may stop (stop points are made nodes by `RoadNetwork.with_stops`), so one
table answers both "how far from here" for a shuttle in the middle of a street and "how far from stop to stop".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from routing.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from routing.network import RoadNetwork

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
    into: NDArray[np.int32] = field(init=False, repr=False, compare=False)
    """(P, N) milliseconds in slice 0 to each place from each node: a row is what one goal asks of a whole fleet"""

    def __post_init__(self) -> None:
        """Lay the times out by goal."""
        object.__setattr__(self, "into", np.ascontiguousarray(self.table[0].T))

    def longest(self, node: int, place: int) -> int:
        """Drive from a node to a place at the worst time of day, in ms."""
        if len(self.table) == 1:
            return int(self.table.item(0, node, place))
        return int(self.table[:, node, place].max())

    def seconds(self, origin: int, destination: int, at_ms: int = 0) -> float:
        """Drive from place to place, in seconds."""
        k = self.slices[min(at_ms // QUARTER_MS, len(self.slices) - 1)]
        return int(self.table[k, self.place_nodes[origin], destination]) / 1000


class TravelTimes(Protocol):
    """What a caller that asks for single drives needs; `DriveTimes` is one."""

    @property
    def version(self) -> int:
        """Rises whenever a drive may take another time than before."""

    def seconds(self, origin: int, destination: int, at_ms: int = 0) -> float:
        """Drive from place to place begun at `at_ms`, in seconds."""


class ProfileStep(NamedTuple):
    """From a time of day on, streets are driven at another speed, until a later step speaks of the same streets."""

    from_s: int
    """seconds of the service day, a whole number of quarter hours"""
    speed_factor: float
    """of the free speed: 0.5 doubles the times"""
    classes: tuple[str, ...] = ()
    """road classes it speaks of; none: all"""


Profile = Sequence[ProfileStep]
MAX_TABLE_BYTES = 3_000_000_000
_PLACES_AT_ONCE = 64


def drive_times(
    network: RoadNetwork,
    place_nodes: NDArray[np.integer[Any]] | Sequence[int],
    *,
    profile: Profile = (),
    closed: Collection[int] = (),
    speed_changes: Mapping[int, float] | None = None,
    version: int = 0,
    max_table_bytes: int = MAX_TABLE_BYTES,
) -> DriveTimes:
    """The table of driving times from every node to every place, one for each different slice of the day.

    `closed` are edges that cannot be driven, `speed_changes` gives some edges a factor on their speed. Places that
    cannot be reached have UNREACHABLE. Safe to call from several threads at once.
    Raises InputError for a profile, edge or factor that makes no sense, and if the table would be too large.
    """
    places = np.asarray(place_nodes, np.int64)
    slices, factors = _slices(network, profile)
    size = len(factors) * network.nodes * len(places) * 4
    if size > max_table_bytes:
        raise InputError(
            f"{len(places)} stop points on {network.nodes} nodes at {len(factors)} speeds of the day need a table of "
            f"{size / 1e9:.1f} GB",
            expected=f"at most {max_table_bytes / 1e9:.1f} GB: fewer stop points, a smaller zone or a plainer profile",
        )
    edge_ms = _edge_ms(network, factors, closed, speed_changes or {})
    table = np.empty((len(factors), network.nodes, len(places)), np.int32)
    for k in range(len(factors)):
        _fill(network, edge_ms[k], places, table[k])
    return DriveTimes(
        place_nodes=places,
        table=table,
        slices=slices,
        indptr=network.indptr,
        heads=network.edge_to.astype(np.int64),
        edge_ms=edge_ms,
        edge_mm=np.rint(network.length_m * 1000).astype(np.int64),
        version=version,
    )


def matrix(network: RoadNetwork, place_nodes: NDArray[np.integer[Any]] | Sequence[int]) -> NDArray[np.int32]:
    """(P, P) milliseconds from each place (row) to each (column); UNREACHABLE where there is no way."""
    places = np.asarray(place_nodes, np.uint32)
    return _clip(_metric(network, network.time_ms).distances_many_to_many(places, places).T)


@dataclass(frozen=True)
class LiveRoads:
    """The roads of a running day: each closure or change of speed gives new roads with new driving times."""

    network: RoadNetwork
    times: DriveTimes
    profile: Profile = ()
    closed: frozenset[int] = frozenset()
    speed_changes: Mapping[int, float] = field(default_factory=dict)

    @staticmethod
    def open(
        network: RoadNetwork, place_nodes: NDArray[np.integer[Any]] | Sequence[int], *, profile: Profile = ()
    ) -> LiveRoads:
        """Roads as the map and the profile have them."""
        return LiveRoads(network, drive_times(network, place_nodes, profile=profile), profile)

    def close(self, edges: Collection[int]) -> LiveRoads:
        """These edges can no longer be driven."""
        return self._with(closed=self.closed | set(edges))

    def reopen(self, edges: Collection[int]) -> LiveRoads:
        """These edges can be driven again."""
        return self._with(closed=self.closed - set(edges))

    def change_speed(self, edges: Collection[int], speed_factor: float) -> LiveRoads:
        """These edges are driven at a factor of their usual speed; 1 ends an earlier change."""
        return self._with(speed_changes={**self.speed_changes, **dict.fromkeys(edges, speed_factor)})

    def _with(self, **changes: Any) -> LiveRoads:
        roads = replace(self, **changes)
        times = drive_times(
            roads.network,
            roads.times.place_nodes,
            profile=roads.profile,
            closed=roads.closed,
            speed_changes=roads.speed_changes,
            version=self.times.version + 1,
        )
        return replace(roads, times=times)


def _slices(network: RoadNetwork, profile: Profile) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(Q,) slice of each quarter hour and (K, classes) speed factors of each slice."""
    quarter_s = QUARTER_MS // 1000
    for step in profile:
        if step.from_s < 0 or step.from_s % quarter_s:
            raise InputError(f"{step.from_s} s is no quarter hour", field="profile", expected="a multiple of 900 s")
        if not 0.01 <= step.speed_factor <= 10:
            raise InputError(f"speed factor {step.speed_factor:g}", field="profile", expected="0.01 to 10")
        unknown = [name for name in step.classes if name not in network.classes]
        if unknown:
            known = ", ".join(network.classes)
            raise InputError(
                f"road class {unknown[0]!r} is not on this map", field="profile", expected=f"one of {known}"
            )
    factors = np.ones(len(network.classes))
    seen: dict[tuple[float, ...], int] = {}
    slices = []
    last = max((step.from_s // quarter_s for step in profile), default=0)
    for quarter in range(last + 1):
        for step in profile:
            if step.from_s == quarter * quarter_s:
                factors[[not step.classes or name in step.classes for name in network.classes]] = step.speed_factor
        slices.append(seen.setdefault(tuple(factors.tolist()), len(seen)))
    return np.array(slices, np.int64), np.array(list(seen))


def _edge_ms(
    network: RoadNetwork, factors: NDArray[np.float64], closed: Collection[int], speed_changes: Mapping[int, float]
) -> NDArray[np.int32]:
    """(K, E) milliseconds; edges whose speed is as mapped keep their very integers."""
    own = np.ones(network.edges)
    for edge, factor in speed_changes.items():
        _check_edge(network, edge)
        if not 0.01 <= factor <= 10:
            raise InputError(f"speed factor {factor:g} for edge {edge}", expected="0.01 to 10; close the road for 0")
        own[edge] = factor
    edge_ms = np.rint(network.time_ms / (factors[:, network.road_class] * own))
    edge_ms = np.clip(edge_ms, 1, UNREACHABLE - 1).astype(np.int32)
    for edge in closed:
        _check_edge(network, edge)
        edge_ms[:, edge] = UNREACHABLE
    return edge_ms


def _check_edge(network: RoadNetwork, edge: int) -> None:
    if not 0 <= edge < network.edges:
        raise InputError(f"there is no edge {edge}", expected=f"0 to {network.edges - 1}")


def _metric(network: RoadNetwork, edge_ms: NDArray[np.int32]) -> Any:
    """Shortest-path engine for one set of times. It crashes when two threads share it: one for each call."""
    from pyroutingkit import CCHMetric

    metric = CCHMetric(network.reversed_hierarchy)
    metric.customize(edge_ms.astype(np.uint32))  # a way over a closed edge adds up to UNREACHABLE or more
    return metric


def _fill(
    network: RoadNetwork, edge_ms: NDArray[np.int32], places: NDArray[np.int64], table: NDArray[np.int32]
) -> None:
    """Many-to-many from the few places to the many nodes of the reversed network: 2-4 times faster than forwards."""
    metric = _metric(network, edge_ms)
    every_node = np.arange(network.nodes, dtype=np.uint32)
    for first in range(0, len(places), _PLACES_AT_ONCE):
        some = places[first : first + _PLACES_AT_ONCE].astype(np.uint32)
        table[:, first : first + len(some)] = _clip(metric.distances_many_to_many(some, every_node).T)


def _clip(milliseconds: NDArray[np.uint32]) -> NDArray[np.int32]:
    return np.minimum(milliseconds, np.uint32(UNREACHABLE)).astype(np.int32)
