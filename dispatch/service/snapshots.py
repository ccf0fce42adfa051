"""Worlds kept in the store from time to time, so that whoever starts next need not read a whole day's log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from dispatch.core.world import World
from dispatch.service.decisions import Counters
from dispatch.service.store import NotLeader, Store, StoreDown, packed
from dispatch.service.term import Term

log = logging.getLogger(__name__)

SNAPSHOT_EVERY: Final = 5_000
"""events"""


class Snapshots:
    """Of one dispatcher. `every`: one after so many events of a day. `current`: the open day and its world as it is."""

    def __init__(self, store: Store, counters: Counters, every: int, current: Callable[[], tuple[str, World]]) -> None:
        self._store = store
        self._counters = counters
        self._every = every
        self._current = current
        self._near = 0
        """seq near which the last one was taken"""
        self._due = asyncio.Event()

    def open_day(self) -> None:
        """A new day's log begins."""
        self._near = 0

    def acknowledged(self, seq: int) -> None:
        """The open day's log has come to this event."""
        if seq - self._near >= self._every:
            self._near = seq
            self._due.set()

    async def keep(self, term: Term) -> None:
        """Whenever one is due: the world as it is now, kept once all that is in it has been acknowledged.

        Raises NotLeader, StoreDown where that is not acknowledged.
        """
        while True:
            await self._due.wait()
            self._due.clear()
            if term.spoilt:
                continue
            day, world = self._current()
            seq, now, data = world.seq, world.now, world.encoded()
            await term.settled()
            try:
                packed_world = await asyncio.to_thread(packed, data)
                if not await self._store.keep_snapshot(term.fence, day, packed_world, seq, now):
                    raise NotLeader(f"the lead of {self._store.zone} was taken over")
            except StoreDown as error:
                log.info("snapshot not kept: %s", error)  # the next one will do
                continue
            self._counters.snapshots += 1
