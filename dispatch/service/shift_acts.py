"""What may be done to a shuttle's working time: nothing that lets it work in two places at once."""

from __future__ import annotations

import numpy as np

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.carry import on_day
from dispatch.core.desk import Desk
from dispatch.core.schedule import timetable
from dispatch.core.timing import OK
from dispatch.core.world import Shuttle, World
from dispatch.service.problems import refuse

LENT = "::"
"""between zone and vehicle in the name of a shuttle that another zone lends"""


def new_shift(world: World, vehicle: str, start: int, end: int, date: str) -> str:
    """Id of a shift more of a vehicle, on the service day of `date`. Raises Refused where it works then already."""
    overlapping(world, vehicle, start, end)
    taken, n = world.shuttles, 1
    while True:
        name = vehicle if n == 1 else f"{vehicle}#{n}"
        if world.opened is not None and date != world.opened.date:
            name = on_day(name, date)
        if name not in taken:
            return name
        n += 1


def overlapping(world: World, vehicle: str, start: int, end: int, but: str | None = None) -> None:
    """Raises Refused where a vehicle works between these times."""
    for name, other in world.shuttles.items():
        same = other.shift.vehicle == vehicle and other.state == "on" and name != but
        if same and other.shift.start < end and start < other.shift.end:
            raise refuse("shift_taken")


def end_at(desk: Desk, name: str, end: int, now: int) -> ev.ShiftChanged:
    """The shift ends then. Raises Refused where that cannot be."""
    shuttle = desk.world.shuttles[name]
    if shuttle.state != "on":
        raise refuse("shift_not_open")
    if LENT in shuttle.shift.vehicle and end > shuttle.shift.end:
        raise refuse("lent_out")
    if end == shuttle.shift.end:
        raise refuse("nothing_to_change")
    if end <= max(now, shuttle.shift.start):
        raise refuse("time_past")
    if end > shuttle.shift.end:
        overlapping(desk.world, shuttle.shift.vehicle, shuttle.shift.start, end, but=name)
    elif not _fits(desk, shuttle, end, now):
        raise refuse("still_planned")
    return ev.ShiftChanged(now, name, end)


def _fits(desk: Desk, shuttle: Shuttle, end: int, now: int) -> bool:
    """Is the plan over by then?"""
    status, route = timetable(desk.fleet, desk.times, shuttle, shuttle.plan.visits, now)
    return status == OK and not np.any(route[f.DONE] > end)
