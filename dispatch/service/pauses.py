"""Python's collector of cycles looks at everything that is alive; with a day's world in memory that takes 0.2 s.

So what has survived is set aside (`gc.freeze`) every few seconds, and the collector looks at what is new. What is set
aside and then becomes garbage in a cycle is found when the day turns, and yesterday's world with it.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Final

EVERY_S: Final = 5.0
THRESHOLDS: Final = (50_000, 20, 1_000_000)
"""the third is never reached: the oldest generation is looked at when the day turns"""


async def keep_short(day: Callable[[], str]) -> None:
    """Set aside, for ever, what has survived; `day` names the one that is open."""
    gc.set_threshold(*THRESHOLDS)
    open_day = ""
    while True:
        open_day = set_aside(open_day, day())
        await asyncio.sleep(EVERY_S)


def set_aside(known: str, day: str) -> str:
    """Collect what is new, or everything on another day than the `known` one; the day."""
    if day == known:
        gc.collect(1)
    else:
        gc.unfreeze()
        gc.collect()
    gc.freeze()
    return day
