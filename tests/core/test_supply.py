"""What there is of the shuttles' time for each who asks, and what the others may be rearranged for one who waits."""

from __future__ import annotations

import pytest

from dispatch.core import events as ev
from dispatch.core.domain import Policy, Shift, Weights
from dispatch.core.fold import fold
from dispatch.core.improvement import refusal
from dispatch.core.supply import time_for_each
from dispatch.core.world import World
from tests.worlds import ms, opened, request


def town(weights: Weights | None = None) -> World:
    """One shuttle from the start and one more from 3600 s on; ten riders ask at once."""
    return fold(
        [
            opened(9),
            ev.PolicyChanged(0, Policy(weights=weights or Weights())),
            ev.ShiftOpened(0, Shift("v", "v", 0, 0, ms(7200), 4)),
            ev.ShiftOpened(0, Shift("later", "later", 0, ms(3600), ms(7200), 4)),
            *(ev.RequestMade(0, request(f"x{n}", 0, 1)) for n in range(10)),
        ]
    )


def test_what_there_is_for_each_counts_shuttles_on_shift_and_riders_lately() -> None:
    """One shuttle works; ten have asked within ten minutes: a minute each. Later nobody has."""
    world = town()
    assert time_for_each(world, 600, ms(60)) == ms(60)
    assert time_for_each(world, 600, ms(601)) == ms(600)
    assert time_for_each(world, 600, ms(3600)) == ms(1200)


@pytest.mark.parametrize(
    ("refusal_s", "at_s", "worth_s"),
    [(None, 60, 720), (None, 3600, 1440), (None, 3601, 14_400), (600, 60, 600), (600, 3601, 600), (0, 60, 0)],
    ids=["busy", "two-shuttles", "quiet", "fixed", "fixed-when-quiet", "nothing"],
)
def test_more_is_rearranged_for_who_waits_at_a_quiet_hour(refusal_s: float | None, at_s: int, worth_s: int) -> None:
    """Twice what there is for each of the ten who asked within the hour, unless the policy names a price."""
    assert refusal(town(Weights(refusal_s=refusal_s)), ms(at_s)) == 1000 * ms(worth_s)
