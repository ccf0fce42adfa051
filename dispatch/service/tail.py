"""The end of the log, as it grows: for those who follow it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from dispatch.core.events import Event
from dispatch.service.store import Store, event_of

LENGTH: Final = 5_000
"""events kept in memory; who is further behind reads the store"""


class Tail:
    """The last events acknowledged."""

    def __init__(self, store: Store) -> None:
        self.day = ""
        """service day of the last event; empty before anything is known"""
        self._store = store
        self._events: list[Event] = []
        self._first = 1
        """seq of the first one kept"""
        self._news = asyncio.Event()

    def begin(self, day: str, after: int) -> None:
        """What comes next is the event after this one."""
        self.day, self._events, self._first = day, [], after + 1
        self._tell()

    def add(self, day: str, events: Sequence[Event]) -> None:
        """These have been acknowledged; with the first of another day that day begins."""
        if day != self.day:
            self.day, self._events, self._first = day, [], 1
        self._events += events
        if len(self._events) > 2 * LENGTH:
            self._first += len(self._events) - LENGTH
            del self._events[:-LENGTH]
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def follow(self, after_seq: int, day: str | None) -> AsyncIterator[tuple[str, int, Event]]:
        """(day, seq, event) after this one: from the log, then as it happens, and on into the next day.

        Raises StoreDown where the log can't be read.
        """
        seq = after_seq
        while True:
            news, open_day, first, held = self._news, self.day, self._first, len(self._events)
            day = day or open_day
            if not open_day:
                await news.wait()
            elif day != open_day or seq + 1 < first:
                async for page in self._store.lines(day, seq, first - 1 if day == open_day else None):
                    for number, line in page:
                        yield day, number, event_of(line)
                        seq = number
                if day != open_day:
                    day, seq = open_day, 0
            elif seq + 1 < first + held:
                for event in self._events[seq + 1 - first :]:
                    seq += 1
                    yield day, seq, event
            else:
                await news.wait()
