"""Kills, stops, lost answers and a store that stalls: after each, everything that riders were told holds."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dispatch.service.embedded import Embedded
from dispatch.service.store import Store
from tests.faults.judge import faults
from tests.faults.kills import LATE, SET_BACK_MS, TOWNS_CLOCK, forks, run
from tests.faults.life import Settings, live
from tests.faults.riders import Riders

LEASE_MS = 600
Trouble = Callable[[random.Random], Awaitable[None]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    path = Path(tempfile.mkdtemp(prefix="naru-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_hundred_kills_of_the_dispatcher_and_ten_of_the_store_lose_nothing() -> None:
    """kill -9 at random points under load: `python -m tests.faults` does more of it."""
    outcome = asyncio.run(run(100, 10))
    assert outcome.found == []
    assert outcome.dispatcher == 100
    assert outcome.store >= 8  # a store that is just coming up can't be found to be killed
    assert outcome.counts["RideBooked"] > 200


@asynccontextmanager
async def _lives(folder: Path, url: str, *names: str) -> AsyncIterator[list[int]]:
    """Process ids of dispatchers of one zone on one store, each on a socket of its own."""
    began = time.time()
    born = []
    for name in names:
        settings = Settings(str(folder), name, TOWNS_CLOCK, began, url=url, lease_ms=LEASE_MS)
        life = forks().Process(target=live, args=(settings,), daemon=True)
        life.start()
        born.append(life)
    try:
        yield [life.pid or 0 for life in born]
    finally:
        for life in born:
            os.kill(life.pid or 0, signal.SIGCONT)
            life.kill()
            await asyncio.to_thread(life.join)


async def _judged(folder: Path, embedded: Embedded, riders: Riders) -> list[str]:
    store = Store(embedded.url, "town", timeout_s=20)
    try:
        found, counts = await faults(store, riders, folder)
    finally:
        await store.close()
    assert counts["RideBooked"] > 50
    return found


async def _finished(riders: Riders, asking: asyncio.Task[None]) -> None:
    riders.stop = True
    await asyncio.wait_for(asking, 60)


def test_a_clock_that_jumps_an_hour_ahead_breaks_promises_but_hides_none(folder: Path) -> None:
    """As if nobody had been there for an hour: who was promised a pickup meanwhile is told before being picked up."""

    async def jumped() -> None:
        async with Embedded(folder / "store") as embedded:
            began, asked = time.time(), Riders(lambda: folder / "naru.sock", 4)
            asking = asyncio.create_task(asked.run())
            for set_off_ms in (-SET_BACK_MS, 0):
                settings = Settings(str(folder), "naru", TOWNS_CLOCK, began, set_off_ms, embedded.url)
                life = forks().Process(target=live, args=(settings,), daemon=True)
                life.start()
                await asyncio.wait_for(asked.answered(), 60)
                await asyncio.sleep(2)
                if set_off_ms == 0:
                    await _finished(asked, asking)
                life.kill()
                await asyncio.to_thread(life.join)
            found = await _judged(folder, embedded, asked)
            assert [fault for fault in found if not LATE.search(fault)] == []
            assert any(LATE.search(fault) for fault in found)  # they were told at 08:00, an hour after the fact

    asyncio.run(jumped())


def test_a_dispatcher_stopped_past_its_lease_is_fenced_off(folder: Path) -> None:
    """SIGSTOP, the other one takes over, SIGCONT: what the first had in hand is refused, and it stands by."""

    async def stopped() -> None:
        async with Embedded(folder / "store") as embedded:
            draw = random.Random(1)
            riders = Riders(lambda: folder / draw.choice(["a.sock", "b.sock"]), 1)
            async with _lives(folder, embedded.url, "a", "b") as lives:
                asking = asyncio.create_task(riders.run())
                await asyncio.wait_for(riders.answered(), 60)
                for turn in range(6):
                    os.kill(lives[turn % 2], signal.SIGSTOP)
                    await asyncio.sleep(2 * LEASE_MS / 1000)
                    await asyncio.wait_for(riders.answered(), 60)
                    os.kill(lives[turn % 2], signal.SIGCONT)
                    await asyncio.wait_for(riders.answered(), 60)
                    await asyncio.sleep(draw.uniform(0, 0.3))
                await _finished(riders, asking)
            assert len(set(riders.fences)) >= 4
            assert await _judged(folder, embedded, riders) == []

    asyncio.run(stopped())


def test_lost_answers_are_asked_for_again(folder: Path) -> None:
    """A connection to the store that breaks off after the commit and before its answer: the batch is known again."""

    async def lossy() -> None:
        async with Embedded(folder / "store") as embedded:
            draw, dropped = random.Random(1), []

            async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                there, back = await asyncio.open_unix_connection(embedded.socket)

                async def one_way(
                    source: asyncio.StreamReader, sink: asyncio.StreamWriter, other: asyncio.StreamWriter, loss: float
                ) -> None:
                    try:
                        while data := await source.read(65536):
                            if draw.random() < loss:
                                dropped.append(data)
                                break
                            sink.write(data)
                            await sink.drain()
                    except ConnectionError:
                        pass
                    sink.close()
                    other.close()

                await asyncio.gather(one_way(reader, back, writer, 0), one_way(there, writer, back, 0.04))

            proxy = await asyncio.start_unix_server(carry, folder / "proxy.sock")
            url = embedded.url.replace(str(embedded.socket), str(folder / "proxy.sock"))
            async with _lives(folder, url, "naru"):
                riders = Riders(lambda: folder / "naru.sock", 2)
                asking = asyncio.create_task(riders.run())
                await asyncio.wait_for(riders.answered(), 60)
                await asyncio.sleep(6)
                await _finished(riders, asking)
            proxy.close()
            assert len(dropped) > 10
            assert await _judged(folder, embedded, riders) == []

    asyncio.run(lossy())


def test_a_store_that_stalls_loses_nothing(folder: Path) -> None:
    """As if each fsync took a tenth of a second, or two seconds."""

    async def stalling() -> None:
        async with Embedded(folder / "store") as embedded:
            draw = random.Random(3)
            riders = Riders(lambda: folder / "naru.sock", 3)
            async with _lives(folder, embedded.url, "naru"):
                asking = asyncio.create_task(riders.run())
                await asyncio.wait_for(riders.answered(), 60)
                for turn in range(20):
                    os.kill(embedded.pid, signal.SIGSTOP)
                    await asyncio.sleep(2.3 if turn == 10 else 0.1)
                    os.kill(embedded.pid, signal.SIGCONT)
                    await asyncio.sleep(draw.uniform(0, 0.3))
                await _finished(riders, asking)
            assert await _judged(folder, embedded, riders) == []

    asyncio.run(stalling())
