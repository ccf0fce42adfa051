"""The dispatcher's clock: timers when they are due, and moments that never run back."""

from __future__ import annotations

import time

import pytest

from dispatch.core import events as ev
from dispatch.service.clocks import ScaledClock, SteppedClock
from tests.faults import town
from tests.service.stores import DAY, MORNING, dispatching, embedded, log_of, run, until


def test_the_timer_happens_when_it_is_due_before_anything_later() -> None:
    """A tick is logged at the half minute, though whoever came first was a rider a second later."""

    async def test() -> None:
        async with embedded() as started:
            clock = SteppedClock(MORNING)
            async with dispatching(started, clock, rounds=True) as dispatcher:
                await dispatcher.submit(town.book("r1", 1))
                clock._utc = MORNING + 31_000  # nobody has told those who sleep
                await dispatcher.submit(town.book("r2", 2))
                events = await log_of(dispatcher.store, DAY)
                start = MORNING - dispatcher._zero_utc
                made = [(type(e), e.at - start) for e in events if isinstance(e, (ev.TimerTicked, ev.RequestMade))]
                assert made == [(ev.RequestMade, 0), (ev.TimerTicked, 30_000), (ev.RequestMade, 31_000)]
                await clock.step_to(MORNING + 60_000)
                await until(lambda: dispatcher.counters.rounds == 2)
                await clock.step_to(MORNING + 600_000)
                await until(lambda: dispatcher.counters.rounds == 3)
                await dispatcher.settled()
                events = await log_of(dispatcher.store, DAY)
                ticks = [e.at - start for e in events if isinstance(e, ev.TimerTicked)]
                assert ticks == [30_000, 60_000, 600_000]

    run(test)


def test_a_clock_that_was_set_back_reorders_nothing() -> None:
    """Time goes on from where the log is; one that is set under a running dispatcher is not even noticed."""

    async def test() -> None:
        async with embedded() as started:
            async with dispatching(started, SteppedClock(MORNING)) as dispatcher:
                await dispatcher.submit(town.book("r1", 1))
                latest = dispatcher.now
            async with dispatching(started, SteppedClock(MORNING - 3_600_000)) as dispatcher:
                assert dispatcher.now == latest
                await dispatcher.clock.step_to(MORNING - 3_590_000)  # type: ignore[attr-defined]
                assert dispatcher.now == latest + 10_000
                await dispatcher.submit(town.book("r2", 2))
                times = [e.at for e in await log_of(dispatcher.store, DAY)]
                assert times == sorted(times)

    run(test)


def test_the_running_clock_is_deaf_to_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once."""
    clock = ScaledClock()
    before, wall = clock.utc(), time.time_ns()
    for jump in (3600, -3600):
        monkeypatch.setattr(time, "time_ns", lambda jump=jump: wall + jump * 1_000_000_000)
        assert 0 <= clock.utc() - before < 5_000
