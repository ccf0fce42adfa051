"""Rules that come into force at a time set before."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.service.policies import changed
from dispatch.service.problems import Problem

if TYPE_CHECKING:
    from dispatch.service.live import Live

Row = tuple[int, str, str, dict[str, Any]]
"""(UTC ms, author, reason, changes)"""


class ComingPolicies:
    """Kept in the store in order of time."""

    async def all(self, live: Live) -> list[Row]:
        """Those to come."""
        redis: Any = live.redis
        return [tuple(json.loads(row)) for row in await redis.zrange(_key(live), 0, -1)]

    async def add(self, live: Live, utc: int, author: str, reason: str, changes: dict[str, Any]) -> None:
        """One more."""
        redis: Any = live.redis
        await redis.zadd(_key(live), {json.dumps((utc, author, reason, changes)): utc})

    async def put_in_force(self, live: Live, author: str, reason: str, changes: dict[str, Any]) -> None:
        """Change the rules now."""

        def decide(desk: Desk, now: int) -> list[ev.Event]:
            return [ev.PolicyChanged(now, changed(desk.world.policy, changes), author, reason)]

        await live.submit(decide)

    async def run(self, live: Live) -> None:
        """For ever: put in force what is due."""
        redis: Any = live.redis
        while True:
            await live.dispatcher.clock.sleep(1000)
            await asyncio.sleep(0.05)
            if not live.dispatcher.ready:
                continue
            now = live.moments.zero_utc + live.now
            for row in await redis.zrangebyscore(_key(live), "-inf", now):
                _, author, reason, changes = json.loads(row)
                try:
                    await self.put_in_force(live, author, reason, changes)
                except Problem as problem:
                    if problem.status >= 500:
                        break  # the store is down: it stays due
                await redis.zrem(_key(live), row)


def _key(live: Live) -> str:
    return f"{{{live.area.name}}}:policies"
