"""Where made-up journeys begin and end: sites with weights by hour, from weights of stop points and from counts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.core.places import Places
from routing.errors import InputError
from simulator.areas import HOURS, Area, Counted, hourly_reader, read_grid, read_zones
from simulator.demand_file import Boardings, Demand, Grid, PointKind, Points, Weighting
from simulator.sites import Choices, Pair, Site, cumulative, stop_sites
from simulator.tables import read_rows

if TYPE_CHECKING:
    from simulator.yaml_lines import Document, Key


@dataclass
class Found:
    """What the files add up to."""

    notes: list[str] = field(default_factory=list)
    journeys: float | None = None
    """a day, where a file counts journeys"""


def weights(weighting: Weighting, places: Places) -> list[float]:
    """Weight of each stop point: a base, and a bell around each centre."""
    network = places.network
    x, y = network.project([stop.lat for stop in places.stops], [stop.lon for stop in places.stops])
    out = [weighting.evenly] * len(places.stops)
    for centre in weighting.centres:
        (cx,), (cy,) = network.project([centre.at[0]], [centre.at[1]])
        for i in range(len(out)):
            apart = (x[i] - cx) ** 2 + (y[i] - cy) ** 2
            out[i] += centre.weight * math.exp(-apart / (2 * centre.radius_m**2))
    return out


def sites_of(
    weighting: Weighting, way: str, places: Places, path: tuple[Key, ...], document: Document, found: Found
) -> tuple[Choices[Site], list[Counted]]:
    """Sites of one end of the journeys, and what was counted there."""
    plain = weights(weighting, places)
    if not weighting.counted:
        return stop_sites(plain), []
    folder, network = document.file.parent, places.network
    parts: list[tuple[Counted, list[Site | None], float]] = []
    if weighting.grid is not None:
        grid = weighting.grid if isinstance(weighting.grid, Grid) else Grid(weighting.grid)
        counted = read_grid(folder / grid.file, network, grid.cell_m)
        parts.append((counted, _reached(counted, grid.reach_m, places, found), grid.weight))
    if weighting.boardings is not None:
        stops = weighting.boardings if isinstance(weighting.boardings, Boardings) else Boardings(weighting.boardings)
        counted, sites = _read_boardings(folder / stops.file, way, places, stops.reach_m)
        parts.append((counted, sites, stops.weight))
        if way == "from":
            found.journeys = sum(map(sum, counted.by_hour))
    if weighting.points is not None:
        counted = _read_points(folder / weighting.points.file, weighting.points, places)
        parts.append((counted, _reached(counted, weighting.points.reach_m, places, found), weighting.points.weight))
    all_sites = [Site(i) for i in range(len(places.stops))] if any(plain) else []
    rows: list[list[float]] = [[weight / len(plain)] * HOURS for weight in plain] if any(plain) else []
    for counted, at, weight in parts:
        inside = [i for i, site in enumerate(at) if site is not None]
        total = sum(sum(counted.by_hour[i]) for i in inside)
        if not total:
            what = "counts nobody in this zone" if inside else "misses the zone: no stop point is near any of its cells"
            raise InputError(what, file=counted.file, field=".".join(map(str, path)),
                             expected="people within a walk of its stop points, latitude before longitude")  # fmt: skip
        scale = weight * HOURS / total
        all_sites += [site for site in at if site is not None]
        rows += [[count * scale for count in counted.by_hour[i]] for i in inside]
    by_hour = tuple(cumulative([row[hour] for row in rows]) for hour in range(HOURS))
    return Choices(tuple(all_sites), by_hour), [counted for counted, _, _ in parts]


def _reached(counted: Counted, reach_m: float, places: Places, found: Found) -> list[Site | None]:
    """A site for each area that some stop point is near, None for the others."""
    near = _near(counted.areas, reach_m, places)
    sites = [Site(None, area, reach_m) if is_near else None for area, is_near in zip(counted.areas, near, strict=True)]
    total, outside = (
        math.fsum(sum(hours) for hours, is_near in zip(counted.by_hour, near, strict=True) if want or not is_near)
        for want in (True, False)
    )
    if outside and outside < total:
        found.notes.append(
            f"{counted.file}: {100 * outside / total:.0f} % of it lies outside the zone, and is left out"
        )
    return sites


def _near(areas: Sequence[Area], reach_m: float, places: Places) -> list[bool]:
    """Whether a stop point is within reach of each area, as the crow flies."""
    import shapely
    from scipy.spatial import KDTree

    x, y = places.network.project([stop.lat for stop in places.stops], [stop.lon for stop in places.stops])
    tree, stops = KDTree(list(zip(x, y, strict=True))), shapely.points(x, y)
    return [
        bool(tree.query((area.x, area.y))[0] <= reach_m + area.half_m * math.sqrt(2))
        if area.shape is None
        else bool(shapely.distance(area.shape, stops).min() <= reach_m)
        for area in areas
    ]


def _read_boardings(path: Path, way: str, places: Places, reach_m: float) -> tuple[Counted, list[Site | None]]:
    """Boardings (of the way from) or alightings (to) at stops by hour.

    `stop_id` is a stop point of the scenario, unless the file has `lat,lon`: then people are there, and walk.
    """
    expected = "stop_id and boardings (alightings), with hour, or h0 … h23"
    table = read_rows(path, ("stop_id",))
    value = "alightings" if way == "to" and table.has("alightings") else "boardings"
    read = hourly_reader(table, value, expected)
    located = table.has("lat", "lon")
    per: dict[str, list[float]] = {}
    site: dict[str, Site] = {}
    areas: dict[str, Area] = {}
    hours: set[int] = set()
    for row in table:
        stop = row.text("stop_id")
        counts = per.setdefault(stop, [0.0] * HOURS)
        for hour, count in read(row):
            counts[hour] += count
            hours.add(hour)
        if stop in site:
            continue
        if located:
            lat, lon = row.number("lat", low=-1e7, high=1e7), row.number("lon", low=-1e7, high=1e7)
            (x,), (y,) = places.network.project([lat], [lon])
            areas[stop] = Area(float(x), float(y))
            site[stop] = Site(None, areas[stop], reach_m)
        else:
            number = places.number.get(stop)
            if number is None or number >= len(places.stops):
                raise row.error("stop_id", f"{stop!r} is no stop point of this zone",
                                expected="ids of its stop points, or columns lat and lon")  # fmt: skip
            areas[stop] = Area(0.0, 0.0)
            site[stop] = Site(number)
    if not per:
        raise InputError("counts nothing", file=path, expected=expected)
    near = dict(zip(areas, _near(list(areas.values()), reach_m, places), strict=True)) if located else {}
    counted = Counted(path, tuple(areas.values()), tuple(tuple(counts) for counts in per.values()), frozenset(hours))
    return counted, [site[stop] if near.get(stop, True) else None for stop in per]


def _read_points(path: Path, points: Points, places: Places) -> Counted:
    """Points of interest of the kinds that have a weight: `kind,lat,lon`."""
    table = read_rows(path, ("kind", "lat", "lon"))
    kinds = {name: PointKind(kind) if isinstance(kind, int | float) else kind for name, kind in points.kinds.items()}
    areas, by_hour, seen = [], [], set()
    for row in table:
        seen.add(row.text("kind"))
        kind = kinds.get(row.text("kind"))
        if kind is None:
            continue
        lat, lon = row.number("lat", low=-1e7, high=1e7), row.number("lon", low=-1e7, high=1e7)
        (x,), (y,) = places.network.project([lat], [lon])
        areas.append(Area(float(x), float(y)))
        hours = kind.hours or dict.fromkeys(range(HOURS), 1.0)
        total = sum(hours.values()) or 1.0
        by_hour.append(tuple(kind.weight * hours.get(hour, 0.0) * HOURS / total for hour in range(HOURS)))
    missing = sorted(set(kinds) - seen)
    if missing:
        raise InputError(f"has no point of the kind {missing[0]!r}", file=path, field="kind",
                         expected=f"one of {', '.join(sorted(seen)) or 'its kinds'}")  # fmt: skip
    return Counted(path, tuple(areas), tuple(by_hour))


def pairs_of(demand: Demand, places: Places, folder: Path, found: Found) -> tuple[Choices[Pair], list[Counted]]:
    """An OD matrix: `from_zone,to_zone,trips`, with `hour` or as one figure a day, or h0 … h23."""
    od = demand.od
    assert od is not None
    zones = read_zones(folder / od.zones, places.network)
    near = dict(zip(zones, _near(list(zones.values()), od.reach_m, places), strict=True))
    table = read_rows(folder / od.matrix, ("from_zone", "to_zone"))
    read = hourly_reader(table, "trips", "from_zone,to_zone,trips, with hour or h0 … h23")
    daily = table.has("trips") and not table.has("hour")
    per: dict[tuple[str, str], list[float]] = {}
    hours: set[int] = set()
    total = 0.0
    for row in table:
        ends = row.text("from_zone"), row.text("to_zone")
        for name, column in zip(ends, ("from_zone", "to_zone"), strict=True):
            if name not in zones:
                raise row.error(column, f"{name!r} is no zone of {od.zones}", expected="a zone_id of that file")
        counts = [(hour, count / HOURS if daily else count) for hour, count in read(row)]
        total += math.fsum(count for _, count in counts)
        hours |= {hour for hour, _ in counts}
        if near[ends[0]] and near[ends[1]]:
            kept = per.setdefault(ends, [0.0] * HOURS)
            for hour, count in counts:
                kept[hour] += count
    inside = math.fsum(map(math.fsum, per.values()))
    if not inside:
        raise InputError("has no journey within the zone", file=folder / od.matrix,
                         expected="journeys between zones that have stop points")  # fmt: skip
    if inside < total * (1 - 1e-9):
        share = 100 * (1 - inside / total)
        found.notes.append(f"{folder / od.matrix}: {share:.0f} % of it leads out of the zone, and is left out")
    found.journeys = inside
    site = {name: Site(None, area, od.reach_m) for name, area in zones.items()}
    pairs = tuple(Pair(site[a], site[b]) for a, b in per)
    by_hour = tuple(cumulative([counts[hour] / inside for counts in per.values()]) for hour in range(HOURS))
    rows = tuple(tuple(counts) for counts in per.values())
    areas = tuple(zones[a] for a, _ in per)
    return Choices(pairs, by_hour), [] if daily else [Counted(folder / od.matrix, areas, rows, frozenset(hours))]
