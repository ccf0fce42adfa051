"""What goes over the wire between the service and its drivers."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from dispatch.service.models import Ask, Coordinate, Id, Moment, Position, Said, StopPointSaid, Text

Line = list[tuple[float, float]]


class ShiftSaid(Said):
    """A shift that the driver may work."""

    id: str
    vehicle: str
    start: dt.datetime
    end: dt.datetime
    state: Literal["on", "broken", "closed"]
    driver: str | None
    """who works it; none: nobody yet"""


class Fix(Ask):
    """One position. The same ones again, late ones and those out of order do no harm."""

    at: Moment
    lat: Coordinate
    lon: Coordinate


class PositionsAsk(Ask):
    """Positions since the last time."""

    positions: Annotated[list[Fix], Field(min_length=1, max_length=1000)]


class DriverEvent(Ask):
    """Something that happened, by the driver's own clock."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """the telephone's own: the same event again has the same id"""
    at: Moment
    kind: Literal["departed", "arrived", "boarded", "not_there", "alighted", "call"]
    """`call`: the break, timetabled call or depot that is next begins"""
    stop: Id | None = None
    """arrived at; departed to"""
    ride: Id | None = None
    """who boarded, was not there, alighted"""
    code: Annotated[str, Field(pattern=r"^[0-9]{4}$")] | None = None
    """that the rider showed, where it is asked for"""


class EventsAsk(Ask):
    """What happened since the last time, in any order."""

    events: Annotated[list[DriverEvent], Field(min_length=1, max_length=500)]


class Outcome(Said):
    """What became of one event."""

    id: str
    outcome: Literal["counted", "repeated", "refused"]
    code: str | None = None
    words: str | None = None
    at: dt.datetime | None = None
    """its time in the log"""


class Boarding(Said):
    """Who gets in or out."""

    ride: str
    name: str | None
    """none: not known, or no longer on this shuttle's plan"""
    note: str | None
    seats: int
    wheelchairs: int
    not_before: dt.datetime | None
    """the promised window opens then"""
    not_after: dt.datetime | None
    arrive_by: dt.datetime | None
    """promised latest drop-off"""
    awaited_until: dt.datetime | None
    """the shuttle waits for them until then; from then on `not_there` is a no-show"""


class InOrOut(Said):
    """One booking getting in or out."""

    ride: str
    does: Literal["board", "alight"]


class ManifestStopSaid(Said):
    """One planned stop."""

    stop: StopPointSaid | None
    """none: a break wherever the shuttle is"""
    here: bool
    """the shuttle stands there"""
    leave_at: dt.datetime | None
    """latest sensible departure towards it"""
    arrive_at: dt.datetime
    begin_at: dt.datetime
    """boarding or alighting begins"""
    done_at: dt.datetime
    boarding: list[Boarding]
    alighting: list[Boarding]
    order: list[InOrOut]
    """as planned; who comes otherwise may get in or out otherwise"""
    aboard_after: int
    fixed: Literal["break", "timetable", "depot"] | None
    asked: bool
    """a break that the driver has asked for, and may give up"""


class Drive(Said):
    """The drive under way."""

    to: StopPointSaid
    since: dt.datetime
    """when the shuttle was at the line's first point"""
    arrive_at: dt.datetime
    line: Line
    """[lon, lat] of the way"""
    reach_s: list[float]
    """seconds after `since` at which each point is reached"""


class ManifestSaid(Said):
    """A shuttle's stops, and what it is doing now."""

    shift: ShiftSaid
    now: dt.datetime
    version: int
    """of the plan: rises with every change"""
    position: Position
    aboard: int
    drive: Drive | None
    ready_at: dt.datetime
    """where it stands: free from then on; where it turns: at the next junction then"""
    may_end_break: bool
    """until then the driver has a break that was asked for"""
    wait_at: StopPointSaid | None
    """where to wait while there is nothing to do"""
    no_show_grace_s: int
    """how long to wait for who is not there, from `not_there` or from when their window opens"""
    stops: list[ManifestStopSaid]


class Street(Said):
    """A street to follow."""

    name: str
    """empty where the map has none"""
    length_m: int


class Leg(Said):
    """The way to one stop from the one before, or from where the shuttle is."""

    to: StopPointSaid
    line: Line
    """[lon, lat]"""
    streets: list[Street]


class WaySaid(Said):
    """The way ahead: the next few stops' legs, so that a telephone without connection still has them."""

    version: int
    """of the plan"""
    legs: list[Leg]


class EventsSaid(Said):
    """What became of the events, in the order given, and what is to be done now."""

    outcomes: list[Outcome]
    manifest: ManifestSaid


class BreakAsk(Ask):
    """A break that the shift does not have, as soon as there is room for it."""

    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    """the telephone's own: asked for again with the same id, it is the same break"""
    minutes: Annotated[int, Field(ge=5, le=60)]


class TroubleAsk(Ask):
    """Something is wrong."""

    kind: Literal["breakdown", "cannot_reach_stop", "other"]
    """a breakdown takes the shuttle out; the others are alerts to the operators"""
    stop: Id | None = None
    words: Text | None = None
