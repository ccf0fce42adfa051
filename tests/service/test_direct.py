"""Quotes and bookings by riders are answered past the framework: word for word as the framework would answer them."""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import httpx

from dispatch.service import direct
from tests.service.test_edge import BODIES
from tests.service.towns import Served, served

TOKENS = ("", "Bearer", "Basic abc", "Bearer abc", "bearer {rider}", "Bearer {driver}", "Bearer {other_zone}",
          "Bearer {operator}", "Bearer {rider}")  # fmt: skip


def told(answer: httpx.Response) -> tuple[int, dict[str, str], Any]:
    """An answer without the names that each request is given."""
    body = answer.json()
    return answer.status_code, dict(answer.headers), _unnamed(body)


def _unnamed(body: Any) -> Any:
    if isinstance(body, dict):
        return {
            key: len(value) if key in ("request", "quote", "id", "code") and isinstance(value, str) else _unnamed(value)
            for key, value in body.items()
        }
    return [_unnamed(one) for one in body] if isinstance(body, list) else body


async def both(town: Served, path: str, content: bytes, **headers: str | bytes) -> httpx.Response:
    """A call answered both ways (one with an empty query is not direct), which must tell the same."""
    sent = {"Content-Type": "application/json"} | {name.replace("_", "-"): told for name, told in headers.items()}
    answer = await town.client.post(path, content=content, headers=sent)
    framed = await town.client.post(f"{path}?none=", content=content, headers=sent)
    assert told(answer) == told(framed)
    return answer


def test_whatever_is_sent_is_answered_as_the_framework_does(tmp_path: Path) -> None:
    """Bodies that break parsers, callers of every kind, keys that are none."""

    async def story() -> None:
        async with served(tmp_path) as town:
            rider = await town.rider()
            tokens = {
                "rider": rider,
                "driver": town.token("driver"),
                "operator": town.token("operator"),
                "other_zone": town.token("rider", zone="elsewhere"),
            }
            good = json.dumps(town.journey()).encode()
            for path in direct.CALLS:
                for given in TOKENS:
                    sent = {} if not given else {"Authorization": given.format(**tokens)}
                    await both(town, path, b'{"quote": "abc"}' if path == "/v1/bookings" else good, **sent)
                for body in BODIES.values():
                    answer = await both(town, path, body, Authorization=f"Bearer {rider}", Idempotency_Key="k")
                    assert 400 <= answer.status_code < 500
            for key in ("", "é", "a b", "k" * 101):
                asked = b'{"quote": "abc"}'
                await both(
                    town, "/v1/bookings", asked, Authorization=f"Bearer {rider}", Idempotency_Key=key.encode("latin-1")
                )
            there = town.journey(seats=2, return_after="2026-03-03T20:00:00+12:00")
            for journey in (town.journey(), town.journey(depart_after="2020-01-01T00:00:00Z"), town.journey(seats=99),
                            town.journey(0, 0), there):  # fmt: skip
                await both(town, "/v1/quotes", json.dumps(journey).encode(), Authorization=f"Bearer {rider}")

    asyncio.run(story())


def test_a_booking_is_taken_and_told_again_either_way(tmp_path: Path) -> None:
    """201 with the ride; the same key once more, past the framework or through it: the same ride, said to be so."""

    async def story() -> None:
        async with served(tmp_path) as town:
            rider = await town.rider()
            quotes = await town.call("POST", "/v1/quotes", town.journey(), token=rider)
            assert quotes.status_code == 201
            take = {"quote": quotes.json()["offers"][0]["quote"]}
            first, again, framed = [
                await town.call("POST", path, take, token=rider, Idempotency_Key="tap")
                for path in ("/v1/bookings", "/v1/bookings", "/v1/bookings?none=")
            ]
            assert first.status_code == again.status_code == framed.status_code == 201
            assert first.json()["id"] == again.json()["id"] == framed.json()["id"]
            assert "idempotent-replayed" not in first.headers
            assert again.headers["idempotent-replayed"] == framed.headers["idempotent-replayed"] == "true"
            counted = await town.call("GET", "/metrics", token=town.token("operator"))
            for path, n in (("/v1/quotes", 1), ("/v1/bookings", 3)):
                line = rf'^naru_http_requests_total{{method="POST",route="{path}",status="201"}} {n}$'
                assert re.search(line, counted.text, re.MULTILINE)

    asyncio.run(story())


def test_an_operators_call_counts_once(tmp_path: Path) -> None:
    """The framework answers it, and it is the framework that counts it."""

    async def story() -> None:
        async with served(tmp_path, settings={"calls_per_minute": 2}) as town:
            named = await town.live.vault.enrol("+6745550001")
            path, desk = "/v1/quotes", town.token("operator")
            assert (await town.call("POST", path, town.journey(), token=desk)).json()["code"] == "no_such_rider"
            assert (await town.call("POST", f"{path}?rider={named}", town.journey(), token=desk)).status_code == 201
            assert (await town.call("POST", path, town.journey(), token=desk)).status_code == 429

    asyncio.run(story())
