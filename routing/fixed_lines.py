"""Buses that run by a timetable: a GTFS feed, asked which of them goes directly from one place to another.

Trips of which the feed tells only how often they run are left out. Times are seconds of the service day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from routing.errors import InputError
from routing.gtfs import Service, read_feed
from routing.stop_points import WALK_DETOUR
from routing.walks import WALK_M_S

if TYPE_CHECKING:
    from routing.network import RoadNetwork

LOOK_AHEAD_S = 2 * 3600
"""nobody waits longer for a bus"""


@dataclass(frozen=True)
class Direct:
    """One bus that goes directly."""

    route: str
    board: str
    alight: str
    """names of the stops"""
    departs_s: int
    arrives_s: int
    walk_s: int
    """to the one stop and from the other, together"""
    there_s: int
    """arrival at the goal itself, the walk included"""


@dataclass(frozen=True, eq=False)
class FixedLines:
    """A feed on a map. Rows are calls of trips, in the order in which each trip makes them."""

    stop_names: Sequence[str]
    x: NDArray[np.float64]
    y: NDArray[np.float64]
    """(S,) metres on the map"""
    trip: NDArray[np.int64]
    stop: NDArray[np.int64]
    arrives: NDArray[np.int64]
    departs: NDArray[np.int64]
    """(R,) seconds"""
    boards: NDArray[np.bool_]
    alights: NDArray[np.bool_]
    """(R,) whether one may get in, or out"""
    routes: Sequence[str]
    services: Sequence[Service]
    """of each trip"""
    network: RoadNetwork
    _order: NDArray[np.int64] = field(init=False, repr=False)
    _first: NDArray[np.int64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        order = np.argsort(self.stop, kind="stable")
        object.__setattr__(self, "_order", order)
        object.__setattr__(self, "_first", np.searchsorted(self.stop[order], np.arange(len(self.stop_names) + 1)))

    def direct(
        self,
        origin: tuple[float, float],
        goal: tuple[float, float],
        date: dt.date,
        depart_s: int,
        walk_m: float,
    ) -> Direct | None:
        """The bus that is at the goal first, walks of at most `walk_m` included; None: none goes directly.

        Places are (lat, lon). `depart_s` is when one sets out, in seconds of the service day of `date`.
        """
        rows, walks = self._near(origin, walk_m)
        fit = self.boards[rows] & (self.departs[rows] >= depart_s + walks)
        fit &= self.departs[rows] <= depart_s + LOOK_AHEAD_S
        rows, walks = rows[fit], walks[fit]
        boarding: dict[int, tuple[int, int]] = {}
        for row, walk in zip(rows.tolist(), walks.tolist(), strict=True):
            trip = int(self.trip[row])
            known = boarding.get(trip)
            if known is None or (walk, -row) < (known[1], -known[0]):
                boarding[trip] = row, walk
        best: Direct | None = None
        rows, walks = self._near(goal, walk_m)
        fit = self.alights[rows] & np.isin(self.trip[rows], list(boarding))
        for row, walk in zip(rows[fit].tolist(), walks[fit].tolist(), strict=True):
            trip = int(self.trip[row])
            got_in, to_stop = boarding[trip]
            there = int(self.arrives[row]) + walk
            if row <= got_in or (best is not None and there >= best.there_s) or not self.services[trip].runs(date):
                continue
            best = Direct(
                self.routes[trip], self.stop_names[self.stop[got_in]], self.stop_names[self.stop[row]],
                int(self.departs[got_in]), int(self.arrives[row]), to_stop + walk, there,
            )  # fmt: skip
        return best

    def _near(self, place: tuple[float, float], walk_m: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(rows at stops within the walk, seconds on foot to each)."""
        px, py = (float(metres) for metres in self.network.project(*place))
        metres = WALK_DETOUR * np.hypot(self.x - px, self.y - py)
        stops = np.flatnonzero(metres <= walk_m)
        rows = [self._order[self._first[stop] : self._first[stop + 1]] for stop in stops.tolist()]
        if not rows:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        seconds = np.ceil(metres[stops] / WALK_M_S).astype(np.int64)
        return np.concatenate(rows), np.repeat(seconds, [len(part) for part in rows])


def read_fixed_lines(path: str | Path, network: RoadNetwork) -> FixedLines:
    """The buses of a feed. Raises InputError as `read_feed`, and for places that are not in degrees."""
    feed = read_feed(Path(path))
    if network.planar:
        raise InputError("lies in degrees, but the map in metres", file=feed.path, expected="a map in degrees")
    for stop in feed.stops:
        if abs(stop.lat) > 90 or abs(stop.lon) > 180:
            raise InputError(f"stop {stop.id!r} lies at {stop.lat:g}, {stop.lon:g}", file=feed.path / "stops.txt",
                             expected="degrees")  # fmt: skip
    x, y = network.project([stop.lat for stop in feed.stops], [stop.lon for stop in feed.stops])
    runs = [(trip, later) for trip in feed.trips if trip.exact for later in trip.later]
    lengths = [trip.calls.stop - trip.calls.start for trip, _ in runs]
    rows = np.concatenate([np.arange(trip.calls.start, trip.calls.stop) for trip, _ in runs] or [np.empty(0, np.int64)])
    later = np.repeat(np.array([later for _, later in runs], np.int64), lengths)
    return FixedLines(
        stop_names=[stop.name for stop in feed.stops], x=np.asarray(x), y=np.asarray(y),
        trip=np.repeat(np.arange(len(runs)), lengths), stop=feed.stop[rows],
        arrives=(feed.arrive[rows] + later) // 1000, departs=(feed.depart[rows] + later) // 1000,
        boards=feed.boards[rows], alights=feed.alights[rows],
        routes=[trip.route for trip, _ in runs], services=[trip.service for trip, _ in runs], network=network,
    )  # fmt: skip
