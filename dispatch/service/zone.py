"""A zone as its file describes it: streets, stop points, shifts, rules.

Read by whoever starts the service, and handed in.
The file is a scenario's (`simulator.scenario`), which this package may not know; what it needs of it is this value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dispatch.core import events as ev
from dispatch.core.domain import NEVER, Access, Policy, RideRequest, Shift
from dispatch.core.offers import leaves
from dispatch.core.places import FARTHEST_WALK_M, End, Places, direct
from dispatch.service import dispatcher
from dispatch.service.moments import zero_utc_of
from dispatch.service.service_days import DAY_MS, Calendar, shifts_from
from routing.fixed_lines import FixedLines
from routing.network import RoadNetwork
from routing.stop_points import WALK_DETOUR, StopPoint
from routing.travel_times import DriveTimes, Profile, drive_times
from routing.walks import WALK_M_S


@dataclass(frozen=True, eq=False)
class Area:
    """Streets, stop points, shuttles and rules of a zone. Times are ms of the service day."""

    name: str
    """slug: part of every key in the store, and of every token"""
    places: Places
    shifts: tuple[Shift, ...]
    """of all weekdays"""
    policy: Policy
    profile: Profile
    service_hours: tuple[int, int] | None
    timezone: str
    currency: str
    seed: int
    map: str
    """fingerprint of the streets, written in every log"""
    version: str
    calendar: Calendar = field(default_factory=Calendar)
    coming_days: int = 0
    """how many days beside the open one riders may book for"""
    fixed_lines: FixedLines | None = None
    """buses by the timetable, of which riders are told where they are faster"""

    @property
    def network(self) -> RoadNetwork:
        """The streets, stop points included as nodes."""
        return self.places.network

    @property
    def stops(self) -> tuple[StopPoint, ...]:
        """Where riders board and alight: the first places."""
        return self.places.stops

    def roads(self, closed: frozenset[int] = frozenset(), factor: float = 1.0) -> DriveTimes:
        """Driving times, with these edges closed and all drives lengthened by the factor."""
        every = dict.fromkeys(range(self.network.edges), 1 / factor) if factor != 1 else None
        return drive_times(self.network, self.places.nodes, profile=self.profile, closed=closed, speed_changes=every)

    def opening(self, day: str) -> Sequence[ev.Event]:
        """What the service day of this date starts from."""
        shifts = shifts_from(self.shifts, self.calendar, day, self.timezone, self.coming_days)
        at = min([0, *(shift.start for shift in shifts)])
        opened = ev.DayOpened(
            at=at,
            zero_utc=zero_utc_of(dt.date.fromisoformat(day), self.timezone),
            date=day,
            timezone=self.timezone,
            places=self.places.ids,
            place_nodes=tuple(self.places.nodes.tolist()),
            map=self.map,
            scenario=self.name,
            seed=self.seed,
            version=self.version,
            profile=tuple((step.from_s, step.speed_factor, step.classes) for step in self.profile),
            live=True,
        )
        return [opened, ev.PolicyChanged(at, self.policy), *(ev.ShiftOpened(at, shift) for shift in shifts)]

    def dispatched(self, times: DriveTimes | None = None) -> dispatcher.Zone:
        """What the dispatcher has to know."""
        return dispatcher.Zone(
            self.name, self.timezone, self.roads() if times is None else times, self.opening, self.roads
        )

    def end_at_stop(self, stop: str) -> End | None:
        """The end of a journey that lies at a stop point; None: there is no such one."""
        place = self.places.number.get(stop)
        return None if place is None or place >= len(self.stops) else self.places.end_at(place)

    def end_at(self, lat: float, lon: float, closed: Container[int] = ()) -> End | None:
        """The end of a journey at a point; None: no open stop point is within a walk."""
        network = self.network
        margin = FARTHEST_WALK_M if network.planar else FARTHEST_WALK_M / 50_000
        inside = (
            network.lat.min() - margin <= lat <= network.lat.max() + margin
            and network.lon.min() - margin <= lon <= network.lon.max() + margin
        )
        return self.places.nearest(lat, lon, closed) if inside else None

    def walk_ms(self, origin: End, destination: End) -> int:
        """On foot all the way, as the crow flies and a stated factor more, ms."""
        x, y = self.network.project([origin.lat, destination.lat], [origin.lon, destination.lon])
        return round(WALK_DETOUR * float(np.hypot(x[0] - x[1], y[0] - y[1])) / WALK_M_S * 1000)


@dataclass(frozen=True)
class Journey:
    """What somebody asks for, its ends found on the map. Times are ms of the service day."""

    origin: End
    destination: End
    depart_after: int | None = None
    """None: as soon as can be, or in time for `arrive_by`"""
    arrive_by: int | None = None
    seats: int = 1
    wheelchairs: int = 0
    origins: tuple[Access, ...] | None = None
    """stop points of an earlier request for the same origin; None: those within a walk of it"""
    destinations: tuple[Access, ...] | None = None
    latest_pickup: int | None = None
    latest_dropoff: int | None = None

    def back(self, depart_after: int | None) -> Journey:
        """The same people on the way back."""
        return replace(
            self, origin=self.destination, destination=self.origin, depart_after=depart_after, arrive_by=None
        )


def request_for(
    area: Area,
    times: DriveTimes,
    policy: Policy,
    journey: Journey,
    now: int,
    *,
    id: str,  # noqa: A002
    rider: str | None,
    closed: Container[int] = (),
    age: str | None = None,
    channel: str | None = None,
) -> RideRequest:
    """The core's request for a journey, as the simulator makes it of an attempt. Closed stop points are left out.

    `age` and `channel` label it for figures by group.
    """
    departs = max(now, journey.depart_after) if journey.depart_after is not None else now
    ends = np.array([[journey.origin.place], [journey.destination.place], [departs]], np.int64)
    ms, mm = direct(times, ends[0], ends[1], ends[2])
    if journey.arrive_by is not None and journey.depart_after is None:
        departs = leaves(policy, now, int(ms[0]), journey.arrive_by)
    origins, destinations = area.places.both_ends(
        journey.origin, journey.destination, policy.walk_m, policy.stop_choices, closed
    )
    if journey.origins is not None:
        origins = journey.origins
    if journey.destinations is not None:
        destinations = journey.destinations
    return RideRequest(
        id=id,
        origins=origins,
        destinations=destinations,
        direct=int(ms[0]),
        direct_mm=int(mm[0]),
        depart_after=departs,
        arrive_by=journey.arrive_by,
        latest_pickup=journey.latest_pickup,
        latest_dropoff=journey.latest_dropoff,
        seats=journey.seats,
        wheelchairs=journey.wheelchairs,
        rider=rider,
        age=age,
        channel=channel,
    )


def shift_hours(shifts: Sequence[Shift]) -> tuple[int, int]:
    """From the first shift's beginning to the last one's end, ms; a day where there is no bound."""
    ends = [shift.end for shift in shifts if shift.end < NEVER]
    return min((shift.start for shift in shifts), default=0), max(ends, default=DAY_MS)
