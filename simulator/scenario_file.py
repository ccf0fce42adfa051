"""The words of a scenario file: what may stand in it, of which type, with which default.

Structs are read by `yaml_lines`; what they mean is made into a `Scenario` by `scenario`. Points are [lat, lon], on
planar networks [y, x] in metres. Times of day are written 05:30 or as seconds.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, field

from dispatch.core.domain import Policy
from dispatch.core.policy_bounds import out_of_bounds
from simulator.accounts import Baselines, Costs, Emissions
from simulator.demand_file import Demand
from simulator.riders import Range, Riders
from simulator.words import Coordinate, Factor, Kmh, Point, Seconds, Share, Spot, Window, Words, check_window
from simulator.yaml_lines import Clock, Document


class SpeedStep(Words, frozen=True):
    """A speed of the day that dispatch knows of; holds until the next step."""

    at: Clock = field(name="from")
    speed_factor: Factor
    classes: tuple[str, ...] = ()
    """road classes it speaks of; none: all"""


class NetworkSource(Words, frozen=True):
    """Where the streets come from: `nodes` and `edges`, or one of `map`, `osm`, `place`."""

    nodes: str | None = None
    edges: str | None = None
    map: str | None = None
    """name of a shipped map, or a file that `naru map import` wrote"""
    osm: str | None = None
    place: str | None = None
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None
    """zone: south, west, north, east; its largest strongly connected part is kept"""
    mean_kmh: Kmh | None = None
    """slow or quicken all streets alike, so that drives between stop points go at this speed on average"""
    speed_factor: Factor = 1.0
    """of all streets"""
    profile: tuple[SpeedStep, ...] = ()


class StopSource(Words, frozen=True):
    """Stop points: one of `csv`, `gtfs`, `osm: on` (the extract's bus stops), or generated."""

    csv: str | None = None
    gtfs: str | None = None
    osm: bool = False
    count: Annotated[int, Meta(ge=1, le=20_000)] | None = None
    spacing_m: Annotated[float, Meta(ge=1, le=10_000)] | None = None
    walk_m: Annotated[float, Meta(ge=10, le=10_000)] | None = None
    at_nodes: bool = False
    """at junctions instead of at the kerb between them"""


class Break(Words, frozen=True):
    """A driver's break of `duration_s`, begun and ended within the window."""

    at: Clock = field(name="from")
    to: Clock
    duration_s: Seconds | None = None
    """None: the whole window"""

    def __post_init__(self) -> None:
        check_window(self.at, self.to)
        if self.duration_s is not None and self.duration_s * 1000 > self.to - self.at:
            raise ValueError(f"lasts {self.duration_s:g} s; expected no longer than its window")


class Fleet(Words, frozen=True):
    """Shuttles alike in everything. `shifts` are worked by each of them."""

    count: Annotated[int, Meta(ge=0, le=20_000)]
    capacity: Annotated[int, Meta(ge=1, le=500)] = 8
    wheelchair_places: Annotated[int, Meta(ge=0, le=100)] = 0
    kind: str | None = None
    """names its emissions (`emissions.by_kind`)"""
    start: Spot | None = None
    """None: the stop point in the middle of the zone"""
    end: Spot | None = None
    """depot to be at when the shift ends"""
    shifts: tuple[Window, ...] = ()
    """none: unbounded"""
    breaks: tuple[Break, ...] = ()
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = ()
    """weekdays on which these shuttles work; none: all"""


class Call(Words, frozen=True):
    """A timetabled call of a loop."""

    stop: Spot
    at: Clock
    wait_s: Seconds = 0
    late_s: Seconds = 0
    """by how much the call may begin later than the timetable has it; never earlier"""


class Loop(Words, frozen=True):
    """Calls that a shuttle makes by the timetable whoever rides."""

    shuttle: str | int
    calls: tuple[Call, ...]


class SpeedChange(Words, frozen=True):
    """A slow-down that dispatch learns of when it begins: all drives take `factor` times as long."""

    at: Clock = field(name="from")
    factor: Factor
    to: Clock | None = None

    def __post_init__(self) -> None:
        check_window(self.at, self.to)


class ClosureSource(Words, frozen=True):
    """Streets closed for some time: those within a box, those that cross a line, or those named."""

    at: Clock = field(name="from")
    to: Clock | None = None
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None
    """south, west, north, east: edges with an end inside"""
    line: tuple[Point, Point] | None = None
    edges: tuple[tuple[str | int, str | int], ...] = ()
    """(from_node, to_node)"""
    reason: str = ""

    def __post_init__(self) -> None:
        check_window(self.at, self.to)


class BreakdownSource(Words, frozen=True):
    """A shuttle that can go no further."""

    shuttle: str | int
    at: Clock


class Congestion(Words, frozen=True):
    """Slow streets that dispatch does not know of: drives from or to there take `factor` times as long."""

    at: Clock = field(name="from")
    to: Clock
    factor: Annotated[float, Meta(ge=1, le=10)]
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate]
    """south, west, north, east"""

    def __post_init__(self) -> None:
        check_window(self.at, self.to)


class Weather(Words, frozen=True):
    """Rain or snow: drives take longer, as dispatch learns when it begins, and more people (or fewer) want to ride."""

    at: Clock = field(name="from")
    to: Clock
    factor: Factor = 1.0
    """of the time that drives take"""
    demand: Annotated[float, Meta(ge=0, le=10)] = 1.0
    """times as many who depart then; not of recorded demand"""

    def __post_init__(self) -> None:
        check_window(self.at, self.to)


class LateDrivers(Words, frozen=True):
    """Drivers who begin late, as dispatch knows from the morning on."""

    share: Share
    """of shifts"""
    late_s: Range = Range(300, 1800)


class DisturbanceSource(Words, frozen=True):
    """What goes otherwise than planned."""

    travel_time_sigma: Share = 0
    """standard deviation of a drive's time, as a share of it"""
    speeds: tuple[SpeedChange, ...] = ()
    closures: tuple[ClosureSource, ...] = ()
    breakdowns: tuple[BreakdownSource, ...] = ()
    breakdown_share: Share = 0
    """of shifts, those whose shuttle breaks down at a moment drawn by the seed"""
    congestion: tuple[Congestion, ...] = ()
    weather: tuple[Weather, ...] = ()
    late_drivers: LateDrivers = LateDrivers(share=0)


class ScenarioFile(Words, frozen=True):
    """A whole file."""

    network: NetworkSource
    vehicles: str | Fleet | tuple[Fleet, ...]
    requests: str | Demand
    stops: str | StopSource | None = None
    loops: tuple[Loop, ...] = ()
    policy: Policy = Policy()
    riders: Riders = Riders()
    disturbances: DisturbanceSource = DisturbanceSource()
    costs: Costs | None = None
    emissions: Emissions = Emissions()
    baselines: Baselines = Baselines()
    service_hours: Window | None = None
    holidays: dict[str, Literal["closed", "sunday"]] = field(default_factory=dict)
    """dates without service, or with Sunday's shifts"""
    fixed_buses: str | None = None
    """GTFS feed of buses by the timetable, a folder or zip archive: riders are told where one of them is faster"""
    date: str = "2026-03-03"
    timezone: str = "Asia/Seoul"
    currency: str = "KRW"
    seed: Annotated[int, Meta(ge=0, le=2**53)] = 1
    name: str | None = None


def read_scenario_file(document: Document) -> ScenarioFile:
    """The file's words. Raises InputError with file, line and key for whatever cannot be used."""
    data = dict(document.data)
    if isinstance(data.get("policy"), dict):
        data["policy"] = _switches(data["policy"])
    for key in ("policy", "riders", "disturbances"):
        if key in data and data[key] is None:
            del data[key]  # the key stands there with nothing after it
    words = Document(document.file, data, document.lines).read(ScenarioFile)
    check_policy(words.policy, document, ("policy",))
    return words


def read_policy(document: Document) -> Policy:
    """A policy on its own, or under the key `policy`. Raises InputError as `read_scenario_file` does."""
    inner = document.data.get("policy")
    data, prefix = (inner, ("policy",)) if isinstance(inner, dict) else (document.data, ())
    policy = Document(document.file, _switches(data), document.lines).read(Policy, path=prefix)
    check_policy(policy, document, prefix)
    return policy


def _switches(data: dict[str, Any]) -> dict[str, Any]:
    """`off` and `on` in the place of rules: none, and the default ones."""
    out = dict(data)
    for key in ("reoptimise", "queue", "rebalance", "selective"):
        if out.get(key) is False:
            out[key] = None
        elif out.get(key) is True:
            out[key] = {}
    return out


def check_policy(policy: Policy, document: Document, prefix: tuple[str | int, ...] = ()) -> None:
    """Raises InputError where a number of the policy makes no sense."""
    for path, wrong, expected in out_of_bounds(policy):
        raise document.error((*prefix, *path), wrong, expected)
