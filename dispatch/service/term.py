"""One time of leading: decisions on their way to the store, in batches, under one fence."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from dispatch.core.events import Event
from dispatch.service.commits import Commit
from dispatch.service.decisions import Committed, Counters, KeyReused
from dispatch.service.outbox import Message
from dispatch.service.store import Batch, Kept, Store, StoreDown, event_of

log = logging.getLogger(__name__)

RENEW_S: Final = 1.0
PATIENCE_S: Final = 3.0
"""for how long one batch is sent again before it is given up as unknown"""
QUIET_S: Final = 1.0
"""a batch under way for longer than this, and nothing new is accepted"""
LARGEST_BATCH: Final = 500
"""decisions"""


class Spoilt(Exception):  # noqa: N818
    """A decision failed half-way: the desk holds what will never be committed."""


class Term:
    """What a leader has in hand. `acknowledged` hears of each batch as soon as it is in the store."""

    def __init__(
        self,
        store: Store,
        who: str,
        fence: int,
        lease_ms: int,
        counters: Counters,
        acknowledged: Callable[[list[Commit]], None],
    ) -> None:
        self.fence = fence
        self.keys: dict[str, Kept] = {}
        """idempotency keys of today and yesterday"""
        self.flying: dict[str, Commit] = {}
        """of them, those not acknowledged yet"""
        self.last: Commit | None = None
        """the latest decision"""
        self.spoilt = False
        """a decision failed half-way: nothing more is decided, and what was good goes to the store"""
        self.commit_ms: deque[float] = deque(maxlen=2_000)
        """how long the store took for the last batches"""
        self._store = store
        self._who = who
        self._lease_ms = lease_ms
        self._counters = counters
        self._acknowledged = acknowledged
        self._pending: deque[Commit] = deque()
        self._under_way: list[Commit] = []
        self._quiet = False
        """a batch is under way for long, and it is not us who are slow"""
        self._renewed_at = time.monotonic()
        self._wake = asyncio.Event()
        self._batches = 0
        self._messages = 0

    @property
    def stands(self) -> bool:
        """The lease is in force and the desk is whole."""
        return not self.spoilt and time.monotonic() - self._renewed_at < self._lease_ms / 1000

    def check(self) -> None:
        """Raises StoreDown if nothing can be decided now."""
        if self.spoilt:
            raise StoreDown("the desk is being rebuilt")
        if self._quiet:
            raise StoreDown("the store does not answer")

    def add(self, commit: Commit, letters: Iterable[Message]) -> None:
        """Put a decision on its way, and with it what is to be told of it."""
        for letter in letters:
            self._messages += 1
            named = msgspec.structs.replace(
                letter,
                id=f"{self.fence}-{self._messages}",  # unlike any of any term
                day=commit.day,
                seq=commit.last,
                utc=time.time_ns() // 1_000_000,
            )
            commit.messages.append(msgspec.json.encode(named))
        if commit.key is not None and commit.kept is not None:
            self.keys[commit.key] = commit.kept
            self.flying[commit.key] = commit
        self._pending.append(commit)
        self.last = commit
        self._wake.set()

    async def again(self, key: str, digest: bytes) -> Committed:
        """The answer that was given under this key, once it is in the store. Raises KeyReused for another body."""
        kept = self.keys[key]
        if kept.digest != digest:
            raise KeyReused(key)
        flying = self.flying.get(key)
        if flying is not None:
            await asyncio.shield(flying.done)
        self._counters.replays += 1
        events: list[Event] = []
        if kept.last >= kept.first:
            async for page in self._store.lines(kept.day, kept.first - 1, kept.last):
                events += (event_of(line) for _, line in page)
        return Committed(kept.day, kept.last, tuple(events), replayed=True)

    def spoil(self) -> None:
        """End the term once what was decided before is in the store."""
        self.spoilt = True
        self._wake.set()

    async def settled(self) -> None:
        """Returns when everything decided so far is in the store. Raises what it has failed with."""
        if self.last is not None:
            await asyncio.shield(self.last.done)

    def fail(self, error: StoreDown | Exception) -> None:
        """Whatever is not acknowledged has failed, or may have."""
        for commit in [*self._under_way, *self._pending]:
            if not commit.done.done():
                commit.done.set_exception(type(error)(str(error)))

    async def write(self) -> None:
        """Commit batch after batch. Raises StoreDown, NotLeader, Stale, or Spoilt when all that was good is in."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                await self._commit()
            if self.spoilt:
                raise Spoilt("a decision failed half-way")

    def _take(self) -> list[Commit]:
        """What goes to the store next: decisions of one day, in order."""
        taken = self._under_way
        day = self._pending[0].day
        while self._pending and self._pending[0].day == day and len(taken) < LARGEST_BATCH:
            taken.append(self._pending.popleft())
        return taken

    async def _commit(self) -> None:
        commits = self._take()
        first, counters = commits[0], self._counters
        self._batches += 1
        batch = Batch(
            day=first.day,
            base=first.first - 1,
            token=f"{self.fence}-{self._batches}",
            lines=[line for commit in commits for line in commit.lines],
            keys=[(c.key, c.kept) for c in commits if c.key is not None and c.kept is not None],
            messages=[message for commit in commits for message in commit.messages],
        )
        if batch.lines or batch.keys or batch.messages:
            await self._send(batch)
            counters.batches += 1
        self._under_way = []
        counters.commits += len(commits)
        counters.events += len(batch.lines)
        self._acknowledged(commits)
        for commit in commits:
            if commit.key is not None:
                self.flying.pop(commit.key, None)
            commit.done.set_result(Committed(commit.day, commit.last, commit.events))

    async def _send(self, batch: Batch) -> None:
        """Send a batch until its outcome is known: the store knows it again by its token."""
        began = time.monotonic()
        # by the loop's own timer: while a long decision holds the loop up, the store's silence means nothing
        silence = asyncio.get_running_loop().call_later(QUIET_S, self._be_quiet)
        pause = 0.005
        try:
            while True:
                try:
                    await self._store.commit(self.fence, batch)
                    break
                except StoreDown:
                    if time.monotonic() - began > PATIENCE_S:
                        raise
                    self._counters.store_retries += 1
                await asyncio.sleep(pause)
                pause = min(2 * pause, 0.1)
        finally:
            silence.cancel()
            self._quiet = False
        self.commit_ms.append((time.monotonic() - began) * 1000)

    def _be_quiet(self) -> None:
        self._quiet = True

    async def renew(self) -> None:
        """Keep the lease, and an eye on the store: NotLeader, or StoreDown if it would lose commits."""
        while True:
            await asyncio.sleep(min(RENEW_S, self._lease_ms / 5000))
            try:
                await self._store.keep_lead(self._who, self._lease_ms, self.fence)
                lacks = await self._store.lacks()
            except StoreDown as error:
                log.info("lease not renewed: %s", error)  # the fence keeps what is committed right
                continue
            if lacks:
                raise StoreDown("the store would lose commits: " + "; ".join(lacks))
            self._renewed_at = time.monotonic()
