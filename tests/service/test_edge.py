"""What every answer carries, and what the edge turns away: size, kind, rate, and bodies that break parsers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest
from redis.exceptions import ConnectionError as Away

from dispatch.service.edge import BODY_BYTES
from tests.service.towns import Served, served

BODIES = {
    "NaN": b'{"from":{"lat":NaN,"lon":1},"to":{"stop":"a"}}',
    "Infinity": b'{"from":{"lat":-Infinity,"lon":1},"to":{"stop":"a"}}',
    "1e999": b'{"from":{"lat":1e999,"lon":1},"to":{"stop":"a"},"seats":1e999}',
    "a number of 5,000 figures": b'{"from":{"stop":"a"},"to":{"stop":"a"},"seats":' + b"9" * 5000 + b"}",
    "a lone surrogate": b'{"from":{"stop":"\\ud800"},"to":{"stop":"a"}}',
    "a lone surrogate as a key": b'{"\\udfff":1,"from":{"stop":"a"},"to":{"stop":"a"}}',
    "a NUL": b'{"from":{"stop":"a\\u0000"},"to":{"stop":"a"}}',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 40_000,
    "no JSON": b"hello",
    "no UTF-8": b'{"from":"\xff\xfe"}',
    "UTF-16": '{"from":1}'.encode("utf-16"),
    "nothing": b"",
    "null": b"null",
    "a year of 10,000": b'{"from":{"stop":"a"},"to":{"stop":"b"},"depart_after":"9999-12-31T23:59:59-23:59"}',
    "the year 1": b'{"from":{"stop":"a"},"to":{"stop":"b"},"depart_after":"0001-01-01T00:00:00+23:59"}',
}


async def post(town: Served, path: str, content: bytes, kind: str = "application/json") -> httpx.Response:
    token = town.token("operator")
    headers = {"Content-Type": kind, "Authorization": f"Bearer {token}", "Idempotency-Key": "k"}
    return await town.client.post(path, content=content, headers=headers)


def test_no_body_breaks_it(tmp_path: Path) -> None:
    """Each is a problem that does not repeat it."""

    async def story() -> None:
        async with served(tmp_path) as town:
            named = await town.live.vault.enrol("+6745550001")
            for what, body in BODIES.items():
                for path in (f"/v1/quotes?rider={named}", f"/v1/bookings?rider={named}", "/v1/operator/pause",
                             "/v1/sign-in"):  # fmt: skip
                    answer = await post(town, path, body)
                    assert 400 <= answer.status_code < 500, f"{what} to {path}: {answer.status_code}"
                    assert answer.headers["content-type"] == "application/problem+json"
                    assert "9999" not in answer.text
                    assert "hello" not in answer.text
            assert not town.live.world.paused

    asyncio.run(story())


def test_large_bodies_and_other_kinds_are_turned_away(tmp_path: Path) -> None:
    """With a length told, without one, and as anything but JSON."""

    async def story() -> None:
        async with served(tmp_path) as town:
            big = b" " * 10_000_000

            async def in_parts() -> None:
                for _ in range(100):
                    yield big[:100_000]  # type: ignore[misc]

            assert (await post(town, "/v1/operator/pause", big)).json()["code"] == "too_large"
            assert (await post(town, "/v1/operator/pause", in_parts())).json()["code"] == "too_large"  # type: ignore[arg-type]
            assert (await post(town, "/v1/operator/pause", b" " * BODY_BYTES)).json()["code"] == "bad_request"
            for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
                answer = await post(town, "/v1/operator/pause", b'{"reason":"x"}', kind)
                assert answer.json()["code"] == "unsupported_type", kind
            fine = await post(town, "/v1/operator/pause", b'{"reason":"x"}', "application/json; charset=utf-8")
            assert fine.status_code == 200

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/nothing", "/v1/rides/%00", "/v1/rides/" + "a" * 3000])
def test_unknown_paths_are_problems(tmp_path: Path, path: str) -> None:
    """Also where they are odd."""

    async def story() -> None:
        async with served(tmp_path) as town:
            answer = await town.call("GET", path, token=town.token("rider"))
            assert answer.status_code in (403, 404, 422)
            assert answer.headers["content-type"] == "application/problem+json"
            assert (await town.call("DELETE", "/v1/zone")).json()["code"] == "method_not_allowed"

    asyncio.run(story())


def test_every_answer_is_guarded(tmp_path: Path) -> None:
    """No sniffing, framing or foreign content; no CORS unless it is configured; development says so."""

    async def story() -> None:
        async with served(tmp_path) as town:
            for path in ("/health", "/v1/zone", "/nothing", "/docs", "/v1/me"):
                headers = (await town.call("GET", path, Origin="https://elsewhere.example")).headers
                assert headers["x-content-type-options"] == "nosniff"
                assert "default-src 'none'" in headers["content-security-policy"]
                assert "access-control-allow-origin" not in headers
                assert "x-naru-development" in headers
            page = (await town.call("GET", "/docs")).text
            assert "<script" not in page
            assert "http://" not in page
            assert "https://" not in page
        mine = {"cors_origins": "https://ours.example", "development": False}
        async with served(tmp_path, settings=mine) as town:
            ours = await town.call("GET", "/v1/zone", Origin="https://ours.example")
            assert ours.headers["access-control-allow-origin"] == "https://ours.example"
            other = await town.call("GET", "/v1/zone", Origin="https://elsewhere.example")
            assert "access-control-allow-origin" not in other.headers

    asyncio.run(story())


def test_who_calls_too_often_waits(tmp_path: Path) -> None:
    """A person, and an address."""

    async def story() -> None:
        async with served(tmp_path, settings={"calls_per_minute": 5}) as town:
            token, other = town.token("operator", "a"), town.token("operator", "b")
            codes = [(await town.call("GET", "/v1/operator/alerts", token=token)).status_code for _ in range(7)]
            assert codes == [200] * 5 + [429] * 2
            assert (await town.call("GET", "/v1/operator/alerts", token=other)).status_code == 200
        async with served(tmp_path, settings={"calls_per_minute_address": 5}) as town:
            answers = [await town.call("GET", "/v1/zone") for _ in range(7)]
            assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
            assert int(answers[-1].headers["retry-after"]) >= 1

    asyncio.run(story())


def test_readiness_and_metrics(tmp_path: Path) -> None:
    """Ready when it decides; figures in Prometheus's words, without persons."""

    async def story() -> None:
        async with served(tmp_path) as town:
            assert (await town.call("GET", "/health")).json() == {"alive": True}
            assert (await town.call("GET", "/ready")).json()["zone"] == "nauru"
            await town.booked(await town.rider())
            text = (await town.call("GET", "/metrics", token=town.token("planner"))).text
            assert 'naru_rides{state="booked"} 1' in text
            assert 'route="/v1/bookings",status="201"} 1' in text
            for line in text.splitlines():
                assert line.startswith("#") or len(line.rsplit(" ", 1)) == 2
            assert "555" not in text

    asyncio.run(story())


def test_a_store_that_is_away_is_503_for_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only for decisions: the vault lies there too. And when it is back, all goes on."""

    def away(*_: object, **__: object) -> None:
        raise Away("connection refused")

    async def story() -> None:
        async with served(tmp_path) as town:
            rider = await town.rider()
            with monkeypatch.context() as broken:
                broken.setattr(town.live.redis, "execute_command", away)
                broken.setattr(town.live.redis, "pipeline", away)
                for method, path, body in (
                    ("POST", "/v1/sign-in/code", {"phone": "+674 555 0002"}),
                    ("POST", "/v1/quotes", town.journey()),
                    ("GET", "/v1/me", None),
                ):
                    answer = await town.call(method, path, body, token=rider)
                    assert (answer.status_code, answer.json()["code"]) == (503, "store_down"), answer.text
                    assert int(answer.headers["Retry-After"]) > 0
            assert (await town.call("POST", "/v1/quotes", town.journey(), token=rider)).status_code == 201

    asyncio.run(story())
