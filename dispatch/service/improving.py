"""Better plans while riders are answered: the worker is asked when they are due, and judged when it answers.

Whatever goes wrong with it, late, hanging, dead, or answering nonsense, changes a counter and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from dispatch.core.desk import Desk
from dispatch.core.reactions import Reactions
from dispatch.core.reoptimise import Improvement
from dispatch.service.decisions import Act, Counters
from dispatch.service.endings import ended
from dispatch.service.store import NotLeader, StoreDown
from dispatch.service.worker import Question, Worker, WorkerFailed, proposals, question

log = logging.getLogger(__name__)


class Improving:
    """One worker and its search. `desk` is the dispatcher's as it is now, `react` its way to decide."""

    def __init__(
        self, worker: Worker, counters: Counters, desk: Callable[[], Desk], react: Callable[[Act], Awaitable[object]]
    ) -> None:
        self.search: asyncio.Task[None] | None = None
        """under way, or the last one"""
        self._worker = worker
        self._counters = counters
        self._desk = desk
        self._react = react
        self._told_late = False

    def prepare(self) -> None:
        """Have the worker started before there is anything to ask."""
        self.search = asyncio.create_task(self._prepare(), name="improving")

    async def _prepare(self) -> None:
        with contextlib.suppress(OSError):  # asked, it will be tried again, and told
            await self._worker.start()

    def begin(self, now: int) -> None:
        """Ask about the world as it is now, unless the worker is still looking: then it is late."""
        if self.search is not None and not self.search.done():
            self._counters.proposals_late += not self._told_late
            self._told_late = True
            return
        desk = self._desk()
        asked = question(desk, now)
        if asked is not None:
            self._told_late = False
            self.search = asyncio.create_task(self._look(asked, desk), name="improving")

    async def _look(self, asked: Question, desk: Desk) -> None:
        try:
            found = await self._worker.ask(asked, desk.times)
            if desk is self._desk():  # else it was rebuilt, or the day has turned
                with contextlib.suppress(StoreDown, NotLeader):
                    await self._react(lambda reactions, now: self._propose(reactions, asked, found, now))
        except WorkerFailed as error:
            self._counters.proposals_failed += 1
            log.warning("no better plans: %s", error)
        except Exception:
            self._counters.proposals_failed += 1
            log.exception("no better plans")

    def _propose(self, reactions: Reactions, asked: Question, found: Improvement, now: int) -> None:
        made, stale = proposals(asked, found, reactions.desk, now)
        self._counters.proposals_stale += stale
        self._counters.proposals_failed += found.failed
        for proposal in made:
            self._counters.proposals += 1
            self._counters.proposals_refused += not reactions.propose(proposal)

    async def close(self) -> None:
        """End the search and the worker."""
        if self.search is not None:
            await ended([self.search])
        await self._worker.close()
