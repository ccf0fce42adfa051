"""What a town has counted, made into demand: grids, stop boardings, points of interest, OD matrices, timetables, logs.

Each file is read once, when the scenario is loaded, against its streets and stop points; `demand.generate` draws from
what is made here. What lies outside of the zone is left out, and said so in a note.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from dispatch.core.places import Places
from routing.errors import InputError
from simulator.areas import HOURS, Area, Counted, hourly_reader, read_grid, read_zones
from simulator.demand_file import Boardings, Burst, Demand, Grid, PointKind, Points, Recorded, Weighting
from simulator.recorded import Day, read_days
from simulator.sites import Choices, Pair, Site, cumulative, stop_sites
from simulator.tables import read_rows
from simulator.timetable import read_timetable
from simulator.yaml_lines import hhmm

if TYPE_CHECKING:
    from simulator.scenario_file import Weather
    from simulator.words import Window
    from simulator.yaml_lines import Document, Key

HOUR_MS: Final = 3_600_000
_Path = tuple["Key", ...]


@dataclass(frozen=True, eq=False)
class Sources:
    """What a demand draws from."""

    origins: Choices[Site]
    destinations: Choices[Site]
    pairs: Choices[Pair] | None = None
    """in place of origins and destinations"""
    bursts: tuple[dict[int, tuple[int, ...]], ...] = ()
    """of each burst: by hour, when it begins (ms)"""
    stations: tuple[int, ...] = ()
    """of each burst: its stop point"""
    profile: tuple[float, ...] = ()
    """journeys by hour as they were counted; none: not counted"""
    days: tuple[Day, ...] = ()
    """recorded ones"""
    counted: bool = False
    """people are drawn one by one from streams of their own: another stop point leaves the others as they are"""


@dataclass
class _Found:
    """What the files add up to."""

    notes: list[str] = field(default_factory=list)
    journeys: float | None = None
    """a day, where a file counts journeys"""


def plain_sources(demand: Demand, places: Places) -> Sources:
    """What a demand that names no file draws from: weights of stop points, bursts by the clock."""
    origins = stop_sites(weights(demand.origins, places))
    destinations = stop_sites(weights(demand.destinations, places)) if demand.destinations else origins
    return Sources(
        origins,
        destinations,
        bursts=tuple(_by_clock(burst) for burst in demand.bursts),
        stations=tuple(_station(burst.at, places, n) for n, burst in enumerate(demand.bursts)),
    )


def resolve(
    demand: Demand, places: Places, date: str, hours: Window | None, document: Document
) -> tuple[Demand, Sources, list[str]]:
    """(the demand of that date, with a number of attempts unless a day is recorded; its sources; notes).

    `hours`: the service hours. Raises InputError with file and line, or the scenario's key, for whatever cannot be
    used: files that are missing or broken, cells that miss the zone, hours without data, unknown zones and stops.
    """
    folder, found = document.file.parent, _Found()
    demand = demand.on(dt.date.fromisoformat(date).weekday())
    days: tuple[Day, ...] = ()
    if demand.recorded is not None:
        recorded = demand.recorded if isinstance(demand.recorded, Recorded) else Recorded((demand.recorded,))
        days = read_days(recorded, folder, places)
        if not any(days):
            raise document.error(("requests", "recorded"), "holds no attempt in this zone", "a day on which people ask")
        nowhere = stop_sites([])
        return demand, Sources(nowhere, nowhere, days=days, counted=True), found.notes
    origins, table = _sites(demand.origins, "from", places, ("requests", "origins"), document, found)
    ends = demand.destinations or demand.origins
    destinations, _ = _sites(ends, "to", places, ("requests", "destinations"), document, _Found())
    pairs = None
    if demand.od is not None:
        pairs, table = _pairs(demand, places, folder, found)
    _check_hours(demand, table, hours)
    bursts, stations = _bursts(demand, places, date, document)
    if demand.attempts is None:
        demand = _counted_attempts(demand, found.journeys, document)
    counted = demand.counted or any(burst.gtfs is not None for burst in demand.bursts)
    profile = _sum_by_hour(table) if table else ()
    return demand, Sources(origins, destinations, pairs, bursts, stations, profile, days, counted), found.notes


def in_weather(demand: Demand, sources: Sources, spells: Sequence[Weather]) -> Demand:
    """The demand with more (or fewer) departures in each spell of weather, by the share of an hour that it lasts."""
    if sources.days or demand.attempts is None or all(spell.demand == 1 for spell in spells):
        return demand
    hours = hours_of(demand.profile or sources.profile)
    changed = {}
    for hour, weight in hours:
        begin, end = hour * HOUR_MS, (hour + 1) * HOUR_MS
        factor = 1.0
        for spell in spells:
            factor += (spell.demand - 1) * max(0, min(end, spell.to) - max(begin, spell.at)) / HOUR_MS
        changed[hour] = weight * max(0.0, factor)
    before, after = math.fsum(weight for _, weight in hours), math.fsum(changed.values())
    attempts = round(demand.attempts * after / before) if before else demand.attempts
    return msgspec.structs.replace(demand, attempts=attempts, profile=changed)


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


# Where


def _sites(
    weighting: Weighting, way: str, places: Places, path: _Path, document: Document, found: _Found
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


def _reached(counted: Counted, reach_m: float, places: Places, found: _Found) -> list[Site | None]:
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


def _pairs(demand: Demand, places: Places, folder: Path, found: _Found) -> tuple[Choices[Pair], list[Counted]]:
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


# When


def _sum_by_hour(tables: Sequence[Counted]) -> tuple[float, ...]:
    """Each table's share of the day by hour, averaged over the tables."""
    out = [0.0] * HOURS
    for counted in tables:
        by_hour = [math.fsum(row[hour] for row in counted.by_hour) for hour in range(HOURS)]
        total = math.fsum(by_hour) or 1.0
        out = [share + count / total for share, count in zip(out, by_hour, strict=True)]
    return tuple(out)


def _check_hours(demand: Demand, tables: Sequence[Counted], service: Window | None) -> None:
    """Raises InputError where a file does not speak of an hour in which people are to be made up."""
    window = demand.hours or service
    first, last = (window.begin, window.end) if window else (0, HOURS * HOUR_MS)
    for hour in range(first // HOUR_MS, -(-last // HOUR_MS)):
        if demand.profile and not dict(hours_of(demand.profile)).get(hour):
            continue
        for counted in tables:
            if hour % HOURS not in counted.hours:
                raise InputError(
                    f"has nothing for {hhmm(hour % HOURS * HOUR_MS)}, an hour of demand",
                    file=counted.file, field="hour", expected="every hour of demand (0: nobody), or requests.hours",
                )  # fmt: skip


def hours_of(profile: dict[int, float] | Sequence[float]) -> list[tuple[int, float]]:
    """(hour, weight) in order; of no profile, all hours alike."""
    return sorted(profile.items()) if isinstance(profile, dict) else list(enumerate(profile or (1.0,) * HOURS))


def _counted_attempts(demand: Demand, journeys: float | None, document: Document) -> Demand:
    if demand.share is None:
        raise document.error(
            ("requests", "attempts"), "is missing", "a number, or `share` of what od or boardings count"
        )
    if journeys is None:
        raise document.error(("requests", "share"), "is a share of nothing", "od or boardings, or a number of attempts")
    return msgspec.structs.replace(demand, attempts=round(demand.share * journeys))


def _by_clock(burst: Burst) -> dict[int, tuple[int, ...]]:
    return {hour: tuple(hour * HOUR_MS + minute * 60_000 for minute in burst.minutes) for hour in burst.hours}


def _bursts(
    demand: Demand, places: Places, date: str, document: Document
) -> tuple[tuple[dict[int, tuple[int, ...]], ...], tuple[int, ...]]:
    """When each burst begins, by hour, and its stop point."""
    whens, stations = [], []
    for n, burst in enumerate(demand.bursts):
        if burst.gtfs is None:
            whens.append(_by_clock(burst))
            stations.append(_station(burst.at, places, n))
            continue
        feed = read_timetable(document.file.parent / burst.gtfs, date)
        assert burst.stop is not None
        here = feed.at_stop(burst.stop)
        path = ("requests", "bursts", n)
        if not here:
            known = ", ".join(stop.id for stop in feed.stops[:5])
            raise document.error((*path, "stop"), f"{burst.stop!r} is no stop of {burst.gtfs}", f"one of {known} …")
        times = feed.calls(burst.stop, burst.way, burst.route_types)
        lead = burst.before_s * 1000 if burst.way == "to" else 0
        by_hour: dict[int, list[int]] = {}
        for at in times:
            moment = max(0, at - lead)
            if not burst.hours or moment // HOUR_MS in burst.hours:
                by_hour.setdefault(moment // HOUR_MS, []).append(moment)
        if not by_hour:
            verb = "leaves" if burst.way == "to" else "arrives at"
            raise document.error(path, f"nothing {verb} {burst.stop!r} on {date}", "a stop with trains in these hours")
        whens.append({hour: tuple(moments) for hour, moments in by_hour.items()})
        stop = feed.stops[here[0]]
        stations.append(_station(burst.at or (stop.lat, stop.lon), places, n))
    return tuple(whens), tuple(stations)


def _station(at: tuple[float, float] | None, places: Places, n: int) -> int:
    assert at is not None
    end = places.nearest(*at)
    if end is None:
        raise InputError(
            f"no stop point lies near {at}",
            field=f"requests.bursts[{n}].at",
            expected="[lat, lon] within the zone",
        )
    return end.place
