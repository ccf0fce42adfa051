"""Breaks that drivers ask for on the day: where the plan has room for one, with nobody aboard and every promise kept.

A break that is asked for is a fixed call like those of the shift: nothing is planned through it, and no better plan
moves it away. `LATER` is how much rides that come meanwhile may put it off. One that has begun may be ended early.
"""

from __future__ import annotations

from typing import Final

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.domain import NEVER, FixedCall
from dispatch.core.pack import write_call
from dispatch.core.schedule import timetable
from dispatch.core.timing import OK
from dispatch.core.world import Call

SOON: Final = 3_600_000
"""a break that has no room within an hour is refused"""
LATER: Final = 1_800_000


def plan_break(desk: Desk, name: str, duration: int, now: int, author: str) -> list[ev.Event]:
    """A break of so many ms as soon as there is room for it; where that is at once, it begins.

    Raises ValueError: `break_planned` where one is planned already, `no_break_now` where there is no room soon.
    """
    world, shuttle = desk.world, desk.world.shuttles[name]
    visits = shuttle.plan.visits
    fixed = {code: world.calls[code // 2].call for code in visits if world.ride_of(code) is None}
    if any(call.kind == "break" and call.earliest <= now + SOON for call in fixed.values()):
        raise ValueError("break_planned")
    number = len(world.numbered)
    write_call(desk.fleet, Call(number, FixedCall("break", now, NEVER, duration), name))  # the next number's own row
    last = len(visits) - (visits[-1] in fixed and fixed[visits[-1]].kind == "depot" if visits else 0)
    for after in range(int(shuttle.heading >= 0), last + 1):
        plan = (*visits[:after], 2 * number, *visits[after:])
        status, route = timetable(desk.fleet, desk.times, shuttle, plan, now)
        begins = int(route[f.BEGIN, after])
        if begins > now + SOON:
            break
        if status == OK:
            call = FixedCall("break", now, begins + LATER, duration)
            events: list[ev.Event] = [ev.BreakPlanned(now, name, call, after, author)]
            return events if after or begins > now else [*events, ev.CallMade(now, name, number)]
    raise ValueError("no_break_now")


def drop_break(desk: Desk, name: str, now: int, author: str) -> list[ev.Event]:
    """The next break of a shuttle's plan that its driver asked for is not taken. Raises ValueError: there is none."""
    world, shuttle = desk.world, desk.world.shuttles[name]
    for code in shuttle.plan.visits:
        if world.ride_of(code) is None and world.calls[code // 2].asked:
            return [ev.BreakDropped(now, name, code // 2, author)]
    raise ValueError("nothing_to_change")


def end_break(desk: Desk, name: str, now: int, author: str) -> list[ev.Event]:
    """The break that a driver asked for, and has, is over now. Raises ValueError `nothing_to_change`: there is none.

    No promise suffers: nobody is aboard, and a timetable fetches nobody earlier than their ride allows.
    """
    shuttle = desk.world.shuttles[name]
    if not shuttle.resting(now) or not desk.world.calls[shuttle.rests].asked:
        raise ValueError("nothing_to_change")
    return [ev.BreakEnded(now, name, author)]
