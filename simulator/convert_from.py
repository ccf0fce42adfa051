"""Other tools' tables made into Naru's: taxi trips as in New York, FleetPy's requests, MATSim's XML.

Each reader gives the columns and rows of a CSV that a scenario can name. What a format does not say is left out, not
guessed: a taxi trip has no limits, a MATSim agent is one person.
"""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from xml.etree import ElementTree as ET

from routing.csv_table import Row, Table
from routing.errors import InputError
from simulator.tables import LATEST_S, read_rows
from simulator.yaml_lines import clock

Point = tuple[float, float]
"""(lat, lon); planar: (y, x)"""
ToDegrees = Callable[[float, float], Point]
"""(x, y) -> (lat, lon)"""


class Made(NamedTuple):
    """A table for `outputs.csv_bytes`."""

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: tuple[str, ...] = ()


POINTS: Final = ("request_id", "request_time_s", "origin_lat", "origin_lon", "destination_lat", "destination_lon",
                 "passengers")  # fmt: skip
NODES: Final = ("request_id", "request_time_s", "origin_node", "destination_node", "passengers", "depart_after_s",
                "latest_pickup_s")  # fmt: skip
VEHICLES: Final = ("vehicle_id", "start_node", "capacity", "shift_start_s", "shift_end_s")


# Taxi trips


_TLC: Final = {
    "time": ("tpep_pickup_datetime", "lpep_pickup_datetime", "pickup_datetime", "trip_pickup_datetime", "pickup_time"),
    "origin_lat": ("pickup_latitude", "start_lat", "pickup_lat"),
    "origin_lon": ("pickup_longitude", "start_lon", "pickup_lon"),
    "destination_lat": ("dropoff_latitude", "end_lat", "dropoff_lat"),
    "destination_lon": ("dropoff_longitude", "end_lon", "dropoff_lon"),
    "passengers": ("passenger_count", "passengers"),
}
"""columns by what they are, under the names of several years"""


def taxi_trips(path: Path, date: str | None = None) -> Made:
    """Trips with latitude, longitude and time (CSV or Parquet) of one date: that named, or the file's first.

    Trips of other dates, and those whose points are missing (0, 0), are left out and counted. Raises InputError for a
    table without points (zones alone say too little), and for times and coordinates that cannot be read.
    """
    table = read_rows(path, ())
    column = _columns_of(table)
    zones = any(name.lower() in ("pulocationid", "dolocationid") for name in table.columns)
    for what in ("time", "origin_lat", "origin_lon", "destination_lat", "destination_lon"):
        if what not in column:
            raise InputError(
                "has zones but no points" if zones else f"has no column for {what.replace('_', ' ')}",
                file=path, line=1, field=_TLC[what][0], expected=f"one of {', '.join(_TLC[what])}",
            )  # fmt: skip
    rows: list[tuple[str, ...]] = []
    others = nowhere = 0
    for row in table:
        at = _moment(row, column["time"])
        date = date or at.date().isoformat()
        if at.date().isoformat() != date:
            others += 1
            continue
        ends = [row.number(column[name], low=-180, high=180) if row.has(column[name]) else 0.0
                for name in ("origin_lat", "origin_lon", "destination_lat", "destination_lon")]  # fmt: skip
        if not all(ends):
            nowhere += 1
            continue
        seconds = at.hour * 3600 + at.minute * 60 + at.second
        persons = max(1, row.integer(column["passengers"], low=0, high=100)) if "passengers" in column else 1
        rows.append((str(len(rows) + 1), str(seconds), *(f"{value:.6f}" for value in ends), str(persons)))
    if not rows:
        raise InputError(f"has no trip of {date}", file=path, expected="--date: a date of the table")
    rows.sort(key=lambda row: int(row[1]))
    notes = [f"trips of {date}: {len(rows)}"]
    notes += [f"left out, of other dates: {others}"] if others else []
    notes += [f"left out, without points: {nowhere}"] if nowhere else []
    return Made(POINTS, rows, tuple(notes))


def _columns_of(table: Table) -> dict[str, str]:
    """The table's own name of each column that is known, whatever its case."""
    names = {name.strip().lower(): name for name in table.columns}
    return {what: names[known] for what, several in _TLC.items() for known in several if known in names}


def _moment(row: Row, field: str) -> dt.datetime:
    text = row.text(field)
    try:
        return dt.datetime.fromisoformat(text)
    except ValueError:
        raise row.error(field, f"{text!r} is no time", expected="year-month-day hh:mm:ss") from None


# FleetPy


def fleetpy_requests(path: Path) -> Made:
    """FleetPy's demand file: `request_id,rq_time,start,end`, in seconds and node indices, as requests between nodes."""
    table = read_rows(path, ("request_id", "rq_time", "start", "end"))
    rows: list[tuple[str, ...]] = [
        (
            row.text("request_id"),
            _seconds(row, "rq_time"),
            str(row.integer("start", low=0)),
            str(row.integer("end", low=0)),
            str(row.integer("number_passenger", low=1, high=100)) if row.has("number_passenger") else "1",
            _seconds(row, "earliest_pickup_time"),
            _seconds(row, "latest_pickup_time"),
        )
        for row in table
    ]
    return Made(NODES, rows)


def _seconds(row: Row, field: str) -> str:
    return f"{row.number(field, low=0, high=LATEST_S, unit='seconds'):g}" if row.has(field) else ""


# MATSim


def matsim_network(path: Path, to_degrees: ToDegrees | None = None) -> tuple[Made, Made]:
    """(nodes.csv, edges.csv) of a network.xml; of links that name modes, those for cars."""
    places = ("node_id", "x_m", "y_m") if to_degrees is None else ("node_id", "lat", "lon")
    nodes: list[tuple[str, ...]] = []
    edges: list[tuple[str, ...]] = []
    for element in _elements(path, ("node", "link")):
        if element.tag == "node":
            x, y = _number(path, element, "x"), _number(path, element, "y")
            at = (f"{x:.3f}", f"{y:.3f}") if to_degrees is None else tuple(f"{v:.6f}" for v in to_degrees(x, y))
            nodes.append((_need(path, element, "id"), *at))
        elif "car" in element.get("modes", "car").replace(" ", "").split(","):
            length, speed = _number(path, element, "length"), _number(path, element, "freespeed")
            if length <= 0 or speed <= 0:
                raise _wrong(path, element, "length" if length <= 0 else "freespeed", "is not above 0")
            ends = _need(path, element, "from"), _need(path, element, "to")
            edges.append((*ends, f"{length:.3f}", f"{length / speed:.3f}"))
    if not edges:
        raise InputError("has no link for cars", file=path, expected="a MATSim network.xml")
    return Made(places, nodes), Made(("from_node", "to_node", "length_m", "travel_time_s"), edges)


def matsim_plans(path: Path, mode: str = "drt", to_degrees: ToDegrees | None = None) -> Made:
    """Legs of a mode in the selected plans (population XML, .gz too), as requests between points.

    A leg departs when the activity before it ends, or as its own `dep_time` says. Raises InputError where neither does.
    """
    rows: list[tuple[str, ...]] = []
    for person in _elements(path, ("person",)):
        plans = person.findall("plan")
        plan = next((p for p in plans if p.get("selected", "yes") == "yes"), None)
        steps: Sequence[Any] = [] if plan is None else [s for s in plan if s.tag in ("activity", "act", "leg")]
        name, count = _need(path, person, "id"), 0
        for before, leg, after in zip(steps, steps[1:], steps[2:], strict=False):
            if leg.tag != "leg" or leg.get("mode") != mode:
                continue
            count += 1
            text = leg.get("dep_time") or before.get("end_time")
            try:
                departs = clock(text or "") // 1000
            except ValueError:
                raise _wrong(path, person, "end_time", f"person {name!r}: {text!r} is no departure") from None
            ends: list[str] = []
            for activity in (before, after):
                x, y = _number(path, activity, "x"), _number(path, activity, "y")
                lat, lon = (y, x) if to_degrees is None else to_degrees(x, y)
                ends += [f"{lat:.6f}", f"{lon:.6f}"]
            rows.append((f"{name}_{count}" if count > 1 else name, str(departs), *ends, "1"))
    if not rows:
        raise InputError(f"has no leg of the mode {mode!r}", file=path, expected="--mode: one that the plans have")
    rows.sort(key=lambda row: int(row[1]))
    return Made(POINTS, rows)


def matsim_vehicles(path: Path, network: Path) -> Made:
    """A fleet of `dvrp_vehicles`: each starts where its link ends. Raises InputError for a link the network has not."""
    ends = {_need(network, link, "id"): _need(network, link, "to") for link in _elements(network, ("link",))}
    rows: list[tuple[str, ...]] = []
    for vehicle in _elements(path, ("vehicle",)):
        link = _need(path, vehicle, "start_link")
        if link not in ends:
            raise _wrong(path, vehicle, "start_link", f"{link!r} is no link of {network.name}")
        times = [_number(path, vehicle, name) for name in ("t_0", "t_1")]
        if times[0] >= LATEST_S or times[1] <= times[0]:
            raise _wrong(path, vehicle, "t_1", f"works from {times[0]:g} to {times[1]:g} s")
        seats = round(_number(path, vehicle, "capacity"))
        worked = [f"{min(at, LATEST_S):g}" for at in times]
        rows.append((_need(path, vehicle, "id"), ends[link], str(seats), *worked))
    if not rows:
        raise InputError("has no vehicle", file=path, expected="a MATSim dvrp_vehicles XML")
    return Made(VEHICLES, rows)


def degrees_from(crs: str) -> ToDegrees:
    """Latitude and longitude of a projection's coordinates (EPSG:5179 …). Raises InputError for one that is unknown."""
    from pyproj import Transformer
    from pyproj.exceptions import CRSError

    try:
        transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    except CRSError:
        raise InputError(f"{crs!r} is no projection", field="--crs", expected="a code such as EPSG:5179") from None

    def to_degrees(x: float, y: float) -> Point:
        lon, lat = transformer.transform(x, y)
        return float(lat), float(lon)

    return to_degrees


def _elements(path: Path, tags: tuple[str, ...]) -> Iterator[ET.Element]:
    """Elements with these tags as they come, each forgotten when the next one is asked for."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for _, element in ET.iterparse(file):
                if element.tag in tags:
                    yield element
                    element.clear()
    except ET.ParseError as error:
        raise InputError(f"is not XML ({error})", file=path, line=error.position[0], expected="a MATSim XML") from None
    except (OSError, EOFError) as error:
        raise InputError(f"cannot be read ({error})", file=path, expected="a MATSim XML") from None


def _need(path: Path, element: ET.Element, name: str) -> str:
    value = element.get(name)
    if not value:
        raise _wrong(path, element, name, "is missing")
    return value


def _number(path: Path, element: ET.Element, name: str) -> float:
    text = _need(path, element, name)
    try:
        return float(text)
    except ValueError:
        raise _wrong(path, element, name, f"{text!r} is no number") from None


def _wrong(path: Path, element: ET.Element, name: str, what: str) -> InputError:
    which = element.get("id")
    tag = element.tag if which is None else f"{element.tag} {which}"
    return InputError(what, file=path, field=f"<{tag}> {name}", expected="a MATSim XML")
