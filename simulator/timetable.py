"""Timetables of trains and buses: what of a GTFS feed runs on one date, stop by stop."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from routing.errors import InputError
from routing.gtfs import FeedStop, read_feed


class Trip(NamedTuple):
    """One vehicle's journey: stops by number, with arrivals and departures in ms of the service day."""

    id: str
    kind: int
    """GTFS route type"""
    stops: tuple[int, ...]
    arrive: tuple[int, ...]
    depart: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Timetable:
    """What runs on one date."""

    stops: tuple[FeedStop, ...]
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
    """The trips of a GTFS feed that run on a date (year-month-day), those of frequencies.txt one by one.

    Raises InputError as `read_feed`, and for a date on which nothing runs.
    """
    feed = read_feed(path)
    day = dt.date.fromisoformat(date)
    running = [trip for trip in feed.trips if trip.service.runs(day)]
    if not running:
        raise InputError(f"nothing runs on {date}", file=path, expected=f"a feed whose calendar holds {date}")
    trips = []
    for trip in running:
        stops, arrive, depart = (times[trip.calls].tolist() for times in (feed.stop, feed.arrive, feed.depart))
        if len(stops) < 2:
            continue
        for later in trip.later:
            times = tuple(t + later for t in arrive), tuple(t + later for t in depart)
            trips.append(Trip(trip.id, trip.kind, tuple(stops), *times))
    if not trips:
        raise InputError(
            f"no trip of {date} has times", file=path / "stop_times.txt", expected="two stops or more each"
        )
    return Timetable(feed.stops, tuple(sorted(trips, key=lambda trip: (trip.depart[0], trip.id))))
