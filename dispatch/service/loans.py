"""Shuttles lent to another zone of the installation by the hour, and never in both at once.

The zone that lends ends the shift first. The loan leaves with that commit, through the outbox, so the other zone hears
of it if and only if the shift has ended; its service opens a shift there for the same hours. No commit spans the zones.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from msgspec import Struct, structs

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import Shift
from dispatch.service.connecting import connected
from dispatch.service.outbox import ATTEMPT_S, Deliver, Message
from dispatch.service.problems import Problem
from dispatch.service.shift_acts import LENT, new_shift

if TYPE_CHECKING:
    from dispatch.service.live import Live

RESERVED_S: Final = 60
"""a loan that was begun and came to nothing keeps its hours for so long"""


class Loan(Struct, frozen=True):
    """A shuttle in another zone for some time. UTC ms."""

    id: str
    vehicle: str
    lender: str
    borrower: str
    begins: int
    ends: int
    at_stop: str
    """of the borrower's, where it begins"""
    seats: int
    wheelchairs: int
    author: str
    reason: str
    made_s: int
    state: Literal["reserved", "lent", "opened", "refused"] = "reserved"


class Loans:
    """Shuttles lent by a zone, and to it."""

    async def all(self, live: Live) -> list[Loan]:
        """Those lent and those borrowed."""
        return [*await self._kept(live, "lent"), *await self._kept(live, "borrowed")]

    async def check(self, live: Live, vehicle: str, start: int, end: int) -> None:
        """Raises Problem where a vehicle is in another zone between these times."""
        zero = live.moments.zero_utc
        for loan in await self._kept(live, "lent"):
            holds = loan.state != "reserved" or loan.made_s > time.time() - RESERVED_S
            if holds and loan.vehicle == vehicle and loan.begins < zero + end and zero + start < loan.ends:
                raise Problem("lent_out")

    async def keep(self, live: Live, loan: Loan) -> None:
        """Write down one that this zone gives."""
        redis: Any = live.redis
        await redis.hset(_key(live.area.name, "lent"), loan.id, msgspec.json.encode(loan))

    async def drop(self, live: Live, loan: Loan) -> None:
        """It came to nothing."""
        redis: Any = live.redis
        await redis.hdel(_key(live.area.name, "lent"), loan.id)

    async def run(self, live: Live) -> None:
        """Until the service ends: open shifts for what was lent to this zone."""
        while not live.ledger.closed:
            await asyncio.sleep(1)
            if live.dispatcher.ready:
                for loan in await self._kept(live, "borrowed"):
                    if loan.state == "lent":
                        await self.take_up(live, loan)

    async def take_up(self, live: Live, loan: Loan) -> None:
        """Open the shift of a loan, once."""
        redis: Any = live.redis
        zero, place = live.moments.zero_utc, live.area.end_at_stop(loan.at_stop)
        vehicle, start, end = f"{loan.lender}{LENT}{loan.vehicle}", loan.begins - zero, loan.ends - zero
        state: Literal["opened", "refused"] = "opened"
        if place is None or end <= live.now:
            state = "refused"
            words = f"{loan.lender} lends {loan.vehicle}, but there is no stop point {loan.at_stop}, or it is too late"
            await live.note_trouble(vehicle, "loan", None, words)
        else:
            node, date = int(live.area.places.nodes[place.place]), live.moments.service_date(start).isoformat()

            def decide(desk: Desk, now: int) -> list[ev.Event]:
                name = new_shift(desk.world, vehicle, max(start, now), end, date)
                shift = Shift(name, vehicle, node, max(start, now), end, loan.seats, loan.wheelchairs)
                act = ev.ActTaken(now, "open_shift", loan.author, loan.reason, None, name)
                return [ev.ShiftOpened(now, shift), act]

            await live.submit(decide, key=f"loan:{loan.id}", body=loan.id.encode())
        taken = msgspec.json.encode(structs.replace(loan, state=state))
        await redis.hset(_key(live.area.name, "borrowed"), loan.id, taken)

    async def _kept(self, live: Live, what: str) -> list[Loan]:
        redis: Any = live.redis
        found = await redis.hvals(_key(live.area.name, what))
        return [msgspec.json.decode(one, type=Loan) for one in found]


def to_zone(url: str) -> Deliver:
    """Channel by which one zone's service hears of another's: a loan is put down once, however often it comes."""

    async def deliver(message: Message) -> None:
        loan = msgspec.convert(message.values, Loan)
        async with connected(url, message.to, timeout_s=ATTEMPT_S) as client:
            there: Any = client
            await there.hsetnx(_key(message.to, "borrowed"), loan.id, msgspec.json.encode(loan))

    return deliver


def _key(zone: str, what: str) -> str:
    return f"{{{zone}}}:{what}"
