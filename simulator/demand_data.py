"""What a town has counted, made into demand: grids, stop boardings, points of interest, OD matrices, timetables, logs.

Each file is read once, when the scenario is loaded, against its streets and stop points; `demand.generate` draws from
what is made here. What lies outside of the zone is left out, and said so in a note.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec

from dispatch.core.places import Places
from routing.errors import InputError
from simulator.areas import HOURS, Counted
from simulator.demand_file import Burst, Demand, Recorded
from simulator.demand_places import Found, pairs_of, sites_of, weights
from simulator.recorded import Day, read_days
from simulator.sites import Choices, Pair, Site, stop_sites
from simulator.timetable import read_timetable
from simulator.yaml_lines import hhmm

if TYPE_CHECKING:
    from simulator.scenario_file import Weather
    from simulator.words import Window
    from simulator.yaml_lines import Document

HOUR_MS: Final = 3_600_000


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
    folder, found = document.file.parent, Found()
    demand = demand.on(dt.date.fromisoformat(date).weekday())
    days: tuple[Day, ...] = ()
    if demand.recorded is not None:
        recorded = demand.recorded if isinstance(demand.recorded, Recorded) else Recorded((demand.recorded,))
        days = read_days(recorded, folder, places)
        if not any(days):
            raise document.error(("requests", "recorded"), "holds no attempt in this zone", "a day on which people ask")
        nowhere = stop_sites([])
        return demand, Sources(nowhere, nowhere, days=days, counted=True), found.notes
    origins, table = sites_of(demand.origins, "from", places, ("requests", "origins"), document, found)
    ends = demand.destinations or demand.origins
    destinations, _ = sites_of(ends, "to", places, ("requests", "destinations"), document, Found())
    pairs = None
    if demand.od is not None:
        pairs, table = pairs_of(demand, places, folder, found)
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
