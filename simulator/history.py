"""Days gone by as counts: how many asked for a ride in each part of town and hour, read from logs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from dispatch.core import events as ev
from routing.errors import InputError
from simulator.forecast import Counts, working_day
from simulator.journeys import journeys
from simulator.outputs import read_events

HOURS = 30
"""of a service day: it closes at 04:00, seconds may pass 86,400"""


def counted(events: Iterable[ev.Event], zone: Sequence[int]) -> Counts:
    """(zones, hours) attempts by the departure first asked for; `zone` is that of each place."""
    counts = np.zeros((max(zone, default=0) + 1, HOURS))
    for journey in journeys(events).values():
        hour = min(journey.depart // 3_600_000, HOURS - 1)
        counts[zone[journey.first.origins[0].place], hour] += 1
    return counts


def read_history(logs: Sequence[Path], zone: Sequence[int]) -> tuple[Counts, list[bool]]:
    """((days, zones, hours) counts in order of the dates, whether each is a working day).

    Raises InputError for logs of other stop points, for a day that is there twice, and for fewer than five days.
    """
    found: dict[str, tuple[tuple[str, ...], Counts]] = {}
    for log in logs:
        events = list(read_events(log))
        opened = events[0] if events else None
        if not isinstance(opened, ev.DayOpened):
            raise InputError("does not begin with a day", file=log, expected="a log that Naru wrote")
        if len(opened.places) != len(zone) or any(opened.places != places for places, _ in found.values()):
            raise InputError("has other stop points than the days before it", file=log, expected="logs of one town")
        if opened.date in found:
            raise InputError(f"{opened.date} is there twice", file=log, expected="one log a day")
        found[opened.date] = opened.places, counted(events, zone)
    if len(found) < 5:
        raise InputError(f"{len(found)} days are too few to learn from", expected="five or more")
    dates = sorted(found)
    return np.stack([found[date][1] for date in dates]), [working_day(date) for date in dates]
