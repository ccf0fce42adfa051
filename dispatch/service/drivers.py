"""Drivers: shifts, positions, events, manifest, trouble."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from msgspec import structs

from dispatch.core import events as ev
from dispatch.core.carry import day_of
from dispatch.core.desk import Desk
from dispatch.core.reactions import Reactions
from dispatch.service import driving
from dispatch.service.auth import DriverCaller, boarding_code
from dispatch.service.driver_models import (
    BreakAsk,
    DriverEvent,
    EventsAsk,
    EventsSaid,
    Fix,
    ManifestSaid,
    Outcome,
    PositionsAsk,
    ShiftSaid,
    TroubleAsk,
    WaySaid,
)
from dispatch.service.live import Live
from dispatch.service.manifests import crew, crew_key, manifest_said, shift_said, way_said
from dispatch.service.models import Done, Id
from dispatch.service.positions import Heard, progress
from dispatch.service.problems import Problem, answers, refuse
from dispatch.service.sign_in import LiveZone
from dispatch.service.standing import note_missed
from dispatch.service.streaming import KEEP_ALIVE, frame, stream

router = APIRouter(prefix="/v1/driver", tags=["driver"])
AHEAD_MS = 120_000
"""an event from farther ahead of the service's clock than this is refused"""
LATER_MS = 60_000
"""a shuttle so much behind its timetable is noted"""
MANIFEST_S = 15.0


async def own_shift(shift: Id, caller: DriverCaller, live: LiveZone) -> str:
    """A shift that the calling driver works. Raises Problem: another's does not exist."""
    live.require_ready()
    redis: Any = live.redis
    driver = await redis.hget(crew_key(live), shift)
    if shift not in live.world.shuttles or driver != caller.subject.encode():
        raise Problem("no_such_shift")
    return shift


OwnShift = Annotated[str, Depends(own_shift)]


@router.get("/shifts", responses=answers("no_such_driver"))
async def shifts(caller: DriverCaller, live: LiveZone) -> list[ShiftSaid]:
    """Shifts of the driver's vehicle, or of any if they drive any."""
    vehicle = await _vehicle(live, caller.subject)
    working = await crew(live)
    return [
        shift_said(live, shuttle, working.get(name))
        for name, shuttle in live.world.shuttles.items()
        if vehicle in (None, shuttle.shift.vehicle) and day_of(name) is None
    ]


async def _vehicle(live: Live, driver: str) -> str | None:
    known = await live.vault.driver(driver)
    if known is None:
        raise Problem("no_such_driver")
    vehicle: str | None = known["vehicle"]
    return vehicle


@router.post("/shifts/{shift}/start", responses=answers("no_such_shift", "no_such_driver", "shift_taken"))
async def start(shift: Id, caller: DriverCaller, live: LiveZone) -> ManifestSaid:
    """Begin to work a shift: from now on its manifest is yours."""
    live.require_ready()
    vehicle = await _vehicle(live, caller.subject)
    shuttle = live.world.shuttles.get(shift)
    if shuttle is None or vehicle not in (None, shuttle.shift.vehicle) or day_of(shift) is not None:
        raise Problem("no_such_shift")
    if shuttle.state != "on":
        raise Problem("shift_not_open")
    redis: Any = live.redis
    await redis.hsetnx(crew_key(live), shift, caller.subject)
    if await redis.hget(crew_key(live), shift) != caller.subject.encode():
        raise Problem("shift_taken")
    return await manifest_said(live, shift)


@router.post("/shifts/{shift}/end", responses=answers("no_such_shift", "still_aboard"))
async def end(shift: OwnShift, caller: DriverCaller, live: LiveZone) -> Done:
    """End a shift: nobody is aboard, nobody is to be picked up."""

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        shuttle = driving.working(desk, shift)
        if any(desk.world.ride_of(code) is not None for code in shuttle.plan.visits):
            raise refuse("still_aboard")
        return [
            ev.ActTaken(now, "close_shift", f"driver:{caller.subject}", "end of work", None, shift),
            ev.ShiftClosed(now, shift),
        ]

    await live.submit(decide)
    redis: Any = live.redis
    await redis.hdel(crew_key(live), shift)
    return Done()


@router.get("/shifts/{shift}/manifest", responses=answers("no_such_shift"))
async def manifest(shift: OwnShift, live: LiveZone) -> ManifestSaid:
    """What is to be done, in order, and the way ahead."""
    await live.settled()
    return await manifest_said(live, shift)


@router.get("/shifts/{shift}/way", responses=answers("no_such_shift"))
async def way(shift: OwnShift, live: LiveZone) -> WaySaid:
    """The streets ahead, as lines for a map and by name."""
    await live.settled()
    return way_said(live, shift)


@router.get(
    "/shifts/{shift}/live",
    response_class=StreamingResponse,
    responses=answers("no_such_shift", frames="ManifestSaid"),
)
async def follow(shift: OwnShift, live: LiveZone) -> StreamingResponse:
    """Follow a manifest: server-sent events, each a `ManifestSaid`, at once and whenever it has changed."""

    async def frames() -> AsyncIterator[bytes]:
        viewer = live.ledger.watch(shift)
        try:
            while shift in live.world.shuttles:
                told = await manifest_said(live, shift)
                yield frame(told.model_dump_json().encode(), event="manifest")
                if told.shift.state != "on":
                    return
                entries = await viewer.next(MANIFEST_S)
                if entries is None:
                    return
                if not entries:
                    yield KEEP_ALIVE
        finally:
            live.ledger.leave(viewer)

    return stream(frames())


# what drivers tell


@router.post("/shifts/{shift}/positions", status_code=202, responses=answers("no_such_shift"))
async def positions(shift: OwnShift, asked: PositionsAsk, live: LiveZone) -> Done:
    """Positions since the last time. Kept for a day at most; the log has only what moves the timetable."""
    now = live.now
    fixes = [(fix, live.moments.ms(fix.at)) for fix in asked.positions]
    fixes = sorted(((fix, at) for fix, at in fixes if at <= now + AHEAD_MS), key=lambda pair: pair[1])
    if not fixes:
        raise Problem("clock_wrong")
    await live.vault.note_positions(shift, [(live.moments.zero_utc + at, fix.lat, fix.lon) for fix, at in fixes])
    last, at = fixes[-1]
    known = live.heard.get(shift)
    if known is None or known.at < at:
        live.heard[shift] = Heard(min(at, now), last.lat, last.lon)
        await _note_lateness(live, shift, last, at)
    return Done()


async def _note_lateness(live: Live, shift: str, fix: Fix, at: int) -> None:
    """Where the position shows that the shuttle is later than its timetable has it, the log is told."""
    desk = live.dispatcher.desk
    shuttle = live.world.shuttles[shift]
    if shuttle.heading < 0 or shuttle.state != "on" or at <= shuttle.at:
        return
    on_way = progress(live.area.network, desk, shuttle, fix.lat, fix.lon)
    late = 0 if on_way is None else at - shuttle.at - on_way.spent
    if on_way is not None and late > LATER_MS:
        await live.submit(driving.report(shift, on_way.node, shuttle.at + on_way.to_node + late))


@router.post("/shifts/{shift}/events", responses=answers("no_such_shift"))
async def events(shift: OwnShift, asked: EventsAsk, live: LiveZone) -> EventsSaid:
    """What happened, each counted once: sent again it is `repeated`, what comes too late to be true is `refused`."""
    outcomes = {
        event.id: await _count(live, shift, event) for event in sorted(asked.events, key=lambda event: event.at)
    }
    return EventsSaid(
        outcomes=[outcomes[event.id] for event in asked.events], manifest=await manifest_said(live, shift)
    )


async def _count(live: Live, shift: str, event: DriverEvent) -> Outcome:
    try:
        own = live.moments.ms(event.at)
        if own > live.now + AHEAD_MS:
            raise Problem("clock_wrong")
        fact = _fact(live, shift, event)

        def decide(desk: Desk, now: int) -> list[ev.Event]:
            return fact(desk, max(desk.world.now, min(own, now)))

        body = hashlib.sha256(event.model_dump_json().encode()).digest()
        done = await live.submit(decide, key=f"driver:{shift}:{event.id}", body=body)
    except Problem as problem:
        if problem.status >= 500:
            raise
        return Outcome(id=event.id, outcome="refused", code=problem.code, words=problem.title)
    if not done.replayed and any(isinstance(fact, ev.NoShow) for fact in done.events):
        missed = live.ride(event.ride or "")
        if missed is not None:
            await note_missed(live, missed, "no_show")
    at = done.events[-1].at if done.events else live.now
    return Outcome(id=event.id, outcome="repeated" if done.replayed else "counted", at=live.moments.told(at))


def _fact(live: Live, shift: str, event: DriverEvent) -> driving.Fact:
    """What an event says. Raises Problem where it does not say enough."""
    if event.kind in ("boarded", "alighted", "not_there"):
        if event.ride is None:
            raise Problem("invalid", fields=["ride: is missing"])
        if event.code is not None and event.code != boarding_code(live.keys, event.ride):
            raise Problem("wrong_boarding_code")
        made = {"boarded": driving.board, "alighted": driving.alight, "not_there": driving.miss}[event.kind]
        return made(shift, event.ride)
    if event.kind == "call":
        return driving.make_call(shift)
    place = None if event.stop is None else live.area.places.number.get(event.stop)
    if event.stop is not None and place is None:
        raise Problem("unknown_stop")
    if event.kind == "departed":
        return driving.depart(shift, place)
    if place is None:
        raise Problem("invalid", fields=["stop: is missing"])
    return driving.arrive(shift, place)


@router.post("/shifts/{shift}/break", responses=answers("no_such_shift", "shift_not_open", "no_break_now"))
async def take_break(shift: OwnShift, ask: BreakAsk, caller: DriverCaller, live: LiveZone) -> ManifestSaid:
    """Take a break: at once, or as soon as nobody is aboard and every promise is kept. The manifest says when."""
    fact = driving.take_break(shift, ask.minutes * 60_000, f"driver:{caller.subject}")
    body = hashlib.sha256(ask.model_dump_json().encode()).digest()
    await live.submit(fact, key=f"driver:{shift}:break:{ask.id}", body=body)
    return await manifest_said(live, shift)


@router.delete("/shifts/{shift}/break", responses=answers("no_such_shift", "nothing_to_change"))
async def give_up_break(shift: OwnShift, caller: DriverCaller, live: LiveZone) -> ManifestSaid:
    """Take no break after all. One that has begun is ended another way."""
    await live.submit(driving.give_up_break(shift, f"driver:{caller.subject}"))
    return await manifest_said(live, shift)


@router.post("/shifts/{shift}/break/end", responses=answers("no_such_shift", "nothing_to_change"))
async def leave_break(shift: OwnShift, caller: DriverCaller, live: LiveZone) -> ManifestSaid:
    """Go on before a break that was asked for is over: the shuttle is ready from now on."""
    await live.submit(driving.leave_break(shift, f"driver:{caller.subject}"))
    return await manifest_said(live, shift)


@router.post("/shifts/{shift}/trouble", responses=answers("no_such_shift", "shift_not_open"))
async def trouble(shift: OwnShift, asked: TroubleAsk, live: LiveZone) -> ManifestSaid:
    """A breakdown takes the shuttle out and finds its riders another one; all else is an alert to the operators."""
    if asked.kind == "breakdown":
        await take_out(live, shift, None)
    await live.note_trouble(shift, asked.kind, asked.stop, asked.words)
    return await manifest_said(live, shift)


async def take_out(live: Live, shift: str, act: ev.ActTaken | None) -> None:
    """A shuttle goes no further; its riders get another one, within their promises if that can be."""

    def decide(reactions: Reactions, now: int) -> None:
        driving.working(reactions.desk, shift)
        if act is not None:
            reactions.record([structs.replace(act, at=now, shuttle=shift)])
        reactions.break_down(shift, now)

    await live.react(decide)
