"""Virtual time: what happens next, and in which order what happens at once."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from typing import Any

FACT, CANCELLATION, CHANGE, REQUEST, TIMER = range(5)
"""Order at equal time: what shuttles did, who gave up, roads and rules, who asks, timers; then as they were added."""


class Agenda:
    """A heap of (time, kind, order), beside what is known from the start, is the whole engine."""

    def __init__(self, known: Iterable[tuple[int, int, Any]] = ()) -> None:
        """`known`: (time, kind, what), at equal time in their own order."""
        self._known = [(at, kind, n, what) for n, (at, kind, what) in enumerate(known)]
        self._known.sort(key=lambda entry: entry[:3], reverse=True)
        self._heap: list[tuple[int, int, int, Any]] = []
        self._count = len(self._known)

    def add(self, at: int, kind: int, what: Any, order: int | None = None) -> None:
        """`order` decides between equals; by default what was added first comes first."""
        self._count += 1
        heapq.heappush(self._heap, (at, kind, self._count if order is None else order, what))

    def pop(self) -> tuple[int, int, Any]:
        """(time, kind, what) of the next thing."""
        if self._known and (not self._heap or self._known[-1] < self._heap[0]):
            at, kind, _, what = self._known.pop()
        else:
            at, kind, _, what = heapq.heappop(self._heap)
        return at, kind, what

    def __bool__(self) -> bool:
        return bool(self._heap or self._known)
