"""How often one person or address may call: a bucket each, in this process's memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from dispatch.service.problems import Problem

MOST_BUCKETS = 100_000


class Buckets:
    """Token buckets: `per_minute` calls on average, up to as many at once."""

    def __init__(self, per_minute: int, monotonic: Callable[[], float]) -> None:
        self._per_s = per_minute / 60
        self._most = float(per_minute)
        self._monotonic = monotonic
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, who: str) -> None:
        """Count one call. Raises Problem `too_many_calls` with the seconds to wait."""
        now = self._monotonic()
        left, since = self._left.pop(who, (self._most, now))
        left = min(self._most, left + (now - since) * self._per_s)
        if left < 1:
            self._left[who] = (left, now)
            wait = int((1 - left) / self._per_s) + 1
            raise Problem("too_many_calls", headers={"Retry-After": str(wait)})
        self._left[who] = (left - 1, now)
        if len(self._left) > MOST_BUCKETS:
            self._left.popitem(last=False)  # called longest ago: its bucket is nearly full again
