"""A full town: however long the queue, riders are answered between tries, each has their turn and their answer."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.core.desk import Desk
from dispatch.core.domain import Queue
from dispatch.service import timer
from dispatch.service.clocks import SteppedClock
from dispatch.service.dispatcher import Zone
from simulator.replay import Recorded, replay
from tests.faults import town
from tests.service.stores import MORNING, dispatching, embedded, log_of, run

POLICY = replace(town.POLICY, reoptimise=None, queue=Queue(300), max_wait_s=300, later_s=0)
RIDERS = 90


def opening(day: str) -> list[ev.Event]:
    """The town with one shuttle and a queue of five minutes."""
    events = [e for e in town.opening(day) if not isinstance(e, ev.ShiftOpened) or e.shift.id == "s0"]
    return [replace(e, policy=POLICY) if isinstance(e, ev.PolicyChanged) else e for e in events]


def test_a_long_queue_is_tried_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """In turn, between the calls of others; whose time is over hears so then; and a replay tries the same ones."""
    tried: Counter[str] = Counter()
    serve = Desk.serve

    def counted(self: Desk, request: str, now: int) -> list[ev.Event]:
        tried[request] += 1
        return serve(self, request, now)

    async def test() -> None:
        clock, zone = SteppedClock(MORNING), Zone("town", "UTC", town.TIMES, opening)
        async with embedded() as started, dispatching(started, clock, zone, rounds=True) as dispatcher:
            for n in range(RIDERS):
                await dispatcher.submit(town.book(f"r{n}", n))
            queued = list(dispatcher.desk.world.queue)
            assert len(queued) > 5 * timer.TRIES
            monkeypatch.setattr(Desk, "serve", counted)
            decide, most = dispatcher._decide, 0

            def watched(*args: object, **more: object) -> object:
                nonlocal most
                before = sum(tried.values())
                commit = decide(*args, **more)  # type: ignore[arg-type]
                most = max(most, sum(tried.values()) - before)
                return commit

            monkeypatch.setattr(dispatcher, "_decide", watched)
            for _ in range(60):
                await clock.step_to(clock.utc() + 1_000)
                await asyncio.sleep(0.005)
            assert most == timer.TRIES
            left = [tried[request] for request in queued if request in dispatcher.desk.world.queue]
            assert min(left) >= 3
            assert max(left) - min(left) <= 1  # everybody's turn comes
            assert (await dispatcher.submit(town.book("one more", 1))).events
            for _ in range(260):
                await clock.step_to(clock.utc() + 1_000)
                await asyncio.sleep(0.001)
            await dispatcher.settled()
            assert most == timer.TRIES
            assert not [r for r in queued if r in dispatcher.desk.world.queue]
            events = await log_of(dispatcher.store, dispatcher.day)
            assert invariants.check(events, town.TIMES) == []
            monkeypatch.undo()
            again = replay(Recorded(Path("events.jsonl"), list(events)), Desk(town.TIMES))
            assert (again.difference, again.events) == (None, len(events))

    run(test)


def test_a_short_queue_is_tried_whole_as_in_the_simulator() -> None:
    """The log says nothing of tries then."""

    async def test() -> None:
        clock, zone = SteppedClock(MORNING), Zone("town", "UTC", town.TIMES, opening)
        async with embedded() as started, dispatching(started, clock, zone, rounds=True) as dispatcher:
            n = 0
            while len(dispatcher.desk.world.queue) < 3:
                await dispatcher.submit(town.book(f"r{n}", n))
                n += 1
            for _ in range(40):
                await clock.step_to(clock.utc() + 1_000)
                await asyncio.sleep(0.002)
            await dispatcher.settled()
            ticks = [e for e in await log_of(dispatcher.store, dispatcher.day) if isinstance(e, ev.TimerTicked)]
            assert [tick.tries for tick in ticks] == [None]

    run(test)
