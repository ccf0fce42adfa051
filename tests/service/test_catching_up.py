"""A stream that was cut comes back with the last id it has, and misses nothing: after an hour, after the day's turn."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

from dispatch.service.auth import Identity
from dispatch.service.looking import follow
from tests.service.test_days_ahead import turn_the_day
from tests.service.towns import Served, served


async def frames(at_town: Served, last: str | None) -> AsyncIterator[tuple[str, Any]]:
    """(id, data) of the log's frames of a stream that begins after an id."""
    answer = await follow(Identity("operator", "mina", "nauru", 0), at_town.live, last)
    async for part in answer.body_iterator:
        for frame in cast("bytes", part).decode().split("\n\n"):
            lines = dict(line.split(": ", 1) for line in frame.split("\n") if ": " in line)
            if lines.get("event") == "log":
                yield lines["id"], json.loads(lines["data"])


async def read(at_town: Served, last: str | None, upto: str) -> list[str]:
    """Ids of the frames until one of them."""
    found: list[str] = []
    async with asyncio.timeout(20):
        async for name, data in frames(at_town, last):
            day, seq = name.split(":")
            entry = at_town.live.ledger.entries[int(seq) - 1]
            assert (day, data["seq"]) == (entry.day, entry.seq)
            assert data["event"]["type"] == type(entry.event).__name__
            found.append(name)
            if name == upto:
                return found
    raise AssertionError(f"the stream ended before {upto}")


def test_nothing_is_missed_after_an_hour(tmp_path: Path) -> None:
    """Every line since the last that was seen, once and in order, then those that come."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            live, rider = at_town.live, await at_town.rider()
            await at_town.booked(rider, key="first")
            seen = live.ledger.entries[-1]
            for number in range(12):  # an hour of a town that asks and thinks better of it
                ride = await at_town.booked(rider, key=f"k{number}", origin=number)
                await at_town.call("POST", f"/v1/rides/{ride['id']}/cancel", {}, token=rider)
                await at_town.pass_time(300)
            assert live.ledger.entries[-1].event.at - seen.event.at >= 3_300_000
            missed = [entry.id for entry in live.ledger.entries[seen.seq :]]
            assert len(missed) > 40
            assert await read(at_town, seen.id, missed[-1]) == missed

            # what comes while it catches up comes once, after it
            stream = frames(at_town, seen.id)
            caught = [(await anext(stream))[0]]
            await at_town.booked(rider, key="meanwhile", origin=20)
            last = live.ledger.entries[-1].id
            async with asyncio.timeout(20):
                while caught[-1] != last:
                    caught.append((await anext(stream))[0])
            assert caught == [entry.id for entry in live.ledger.entries[seen.seq :]]
            assert live.ledger.viewers >= 1
            await stream.aclose()  # type: ignore[attr-defined]

            # over the turn of the day: the new day from its first line on
            await turn_the_day(at_town)
            whole = [entry.id for entry in live.ledger.entries]
            assert whole[0].startswith("2026-03-04:")
            assert await read(at_town, seen.id, whole[-1]) == whole
            for strange in ("2026-03-04:abc", "x" * 40, ""):
                assert (await read(at_town, strange, whole[-1]))[-1] == whole[-1]

    asyncio.run(story())
