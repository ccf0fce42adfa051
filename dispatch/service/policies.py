"""Changes of the rules in force, checked before they are decided."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import msgspec

from dispatch.core.domain import Policy
from dispatch.service.problems import Problem

_LEAST = {"max_party": 1, "stop_choices": 1, "quotes": 1, "every_s": 1, "ahead_s": 60, "learn_s": 60, "reach_s": 1}
_MOST = {
    "walk_m": 5000, "stop_choices": 64, "quotes": 3, "max_party": 500, "journey_factor": 100, "max_ride_factor": 100,
    "base": 10**9, "per_km": 10**9, "no_show": 10**9, "late_cancel": 10**9,
    "version": 10**9, "iterations": 10**5, "drive": 1000, "delay": 1000,
}  # fmt: skip
_DAYS_S = 8 * 86_400


def changed(policy: Policy, changes: dict[str, Any]) -> Policy:
    """The policy with these rules changed, its version one higher. Raises Problem naming what cannot be."""
    merged = {**msgspec.to_builtins(policy), **changes, "version": policy.version + 1}
    for rule, value in changes.items():
        if isinstance(value, dict) and isinstance(kept := getattr(policy, rule, None), msgspec.Struct):
            merged[rule] = {**msgspec.to_builtins(kept), **value}
    unknown = sorted(set(changes) - set(Policy.__struct_fields__))
    if unknown:
        raise Problem("invalid", fields=["body.changes: holds a rule that is not known"])
    try:
        new = msgspec.convert(merged, Policy, strict=True)
    except (msgspec.ValidationError, OverflowError, ValueError):
        raise Problem("invalid", fields=["body.changes: holds a rule of the wrong kind"]) from None
    for name, value in _numbers("", msgspec.to_builtins(new)):
        least, most = _LEAST.get(name, 0), _MOST.get(name, _DAYS_S)
        if not math.isfinite(value) or not least <= value <= most:
            raise Problem("invalid", fields=[f"body.changes.{name}: must be {least} to {most}"])
    for factor, extra in ((new.max_ride_factor, new.max_ride_extra_s), (new.journey_factor, new.journey_extra_s)):
        if factor is not None and factor < 1 and not extra:
            raise Problem("invalid", fields=["body.changes: would allow less than the direct ride"])
    return new


def _numbers(name: str, value: Any) -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(key, item)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, value
