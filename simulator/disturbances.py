"""What goes otherwise than planned: slow drives, closed streets, broken shuttles. Sampled from named streams."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from dispatch.core.domain import NEVER
from simulator.riders import Range
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


class SlowPlace(Struct, frozen=True):
    """Nodes (ascending) from and to which drives begun within [at, to) ms take `permille` of what was expected."""

    at: int
    to: int
    permille: int
    nodes: frozenset[int]


class Disturbances(Struct, frozen=True):
    """Of one day. Each list is in order of time."""

    sigma: float = 0.0
    """standard deviation of a drive's time, as a share of it"""
    speeds: tuple[SpeedChange, ...] = ()
    closures: tuple[Closure, ...] = ()
    breakdowns: tuple[Breakdown, ...] = ()
    breakdown_share: float = 0.0
    """of shifts, drawn when the day's seed is known"""
    late_share: float = 0.0
    """of shifts whose driver comes late"""
    late_s: Range = Range(300, 1800)
    slow: tuple[SlowPlace, ...] = ()


LEAST_PERMILLE = 500


def drive_permille(
    disturbances: Disturbances, seed: int, shuttle: str, node: int, goal: int, at: int, goal_node: int = -1
) -> int:
    """How long a drive takes that begins at `node` at `at`, in thousandths of what was expected; 500 or more.

    `goal` is the place it leads to, `goal_node` where that lies.
    """
    if not disturbances.slow and disturbances.sigma == 0:
        return 1000
    slow = [s.permille for s in disturbances.slow if s.at <= at < s.to and (node in s.nodes or goal_node in s.nodes)]
    noise = _noise_permille(disturbances, seed, shuttle, node, goal, at)
    return noise * max(slow, default=1000) // 1000


def _noise_permille(disturbances: Disturbances, seed: int, shuttle: str, node: int, goal: int, at: int) -> int:
    if disturbances.sigma == 0:
        return 1000
    draw = Stream(seed, "drive", shuttle, node, goal, at).normal_milli()
    return max(LEAST_PERMILLE, 1000 + round(disturbances.sigma * 1000) * draw // 1000)


def with_breakdowns(disturbances: Disturbances, seed: int, shifts: Sequence[Shift]) -> Disturbances:
    """The same, the breakdowns of this seed among them: each bounded shift has a moment and a share of its own."""
    if not disturbances.breakdown_share:
        return disturbances
    drawn = list(disturbances.breakdowns)
    for shift in shifts:
        stream = Stream(seed, "breaks down", shift.id)
        breaks, permille = stream.chance(disturbances.breakdown_share), stream.below(1000)
        if breaks and shift.end < NEVER:
            drawn.append(
                Breakdown((shift.start + (shift.end - shift.start) * permille // 1000) // 1000 * 1000, shift.id)
            )
    return replace(disturbances, breakdowns=tuple(sorted(drawn, key=lambda breakdown: breakdown.at)))


def late_drivers(disturbances: Disturbances, seed: int, shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    """The shifts as they begin: some later than planned, none after its first call or its end."""
    if not disturbances.late_share:
        return tuple(shifts)
    out = []
    for shift in shifts:
        stream = Stream(seed, "drives late", shift.id)
        late, by = stream.chance(disturbances.late_share), disturbances.late_s.draw(stream)
        latest = min([shift.end - 1000, *(call.earliest for call in shift.calls)])
        out.append(replace(shift, start=max(shift.start, min(shift.start + by, latest))) if late else shift)
    return tuple(out)


def resolved(
    source: DisturbanceSource, document: Document, network: RoadNetwork, shifts: Sequence[Shift]
) -> Disturbances:
    """The file's disturbances on this network and fleet.

    Raises InputError for a shuttle that is unknown or not on shift, and for a closure that meets no street.
    """
    speeds = [SpeedChange(int(change.at), change.factor) for change in source.speeds]
    begins = {change.at for change in source.speeds}
    speeds += [SpeedChange(int(c.to), 1.0) for c in source.speeds if c.to is not None and c.to not in begins]
    speeds = _with_weather(speeds, source, document)
    slow = []
    for i, jam in enumerate(source.congestion):
        inside = _inside(jam.box, network)
        if not inside.any():
            raise document.error(("disturbances", "congestion", i, "box"), "meets no street of this map", "a box on it")
        nodes = frozenset(np.flatnonzero(inside).tolist())
        slow.append(SlowPlace(int(jam.at), int(jam.to), round(jam.factor * 1000), nodes))
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
        breakdown_share=float(source.breakdown_share),
        late_share=float(source.late_drivers.share),
        late_s=source.late_drivers.late_s,
        slow=tuple(slow),
    )


def _with_weather(speeds: list[SpeedChange], source: DisturbanceSource, document: Document) -> list[SpeedChange]:
    """Speeds with those of the weather. Raises InputError where both speak of the same time."""
    spells = [(i, spell) for i, spell in enumerate(source.weather) if spell.factor != 1]
    for i, spell in spells:
        others = [(c.at, c.to or NEVER) for c in source.speeds] + [(o.at, o.to) for k, o in spells if k != i]
        if any(begin < spell.to and spell.at < end for begin, end in others):
            raise document.error(("disturbances", "weather", i), "overlaps other changes of speed",
                                 "one change of speed at a time")  # fmt: skip
        speeds += [SpeedChange(int(spell.at), spell.factor), SpeedChange(int(spell.to), 1.0)]
    return speeds


def _inside(box: tuple[float, float, float, float], network: RoadNetwork) -> NDArray[np.bool_]:
    """(N,) nodes within south, west, north, east."""
    south, west, north, east = box
    inside: NDArray[np.bool_] = (
        (south <= network.lat) & (network.lat <= north) & (west <= network.lon) & (network.lon <= east)
    )
    return inside


def _edges(closure: ClosureSource, document: Document, network: RoadNetwork, path: tuple[str | int, ...]) -> list[int]:
    """Edges that a closure closes, ascending."""
    closed = np.zeros(network.edges, bool)
    if closure.box is not None:
        inside = _inside(closure.box, network)
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
