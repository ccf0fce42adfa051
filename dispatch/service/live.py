"""What every route works with: the zone, its dispatcher, its vault, and what is known of shuttles beyond the log."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

import msgspec
from msgspec import Struct
from redis.asyncio import Redis
from starlette.requests import Request

from dispatch.core.carry import day_of
from dispatch.core.world import Ride, Shuttle, World
from dispatch.service.coming import ComingPolicies
from dispatch.service.dispatcher import (
    Act,
    Committed,
    Decide,
    Dispatcher,
    KeyReused,
    Messages,
    NotLeader,
    Refused,
    StoreDown,
)
from dispatch.service.ledger import Ledger
from dispatch.service.letters import ways
from dispatch.service.limits import Buckets, Crowd
from dispatch.service.loans import Loans
from dispatch.service.maps import Maps
from dispatch.service.moments import Moments
from dispatch.service.outbox import Channel
from dispatch.service.past import Past
from dispatch.service.positions import Heard, position
from dispatch.service.problems import CODES, Problem
from dispatch.service.recurring import Recurring
from dispatch.service.settings import Keys, Settings
from dispatch.service.stop_edits import SetUp
from dispatch.service.streaming import frame
from dispatch.service.vault import Vault
from dispatch.service.yesterday import Yesterday
from dispatch.service.zone import Area

NAMES_KEPT_S = 60
DECISIONS = 10_000
MOST_TOKENS = 20_000
TROUBLES = 100
"""that drivers told last are kept"""


class Person(Struct, frozen=True):
    """What a driver is told of a rider."""

    name: str | None = None
    note: str | None = None


NOBODY = Person()


class Trouble(Struct, frozen=True):
    """Something that a driver told, for the operators to see to."""

    at: int
    shuttle: str
    kind: str
    stop: str | None
    words: str | None


_decode_trouble = msgspec.json.Decoder(tuple[int, Trouble]).decode


class Live:
    """One zone being served."""

    def __init__(self, set_up: SetUp, dispatcher: Dispatcher, redis: Redis, settings: Settings, keys: Keys) -> None:
        area = set_up.area
        self.set_up = set_up
        self.dispatcher = dispatcher
        self.redis = redis
        self.settings = settings
        self.keys = keys
        self.vault = Vault(redis, area.name, keys.vault)
        self.ledger = Ledger()
        self.persons = Buckets(settings.calls_per_minute, time.monotonic)
        self.addresses = Buckets(settings.calls_per_minute_address, time.monotonic)
        self.crowd = Crowd(time.monotonic)
        self.heard: dict[str, Heard] = {}
        self.troubles: deque[Trouble] = deque(maxlen=TROUBLES)
        self.coming = ComingPolicies()
        self.yesterday = Yesterday()
        self.past = Past()
        self.recurring = Recurring()
        self.loans = Loans()
        self._maps = Maps(area)
        self.decisions_ms: deque[float] = deque(maxlen=DECISIONS)
        """from a call for quotes, or a booking, to its answer"""
        self.identities: dict[str, Any] = {}
        """of tokens that have been verified, until they expire"""
        self._people: dict[str, tuple[float, Person]] = {}
        self._moments: Moments | None = None
        self._frame: tuple[int, bytes] = (-1, b"")

    @property
    def channels(self) -> tuple[Channel, ...]:
        """How messages leave the house."""
        return ways(self.settings)

    @property
    def area(self) -> Area:
        """The zone as it is on the open day."""
        return self.set_up.area

    @property
    def maps(self) -> Maps:
        """Its streets and stop points."""
        if self._maps.area is not self.area:
            self._maps = Maps(self.area)
        return self._maps

    # time and world

    @property
    def now(self) -> int:
        """ms of the service day."""
        return self.dispatcher.now

    @property
    def world(self) -> World:
        """As the desk has it."""
        return self.dispatcher.desk.world

    @property
    def moments(self) -> Moments:
        """For times at the edge."""
        opened = self.world.opened
        if opened is None:
            raise Problem("starting")
        if self._moments is None or self._moments.zero_utc != opened.zero_utc:
            self._moments = Moments(opened.zero_utc, opened.timezone)
        return self._moments

    @property
    def opened_utc(self) -> int:
        """When the open day's log begins, ms since 1970."""
        entries = self.ledger.entries
        return self.moments.zero_utc + (entries[0].event.at if entries else self.now)

    def require_ready(self) -> None:
        """Raises Problem where nothing can be decided."""
        if not self.dispatcher.ready:
            raise Problem("starting")

    def ride(self, ride: str) -> Ride | None:
        """A ride of the open day."""
        return self.world.rides.get(ride)

    def shuttle(self, shuttle: str) -> Shuttle:
        """A shuttle of the open day. Raises Problem."""
        found = self.world.shuttles.get(shuttle)
        if found is None:
            raise Problem("no_such_shuttle")
        return found

    # deciding

    async def submit(
        self, decide: Decide, *, key: str | None = None, body: bytes = b"", messages: Messages | None = None
    ) -> Committed:
        """As the dispatcher's, with problems for its exceptions; what was committed can be read when this returns."""
        return await self._committed(self.dispatcher.submit(decide, key=key, body=body, messages=messages))

    async def react(
        self, act: Act, *, key: str | None = None, body: bytes = b"", messages: Messages | None = None
    ) -> Committed:
        """As `submit`, where one decision follows another."""
        return await self._committed(self.dispatcher.react(act, key=key, body=body, messages=messages))

    async def ticked(self) -> Committed:
        """What the timer does, now: where nobody else steps it."""
        return await self._committed(self.dispatcher.round())

    async def _committed(self, work: Coroutine[Any, Any, Committed]) -> Committed:
        try:
            done = await work
        except Refused as refusal:
            if refusal.code in CODES:
                raise Problem(refusal.code) from None
            raise Problem("not_possible", title=refusal.sentence) from None
        except KeyReused:
            raise Problem("key_reused") from None
        except StoreDown:
            raise Problem("store_down") from None
        except NotLeader:
            raise Problem("not_leader") from None
        await self.ledger.reached(done.day, done.seq)
        return done

    async def settled(self) -> None:
        """What is read from the world from here on is in the store. Raises Problem."""
        try:
            await self.dispatcher.settled()
        except StoreDown:
            raise Problem("store_down") from None
        except NotLeader:
            raise Problem("not_leader") from None

    def positions_frame(self) -> bytes:
        """All shuttles' positions as a frame of a stream: made once for all who watch."""
        tick = int(time.monotonic() * 2)
        if tick != self._frame[0]:
            desk, now, network = self.dispatcher.desk, self.now, self.area.network
            places = {
                name: [round(x, 6) for x in position(desk, network, shuttle, now, self.heard.get(name))]
                for name, shuttle in self.world.shuttles.items()
                if shuttle.state != "closed" and day_of(name) is None
            }
            told = {"at": self.moments.told(now).isoformat(), "shuttles": places}
            self._frame = tick, frame(msgspec.json.encode(told), event="positions")
        return self._frame[1]

    # people

    async def person_of(self, rider: str | None) -> Person:
        """A rider's name and note, for who has to know them."""
        if rider is None:
            return NOBODY
        known = self._people.get(rider)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        kept = await self.vault.get(rider, "person")
        person = NOBODY if kept is None else Person(kept.get("name"), kept.get("note"))
        if len(self._people) > DECISIONS:
            self._people.clear()
        self._people[rider] = (time.monotonic() + NAMES_KEPT_S, person)
        return person

    async def note_trouble(self, shuttle: str, kind: str, stop: str | None, words: str | None) -> None:
        """Show operators what a driver told."""
        trouble = Trouble(self.now, shuttle, kind, stop, words)
        self.troubles.append(trouble)
        redis: Any = self.redis
        async with redis.pipeline(transaction=True) as pipe:
            pipe.rpush(self._troubles_key, msgspec.json.encode((self.moments.zero_utc, trouble)))
            pipe.ltrim(self._troubles_key, -TROUBLES, -1)
            await pipe.execute()

    async def recall_troubles(self) -> None:
        """After a start: what drivers told on the open day."""
        redis: Any = self.redis
        kept = [_decode_trouble(told) for told in await redis.lrange(self._troubles_key, 0, -1)]
        self.troubles.clear()
        self.troubles.extend(trouble for zero, trouble in kept if zero == self.moments.zero_utc)

    @property
    def _troubles_key(self) -> str:
        return f"{{{self.area.name}}}:troubles"

    def remember(self, token: str, identity: Any) -> None:
        """The token has been verified: verifying costs more than all else at the edge."""
        if len(self.identities) >= MOST_TOKENS:
            self.identities.clear()
        self.identities[token] = identity

    def forget_person(self, rider: str) -> None:
        """It has changed, or was deleted."""
        self._people.pop(rider, None)

    def vehicle(self, shuttle: str | None) -> str | None:
        """The vehicle of a shift."""
        found = None if shuttle is None else self.world.shuttles.get(shuttle)
        return None if found is None else found.shift.vehicle


async def live_of(request: Request) -> Live:
    """The zone that this app serves. Raises Problem while it is still being brought up."""
    live: Live | None = getattr(request.app.state, "live", None)
    if live is None:
        raise Problem("starting")
    return live
