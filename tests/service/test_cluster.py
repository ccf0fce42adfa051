"""Three nodes as one cluster, two zones on different ones: whoever's node is away waits for it, the other goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import redis.asyncio as redis
from redis.crc import key_slot
from redis.exceptions import RedisError

from dispatch.service.connecting import connected
from dispatch.service.embedded import bundled_server
from tests.service.test_changes import judged
from tests.service.test_full_disk import again, booked
from tests.service.towns import Served, served, town

SLOTS = 16384


class Nodes:
    """Servers that were started as nodes of one cluster, each with a third of the slots."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        free = [socket.socket() for _ in range(6)]
        for one in free:
            one.bind(("127.0.0.1", 0))
        ports = [one.getsockname()[1] for one in free]
        for one in free:
            one.close()
        self.ports, self.buses = ports[:3], ports[3:]
        self.running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        return "redis://" + ",".join(f"127.0.0.1:{port}" for port in self.ports)

    def start(self, node: int) -> None:
        where = self.folder / f"node{node}"
        where.mkdir(exist_ok=True)
        options = {
            "port": self.ports[node], "cluster-port": self.buses[node], "bind": "127.0.0.1", "dir": where,
            "cluster-enabled": "yes", "cluster-node-timeout": 1000, "cluster-require-full-coverage": "no",
            "appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction", "save": "",
            "logfile": where / "log",
        }  # fmt: skip
        words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
        self.running[node] = subprocess.Popen([bundled_server(), *words])

    def kill(self, node: int) -> None:
        process = self.running.pop(node)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def owner(self, zone: str) -> int:
        """Which of them has the zone's slot."""
        return key_slot(f"{{{zone}}}".encode()) * 3 // SLOTS

    async def until(self, node: int, ready: Any) -> None:
        """Until a node's answer to CLUSTER INFO is as wanted."""
        for _ in range(400):
            try:
                async with redis.Redis(port=self.ports[node]) as client:
                    told = await client.execute_command("CLUSTER INFO")  # type: ignore[no-untyped-call]
                    if ready(told):
                        return
            except RedisError:
                pass
            await asyncio.sleep(0.05)
        raise AssertionError(f"node {node} is not ready: {(self.folder / f'node{node}' / 'log').read_text()[-500:]}")


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Nodes]:
    """Three nodes that know each other and have all slots."""
    nodes = Nodes(folder)
    try:
        for node in range(3):
            nodes.start(node)
        for node in range(3):
            await nodes.until(node, lambda _: True)
            async with redis.Redis(port=nodes.ports[node]) as client:
                first, last = -(-node * SLOTS // 3), -(-(node + 1) * SLOTS // 3) - 1
                await client.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)  # type: ignore[no-untyped-call]
                meet = ("CLUSTER", "MEET", "127.0.0.1", nodes.ports[0], nodes.buses[0])
                await client.execute_command(*meet)  # type: ignore[no-untyped-call]
        for node in range(3):
            await nodes.until(node, lambda told: told["cluster_slots_ok"] == str(SLOTS) and told["cluster_size"] == "3")
        yield nodes
    finally:
        for node in list(nodes.running):
            nodes.kill(node)


async def offered(at_town: Served) -> tuple[dict[str, Any], str]:
    token = await at_town.rider()
    quotes = (await at_town.call("POST", "/v1/quotes", at_town.journey(), token=token)).json()
    return {"quote": quotes["offers"][0]["quote"]}, token


def test_one_node_of_three_is_killed(tmp_path: Path) -> None:
    """The zone on it answers 503 until its node is back, then goes on with all it had; the other notices nothing."""
    _, area, times = town()

    async def story() -> None:
        async with AsyncExitStack() as stack:
            nodes = await stack.enter_async_context(cluster(tmp_path))
            hurt_node = nodes.owner("nauru")
            names = (f"zone{n}" for n in range(100))
            name = next(name for name in names if nodes.owner(name) != hurt_node)
            on = {"redis_url": nodes.url}
            hurt = await stack.enter_async_context(served(tmp_path / "a", settings=on))
            well = await stack.enter_async_context(
                served(tmp_path / "b", settings=on, zone=(replace(area, name=name), times))
            )
            for zone in (area.name, name):
                async with redis.Redis(port=nodes.ports[nodes.owner(zone)]) as client:
                    assert await client.exists(f"{{{zone}}}:head") == 1, "the zone lies where its slot is"
            (hurt_take, hurt_token), (well_take, well_token) = await offered(hurt), await offered(well)
            first = await hurt.booked(await hurt.rider("+674 555 0009"), key="first")
            nodes.kill(hurt_node)
            down = await hurt.call("POST", "/v1/bookings", hurt_take, token=hurt_token, Idempotency_Key="k")
            assert (down.status_code, down.headers["content-type"]) == (503, "application/problem+json")
            assert int(down.headers["retry-after"]) >= 1
            # also once the others have noticed that it is gone
            await nodes.until((hurt_node + 1) % 3, lambda told: int(told["cluster_slots_fail"]) > 0)
            assert (await again(well, well_take, well_token))["state"] == "booked"
            assert (await well.call("GET", "/v1/rides", token=well_token)).status_code == 200
            down = await hurt.call("POST", "/v1/bookings", hurt_take, token=hurt_token, Idempotency_Key="k")
            assert down.status_code == 503
            nodes.start(hurt_node)
            ride = await again(hurt, hurt_take, hurt_token)
            assert booked(hurt) == [first["id"], ride["id"]]
            assert len(booked(well)) == 1
            judged(hurt)

    asyncio.run(story())


def test_where_a_zone_lies_is_asked_of_whoever_answers(tmp_path: Path) -> None:
    """Also with the first node away; a slot that has moved is followed; without any node it is said."""

    async def story() -> None:
        async with cluster(tmp_path) as nodes:
            zone = next(f"z{n}" for n in range(100) if nodes.owner(f"z{n}") == 1)
            nodes.kill(0)
            async with connected(nodes.url, zone, timeout_s=1) as client:
                await client.set(f"{{{zone}}}:x", 1)
                slot = key_slot(f"{{{zone}}}".encode())
                async with redis.Redis(port=nodes.ports[2]) as other, redis.Redis(port=nodes.ports[1]) as owner:
                    await client.delete(f"{{{zone}}}:x")
                    other_id = await other.execute_command("CLUSTER", "MYID")  # type: ignore[no-untyped-call]
                    for node in (other, owner):
                        await node.execute_command("CLUSTER", "SETSLOT", slot, "NODE", other_id)  # type: ignore[no-untyped-call]
                refused = 0
                for _ in range(50):
                    try:
                        await client.set(f"{{{zone}}}:x", 2)
                        break
                    except RedisError:
                        refused += 1
                assert refused == 1, "told once that the slot has moved"
                async with redis.Redis(port=nodes.ports[2]) as other:
                    assert await other.get(f"{{{zone}}}:x") == b"2"

    asyncio.run(story())
