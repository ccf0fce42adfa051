"""Cells and zones on a map: points, squares and polygons, with numbers by hour. Read from CSV or GeoJSON.

A cell is drawn in as a whole: whoever starts in it stands anywhere in it, and walks to the stop point that is nearest
from there. So a town's new stop point changes the walks of the same people, not where they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from routing.csv_table import Row, Table
from routing.errors import InputError
from simulator.tables import read_rows

if TYPE_CHECKING:
    from routing.network import RoadNetwork
    from simulator.streams import Stream

HOURS: Final = 24
_TRIES: Final = 200
_WIDE: Final = re.compile(r"[a-z_]*?(\d{1,2})$", re.IGNORECASE)
"""columns of hours: h0, h00, TMST_05, hour_23"""
MOST: Final = 1e9
"""no count is larger"""
GRID: Final = "lat,lon and people (of all hours), or hour,people, or h0 … h23"


@dataclass(frozen=True, eq=False)
class Area:
    """A cell or zone in local metres."""

    x: float
    y: float
    """its centre"""
    half_m: float = 0.0
    """half the side of a square; 0: the centre alone"""
    shape: Any = field(default=None, repr=False)
    """shapely polygon; None: a square"""

    def draw(self, stream: Stream) -> tuple[float, float]:
        """A place anywhere in it, x and y in local metres; a polygon's centre where 200 tries miss it."""
        if self.shape is None:
            if not self.half_m:
                return self.x, self.y
            return self.x + self.half_m * _signed(stream), self.y + self.half_m * _signed(stream)
        import shapely

        west, south, east, north = self.shape.bounds
        for _ in range(_TRIES):
            x = west + (east - west) * stream.below(2**20) / 2**20
            y = south + (north - south) * stream.below(2**20) / 2**20
            if shapely.intersects_xy(self.shape, x, y):
                return x, y
        return self.x, self.y


def _signed(stream: Stream) -> float:
    return (stream.below(2**20) - 2**19) / 2**19


@dataclass(frozen=True, eq=False)
class Counted:
    """Areas, and what was counted in each by hour."""

    file: Path
    areas: tuple[Area, ...]
    by_hour: tuple[tuple[float, ...], ...]
    """(areas, 24)"""
    hours: frozenset[int] = frozenset(range(HOURS))
    """that the file speaks of"""


def read_grid(path: Path, network: RoadNetwork, cell_m: float | None = None) -> Counted:
    """Cells and the people in each by hour, from a CSV (or Parquet) of centres, or a GeoJSON of cells.

    CSV: `lat,lon` (planar maps: `x_m,y_m`) and one of `people` (alike at all hours), `hour,people` (a row a cell and
    hour), or a column an hour (`h0` … `h23`, `h00`, `TMST_05`). GeoJSON: a feature a cell, with the property `people`,
    a number or a list of 24, or a property an hour. Raises InputError with file and line for what cannot be used.
    """
    if path.suffix.lower() in (".geojson", ".json"):
        return _from_geojson(path, network)
    table = read_rows(path, ())
    places = _position_columns(table, network, GRID)
    per: dict[tuple[float, float], list[float]] = {}
    by_hour = hourly_reader(table, "people", GRID)
    present: set[int] = set()
    for row in table:
        lat, lon = _position(row, places, network)
        counts = per.setdefault((lat, lon), [0.0] * HOURS)
        for hour, count in by_hour(row):
            counts[hour] += count
            present.add(hour)
    if not per:
        raise InputError("has no cells", file=path, expected=GRID)
    x, y = network.project([lat for lat, _ in per], [lon for _, lon in per])
    areas = tuple(Area(px, py, (cell_m or 0.0) / 2) for px, py in zip(x.tolist(), y.tolist(), strict=True))
    return Counted(path, areas, tuple(tuple(counts) for counts in per.values()), frozenset(present))


def read_zones(path: Path, network: RoadNetwork) -> dict[str, Area]:
    """Zones by their ids: a GeoJSON of polygons with `zone_id` (or `id`), or a CSV `zone_id,lat,lon[,radius_m]`.

    Raises InputError with file and line (or feature) for what cannot be used, and for a zone that stands twice.
    """
    zones: dict[str, Area] = {}
    if path.suffix.lower() in (".geojson", ".json"):
        for n, feature in enumerate(_features(path)):
            properties = feature.get("properties") or {}
            name = properties.get("zone_id", properties.get("id", feature.get("id")))
            if name is None:
                raise _wrong(path, n, "zone_id", "is missing", "an id of the zone")
            if str(name) in zones:
                raise _wrong(path, n, "zone_id", f"{name!r} stands twice", "each zone once")
            zones[str(name)] = _area(path, n, feature, network)
    else:
        table = read_rows(path, ("zone_id",))
        places = _position_columns(table, network, "zone_id,lat,lon")
        for row in table:
            name = row.text("zone_id")
            if name in zones:
                raise row.error("zone_id", f"{name!r} stands twice", expected="each zone once")
            lat, lon = _position(row, places, network)
            (x,), (y,) = network.project([lat], [lon])
            half = row.number("radius_m", low=0, high=100_000) if row.has("radius_m") else 0.0
            zones[name] = Area(float(x), float(y), half)
    if not zones:
        raise InputError("has no zones", file=path, expected="one zone at least")
    return zones


def hourly_reader(table: Table, value: str, expected: str) -> Callable[[Row], Iterable[tuple[int, float]]]:
    """Reads a row's (hour, count) pairs, whichever way the table has them: `hour` and `value`, `value`, or h0 … h23.

    Raises InputError where it has them in none of these ways.
    """
    long, constant = table.has("hour", value), table.has(value)
    wide = {int(m[1]): column for column in table.columns if (m := _WIDE.fullmatch(column)) and int(m[1]) < HOURS}
    if not constant and not wide:
        raise InputError(f"column {value} is missing", file=table.file, line=1, field=value, expected=expected)

    def read(row: Row) -> Iterable[tuple[int, float]]:
        if not constant:
            return [(hour, row.number(column, low=0, high=MOST)) for hour, column in wide.items() if row.has(column)]
        count = row.number(value, low=0, high=MOST)
        return [(row.integer("hour", low=0, high=HOURS - 1), count)] if long else [(h, count) for h in range(HOURS)]

    return read


def _position_columns(table: Table, network: RoadNetwork, expected: str) -> tuple[str, str]:
    at = ("y_m", "x_m") if network.planar and table.has("x_m", "y_m") else ("lat", "lon")
    for name in at:
        if not table.has(name):
            raise InputError(f"column {name} is missing", file=table.file, line=1, field=name, expected=expected)
    return at


def _position(row: Row, columns: tuple[str, str], network: RoadNetwork) -> tuple[float, float]:
    far = 1e7 if network.planar else 90, 1e7 if network.planar else 180
    lat = row.number(columns[0], low=-far[0], high=far[0])
    return lat, row.number(columns[1], low=-far[1], high=far[1])


def _from_geojson(path: Path, network: RoadNetwork) -> Counted:
    areas, counts = [], []
    present: set[int] = set()
    for n, feature in enumerate(_features(path)):
        areas.append(_area(path, n, feature, network))
        by_hour = _hourly_properties(path, n, feature.get("properties") or {})
        present |= by_hour.keys()
        counts.append(tuple(by_hour.get(hour, 0.0) for hour in range(HOURS)))
    if not areas:
        raise InputError("has no cells", file=path, expected="a FeatureCollection of cells")
    return Counted(path, tuple(areas), tuple(counts), frozenset(present))


def _hourly_properties(path: Path, n: int, properties: Mapping[str, Any]) -> dict[int, float]:
    people = properties.get("people")
    expected = "people: a number or a list of 24, or h0 … h23"
    found: dict[int, Any] = {}
    if isinstance(people, list):
        if len(people) != HOURS:
            raise _wrong(path, n, "people", f"has {len(people)} hours", expected)
        found = dict(enumerate(people))
    elif people is not None:
        found = dict.fromkeys(range(HOURS), people)
    else:
        for key, value in properties.items():
            match = _WIDE.fullmatch(key)
            if match and int(match[1]) < HOURS and value is not None:
                found[int(match[1])] = value
    if not found:
        raise _wrong(path, n, "people", "is missing", expected)
    for value in found.values():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MOST:
            raise _wrong(path, n, "people", f"{value!r} cannot be used", "numbers of at least 0")
    return found


def _features(path: Path) -> Sequence[dict[str, Any]]:
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path, expected="a GeoJSON file") from None
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise InputError(f"is not JSON ({error})", file=path, line=line, expected="a GeoJSON file") from None
    features = data.get("features") if isinstance(data, dict) else None
    if not isinstance(features, list) or not all(isinstance(feature, dict) for feature in features):
        raise InputError("is no GeoJSON", file=path, field="features", expected="a FeatureCollection")
    return features


def _area(path: Path, n: int, feature: Mapping[str, Any], network: RoadNetwork) -> Area:
    import shapely
    from shapely.geometry import shape

    try:
        drawn = shape(feature.get("geometry") or {})
        kind = drawn.geom_type
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise _wrong(path, n, "geometry", "cannot be read", "a Polygon, MultiPolygon or Point") from None
    if kind not in ("Polygon", "MultiPolygon", "Point") or drawn.is_empty:
        raise _wrong(path, n, "geometry", f"is a {kind}", "a Polygon, MultiPolygon or Point")

    there = shapely.transform(drawn, lambda at: np.column_stack(network.project(at[:, 1], at[:, 0])))
    centre = there.representative_point()
    x, y = float(centre.x), float(centre.y)
    if not np.isfinite([x, y]).all():
        raise _wrong(path, n, "geometry", "has no place", "coordinates as numbers, longitude before latitude")
    if kind == "Point":
        return Area(x, y)
    if not there.is_valid:
        there = shapely.make_valid(there)
    shapely.prepare(there)
    return Area(x, y, 0.0, there)


def _wrong(path: Path, n: int, field: str, what: str, expected: str) -> InputError:
    return InputError(what, file=path, field=f"features[{n}].{field}", expected=expected)
