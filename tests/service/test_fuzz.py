"""Nothing that is sent makes the service fail: schemathesis over the whole API, and bodies mutated without mercy.

Here a part; `make fuzz` sends a million bodies. A 5xx anywhere fails, and the log must hold afterwards.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error

from dispatch.core import invariants
from dispatch.service.outside import Outside
from dispatch.service.pauses import keep_short
from tests.service.push_services import SUBSCRIPTION, VAPID
from tests.service.test_edge import BODIES
from tests.service.test_nobody_in import ANYBODY, ROWS
from tests.service.towns import Served, served

BODIES_SENT = int(os.environ.get("FUZZ_BODIES", "50000"))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "8"))
STREAMS = "/live"


async def nowhere(_: str) -> list[tuple[str, int]]:
    """No push service is called from here."""
    return []


class Online:
    """A served town behind a real socket, in a thread of its own."""

    def __init__(self, url: str, tokens: dict[str, str], town: Served) -> None:
        self.loop = asyncio.get_running_loop()
        self.url = url
        self.tokens = tokens
        self.town = town


@pytest.fixture(scope="module")
def online(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Online]:
    """One town for all of this file."""
    folder = tmp_path_factory.mktemp("fuzz")
    ready, stop = threading.Event(), threading.Event()
    found: list[Online] = []

    async def life() -> None:
        settings = {"codes_per_hour": 10**6, **VAPID}
        async with served(folder, settings=settings, outside=Outside(nowhere)) as town:
            # the town's lifespan is ours: the server must not begin another one
            server = uvicorn.Server(uvicorn.Config(town.app, port=0, lifespan="off", log_config=None))
            serving = asyncio.create_task(server.serve())
            while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            rider = await town.rider()
            shift = next(iter(town.live.world.shuttles))
            tokens = {
                "rider": rider,
                "driver": await town.driver(shift),
                "operator": town.token("operator"),
                "planner": town.token("planner"),
            }
            found.append(Online(f"http://127.0.0.1:{port}", tokens, town))
            ready.set()
            # as `naru serve` does: what hypothesis holds makes the collector stop everybody for longer than a lease
            short = asyncio.create_task(keep_short(lambda: town.live.dispatcher.day))
            while not stop.is_set():
                await town.pass_time(1)
                await asyncio.sleep(0.1)
            short.cancel()
            server.should_exit = True
            await serving

    thread = threading.Thread(target=lambda: asyncio.run(life()), daemon=True)
    thread.start()
    assert ready.wait(120)
    yield found[0]
    stop.set()
    thread.join(30)


def token_for(online: Online, method: str, path: str) -> dict[str, str]:
    """A token that the route lets in."""
    allowed = ROWS.get((method, path), ANYBODY)
    role = next((role for role in ("rider", "driver", "operator", "planner") if role in allowed), None)
    return {} if role is None else {"Authorization": f"Bearer {online.tokens[role]}"}


@pytest.fixture(scope="module")
def schema(online: Online) -> Any:
    """The API as it describes itself; its endless streams left out."""
    return schemathesis.openapi.from_url(f"{online.url}/openapi.json").exclude(path_regex=f"{STREAMS}$")


def test_no_call_that_the_description_allows_fails(schema: Any, online: Online) -> None:
    """And none that it forbids: schemathesis makes both."""
    failed: list[str] = []
    for result in schema.get_all_operations():
        operation = result.ok()

        @settings(
            max_examples=EXAMPLES, deadline=None, database=None, derandomize=True,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        def one(case: Any) -> None:
            answer = case.call(headers=token_for(online, case.operation.method.upper(), case.operation.path))
            case.validate_response(answer, checks=[not_a_server_error])

        from hypothesis import given

        try:
            given(case=operation.as_strategy())(one)()
        except Exception as error:  # noqa: BLE001 - all of them are told at the end
            failed.append(f"{operation.label}: {error}")
    assert not failed, "\n".join(failed)
    assert httpx.get(f"{online.url}/health").status_code == 200


NOON = "2026-03-03T08:00:00+12:00"
BOARDED = {"id": "1", "at": NOON, "kind": "boarded", "ride": "R", "code": "1234"}
SEEDS: list[tuple[str, str, Any]] = [
    ("POST", "/v1/quotes", {"from": {"stop": "S000"}, "to": {"lat": -0.53, "lon": 166.93}, "seats": 2, "wheelchairs": 0,
                            "depart_after": NOON}),
    ("POST", "/v1/bookings", {"quote": "AAAA"}),
    ("PUT", "/v1/me", {"name": "x", "address": "y", "note": "z"}),
    ("POST", "/v1/driver/shifts/V1/events", {"events": [BOARDED]}),
    ("POST", "/v1/driver/shifts/V1/positions", {"positions": [{"at": NOON, "lat": 1, "lon": 2}]}),
    ("PUT", "/v1/operator/policy", {"changes": {"max_wait_s": 900, "weights": {"delay": 0.8}}, "reason": "r"}),
    ("POST", "/v1/operator/roads/close", {"line": [[-0.53, 166.92], [-0.53, 166.93]], "reason": "r"}),
    ("POST", "/v1/operator/messages", {"words": "w", "reason": "r"}),
    ("POST", "/v1/sign-in", {"phone": "+6745550001", "code": "123456"}),
    ("POST", "/v1/me/push-subscriptions", SUBSCRIPTION),
]  # fmt: skip
ODD: list[Any] = [
    None, True, -1, 0, 2**63, 2**200, -(2**31), 1e308, -0.0, "", "\x00", "💥" * 50, "a" * 10_000, [], {}, [[]],
    {"a": {"b": []}}, "2026-02-30T99:99:99Z", "9999-12-31T23:59:59.999999-23:59", "\u202e", "NaN",
]  # fmt: skip
RAW: list[bytes] = [b"NaN", b"Infinity", b"1e999", b'"\\ud800"', b'"\\udc00x"', b"\xff", b"9" * 5000, b"[" * 500]


def mutated(chance: random.Random, value: Any) -> Any:
    """A value with one part replaced, dropped, doubled or put elsewhere."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(sorted(value))
        out = dict(value)
        if chance.random() < 0.15:
            del out[key]
        elif chance.random() < 0.1:
            out[str(chance.choice(ODD))[:20]] = out[key]
        else:
            out[key] = mutated(chance, out[key])
        return out
    if isinstance(value, list) and value and chance.random() < 0.7:
        i = chance.randrange(len(value))
        return [*value[:i], mutated(chance, value[i]), *value[i + chance.randrange(2) :]]
    return chance.choice(ODD)


def body_of(chance: random.Random, seed: Any) -> bytes:
    """A mutated body, written as JSON; now and then with what JSON does not have, or cut, or torn."""
    value = seed
    for _ in range(chance.randint(1, 3)):
        value = mutated(chance, value)
    body = json.dumps(value).encode("utf-8", "surrogatepass")
    luck = chance.random()
    if luck < 0.1:
        i = chance.randrange(len(body) + 1)
        body = body[:i] + chance.choice(RAW) + body[i:]
    elif luck < 0.2:
        for number in (b"1", b"2", b"0.8", b"900"):
            body = body.replace(number, chance.choice(RAW), 1)
    elif luck < 0.25:
        body = body[: chance.randrange(len(body) + 1)]
    elif luck < 0.3:
        body = bytes(b ^ (chance.random() < 0.05) * chance.randrange(256) for b in body)
    return body


async def asgi(app: Any, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes) -> tuple[int, bytes]:
    """(status, body) of a call without a socket: the application itself, its edge included."""
    told: list[Any] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Any:
        if not given:
            await asyncio.Event().wait()  # the caller stays
        return given.pop()

    async def send(message: Any) -> None:
        told.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("naru.test", 80),
        "headers": [*headers, (b"host", b"naru.test"), (b"content-length", str(len(body)).encode())],
    }  # fmt: skip
    await app(scope, receive, send)
    return told[0]["status"], b"".join(message.get("body", b"") for message in told[1:])


def test_no_mutated_body_makes_it_fail(online: Online) -> None:
    """Tens of thousands, each a little wrong in another way, given to the application in its own loop."""
    chance = random.Random(20_261_122)  # the same bodies each time
    counts: dict[int, int] = {}
    stood_still: list[bytes] = []

    async def send() -> None:
        await online.town.live.dispatcher.until_ready(60)
        online.tokens["rider"] = await online.town.rider()  # they may have deleted themselves before
        for n in range(BODIES_SENT):
            method, path, seed = SEEDS[n % len(SEEDS)]
            body = chance.choice(list(BODIES.values())) if chance.random() < 0.02 else body_of(chance, seed)
            token = token_for(online, method, path.replace("/V1/", "/{shift}/"))
            headers = [(name.lower().encode(), value.encode()) for name, value in token.items()]
            headers += [(b"content-type", b"application/json"), (b"idempotency-key", f"k{n}".encode())]
            spent = time.thread_time()
            status, answer = await asgi(online.town.app, method, path, headers, body)
            spent = time.thread_time() - spent
            assert spent < 3 or n < 1000, f"{method} {path} {body[:500]!r}: {spent:.1f} s of processor"
            if status == 503:  # a machine that stands still loses its lead for a moment: the same body once more
                stood_still.append(body)
                await online.town.live.dispatcher.until_ready(60)
                status, answer = await asgi(online.town.app, method, path, headers, body)
            if n % 100_000 == 99_999:
                print(f"{n + 1} bodies in {time.monotonic() - began:.0f} s", flush=True)
            counts[status] = counts.get(status, 0) + 1
            assert status < 500, f"{method} {path} {body[:500]!r}: {answer!r}"

    began = time.monotonic()
    asyncio.run_coroutine_threadsafe(send(), online.loop).result()
    print(f"{BODIES_SENT} bodies in {time.monotonic() - began:.0f} s: {dict(sorted(counts.items()))}")
    assert sum(counts.values()) == BODIES_SENT
    assert len(stood_still) <= 2 + BODIES_SENT // 20_000
    assert counts.get(422, 0) > BODIES_SENT // 10  # they reach what judges them, and are not all turned away before


def test_the_log_holds_after_all_that(online: Online) -> None:
    """Nobody's nonsense has broken an invariant."""
    entries = list(online.town.live.ledger.entries)
    found = [v for v in invariants.check([entry.event for entry in entries]) if v.invariant in ("log", "legal", "once")]
    assert found == []
