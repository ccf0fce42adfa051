"""What operators and planners see: the state now and at any past moment, of this day and of days that are over."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
from bisect import bisect_right
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime
from starlette.concurrency import run_in_threadpool

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core import kpi
from dispatch.core.desk import Desk
from dispatch.service.auth import OperatorCaller, StaffCaller
from dispatch.service.ledger import Entry, written
from dispatch.service.live import Live
from dispatch.service.manifests import crew
from dispatch.service.maps import Maps
from dispatch.service.models import Id
from dispatch.service.moments import Moments
from dispatch.service.operator_models import AlertSaid, BeforeSaid, DaySaid, LogLine, StateSaid, StorySaid
from dispatch.service.positions import Line, line
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone
from dispatch.service.states import alerts, ride_line, state_said, state_then
from dispatch.service.streaming import frame, stream
from dispatch.service.views import end_said, ride_said

router = APIRouter(prefix="/v1/operator", tags=["operator"])
POSITIONS_S = 1.0
"""seconds between frames with all positions"""
GATHER_S = 0.3
"""about so long lines of the log are gathered, that many who watch a busy day cost riders little"""
At = Annotated[AwareDatetime | None, Query(description="a past moment of any day that has a log; none: now")]
Day = Annotated[dt.date | None, Query(description="a service day that has a log; none: the open one")]
THEN = answers("no_such_moment", "starting", "other_map", "log_unreadable")
OF_DAY = answers("no_such_day", "log_unreadable")


@router.get("/state", responses=THEN)
async def state(_: StaffCaller, live: LiveZone, at: At = None) -> StateSaid:
    """The whole state of the zone."""
    live.require_ready()
    if at is None:
        await live.settled()
        return state_said(live, await crew(live))
    utc = _utc(at)
    day = await live.past.at(live, utc)
    if day is not None:
        moment = utc - day.moments.zero_utc
        return state_then(day, await day.desk(moment), moment, day.log.events[: day.log.upto(moment)], {})
    moment = _of_open_day(live, utc)
    world, times = await live.dispatcher.state_at(at=moment), live.dispatcher.desk.times
    if world.closed_edges.keys() != live.world.closed_edges.keys() or world.speed_factor != live.world.speed_factor:
        times = await run_in_threadpool(live.area.roads, frozenset(world.closed_edges), world.speed_factor)
    return state_then(live, Desk(times, world=world), moment, _upto(live, moment), await crew(live))


def _utc(at: dt.datetime) -> int:
    """ms since 1970. Raises Problem for a moment that no log can be of."""
    try:
        return round(at.timestamp() * 1000)
    except (OverflowError, ValueError):
        raise Problem("no_such_moment") from None


def _of_open_day(live: Live, utc: int) -> int:
    """ms of the open day. Raises Problem for a moment of which its log knows nothing."""
    if not live.ledger.entries or not live.opened_utc <= utc <= live.moments.zero_utc + live.now:
        raise Problem("no_such_moment")
    return utc - live.moments.zero_utc


def _upto(live: Live, moment: int) -> Sequence[ev.AnyEvent]:
    """The open day's events up to a moment."""
    entries = live.ledger.entries
    return [entry.event for entry in entries[: bisect_right(entries, moment, key=lambda entry: entry.event.at)]]


@router.get("/days", responses=answers())
async def days(_: StaffCaller, live: LiveZone) -> list[DaySaid]:
    """The days that can be looked at, the open one last."""
    live.require_ready()
    told, zero = live.moments.told, live.moments.zero_utc
    over = [
        DaySaid(day=dt.date.fromisoformat(span.day), begins=told(span.begins - zero), ends=told(span.ends - zero))
        for span in await live.past.spans(live)
    ]
    return [
        *over,
        DaySaid(day=dt.date.fromisoformat(live.dispatcher.day), begins=told(live.opened_utc - zero), ends=None),
    ]


@router.get(
    "/live", response_class=StreamingResponse, responses=answers(frames="LogLine, or `positions` of all shuttles")
)
async def follow(
    _: StaffCaller,
    live: LiveZone,
    last: Annotated[str | None, Header(alias="Last-Event-ID", max_length=40)] = None,
) -> StreamingResponse:
    """The log as it is written (`event: log`), from after `Last-Event-ID` on, and positions every second."""

    async def frames() -> AsyncIterator[bytes]:
        viewer, clock = live.ledger.watch(), asyncio.get_running_loop().time
        try:
            entries, positions_at = live.ledger.after(last), clock()
            while True:
                told = [_entry_frame(entry) for entry in entries]
                if clock() >= positions_at:
                    told.append(live.positions_frame())
                    positions_at = clock() + POSITIONS_S
                if told:
                    yield b"".join(told)
                # not all at the same moment: riders wait meanwhile
                await asyncio.sleep(GATHER_S * (0.5 + random.random()))
                more = await viewer.next(positions_at - clock())
                if more is None:
                    return
                entries = more
        finally:
            live.ledger.leave(viewer)

    return stream(frames())


def _entry_frame(entry: Entry) -> bytes:
    """A line as a frame of a stream: made once for all who watch."""
    if not entry.frame:
        entry.frame = frame(b'{"seq":%d,"event":%b}' % (entry.seq, written(entry)), event="log", id=entry.id)
    return entry.frame


@router.get("/alerts", responses=answers())
async def all_alerts(_: StaffCaller, live: LiveZone) -> list[AlertSaid]:
    """What calls for a person, worst first."""
    return alerts(live)


@router.get("/kpis", responses=OF_DAY)
async def figures(_: StaffCaller, live: LiveZone, day: Day = None) -> dict[str, Any]:
    """A day's figures; the open one's so far."""
    if (over := _over(live, day)) is not None:
        return await run_in_threadpool(kpi.figures, (await live.past.log(live, over)).events)
    return await run_in_threadpool(kpi.figures, [entry.event for entry in live.ledger.entries])


@router.get("/kpis/before", responses=answers())
async def figures_before(_: StaffCaller, live: LiveZone) -> BeforeSaid:
    """The day before up to the same time of day, and what is aimed at."""
    return await live.yesterday.said(live)


@router.get("/log", responses=OF_DAY)
async def log(
    _: StaffCaller,
    live: LiveZone,
    after: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    day: Day = None,
) -> list[LogLine]:
    """Lines of a day's log after one of them."""
    if (over := _over(live, day)) is None:
        return [_line_said(live.moments, entry) for entry in live.ledger.entries[after : after + limit]]
    past = await live.past.log(live, over)
    some = enumerate(past.events[after : after + limit], after + 1)
    return [_line_said(past.moments, Entry(over, seq, event)) for seq, event in some]


def _over(live: Live, day: dt.date | None) -> str | None:
    """A day other than the open one."""
    asked = None if day is None else day.isoformat()
    return None if asked == live.dispatcher.day else asked


@router.get("/log/export", response_class=Response, responses=answers("starting", "no_such_day", "log_unreadable"))
async def export_log(_: StaffCaller, live: LiveZone, day: Day = None) -> Response:
    """A day's log, the open one's so far, as `naru check` and `naru replay` read it."""
    zero, events = live.moments.zero_utc, [entry.event for entry in live.ledger.entries]
    if (over := _over(live, day)) is not None:
        past = await live.past.log(live, over)
        zero, events = past.moments.zero_utc, list(past.events)
    lines = b"".join(ev.log_line(event, seq, zero) for seq, event in enumerate(events, 1))
    return Response(lines, media_type="application/x-ndjson")


def _line_said(moments: Moments, entry: Entry, moved_to: str | None = None) -> LogLine:
    at = moments.told(entry.event.at)
    return LogLine(id=entry.id, seq=entry.seq, at=at, event=msgspec.json.decode(written(entry)), moved_to=moved_to)


@router.get("/rides/{ride}", responses=answers("no_such_ride"))
async def story(ride: Id, _: OperatorCaller, live: LiveZone) -> StorySaid:
    """All about one ride: who, where, and everything that happened to it."""
    found = live.ride(ride)
    if found is None:
        raise Problem("no_such_ride")
    rider = found.request.rider
    person = {} if rider is None else await live.vault.get(rider, "person") or {}
    said, moves = ride_said(live, found), live.ledger.moves.get(ride, {})
    return StorySaid(
        ride=ride_line(live, found),
        name=person.get("name"),
        phone=person.get("phone"),
        pickup=said.pickup or end_said(live, found.request.origins[0]),
        dropoff=said.dropoff or end_said(live, found.request.destinations[0]),
        story=[_line_said(live.moments, entry, moves.get(entry.seq)) for entry in live.ledger.story(ride)],
    )


@router.get("/shuttles/{shuttle}/way", response_class=Response, responses=answers("no_such_shuttle"))
async def way(shuttle: Id, _: StaffCaller, live: LiveZone) -> Response:
    """The streets that a shuttle's plan takes, as GeoJSON: a LineString each drive between places."""
    found = live.shuttle(shuttle)
    desk, network = live.dispatcher.desk, live.area.network
    k, node, row = int(desk.fleet.shuttles[found.row, f.SLICE]), found.node, desk.fleet.routes[found.row]
    drives: list[Line] = []
    for place in dict.fromkeys(int(row[f.PLACE, n]) for n in range(len(found.plan.visits))):
        if place >= 0:
            drives.append(line(network, desk.times, k, node, place)[0])
            node = int(live.area.places.nodes[place])
    lines = [{"type": "LineString", "coordinates": points} for points in drives if len(points) > 1]
    features = [{"type": "Feature", "properties": {"drive": n}, "geometry": one} for n, one in enumerate(lines)]
    content = msgspec.json.encode({"type": "FeatureCollection", "features": features})
    return Response(content, media_type="application/geo+json")


@router.get("/roads/closed", response_class=Response, responses=THEN)
async def closed_roads(_: StaffCaller, live: LiveZone, at: At = None) -> Response:
    """Closed streets as GeoJSON."""
    if at is None:
        return _streets(live.maps, set(live.world.closed_edges))
    utc, maps = _utc(at), live.maps
    day = await live.past.at(live, utc)
    if day is None:
        events = _upto(live, _of_open_day(live, utc))
    else:
        events = day.log.events[: day.log.upto(utc - day.moments.zero_utc)]
        maps = maps if day.area is live.area else Maps(day.area)
    closed: set[int] = set()
    for event in events:
        if isinstance(event, ev.RoadClosed):
            closed.update(event.edges)
        elif isinstance(event, ev.RoadReopened):
            closed.difference_update(event.edges)
    return _streets(maps, closed)


def _streets(maps: Maps, edges: set[int]) -> Response:
    return Response(maps.streets(sorted(edges)), media_type="application/geo+json")
