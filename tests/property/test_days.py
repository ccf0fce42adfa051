"""Whatever the town, the riders and the trouble: every day that the simulator lives keeps every invariant."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings

from dispatch.core import events as ev
from dispatch.core.invariants import INVARIANTS, Violation, check
from tests.property.towns import Town, live, towns

days = settings(max_examples=60, suppress_health_check=list(HealthCheck))

PROMISES = {"promise", "at_risk", "early", "undelivered", "answered", "call", "wait_aboard"}
ROAD = {"road", "dwell", "plan", "shift"}
REST = set(INVARIANTS) - PROMISES - ROAD - {"capacity", "order", "ride_time"}


def found(town: Town, names: set[str]) -> list[Violation]:
    """Violations of some invariants in the town's day."""
    events, _ = live(town)
    return [v for v in check(events, town.times) if v.invariant in names]


@days
@given(towns())
def test_every_invariant_holds_on_calm_days(town: Town) -> None:
    events, _ = live(town)
    assert not check(events, town.times)


@days
@given(towns(rough=True))
def test_every_invariant_holds_on_rough_days(town: Town) -> None:
    events, _ = live(town)
    assert not check(events, town.times)
