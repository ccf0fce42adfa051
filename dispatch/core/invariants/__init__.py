"""What must hold of every day, judged from its log alone: `check(events, times)` gives the violations.

This is a fold of its own. It shares no code with the world, the timetable or the kernels, so that a mistake in them is
not repeated here; it believes only the log's inputs and the free driving times, and re-tells the day from them.
`rules.INVARIANTS` tells what each is and which module judges it; `day.Day` is what the log has told so far.

Every time bound is one that can be proven. Given `reroute`, drives are judged on the roads as they then were; without
it closures only lengthen drives, so the table of the day's start stays a lower bound, and a change of speed scales it.
A promise may be broken only by a fact of the world (a closure, a breakdown, a slow drive, a late rider), and then the
rider must have been told by 30 s after the moment at which it was broken.
"""

from __future__ import annotations

from collections.abc import Iterable

from dispatch.core.events import AnyEvent
from dispatch.core.invariants.day import Day, Reroute
from dispatch.core.invariants.log import read
from dispatch.core.invariants.rules import Violation
from routing.travel_times import DriveTimes


def check(
    events: Iterable[AnyEvent], times: DriveTimes | None = None, reroute: Reroute | None = None
) -> list[Violation]:
    """Violations of a day's log, in the order in which they showed.

    `times` are the driving times of the day's start; `reroute` makes those after a closure. Without them drives are
    not judged against the road, and whoever was told of a risk is taken to have been told for a reason.
    """
    day = Day(times, reroute)
    for event in events:
        read(day, event)
    return day.violations
