"""Shuttles and requests as tables: CSV, or Parquet of the same columns.

Every limit column that is there binds; columns that nobody asked for are named once in a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import Struct

from routing.csv_table import Row, Table, read_table
from routing.errors import InputError
from simulator.yaml_lines import hhmm

LATEST_S = 172_800
"""no time of a day lies later"""
MAX_PARTY, MAX_CAPACITY = 100, 500
DEFAULT_CAPACITY = 8


class Place(NamedTuple):
    """Where somebody or something is, as a table names it: a node's id, or a point (lat, lon; planar: y, x)."""

    node: str | None
    lat: float
    lon: float


class RequestRow(Struct, frozen=True, kw_only=True):
    """One line of requests.csv: an attempt. Times are ms of the service day; None where the line sets no limit."""

    id: str
    made_at: int
    origin: Place
    destination: Place
    depart_after: int | None = None
    arrive_by: int | None = None
    latest_pickup: int | None = None
    latest_dropoff: int | None = None
    max_ride: int | None = None
    seats: int = 1
    """persons; each takes a seat"""
    wheelchairs: int = 0
    """of them, those who need a wheelchair place too"""
    rider: str | None = None
    age: str | None = None
    channel: str | None = None
    row: Row

    @property
    def departs(self) -> int:
        """Departure asked for: named, or the moment of the call."""
        return self.made_at if self.depart_after is None else self.depart_after


class ShiftRow(Struct, frozen=True, kw_only=True):
    """One line of vehicles.csv: a shift. Times are ms of the service day."""

    vehicle: str
    start: Place
    end: Place | None = None
    capacity: int = DEFAULT_CAPACITY
    wheelchair_places: int = 0
    kind: str | None = None
    """names its emissions"""
    shift_start: int | None = None
    shift_end: int | None = None
    rest: tuple[int, int, int] | None = None
    """a break: earliest begin, latest begin, duration"""
    row: Row


REQUEST_COLUMNS = (
    "request_id", "request_time_s", "origin_node", "destination_node", "origin_lat", "origin_lon", "destination_lat",
    "destination_lon", "passengers", "wheelchairs", "depart_after_s", "arrive_by_s", "latest_pickup_s",
    "latest_dropoff_s", "max_ride_time_s", "rider_id", "age_group", "channel",
)  # fmt: skip
VEHICLE_COLUMNS = (
    "vehicle_id", "start_node", "start_lat", "start_lon", "end_node", "end_lat", "end_lon", "capacity",
    "wheelchair_places", "kind", "shift_start_s", "shift_end_s", "break_start_s", "break_end_s", "break_duration_s",
)  # fmt: skip


def read_rows(path: Path, required: tuple[str, ...]) -> Table:
    """A CSV or (by its ending) Parquet file. Raises InputError as `routing.csv_table.read_table` does."""
    return _read_parquet(path, required) if path.suffix in (".parquet", ".pq") else read_table(path, required=required)


def read_requests(path: Path) -> tuple[list[RequestRow], str | None]:
    """(requests in file order, a note on unused columns). Raises InputError with file, line, field and expectation."""
    table = read_rows(path, ("request_id", "request_time_s"))
    ends = [_place_reader(table, end) for end in ("origin", "destination")]
    seen: dict[str, int] = {}
    rows = [_request(row, *ends) for row in table]
    for request in rows:
        if request.id in seen:
            raise request.row.error(
                "request_id", f"{request.id!r} stands on line {seen[request.id]} too", expected="each id once"
            )
        seen[request.id] = request.row.line
    return rows, _unused(table, REQUEST_COLUMNS)


def read_shifts(path: Path) -> tuple[list[ShiftRow], str | None]:
    """(shifts in file order, a note on unused columns). Raises InputError with file, line, field and expectation."""
    table = read_rows(path, ("vehicle_id",))
    start = _place_reader(table, "start")
    end = _place_reader(table, "end") if _names_place(table, "end") else None
    rows = [_shift(row, start, end) for row in table]
    check_shifts((row.vehicle, row.shift_start, row.shift_end, row.row) for row in rows)
    return rows, _unused(table, VEHICLE_COLUMNS)


def check_shifts(shifts: Iterable[tuple[str, int | None, int | None, Row]]) -> None:
    """Raises InputError where one shuttle has two shifts at a time."""
    known: dict[str, list[tuple[int, float, Row]]] = {}
    for vehicle, begin, end, row in shifts:
        begins, ends = begin or 0, float("inf") if end is None else end
        for other_begin, other_end, other in known.get(vehicle, ()):
            if begins < other_end and other_begin < ends:
                raise row.error(
                    "vehicle_id",
                    f"shuttle {vehicle!r} works at {hhmm(max(begins, other_begin))} on line {other.line} already",
                    expected="shifts of one shuttle that do not overlap",
                )
        known.setdefault(vehicle, []).append((begins, ends, row))


def _request(row: Row, origin: Callable[[Row], Place], destination: Callable[[Row], Place]) -> RequestRow:
    request = RequestRow(
        id=row.text("request_id"),
        made_at=_need_ms(row, "request_time_s"),
        origin=origin(row),
        destination=destination(row),
        depart_after=_ms(row, "depart_after_s"),
        arrive_by=_ms(row, "arrive_by_s"),
        latest_pickup=_ms(row, "latest_pickup_s"),
        latest_dropoff=_ms(row, "latest_dropoff_s"),
        max_ride=_ms(row, "max_ride_time_s", low=1),
        seats=row.integer("passengers", low=1, high=MAX_PARTY, unit="persons") if row.has("passengers") else 1,
        wheelchairs=row.integer("wheelchairs", low=0, high=MAX_PARTY) if row.has("wheelchairs") else 0,
        rider=row.text("rider_id") if row.has("rider_id") else None,
        age=row.text("age_group") if row.has("age_group") else None,
        channel=row.text("channel") if row.has("channel") else None,
        row=row,
    )
    if request.origin == request.destination:
        raise row.error(
            "destination_node" if request.origin.node is not None else "destination_lat",
            "is the origin too",
            expected="a destination other than the origin",
        )
    if request.wheelchairs > request.seats:
        raise row.error(
            "wheelchairs", f"{request.wheelchairs} of {request.seats} persons", expected="at most passengers"
        )
    for field, limit in (
        ("latest_pickup_s", request.latest_pickup),
        ("latest_dropoff_s", request.latest_dropoff),
        ("arrive_by_s", request.arrive_by),
    ):
        earliest = max(request.made_at, request.departs)
        if limit is not None and limit < earliest:
            raise row.error(
                field,
                f"{limit / 1000:g} s lies before the departure asked for",
                expected=f"at least {earliest / 1000:g}",
            )
    return request


def _shift(row: Row, start: Callable[[Row], Place], end: Callable[[Row], Place] | None) -> ShiftRow:
    begins, ends = _ms(row, "shift_start_s"), _ms(row, "shift_end_s")
    if ends is not None and ends <= (begins or 0):
        raise row.error(
            "shift_end_s",
            f"the shift ends at {ends / 1000:g} s but begins at {(begins or 0) / 1000:g} s",
            expected="an end after the beginning",
        )
    return ShiftRow(
        vehicle=row.text("vehicle_id"),
        start=start(row),
        end=end(row) if end and _has_place(row, "end") else None,
        capacity=row.integer("capacity", low=1, high=MAX_CAPACITY, unit="seats")
        if row.has("capacity")
        else DEFAULT_CAPACITY,
        wheelchair_places=row.integer("wheelchair_places", low=0, high=100) if row.has("wheelchair_places") else 0,
        kind=row.text("kind") if row.has("kind") else None,
        shift_start=begins,
        shift_end=ends,
        rest=_break(row, begins or 0, ends),
        row=row,
    )


def _break(row: Row, shift_begins: int, shift_ends: int | None) -> tuple[int, int, int] | None:
    """`break_duration_s` of rest, begun at `break_start_s` or later and over by `break_end_s`.

    Without a duration the break fills the window; without an end it begins at `break_start_s` exactly.
    """
    begin, end, duration = (_ms(row, f"break_{name}_s") for name in ("start", "end", "duration"))
    if begin is None and end is None and not duration:
        return None
    if begin is None:
        raise row.error("break_start_s", "is empty", expected="a time, as the line has a break")
    if end is None and duration is None:
        raise row.error("break_end_s", "is empty", expected="a time, or break_duration_s")
    if end is None or duration is None:
        end, duration = (begin + (duration or 0), duration) if end is None else (end, end - begin)
    assert duration is not None
    if duration <= 0 or begin + duration > end:
        raise row.error(
            "break_end_s",
            f"a break of {duration / 1000:g} s does not fit between {begin / 1000:g} and {end / 1000:g} s",
            expected="a window as long as the break",
        )
    if begin < shift_begins or (shift_ends is not None and end > shift_ends):
        raise row.error("break_start_s", "the break lies outside the shift", expected="a break within the shift")
    return begin, end - duration, duration


def _need_ms(row: Row, field: str) -> int:
    return round(row.number(field, low=0, high=LATEST_S, unit="seconds") * 1000)


def _ms(row: Row, field: str, low: float = 0) -> int | None:
    """An optional number of seconds in ms."""
    return round(row.number(field, low=low, high=LATEST_S, unit="seconds") * 1000) if row.has(field) else None


def _columns(end: str) -> tuple[str, str, str]:
    return f"{end}_node", f"{end}_lat", f"{end}_lon"


def _names_place(table: Table, end: str) -> bool:
    node, lat, lon = _columns(end)
    return table.has(node) or table.has(lat, lon)


def _has_place(row: Row, end: str) -> bool:
    return any(row.has(column) for column in _columns(end))


def _place_reader(table: Table, end: str) -> Callable[[Row], Place]:
    """Reads a place from a row's node column, or where that is blank or not there from its lat and lon."""
    node, lat, lon = _columns(end)
    if not _names_place(table, end):
        missing = lon if table.has(lat) else lat if table.has(lon) else node
        raise InputError(
            f"column {missing} is missing",
            file=table.file,
            line=1,
            field=missing,
            expected=f"{node}, or {lat} and {lon}",
        )
    has_node, has_point = table.has(node), table.has(lat, lon)

    def read(row: Row) -> Place:
        if has_node and (row.has(node) or not has_point):
            return Place(_node_id(row.text(node)), 0.0, 0.0)
        return Place(None, row.number(lat, low=-1e7, high=1e7), row.number(lon, low=-1e7, high=1e7))

    return read


def _node_id(text: str) -> str:
    """A node's id; tables that passed through pandas write 17 as 17.0."""
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _unused(table: Table, known: tuple[str, ...]) -> str | None:
    unused = [column for column in table.columns if column not in known]
    return f"{table.file}: not used: {', '.join(unused)}" if unused else None


def _read_parquet(path: Path, required: tuple[str, ...]) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        content = parquet.read_table(path)
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise InputError(what, file=path, expected="a Parquet file") from None
    except pa.ArrowException as error:
        raise InputError(f"is not Parquet ({error})", file=path, expected="a Parquet file") from None
    columns = tuple(content.column_names)
    for name in required:
        if name not in columns:
            raise InputError(f"column {name} is missing", file=path, field=name, expected=", ".join(required))
    rows = [
        Row(path, number, {name: _text(value) for name, value in values.items()})
        for number, values in enumerate(content.to_pylist(), 1)
    ]
    return Table(path, columns, rows)


def _text(value: Any) -> str:
    return "" if value is None or value != value else str(value)  # noqa: PLR0124 (NaN: a blank of pandas)
