"""A solver that is late, fails, hangs or answers nonsense, under a running service: only a counter moves."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from msgspec import structs

from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.service.decisions import Counters
from dispatch.service.worker import Worker
from tests.service.stores import folder, until
from tests.service.towns import Served, served
from tests.service.troubled_worker import TROUBLES

MOVES = {
    "late": ("proposals_late", 1),
    "infeasible": ("proposals_refused", 1),
    "fails": ("proposals_failed", 1),
    "hangs": ("proposals_failed", 1),
    "None": ("proposals_failed", 1),
    "elsewhere": ("proposals_failed", 1),
    "dies": ("proposals_failed", 1),
    "garbled": ("proposals_failed", 1),
    "half fails": ("proposals_failed", 1),
}
COUNTED = [name for name in structs.asdict(Counters()) if name.startswith("proposals_")]


async def _searched(town: Served) -> None:
    improving = town.live.dispatcher.improving
    assert improving is not None
    await until(lambda: improving.search is not None and improving.search.done())


@pytest.mark.parametrize("trouble", TROUBLES)
def test_only_a_counter_moves(trouble: str) -> None:
    """Riders are booked before, meanwhile and after; no plan has changed but by their bookings; promises hold."""

    async def life(path: Path) -> None:
        command = (sys.executable, "-m", "tests.service.troubled_worker", trouble)
        worker = Worker(command, hangs_s=6.0 if trouble == "hangs" else 60.0)
        async with served(path, worker=worker) as town:
            rider = await town.rider()
            for n in range(4):
                await town.booked(rider, f"before-{n}", origin=n, goal=20 + n)
            counters = town.live.dispatcher.counters
            await town.pass_time(31)
            if trouble == "late":
                improving = town.live.dispatcher.improving
                await until(lambda: worker.process is not None)
                assert improving is not None
                assert improving.search is not None
                assert not improving.search.done()
                await town.pass_time(30)
            await town.booked(rider, "meanwhile", origin=5, goal=30)
            await _searched(town)
            await town.booked(rider, "after", origin=6, goal=31)
            name, by = MOVES[trouble]
            found = {name: getattr(counters, name) for name in COUNTED}
            assert found == dict.fromkeys(COUNTED, 0) | {name: by}
            assert counters.defects == counters.terms_lost == 0
            assert town.live.dispatcher.ready
            events = [entry.event for entry in town.live.ledger.entries]
            assert not any(isinstance(event, ev.PlansChanged) for event in events)
            assert invariants.check(events, town.live.dispatcher.zone.times) == []

    async def bounded() -> None:
        async with asyncio.timeout(120), folder() as path:
            await life(path)

    asyncio.run(bounded())


def test_a_sound_worker_improves_plans_while_riders_are_booked() -> None:
    """Through the running service: proposed, judged, in force; nothing counted as trouble."""

    async def life(path: Path) -> None:
        async with served(path, worker=Worker(hangs_s=60.0)) as town:
            rider = await town.rider()
            for n in range(12):
                await town.booked(rider, f"k{n}", origin=n, goal=39 - n)
            counters = town.live.dispatcher.counters
            for _ in range(10):
                await town.pass_time(31)
                await _searched(town)
                if counters.proposals:
                    break
            assert counters.proposals > counters.proposals_refused
            found = {name: getattr(counters, name) for name in COUNTED if name != "proposals_refused"}
            assert found == dict.fromkeys(found, 0)
            events = [entry.event for entry in town.live.ledger.entries]
            assert any(isinstance(event, ev.PlansProposed) for event in events)
            assert any(isinstance(event, ev.PlansChanged) and event.cause == "improved" for event in events)
            assert invariants.check(events, town.live.dispatcher.zone.times) == []

    async def bounded() -> None:
        async with asyncio.timeout(120), folder() as path:
            await life(path)

    asyncio.run(bounded())
