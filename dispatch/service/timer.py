"""What happens by itself, each thing at a time of its own: quotes lapse, appointments come, the round is due.

Whatever was due before anything else happens before it, and at its own time: the log is the same however late somebody
looked.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from dispatch.core import events as ev
from dispatch.core.reactions import Reactions
from dispatch.core.world import ROUND_MS, World
from dispatch.service.decisions import Act
from dispatch.service.lapses import Lapses, lapses_at

PUNCTUAL_MS: Final = 5_000
"""a round that comes no later than this, in real time, is logged at the time when it was due"""
TRIES: Final = 10
"""of a longer queue so many are tried at once, and the next ones …"""
TRY_EVERY_MS: Final = 500
"""… after so long, in real time: riders are answered between"""


class Due(NamedTuple):
    """What has to happen now."""

    at: int
    """ms of the service day"""
    act: Act | None
    """None: the round"""
    appointment: str = ""
    """its name, if it is one"""


class Timer:
    """Of one dispatcher. `speed`: how much faster than real time its clock runs."""

    def __init__(self, speed: float) -> None:
        self.appointed: dict[str, tuple[int, Act]] = {}
        """what is to happen at a time of its own, by name: (UTC ms, what)"""
        self.kept: set[str] = set()
        """names of the appointments that have been kept in this term"""
        self._round_at = 0
        self._not_before = 0
        """of the round: one that has failed is not tried again at once"""
        self._try_at: int | None = None
        """when the next of a long queue are tried"""
        self._lapses = Lapses(World())
        self._zero_utc = 0
        self._try_every_ms = round(TRY_EVERY_MS * speed)
        self._punctual_ms = round(PUNCTUAL_MS * speed)

    def begin(self, world: World, zero_utc: int) -> None:
        """Go on from this world, whose day began at `zero_utc`."""
        every = world.round_ms
        self._round_at = max((world.now // every + 1) * every, self._not_before)
        self._lapses = Lapses(world)
        self._zero_utc = zero_utc

    def open_day(self, now: int, zero_utc: int) -> None:
        """A new day begins."""
        self._round_at, self._not_before = (now // ROUND_MS + 1) * ROUND_MS, 0
        self._zero_utc = zero_utc

    def forget(self) -> None:
        """The term is over: who appointed must do it again."""
        self.appointed.clear()
        self.kept.clear()

    def watch(self, world: World, events: Iterable[ev.Event]) -> None:
        """Of what has been decided: requests that have been quoted and wait for their riders."""
        for event in events:
            if isinstance(event, ev.RequestMade) and world.rides[event.request.id].state == "asked":
                self._lapses.watch(event.request.id, lapses_at(world.policy, event.at))

    def due(self, world: World, now: int) -> int:
        """When the next thing is due."""
        lapses, name = self._lapses.next_at(world), self._first()
        if len(world.queue) <= TRIES:
            self._try_at = None
        elif self._try_at is None:
            self._try_at = now + self._try_every_ms
        appointed = None if name is None else self._time_of(name)
        return min(due for due in (self._round_at, lapses, self._try_at, appointed) if due is not None)

    def take(self, world: World, now: int) -> Due | None:
        """The first thing that has to happen by now, struck off; None: nothing has. A round that is very late is now's.

        An appointment is to be put among those `kept` when it has been.
        """
        at = self.due(world, now)
        if now < at:
            return None
        at = max(at, world.now)
        late = now - self._round_at > self._punctual_ms
        name = self._first()
        # where the round is late it happens now, after all that was due before
        if name is not None and self._time_of(name) <= (now if late else at):
            utc, act = self.appointed.pop(name)
            return Due(max(utc - self._zero_utc, world.now), act, name)
        if self._try_at is not None and self._try_at <= at < self._round_at:
            self._try_at = now + self._try_every_ms
            return Due(at, _try_more)
        if at < self._round_at:
            return Due(at, self._lapse)  # the quote was good until then, whenever somebody looks
        every = world.round_ms
        self._round_at = self._not_before = ((now if late else self._round_at) // every + 1) * every
        return Due(now if late else at, None)

    def _lapse(self, reactions: Reactions, at: int) -> None:
        reactions.record(self._lapses.lapse(reactions.desk.world, at))

    def _first(self) -> str | None:
        """Name of the first appointment."""
        return min(self.appointed, key=lambda name: (self.appointed[name][0], name), default=None)

    def _time_of(self, name: str) -> int:
        return self.appointed[name][0] - self._zero_utc


def tick(reactions: Reactions, now: int, *, improves: bool = True) -> None:
    """The round: lost bookings, better plans, the queue. Nothing is logged where nobody waits or drives."""
    world = reactions.desk.world
    if world.queue or world.unplaced or any(shuttle.plan.visits for shuttle in world.shuttles.values()):
        reactions.tick(now, improves=improves, tries=TRIES if len(world.queue) > TRIES else None)


def tick_beside_worker(reactions: Reactions, now: int) -> None:
    """The round where better plans are a worker's."""
    tick(reactions, now, improves=reactions.desk.world.policy.reoptimise is None)


def _try_more(reactions: Reactions, now: int) -> None:
    reactions.tick(now, improves=False, tries=TRIES)
