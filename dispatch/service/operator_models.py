"""What goes over the wire between the service and its operators and planners."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, model_validator

from dispatch.service.models import (
    Ask,
    Coordinate,
    EndSaid,
    Id,
    Moment,
    Name,
    Phone,
    Reason,
    Said,
    StopPointSaid,
    Text,
    Why,
)

Point = tuple[Coordinate, Coordinate]
"""lat, lon"""


class VisitSaid(Said):
    """One visit of a plan."""

    kind: Literal["pickup", "dropoff", "break", "timetable", "depot"]
    ride: str | None
    stop: str | None
    begin_at: dt.datetime
    latest: dt.datetime | None
    """promised"""
    slack_s: int | None
    """by how much it could begin later without breaking anything"""
    load_after: int


class ShuttleSaid(Said):
    """One shuttle."""

    id: str
    vehicle: str
    state: Literal["on", "broken", "closed"]
    driver: str | None
    lat: float
    lon: float
    heading_to: str | None
    aboard: int
    seats: int
    wheelchairs: int
    late: bool
    heard_s_ago: int | None
    break_until: dt.datetime | None
    """its driver has a break until then"""
    shift_start: dt.datetime
    shift_end: dt.datetime
    plan_version: int
    plan: list[VisitSaid]


class RideLine(Said):
    """A ride as operators see it: by the rider's pseudonym."""

    id: str
    rider: str | None
    state: str
    asked_at: dt.datetime
    depart_after: dt.datetime
    pickup: StopPointSaid | None
    dropoff: StopPointSaid | None
    origin: StopPointSaid
    destination: StopPointSaid
    seats: int
    wheelchairs: int
    shuttle: str | None
    pickup_from: dt.datetime | None
    pickup_to: dt.datetime | None
    arrive_by: dt.datetime | None
    late: bool
    locked: bool
    why: Why | None
    """of rides refused or queued"""


class StateSaid(Said):
    """The whole state of the zone at one moment."""

    id: str = Field(description="day and line of the log: streams go on from here")
    day: str
    seq: int
    at: dt.datetime
    log_from: dt.datetime
    """the earliest moment that can be looked at"""
    paused: bool
    policy: str
    policy_version: int
    closed_edges: int
    speed_factor: float
    shuttles: list[ShuttleSaid]
    rides: list[RideLine]
    """open ones, and those ended in the last half hour"""
    queue: list[str]


class DaySaid(Said):
    """A service day that can be looked at."""

    day: dt.date
    begins: dt.datetime
    ends: dt.datetime | None
    """none: it is the open one"""


class AlertSaid(Said):
    """Something an operator should see to."""

    kind: Literal["broken", "unplaced", "at_risk", "late", "silent", "trouble"]
    at: dt.datetime
    shuttle: str | None
    ride: str | None
    words: str
    said: str | None = None
    """by the driver, in their own words"""
    trouble: str | None = None
    """its kind, as the driver named it"""
    act: Literal["withdraw", "assign", "call", "none"]
    """what answers it"""


class LogLine(Said):
    """One event of the log, pseudonymous."""

    id: str
    seq: int
    at: dt.datetime
    event: dict[str, Any]
    moved_to: str | None = None
    """of a ride's story, where plans changed: the shuttle that the ride is on from then"""


class StorySaid(Said):
    """All about one ride."""

    ride: RideLine
    name: str | None
    phone: str | None
    pickup: EndSaid | None
    dropoff: EndSaid | None
    story: list[LogLine]


class ReasonAsk(Ask):
    """Every act has a reason: it is in the log."""

    reason: Reason
    seen: Annotated[int, Field(ge=0, le=10**9)] | None = None
    """line of the log up to which the operator had seen what they act on: an act of another one since is a conflict"""


class AssignAsk(ReasonAsk):
    """To which shuttle; none: to any other than its own."""

    shuttle: Id | None = None


class StreetsAsk(Ask):
    """Streets: those named, those that a drawn line meets, or those within a box."""

    edges: Annotated[list[Annotated[int, Field(ge=0, le=10**8)]], Field(max_length=20_000)] | None = None
    line: Annotated[list[Point], Field(min_length=2, max_length=200)] | None = None
    box: tuple[Coordinate, Coordinate, Coordinate, Coordinate] | None = None
    """south, west, north, east"""

    @model_validator(mode="after")
    def one_of(self) -> Self:
        """Exactly one way to name them."""
        if sum(part is not None for part in (self.edges, self.line, self.box)) != 1:
            raise ValueError("name edges, a line or a box")
        return self


class RoadsAsk(StreetsAsk, ReasonAsk):
    """Streets to close or open again."""


class RoadsSaid(Said):
    """Streets closed or open again."""

    edges: list[int]
    id: str


class PolicyAsk(ReasonAsk):
    """Rules to change; the others stay as they are."""

    changes: dict[Annotated[str, Field(max_length=40)], JsonValue]
    from_at: Moment | None = None
    """none: now"""


class PolicySaid(Said):
    """The rules in force, and those to come."""

    policy: dict[str, Any]
    coming: list[dict[str, Any]]


class RiderAsk(ReasonAsk):
    """A rider without a smartphone."""

    phone: Phone
    name: Name | None = None


class RiderFound(Said):
    """Their pseudonym: name it in `?rider=` of the riders' routes."""

    rider: str


class MessageAsk(ReasonAsk):
    """Words to one rider, or to all with an open ride."""

    rider: Id | None = None
    words: Text


class MessageSaid(Said):
    """How many it goes to."""

    riders: int


class AnswerAsk(ReasonAsk):
    """The answer to a complaint: its words go to the rider's own things, the reason to the log."""

    words: Text
    reason: Reason = "answered"


class PaidAsk(ReasonAsk):
    """State of a payment, as the cashier has it."""

    state: Literal["due", "paid", "refunded"]
    reference: Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{4,100}$")]


class ShiftAsk(ReasonAsk):
    """A shift more."""

    vehicle: Id
    start: Moment
    end: Moment
    at_stop: Id
    """where it begins"""
    seats: Annotated[int, Field(ge=1, le=500)]
    wheelchairs: Annotated[int, Field(ge=0, le=100)] = 0


class ShiftEndAsk(ReasonAsk):
    """When a shift is to end."""

    end: Moment


class ClearedSaid(Said):
    """What became of a shuttle's rides."""

    moved: list[str]
    left: list[str]
    """no other shuttle can take these and keep all promises"""


class DriverAsk(ReasonAsk):
    """A driver, their PIN and vehicle."""

    pin: Annotated[str, Field(pattern=r"^[0-9]{4,12}$")]
    vehicle: Id | None = None
    """none: any"""


class DriverSaid(Said):
    """A driver; the PIN is told to nobody."""

    driver: str
    vehicle: str | None


class BeforeSaid(Said):
    """Figures of the day before, to hold today's against."""

    day: str | None
    """none: no day before is known"""
    so_far: dict[str, Any] | None
    """to the same time of day"""
    targets: dict[str, float]
    """what the operator or a trial has set itself"""


class ReportLink(Said):
    """Where a report can be read for a minute, without a token: a page cannot send one with a frame."""

    url: str


ResultKind = Literal["day", "trial", "sweep", "calibration"]


class ResultSaid(Said):
    """An output folder of a simulated day, a trial, a sweep or a calibration."""

    name: str
    kind: ResultKind
    at: dt.datetime
    """when it was written"""
    kpis: dict[str, Any]
    """of a day; of others, their report tells"""
    report: bool
