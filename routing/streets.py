"""Streets as a map source lists them, gathered into a RoadNetwork: every importer's last step."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from routing.errors import InputError
from routing.network import METRES_PER_DEGREE, RoadNetwork, WalkNetwork, starts
from routing.speeds import drive_ms

if TYPE_CHECKING:
    from numpy.typing import NDArray

Point = tuple[float, float]
"""(lat, lon) in degrees"""


class Street(NamedTuple):
    """A stretch of road between two nodes, drivable one way or both."""

    from_node: str
    to_node: str
    line: tuple[Point, ...]
    """both end nodes included"""
    length_m: float
    kmh: float
    road_class: str
    name: str
    forward: bool
    backward: bool

    def turned(self) -> Street:
        """The same stretch, told from its other end."""
        return self._replace(
            from_node=self.to_node,
            to_node=self.from_node,
            line=self.line[::-1],
            forward=self.backward,
            backward=self.forward,
        )

    def like(self, other: Street) -> bool:
        """Whether both could be one stretch."""
        return self[4:] == other[4:]


@dataclass
class StreetList:
    """What an importer has found so far."""

    credit: str
    keeps_left: bool = False
    streets: list[Street] = field(default_factory=list)
    paths: list[tuple[Point, ...]] = field(default_factory=list)
    """lines that can be walked, streets among them; empty if the source says nothing of walking"""

    def network(self) -> RoadNetwork:
        """The largest strongly connected part. Raises InputError if there is no street that can be driven."""
        both = [s for street in self.streets for s in (street, street.turned()) if s.forward and len(s.line) > 1]
        if not both:
            raise InputError("no street that can be driven", expected="a map with drivable roads")
        ids: dict[str, int] = {}
        at: list[Point] = []
        for street in both:
            for node, point in ((street.from_node, street.line[0]), (street.to_node, street.line[-1])):
                if ids.setdefault(node, len(ids)) == len(at):
                    at.append(point)
        classes = {name: i for i, name in enumerate(sorted({street.road_class for street in both}))}
        names = {name: i for i, name in enumerate(["", *sorted({street.name for street in both} - {""})])}
        both.sort(key=lambda street: ids[street.from_node])
        inner = [point for street in both for point in street.line[1:-1]]
        shape = np.array(inner, np.float64).reshape(-1, 2)
        place = np.array(at, np.float64)
        return RoadNetwork(
            node_ids=np.array(list(ids), np.str_),
            lat=place[:, 0].copy(),
            lon=place[:, 1].copy(),
            edge_from=np.array([ids[street.from_node] for street in both], np.int32),
            edge_to=np.array([ids[street.to_node] for street in both], np.int32),
            length_m=np.array([round(street.length_m, 2) for street in both]),
            time_ms=np.array([drive_ms(street.length_m, street.kmh) for street in both], np.int32),
            road_class=np.array([classes[street.road_class] for street in both], np.uint8),
            name=np.array([names[street.name] for street in both], np.int32),
            shape_start=starts(np.array([len(street.line) - 2 for street in both])),
            shape_lat=shape[:, 0].copy(),
            shape_lon=shape[:, 1].copy(),
            classes=tuple(classes),
            names=tuple(names),
            keeps_left=self.keeps_left,
            credit=self.credit,
            walk=walk_network(self.paths),
        ).largest_component()


def length_m(line: tuple[Point, ...] | list[Point]) -> float:
    """Metres along a line of (lat, lon), on the sphere."""
    at = np.array(line)
    north = np.diff(at[:, 0])
    east = np.diff(at[:, 1]) * np.cos(np.radians((at[1:, 0] + at[:-1, 0]) / 2))
    return float(np.hypot(north, east).sum() * METRES_PER_DEGREE)


def joined(streets: list[Street]) -> list[Street]:
    """The same streets with those made one that meet end to end with nothing else there and nothing changing.

    A map source cuts streets where a bridge or a bus lane begins; for driving such a node decides nothing. No street
    is made that leads back to where it began.
    """
    at: dict[str, list[int]] = defaultdict(list)
    for i, street in enumerate(streets):
        at[street.from_node].append(i)
        at[street.to_node].append(i)

    def after(street: Street, i: int) -> tuple[Street, int] | None:
        """The stretch that goes on where this one ends, told in the same direction."""
        ends = at[street.to_node]
        if len(ends) != 2 or ends[0] == ends[1]:
            return None
        j = ends[0] if ends[1] == i else ends[1]
        follower = streets[j] if streets[j].from_node == street.to_node else streets[j].turned()
        return (follower, j) if street.like(follower) else None

    done = [False] * len(streets)
    result = []
    for first in range(len(streets)):
        if done[first]:
            continue
        done[first] = True
        chain = [streets[first]]
        for _ in range(2):  # on from its end, then (turned round) on from its beginning
            last = first
            while (found := after(chain[-1], last)) and not done[found[1]] and found[0].to_node != chain[0].from_node:
                chain.append(found[0])
                last = found[1]
                done[last] = True
            chain = [street.turned() for street in reversed(chain)]
        line = chain[0].line + tuple(point for street in chain[1:] for point in street.line[1:])
        result.append(
            chain[0]._replace(to_node=chain[-1].to_node, line=line, length_m=sum(street.length_m for street in chain))
        )
    return result


def walk_network(paths: list[tuple[Point, ...]]) -> WalkNetwork | None:
    """The largest connected part of the lines that can be walked; lines meet where they share a point."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ids: dict[Point, int] = {}
    for path in paths:
        for point in path:
            ids.setdefault(point, len(ids))
    ends = {(min(a, b), max(a, b)) for path in paths for a, b in pairwise([ids[point] for point in path]) if a != b}
    if not ends:
        return None
    pairs = np.array(sorted(ends), np.int32)
    graph = coo_array((np.ones(len(pairs), np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(ids), len(ids)))
    _, label = connected_components(graph.tocsr(), directed=False)
    keep = label == np.bincount(label).argmax()
    number = np.cumsum(keep) - 1
    pairs = number[pairs[keep[pairs[:, 0]]]].astype(np.int32)
    at = np.array(list(ids), np.float64)[keep]
    return WalkNetwork(at[:, 0].copy(), at[:, 1].copy(), pairs[:, 0].copy(), pairs[:, 1].copy(), _lengths(at, pairs))


def _lengths(at: NDArray[np.float64], pairs: NDArray[np.int32]) -> NDArray[np.float64]:
    a, b = at[pairs[:, 0]], at[pairs[:, 1]]
    east = (a[:, 1] - b[:, 1]) * np.cos(np.radians((a[:, 0] + b[:, 0]) / 2))
    lengths: NDArray[np.float64] = np.round(np.hypot(a[:, 0] - b[:, 0], east) * METRES_PER_DEGREE, 2)
    return lengths
