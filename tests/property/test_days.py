"""Whatever the town, the riders and the trouble: every day that the simulator lives keeps every invariant.

`check` is a fold of its own that shares no code with the desk: promises, the road, places, order, ride times, answers.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispatch.core.invariants import check
from tests.property.odd_towns import live_oddly
from tests.property.test_plans import assert_drivable
from tests.property.towns import Town, live, town_of, towns

ROOT = Path(__file__).resolve().parents[2]
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


def test_the_hunt_for_planted_bugs_finds_nothing_where_there_are_none() -> None:
    """Kernels run as plain Python there: if they could not, every bug would seem to be caught."""
    hunt = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.mutants.hunt", "2", "60"],
        cwd=ROOT, env={**os.environ, "NUMBA_DISABLE_JIT": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert hunt.stdout.split() == ["2"], hunt.stdout + hunt.stderr


@days
@given(st.integers(0, 2**32))
def test_every_invariant_holds_on_odd_days(seed: int) -> None:
    town, events, _ = live_oddly(seed, lambda desk, _: assert_drivable(desk))
    assert not check(events, town.times, town.reroute)


ODD = (1, 600, 634, 735, 762, 919, 1214, 1659, 2113, 2275, 2307, 2329, 2442, 2894, 3494, 3824, 3959, 17393)
"""a late answer, a rider stranded twice, a ride and a wait aboard that another's cancellation made longer, a stop point
that is closed, a promise broken by the rush hour, a shuttle that left yesterday, a break taken elsewhere"""


@pytest.mark.parametrize("seed", ODD)
def test_odd_days_that_once_went_wrong(seed: int) -> None:
    town, events, _ = live_oddly(seed)
    assert not check(events, town.times, town.reroute)
