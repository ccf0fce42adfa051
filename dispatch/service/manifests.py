"""A shuttle's manifest as its driver reads it: stops, who gets in and out, the way ahead."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from dispatch.core import fleet as f
from dispatch.core.world import Ride, Shuttle
from dispatch.service.driver_models import (
    Boarding,
    Drive,
    InOrOut,
    Leg,
    ManifestSaid,
    ManifestStopSaid,
    ShiftSaid,
    Street,
    WaySaid,
)
from dispatch.service.driving import waited_out
from dispatch.service.live import NOBODY, Live, Person
from dispatch.service.positions import edges_ahead, line
from dispatch.service.views import position_said, stop_said
from routing.directions import streets_along
from routing.travel_times import QUARTER_MS

FAR_END_MS = 2 * 86_400_000
LEGS = 5
"""so many are told ahead"""


async def crew(live: Live) -> dict[str, str]:
    """Driver of each shift that somebody works."""
    redis: Any = live.redis
    found = await redis.hgetall(crew_key(live))
    return {str(shift, "ascii"): str(driver, "ascii") for shift, driver in found.items()}


def crew_key(live: Live) -> str:
    """Where it is kept."""
    return f"{{{live.area.name}}}:crew:{live.dispatcher.day}"


def shift_said(live: Live, shuttle: Shuttle, driver: str | None) -> ShiftSaid:
    """A shift."""
    told = live.moments.told
    return ShiftSaid(
        id=shuttle.shift.id,
        vehicle=shuttle.shift.vehicle,
        start=told(shuttle.shift.start),
        end=told(min(shuttle.shift.end, FAR_END_MS)),
        state=shuttle.state,
        driver=driver,
    )


class Visit(Struct, frozen=True):
    """One visit of a plan with its times. `ride` None: a fixed call."""

    code: int
    ride: Ride | None
    place: int
    begin: int
    done: int
    load: int
    fixed: str | None


def visits_of(live: Live, shuttle: Shuttle) -> list[Visit]:
    """A shuttle's plan with its timetable."""
    route = live.dispatcher.desk.fleet.routes[shuttle.row]
    out = []
    for k, code in enumerate(shuttle.plan.visits):
        ride = live.world.ride_of(code)
        fixed = None if ride is not None else live.world.calls[code // 2].call.kind
        place, begin, done, load = (int(route[row, k]) for row in (f.PLACE, f.BEGIN, f.DONE, f.LOAD))
        out.append(Visit(code, ride, place, begin, done, load, fixed))
    return out


async def manifest_said(live: Live, name: str) -> ManifestSaid:
    """What a shuttle is to do. Names are those of riders on its plan, and of nobody else."""
    shuttle = live.world.shuttles[name]
    desk, told = live.dispatcher.desk, live.moments.told
    people = {}
    for visit in visits_of(live, shuttle):
        if visit.ride is not None:
            people[visit.ride.request.id] = await live.person_of(visit.ride.request.rider)
    driver = (await crew(live)).get(name)
    # while names were looked up the plan may have become another one: it is read now, in one go
    groups = itertools.groupby(visits_of(live, shuttle), key=lambda visit: (visit.place, visit.fixed))
    drive = None
    if shuttle.heading >= 0:
        k = int(desk.fleet.shuttles[shuttle.row, f.SLICE])
        points, reach = line(live.area.network, desk.times, k, shuttle.node, shuttle.heading)
        drive = Drive(
            to=stop_said(live, shuttle.heading),
            since=told(shuttle.at),
            arrive_at=told(shuttle.at + int(desk.times.table[k, shuttle.node, shuttle.heading])),
            line=points,
            reach_s=reach,
        )
    return ManifestSaid(
        shift=shift_said(live, shuttle, driver),
        now=told(live.now),
        version=shuttle.plan.version,
        position=position_said(live, name),
        aboard=shuttle.aboard,
        drive=drive,
        ready_at=told(shuttle.at),
        may_end_break=shuttle.resting(live.now) and live.world.calls[shuttle.rests].asked,
        wait_at=None if shuttle.idle_goal is None else stop_said(live, shuttle.idle_goal),
        no_show_grace_s=live.world.policy.no_show_grace_s,
        stops=[_stop_said(live, shuttle, list(group), people) for _, group in groups],
    )


def _stop_said(live: Live, shuttle: Shuttle, visits: Sequence[Visit], people: Mapping[str, Person]) -> ManifestStopSaid:
    told, first = live.moments.told, visits[0]
    arrive, leave = first.begin, None
    if shuttle.plan.visits[0] == first.code and first.place >= 0 and shuttle.heading < 0:
        drive = live.dispatcher.desk.times.longest(shuttle.node, first.place)
        leave = shuttle.at if shuttle.aboard else max(shuttle.at, first.begin - drive)
        arrive = min(first.begin, leave + drive)
    return ManifestStopSaid(
        stop=None if first.place < 0 else stop_said(live, first.place),
        here=shuttle.heading < 0 and (first.place < 0 or shuttle.node == int(live.area.places.nodes[first.place])),
        leave_at=None if leave is None else told(leave),
        arrive_at=told(arrive),
        begin_at=told(first.begin),
        done_at=told(visits[-1].done),
        boarding=[_boarding(live, shuttle, v.ride, people) for v in visits if v.ride is not None and v.code % 2 == 0],
        alighting=[_boarding(live, shuttle, v.ride, people) for v in visits if v.ride is not None and v.code % 2],
        order=[
            InOrOut(ride=v.ride.request.id, does="alight" if v.code % 2 else "board")
            for v in visits
            if v.ride is not None
        ],
        aboard_after=visits[-1].load,
        fixed=first.fixed,  # type: ignore[arg-type]
        asked=first.ride is None and live.world.calls[first.code // 2].asked,
    )


def _boarding(live: Live, shuttle: Shuttle, ride: Ride, people: Mapping[str, Person]) -> Boarding:
    person = people.get(ride.request.id, NOBODY)
    promise = ride.promise if ride.state == "booked" else None
    awaited = shuttle.awaits.get(ride.request.id)
    until = None if awaited is None else waited_out(live.world.policy, ride, awaited)
    return Boarding(
        ride=ride.request.id,
        name=person.name,
        note=person.note,
        seats=ride.request.seats,
        wheelchairs=ride.request.wheelchairs,
        not_before=None if promise is None else live.moments.told(promise.pickup_from),
        not_after=None if promise is None else live.moments.told(promise.pickup_to),
        arrive_by=None if ride.promise is None else live.moments.told(ride.promise.dropoff_by),
        awaited_until=live.moments.told_or_none(until),
    )


def way_said(live: Live, name: str) -> WaySaid:
    """The next legs of a shuttle's plan, on the roads as they are now."""
    shuttle, times = live.world.shuttles[name], live.dispatcher.desk.times
    goals = [] if shuttle.heading < 0 else [(shuttle.heading, shuttle.at)]
    goals += [(visit.place, visit.begin) for visit in visits_of(live, shuttle) if visit.place >= 0]
    legs: list[Leg] = []
    node = shuttle.node
    for goal, at in goals:
        end = int(times.place_nodes[goal])
        if end == node or len(legs) == LEGS:
            continue
        k = int(times.slices[min(max(at, 0) // QUARTER_MS, len(times.slices) - 1)])
        legs.append(
            Leg(
                to=stop_said(live, goal),
                line=line(live.area.network, times, k, node, goal)[0],
                streets=[
                    Street(name=street.name, length_m=round(street.metres))
                    for street in streets_along(live.area.network, edges_ahead(times, k, node, goal))
                ],
            )
        )
        node = end
    return WaySaid(version=shuttle.plan.version, legs=legs)
