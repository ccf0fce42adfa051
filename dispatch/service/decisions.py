"""What a dispatcher is asked, what it answers, and what it has to know of its zone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from msgspec import Struct

from dispatch.core.desk import Desk, Reroute
from dispatch.core.events import Event
from dispatch.core.reactions import Reactions
from dispatch.service.outbox import Message
from routing.travel_times import DriveTimes

Decide = Callable[[Desk, int], Iterable[Event]]
"""(desk, now in ms of the service day) -> events, none of them applied. May raise `Refused`.

A list is applied when it is whole. A generator is applied event by event: what runs after a `yield` sees the world with
that event in it (`RequestMade`, then the quote for it). It may raise only before its first `yield`.
"""
Act = Callable[[Reactions, int], object]
"""(reactions, now): as `Decide` where one decision follows another, as in a breakdown. May raise only at first."""
Messages = Callable[[Desk, Sequence[Event]], Sequence[Message]]
"""(desk with the events applied, events of one commit) -> what to tell whom."""


class Refused(Exception):  # noqa: N818 - no error, an answer
    """What was asked cannot be; nothing has changed. `code` is stable, `sentence` is for people."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(f"{code}: {sentence}")
        self.code = code
        self.sentence = sentence


class KeyReused(Exception):  # noqa: N818
    """The idempotency key was used before, with another body."""


class Committed(Struct, frozen=True):
    """What the store has acknowledged."""

    day: str
    """service day, as a date"""
    seq: int
    """of the last event; of the last one before, if there is none"""
    events: tuple[Event, ...]
    replayed: bool = False
    """the same key and body were committed before: this is what happened then"""


@dataclass(frozen=True)
class Zone:
    """What a dispatcher has to know of its zone."""

    name: str
    timezone: str
    times: DriveTimes
    """roads as the map and the profile have them"""
    opening: Callable[[str], Sequence[Event]]
    """First events of the service day of this date: DayOpened, PolicyChanged, ShiftOpened… `at` is the dispatcher's.

    Shifts of later days may be among them, so that rides can be booked ahead; then their ids must tell the days apart.
    A policy in force the day before, and shifts of it that are not over, go on.
    """
    reroute: Reroute | None = None
    for_day: Callable[[str], Zone] | None = None
    """The zone as it is from the opening of this service day on; none: it never changes"""
    refresh: Callable[[], Awaitable[None]] | None = None
    """Reads what `for_day` goes by, before a term begins. Raises RedisError"""


class Counters(Struct):
    """What metrics are made of; since the process started."""

    commits: int = 0
    events: int = 0
    batches: int = 0
    replays: int = 0
    store_retries: int = 0
    terms: int = 0
    """times that this dispatcher took the lead"""
    terms_lost: int = 0
    defects: int = 0
    """decisions and terms that failed by an error in Naru"""
    snapshots: int = 0
    rounds: int = 0
    proposals: int = 0
    """groups of plans that a worker proposed"""
    proposals_refused: int = 0
    """of them, by the judge"""
    proposals_stale: int = 0
    """plans dropped because theirs had changed meanwhile"""
    proposals_late: int = 0
    """searches that were not done when the timer came again"""
    proposals_failed: int = 0
    """searches that ended in no plans at all: a worker that failed, hung, died or answered nonsense"""
