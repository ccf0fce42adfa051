"""Between what each number of a policy makes sense: for scenarios and for rules changed on a live day."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from dispatch.core.domain import Policy

_LEAST = {
    "max_party": 1, "stop_choices": 1, "quotes": 1, "every_s": 1, "ahead_s": 60, "learn_s": 60, "reach_s": 1,
}  # fmt: skip
_MOST = {
    "walk_m": 5000, "stop_choices": 64, "quotes": 3, "max_party": 500, "journey_factor": 100, "max_ride_factor": 100,
    "base": 10**9, "per_km": 10**9, "no_show": 10**9, "late_cancel": 10**9,
    "version": 10**9, "iterations": 10**5, "polish": 50, "drive": 1000, "delay": 1000,
}  # fmt: skip
_DAYS_S = 8 * 86_400


class OutOfBounds(NamedTuple):
    """A rule that makes no sense."""

    path: tuple[str, ...]
    wrong: str
    expected: str


def out_of_bounds(policy: Policy) -> Iterator[OutOfBounds]:
    """Rules of the policy that cannot be used."""
    for path, value in _numbers(msgspec.to_builtins(policy), ()):
        least, most = _LEAST.get(path[-1], 0), _MOST.get(path[-1], _DAYS_S)
        if not math.isfinite(value) or not least <= value <= most:
            yield OutOfBounds(path, f"{value:g} cannot be used", f"{least} to {most}")
    for name, extra in (("max_ride_factor", policy.max_ride_extra_s), ("journey_factor", policy.journey_extra_s)):
        factor = getattr(policy, name)
        if factor is not None and factor < 1 and not extra:
            yield OutOfBounds((name,), "is shorter than the direct ride", "at least 1")


def _numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, (*path, key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, value
