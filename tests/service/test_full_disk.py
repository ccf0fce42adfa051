"""A store that cannot write: said at once, nothing is half done, and the service goes on by itself afterwards."""

from __future__ import annotations

import asyncio
import resource
from pathlib import Path
from typing import Any

import redis.asyncio as redis

from dispatch.core import events as ev
from dispatch.service.embedded import Embedded
from tests.service.test_changes import judged
from tests.service.towns import Served, served


async def again(at_town: Served, take: dict[str, Any], token: str) -> Any:
    """The same call as a person repeats it, until it is answered."""
    for _ in range(150):
        answer = await at_town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="k")
        if answer.status_code != 503:
            break
        assert int(answer.headers["retry-after"]) >= 1
        await asyncio.sleep(0.1)
    assert answer.status_code == 201, answer.text
    return answer.json()


def booked(at_town: Served) -> list[str]:
    return [e.event.request for e in at_town.live.ledger.entries if isinstance(e.event, ev.RideBooked)]


def test_a_store_that_takes_nothing_more(tmp_path: Path) -> None:
    """Its memory is full: 503 for whoever would write, whoever only looks is answered; then all goes on."""

    async def story() -> None:
        async with (
            Embedded(tmp_path / "store") as store,
            served(tmp_path, settings={"redis_url": store.url}) as at_town,
            redis.Redis.from_url(store.url) as server,
        ):
            token, desk = await at_town.rider(), at_town.token("operator")
            quotes = (await at_town.call("POST", "/v1/quotes", at_town.journey(), token=token)).json()
            take = {"quote": quotes["offers"][0]["quote"]}
            before = at_town.live.ledger.seq
            await server.config_set("maxmemory", 1)
            driver = {"pin": "12345", "reason": "new"}
            calls = [
                ("POST", "/v1/bookings", take, token),
                ("PUT", "/v1/me", {"name": "A"}, token),
                ("POST", "/v1/operator/pause", {"reason": "x"}, desk),
                ("PUT", "/v1/operator/drivers/jun", driver, desk),
            ]
            for method, path, body, who in calls:
                full = await at_town.call(method, path, body, token=who, Idempotency_Key="k")
                assert (full.status_code, full.headers["content-type"]) == (503, "application/problem+json"), path
                assert full.json()["code"] in ("store_down", "starting", "not_leader")
                assert int(full.headers["retry-after"]) >= 1
            stops = await at_town.call("GET", "/v1/stop-points")
            assert stops.status_code == 200
            await server.config_set("maxmemory", 0)
            ride = await again(at_town, take, token)
            assert booked(at_town) == [ride["id"]]
            assert at_town.live.ledger.entries[before].seq == before + 1
            assert (await at_town.call("GET", "/v1/operator/drivers", token=desk)).json() == []
            assert (await at_town.call("GET", "/v1/me", token=token)).json()["name"] is None
            judged(at_town)

    asyncio.run(story())


def test_a_full_disk(tmp_path: Path) -> None:
    """The append-only file cannot grow: the store ends rather than lose a commit, and is started when there is room.

    A limit on the size of the server's files stands for the disk; the server that is started next has none.
    """

    async def story() -> None:
        async with (
            Embedded(tmp_path / "store") as store,
            served(tmp_path, settings={"redis_url": store.url}) as at_town,
        ):
            token = await at_town.rider()
            first = await at_town.booked(token, key="first")
            quotes = (await at_town.call("POST", "/v1/quotes", at_town.journey(3), token=token)).json()
            take = {"quote": quotes["offers"][0]["quote"]}
            size = max(path.stat().st_size for path in (tmp_path / "store").rglob("*.aof"))
            resource.prlimit(store.pid, resource.RLIMIT_FSIZE, (size + 20, size + 20))
            ride = await again(at_town, take, token)
            assert store.restarts == 1
            assert booked(at_town) == [first["id"], ride["id"]]
            assert (await again(at_town, take, token))["id"] == ride["id"]
            judged(at_town)

    asyncio.run(story())
