"""Quotes that nobody takes: declined when their time is over, so that every request has its answer."""

from __future__ import annotations

import heapq

from dispatch.core import events as ev
from dispatch.core.domain import Policy
from dispatch.core.world import World

ANSWER_MS = 30_000
LAPSE_MARGIN_MS = 3_000


def lapses_at(policy: Policy, made_at: int) -> int:
    """Until when the rider may take a quote: everybody has an answer by the half minute after the quotes' validity."""
    valid = policy.quote_valid_s * 1000 if policy.quotes > 1 else 0
    return max(made_at + 1000, (made_at // ANSWER_MS + 1) * ANSWER_MS + valid - LAPSE_MARGIN_MS)


class Lapses:
    """Open requests of a world, by the time at which they lapse."""

    def __init__(self, world: World) -> None:
        self._heap = [
            (lapses_at(world.policy, ride.made_at), ride.request.id)
            for ride in world.rides.values()
            if ride.state == "asked"
        ]
        heapq.heapify(self._heap)

    def watch(self, request: str, at: int) -> None:
        """The request lapses at this time if nothing has come of it."""
        heapq.heappush(self._heap, (at, request))

    def next_at(self, world: World) -> int | None:
        """When the next request lapses; None: none is open."""
        while self._heap and not _open(world, self._heap[0][1]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def lapse(self, world: World, at: int) -> list[ev.Event]:
        """Decline, at this time, what lapses until then."""
        declined: list[ev.Event] = []
        while (due := self.next_at(world)) is not None and due <= at:
            declined.append(ev.QuoteDeclined(at, heapq.heappop(self._heap)[1]))
        return declined


def _open(world: World, request: str) -> bool:
    ride = world.rides.get(request)
    return ride is not None and ride.state == "asked"
