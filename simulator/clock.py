"""Virtual time: what happens next, and in which order what happens at once."""

from __future__ import annotations

import heapq
from typing import Any

FACT, CANCELLATION, CHANGE, REQUEST, TIMER = range(5)
"""Order at equal time: what shuttles did, who gave up, roads and rules, who asks, timers; then as they were added."""


class Agenda:
    """A heap of (time, kind, order) is the whole engine."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, Any]] = []
        self._count = 0

    def add(self, at: int, kind: int, what: Any, order: int | None = None) -> None:
        """`order` decides between equals; by default what was added first comes first."""
        self._count += 1
        heapq.heappush(self._heap, (at, kind, self._count if order is None else order, what))

    def pop(self) -> tuple[int, int, Any]:
        """(time, kind, what) of the next thing."""
        at, kind, _, what = heapq.heappop(self._heap)
        return at, kind, what

    def __bool__(self) -> bool:
        return bool(self._heap)
