"""Who leads: one at a time, on a store that keeps what it says, and what happens when the store is silent."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter

import pytest
import redis.asyncio as redis

from dispatch.core import events as ev
from dispatch.core.fold import fold
from dispatch.service.clocks import SteppedClock
from dispatch.service.dispatcher import Dispatcher, NotLeader, StoreDown
from tests.faults import town
from tests.service.stores import DAY, MORNING, Post, dispatching, embedded, log_of, run, store_of, until


def test_a_store_that_does_not_answer_is_told_and_what_was_asked_is_kept_or_not_but_never_half() -> None:
    """503 within seconds; when the store is back, the same key tells what became of it."""

    async def test() -> None:
        async with embedded() as started, dispatching(started) as dispatcher:
            await dispatcher.submit(town.book("r0", 0))
            os.kill(started.pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                asked = asyncio.create_task(dispatcher.submit(town.book("r1", 1), key="r1"))
                await asyncio.sleep(1.2)
                with pytest.raises(StoreDown):
                    await dispatcher.submit(town.book("r2", 2))
                with pytest.raises(StoreDown):
                    await asked
                assert time.monotonic() - began < 8
            finally:
                os.kill(started.pid, signal.SIGCONT)
            await dispatcher.until_ready()
            await dispatcher.submit(town.book("r1", 1), key="r1")
            events = await log_of(dispatcher.store, DAY)
            assert Counter(e.request.rider for e in events if isinstance(e, ev.RequestMade)) == {"r0": 1, "r1": 1}
            assert dispatcher.desk.world.encoded() == fold(events).encoded()

    run(test)


def test_one_leads_and_the_other_takes_over() -> None:
    """Who stands by says so, and goes on where the first one was."""

    async def test() -> None:
        async with embedded() as started, store_of(started) as store:
            clock = SteppedClock(MORNING)
            settings = {"alone": False, "lease_ms": 500}
            async with dispatching(started, clock, **settings) as leader:
                standby = Dispatcher(town.ZONE, store, clock, lease_ms=500, rounds=False, channels={"log": Post()})
                async with standby:
                    await leader.submit(town.book("r1", 1), key="r1")
                    await asyncio.sleep(0.7)
                    assert not standby.ready
                    assert standby.missing == "another dispatcher leads this zone"
                    with pytest.raises(NotLeader):
                        await standby.submit(town.book("r2", 2))
                    await leader.__aexit__()
                    await standby.until_ready(2)
                    assert (await standby.submit(town.book("r1", 1), key="r1")).replayed

    run(test)


def test_a_store_that_could_lose_commits_is_not_led_on() -> None:
    """Not ready, with the reason; ready when it is mended."""

    async def test() -> None:
        async with embedded() as started, dispatching(started) as dispatcher:
            client = redis.from_url(started.url)
            await client.config_set("appendfsync", "everysec")
            await until(lambda: not dispatcher.ready)
            with pytest.raises(TimeoutError, match="appendfsync is everysec"):
                await dispatcher.until_ready(0.5)
            await client.config_set("appendfsync", "always")
            await client.aclose()
            await dispatcher.until_ready(5)

    run(test)
