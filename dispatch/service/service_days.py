"""Service days: when one is over and which one follows; which shifts are worked on which date.

That is by weekdays and holidays, also for the days to come that riders may book for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from msgspec.structs import replace

from dispatch.core.carry import on_day
from dispatch.core.domain import DAY_ENDS, NEVER, Shift
from dispatch.core.world import World
from dispatch.service.moments import zero_utc_of

Holiday = Literal["closed", "sunday"]
DAY_MS = 86_400_000
LONGEST_DAY = 2 * DAY_MS
SUNDAY = 6
BEGINS = DAY_ENDS - DAY_MS
"""a service day is open from 04:00 on"""
DAY_ENDS_AT_LATEST = 30 * 3_600_000
"""with riders on the road, the day closes two hours after `DAY_ENDS`"""


def is_over(world: World, now: int) -> bool:
    """Is the open day to be closed now?"""
    if now < DAY_ENDS:
        return False
    out = any(shuttle.aboard or shuttle.heading >= 0 for shuttle in world.shuttles.values())
    return not out or now >= DAY_ENDS_AT_LATEST


def next_open(before: str, day: str) -> str:
    """Date of the day to open after another (empty: none was): `day`, but never one again that was open already."""
    if day > before:
        return day
    # the clock was set back: the next day is the next day
    return (dt.date.fromisoformat(before) + dt.timedelta(days=1)).isoformat()


@dataclass(frozen=True)
class Calendar:
    """What a zone's file says of weekdays and holidays."""

    weekdays: Mapping[str, frozenset[int]] = field(default_factory=dict)
    """0 Monday … 6 Sunday, by shift; a shift that is not named is worked every day"""
    holidays: Mapping[str, Holiday] = field(default_factory=dict)
    """by date"""

    def closed(self, date: dt.date) -> bool:
        """A holiday without service."""
        return self.holidays.get(date.isoformat()) == "closed"

    def holiday(self, date: dt.date) -> bool:
        """A holiday of either kind."""
        return date.isoformat() in self.holidays

    def works(self, shift: str, date: dt.date) -> bool:
        """Is this shift worked on this date?"""
        if self.closed(date):
            return False
        weekday = SUNDAY if self.holiday(date) else date.weekday()
        days = self.weekdays.get(shift)
        return days is None or weekday in days


def shifts_from(
    shifts: Iterable[Shift], calendar: Calendar, day: str, timezone: str, coming_days: int
) -> Sequence[Shift]:
    """Shifts of a service day and of those to come, in its own time; the latter's ids tell of which day they are.

    Without days to come a shift that nobody bounded lasts until the day is over for certain; with them until the
    same vehicle works again.
    """
    every, first = list(shifts), dt.date.fromisoformat(day)
    zero = zero_utc_of(first, timezone)
    found: list[Shift] = []
    for n in range(coming_days + 1):
        date = first + dt.timedelta(days=n)
        later = zero_utc_of(date, timezone) - zero
        worked = (shift for shift in every if calendar.works(shift.id, date))
        found += (_on(shift, date.isoformat(), later) if n else shift for shift in worked)
    return [_bounded(shift, found) for shift in found]


def _on(shift: Shift, date: str, later: int) -> Shift:
    return replace(
        shift,
        id=on_day(shift.id, date),
        start=max(shift.start, BEGINS) + later,
        end=NEVER if shift.end >= NEVER else shift.end + later,
        calls=tuple(replace(c, earliest=c.earliest + later, latest=c.latest + later) for c in shift.calls),
    )


def _bounded(shift: Shift, others: Iterable[Shift]) -> Shift:
    following = (other.start for other in others if other.vehicle == shift.vehicle and other.start > shift.start)
    unbounded = shift.start // DAY_MS * DAY_MS + LONGEST_DAY
    return replace(shift, end=min(shift.end, unbounded, *following))
