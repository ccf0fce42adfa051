"""What there is of the shuttles' time for each who asks: plenty at night, little in the peaks."""

from __future__ import annotations

from bisect import bisect_left

from dispatch.core.world import World


def time_for_each(world: World, learn_s: int, now: int) -> int:
    """ms of the shuttles' time that there are for each rider, if as many go on asking as did in the last `learn_s`."""
    shuttles = sum(s.state == "on" and s.shift.start <= now < s.shift.end for s in world.shuttles.values())
    asked = len(world.asked) - bisect_left(world.asked, now - learn_s * 1000)
    return shuttles * learn_s * 1000 // max(asked, 1)
