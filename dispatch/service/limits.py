"""How often one person or address may call, a bucket each; and how many calls may wait. In this process's memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from dispatch.service.problems import Problem

MOST_BUCKETS = 100_000
RECENT = 50
LONGEST_S = 0.5
"""from answer to answer: one pause says little of the next"""


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


class Crowd:
    """Calls under way, and how long one that comes now would wait for its answer.

    They are answered one after the other, so that is their number times the time from answer to answer, as it was
    lately while others waited. Whoever would wait for too long is better told so at once.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.under_way = 0
        self.each_s = 0.0
        """from answer to answer while others wait, on average over about `RECENT`"""
        self._answered_at = 0.0
        self._monotonic = monotonic

    @property
    def wait_s(self) -> float:
        """What a call that comes now would wait."""
        return self.under_way * self.each_s

    def enter(self, patience_s: float) -> None:
        """One more; `leave` when it is answered. Raises Problem `busy` where it would wait for longer than that."""
        if self.wait_s > patience_s:
            raise Problem("busy", headers={"Retry-After": str(int(self.wait_s) + 2)})
        if self.under_way == 0:
            self._answered_at = self._monotonic()
        self.under_way += 1

    def leave(self) -> None:
        """One is answered."""
        now = self._monotonic()
        self.under_way -= 1
        if self.under_way > 0:
            self.each_s += (min(now - self._answered_at, LONGEST_S) - self.each_s) / RECENT
        self._answered_at = now
