"""Operators edit stop points: closed or opened at once, added, moved or renamed from the next day on."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import StringConstraints

from dispatch.core import events as ev
from dispatch.core import operating
from dispatch.core.places import End
from dispatch.core.reactions import Reactions
from dispatch.core.world import Ride
from dispatch.service.auth import OperatorCaller, StaffCaller, reference
from dispatch.service.callers import note
from dispatch.service.changes import replace_booking
from dispatch.service.live import Live
from dispatch.service.models import Coordinate, Id, Name, Said
from dispatch.service.operator_models import ReasonAsk
from dispatch.service.problems import Problem, answers, refuse
from dispatch.service.sign_in import LiveZone
from dispatch.service.stop_edits import StopEdit, nearest_node
from dispatch.service.zone import Journey

router = APIRouter(prefix="/v1/operator/stop-points", tags=["operator"])
StopId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,40}$")]


class AddStopAsk(ReasonAsk):
    """A stop point more."""

    stop: StopId
    name: Name
    lat: Coordinate
    lon: Coordinate


class MoveStopAsk(ReasonAsk):
    """To another place, under another name, or both."""

    name: Name | None = None
    lat: Coordinate | None = None
    lon: Coordinate | None = None


class StopSaid(Said):
    """A stop point as operators see it."""

    id: str
    name: str
    lat: float
    lon: float
    closed: bool


class EditSaid(Said):
    """A change that is in force from a later day on."""

    kind: Literal["add", "move", "rename"]
    stop: str
    from_day: dt.date
    name: str | None
    lat: float | None
    lon: float | None
    author: str
    reason: str


class StopsSaid(Said):
    """Stop points of the open day, and what will be otherwise."""

    stop_points: list[StopSaid]
    coming: list[EditSaid]


class ClosedSaid(Said):
    """What became of the bookings to and from a stop point that was closed."""

    moved: dict[str, str]
    """the ride that took its place, to or from another stop point within what was promised, by ride"""
    at_risk: list[str]
    """no other one serves: their riders have been told; call them, or let the driver serve the stop point still"""


@router.get("", responses=answers())
async def stop_points(_: StaffCaller, live: LiveZone) -> StopsSaid:
    """All of them."""
    closed = live.world.closed_places
    return StopsSaid(
        stop_points=[
            StopSaid(id=stop.id, name=stop.name, lat=stop.lat, lon=stop.lon, closed=place in closed)
            for place, stop in enumerate(live.area.stops)
        ],
        coming=[_edit_said(edit) for edit in live.set_up.coming(live.dispatcher.day)],
    )


@router.post("/{stop}/close", responses=answers("unknown_stop", "nothing_to_change"))
async def close(stop: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> ClosedSaid:
    """Close a stop point at once. Bookings move to the nearest open one within their promise, or their riders are told.

    Riders get a message either way. Who is aboard and bound for it is told, too, and an alert asks for a call.
    """
    live.require_ready()
    place = _place(live, stop)
    moved: dict[str, str] = {}
    at_risk: list[str] = []

    def act(reactions: Reactions, now: int) -> None:
        desk = reactions.desk
        if place in desk.world.closed_places:
            raise refuse("nothing_to_change")
        taken = ev.ActTaken(now, "close_stop", caller.subject, ask.reason, place=place)
        reactions.record([taken])
        reactions.record(operating.follow(desk, taken, now))
        met = [ride for ride in desk.world.rides.values() if place in (ride.pickup, ride.dropoff)]
        for ride in met:
            if ride.state == "booked":
                _move(live, reactions, ride, taken, moved, at_risk)
            elif ride.state == "aboard" and ride.dropoff == place:
                at_risk.append(ride.request.id)

    await live.react(act)
    for old, new in moved.items():
        ride = live.ride(old)
        if ride is not None and ride.request.rider is not None:
            await live.recurring.answered(live, ride.request.rider, old, new)
    return ClosedSaid(moved=moved, at_risk=at_risk)


def _move(
    live: Live, reactions: Reactions, ride: Ride, act: ev.ActTaken, moved: dict[str, str], at_risk: list[str]
) -> None:
    """A booking to or from a closed stop point: another stop point within its promise, or its rider is told."""
    request, promise, name, now = ride.request, ride.promise, ride.request.id, act.at
    assert promise is not None
    closed = reactions.desk.world.closed_places
    origin, goal = _open_end(live, ride.pickup), _open_end(live, ride.dropoff)
    if origin is None or goal is None or origin.place == goal.place:
        if ride.late_dropoff is None:
            told = ev.ActTaken(now, "tell", act.author, act.reason, name)
            reactions.record([told])
            reactions.record(operating.follow(reactions.desk, told, now))
        at_risk.append(name)
        return
    boards = next(access for access in request.origins if access.place == ride.pickup)
    leaves = next(access for access in request.destinations if access.place == ride.dropoff)
    # who has to walk to another stop point sets out earlier, to be there within the window that was promised
    walk = origin.walk if ride.pickup in closed else boards.walk
    journey = Journey(
        origin, goal, max(promise.pickup_from - walk, now), None, request.seats, request.wheelchairs,
        origins=None if ride.pickup in closed else (boards,),
        destinations=None if ride.dropoff in closed else (leaves,),
        latest_pickup=promise.pickup_to, latest_dropoff=promise.dropoff_by,
    )  # fmt: skip
    new = reference()
    if replace_booking(live, reactions, name, new, journey, now, None):
        moved[name] = new
    else:
        at_risk.append(name)


def _open_end(live: Live, place: int) -> End | None:
    stop = live.area.stops[place]
    closed = live.world.closed_places
    return live.area.places.end_at(place) if place not in closed else live.area.end_at(stop.lat, stop.lon, closed)


@router.post("/{stop}/open", responses=answers("unknown_stop", "nothing_to_change"))
async def open_again(stop: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> StopsSaid:
    """Open it again, at once."""
    live.require_ready()
    place = _place(live, stop)

    def act(reactions: Reactions, now: int) -> None:
        if place not in reactions.desk.world.closed_places:
            raise refuse("nothing_to_change")
        reactions.record([ev.ActTaken(now, "open_stop", caller.subject, ask.reason, place=place)])

    await live.react(act)
    return await stop_points(caller, live)


@router.post("", status_code=201, responses=answers("stop_known", "off_the_streets"))
async def add(ask: AddStopAsk, caller: OperatorCaller, live: LiveZone) -> StopsSaid:
    """A stop point more, from the next day on. It lies at the junction or stop nearest to the place."""
    live.require_ready()
    if ask.stop in live.area.places.number or any(e.stop == ask.stop for e in live.set_up.edits if e.kind == "add"):
        raise Problem("stop_known")
    return await _edit(live, caller, ask.reason, StopEdit("add", ask.stop, "", "", "", ask.name, ask.lat, ask.lon))


@router.put("/{stop}", responses=answers("unknown_stop", "off_the_streets"))
async def move(stop: Id, ask: MoveStopAsk, caller: OperatorCaller, live: LiveZone) -> StopsSaid:
    """Move or rename it, from the next day on: bookings until then go to where it is now."""
    live.require_ready()
    _place(live, stop)
    if (ask.lat is None) != (ask.lon is None) or (ask.lat is None and ask.name is None):
        raise Problem("invalid", fields=["body: name lat and lon, or a name"])
    kind: Literal["move", "rename"] = "rename" if ask.lat is None else "move"
    return await _edit(live, caller, ask.reason, StopEdit(kind, stop, "", "", "", ask.name, ask.lat, ask.lon))


async def _edit(live: Live, caller: OperatorCaller, reason: str, edit: StopEdit) -> StopsSaid:
    if edit.lat is not None and edit.lon is not None and nearest_node(live.area, edit.lat, edit.lon) is None:
        raise Problem("off_the_streets")
    day = (dt.date.fromisoformat(live.dispatcher.day) + dt.timedelta(days=1)).isoformat()
    made = StopEdit(edit.kind, edit.stop, day, caller.subject, reason, edit.name, edit.lat, edit.lon)
    what = f"{edit.kind}, from {day} on"
    await note(live, ev.ActTaken(0, "edit_stop", caller.subject, reason, about=edit.stop, made=what))
    await live.set_up.add(made)
    return await stop_points(caller, live)


def _place(live: Live, stop: str) -> int:
    end = live.area.end_at_stop(stop)
    if end is None:
        raise Problem("unknown_stop")
    return end.place


def _edit_said(edit: StopEdit) -> EditSaid:
    return EditSaid(
        kind=edit.kind,
        stop=edit.stop,
        from_day=dt.date.fromisoformat(edit.day),
        name=edit.name,
        lat=edit.lat,
        lon=edit.lon,
        author=edit.author,
        reason=edit.reason,
    )
