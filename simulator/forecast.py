"""How many will ask for a ride, by part of town and hour: from days gone by, scored on days left out.

The forecast is a shrunken one: the mean of the same zone and hour on past days of the same kind (working day or not),
drawn towards what the zone's share of the day and the hour's share of the day would give, the more so the fewer days
there are (a Gamma prior on a Poisson rate, its strength chosen on the past days alone: Gelman and others, Bayesian Data
Analysis, 3rd ed. 2013, §2.6). The naive forecast that it must beat is the last day of the same kind. It is used only if
it does, by Poisson deviance on the days left out.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Counts = NDArray[np.float64]
"""(days, zones, hours)"""
STRENGTHS: Final = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""of the prior, in days"""
LEAST: Final = 0.02
"""expected attempts below which a forecast does not go: nowhere is certain to ask for nothing"""


class Score(Struct, frozen=True):
    """How forecasts did on the days left out: mean Poisson deviance a cell, and mean absolute error."""

    deviance: float
    naive_deviance: float
    error: float
    naive_error: float
    strength: float
    """of the prior that was chosen"""
    days: int
    """left out"""

    @property
    def better(self) -> bool:
        """Than the naive one."""
        return self.deviance < self.naive_deviance


def working_day(date: str) -> bool:
    """Monday to Friday."""
    return dt.date.fromisoformat(date).weekday() < 5


def forecast(past: Counts, kinds: Sequence[bool], kind: bool, strength: float) -> Counts:
    """(zones, hours) expected attempts of a day of `kind` after these days of these kinds."""
    days = past[[k == kind for k in kinds]]
    if not len(days):
        days = past
    total = days.sum(axis=0)
    whole = total.sum()
    smooth = np.outer(total.sum(axis=1), total.sum(axis=0)) / whole / len(days) if whole else np.zeros(total.shape)
    rate: Counts = np.maximum((total + strength * smooth) / (len(days) + strength), LEAST)
    return rate


def naive(past: Counts, kinds: Sequence[bool], kind: bool) -> Counts:
    """The last day of the same kind (of any, where there was none)."""
    same = [i for i, k in enumerate(kinds) if k == kind]
    last: Counts = np.maximum(past[same[-1] if same else -1], LEAST)
    return last


def choose_strength(past: Counts, kinds: Sequence[bool]) -> float:
    """The prior's strength that forecasts each of the later past days best from those before it."""
    first = max(2, len(past) // 2)

    def misfit(strength: float) -> float:
        return math.fsum(
            deviance(past[i], forecast(past[:i], kinds[:i], kinds[i], strength)) for i in range(first, len(past))
        )

    return min(STRENGTHS, key=misfit)


def score(counts: Counts, kinds: Sequence[bool], held_out: int) -> Score:
    """Forecast each of the last `held_out` days from all days before it; the prior is chosen without any of them."""
    known = len(counts) - held_out
    strength = choose_strength(counts[:known], kinds[:known])
    ours, theirs, errors, naive_errors = [], [], [], []
    for i in range(known, len(counts)):
        told, last = forecast(counts[:i], kinds[:i], kinds[i], strength), naive(counts[:i], kinds[:i], kinds[i])
        ours.append(deviance(counts[i], told))
        theirs.append(deviance(counts[i], last))
        errors.append(float(np.abs(counts[i] - told).mean()))
        naive_errors.append(float(np.abs(counts[i] - last).mean()))
    n = held_out
    return Score(sum(ours) / n, sum(theirs) / n, sum(errors) / n, sum(naive_errors) / n, strength, n)


def deviance(counts: Counts, told: Counts) -> float:
    """Mean Poisson deviance a cell: 0 where every count is as told."""
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(counts > 0, counts * np.log(counts / told), 0.0)
    return float(2 * (part - counts + told).mean())
