"""The greedy plan's benchmark: what it compares is what it says."""

from __future__ import annotations

from tests.benchmarks import greedy
from tests.benchmarks.insertion import roads


def test_both_searches_make_a_greedy_plan_shorter() -> None:
    """Ours and the peer's begin with the same plans, and neither ends with longer ones."""
    times = roads()
    fleet = greedy.greedy(4, 12, times, seed=1)
    ours, again = (greedy.searched(fleet, times, lambda done: done / 1000, seed=1) for _ in range(2))
    theirs = greedy.routed(fleet, times, 0.2)
    assert 0.5 < ours < 1
    assert again == ours
    assert theirs is None or 0.5 < theirs <= 1
