"""The figures of the day before up to the same time of day: what today's are held against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool

from dispatch.core import events as ev
from dispatch.core import kpi
from dispatch.service.operator_models import BeforeSaid
from dispatch.service.store import event_of

if TYPE_CHECKING:
    from dispatch.service.live import Live

EVERY_MS = 300_000
"""figures are made anew for each five minutes of the day"""


class Yesterday:
    """The day before the open one, read once; its figures by the time of day."""

    def __init__(self) -> None:
        self._open = ""
        self._day: str | None = None
        self._events: list[ev.AnyEvent] = []
        self._slot = -1
        self._figures: dict[str, Any] | None = None

    async def said(self, live: Live) -> BeforeSaid:
        """Figures to the same time of day. Raises StoreDown."""
        today, store = live.dispatcher.day, live.dispatcher.store
        if today != self._open:
            # a day that is over stays in the store until the next one is over too
            day = max((day for day in await store.days() if day < today), default=None)
            lines = [] if day is None else [line async for page in store.lines(day) for _, line in page]
            self._day, self._events = day, [event_of(line) for line in lines]
            self._open, self._slot, self._figures = today, -1, None
        slot = live.now // EVERY_MS
        if slot != self._slot and self._events:
            until = (slot + 1) * EVERY_MS
            self._figures = await run_in_threadpool(kpi.figures, [one for one in self._events if one.at <= until])
            self._slot = slot
        return BeforeSaid(day=self._day, so_far=self._figures, targets=live.settings.targets)
