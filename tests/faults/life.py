"""One life of a dispatcher: the process that is killed. Forked from a server that has everything imported and compiled.

It serves its riders on a socket, a JSON object a line: {"key", "do": "book", "seed"} or {"key", "do": "cancel",
"request"}. Its shuttles drive themselves, and tell what they do late, twice and in any order.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import time
from pathlib import Path
from typing import Any

import msgspec

from dispatch.core import events as ev
from dispatch.service.clocks import ScaledClock
from dispatch.service.dispatcher import Committed, Dispatcher, KeyReused, NotLeader, StoreDown
from dispatch.service.embedded import Embedded
from dispatch.service.outbox import Message
from dispatch.service.store import Store
from simulator import vehicles
from simulator.simulate import warm
from tests.faults import town

SPEED = 10
SNAPSHOT_EVERY = 400

warm()  # in the server, before anything is forked


class Settings(msgspec.Struct, frozen=True):
    """How to live."""

    folder: str
    """for the socket and what was delivered; for the embedded store too, without `url`"""
    name: str = "naru"
    start_utc: int = 0
    """of the town's clock when the wall clock was `start_wall`"""
    start_wall: float = 0.0
    set_off_ms: int = 0
    """by which the clock is wrong"""
    url: str | None = None
    lease_ms: int = 5_000


def live(settings: Settings) -> None:
    """Until killed."""
    asyncio.run(_live(settings))


async def _live(settings: Settings) -> None:
    folder = Path(settings.folder)
    utc = settings.start_utc + int((time.time() - settings.start_wall) * 1000 * SPEED) + settings.set_off_ms
    async with contextlib.AsyncExitStack() as stack:
        url = settings.url
        if url is None:
            url = (await stack.enter_async_context(Embedded(folder / "store"))).url
        delivered = stack.enter_context((folder / "delivered").open("ab", buffering=0))

        async def deliver(message: Message) -> None:
            delivered.write(msgspec.json.encode(message) + b"\n")

        store = Store(url, town.ZONE.name)
        stack.push_async_callback(store.close)
        dispatcher = await stack.enter_async_context(
            Dispatcher(
                town.ZONE, store, ScaledClock(utc, SPEED), notices=town.notices, channels={"log": deliver},
                alone=settings.url is None, snapshot_every=SNAPSHOT_EVERY, lease_ms=settings.lease_ms,
            )
        )  # fmt: skip
        socket = folder / f"{settings.name}.sock"
        socket.unlink(missing_ok=True)
        await asyncio.start_unix_server(lambda r, w: _serve(dispatcher, r, w), socket)
        await _drive(dispatcher)


async def _serve(dispatcher: Dispatcher, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while line := await reader.readline():
            writer.write(json.dumps(await _answer(dispatcher, json.loads(line))).encode() + b"\n")
            await writer.drain()
    writer.close()


async def _answer(dispatcher: Dispatcher, asked: dict[str, Any]) -> dict[str, Any]:
    decide = town.book(asked["key"], asked["seed"]) if asked["do"] == "book" else town.cancel(asked["request"])
    try:
        done = await dispatcher.submit(decide, key=asked["key"], body=json.dumps(asked).encode())
    except (StoreDown, NotLeader) as error:
        return {"again": str(error), "leader": not isinstance(error, NotLeader)}
    except KeyReused:
        return {"wrong": "key reused"}
    return _told(done) | {"fence": dispatcher.fence}


def _told(done: Committed) -> dict[str, Any]:
    made = next((e.request.id for e in done.events if isinstance(e, ev.RequestMade)), None)
    booked = any(isinstance(e, ev.RideBooked) and e.request == made for e in done.events)
    cancelled = next((e.request for e in done.events if isinstance(e, ev.RideCancelled)), None)
    return {
        "day": done.day, "seq": done.seq, "first": done.seq - len(done.events) + 1, "request": made, "booked": booked,
        "cancelled": cancelled, "replayed": done.replayed,
    }  # fmt: skip


async def _drive(dispatcher: Dispatcher) -> None:
    """Let shuttles do what is due; whatever they tell is told up to three times, old things too, in any order."""
    draw, told = random.Random(), list[tuple[str, vehicles.Next]]()
    while True:
        await asyncio.sleep(0.01)
        if not dispatcher.ready:
            continue
        desk, now = dispatcher.desk, dispatcher.now
        acts = [(name, vehicles.next_of(desk, name, 1000)) for name in desk.world.shuttles]
        due = [(name, act) for name, act in acts if act is not None and act.at <= now]
        again = draw.sample(told, min(len(told), 2))
        said = [*due, *draw.sample(due, len(due) // 3), *again]
        draw.shuffle(said)
        told = [*told, *due][-50:]
        for name, act in said:
            asyncio.create_task(_tell(dispatcher, name, act))  # noqa: RUF006 - nobody waits for it


async def _tell(dispatcher: Dispatcher, name: str, act: vehicles.Next) -> None:
    with contextlib.suppress(StoreDown, NotLeader):
        await dispatcher.submit(town.drive(name, act), key=f"{name} {act.what} {act.at}", body=name.encode())
