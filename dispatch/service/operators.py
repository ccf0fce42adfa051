"""Operators act on rides, shuttles, streets and rules; each act with author and reason, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from fastapi import APIRouter, Response
from msgspec import structs
from starlette.concurrency import run_in_threadpool

from dispatch.core import events as ev
from dispatch.core import operating
from dispatch.core.desk import Desk
from dispatch.core.reactions import Reactions
from dispatch.core.world import Ride
from dispatch.service.auth import OperatorCaller, StaffCaller
from dispatch.service.callers import note
from dispatch.service.coming import Coming
from dispatch.service.drivers import take_out
from dispatch.service.live import Live
from dispatch.service.looking import story
from dispatch.service.manifests import crew
from dispatch.service.models import Done, Id
from dispatch.service.operator_models import (
    AssignAsk,
    MessageAsk,
    MessageSaid,
    PolicyAsk,
    PolicySaid,
    ReasonAsk,
    RoadsAsk,
    RoadsSaid,
    StateSaid,
    StorySaid,
    StreetsAsk,
)
from dispatch.service.outbox import Message
from dispatch.service.policies import changed
from dispatch.service.problems import Problem, answers, refuse
from dispatch.service.sign_in import LiveZone
from dispatch.service.states import state_said

router = APIRouter(prefix="/v1/operator", tags=["operator"])


def _ride(live: Live, ride: str) -> Ride:
    found = live.ride(ride)
    if found is None:
        raise Problem("no_such_ride")
    return found


# acting on rides and shuttles


def _unseen(live: Live, act: ev.ActTaken, seen: int | None) -> None:
    """Raises Problem if another operator has acted on this ride or shuttle since what this one has seen."""
    for entry in live.ledger.entries[live.ledger.seq if seen is None else seen :]:
        event = entry.event
        if isinstance(event, ev.ActTaken) and event.author != act.author:
            same_ride = act.request is not None and event.request == act.request
            same_shuttle = act.request is None and act.shuttle is not None and event.shuttle == act.shuttle
            if same_ride or same_shuttle:
                raise Problem("acted_meanwhile")


async def _act(live: Live, act: ev.ActTaken, seen: int | None = None) -> None:
    """Do it, or say why not; the act and what follows from it are one commit."""
    _unseen(live, act, seen)

    def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
        try:
            events = operating.follow(desk, structs.replace(act, at=now), now)
        except ValueError as reason:
            raise refuse(str(reason)) from None
        yield structs.replace(act, at=now)
        yield from events

    await live.submit(decide)


@router.post("/rides/{ride}/assign", responses=answers("no_such_ride", "no_such_shuttle", "not_possible"))
async def assign(ride: Id, ask: AssignAsk, caller: OperatorCaller, live: LiveZone) -> StorySaid:
    """Move a ride to a shuttle, or (none named) off its own. Others' promises hold; its own is replaced if need be."""
    _ride(live, ride)
    if ask.shuttle is not None:
        live.shuttle(ask.shuttle)
    await _act(live, ev.ActTaken(0, "assign", caller.subject, ask.reason, ride, ask.shuttle), ask.seen)
    return await story(ride, caller, live)


@router.post("/rides/{ride}/lock", responses=answers("no_such_ride", "ride_not_open"))
async def lock(ride: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> StorySaid:
    """Keep a ride on its shuttle."""
    return await _lock(live, ride, ask, caller, "lock")


@router.post("/rides/{ride}/unlock", responses=answers("no_such_ride", "ride_not_open"))
async def unlock(ride: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> StorySaid:
    """Let it be moved again."""
    return await _lock(live, ride, ask, caller, "unlock")


async def _lock(live: Live, ride: str, ask: ReasonAsk, caller: OperatorCaller, what: ev.Act) -> StorySaid:
    found = _ride(live, ride)
    if found.state not in ("booked", "stranded"):
        raise Problem("ride_not_open")
    act = ev.ActTaken(0, what, caller.subject, ask.reason, ride)
    _unseen(live, act, ask.seen)
    if found.locked == (what == "lock"):
        raise Problem("nothing_to_change")
    await _act(live, act)
    return await story(ride, caller, live)


@router.post("/shuttles/{shuttle}/withdraw", responses=answers("no_such_shuttle", "shift_not_open"))
async def withdraw(shuttle: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> StateSaid:
    """Take a shuttle out where it is; who is aboard gets out at the next stop point, everybody gets another one."""
    live.shuttle(shuttle)
    act = ev.ActTaken(0, "withdraw", caller.subject, ask.reason, None, shuttle)
    _unseen(live, act, ask.seen)
    await take_out(live, shuttle, act)
    return state_said(live, await crew(live))


@router.post("/pause", responses=answers("nothing_to_change"))
async def pause(ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> Done:
    """Take no new rides. What was promised is driven."""
    if live.world.paused:
        raise Problem("nothing_to_change")
    await _act(live, ev.ActTaken(0, "pause", caller.subject, ask.reason))
    return Done()


@router.post("/resume", responses=answers("nothing_to_change"))
async def resume(ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> Done:
    """Take new rides again."""
    if not live.world.paused:
        raise Problem("nothing_to_change")
    await _act(live, ev.ActTaken(0, "resume", caller.subject, ask.reason))
    return Done()


# roads


@router.post("/roads/close", responses=answers("no_such_edge", "no_street_there", "nothing_to_change"))
async def close_roads(ask: RoadsAsk, caller: OperatorCaller, live: LiveZone) -> RoadsSaid:
    """Close streets from now on: all plans are timed anew, endangered promises saved or their riders told."""
    edges = [edge for edge in await _edges(live, ask) if edge not in live.world.closed_edges]
    return await _change_roads(live, edges, ev.RoadClosed(0, tuple(edges), caller.subject, ask.reason))


@router.post("/roads/reopen", responses=answers("no_such_edge", "no_street_there", "nothing_to_change"))
async def reopen_roads(ask: RoadsAsk, caller: OperatorCaller, live: LiveZone) -> RoadsSaid:
    """Open them again."""
    edges = [edge for edge in await _edges(live, ask) if edge in live.world.closed_edges]
    return await _change_roads(live, edges, ev.RoadReopened(0, tuple(edges), caller.subject, ask.reason))


async def _edges(live: Live, ask: StreetsAsk) -> list[int]:
    if ask.edges is not None:
        if max(ask.edges, default=0) >= live.area.network.edges:
            raise Problem("no_such_edge")
        return sorted(set(ask.edges))
    if ask.line is not None:
        found = await run_in_threadpool(live.maps.meeting, ask.line)
    else:
        assert ask.box is not None
        found = live.maps.within(*ask.box)
    if not found:
        raise Problem("no_street_there")
    return found


async def _change_roads(live: Live, edges: list[int], change: ev.RoadClosed | ev.RoadReopened) -> RoadsSaid:
    live.require_ready()
    if not edges:
        raise Problem("nothing_to_change")

    def decide(reactions: Reactions, now: int) -> None:
        reactions.change_roads(structs.replace(change, at=now), now)

    done = await live.react(decide)
    return RoadsSaid(edges=edges, id=f"{done.day}:{done.seq}")


@router.post("/roads/meeting", response_class=Response, responses=answers("no_such_edge", "no_street_there"))
async def meeting(ask: StreetsAsk, _: OperatorCaller, live: LiveZone) -> Response:
    """Which streets these are, as GeoJSON: to be looked at before they are closed."""
    return Response(live.maps.streets(await _edges(live, ask)), media_type="application/geo+json")


# rules


@router.get("/policy", responses=answers())
async def policy(_: StaffCaller, live: LiveZone) -> PolicySaid:
    """The rules in force, and those to come."""
    moments = live.moments
    coming = [
        {
            "from_at": moments.told(one.utc - moments.zero_utc).isoformat(),
            "author": one.author,
            "reason": one.reason,
            "changes": one.changes,
        }
        for one in await live.coming.all(live)
    ]
    return PolicySaid(policy=msgspec.to_builtins(live.world.policy), coming=coming)


@router.put("/policy", responses=answers("time_past"))
async def change_policy(ask: PolicyAsk, caller: OperatorCaller, live: LiveZone) -> PolicySaid:
    """Change rules, now or from a time on. Promises made keep the rules under which they were made."""
    live.require_ready()
    changed(live.world.policy, ask.changes)
    if ask.from_at is None:
        await live.coming.put_in_force(live, caller.subject, ask.reason, ask.changes)
    else:
        at = live.moments.ms(ask.from_at)
        if at <= live.now:
            raise Problem("time_past")
        from_at = ask.from_at.isoformat()
        await note(live, ev.ActTaken(0, "policy", caller.subject, ask.reason, made=from_at))
        await live.coming.add(live, [Coming(at + live.moments.zero_utc, caller.subject, ask.reason, ask.changes)])
    return await policy(caller, live)


# words


@router.post("/messages", status_code=202, responses=answers("no_such_rider"))
async def message(ask: MessageAsk, caller: OperatorCaller, live: LiveZone) -> MessageSaid:
    """Words to one rider, or to all with an open ride; sent through the outbox."""
    live.require_ready()
    if ask.rider is not None:
        if not await live.vault.known(ask.rider):
            raise Problem("no_such_rider")
        riders = [ask.rider]
    else:
        open_ = ("queued", "booked", "aboard", "stranded")
        rides = live.world.rides.values()
        riders = sorted({r.request.rider for r in rides if r.state in open_ and r.request.rider is not None})
    words: dict[str, str | int | None] = {"words": ask.words}
    letters = [Message(way, rider, "words", values=words) for rider in riders for way in live.channels]
    await note(live, ev.ActTaken(0, "message", caller.subject, ask.reason, about=ask.rider), lambda *_: letters)
    return MessageSaid(riders=len(riders))
