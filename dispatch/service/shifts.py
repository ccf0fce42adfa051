"""Operators and shuttles' working time: shifts of the open day and of those to come, rides moved off, shuttles back."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from fastapi import APIRouter, Query

from dispatch.core import events as ev
from dispatch.core import operating
from dispatch.core.carry import day_of
from dispatch.core.desk import Desk
from dispatch.core.domain import Shift
from dispatch.core.reactions import Reactions
from dispatch.service.auth import OperatorCaller, StaffCaller
from dispatch.service.driver_models import ShiftSaid
from dispatch.service.manifests import crew, shift_said
from dispatch.service.models import Done, Id
from dispatch.service.operator_models import ClearedSaid, ReasonAsk, ShiftAsk, ShiftEndAsk
from dispatch.service.problems import Problem, answers, refuse
from dispatch.service.shift_acts import LENT, end_at, new_shift
from dispatch.service.sign_in import LiveZone

router = APIRouter(prefix="/v1/operator", tags=["operator"])


@router.get("/shifts", responses=answers())
async def shifts(
    _: StaffCaller,
    live: LiveZone,
    day: Annotated[dt.date | None, Query(description="one of the days that can be booked; none: the open one")] = None,
) -> list[ShiftSaid]:
    """All shifts of a day."""
    working = await crew(live)
    asked = None if day is None or day.isoformat() == live.dispatcher.day else day.isoformat()
    return [
        shift_said(live, shuttle, working.get(name))
        for name, shuttle in live.world.shuttles.items()
        if day_of(name) == asked
    ]


@router.post(
    "/shifts", status_code=201, responses=answers("unknown_stop", "time_past", "time_beyond", "shift_taken", "lent_out")
)
async def open_shift(ask: ShiftAsk, caller: OperatorCaller, live: LiveZone) -> ShiftSaid:
    """A shift more, today or on a day to come: planned on from now."""
    live.require_ready()
    start, end = live.moments.ms(ask.start), live.moments.ms(ask.end)
    end_ = live.area.end_at_stop(ask.at_stop)
    if end_ is None:
        raise Problem("unknown_stop")
    if end <= max(start, live.now):
        raise Problem("time_past")
    if end > live.now + live.world.policy.horizon_s * 1000:
        raise Problem("time_beyond")
    if LENT in ask.vehicle:
        raise Problem("lent_out")
    await live.loans.check(live, ask.vehicle, start, end)
    node, date = int(live.area.places.nodes[end_.place]), live.moments.service_date(start).isoformat()

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        name = new_shift(desk.world, ask.vehicle, max(start, now), end, date)
        shift = Shift(name, ask.vehicle, node, max(start, now), end, ask.seats, ask.wheelchairs)
        return [ev.ShiftOpened(now, shift), ev.ActTaken(now, "open_shift", caller.subject, ask.reason, None, name)]

    done = await live.submit(decide)
    opened = next(event.shift.id for event in done.events if isinstance(event, ev.ShiftOpened))
    return shift_said(live, live.world.shuttles[opened], None)


@router.put("/shifts/{shift}", responses=answers("no_such_shuttle", "shift_not_open", "shift_taken", "still_planned"))
async def change_shift(shift: Id, ask: ShiftEndAsk, caller: OperatorCaller, live: LiveZone) -> ShiftSaid:
    """Let a shift end earlier or later. Earlier than its plan allows it cannot: move rides off it first."""
    live.shuttle(shift)
    end = live.moments.ms(ask.end)
    await live.loans.check(live, live.shuttle(shift).shift.vehicle, live.now, end)

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        act = ev.ActTaken(now, "change_shift", caller.subject, ask.reason, None, shift)
        return [act, end_at(desk, shift, end, now)]

    await live.submit(decide)
    return shift_said(live, live.world.shuttles[shift], (await crew(live)).get(shift))


@router.post("/shifts/{shift}/close", responses=answers("no_such_shuttle", "still_aboard"))
async def close_shift(shift: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> Done:
    """Close a shift on whose plan nobody is."""
    live.shuttle(shift)

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        shuttle = desk.world.shuttles[shift]
        if shuttle.state != "on":
            raise refuse("shift_not_open")
        if shuttle.aboard or any(desk.world.ride_of(code) is not None for code in shuttle.plan.visits):
            raise refuse("still_aboard")
        act = ev.ActTaken(now, "close_shift", caller.subject, ask.reason, None, shift)
        return [act, ev.ShiftClosed(now, shift)]

    await live.submit(decide)
    return Done()


@router.post("/shuttles/{shuttle}/clear", responses=answers("no_such_shuttle", "shift_not_open", "nothing_to_change"))
async def clear(shuttle: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> ClearedSaid:
    """Move all rides off a shuttle whose riders have not boarded yet. Others' promises hold; its own if that can be."""
    live.shuttle(shuttle)
    moved: list[str] = []
    left: list[str] = []

    def act(reactions: Reactions, now: int) -> None:
        world = reactions.desk.world
        own = world.shuttles[shuttle]
        if own.state != "on":
            raise refuse("shift_not_open")
        codes = [code for code in own.plan.visits if not code % 2 and world.ride_of(code) is not None]
        rides = [found.request.id for code in codes if (found := world.ride_of(code)) is not None]
        if not rides:
            raise refuse("nothing_to_change")
        reactions.record([ev.ActTaken(now, "clear", caller.subject, ask.reason, None, shuttle)])
        for ride in rides:
            try:
                follows = operating.assign(reactions.desk, ride, None, now)
            except ValueError:
                left.append(ride)
                continue
            reactions.record([ev.ActTaken(now, "assign", caller.subject, ask.reason, ride), *follows])
            moved.append(ride)

    await live.react(act)
    return ClearedSaid(moved=moved, left=left)


@router.post("/shuttles/{shuttle}/restore", status_code=201, responses=answers("no_such_shuttle", "nothing_to_change"))
async def restore(shuttle: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> ShiftSaid:
    """A shuttle that was taken out drives again, from where it stands until its shift was to end: as a new shift."""
    live.shuttle(shuttle)

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        old = desk.world.shuttles[shuttle]
        if old.state != "broken" or old.shift.end <= now:
            raise refuse("nothing_to_change")
        name = new_shift(desk.world, old.shift.vehicle, now, old.shift.end, live.dispatcher.day)
        calls = tuple(call for call in old.shift.calls if call.kind == "depot")
        shift = Shift(
            name, old.shift.vehicle, old.node, now, old.shift.end, old.shift.seats, old.shift.wheelchairs,
            old.shift.end_place, calls,
        )  # fmt: skip
        return [
            ev.ActTaken(now, "restore", caller.subject, ask.reason, None, shuttle),
            ev.ShiftClosed(now, shuttle),
            ev.ShiftOpened(now, shift),
        ]

    done = await live.submit(decide)
    opened = next(event.shift.id for event in done.events if isinstance(event, ev.ShiftOpened))
    return shift_said(live, live.world.shuttles[opened], None)
