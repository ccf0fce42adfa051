"""Places of a day: the stop points that riders walk to, and behind them the depots that only shuttles use."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from numba import njit
from numpy.typing import NDArray

from dispatch.core.domain import Access
from routing.paths import length_mm
from routing.travel_times import QUARTER_MS, DriveTimes
from routing.walks import StopWalks

if TYPE_CHECKING:
    from routing.network import RoadNetwork
    from routing.stop_points import StopPoint

FARTHEST_WALK_M = 2000
"""who is farther than this from every stop point is not in the zone"""


class End(Struct, frozen=True):
    """One end of a journey: where the rider is, and the nearest stop point."""

    place: int
    lat: float
    lon: float
    walk: int = 0
    """ms on foot to that stop point"""


@dataclass(frozen=True, eq=False)
class Places:
    """Stop points, then depots, on a network. A place's number is its position."""

    network: RoadNetwork
    ids: tuple[str, ...]
    nodes: NDArray[np.int64]
    """(P,) node of each place"""
    stops: tuple[StopPoint, ...]
    """where riders board and alight: the first places"""

    @cached_property
    def number(self) -> dict[str, int]:
        """Place of each id."""
        return {name: i for i, name in enumerate(self.ids)}

    @cached_property
    def at_node(self) -> dict[int, int]:
        """The first place at each node that has one."""
        return {node: i for i, node in reversed(list(enumerate(self.nodes.tolist())))}

    @cached_property
    def _around(self) -> dict[tuple[float, float, float], tuple[Access, ...]]:
        return {}

    @cached_property
    def _walks(self) -> StopWalks:
        return StopWalks(self.network, self.stops)

    def end_at(self, place: int) -> End:
        """The end of a journey that lies at a stop point."""
        stop = self.stops[place]
        return End(place, stop.lat, stop.lon)

    def nearest(self, lat: float, lon: float, closed: Container[int] = ()) -> End | None:
        """The end of a journey at a point; None where no open stop point is within `FARTHEST_WALK_M`."""
        near = self._walks.near(lat, lon, limit_m=FARTHEST_WALK_M)
        return next((End(walk.stop, lat, lon, _ms(walk.seconds)) for walk in near if walk.stop not in closed), None)

    def accesses(self, end: End, walk_m: float, choices: int, closed: Container[int] = ()) -> tuple[Access, ...]:
        """Open stop points within a walk of an end, nearest first: its own one, and others up to `choices`."""
        own = Access(end.place, end.walk)
        if walk_m <= 0 or choices <= 1:
            return (own,)
        others = [near for near in self._near(end, walk_m) if near.place != end.place and near.place not in closed]
        return (own, *others[: choices - 1])

    def _near(self, end: End, walk_m: float) -> tuple[Access, ...]:
        """Stop points within a walk of an end; remembered of stop points, where most begin and end."""
        asked = (end.lat, end.lon, walk_m)
        found = self._around.get(asked)
        if found is None:
            near = self._walks.near(end.lat, end.lon, limit_m=walk_m)
            found = tuple(Access(walk.stop, _ms(walk.seconds)) for walk in near)
            if end.walk == 0:
                self._around[asked] = found
        return found

    def both_ends(
        self, origin: End, destination: End, walk_m: float, choices: int, closed: Container[int] = ()
    ) -> tuple[tuple[Access, ...], tuple[Access, ...]]:
        """Open stop points within a walk of either end of a journey; none is on both sides."""
        destinations = self.accesses(destination, walk_m, choices, closed)
        goals = {access.place for access in destinations}
        origins = self.accesses(origin, walk_m, choices, closed)
        origins = origins[:1] + tuple(access for access in origins[1:] if access.place not in goals)
        boards = {access.place for access in origins}
        return origins, tuple(access for access in destinations if access.place not in boards)

    def with_depots(self, nodes: list[int]) -> Places:
        """The same, and a place at each of these nodes that has none."""
        new = list(dict.fromkeys(node for node in nodes if node not in self.at_node))
        if not new:
            return self
        ids = tuple(str(self.network.node_ids[node]) for node in new)
        return replace(self, ids=self.ids + ids, nodes=np.concatenate((self.nodes, np.array(new, np.int64))))


def _ms(seconds: float) -> int:
    """Whole seconds, upward: nobody is at a stop point before they can be."""
    return int(np.ceil(seconds)) * 1000


def direct(
    times: DriveTimes, origins: NDArray[np.int64], destinations: NDArray[np.int64], departs: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(n,) milliseconds and (n,) millimetres of the unshared drives between places, begun at `departs` (ms)."""
    k = times.slices[np.minimum(departs // QUARTER_MS, len(times.slices) - 1)]
    places = np.ascontiguousarray(destinations)
    nodes, goals = times.place_nodes[origins], times.place_nodes[places]
    lengths = np.empty(len(origins), np.int64)
    _lengths(times.table, times.indptr, times.heads, times.edge_ms, times.edge_mm, k, nodes, places, goals, lengths)
    return times.table[k, nodes, destinations].astype(np.int64), lengths


@njit(cache=True)
def _lengths(table, indptr, heads, edge_ms, edge_mm, k, nodes, places, goals, out):  # type: ignore[no-untyped-def]
    for i in range(len(out)):
        out[i] = length_mm(table, indptr, heads, edge_ms, edge_mm, k[i], nodes[i], places[i], goals[i])
