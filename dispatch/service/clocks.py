"""Whose time it is: the world's, a demo's that runs faster, or a caller's that steps."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Never runs back."""

    def utc(self) -> int:
        """ms since 1970, by the clock that riders are served by."""

    async def sleep(self, ms: float) -> None:
        """Wait for so long by this clock."""


class ScaledClock:
    """Starts at `start_utc` (default: the wall clock) and runs `speed` times as fast.

    It reads the wall clock once and counts on from there, so that it does not jump when that is set.
    """

    def __init__(self, start_utc: int | None = None, speed: float = 1.0) -> None:
        self.speed = speed
        self._start_utc = time.time_ns() // 1_000_000 if start_utc is None else start_utc
        self._started = time.monotonic()

    def utc(self) -> int:
        """ms since 1970."""
        return self._start_utc + int((time.monotonic() - self._started) * 1000 * self.speed)

    async def sleep(self, ms: float) -> None:
        """Wait ms of this clock."""
        await asyncio.sleep(max(ms, 0) / 1000 / self.speed)


class SteppedClock:
    """Stands still until it is stepped: lockstep runs and tests."""

    def __init__(self, start_utc: int) -> None:
        self._utc = start_utc
        self._stepped = asyncio.Condition()

    async def step_to(self, utc: int) -> None:
        """It is now `utc`; whoever slept until then wakes. A time before is ignored."""
        async with self._stepped:
            self._utc = max(self._utc, utc)
            self._stepped.notify_all()

    def utc(self) -> int:
        """ms since 1970."""
        return self._utc

    async def sleep(self, ms: float) -> None:
        """Wait until the clock has been stepped so far."""
        until = self._utc + ms
        async with self._stepped:
            await self._stepped.wait_for(lambda: self._utc >= until)
