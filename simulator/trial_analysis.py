"""Effects, intervals and power of trials. Pure arithmetic on figures; nothing here knows how days are lived.

The unit of a trial is what was randomised as a whole: a day lived by both arms (paired days), or a pair of days whose
blocks mirror each other (switchback). Riders are no units: they share the shuttles, so one rider's rules change
another's ride, and a coin for each rider gives a biased answer (interference; Hu and Wager, Switchback experiments
under geometric mixing, arXiv 2209.00197; Bojinov, Simchi-Levi and Zhao, arXiv 2009.00148). Intervals are Student's for
the mean over units.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from simulator.bands import Band, band, better, student
from simulator.days import Figures, number
from simulator.journeys import Tally

DRAWS: Final = 4000
"""trials simulated for each size in a power analysis"""
Verdict = Literal["better", "worse", "no difference shown"]
Kept = Literal["kept", "broken", "not shown"]


class Effect(Struct, frozen=True):
    """A figure of one arm minus that of the base arm."""

    metric: str
    band: Band | None
    base: float | None
    arm: float | None

    @property
    def verdict(self) -> Verdict:
        """Better or worse than the base arm, if the interval leaves zero out."""
        if self.band is None or self.band.says_nothing:
            return "no difference shown"
        return "better" if self.band.mean * better(self.metric) > 0 else "worse"

    def guarded(self, worse_by: float) -> Kept:
        """Whether a guardrail held: the whole interval is better than the margin, worse than it, or neither."""
        if self.band is None or self.band.low is None or self.band.high is None:
            return "not shown"
        low, high = sorted((self.band.low * better(self.metric), self.band.high * better(self.metric)))
        return "kept" if low >= -worse_by else "broken" if high < -worse_by else "not shown"


def paired_units(base: Sequence[Figures], arm: Sequence[Figures], metric: str) -> list[float]:
    """One difference a day that both arms lived; days without the figure are left out."""
    pairs = [(number(a, metric), number(b, metric)) for a, b in zip(base, arm, strict=True)]
    return [b - a for a, b in pairs if a is not None and b is not None]


def switchback_units(pairs: Sequence[tuple[Tally, Tally]], metric: str) -> list[float]:
    """One difference a pair of mirrored days, from (tally under the base arm, tally under the other)."""
    both = [(a.figure(metric), b.figure(metric)) for a, b in pairs]
    return [b - a for a, b in both if a is not None and b is not None]


Blocks = Sequence[tuple[str, Mapping[str, Any]]]
"""of one day: (arm, its tally as plain values)"""


def pair_tallies(
    days: Sequence[Blocks | None], pairs: Sequence[tuple[int, int]], base: str
) -> list[tuple[Tally, Tally]]:
    """For each pair of days that are there: (all blocks of the base arm added up, all of the other)."""
    out = []
    for i, j in pairs:
        first, second = days[i], days[j]
        if first is None or second is None:
            continue
        under = {True: Tally(), False: Tally()}
        for arm, block in (*first, *second):
            under[arm == base] += Tally(**block)
        out.append((under[True], under[False]))
    return out


def effect(metric: str, units: Sequence[float], base: float | None, arm: float | None, alpha: float) -> Effect:
    """The mean over units and its interval at 1 − alpha."""
    return Effect(metric, band(units, 1 - alpha), base, arm)


def mean(values: Sequence[float | None]) -> float | None:
    """Over what is known; None if nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def switchback_means(pairs: Sequence[tuple[Tally, Tally]], metric: str) -> tuple[float | None, float | None]:
    """The figure under the base arm and under the other, over all days."""
    a = sum((pair[0] for pair in pairs), Tally())
    b = sum((pair[1] for pair in pairs), Tally())
    return a.figure(metric), b.figure(metric)


def significant(units: NDArray[np.float64], alpha: float) -> NDArray[np.bool_]:
    """(…, n) units -> (…) whether Student's test of their mean against zero is significant at alpha, two-sided."""
    n = units.shape[-1]
    means = units.mean(axis=-1)
    spread = units.std(axis=-1, ddof=1)
    wide = student(n - 1, 1 - alpha) * spread / np.sqrt(n)
    found: NDArray[np.bool_] = np.abs(means) > wide
    return found


def power(units: Sequence[float], effect: float, n: int, alpha: float, seed: int) -> float:
    """Share of simulated trials of n units that find `effect`: the pilot's units, centred, drawn with replacement.

    The resampled spread is widened by √(m ÷ (m − 1)), as m pilot units centred on their own mean lie too close.
    """
    pilot = np.asarray(units, np.float64)
    m = len(pilot)
    noise = (pilot - pilot.mean()) * np.sqrt(m / (m - 1))
    draws = np.random.Generator(np.random.PCG64([seed, n])).integers(0, m, (DRAWS, n))
    return float(significant(noise[draws] + effect, alpha).mean())


def needed(units: Sequence[float], effect: float, goal: float, alpha: float, seed: int, most: int) -> int | None:
    """The fewest units with at least that power; None: not even with `most`."""
    low, high = 2, most
    if power(units, effect, high, alpha, seed) < goal:
        return None
    while low < high:
        middle = (low + high) // 2
        if power(units, effect, middle, alpha, seed) >= goal:
            high = middle
        else:
            low = middle + 1
    return low
