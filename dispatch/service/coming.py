"""Rules that come into force at a time set before: by an operator, or by the schedule of a trial.

What is to come lies in the store. The dispatcher puts it in force at its own time, to the millisecond, before anything
later: a trial's blocks begin and end where its plan says. After a pause what is overdue is made good in its order.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct, structs

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy
from dispatch.core.reactions import Reactions
from dispatch.service.policies import changed
from dispatch.service.problems import Problem

if TYPE_CHECKING:
    from dispatch.service.live import Live


class Coming(Struct, frozen=True, omit_defaults=True):
    """A change of rules to come."""

    utc: int
    author: str
    reason: str
    changes: dict[str, Any]
    trial: str | None = None
    """then the changes are made to the rules of the zone's file, not to those in force"""


class ComingPolicies:
    """Kept in the store in order of time."""

    async def all(self, live: Live) -> list[Coming]:
        """Those to come."""
        redis: Any = live.redis
        return [_read(row) for row in await redis.zrange(_key(live), 0, -1)]

    async def add(self, live: Live, coming: Iterable[Coming]) -> None:
        """More of them."""
        redis: Any = live.redis
        rows = {msgspec.json.encode(one): one.utc for one in coming}
        if rows:
            await redis.zadd(_key(live), rows)
        await self.appoint(live)

    async def drop(self, live: Live, which: Callable[[Coming], bool]) -> int:
        """Leave out those that are no longer to come; returns how many."""
        redis: Any = live.redis
        rows = [row for row in await redis.zrange(_key(live), 0, -1) if which(_read(row))]
        for row in rows:
            live.dispatcher.timer.appointed.pop(_name(row), None)
        if rows:
            await redis.zrem(_key(live), *rows)
        return len(rows)

    async def put_in_force(self, live: Live, author: str, reason: str, changes: dict[str, Any]) -> None:
        """Change the rules now."""

        def decide(desk: Desk, now: int) -> list[ev.Event]:
            return [ev.PolicyChanged(now, changed(desk.world.policy, changes), author, reason)]

        await live.submit(decide)

    async def appoint(self, live: Live) -> None:
        """Let the dispatcher know what is to come within a day, and forget what it has put in force."""
        redis: Any = live.redis
        timer = live.dispatcher.timer
        now = live.moments.zero_utc + live.now
        for row in await redis.zrangebyscore(_key(live), "-inf", now + 86_400_000):
            name, one = _name(row), _read(row)
            if name in timer.kept:
                await live.settled()
                await redis.zrem(_key(live), row)
                timer.kept.discard(name)
            elif name not in timer.appointed:
                timer.appointed[name] = one.utc, _act(live.area.policy, one)

    async def run(self, live: Live) -> None:
        """Until the service ends: appoint what is to come."""
        while not live.ledger.closed:  # a connection may swallow a cancellation
            await asyncio.sleep(0.25)
            if live.dispatcher.ready:
                await self.appoint(live)


def _act(base: Policy, one: Coming) -> Callable[[Reactions, int], object]:
    def act(reactions: Reactions, now: int) -> None:
        held = reactions.desk.world.policy
        try:
            rules = changed(held if one.trial is None else base, one.changes)
        except Problem:
            return  # the rules that it was to change have changed meanwhile
        rules = structs.replace(rules, version=held.version + 1)
        reactions.record([ev.PolicyChanged(now, rules, one.author, one.reason)])

    return act


def _read(row: bytes) -> Coming:
    found = json.loads(row)
    if isinstance(found, Mapping):
        return msgspec.convert(found, Coming)
    return Coming(*found)  # as they were kept before trials were


def _name(row: bytes) -> str:
    return f"policy:{row.decode()}"


def _key(live: Live) -> str:
    return f"{{{live.area.name}}}:policies"
