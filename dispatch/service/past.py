"""Days that are over, as their logs tell: those that lie in the store still, and those that have left it for files.

A log that lies in the store is read by the page, one in a file in another thread; worlds are folded a piece at a time,
so that riders are answered meanwhile.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct
from starlette.concurrency import run_in_threadpool

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.fold import fold_in
from dispatch.core.world import World
from dispatch.service.archive import LOGS, moved_to
from dispatch.service.moments import Moments
from dispatch.service.problems import Problem
from dispatch.service.service_days import DAY_ENDS_AT_LATEST
from dispatch.service.store import event_of

if TYPE_CHECKING:
    from dispatch.service.live import Live
    from dispatch.service.zone import Area

KEPT: Final = 2
"""days read last are held"""
PIECE: Final = 250
"""events folded at once"""
MARK_EVERY: Final = 5_000
"""events between worlds that are kept, so that the next moment is near one"""
_decode_world = msgspec.msgpack.Decoder(World).decode


class Span(Struct, frozen=True):
    """A day, and when its log begins and ends, ms since 1970."""

    day: str
    begins: int
    ends: int


@dataclass
class PastLog:
    """The log of a day that is over."""

    day: str
    moments: Moments
    events: Sequence[ev.AnyEvent]
    _marks: dict[int, bytes] = field(default_factory=dict)

    def upto(self, at: int) -> int:
        """How many events had happened at a time, ms of this day."""
        return bisect_right(self.events, at, key=lambda event: event.at)

    async def world(self, at: int) -> World:
        """The world at a time, ms of this day."""
        count = self.upto(at)
        start = max((mark for mark in self._marks if mark <= count), default=0)
        world = _decode_world(self._marks[start]) if start else World()
        for first in range(start, count, PIECE):
            for event in self.events[first : min(first + PIECE, count)]:
                fold_in(world, event)
            if world.seq % MARK_EVERY == 0:
                self._marks[world.seq] = world.encoded()
            await asyncio.sleep(0)
        return world


@dataclass(frozen=True)
class PastDay:
    """A day that is over: its log, and the zone as it was then."""

    log: PastLog
    area: Area

    @property
    def moments(self) -> Moments:
        """For its times at the edge."""
        return self.log.moments

    async def desk(self, at: int) -> Desk:
        """A desk on the world at a time, ms of this day, with the roads as they were."""
        world = await self.log.world(at)
        times = await run_in_threadpool(self.area.roads, frozenset(world.closed_edges), world.speed_factor)
        return Desk(times, world=world)


class Past:
    """The days of a zone that are over."""

    def __init__(self) -> None:
        self._opened: dict[str, ev.DayOpened | None] = {}
        self._logs: dict[str, PastLog] = {}

    async def spans(self, live: Live) -> list[Span]:
        """All of them, earliest first. A day lasts until the next one begins, or as long as a day may."""
        today, moved = live.dispatcher.day, await run_in_threadpool(_moved, live)
        held = set(await live.dispatcher.store.days())
        for day in (moved | held) - self._opened.keys():
            if day in held:
                pages = live.dispatcher.store.lines(day, 0, 1)
                self._opened[day] = _opening([line async for page in pages for _, line in page])
            else:
                self._opened[day] = await run_in_threadpool(_first, _path(live, day))
        begins = {day: one.zero_utc + one.at for day, one in self._opened.items() if one is not None and day < today}
        begins[today] = live.opened_utc
        ends = sorted(begins.values())[1:]
        spans = []
        for (day, begun), end in zip(sorted(begins.items()), ends, strict=False):
            opened = self._opened[day]
            assert opened is not None
            spans.append(Span(day, begun, min(end, opened.zero_utc + DAY_ENDS_AT_LATEST)))
        return spans

    async def at(self, live: Live, utc: int) -> PastDay | None:
        """The day of a moment, ms since 1970; None: that is none of the days that are over."""
        days = [span.day for span in await self.spans(live) if span.begins <= utc < live.opened_utc]
        return await self.day(live, days[-1]) if days else None

    async def day(self, live: Live, day: str) -> PastDay:
        """A day that is over. Raises Problem as `log` does, and where it is of another map."""
        log = await self.log(live, day)
        opened, area = log.events[0], await run_in_threadpool(live.set_up.area_of, day)
        assert isinstance(opened, ev.DayOpened)
        if (opened.places, list(opened.place_nodes)) != (area.places.ids, area.places.nodes.tolist()):
            raise Problem("other_map")
        return PastDay(log, area)

    async def log(self, live: Live, day: str) -> PastLog:
        """The log of a day that is over. Raises Problem where there is none, or none that can be read."""
        if day not in self._logs:
            read = await self._read(live, day)
            while len(self._logs) >= KEPT:
                self._logs.pop(next(iter(self._logs)))
            self._logs[day] = read
        return self._logs[day]

    async def _read(self, live: Live, day: str) -> PastLog:
        if day >= live.dispatcher.day:
            raise Problem("no_such_day")
        store, events = live.dispatcher.store, list[ev.AnyEvent]()
        if day in await store.days():
            async for page in store.lines(day):
                events += [event_of(line) for _, line in page]
        else:
            events = await run_in_threadpool(_log, _path(live, day))
        opened = events[0] if events else None
        if not isinstance(opened, ev.DayOpened):
            raise Problem("log_unreadable")
        return PastLog(day, Moments(opened.zero_utc, opened.timezone), events)


def _path(live: Live, day: str) -> Path:
    return moved_to(live.settings.data_dir / LOGS, live.area.name, day)


def _moved(live: Live) -> set[str]:
    """Days whose log has left the store."""
    prefix, suffix = _path(live, "@").name.split("@")
    names = (path.name for path in (live.settings.data_dir / LOGS).glob(f"{prefix}*{suffix}"))
    return {day for name in names if _is_date(day := name[len(prefix) : -len(suffix)])}


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _log(path: Path) -> list[ev.AnyEvent]:
    try:
        with path.open("rb") as file:
            return list(ev.read_log(file))
    except FileNotFoundError:
        raise Problem("no_such_day") from None
    except (OSError, ValueError):
        raise Problem("log_unreadable") from None


def _first(path: Path) -> ev.DayOpened | None:
    try:
        with path.open("rb") as file:
            return _opening([file.readline()])
    except OSError:
        return None


def _opening(lines: list[bytes]) -> ev.DayOpened | None:
    """What a log begins with; None where it cannot be read."""
    try:
        event = event_of(lines[0])
    except (IndexError, msgspec.MsgspecError):
        return None
    return event if isinstance(event, ev.DayOpened) else None
