"""Buses that run by a timetable: a GTFS feed, asked which of them goes directly from one place to another.

Read here are stops, routes, trips, stop_times, calendar and calendar_dates, from a folder or a zip archive. Trips that
frequencies.txt repeats are left out. Times are seconds of the service day, as GTFS counts them (noon − 12 h).
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from routing.errors import InputError
from routing.stop_points import WALK_DETOUR
from routing.walks import WALK_M_S

if TYPE_CHECKING:
    import pandas as pd

    from routing.network import RoadNetwork

LOOK_AHEAD_S = 2 * 3600
"""nobody waits longer for a bus"""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TIME = re.compile(r"^\s*(\d{1,3}):([0-5]\d):([0-5]\d)\s*$")


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


@dataclass(frozen=True)
class Service:
    """On which dates trips run."""

    weekdays: frozenset[int] = frozenset()
    first: str = ""
    last: str = ""
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def runs(self, date: dt.date) -> bool:
        """On this date?"""
        day = date.strftime("%Y%m%d")
        if day in self.added:
            return True
        return day not in self.removed and date.weekday() in self.weekdays and self.first <= day <= self.last


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
    """A feed: a folder or a zip archive. Raises InputError naming the file and line that cannot be used."""
    feed = _Feed(Path(path))
    stops = feed.table("stops.txt", ("stop_id", "stop_lat", "stop_lon"))
    routes = feed.table("routes.txt", ("route_id",))
    trips = feed.table("trips.txt", ("route_id", "service_id", "trip_id"))
    times = feed.table("stop_times.txt", ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"))
    stop_of, route_of, trip_of = stops.once("stop_id"), routes.once("route_id"), trips.once("trip_id")
    services = _services(feed, trips)
    repeated = set(feed.table("frequencies.txt", ("trip_id",)).text("trip_id")) if feed.has("frequencies.txt") else ()
    rows = {
        "trip": times.found("trip_id", trip_of, "trips.txt"),
        "stop": times.found("stop_id", stop_of, "stops.txt"),
        "place": times.numbers("stop_sequence", 0, 1e9),
    }
    order = np.lexsort((rows["place"], rows["trip"]))
    trip, stop = rows["trip"][order].astype(np.int64), rows["stop"][order].astype(np.int64)
    arrives, departs = _clocks(times, order, trip)
    usual = np.array([name not in repeated for name in trips.text("trip_id")], bool)[trip]
    lat, lon = stops.numbers("stop_lat", -90, 90), stops.numbers("stop_lon", -180, 180)
    if network.planar:
        raise InputError("lies in degrees, but the map in metres", file=feed.path, expected="a map in degrees")
    x, y = network.project(lat, lon)
    names = routes.text("route_short_name") if routes.has("route_short_name") else routes.text("route_id")
    long = routes.text("route_long_name") if routes.has("route_long_name") else routes.text("route_id")
    shown = [short or other for short, other in zip(names, long, strict=True)]
    return FixedLines(
        stop_names=stops.text("stop_name") if stops.has("stop_name") else stops.text("stop_id"),
        x=np.asarray(x), y=np.asarray(y), trip=trip, stop=stop, arrives=arrives, departs=departs,
        boards=usual & ~times.says("pickup_type", "1")[order],
        alights=usual & ~times.says("drop_off_type", "1")[order],
        routes=[shown[k] for k in trips.found("route_id", route_of, "routes.txt").astype(int).tolist()],
        services=services, network=network,
    )  # fmt: skip


class _Table:
    """One file of a feed, every cell as text."""

    def __init__(self, file: Path, cells: pd.DataFrame) -> None:
        self.file, self.cells = file, cells

    def has(self, column: str) -> bool:
        return column in self.cells.columns

    def text(self, column: str) -> list[str]:
        texts: list[str] = self.cells[column].str.strip().tolist()
        return texts

    def error(self, row: int, field: str, what: str, expected: str) -> InputError:
        return InputError(what, file=self.file, line=int(self.cells.index[row]) + 2, field=field, expected=expected)

    def once(self, column: str) -> dict[str, int]:
        """Row of each id. Raises InputError for one that is empty or stands twice."""
        found: dict[str, int] = {}
        for row, name in enumerate(self.text(column)):
            if not name:
                raise self.error(row, column, "is empty", "an id")
            if name in found:
                raise self.error(row, column, f"{name!r} stands on line {found[name] + 2} too", "each id once")
            found[name] = row
        return found

    def found(self, column: str, known: dict[str, int], where: str) -> NDArray[np.int64]:
        """Row in another table that each cell names."""
        rows = self.cells[column].str.strip().map(known)
        missing = np.flatnonzero(rows.isna())
        if len(missing):
            name = self.text(column)[missing[0]]
            raise self.error(int(missing[0]), column, f"{name!r} is not in {where}", f"an id of {where}")
        return np.asarray(rows, np.int64)

    def numbers(self, column: str, low: float, high: float) -> NDArray[np.float64]:
        """Cells as numbers."""
        import pandas as pd

        values = np.asarray(pd.to_numeric(self.cells[column], errors="coerce"), np.float64)
        wrong = np.flatnonzero(~((values >= low) & (values <= high)))
        if len(wrong):
            what = f"{self.text(column)[wrong[0]]!r} cannot be used"
            raise self.error(int(wrong[0]), column, what, f"a number from {low:g} to {high:g}")
        return values

    def says(self, column: str, value: str) -> NDArray[np.bool_]:
        """Where a column has this value; nowhere if the column is not there."""
        if not self.has(column):
            return np.zeros(len(self.cells), bool)
        return np.asarray(self.cells[column].str.strip() == value, bool)


class _Feed:
    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip: zipfile.ZipFile | None = None
        if path.is_file():
            try:
                self._zip = zipfile.ZipFile(path)
            except (zipfile.BadZipFile, OSError):
                raise InputError("is no zip archive", file=path, expected="a GTFS feed: a folder or zip") from None
        elif not path.is_dir():
            raise InputError("there is no such feed", file=path, expected="a GTFS feed: a folder or a zip archive")

    def has(self, name: str) -> bool:
        return name in self._zip.namelist() if self._zip is not None else (self.path / name).is_file()

    def table(self, name: str, required: tuple[str, ...]) -> _Table:
        """Raises InputError where the file is missing, is no table, or lacks a column."""
        import pandas as pd

        file = self.path / name
        if not self.has(name):
            raise InputError("is not in the feed", file=file, expected=f"a table with {','.join(required)}")
        try:
            content = self._zip.read(name) if self._zip is not None else file.read_bytes()
            cells = pd.read_csv(
                io.BytesIO(content), dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False,
                on_bad_lines="error", index_col=False,
            )  # fmt: skip
        except UnicodeDecodeError:
            raise InputError("is not UTF-8 text", file=file, expected="a CSV file in UTF-8") from None
        except (pd.errors.ParserError, pd.errors.EmptyDataError, ValueError) as error:
            line = re.search(r"line (\d+)", str(error))
            at = None if line is None else int(line[1])
            raise InputError("is no table", file=file, line=at, expected="as many cells as the header has") from None
        cells.columns = [str(column).strip() for column in cells.columns]
        for column in required:
            if column not in cells.columns:
                raise InputError(f"column {column} is missing", file=file, line=1, field=column,
                                 expected=f"a header with {','.join(required)}")  # fmt: skip
        return _Table(file, cells[(cells != "").any(axis=1)])


def _clocks(times: _Table, order: NDArray[np.int64], trip: NDArray[np.int64]) -> tuple[Any, Any]:
    """(arrivals, departures) in seconds, calls without a time between those that have one taken as evenly spread."""
    arrives, departs = _seconds(times, "arrival_time")[order], _seconds(times, "departure_time")[order]
    arrives = np.where(np.isnan(arrives), departs, arrives)
    departs = np.where(np.isnan(departs), arrives, departs)
    ends = np.flatnonzero(np.diff(trip, prepend=-1, append=-1))
    for first, last in zip(ends[:-1].tolist(), (ends[1:] - 1).tolist(), strict=True):
        for row in (first, last):
            if np.isnan(arrives[row]):
                raise times.error(int(order[row]), "arrival_time", "is empty", "a time at both ends of a trip")
    known = ~np.isnan(arrives)
    rows = np.arange(len(arrives))
    arrives, departs = np.interp(rows, rows[known], arrives[known]), np.interp(rows, rows[known], departs[known])
    back = np.flatnonzero((np.diff(trip) == 0) & (arrives[1:] < departs[:-1])) + 1
    late = np.flatnonzero(departs < arrives)
    for wrong in (*back[:1].tolist(), *late[:1].tolist()):
        raise times.error(int(order[wrong]), "arrival_time", "is earlier than the time before it", "times in order")
    return arrives.astype(np.int64), departs.astype(np.int64)


def _seconds(times: _Table, column: str) -> NDArray[np.float64]:
    texts = times.text(column)
    out = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        if not text:
            continue
        parts = _TIME.match(text)
        if parts is None:
            raise times.error(row, column, f"{text!r} is no time", "hours:minutes:seconds")
        hours, minutes, seconds = map(int, parts.groups())
        out[row] = 3600 * hours + 60 * minutes + seconds
    return out


def _services(feed: _Feed, trips: _Table) -> list[Service]:
    """The service of each trip, by calendar.txt, calendar_dates.txt or both."""
    found: dict[str, Service] = {}
    if feed.has("calendar.txt"):
        table = feed.table("calendar.txt", ("service_id", *WEEKDAYS, "start_date", "end_date"))
        columns = [table.says(day, "1") for day in WEEKDAYS]
        first, last = _dates(table, "start_date"), _dates(table, "end_date")
        for row, name in enumerate(table.text("service_id")):
            days = frozenset(day for day, column in enumerate(columns) if column[row])
            found[name] = Service(days, first[row], last[row])
    if feed.has("calendar_dates.txt"):
        table = feed.table("calendar_dates.txt", ("service_id", "date", "exception_type"))
        dates, kinds = _dates(table, "date"), table.text("exception_type")
        for row, name in enumerate(table.text("service_id")):
            known = found.get(name, Service())
            more = frozenset({dates[row]})
            if kinds[row] not in ("1", "2"):
                raise table.error(row, "exception_type", f"{kinds[row]!r} cannot be used", "1 or 2")
            added = known.added | more if kinds[row] == "1" else known.added
            removed = known.removed | more if kinds[row] == "2" else known.removed
            found[name] = Service(known.weekdays, known.first, known.last, added, removed)
    if not found:
        raise InputError("is not in the feed", file=feed.path / "calendar.txt",
                         expected="calendar.txt or calendar_dates.txt")  # fmt: skip
    out = []
    for row, name in enumerate(trips.text("service_id")):
        if name not in found:
            raise trips.error(row, "service_id", f"{name!r} runs on no date", "an id of calendar.txt")
        out.append(found[name])
    return out


def _dates(table: _Table, column: str) -> list[str]:
    texts = table.text(column)
    for row, text in enumerate(texts):
        try:
            dt.datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - only whether it is a date
        except ValueError:
            raise table.error(row, column, f"{text!r} is no date", "YYYYMMDD") from None
    return texts
