"""What goes otherwise than planned: slow drives, closed streets, broken shuttles. Sampled from named streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from simulator.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from dispatch.core.domain import Shift
    from routing.network import RoadNetwork
    from simulator.scenario_file import ClosureSource, DisturbanceSource
    from simulator.yaml_lines import Document


class Closure(Struct, frozen=True):
    """Edges that can't be driven from `at` (ms) until `to`; None: for the rest of the day."""

    at: int
    to: int | None
    edges: tuple[int, ...]
    reason: str = ""


class SpeedChange(Struct, frozen=True):
    """From `at` (ms) on all drives take `factor` times as long as the map says."""

    at: int
    factor: float


class Breakdown(Struct, frozen=True):
    """A shuttle, named by its shift, that can go no further."""

    at: int
    shift: str


class Disturbances(Struct, frozen=True):
    """Of one day. Each list is in order of time."""

    sigma: float = 0.0
    """standard deviation of a drive's time, as a share of it"""
    speeds: tuple[SpeedChange, ...] = ()
    closures: tuple[Closure, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()


LEAST_PERMILLE = 500


def drive_permille(disturbances: Disturbances, seed: int, shuttle: str, node: int, goal: int, at: int) -> int:
    """How long a drive takes that begins at `node` at `at`, in thousandths of what was expected; 500 or more."""
    if disturbances.sigma == 0:
        return 1000
    draw = Stream(seed, "drive", shuttle, node, goal, at).normal_milli()
    return max(LEAST_PERMILLE, 1000 + round(disturbances.sigma * 1000) * draw // 1000)


def resolved(
    source: DisturbanceSource, document: Document, network: RoadNetwork, shifts: Sequence[Shift]
) -> Disturbances:
    """The file's disturbances on this network and fleet.

    Raises InputError for a shuttle that is unknown or not on shift, and for a closure that meets no street.
    """
    speeds = [SpeedChange(int(change.at), change.factor) for change in source.speeds]
    begins = {change.at for change in source.speeds}
    speeds += [SpeedChange(int(c.to), 1.0) for c in source.speeds if c.to is not None and c.to not in begins]
    closures = []
    for i, closure in enumerate(source.closures):
        path = ("disturbances", "closures", i)
        edges = _edges(closure, document, network, path)
        if not edges:
            raise document.error(path, "closes no street of this map", "a box, a line or edges that meet one")
        to = None if closure.to is None else int(closure.to)
        closures.append(Closure(int(closure.at), to, tuple(edges), closure.reason))
    breakdowns = []
    for i, breakdown in enumerate(source.breakdowns):
        own = [shift for shift in shifts if shift.vehicle == str(breakdown.shuttle)]
        on_shift = [shift for shift in own if shift.start <= breakdown.at < shift.end]
        if not on_shift:
            what = "is not on shift then" if own else "is no shuttle of this day"
            raise document.error(
                ("disturbances", "breakdowns", i),
                f"{breakdown.shuttle!r} {what}",
                "a vehicle_id, at a time of its shift",
            )
        breakdowns.append(Breakdown(int(breakdown.at), on_shift[0].id))
    return Disturbances(
        sigma=float(source.travel_time_sigma),
        speeds=tuple(sorted(speeds, key=lambda change: change.at)),
        closures=tuple(sorted(closures, key=lambda closure: closure.at)),
        breakdowns=tuple(sorted(breakdowns, key=lambda breakdown: breakdown.at)),
    )


def _edges(closure: ClosureSource, document: Document, network: RoadNetwork, path: tuple[str | int, ...]) -> list[int]:
    """Edges that a closure closes, ascending."""
    closed = np.zeros(network.edges, bool)
    if closure.box is not None:
        south, west, north, east = closure.box
        inside = (south <= network.lat) & (network.lat <= north) & (west <= network.lon) & (network.lon <= east)
        closed |= inside[network.edge_from] | inside[network.edge_to]
    if closure.line is not None:
        (lat0, lon0), (lat1, lon1) = closure.line
        x, y = network.project([lat0, lat1], [lon0, lon1])
        closed |= _crossing(network, x, y)
    for k, (tail, head) in enumerate(closure.edges):
        try:
            between = network.edges_between(network.index[str(tail)], network.index[str(head)])
        except KeyError as missing:
            raise document.error(
                (*path, "edges", k), f"{missing} is no node of this map", "[from_node, to_node]"
            ) from None
        if not between:
            raise document.error((*path, "edges", k), "no street leads that way", "[from_node, to_node]")
        closed[between] = True
    return [int(edge) for edge in np.flatnonzero(closed)]


def _crossing(network: RoadNetwork, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(E,) edges whose line meets the straight line between two points in local metres."""
    import shapely

    from routing.snap import edge_lines

    line = shapely.LineString(np.column_stack((x, y)))
    crossed: NDArray[np.bool_] = shapely.intersects(edge_lines(network, np.arange(network.edges)), line)
    return crossed
