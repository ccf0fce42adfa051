"""Whatever the town, the riders and the trouble: every day that the simulator lives keeps every invariant.

`check` is a fold of its own that shares no code with the desk: promises, the road, places, order, ride times, answers.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings

from dispatch.core.invariants import check
from tests.property.towns import Town, live, town_of, towns

days = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@days
@given(towns())
def test_every_invariant_holds_on_calm_days(town: Town) -> None:
    events, _ = live(town)
    assert not check(events, town.times, town.reroute)


@days
@given(towns(rough=True))
def test_every_invariant_holds_on_rough_days(town: Town) -> None:
    events, _ = live(town)
    assert not check(events, town.times, town.reroute)


@pytest.mark.parametrize("seed", [0, 14, 18, 42, 128, 140, 182, 193, 1554])
@pytest.mark.parametrize("rough", [False, True])
def test_days_that_once_went_wrong(seed: int, rough: bool) -> None:
    """Time ran back, an answer never came, a grace was too short, a day did not end, a booking was judged elsewhere."""
    town = town_of(Random(seed), rough=rough)
    events, _ = live(town)
    assert not check(events, town.times, town.reroute)
