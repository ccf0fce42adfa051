"""Random numbers that are the same on any machine: named integer streams.

A stream is SplitMix64 (Steele, Lea and Flood 2014) started from a hash of (seed, name). Whoever needs chance opens a
stream of its own by name, so one rider's luck depends neither on another's nor on the policy: two policies meet the
same people. Nothing but integer arithmetic and exact scaling by powers of two happens here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

_MASK = 2**64 - 1
_T = TypeVar("_T")


class Stream:
    """One sequence of random integers, fixed by a seed and a name."""

    __slots__ = ("_state",)

    def __init__(self, seed: int, *name: str | int) -> None:
        text = "\x1f".join(map(str, (seed, *name)))
        self._state = int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")

    def bits(self) -> int:
        """The next 64 bits."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        z = self._state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        return z ^ (z >> 31)

    def below(self, n: int) -> int:
        """An integer from 0 to n - 1, each as likely as the others. n is at least 1."""
        limit = _MASK + 1 - (_MASK + 1) % n
        while (value := self.bits()) >= limit:
            pass
        return value % n

    def between(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + self.below(high - low + 1)

    def chance(self, share: float) -> bool:
        """True with probability `share`. Draws once whatever the share, so other draws stay as they are."""
        return self.bits() < int(share * 2.0**64)

    def pick(self, cumulative: Sequence[int]) -> int:
        """An index with the weight by which `cumulative`, ascending integers, rises at it."""
        return bisect_right(cumulative, self.below(cumulative[-1]))

    def normal_milli(self) -> int:
        """A draw with mean 0 and standard deviation 1,000, within ±6,000: the sum of twelve 16-bit integers."""
        total = 0
        for _ in range(3):
            word = self.bits()
            total += (word & 0xFFFF) + (word >> 16 & 0xFFFF) + (word >> 32 & 0xFFFF) + (word >> 48)
        return (2 * total - 12 * 0xFFFF) * 1000 // 2**17

    def shuffled(self, items: Sequence[_T]) -> list[_T]:
        """The items in a random order."""
        out = list(items)
        for i in range(len(out) - 1, 0, -1):
            j = self.below(i + 1)
            out[i], out[j] = out[j], out[i]
        return out
