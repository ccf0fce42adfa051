"""Messages that leave the house: written in the commit that causes them, delivered at least once.

A message lies in the store until a channel has taken it; nothing lies there for what was not committed. After a crash
it may be delivered again, with the same id. Messages are delivered side by side, so a receiver that cares for their
order goes by `seq`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, field

from dispatch.service.endings import ended
from dispatch.service.store import Store, StoreDown

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
"""deliveries under way at the same time, by each way: one that is slow delays no other"""
HELD: Final = 1_000
"""messages held in memory; the others wait in the store"""
ATTEMPT_S: Final = 10.0
GATHER_S: Final = 0.05
"""what has come or gone meanwhile is read or told of at once"""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 300.0
GIVEN_UP_AFTER_S: Final = 86_400.0

Channel = Literal["log", "webhook", "email", "sms", "push", "zone"]


class Message(Struct, frozen=True, omit_defaults=True):
    """One notification. Holds no address: `to` is a rider's, driver's or operator's id, resolved when delivered."""

    channel: Channel
    to: str
    kind: str
    """what it says: `booked`, `at_risk`, `code` …"""
    about: str = ""
    """request or shuttle that it is about"""
    values: dict[str, str | int | None] = field(default_factory=dict)
    """what the text is made of; no personal data that outlives the delivery"""
    id: str = ""
    """given by the dispatcher at the commit; a receiver sees it again if the message is delivered twice"""
    day: str = ""
    seq: int = 0
    """last event of the commit, by the dispatcher"""
    utc: int = 0
    """when it was committed, ms since 1970 of the real world, by the dispatcher"""


Deliver = Callable[[Message], Awaitable[None]]
"""Returns when the message has been taken; any exception means: again, later."""
Channels = Mapping[Channel, Deliver]
Resolve = Callable[[Message], Awaitable[Mapping[str, Any] | None]]
"""Address and words of a message, when it is delivered; None: the person is no more, drop it."""


class Delivered(Struct):
    """What metrics are made of."""

    delivered: int = 0
    failed: int = 0
    """attempts"""
    given_up: int = 0
    waiting: int = 0


class Undeliverable(Exception):  # noqa: N818
    """The receiver did not take a message."""


class GivenUp(Undeliverable):
    """Nor is there any use in trying again."""


class Outbox:
    """Delivers what lies in a zone's outbox. `run` in the leader only."""

    def __init__(self, store: Store, channels: Channels) -> None:
        self.counts = Delivered()
        self._store = store
        self._channels = channels
        self._news = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()
        self._done: list[str] = []
        """entries that have been delivered and lie in the store still"""

    def wake(self) -> None:
        """Something was put in."""
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        free = {channel: asyncio.Semaphore(AT_ONCE) for channel in self._channels}
        cursor, under_way = "-", self._under_way
        under_way.clear()
        self._done.clear()
        clearing = asyncio.create_task(self._clear())
        try:
            while True:
                self._news.clear()
                room = HELD - len(under_way)
                page = await self._page(cursor, room)
                for entry, data in page:
                    cursor = entry
                    task = asyncio.create_task(self._deliver(entry, data, free))
                    under_way.add(task)
                    task.add_done_callback(self._one_done)
                self.counts.waiting = len(under_way)
                if len(page) < room:  # that was all
                    await self._news.wait()
                    await asyncio.sleep(GATHER_S)
                elif under_way:
                    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await ended([*under_way, clearing])
            if self._done:  # else the next term would deliver it again
                with contextlib.suppress(StoreDown):
                    await self._store.delivered(self._done)

    async def _clear(self) -> None:
        """Tell the store what has been delivered, many at once: each telling costs an fsync of its own."""
        while True:
            await asyncio.sleep(GATHER_S)
            if self._done:
                done = list(self._done)
                await self._told(lambda done=done: self._store.delivered(done))  # type: ignore[misc]
                del self._done[: len(done)]

    async def _page(self, after: str, room: int) -> list[tuple[str, bytes]]:
        """What has come since, as far as there is room for it."""
        while room > 0:
            try:
                return await self._store.messages(after, room)
            except StoreDown:
                await asyncio.sleep(FIRST_PAUSE_S)
        return []

    def _one_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("outbox: a message is left for the next term: %r", error)
        self._under_way.discard(task)
        self.counts.waiting = len(self._under_way)

    async def _deliver(self, entry: str, data: bytes, free: Mapping[Channel, asyncio.Semaphore]) -> None:
        message = msgspec.json.decode(data, type=Message)
        pause = FIRST_PAUSE_S
        while True:
            try:
                async with free[message.channel], asyncio.timeout(ATTEMPT_S):
                    await self._channels[message.channel](message)
                break
            except Exception as error:  # noqa: BLE001 - whatever a channel raises means: again, later
                self.counts.failed += 1
                log.info("message %s was not taken by %s: %s", message.id, message.channel, type(error).__name__)
                if isinstance(error, GivenUp) or time.time() - message.utc / 1000 > GIVEN_UP_AFTER_S:
                    self.counts.given_up += 1
                    await self._told(lambda: self._store.bury(entry, data))
                    return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        self.counts.delivered += 1
        self._done.append(entry)

    async def _told(self, tell: Callable[[], Awaitable[None]]) -> None:
        """Tell the store, however long it is away: until then the message would be delivered again."""
        while True:
            try:
                return await tell()
            except StoreDown:
                await asyncio.sleep(FIRST_PAUSE_S)


async def to_log(message: Message) -> None:
    """Channel that only notes that there was a message; who it was for stays out."""
    log.info("message %s: %s about %s", message.id, message.kind, message.about)


def to_webhook(url: str, secret: str, resolve: Resolve | None = None) -> Deliver:
    """Channel that POSTs messages as JSON, signed; anything but a 2xx means again, later.

    `Naru-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 of "t.body">`: see `signature`. `Naru-Id` is the message's id.
    """

    async def deliver(message: Message) -> None:
        more = {} if resolve is None else await resolve(message)
        if more is None:
            return
        body = json.dumps({**msgspec.to_builtins(message), **more}, ensure_ascii=False).encode()
        await asyncio.to_thread(post_signed, url, secret, body, message.id)

    return deliver


def post_signed(url: str, secret: str, body: bytes, name: str) -> None:
    """POST a message. Raises Undeliverable, or what the network raises."""
    import requests

    headers = {
        "Content-Type": "application/json",
        "Naru-Id": name,
        "Naru-Signature": signature(body, secret, int(time.time())),
    }
    answer = requests.post(url, data=body, headers=headers, timeout=ATTEMPT_S - 1, allow_redirects=False)
    if not 200 <= answer.status_code < 300:
        raise Undeliverable(f"answered {answer.status_code}")


def signature(body: bytes, secret: str, at: int) -> str:
    """What a receiver computes again over the body it got, to know that it is ours and of now."""
    code = hmac.new(secret.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={code}"
