"""A GTFS feed: stops, trips and their calls, and on which dates they run.

Read from a folder or a zip archive: stops, routes, trips, stop_times, calendar and calendar_dates, frequencies. Times
are milliseconds of the service day as GTFS counts it (noon − 12 h), past midnight above 24:00. Blank times between two
timepoints are spread evenly.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from routing.csv_table import Row, Table, read_table
from routing.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CALLS: Final = ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence")
_LEAVE: Final = ("pickup_type", "drop_off_type")
_WRONG: Final = -2
_BLANK: Final = -1

Times = NDArray[np.int64]


class FeedStop(NamedTuple):
    """A stop, platform or station."""

    id: str
    name: str
    lat: float
    lon: float
    """degrees; on a planar map y and x in metres"""
    parent: str | None


@dataclass(frozen=True)
class Service:
    """On which dates trips run."""

    weekdays: frozenset[int] = frozenset()
    first: dt.date = dt.date.max
    last: dt.date = dt.date.min
    added: frozenset[dt.date] = frozenset()
    removed: frozenset[dt.date] = frozenset()

    def runs(self, date: dt.date) -> bool:
        """On this date?"""
        if date in self.added:
            return True
        return date not in self.removed and date.weekday() in self.weekdays and self.first <= date <= self.last


class FeedTrip(NamedTuple):
    """One journey of a vehicle, or several alike."""

    id: str
    route: str
    """as riders know it"""
    kind: int
    """GTFS route type"""
    service: Service
    calls: slice
    """its rows of the feed's calls, in the order in which it makes them"""
    later: tuple[int, ...]
    """by how many ms each of its runs is later than its calls say"""
    exact: bool
    """false: only how often it runs is known, not when"""


@dataclass(frozen=True, eq=False)
class Feed:
    """A whole feed. `stop`, `arrive`, `depart`, `boards` and `alights` have a row a call."""

    path: Path
    stops: tuple[FeedStop, ...]
    trips: tuple[FeedTrip, ...]
    stop: NDArray[np.int64]
    """number of the stop"""
    arrive: Times
    depart: Times
    boards: NDArray[np.bool_]
    alights: NDArray[np.bool_]
    """whether one may get in, or out"""


def read_feed(path: Path) -> Feed:
    """A GTFS feed: a folder or a zip archive.

    Raises InputError, with file and line where one is to blame: no feed, tables or columns missing or broken, trips of
    unknown routes or services, calls of unknown trips or at unknown stops, times that run backwards.
    """
    members = _members(path)
    stops = _stops(_table(path, members, "stops.txt", ("stop_id", "stop_lat", "stop_lon")))
    routes = {
        route: (_shown(row), row.integer("route_type", low=0, high=2000))
        for route, row in _once(_table(path, members, "routes.txt", ("route_id", "route_type")), "route_id").items()
    }
    services = _services(path, members)
    trips = _once(_table(path, members, "trips.txt", ("trip_id", "route_id", "service_id")), "trip_id")
    for row in trips.values():
        for field, known, where in (("route_id", routes, "routes.txt"), ("service_id", services, "the calendar")):
            if row.text(field) not in known:
                what = f"{row.text(field)!r} is no {field.removesuffix('_id')} of the feed"
                raise row.error(field, what, expected=f"a {field} of {where}")
    calls = _read_calls(path, members)
    file = path / "stop_times.txt"
    trip = _parsed(calls, "trip_id", _number_of(trips), file, "is no trip of the feed", "a trip_id of trips.txt")
    at = _number_of(known.id for known in stops)
    stop = _parsed(calls, "stop_id", at, file, "is no stop of the feed", "a stop_id of stops.txt")
    sequence = _parsed(calls, "stop_sequence", _whole, file, "cannot be used", "a whole number")
    order = np.lexsort((sequence, trip))
    arrive, depart = (
        _parsed(calls, field, clock_ms, file, "is no time", "hh:mm:ss")[order]
        for field in ("arrival_time", "departure_time")
    )
    arrive, depart = _filled(np.where(arrive == _BLANK, depart, arrive), np.where(depart == _BLANK, arrive, depart),
                             trip[order], order + 2, file)  # fmt: skip
    bounds = np.searchsorted(trip[order], np.arange(len(trips) + 1)).tolist()
    runs = _runs(path, members)
    leave = [_says_no(calls, field)[order] for field in _LEAVE]
    return Feed(
        path, stops,
        tuple(
            FeedTrip(
                name, *routes[row.text("route_id")], services[row.text("service_id")], slice(begin, end),
                (0,) if name not in runs or begin == end
                else tuple(at - int(depart[begin]) for at in runs[name].starts),
                name not in runs or runs[name].exact,
            )
            for (name, row), begin, end in zip(trips.items(), bounds[:-1], bounds[1:], strict=True)
        ),
        stop[order], arrive, depart, ~leave[0], ~leave[1],
    )  # fmt: skip


def clock_ms(text: str) -> int:
    """hh:mm:ss in ms; -1 for a blank, -2 for what is no time."""
    if not text:
        return _BLANK
    parts = text.split(":")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        hours, minutes, seconds = map(int, parts)
        if hours < 1000 and minutes < 60 and seconds < 60:
            return (hours * 3600 + minutes * 60 + seconds) * 1000
    return _WRONG


def _members(path: Path) -> set[str]:
    if path.is_dir():
        return {entry.name for entry in path.iterdir()}
    if not path.exists():
        raise InputError("there is no such feed", file=path, expected="a GTFS folder or zip archive")
    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        raise InputError("is neither a folder nor a zip archive", file=path, expected="a GTFS feed") from None


def _missing(path: Path, name: str) -> InputError:
    return InputError(f"{name} is missing", file=path, field=name, expected="a GTFS feed with it")


def _table(path: Path, members: set[str], name: str, required: tuple[str, ...]) -> Table:
    if name not in members:
        raise _missing(path, name)
    if path.is_dir():
        return read_table(path / name, required=required)
    return read_table(path, required=required, member=name)


def _optional(path: Path, members: set[str], name: str, required: tuple[str, ...]) -> Iterable[Row]:
    return _table(path, members, name, required) if name in members else ()


def _once(table: Table, column: str) -> dict[str, Row]:
    """Rows by their id."""
    found: dict[str, Row] = {}
    for row in table:
        name = row.text(column)
        if name in found:
            raise row.error(column, f"{name!r} stands on line {found[name].line} too", expected="each id once")
        found[name] = row
    return found


def _stops(table: Table) -> tuple[FeedStop, ...]:
    found = []
    for stop, row in _once(table, "stop_id").items():
        kind = row.text("location_type") if row.has("location_type") else "0"
        if kind not in ("0", "1"):
            continue  # entrances and the like: nothing stops there
        name = row.text("stop_name") if row.has("stop_name") else stop
        parent = row.text("parent_station") if row.has("parent_station") else None
        lat, lon = row.number("stop_lat", low=-1e7, high=1e7), row.number("stop_lon", low=-1e7, high=1e7)
        found.append(FeedStop(stop, name, lat, lon, parent))
    if not found:
        raise InputError("has no stops", file=table.file, expected="one at least")
    return tuple(found)


def _shown(route: Row) -> str:
    """A route's name, the short one where it has one."""
    return next(
        (route.text(n) for n in ("route_short_name", "route_long_name") if route.has(n)), route.text("route_id")
    )


def _services(path: Path, members: set[str]) -> dict[str, Service]:
    """By calendar.txt, calendar_dates.txt or both."""
    if not members & {"calendar.txt", "calendar_dates.txt"}:
        raise InputError("calendar.txt is missing", file=path, field="calendar.txt",
                         expected="calendar.txt or calendar_dates.txt")  # fmt: skip
    found: dict[str, Service] = {}
    for row in _optional(path, members, "calendar.txt", ("service_id", *DAYS, "start_date", "end_date")):
        days = frozenset(n for n, day in enumerate(DAYS) if row.integer(day, low=0, high=1))
        found[row.text("service_id")] = Service(days, _date(row, "start_date"), _date(row, "end_date"))
    added: dict[str, set[dt.date]] = {}
    removed: dict[str, set[dt.date]] = {}
    for row in _optional(path, members, "calendar_dates.txt", ("service_id", "date", "exception_type")):
        dates = added if row.integer("exception_type", low=1, high=2) == 1 else removed
        dates.setdefault(row.text("service_id"), set()).add(_date(row, "date"))
    for name in {*added, *removed}:
        usual = found.get(name, Service())
        found[name] = Service(usual.weekdays, usual.first, usual.last,
                              frozenset(added.get(name, ())), frozenset(removed.get(name, ())))  # fmt: skip
    return found


def _date(row: Row, field: str) -> dt.date:
    text = row.text(field)
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a date of the service, in no zone)
    except ValueError:
        raise row.error(field, f"{text!r} is no date", expected="yyyymmdd") from None


class _Runs(NamedTuple):
    starts: list[int]
    exact: bool


def _runs(path: Path, members: set[str]) -> dict[str, _Runs]:
    """When trips begin that run every so many seconds."""
    found: dict[str, _Runs] = {}
    for row in _optional(path, members, "frequencies.txt", ("trip_id", "start_time", "end_time", "headway_secs")):
        for field in ("start_time", "end_time"):
            if clock_ms(row.text(field)) < 0:
                raise row.error(field, f"{row.text(field)!r} is no time", expected="hh:mm:ss")
        begin, end = clock_ms(row.text("start_time")), clock_ms(row.text("end_time"))
        headway = 1000 * row.integer("headway_secs", low=1, high=86_400)
        exact = row.has("exact_times") and row.integer("exact_times", low=0, high=1) == 1
        trip = row.text("trip_id")
        before = found.get(trip, _Runs([], exact))
        found[trip] = _Runs([*before.starts, *range(begin, end, headway)], exact and before.exact)
    return found


# The calls: a city's feed has millions of them, so they are read by column.


def _read_calls(path: Path, members: set[str]) -> pa.Table:
    """stop_times.txt, every cell as text. Raises InputError where it is missing, is no table, or lacks a column."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    name = "stop_times.txt"
    if name not in members:
        raise _missing(path, name)
    file = path / name
    content = file.read_bytes() if path.is_dir() else zipfile.ZipFile(path).read(name)
    content = content.removeprefix(b"\xef\xbb\xbf")
    first = content.split(b"\n", 1)[0].decode("utf-8", "replace")
    header = [column.strip() for column in next(csv.reader([first]), [])]
    for column in _CALLS:
        if column not in header:
            raise InputError(f"column {column} is missing", file=file, line=1, field=column,
                             expected=f"a header with {','.join(_CALLS)}")  # fmt: skip
    wanted = [*_CALLS, *(column for column in _LEAVE if column in header)]
    try:
        return arrow.read_csv(
            io.BytesIO(content),
            read_options=arrow.ReadOptions(column_names=header, skip_rows=1),
            convert_options=arrow.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
            ),
        )
    except (pa.ArrowException, ValueError) as error:
        raise InputError(f"is not CSV ({error})", file=file, expected="comma-separated cells") from None


def _parsed(
    calls: pa.Table, field: str, parse: Callable[[str], int], file: Path, wrong: str, expected: str
) -> NDArray[np.int64]:
    """A column as numbers, each text parsed once. Raises InputError for the first that is wrong."""
    column = calls.column(field).combine_chunks().dictionary_encode()
    texts = [text.strip() for text in column.dictionary.to_pylist()]
    codes: NDArray[np.int64] = column.indices.to_numpy()
    values = np.array([parse(text) for text in texts], np.int64)[codes]
    for row in np.flatnonzero(values == _WRONG)[:1].tolist():
        what = f"{texts[codes[row]]!r} {wrong}"
        raise InputError(what, file=file, line=row + 2, field=field, expected=expected)
    return values


def _number_of(known: Iterable[str]) -> Callable[[str], int]:
    numbers = {name: n for n, name in enumerate(known)}
    return lambda name: numbers.get(name, _WRONG)


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() else _WRONG


def _says_no(calls: pa.Table, field: str) -> NDArray[np.bool_]:
    """Where a call is not for getting in, or out."""
    if field not in calls.column_names:
        return np.zeros(len(calls), bool)
    return np.array([text.strip() == "1" for text in calls.column(field).to_pylist()], bool)


def _filled(arrive: Times, depart: Times, trip: Times, line: Times, file: Path) -> tuple[Times, Times]:
    """(arrivals, departures), blank ones spread evenly between the calls of the trip that have times."""
    if not len(trip):
        return arrive, depart
    ends = np.diff(trip, prepend=-1, append=-1) != 0
    blank = arrive == _BLANK
    for row in np.flatnonzero(blank & (ends[:-1] | ends[1:]))[:1].tolist():
        raise InputError("is empty", file=file, line=int(line[row]), field="arrival_time",
                         expected="a time at the first and last stop of a trip")  # fmt: skip
    known = np.flatnonzero(~blank)
    back = (arrive[known[1:]] < depart[known[:-1]]) & (trip[known[1:]] == trip[known[:-1]])
    for row in sorted((*known[1:][back].tolist(), *np.flatnonzero(depart < arrive).tolist()))[:1]:
        raise InputError("lies before the time before it", file=file, line=int(line[row]), field="arrival_time",
                         expected="times that do not run backwards")  # fmt: skip
    rows = np.flatnonzero(blank)
    after = known[np.searchsorted(known, rows)]
    before = known[np.searchsorted(known, rows) - 1]
    arrive[rows] = depart[before] + (arrive[after] - depart[before]) * (rows - before) // (after - before)
    depart[rows] = arrive[rows]
    return arrive, depart
