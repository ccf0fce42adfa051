"""What the acknowledged log tells beyond the world: each ride's story, who was told what, and the events as they come.

A fold of the open day's log, in memory; a restart makes it again. Readers wait here for what they have just done.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import msgspec
from msgspec import Struct

from dispatch.core import events as ev

REFUSALS = 500


class Entry(Struct):
    """One line of the log."""

    day: str
    seq: int
    event: ev.AnyEvent
    frame: bytes = b""
    """as the log's viewers are sent it, once one was"""

    @property
    def id(self) -> str:
        """Name of the line across days: what a stream's viewer comes back with."""
        return f"{self.day}:{self.seq}"


class Viewer:
    """One stream's place in the log. It is woken by every line, or by those of its topics: rides and shuttles."""

    def __init__(self, ledger: Ledger) -> None:
        self.topics: tuple[str, ...] = ()
        self.news = asyncio.Event()
        self._ledger = ledger
        self._entries = ledger.entries
        self._told = len(self._entries)

    async def next(self, timeout_s: float) -> list[Entry] | None:
        """All lines that have come since, once one came that wakes it.

        [] if none did in time, None if the stream is to end.
        """
        if not self.news.is_set():
            try:
                async with asyncio.timeout(timeout_s):
                    await self.news.wait()
            except TimeoutError:
                return []
        if self._ledger.closed:
            return None
        self.news.clear()
        found = self._entries[self._told :]
        if self._entries is not self._ledger.entries:  # the day has turned
            self._entries = self._ledger.entries
            found += self._entries
        self._told = len(self._entries)
        return found


class Ledger:
    """The open day's acknowledged events."""

    def __init__(self) -> None:
        self.day = ""
        self.entries: list[Entry] = []
        """of the open day, in order"""
        self.bookings: dict[str, ev.RideBooked] = {}
        self.refused: deque[str] = deque(maxlen=REFUSALS)
        """requests refused or queued, latest last"""
        self.instead_of: dict[str, str] = {}
        """by a booking that took another's place: that other one"""
        self.changed_to: dict[str, str] = {}
        """and the other way round"""
        self._asked_instead: dict[str, str] = {}
        self._of: dict[str, list[int]] = {}
        """request: places in `entries` of what happened to it"""
        self.moves: dict[str, dict[int, str]] = {}
        """request: shuttles that it was moved to by a change of plans, by the number of the line"""
        self._numbered: list[str | None] = []
        """as the world's: whose visits plans hold"""
        self._on: dict[str, str] = {}
        self._viewers: set[Viewer] = set()
        """of every line"""
        self._attending: dict[str, set[Viewer]] = {}
        """by topic"""
        self._grown = asyncio.Event()
        self.closed = False

    @property
    def seq(self) -> int:
        """Of the last event."""
        return self.entries[-1].seq if self.entries else 0

    async def follow(self, log: AsyncIterator[tuple[str, int, ev.Event]]) -> None:
        """Read the log for ever."""
        async for day, seq, event in log:
            self.add(Entry(day, seq, event))  # type: ignore[arg-type]

    def add(self, entry: Entry) -> None:
        """The next line."""
        if entry.day != self.day:
            self.day = entry.day
            self.entries, self.bookings, self._of = [], {}, {}
            self.moves, self._numbered, self._on = {}, [], {}
            self.instead_of, self.changed_to, self._asked_instead = {}, {}, {}
            self.refused.clear()
        elif self.entries and entry.seq <= self.entries[-1].seq:
            return
        event = entry.event
        self.entries.append(entry)
        request = getattr(event, "request", None)
        if request is not None:
            name = request if isinstance(request, str) else request.id
            self._of.setdefault(name, []).append(len(self.entries) - 1)
            if isinstance(event, ev.RideBooked):
                self.bookings[name] = event
                self._on[name] = event.shuttle
                if (old := self._asked_instead.get(name)) is not None:
                    self.instead_of[name], self.changed_to[old] = old, name
            elif isinstance(event, ev.RideRefused | ev.RideQueued):
                self.refused.append(name)
            elif isinstance(event, ev.RequestMade):
                self._numbered.append(name)
                if event.instead_of is not None:
                    self._asked_instead[name] = event.instead_of
        elif isinstance(event, ev.ShiftOpened):
            self._numbered += [None] * len(event.shift.calls)
        elif isinstance(event, ev.BreakPlanned):
            self._numbered.append(None)
        elif isinstance(event, ev.PlansChanged):
            self._note_moves(event, entry.seq)
        for viewer in self._viewers:
            viewer.news.set()
        if self._attending:
            self._wake(event)
        self._grown.set()
        self._grown = asyncio.Event()

    def _wake(self, event: ev.Event) -> None:
        """Whoever follows a ride or a shuttle that this is about; all of them, if it is about none."""
        request = getattr(event, "request", None)
        name = request if isinstance(request, str) or request is None else request.id
        about = {name, getattr(event, "shuttle", None), self._on.get(name or "")}
        if isinstance(event, ev.PlansChanged):
            about.update(event.plans)
        elif isinstance(event, _GENERAL):
            about.update(self._attending)
        for topic in about:
            for viewer in self._attending.get(topic or "", ()):
                viewer.news.set()

    def _note_moves(self, event: ev.PlansChanged, seq: int) -> None:
        """Whose ride is now on another shuttle's plan."""
        for shuttle, visits in event.plans.items():
            for number in {code // 2 for code in visits}:
                name = self._numbered[number]
                if name is not None and self._on.get(name) != shuttle:
                    self._on[name] = shuttle
                    self._of.setdefault(name, []).append(len(self.entries) - 1)
                    self.moves.setdefault(name, {})[seq] = shuttle

    async def reached(self, day: str, seq: int, timeout_s: float = 5.0) -> None:
        """Returns when this line has been read, or after the time-out."""
        if (self.day, self.seq) >= (day, seq):
            return
        try:
            async with asyncio.timeout(timeout_s):
                while (self.day, self.seq) < (day, seq):
                    await self._grown.wait()
        except TimeoutError:
            return

    def story(self, request: str) -> list[Entry]:
        """All that happened to a request, in order."""
        return [self.entries[i] for i in self._of.get(request, ())]

    def stood_since(self, shuttle: str, until: int, place: int) -> int | None:
        """When a shuttle came to the place where it stood at a time, ms; None: the log does not say."""
        for entry in reversed(self.entries):
            event = entry.event
            if isinstance(event, ev.StopArrived) and event.shuttle == shuttle and event.at <= until:
                return event.at if event.place == place else None
        return None

    def after(self, entry_id: str | None) -> list[Entry]:
        """The open day's lines after this one; all of them if it is of another day, none if no id is given."""
        if entry_id is None:
            return []
        day, _, number = entry_id.partition(":")
        if day != self.day or not number.isdigit() or len(number) > 12:
            return list(self.entries)
        return self.entries[int(number) :]

    # streams

    def watch(self, *topics: str) -> Viewer:
        """A new viewer, of every line or of these topics; `leave` it."""
        viewer = Viewer(self)
        if self.closed:
            viewer.news.set()
        if topics:
            self.attend(viewer, *topics)
        else:
            self._viewers.add(viewer)
        return viewer

    def attend(self, viewer: Viewer, *topics: str) -> None:
        """From now on the viewer is woken by these topics."""
        if topics != viewer.topics:
            self.leave(viewer)
            viewer.topics = topics
            for topic in topics:
                self._attending.setdefault(topic, set()).add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """The viewer has gone."""
        self._viewers.discard(viewer)
        for topic in viewer.topics:
            others = self._attending.get(topic, set())
            others.discard(viewer)
            if not others:
                self._attending.pop(topic, None)

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        for viewer in self._all():
            viewer.news.set()

    @property
    def viewers(self) -> int:
        """Streams that are open."""
        return len(self._all())

    def _all(self) -> set[Viewer]:
        return self._viewers.union(*self._attending.values())


_GENERAL = ev.PolicyChanged | ev.RoadClosed | ev.RoadReopened | ev.SpeedsChanged


def written(entry: Entry) -> bytes:
    """An event as JSON, without what the log adds."""
    return msgspec.json.encode(entry.event)
