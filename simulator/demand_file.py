"""The words of a scenario file under `requests`: who travels, when, from where to where.

Either attempts are made up, from weights or from what a town has counted (grids, stop boardings, points of interest,
OD matrices, timetables), or they are recorded ones. `demand_data` reads the files that are named here.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, field

from simulator.riders import Range
from simulator.words import Metres, Point, Share, Weight, Window, Words

Hour = Annotated[int, Meta(ge=0, le=47)]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
REACH_M = 1000
"""farther than this on foot from every stop point nobody thinks of asking, where the file does not say otherwise"""


class Centre(Words, frozen=True):
    """Demand falls off around a point as a bell of this radius."""

    at: Point
    radius_m: Annotated[float, Meta(ge=1, le=100_000)]
    weight: Weight = 1.0


class Grid(Words, frozen=True):
    """Where people are by hour: population or foot traffic counted in cells (CSV of centres, or GeoJSON)."""

    file: str
    cell_m: Annotated[float, Meta(ge=1, le=20_000)] | None = None
    """side of a CSV's square cells; None: everybody is at the centre"""
    reach_m: Metres = REACH_M
    weight: Weight = 1.0


class Boardings(Words, frozen=True):
    """Boardings and alightings counted at stops by hour (CSV)."""

    file: str
    reach_m: Metres = REACH_M
    weight: Weight = 1.0


class PointKind(Words, frozen=True):
    """How much one point of a kind draws, and when."""

    weight: Weight = 1.0
    hours: dict[Hour, Weight] = field(default_factory=dict)
    """weight of each hour; none: all alike"""


class Points(Words, frozen=True):
    """Points of interest by kind (CSV): schools, clinics, markets."""

    file: str
    kinds: dict[str, Weight | PointKind]
    reach_m: Metres = REACH_M
    weight: Weight = 1.0


class Weighting(Words, frozen=True):
    """How likely each place is an end of a journey.

    What is counted in a file is scaled so that a weight of 1 brings as much over 24 hours as a base of 1 does.
    """

    base: Weight | None = None
    """of every stop point; a centre of weight w adds up to w. None: 0.06, and 0 where a file is named"""
    centres: tuple[Centre, ...] = ()
    grid: str | Grid | None = None
    boardings: str | Boardings | None = None
    points: Points | None = None

    @property
    def counted(self) -> bool:
        """Names a file."""
        return self.grid is not None or self.boardings is not None or self.points is not None

    @property
    def evenly(self) -> float:
        """The base that holds."""
        return self.base if self.base is not None else 0.0 if self.counted else 0.06


class Od(Words, frozen=True):
    """Journeys counted between zones: a CSV of pairs, and the zones as CSV of centres or GeoJSON."""

    matrix: str
    zones: str
    reach_m: Metres = REACH_M


class Burst(Words, frozen=True):
    """People before or after a train: a share of those of these hours travel to (or from) one stop point.

    When trains come is told by `hours` and `minutes`, or read from a GTFS feed for `stop` on the scenario's date.
    """

    way: Literal["to", "from"]
    at: Point | None = None
    """None: where the feed has the stop"""
    hours: tuple[Hour, ...] = ()
    """with `gtfs`, only trains of these hours; none: of all"""
    minutes: tuple[Annotated[int, Meta(ge=0, le=59)], ...] = ()
    """past the hour, when each burst begins"""
    gtfs: str | None = None
    stop: str | None = None
    """stop_id of a stop or station in the feed"""
    route_types: tuple[Annotated[int, Meta(ge=0, le=2000)], ...] = ()
    """GTFS route types that count (2 rail, 3 bus, 4 ferry …); none: all"""
    before_s: Annotated[int, Meta(ge=0, le=7200)] = 900
    """of a feed's departures, how long before each one people want to leave home"""
    within_s: Annotated[int, Meta(ge=1, le=3600)] = 120
    share: Share = 0.25

    def __post_init__(self) -> None:
        if self.gtfs is None and (self.at is None or not self.hours or not self.minutes):
            raise ValueError("does not say when and where; expected at, hours and minutes, or gtfs and stop")
        if self.gtfs is not None and (self.stop is None or self.minutes):
            raise ValueError("takes its times from a feed; expected gtfs with stop and without minutes")


class Ahead(Words, frozen=True):
    """Those who call before they travel."""

    share: Share
    lead_s: Range = Range(3600, 10_800)
    """how long before the departure asked for they call"""
    arrive_by_share: Share = 0
    """of them, those who also name when to be there: departure + 1.5 × direct + 20 min, to the next 5 min"""


class Recorded(Words, frozen=True):
    """Attempts that people made on recorded days. Whoever was refused and called again is one attempt."""

    logs: Annotated[tuple[str, ...], Meta(min_length=1)]
    again_within_s: Annotated[int, Meta(ge=0, le=86_400)] = 1800
    """a call of the same rider, for the same journey, so soon after one that was not booked is the same attempt"""
    shift_s: Annotated[int, Meta(ge=0, le=7200)] = 300
    """where days are drawn from the logs, each attempt is moved by up to this, either way"""


Profile = dict[Hour, Weight] | tuple[Weight, ...]


class DayOfWeek(Words, frozen=True):
    """What is different on one day of the week."""

    attempts: Annotated[float, Meta(ge=0, le=100)] = 1.0
    """so many times as many"""
    profile: Profile = ()
    """its own hours; none: as on other days"""


class Demand(Words, frozen=True):
    """Attempts made up: when by `profile`, where by weights or counts, how far by `min_km` and `likely_km`."""

    attempts: Annotated[int, Meta(ge=0, le=1_000_000)] | None = None
    """None: `share` of what was counted; of recorded days, one of them as it was (seed 1 the first, 2 the next …)"""
    share: Share | None = None
    """of the journeys that `od` or `boardings` count, those asked for here"""
    profile: Profile = ()
    """weight of each hour of departure: a mapping, or a list from 00:00 on; none: as counted, else all alike"""
    week: dict[Weekday, Annotated[float, Meta(ge=0, le=100)] | DayOfWeek] = field(default_factory=dict)
    """days of the week that differ: so many times as many attempts, or a mapping"""
    hours: Window | None = None
    """no departures outside; None: the service hours"""
    origins: Weighting = Weighting()
    destinations: Weighting | None = None
    """None: as the origins (of `boardings`, the alightings)"""
    od: Od | None = None
    """in place of origins and destinations"""
    recorded: str | Recorded | None = None
    """a log or folder, or several; in place of all the rest but `attempts`, `week` and `hours`"""
    bursts: tuple[Burst, ...] = ()
    min_km: Annotated[float, Meta(ge=0, le=1000)] = 0
    """no shorter drives"""
    likely_km: Annotated[float, Meta(gt=0, le=1000)] | None = None
    """people ride for longer ways: a way of x km is kept with probability 0.25 + x / likely_km; None: all are"""
    party: dict[Annotated[int, Meta(ge=1, le=100)], Weight] = field(default_factory=lambda: {1: 1.0})
    """weight of each number of persons"""
    wheelchair_share: Share = 0
    ages: dict[str, Weight] = field(default_factory=dict)
    """weight of each age group; none: not known"""
    channels: dict[str, Weight] = field(default_factory=dict)
    """weight of each way of booking (app, phone …); none: not known"""
    ahead: Ahead = Ahead(share=0)

    @property
    def counted(self) -> bool:
        """Made up from files."""
        ends = (self.origins, self.destinations or self.origins)
        return self.od is not None or self.recorded is not None or any(end.counted for end in ends)

    def on(self, weekday: int) -> Demand:
        """The same as it is on a day of the week, 0: Monday."""
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        week: dict[Any, Any] = {**self.week}
        found = week.get(names[weekday], 1.0)
        day = found if isinstance(found, DayOfWeek) else DayOfWeek(found)
        attempts = None if self.attempts is None else round(self.attempts * day.attempts)
        share = None if self.share is None else min(1.0, self.share * day.attempts)
        return msgspec.structs.replace(
            self, attempts=attempts, share=share, profile=day.profile or self.profile, week={}
        )
