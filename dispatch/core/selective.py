"""Selective acceptance: who would take much more of the shuttles' time than there is for each who asks is refused.

What a rider takes is the cost of the insertion without the rider's own journey: added driving, and the delay that it
brings to others. What there is for each is the shuttles on shift over the riders who have asked lately: plenty at
night, little in the peaks. So nobody is refused by this while shuttles stand about.
"""

from __future__ import annotations

from dispatch.core.domain import Receipt, Selective
from dispatch.core.supply import time_for_each
from dispatch.core.world import World

BINDING = "out_of_the_way"


def refusal(
    world: World, rules: Selective, taken: int, persons: int, reach: tuple[int, int], now: int
) -> Receipt | None:
    """The receipt of a rider who would take `taken` ms of the shuttles' time, if that is too much; None: it is not.

    `reach`: shuttles on shift, and those in reach.
    """
    there = time_for_each(world, rules.learn_s, now)
    each = taken / max(persons, 1)
    if each <= rules.factor * there:
        return None
    relax = (
        f"It would have taken {each / 60_000:.0f} minutes of the shuttles' time, "
        f"and at this hour no more than {rules.factor * there / 60_000:.0f} are spent on one rider."
    )
    return Receipt(*reach, BINDING, relax=relax)
