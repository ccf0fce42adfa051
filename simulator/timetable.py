"""Timetables of trains and buses from GTFS: what runs on one date, stop by stop.

Read from a folder or a zip archive: stops, trips, stop_times, routes, calendar and calendar_dates, frequencies. Times
past midnight stay above 24:00, as in the feed. Blank times between two timepoints are spread evenly.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, NamedTuple

from routing.csv_table import Row, Table, read_table
from routing.errors import InputError

_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_STOP_TIMES: Final = ("trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence")


class TransitStop(NamedTuple):
    """A stop of the feed."""

    id: str
    name: str
    lat: float
    lon: float
    parent: str | None


class Trip(NamedTuple):
    """One vehicle's journey: stops by number, with arrivals and departures in ms of the service day."""

    id: str
    route: str
    kind: int
    """GTFS route type"""
    stops: tuple[int, ...]
    arrive: tuple[int, ...]
    depart: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Timetable:
    """What runs on one date."""

    file: Path
    date: str
    stops: tuple[TransitStop, ...]
    trips: tuple[Trip, ...]

    def at_stop(self, stop: str) -> list[int]:
        """Numbers of the stops that a stop's or station's id means; none: it is not in the feed."""
        return [i for i, found in enumerate(self.stops) if stop in (found.id, found.parent)]

    def calls(self, stop: str, way: str, kinds: Sequence[int] = ()) -> list[int]:
        """When vehicles arrive at a stop or station (`way` from it: riders get out) or leave it (`to`), ms, ascending.

        A trip's first stop is no arrival, and its last one no departure.
        """
        here = set(self.at_stop(stop))
        found = []
        for trip in self.trips:
            if kinds and trip.kind not in kinds:
                continue
            for i, at in enumerate(trip.stops):
                if at in here and (i > 0 if way == "from" else i < len(trip.stops) - 1):
                    found.append(trip.arrive[i] if way == "from" else trip.depart[i])
        return sorted(found)


def read_timetable(path: Path, date: str) -> Timetable:
    """The trips of a GTFS feed that run on a date (year-month-day).

    Raises InputError, with file and line where one is to blame: no feed, tables or columns missing or broken, trips of
    unknown routes, times of unknown trips or stops, a date on which nothing runs.
    """
    if not path.exists():
        raise InputError("there is no such feed", file=path, expected="a GTFS folder or zip archive")
    stops, number = _stops(path)
    services = _services(path, date)
    kinds = _route_types(path)
    routes: dict[str, tuple[str, int]] = {}
    known = set()
    for row in _table(path, "trips.txt", ("trip_id", "route_id", "service_id")):
        trip, route = row.text("trip_id"), row.text("route_id")
        if trip in known:
            raise row.error("trip_id", f"{trip!r} stands twice", expected="each trip once")
        known.add(trip)
        if route not in kinds:
            raise row.error("route_id", f"{route!r} is no route of the feed", expected="a route_id of routes.txt")
        if row.text("service_id") in services:
            routes[trip] = route, kinds[route]
    if not routes:
        raise InputError(f"nothing runs on {date}", file=path, expected=f"a feed whose calendar holds {date}")
    rows_of = _stop_times(path, number, routes.keys(), known)
    timed = (_trip(path, name, *routes[name], rows) for name, rows in rows_of.items())
    trips = _by_frequency(path, [trip for trip in timed if trip is not None])
    if not trips:
        raise InputError(
            f"no trip of {date} has times", file=path / "stop_times.txt", expected="two stops or more each"
        )
    return Timetable(path, date, stops, tuple(sorted(trips, key=lambda trip: (trip.depart[0], trip.id))))


def _members(path: Path) -> set[str]:
    if path.is_dir():
        return {entry.name for entry in path.iterdir()}
    try:
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist())
    except (zipfile.BadZipFile, OSError):
        raise InputError("is neither a folder nor a zip archive", file=path, expected="a GTFS feed") from None


def _table(path: Path, name: str, required: tuple[str, ...]) -> Table:
    if name not in _members(path):
        raise InputError(f"{name} is missing", file=path, field=name, expected="a GTFS feed with it")
    return (
        read_table(path / name, required=required)
        if path.is_dir()
        else read_table(path, required=required, member=name)
    )


def _optional(path: Path, name: str, required: tuple[str, ...]) -> Iterable[Row]:
    return _table(path, name, required) if name in _members(path) else ()


def _stops(path: Path) -> tuple[tuple[TransitStop, ...], dict[str, int]]:
    found: list[TransitStop] = []
    number: dict[str, int] = {}
    for row in _table(path, "stops.txt", ("stop_id", "stop_lat", "stop_lon")):
        stop = row.text("stop_id")
        if stop in number:
            raise row.error("stop_id", f"{stop!r} stands twice", expected="each stop once")
        kind = row.text("location_type") if row.has("location_type") else "0"
        if kind not in ("0", "1"):
            continue  # entrances and the like: nothing stops there
        name = row.text("stop_name") if row.has("stop_name") else stop
        parent = row.text("parent_station") if row.has("parent_station") else None
        number[stop] = len(found)
        lat, lon = row.number("stop_lat", low=-1e7, high=1e7), row.number("stop_lon", low=-1e7, high=1e7)
        found.append(TransitStop(stop, name, lat, lon, parent))
    if not found:
        raise InputError("has no stops", file=path / "stops.txt", expected="one at least")
    return tuple(found), number


def _route_types(path: Path) -> dict[str, int]:
    return {
        row.text("route_id"): row.integer("route_type", low=0, high=2000)
        for row in _table(path, "routes.txt", ("route_id", "route_type"))
    }


def _services(path: Path, date: str) -> set[str]:
    """Services that run on the date."""
    day = dt.date.fromisoformat(date)
    names = _members(path)
    if not names & {"calendar.txt", "calendar_dates.txt"}:
        raise InputError("calendar.txt is missing", file=path, field="calendar.txt",
                         expected="calendar.txt or calendar_dates.txt")  # fmt: skip
    running = set()
    for row in _optional(path, "calendar.txt", ("service_id", *_DAYS, "start_date", "end_date")):
        begins, ends = _date(row, "start_date"), _date(row, "end_date")
        if begins <= day <= ends and row.integer(_DAYS[day.weekday()], low=0, high=1):
            running.add(row.text("service_id"))
    for row in _optional(path, "calendar_dates.txt", ("service_id", "date", "exception_type")):
        if _date(row, "date") == day:
            service = row.text("service_id")
            if row.integer("exception_type", low=1, high=2) == 1:
                running.add(service)
            else:
                running.discard(service)
    return running


def _date(row: Row, field: str) -> dt.date:
    text = row.text(field)
    try:
        return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 (a date of the service, in no zone)
    except ValueError:
        raise row.error(field, f"{text!r} is no date", expected="yyyymmdd") from None


class _Time(NamedTuple):
    order: int
    stop: int
    arrive: int | None
    depart: int | None
    line: int


def _stop_times(path: Path, number: dict[str, int], wanted: Iterable[str], known: set[str]) -> dict[str, list[_Time]]:
    """Rows of stop_times.txt of the wanted trips. The table is large, so only what is needed is kept."""
    import pyarrow as pa
    from pyarrow import csv

    name = "stop_times.txt"
    if name not in _members(path):
        raise InputError(f"{name} is missing", file=path, field=name, expected="a GTFS feed with it")
    file = path / name
    content = file.read_bytes() if path.is_dir() else zipfile.ZipFile(path).read(name)
    options = csv.ConvertOptions(include_columns=_STOP_TIMES, column_types=dict.fromkeys(_STOP_TIMES, pa.string()),
                                 strings_can_be_null=False)  # fmt: skip
    try:
        table = csv.read_csv(io.BytesIO(content.removeprefix(b"\xef\xbb\xbf")), convert_options=options)
    except KeyError as error:
        missing = next((column for column in _STOP_TIMES if column in str(error)), "a column")
        raise InputError(f"column {missing} is missing", file=file, line=1, field=missing,
                         expected=f"a header with {','.join(_STOP_TIMES)}") from None  # fmt: skip
    except pa.ArrowException as error:
        raise InputError(f"is not CSV ({error})", file=file, expected="comma-separated cells") from None
    keep = set(wanted)
    found: dict[str, list[_Time]] = {}
    columns = [table.column(column).to_pylist() for column in _STOP_TIMES]
    for line, (trip, arrive, depart, stop, order) in enumerate(zip(*columns, strict=True), 2):
        if trip not in keep:
            if trip not in known:
                raise InputError(f"{trip!r} is no trip of the feed", file=file, line=line, field="trip_id",
                                 expected="a trip_id of trips.txt")  # fmt: skip
            continue
        if stop not in number:
            raise InputError(f"{stop!r} is no stop of the feed", file=file, line=line, field="stop_id",
                             expected="a stop_id of stops.txt")  # fmt: skip
        if not order.strip().isdecimal():
            raise InputError(f"{order!r} cannot be used", file=file, line=line, field="stop_sequence",
                             expected="a whole number")  # fmt: skip
        times = [_clock(text, file, line, field)
                 for text, field in ((arrive, "arrival_time"), (depart, "departure_time"))]  # fmt: skip
        first, last = times[0] if times[0] is not None else times[1], times[1] if times[1] is not None else times[0]
        found.setdefault(trip, []).append(_Time(int(order), number[stop], first, last, line))
    return found


def _clock(text: str, file: Path, line: int, field: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    parts = text.split(":")
    if len(parts) == 3 and all(part.isdecimal() for part in parts):
        hours, minutes, seconds = map(int, parts)
        if hours <= 48 and minutes < 60 and seconds < 60:
            return (hours * 3600 + minutes * 60 + seconds) * 1000
    raise InputError(f"{text!r} is no time", file=file, line=line, field=field, expected="hh:mm:ss")


def _trip(path: Path, name: str, route: str, kind: int, rows: list[_Time]) -> Trip | None:
    """A trip with every time known; None: fewer than two stops. Raises InputError where time runs backwards."""
    rows = sorted(rows)
    if len(rows) < 2:
        return None
    file = path / "stop_times.txt"
    for row in (rows[0], rows[-1]):
        if row.arrive is None:
            raise InputError("is empty", file=file, line=row.line, field="arrival_time",
                             expected="a time at the first and last stop of a trip")  # fmt: skip
    arrive, depart = [row.arrive for row in rows], [row.depart for row in rows]
    known = [i for i, at in enumerate(arrive) if at is not None]
    for a, b in pairwise(known):
        begin, end = depart[a], arrive[b]
        assert begin is not None
        assert end is not None
        if end < begin:
            raise InputError("lies before the stop before it", file=file, line=rows[b].line, field="arrival_time",
                             expected="times that do not run backwards")  # fmt: skip
        for i in range(a + 1, b):
            arrive[i] = depart[i] = begin + (end - begin) * (i - a) // (b - a)
    whole = tuple(at for at in arrive if at is not None), tuple(at for at in depart if at is not None)
    return Trip(name, route, kind, tuple(row.stop for row in rows), *whole)


def _by_frequency(path: Path, trips: list[Trip]) -> list[Trip]:
    """Trips that run every so many seconds (frequencies.txt), written out."""
    runs: dict[str, list[tuple[int, int, int]]] = {}
    for row in _optional(path, "frequencies.txt", ("trip_id", "start_time", "end_time", "headway_secs")):
        begin, end = (_clock(row.text(field), row.file, row.line, field) for field in ("start_time", "end_time"))
        headway = row.integer("headway_secs", low=1, high=86_400)
        assert begin is not None
        assert end is not None
        runs.setdefault(row.text("trip_id"), []).append((begin, end, headway * 1000))
    out = []
    for trip in trips:
        if trip.id not in runs:
            out.append(trip)
        for begin, end, headway in runs.get(trip.id, ()):
            for at in range(begin, end, headway):
                moved = at - trip.depart[0]
                arrive, depart = (tuple(t + moved for t in times) for times in (trip.arrive, trip.depart))
                out.append(Trip(f"{trip.id}@{at // 1000}", trip.route, trip.kind, trip.stops, arrive, depart))
    return out
