"""The collector of cycles is kept from looking at a whole day's world, and forgets nothing for ever."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from dispatch.service.pauses import set_aside


class Knot:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def untouched() -> Iterator[None]:
    """The collector as it was before."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("untouched")
def test_what_survives_is_set_aside_until_the_day_turns() -> None:
    """New cycles are collected; old ones are looked at no more, and found when the day turns."""
    day = set_aside("", "2026-03-03")
    old = Knot()
    old_is, new_is = weakref.ref(old), weakref.ref(Knot())
    set_aside(day, day)
    assert new_is() is None
    assert gc.get_freeze_count() > 10_000
    del old
    set_aside(day, day)
    assert old_is() is not None  # set aside
    set_aside(day, "2026-03-04")
    assert old_is() is None
