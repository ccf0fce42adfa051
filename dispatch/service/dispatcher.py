"""The dispatcher of one zone: the one place where decisions are made and committed.

A decision is taken at once, on a desk whose world may run a few milliseconds ahead of the store; whoever asked is
answered only when the store has acknowledged it. What was decided while one batch was under way goes as the next one,
so that many decisions share one fsync and none waits for another's. If the store refuses a batch, or does not answer,
everything not acknowledged fails with it, and the desk is rebuilt from what the store has.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import hashlib
import logging
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final, Self

from redis.exceptions import RedisError

from dispatch.core import events as ev
from dispatch.core.carry import close_day, open_day
from dispatch.core.desk import Desk
from dispatch.core.events import Event
from dispatch.core.reactions import Reactions
from dispatch.core.world import World
from dispatch.service.archive import keep_moving_out
from dispatch.service.clocks import Clock, ScaledClock
from dispatch.service.commits import Commit, decided
from dispatch.service.decisions import (
    Act,
    Committed,
    Counters,
    Decide,
    KeyReused,
    Messages,
    Refused,
    Zone,
)
from dispatch.service.endings import ended
from dispatch.service.improving import Improving
from dispatch.service.moments import date_of, zero_utc_of
from dispatch.service.outbox import Channels, Outbox, to_log
from dispatch.service.service_days import is_over, next_open
from dispatch.service.snapshots import SNAPSHOT_EVERY, Snapshots
from dispatch.service.store import Head, NotLeader, Stale, Store, StoreDown
from dispatch.service.tail import Tail
from dispatch.service.term import Spoilt, Term
from dispatch.service.timer import Timer, tick, tick_beside_worker
from dispatch.service.worker import Worker

log = logging.getLogger(__name__)

__all__ = [
    "Act", "Committed", "Counters", "Decide", "Dispatcher", "KeyReused", "Messages", "NotLeader", "Refused",
    "StoreDown", "Zone",
]  # fmt: skip

LEASE_MS: Final = 5_000
LOOK_MS: Final = 1_000
"""a quote may lapse before what was due next when it was given"""


class Dispatcher:
    """One zone's single writer.

    `async with Dispatcher(zone, store) as dispatcher:` starts it and stops it; several may run for one zone: one leads
    and the others stand by. `notices` makes the messages of every commit, the timer's included. `alone`: nobody else
    can be alive who led before (an embedded store's folder lock proves it), so the lease need not run out. `rounds`:
    False where the caller steps the timer itself with `round`. `archive`: folder for the logs of days that are over,
    which then leave the store; without one they stay. `first_day`: date of the service day that a new zone opens, where
    it is not the clock's. `worker`: improves plans in a process of its own; they are judged here.
    """

    def __init__(
        self,
        zone: Zone,
        store: Store,
        clock: Clock | None = None,
        *,
        notices: Messages | None = None,
        channels: Channels | None = None,
        alone: bool = False,
        rounds: bool = True,
        lease_ms: int = LEASE_MS,
        snapshot_every: int = SNAPSHOT_EVERY,
        archive: Path | None = None,
        first_day: str | None = None,
        worker: Worker | None = None,
    ) -> None:
        self.zone = zone
        self.store = store
        self.clock = clock or ScaledClock()
        self.counters = Counters()
        self.desk = Desk(zone.times, reroute=zone.reroute)
        """For reading and for quotes. Its world may be ahead of the store: `await settled()` before telling of it."""
        self.day = ""
        """date of the service day that is open"""
        self.missing = "not started"
        """what it is not ready for want of; empty if it is"""
        self.who = uuid.uuid4().hex
        self.outbox = Outbox(store, {"log": to_log} if channels is None else channels)
        self._notices = notices
        self._alone = alone
        self._rounds = rounds
        self._lease_ms = lease_ms
        self._archive = archive
        self._first_day = first_day
        self.improving = None if worker is None else Improving(worker, self.counters, lambda: self.desk, self.react)
        self._term: Term | None = None
        self._why: StoreDown | NotLeader = NotLeader("this dispatcher has not started")
        self._zero_utc = 0
        self._ahead = 0
        """ms that the log was ahead of the clock when the day was read"""
        self.timer = Timer(getattr(self.clock, "speed", 1.0))
        self._living: asyncio.Task[None] | None = None
        self._stopping = False
        self._tail = Tail(store)
        self._snapshots = Snapshots(store, self.counters, snapshot_every, lambda: (self.day, self.desk.world))

    # life

    async def __aenter__(self) -> Self:
        self._living = asyncio.create_task(self._live(), name=f"dispatcher of {self.zone.name}")
        if self.improving is not None:
            self.improving.prepare()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Commit what was decided, then let the next one lead."""
        with contextlib.suppress(StoreDown, NotLeader):
            await self.settled()
        self._stopping = True
        if self._living is not None:
            await ended([self._living])
        if self.improving is not None:
            await self.improving.close()
        with contextlib.suppress(StoreDown):
            await self.store.give_lead(self.who)

    @property
    def ready(self) -> bool:
        """Leads its zone, on a store that is set up to lose nothing and has answered lately."""
        term = self._term
        return term is not None and not self.missing and term.stands

    @property
    def commit_ms(self) -> Sequence[float]:
        """How long the store took for the last batches of this term."""
        return () if self._term is None else self._term.commit_ms

    @property
    def fence(self) -> int | None:
        """Of the term; None: it does not lead."""
        return None if self._term is None else self._term.fence

    @property
    def now(self) -> int:
        """ms of the service day; never runs back."""
        return max(self.clock.utc() - self._zero_utc + self._ahead, self.desk.world.now)

    async def until_ready(self, timeout_s: float = 30) -> None:
        """Raises TimeoutError with what is missing."""
        try:
            async with asyncio.timeout(timeout_s):
                while not self.ready:  # noqa: ASYNC110 - it is also lost by time
                    await asyncio.sleep(0.005)
        except TimeoutError:
            raise TimeoutError(f"not ready: {self.missing or 'the store does not answer'}") from None

    async def _live(self) -> None:
        """Lead, and again after every failure."""
        pause = 0.0
        while not self._stopping:  # a connection that breaks off may swallow a cancellation
            began = time.monotonic()
            try:
                await self._lead()
            except (StoreDown, NotLeader, Stale, Spoilt) as error:
                self._end(error)
                log.warning("%s: term ended: %s", self.zone.name, error)
            except Exception as error:
                self.counters.defects += 1
                self._end(error)
                log.exception("%s: term ended by a defect", self.zone.name)
            except asyncio.CancelledError:
                break
            pause = 0.0 if time.monotonic() - began > 5 else min(max(2 * pause, 0.02), 1.0)
            await asyncio.sleep(pause)
        self._end(NotLeader("this dispatcher has been stopped"))

    def _end(self, error: Exception) -> None:
        """Fail what was not acknowledged."""
        term, self._term = self._term, None
        self._why = error if isinstance(error, (StoreDown, NotLeader)) else StoreDown(f"the desk is rebuilt: {error}")
        self.missing = str(self._why)
        self.timer.forget()
        if term is None:
            return
        self.counters.terms_lost += 1
        term.fail(self._why)

    async def _lead(self) -> None:
        """One term, from taking the lead to losing it. Raises what ended it."""
        fence = await self._take_lead()
        term = Term(self.store, self.who, fence, self._lease_ms, self.counters, self._acknowledged)
        await self._load(term)
        self.counters.terms += 1
        parts = [term.write(), term.renew(), self._snapshots.keep(term), self.outbox.run()]
        if self._rounds:
            parts.append(self._turn())
        if self._archive is not None:
            parts.append(keep_moving_out(self.store, self._archive, lambda: self._tail.day))
        tasks = [asyncio.create_task(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                await task
        finally:
            await ended(tasks)

    async def _take_lead(self) -> int:
        while True:
            lacks = await self.store.lacks()
            if lacks:
                self.missing = "the store would lose commits: " + "; ".join(lacks)
                self._why = StoreDown(self.missing)
            else:
                fence = await self.store.take_lead(self.who, self._lease_ms, alone=self._alone)
                if fence is not None:
                    return fence
                self.missing = "another dispatcher leads this zone"
                self._why = NotLeader(self.missing)
            await asyncio.sleep(min(self._lease_ms / 10_000, 0.5))

    async def _load(self, term: Term) -> None:
        """The desk as the store has it; a day is opened if none is, or if the one that was is over."""
        head = await self.store.head()
        days = await self.store.days()
        for day in days[-2:]:
            term.keys |= await self.store.kept(day)
        last: ev.Event | None = None
        world = World()
        if head is not None:
            world, last = await self.store.world(head.day)
            if world.seq != head.seq:
                raise StoreDown(f"the log of {head.day} ends at {world.seq}, but {head.seq} were committed")
        await self._refresh(head, world)
        self._term = term  # nothing is awaited from here on: nobody sees a desk half made
        if head is None:
            self._open_day(self._first_day or self._date(), None)
        else:
            self._begin(head, world)
            self._tail.begin(head.day, head.seq)
            if isinstance(last, ev.DayClosed):
                self._open_day(self._date(), world)
        self.missing = ""

    async def _refresh(self, head: Head | None, world: World) -> None:
        """The zone as it is on the open day. Raises StoreDown where that is not the one of its log."""
        if self.zone.refresh is not None:
            try:
                await self.zone.refresh()
            except RedisError as error:
                raise StoreDown(f"the set-up cannot be read: {error}") from None
        if head is None or world.opened is None:
            return
        if self.zone.for_day is not None:
            self.zone = self.zone.for_day(head.day)
        if self.zone.times.place_nodes.tolist() != list(world.opened.place_nodes):
            raise StoreDown(
                f"streets or stop points are not those of the log of {head.day}: serve the zone's file of that day"
            )

    def _begin(self, head: Head, world: World) -> None:
        """A desk on this world."""
        zone, times = self.zone, self.zone.times
        if zone.reroute is not None and (world.closed_edges or world.speed_factor != 1.0):
            times = zone.reroute(frozenset(world.closed_edges), world.speed_factor)
        self.desk = Desk(times, reroute=zone.reroute, world=world)
        self.day = head.day
        self._zero_utc = 0 if world.opened is None else world.opened.zero_utc
        # a clock that was set back since: time goes on from where the log is
        self._ahead = max(0, world.now - (self.clock.utc() - self._zero_utc)) if world.opened else 0
        self.timer.begin(world, self._zero_utc)

    # the day

    def _date(self) -> str:
        """Of the service day that it is now."""
        return date_of(self.clock.utc(), self.zone.timezone).isoformat()

    def _open_day(self, day: str, before: World | None) -> None:
        """Decide the first events of a day; they go to the store like any others."""
        day = next_open(self.day, day)
        zero = zero_utc_of(dt.date.fromisoformat(day), self.zone.timezone)
        if self.zone.for_day is not None:
            self.zone = self.zone.for_day(day)
        if self.day or self.zone.for_day is not None:
            self._begin(Head(day, 0), World())
        self.day, self._zero_utc = day, zero
        self._ahead = 0
        self._snapshots.open_day()
        self.timer.open_day(self.now, zero)
        opening = self.zone.opening(day)
        self._decide(lambda reactions, now: open_day(reactions, opening, now, before), told=ev.RideRefused)

    async def round(self) -> Committed:
        """What the timer does, now: for callers that step it themselves."""
        self._may_submit()
        return await asyncio.shield(self._round(self.now).done)

    def _round(self, now: int) -> Commit:
        """Lost bookings, better plans, the queue; and the turn of the day."""
        self.counters.rounds += 1
        if is_over(self.desk.world, self.now):
            before = self.desk.world
            self._decide(close_day, now=now)
            self._open_day(self._date(), before)
            now = self.now
        if self.improving is None:
            return self._decide(tick, now=now)
        improves = self.desk.world.improves_at(now)
        commit = self._decide(tick_beside_worker, now=now)
        if improves:
            self.improving.begin(now)
        return commit

    def _on_time(self) -> None:
        """Let what is due happen before anything later, each at its own time; a timer that is very late happens now."""
        while self._rounds:
            try:
                due = self.timer.take(self.desk.world, self.now)
                if due is None:
                    return
                if due.act is None:
                    self._round(due.at)
                    continue
                self._decide(due.act, now=due.at)
                if due.appointment:
                    self.timer.kept.add(due.appointment)
            except Exception as error:
                self.counters.defects += 1
                log.exception("%s: the timer failed", self.zone.name)
                raise StoreDown("the desk is being rebuilt") from error

    async def _turn(self) -> None:
        while True:
            await self.clock.sleep(min(self.timer.due(self.desk.world, self.now) - self.now, LOOK_MS))
            try:
                self._may_submit()
                self._on_time()
            except (StoreDown, NotLeader):  # the term ends, or the store is slow
                await self.clock.sleep(LOOK_MS)

    # deciding

    async def submit(
        self, decide: Decide, *, key: str | None = None, body: bytes = b"", messages: Messages | None = None
    ) -> Committed:
        """Decide now, commit, and return when the store has acknowledged.

        `key` (make it the caller's own: "rider:their-key") makes it safe to repeat: same key and body, same answer.
        Cancelling the caller does not cancel the commit. Raises KeyReused, StoreDown, NotLeader, and what `decide`
        raises.
        """

        def act(reactions: Reactions, now: int) -> None:
            for event in decide(reactions.desk, now):
                reactions.record((event,))

        return await self.react(act, key=key, body=body, messages=messages)

    async def react(
        self, act: Act, *, key: str | None = None, body: bytes = b"", messages: Messages | None = None
    ) -> Committed:
        """As `submit`, with the core's reactions: `lambda reactions, now: reactions.break_down(shuttle, now)`."""
        term = self._may_submit()
        digest = hashlib.sha256(body).digest()[:16]
        if key is not None and key in term.keys:
            return await term.again(key, digest)
        self._on_time()
        commit = self._decide(act, key, digest, messages)
        return await asyncio.shield(commit.done)

    async def settled(self) -> None:
        """Returns when everything the desk has in its world now is in the store. Raises StoreDown, NotLeader."""
        if self._term is None:
            raise type(self._why)(str(self._why))
        await self._term.settled()

    def _may_submit(self) -> Term:
        """The term. Raises StoreDown or NotLeader if nothing can be decided now."""
        term = self._term
        if term is None:
            raise type(self._why)(str(self._why))
        term.check()
        return term

    def _decide(
        self,
        act: Act,
        key: str | None = None,
        digest: bytes = b"",
        messages: Messages | None = None,
        *,
        now: int | None = None,
        told: type[Event] = Event,
    ) -> Commit:
        """Let the desk act, and put what came of it on its way to the store; of its events, tell of the `told` ones."""
        term, desk = self._term, self.desk
        assert term is not None
        now = self.now if now is None else now
        world, before = desk.world, desk.world.seq
        try:
            events = decided(desk, act, now)
            notices = [event for event in events if isinstance(event, told)]
            letters = list(self._notices(desk, notices)) if self._notices is not None and notices else []
            if messages is not None:
                letters += messages(desk, events)
            zero_utc = world.opened.zero_utc if world.opened is not None else 0
            commit = Commit(self.day, before + 1, events, zero_utc, key, digest)
        except BaseException:
            if world.seq != before:
                term.spoil()
            raise
        self.timer.watch(world, events)
        term.add(commit, letters)
        return commit

    # what follows from a batch

    def _acknowledged(self, commits: list[Commit]) -> None:
        last = commits[-1]
        self._tail.add(last.day, [event for commit in commits for event in commit.events])
        if any(commit.messages for commit in commits):
            self.outbox.wake()
        if last.day == self.day:
            self._snapshots.acknowledged(last.last)

    # who follows

    def subscribe(self, after_seq: int = 0, day: str | None = None) -> AsyncIterator[tuple[str, int, Event]]:
        """(day, seq, event) of all that is acknowledged: from the log, then as it happens, and on into the next day.

        With a `day` that is over, the rest of its log comes first. Raises StoreDown where the log can't be read. Who
        stands by sees nothing new until it leads.
        """
        return self._tail.follow(after_seq, day)

    async def state_at(self, *, seq: int | None = None, at: int | None = None) -> World:
        """The world of the open day after event `seq`, or at the time `at` in ms. Raises StoreDown."""
        world, _ = await self.store.world(self.day, seq=seq, at=at)
        return world
