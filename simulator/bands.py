"""Means and how far they can be trusted: intervals over days, and differences of days paired by seed.

Days of one policy with different seeds are independent; days of two policies with one seed are not, and it is their
difference that is compared (common random numbers: Law, Simulation Modeling and Analysis, 5th ed. 2015, §10.2 and
§11.2). Intervals are Student's, for means of days.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

from msgspec import Struct

CONFIDENCE = 0.95


class Band(Struct, frozen=True):
    """A mean and its confidence interval; low and high are None where one day says nothing about the next."""

    mean: float
    low: float | None
    high: float | None
    days: int

    @property
    def says_nothing(self) -> bool:
        """Zero lies within it, or it has no width yet."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


def band(values: Sequence[float | None], confidence: float = CONFIDENCE) -> Band | None:
    """The mean over days and its interval; None if no day has the figure. Days without it are left out."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    n = len(known)
    mean = math.fsum(known) / n
    if n < 2:
        return Band(mean, None, None, n)
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in known) / (n - 1))
    half = student(n - 1, confidence) * spread / math.sqrt(n)
    return Band(mean, mean - half, mean + half, n)


def paired(values: Sequence[float | None], against: Sequence[float | None], confidence: float = CONFIDENCE
           ) -> Band | None:  # fmt: skip
    """The mean difference of days with the same seeds, and its interval."""
    pairs = zip(values, against, strict=True)
    return band([a - b for a, b in pairs if a is not None and b is not None], confidence)


@cache
def student(freedom: float, confidence: float = CONFIDENCE) -> float:
    """Half width of Student's interval in standard errors."""
    from scipy.stats import t

    return float(t.ppf(0.5 + confidence / 2, freedom))


HIGHER_IS_BETTER = frozenset({
    "delivered", "booked", "service_rate", "acceptance_rate", "pickup_in_window_rate", "riders_per_shuttle_hour",
    "pooling_rate", "occupancy_km", "extra.delivered_per_call", "extra.persons_delivered", "extra.queued_booked_share",
    "extra.fares_total", "equity.least_zone_service_rate", "equity.wheelchair_service_rate",
    "equity.ahead_service_rate", "equity.least_age_service_rate", "equity.least_channel_service_rate",
    "extra.money.fare_per_rider", "extra.money.cost_recovery", "extra.baselines.bus_share",
    "extra.baselines.bus_asked_share",
})  # fmt: skip
"""Figures that a town wants more of; of all others it wants less."""


def better(metric: str) -> int:
    """1 where more is better, else -1."""
    return 1 if metric in HIGHER_IS_BETTER else -1


def pareto(points: Sequence[Sequence[float]]) -> list[bool]:
    """Which points no other one beats in everything; each figure the larger the better."""
    return [
        not any(
            all(o >= p for o, p in zip(other, point, strict=True))
            and any(o > p for o, p in zip(other, point, strict=True))
            for other in points
        )
        for point in points
    ]
