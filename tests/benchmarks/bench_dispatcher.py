"""The dispatcher with a real store and real insertion on 100 shuttles: open loop, closed loop, recovery.

python -m tests.benchmarks.bench_dispatcher [FOLDER]     (where the store's file lies: its disk is what is measured)
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import NEVER, Access, Policy, RideRequest, Shift
from dispatch.core.reactions import answer
from dispatch.service.clocks import ScaledClock
from dispatch.service.dispatcher import Decide, Dispatcher, Zone
from dispatch.service.embedded import Embedded
from dispatch.service.store import Store
from dispatch.service.worker import Worker
from simulator.simulate import warm
from tests.faults.town import opening
from tests.worlds import drive_times, grid

WIDTH, SHUTTLES = 30, 100
TIMES = drive_times(grid(WIDTH, WIDTH, 30), range(0, WIDTH * WIDTH, 3))
AHEAD_S = 50_000
"""rides are asked for so far ahead, that nearly all can be had: a refusal costs more than a booking"""
PLACES = len(TIMES.place_nodes)


def _opening(day: str) -> Sequence[ev.Event]:
    first = opening(day)[0]
    assert isinstance(first, ev.DayOpened)
    opened = ev.DayOpened(
        0, first.zero_utc, day, "UTC", tuple(map(str, range(PLACES))), tuple(TIMES.place_nodes.tolist()), "grid",
        "bench", 1, "0",
    )  # fmt: skip
    policy = Policy(max_wait_s=900, promise_window_s=600, horizon_s=10**6)
    shifts = [Shift(f"s{n}", f"s{n}", 9 * n % WIDTH**2, 0, NEVER, 8) for n in range(SHUTTLES)]
    return [opened, ev.PolicyChanged(0, policy), *(ev.ShiftOpened(0, shift) for shift in shifts)]


def book(number: int, ahead_s: int) -> Decide:
    """A ride within the next `ahead_s`."""

    def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
        draw = Random(number)
        origin, destination = draw.sample(range(PLACES), 2)
        direct = int(TIMES.table[0, TIMES.place_nodes[origin], destination])
        departs = now + draw.randrange(ahead_s) * 1000
        request = RideRequest(f"r{number}", (Access(origin),), (Access(destination),), direct, 0, departs)
        yield ev.RequestMade(now, request)
        yield from answer(desk, request, now, lambda *_: 0)

    return decide


def quantile(values: Sequence[float], share: float) -> float:
    """Of sorted or unsorted values."""
    return sorted(values)[min(int(len(values) * share), len(values) - 1)]


def fsync_ms(folder: Path) -> list[float]:
    """What the disk takes for one record, nobody else writing."""
    took = []
    descriptor = os.open(folder / "fsync", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    for _ in range(300):
        began = time.perf_counter()
        os.write(descriptor, b"x" * 1_000)
        os.fdatasync(descriptor)
        took.append((time.perf_counter() - began) * 1000)
    os.close(descriptor)
    return took


async def open_loop(dispatcher: Dispatcher, rate: float, seconds: float, first: int) -> None:
    """Riders come whether the last one has been answered or not."""
    took: list[float] = []
    failed = 0

    async def one(number: int) -> None:
        nonlocal failed
        began = time.perf_counter()
        try:
            await dispatcher.submit(book(number, AHEAD_S), key=f"k{number}", body=b"{}")
        except Exception as error:  # noqa: BLE001 - counted
            failed += 1
            print(error)
        took.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    tasks = []
    for n in range(round(rate * seconds)):
        await asyncio.sleep(max(0, began + n / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(first + n)))
    await asyncio.gather(*tasks)
    batches = list(dispatcher.commit_ms)
    booked = sum(ride.state == "booked" for ride in dispatcher.desk.world.rides.values())
    print(
        f"open loop {rate:.0f}/s for {seconds:.0f} s: "
        f"p50 {quantile(took, 0.5):.1f} ms, p99 {quantile(took, 0.99):.1f} ms, "
        f"max {max(took):.1f} ms, {failed} errors; a batch p50 {quantile(batches, 0.5):.1f} ms; {booked} booked"
    )


async def closed_loop(dispatcher: Dispatcher, riders: int, count: int, first: int) -> None:
    """So many riders, each asking again when answered."""
    numbers = iter(range(first, first + count))

    async def rider() -> None:
        for number in numbers:
            await dispatcher.submit(book(number, AHEAD_S), key=f"k{number}", body=b"{}")

    began, batches = time.perf_counter(), dispatcher.counters.batches
    await asyncio.gather(*(rider() for _ in range(riders)))
    took = time.perf_counter() - began
    print(
        f"closed loop, {riders} riders: {count / took:.0f} commits/s, "
        f"{count / (dispatcher.counters.batches - batches):.1f} a batch"
    )


async def recovery(folder: Path) -> None:
    """10,000 bookings, then a new dispatcher on the same store."""
    async with Embedded(folder / "many") as embedded:
        store = Store(embedded.url, "bench", timeout_s=20)
        zone = Zone("bench", "UTC", TIMES, _opening)
        async with Dispatcher(zone, store, ScaledClock(), alone=True, rounds=False) as dispatcher:
            await dispatcher.until_ready()
            number = booked = 0
            while booked < 10_000:
                done = await asyncio.gather(*(dispatcher.submit(book(number + n, 500_000)) for n in range(200)))
                booked += sum(isinstance(event, ev.RideBooked) for one in done for event in one.events)
                number += 200
            events = dispatcher.desk.world.seq
            world = dispatcher.desk.world.encoded()
        began = time.perf_counter()
        async with Dispatcher(zone, store, ScaledClock(), alone=True, rounds=False) as dispatcher:
            await dispatcher.until_ready()
            took = time.perf_counter() - began
            assert dispatcher.desk.world.encoded() == world
        print(f"recovery of {booked} bookings ({events} events, {len(world) / 1e6:.1f} MB): {took:.2f} s")
        await store.close()


async def main(folder: Path) -> None:
    """All of it."""
    warm()
    alone = fsync_ms(folder)
    print(f"fsync: p50 {quantile(alone, 0.5):.1f} ms, p99 {quantile(alone, 0.99):.1f} ms")
    zone = Zone("bench", "UTC", TIMES, _opening)
    for rate, seconds in ((100, 60), (500, 20)):
        async with Embedded(folder / f"at{rate}") as embedded:
            store = Store(embedded.url, "bench")
            async with Dispatcher(zone, store, ScaledClock(), alone=True, worker=Worker()) as dispatcher:
                await dispatcher.until_ready()
                await closed_loop(dispatcher, 1, 50, 0)
                dispatcher.commit_ms.clear()  # type: ignore[attr-defined]
                await open_loop(dispatcher, rate, seconds, 1_000)
                if rate == 500:
                    await closed_loop(dispatcher, 64, 3_000, 100_000)
            await store.close()
    await recovery(folder)


if __name__ == "__main__":
    where = Path(tempfile.mkdtemp(prefix="naru-", dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        asyncio.run(main(where))
    finally:
        shutil.rmtree(where, ignore_errors=True)
