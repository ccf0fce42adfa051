"""Quotes that nobody takes: declined when their time is over, so that every request has its answer."""

from __future__ import annotations

import asyncio
import heapq
from typing import TYPE_CHECKING

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy

if TYPE_CHECKING:
    from dispatch.service.live import Live

ANSWER_MS = 30_000
LAPSE_MARGIN_MS = 3_000


def lapses_at(policy: Policy, made_at: int) -> int:
    """Until when the rider may take a quote: everybody has an answer by the half minute after the quotes' validity."""
    valid = policy.quote_valid_s * 1000 if policy.quotes > 1 else 0
    return max(made_at + 1000, (made_at // ANSWER_MS + 1) * ANSWER_MS + valid - LAPSE_MARGIN_MS)


class Lapses:
    """Open requests by the time at which they lapse."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []

    def watch(self, request: str, at: int) -> None:
        """Decline the request at this time if nothing has come of it."""
        heapq.heappush(self._heap, (at, request))

    def recall(self, live: Live) -> None:
        """After a start: all that is still open."""
        world = live.world
        for ride in world.rides.values():
            if ride.state == "asked":
                self.watch(ride.request.id, lapses_at(world.policy, ride.made_at))

    async def run(self, live: Live) -> None:
        """For ever: decline what lapses. Shorter than any answer's time, by whichever clock is served."""
        while True:
            await live.dispatcher.clock.sleep(500)
            await asyncio.sleep(0.01)
            await self.lapse(live)

    async def lapse(self, live: Live) -> None:
        """Decline what has lapsed by now."""
        while self._heap and self._heap[0][0] <= live.now and live.dispatcher.ready:
            _, request = heapq.heappop(self._heap)

            def decide(desk: Desk, now: int, request: str = request) -> list[ev.Event]:
                ride = desk.world.rides.get(request)
                return [ev.QuoteDeclined(now, request)] if ride is not None and ride.state == "asked" else []

            ride = live.ride(request)
            if ride is not None and ride.state == "asked":
                await live.submit(decide)
