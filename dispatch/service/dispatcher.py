"""The dispatcher of one zone: the one place where decisions are made and committed.

A decision is taken at once on the desk, whose world may run a few milliseconds ahead of the store; whoever asked is
answered only when the store has acknowledged it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from msgspec import Struct

from dispatch.core.desk import Desk, Reroute
from dispatch.core.events import Event
from dispatch.core.world import World
from dispatch.service.outbox import Message
from routing.travel_times import DriveTimes

Decide = Callable[[Desk, int], Iterable[Event]]
"""(desk, now in ms of the service day) -> events, none of them applied. May raise `Refused`.

A list is applied when it is whole. A generator is applied event by event: what runs after a `yield` sees the world with
that event in it (`RequestMade`, then the quote for it). It may raise only before its first `yield`.
"""
Messages = Callable[[Desk, Sequence[Event]], Sequence[Message]]
"""(desk with the events applied, events of one commit) -> what to tell whom."""


class Refused(Exception):
    """What was asked cannot be; nothing has changed. `code` is stable, `sentence` is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class KeyReused(Exception):
    """The idempotency key was used before, with another body."""


class StoreDown(Exception):
    """The store did not acknowledge. Whether the commit happened is not known: ask again with the same key."""

    retry_after_s = 1


class NotLeader(Exception):
    """Another dispatcher leads this zone, or this one does not lead yet."""

    retry_after_s = 1


class Committed(Struct, frozen=True):
    """What the store has acknowledged."""

    day: str
    """service day, as a date"""
    seq: int
    """of the last event; of the last one before, if there is none"""
    events: tuple[Event, ...]
    replayed: bool = False
    """the same key and body were committed before: this is what happened then"""


class Clock(Protocol):
    """Whose time it is. Never runs back."""

    def utc(self) -> int:
        """ms since 1970, by the clock that riders are served by."""

    async def sleep(self, ms: float) -> None:
        """Wait for so long by this clock."""


class ScaledClock:
    """Starts at `start_utc` (default: the wall clock) and runs `speed` times as fast; deaf to the wall clock's jumps."""

    def __init__(self, start_utc: int | None = None, speed: float = 1.0) -> None:
        raise NotImplementedError

    def utc(self) -> int:
        """ms since 1970."""
        raise NotImplementedError

    async def sleep(self, ms: float) -> None:
        """Wait ms of this clock."""
        raise NotImplementedError


class SteppedClock:
    """Stands still until `step_to` is called: lockstep runs and tests."""

    def __init__(self, start_utc: int) -> None:
        raise NotImplementedError

    def step_to(self, utc: int) -> None:
        """It is now `utc`; a time before is ignored."""
        raise NotImplementedError

    def utc(self) -> int:
        """ms since 1970."""
        raise NotImplementedError

    async def sleep(self, ms: float) -> None:
        """Wait until the clock has been stepped so far."""
        raise NotImplementedError


@dataclass(frozen=True)
class Zone:
    """What a dispatcher has to know of its zone."""

    name: str
    timezone: str
    times: DriveTimes
    """roads as the map and the profile have them"""
    opening: Callable[[str], Sequence[Event]]
    """First events of the service day of this date, `at` to be set by the dispatcher: DayOpened, PolicyChanged, ShiftOpened…

    Shifts of later days may be among them, so that rides can be booked ahead; then their ids must tell the days apart.
    A policy or shift in force the day before goes before those given here.
    """
    reroute: Reroute | None = None


class Counters(Struct):
    """What metrics are made of; since the process started."""

    commits: int = 0
    events: int = 0
    batches: int = 0
    replays: int = 0
    refused: int = 0
    store_retries: int = 0
    store_failures: int = 0
    terms: int = 0
    """times that this dispatcher took the lead"""
    snapshots: int = 0
    rounds: int = 0
    proposals: int = 0
    proposals_stale: int = 0
    proposals_late: int = 0
    proposals_failed: int = 0
    messages_delivered: int = 0
    messages_failed: int = 0


class Dispatcher:
    """One zone's single writer.

    `async with Dispatcher(zone, store, clock) as dispatcher:` starts it and stops it; several may run for one zone, one
    leads and the others stand by.
    """

    desk: Desk
    """for reading and for quotes. Its world may be ahead of the store: `await settled()` before what is read is told"""
    clock: Clock
    counters: Counters
    day: str
    """date of the service day that is open"""

    @property
    def ready(self) -> bool:
        """Leads its zone, on a store that is set up to lose nothing."""
        raise NotImplementedError

    @property
    def now(self) -> int:
        """ms of the service day; never runs back."""
        raise NotImplementedError

    async def until_ready(self, timeout_s: float = 30) -> None:
        """Raises TimeoutError with what is missing."""
        raise NotImplementedError

    async def submit(
        self, decide: Decide, *, key: str | None = None, body: bytes = b"", messages: Messages | None = None
    ) -> Committed:
        """Decide now, commit, and return when the store has acknowledged.

        `key` (make it the caller's own: "rider:their-key") makes it safe to repeat: same key and body, same `Committed`.
        Cancelling the caller does not cancel the commit. Raises KeyReused, StoreDown, NotLeader, and what `decide` raises.
        """
        raise NotImplementedError

    async def settled(self) -> None:
        """Returns when everything the desk has in its world now is in the store. Raises StoreDown, NotLeader."""
        raise NotImplementedError

    def subscribe(self, after_seq: int = 0, day: str | None = None) -> AsyncIterator[tuple[str, int, Event]]:
        """(day, seq, event) of all that is acknowledged, from the log first, then as it happens; goes on into the next day.

        With a `day` that is over it begins with the open day's first event.
        """
        raise NotImplementedError

    async def state_at(self, *, seq: int | None = None, at: int | None = None) -> World:
        """The world of the open day as it was after event `seq`, or at the time `at` (ms of the service day)."""
        raise NotImplementedError
