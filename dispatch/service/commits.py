"""One decision: made by the desk, written down, and on its way to the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from dispatch import solver
from dispatch.core.desk import Desk
from dispatch.core.events import Event, log_line
from dispatch.core.reactions import Reactions
from dispatch.service.decisions import Act, Committed
from dispatch.service.store import Kept


def decided(desk: Desk, act: Act, now: int) -> list[Event]:
    """Let the desk act, and look after the promises that this endangers; returns all that came of it.

    Raises what `act` raises, and ValueError where time would run back; by then the desk may have been changed.
    """
    latest = desk.world.now
    events: list[Event] = []

    def write(event: Event) -> None:
        nonlocal latest
        if event.at < latest:
            raise ValueError(f"time runs back at {event}")
        latest = event.at
        events.append(event)

    reactions = Reactions(desk, write, solver.OR_TOOLS)
    act(reactions, now)
    if events:
        reactions.settle(now)
    return events


class Commit:
    """One decision on its way to the store. `zero_utc`: of the day; `key` and `digest`: under which it was asked."""

    __slots__ = ("day", "done", "events", "first", "kept", "key", "lines", "messages")

    def __init__(
        self, day: str, first: int, events: Sequence[Event], zero_utc: int, key: str | None = None, digest: bytes = b""
    ) -> None:
        self.day = day
        self.first = first
        """seq of its first event"""
        self.events = tuple(events)
        self.lines = [log_line(event, seq, zero_utc) for seq, event in enumerate(events, first)]
        self.messages: list[bytes] = []
        self.key = key
        self.kept = None if key is None else Kept(digest, day, first, self.last)
        self.done: asyncio.Future[Committed] = asyncio.get_running_loop().create_future()
        self.done.add_done_callback(_retrieved)

    @property
    def last(self) -> int:
        """seq of its last event; of the last one before, if it has none."""
        return self.first + len(self.events) - 1


def _retrieved(done: asyncio.Future[Committed]) -> None:
    """Whoever waited may have gone."""
    if not done.cancelled():
        done.exception()
