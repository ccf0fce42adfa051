"""A scenario: everything that makes a day, as values. Read from a YAML file, or by the name of a shipped one."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import numpy as np

from dispatch.core.domain import Policy, RideRequest, Shift
from dispatch.core.places import Places, direct
from routing.errors import InputError
from routing.travel_times import Profile, ProfileStep
from simulator.accounts import Accounts
from simulator.attempts import Attempt
from simulator.demand import generate
from simulator.demand_data import Sources, in_weather, resolve
from simulator.demand_file import Demand
from simulator.disturbances import Disturbances, resolved
from simulator.fleet import kinds_of, shifts_of, weekdays_of
from simulator.riders import Riders
from simulator.scenario_file import Fleet, ScenarioFile, read_policy, read_scenario_file
from simulator.tables import RequestRow, ShiftRow, read_requests, read_shifts
from simulator.timetable import read_timetable
from simulator.town import at_speed, end_of, lay_out, read_network
from simulator.words import Window
from simulator.yaml_lines import Document, hhmm, read_yaml

if TYPE_CHECKING:
    from routing.network import RoadNetwork
    from routing.travel_times import DriveTimes


@dataclass(frozen=True, eq=False)
class Scenario:
    """One day, ready to be run. Times are ms of the service day."""

    name: str
    file: Path
    places: Places
    every_shift: tuple[Shift, ...]
    """of all weekdays"""
    weekdays: Mapping[str, frozenset[int]]
    """0 Monday … 6 Sunday, of shifts that are not worked every day"""
    holidays: Mapping[str, Literal["closed", "sunday"]]
    """by date"""
    requests: tuple[Attempt, ...] | Demand
    policy: Policy
    riders: Riders
    disturbances: Disturbances
    profile: Profile
    """known speeds of the day, for `drive_times`"""
    service_hours: Window | None
    date: str
    timezone: str
    currency: str
    seed: int
    sources: Sources | None = None
    """what made-up demand draws from"""
    accounts: Accounts = field(default_factory=Accounts)
    """prices, emissions, baselines"""
    fixed_buses: Path | None = None
    """GTFS feed of buses by the timetable"""
    notes: tuple[str, ...] = ()
    """what the reader should know, a line each: columns not used, streets cut off"""

    @cached_property
    def shifts(self) -> tuple[Shift, ...]:
        """Those worked on the scenario's date."""
        kind = self.holidays.get(self.date)
        if kind == "closed":
            return ()
        weekday = 6 if kind == "sunday" else dt.date.fromisoformat(self.date).weekday()
        return tuple(shift for shift in self.every_shift if weekday in self.weekdays.get(shift.id, range(7)))

    @property
    def network(self) -> RoadNetwork:
        """The streets, stop points included as nodes."""
        return self.places.network

    @property
    def zero_utc(self) -> int:
        """UTC of the service day's zero (noon − 12 h, as GTFS), ms since 1970."""
        noon = dt.datetime.combine(dt.date.fromisoformat(self.date), dt.time(12), ZoneInfo(self.timezone))
        return (round(noon.timestamp()) - 12 * 3600) * 1000


def shipped_scenarios() -> list[str]:
    """Names of the scenarios that come with Naru."""
    folder = files("simulator") / "scenarios"
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def load_scenario(
    path_or_name: str | Path, *, seed: int | None = None, changes: Mapping[str, str] | None = None
) -> Scenario:
    """A scenario from a file or by its shipped name.

    `seed` goes before the file's. `changes` sets dotted keys to YAML values first: {"policy.walk_m": "400"}.
    Raises InputError with file, line, field and expectation for whatever cannot be used.
    """
    document = read_yaml(file_of(path_or_name))
    if changes:
        document = document.replaced(changes)
    words = read_scenario_file(document)
    _check_calendar(words, document)
    if seed is not None:
        words = msgspec.structs.replace(words, seed=seed)
    return _scenario(document, words)


def load_policy(path: str | Path) -> Policy:
    """A policy from a file of its own, or from a scenario. Raises InputError as `load_scenario` does."""
    return read_policy(read_yaml(file_of(path)))


def requests_of(scenario: Scenario, times: DriveTimes) -> tuple[tuple[int, RideRequest], ...]:
    """((when the call is made, the request), …) in order of the calls, and of the file where they are equal.

    Walks to stop points are those of the scenario's policy. Limits that nobody named stay None: the desk sets them.
    Raises InputError if the demand cannot be made up.
    """
    asked = scenario.requests
    if isinstance(asked, Demand):
        try:
            attempts: Sequence[Attempt] = generate(
                asked, scenario.places, times, scenario.seed, scenario.service_hours, scenario.sources
            )
        except InputError as error:
            raise _in_file(error, scenario.file) from None
    else:
        attempts = asked
    if not attempts:
        return ()
    ends = np.array([(a.origin.place, a.destination.place, a.depart_after) for a in attempts], np.int64)
    direct_ms, direct_mm = direct(times, ends[:, 0], ends[:, 1], ends[:, 2])
    walk_m, choices = scenario.policy.walk_m, scenario.policy.stop_choices
    out = []
    for attempt, ms, mm in zip(attempts, direct_ms.tolist(), direct_mm.tolist(), strict=True):
        origins, destinations = scenario.places.both_ends(attempt.origin, attempt.destination, walk_m, choices)
        request = RideRequest(
            id=attempt.id,
            origins=origins,
            destinations=destinations,
            direct=ms,
            direct_mm=mm,
            depart_after=attempt.depart_after,
            arrive_by=attempt.arrive_by,
            latest_pickup=attempt.latest_pickup,
            latest_dropoff=attempt.latest_dropoff,
            max_ride=attempt.max_ride,
            seats=attempt.seats,
            wheelchairs=attempt.wheelchairs,
            rider=attempt.rider,
            age=attempt.age,
            channel=attempt.channel,
        )
        out.append((attempt.made_at, request))
    return tuple(sorted(out, key=lambda pair: pair[0]))


def _in_file(error: InputError, file: Path) -> InputError:
    """The same error, pointing at a file if it points at none."""
    return InputError(error.what, file=error.file or file, line=error.line, field=error.field, expected=error.expected)


def file_of(path_or_name: str | Path) -> Path:
    """The file that a path or a shipped name means."""
    path = Path(path_or_name)
    if path.is_file() or path.suffix or len(path.parts) > 1:  # a folder of that name may be a day of it
        return path
    shipped = shipped_scenarios()
    if str(path) in shipped:
        return Path(str(files("simulator") / "scenarios" / f"{path}.yaml"))
    raise InputError(f"no scenario {str(path)!r}", expected=f"a file, or one of {', '.join(shipped)}")


def _check_calendar(words: ScenarioFile, document: Document) -> None:
    try:
        dt.date.fromisoformat(words.date)
    except ValueError:
        raise document.error(("date",), f"{words.date!r} is no date", "year-month-day") from None
    for day in words.holidays:
        try:
            dt.date.fromisoformat(day)
        except ValueError:
            raise document.error(("holidays", day), f"{day!r} is no date", "year-month-day") from None
    try:
        ZoneInfo(words.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise document.error(
            ("timezone",), f"{words.timezone!r} is no time zone", "a name such as Asia/Seoul"
        ) from None
    if not (len(words.currency) == 3 and words.currency.isascii() and words.currency.isupper()):
        raise document.error(("currency",), f"{words.currency!r} is no currency", "three letters such as KRW")


def _scenario(document: Document, words: ScenarioFile) -> Scenario:
    """One file's words made into values: streets, then stop points, shuttles, requests, disturbances."""
    notes: list[str] = []
    folder = document.file.parent
    network = read_network(words.network, document)
    if network.cut and words.network.map is None:
        notes.append(f"network: {network.cut}")
    fleet: Fleet | Sequence[Fleet] | Sequence[ShiftRow]
    request_rows: list[RequestRow] = []
    if isinstance(words.requests, str):
        request_rows, note = read_requests(folder / words.requests)
        notes += [note] if note else []
    if isinstance(words.vehicles, str):
        fleet, note = read_shifts(folder / words.vehicles)
        notes += [note] if note else []
    else:
        fleet = words.vehicles
    rider_places = [place for row in request_rows for place in (row.origin, row.destination)]
    places = lay_out(network, words.stops, rider_places, document, named_by_node=words.network.nodes is not None)
    places = at_speed(places, words.network)
    places, shifts = shifts_of(fleet, words.loops, places, document)
    requests: tuple[Attempt, ...] | Demand
    sources: Sources | None = None
    if isinstance(words.requests, Demand):
        requests = words.requests
        if requests.attempts != 0 and not places.stops:
            raise document.error(("stops",), "there is no stop point", "some, as there are riders")
        if places.stops:
            try:
                requests, sources, found = resolve(requests, places, words.date, words.service_hours, document)
            except InputError as error:
                raise _in_file(error, document.file) from None
            requests = in_weather(requests, sources, words.disturbances.weather)
            notes += found
    else:
        requests = tuple(_attempt(row, places, words.service_hours) for row in request_rows)
    return Scenario(
        name=words.name or document.file.stem,
        file=document.file,
        places=places,
        every_shift=shifts,
        weekdays=weekdays_of(fleet, shifts),
        holidays=words.holidays,
        requests=requests,
        policy=words.policy,
        riders=words.riders,
        disturbances=resolved(words.disturbances, document, places.network, shifts),
        profile=tuple(ProfileStep(step.at // 1000, step.speed_factor, step.classes) for step in words.network.profile),
        service_hours=words.service_hours,
        date=words.date,
        timezone=words.timezone,
        currency=words.currency,
        seed=words.seed,
        sources=sources,
        accounts=_accounts(words, fleet, document),
        fixed_buses=None if words.fixed_buses is None else folder / words.fixed_buses,
        notes=tuple(notes),
    )


def _accounts(words: ScenarioFile, fleet: Fleet | Sequence[Fleet] | Sequence[ShiftRow], document: Document) -> Accounts:
    """Prices and baselines. Raises InputError for kinds that no vehicle is of, and for timetables that are broken."""
    kinds = kinds_of(fleet)
    for kind in words.emissions.by_kind:
        if kind not in kinds.values():
            known = ", ".join(sorted(set(kinds.values()))) or "a vehicle with this `kind`"
            raise document.error(("emissions", "by_kind", kind), "is no vehicle's kind", known)
    baselines = words.baselines
    if baselines.gtfs is not None:
        path = (document.file.parent / baselines.gtfs).resolve()
        read_timetable(path, words.date)
        baselines = msgspec.structs.replace(baselines, gtfs=str(path))
    return Accounts(words.currency, words.costs, words.emissions, baselines, kinds)


def _attempt(row: RequestRow, places: Places, hours: Window | None) -> Attempt:
    """One line of the requests file on these places. Raises InputError where it cannot be served in principle."""
    origin = end_of(row.origin, "origin", row.row, places)
    destination = end_of(row.destination, "destination", row.row, places)
    if origin.place == destination.place:
        field = "destination_node" if row.destination.node is not None else "destination_lat"
        what = f"has the same stop point {places.ids[origin.place]!r} as the origin"
        raise row.row.error(field, what, expected="a destination with another stop point")
    if hours is not None and not hours.begin <= row.departs <= hours.end:
        field = "request_time_s" if row.depart_after is None else "depart_after_s"
        what = f"{hhmm(row.departs)} lies outside the service hours"
        raise row.row.error(field, what, expected=f"{hhmm(hours.begin)} to {hhmm(hours.end)}")
    return Attempt(
        id=row.id,
        made_at=row.made_at,
        origin=origin,
        destination=destination,
        depart_after=row.departs,
        arrive_by=row.arrive_by,
        latest_pickup=row.latest_pickup,
        latest_dropoff=row.latest_dropoff,
        max_ride=row.max_ride,
        seats=row.seats,
        wheelchairs=row.wheelchairs,
        rider=row.rider,
        age=row.age,
        channel=row.channel,
    )
