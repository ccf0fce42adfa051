"""Web push: riders' devices are told, encrypted for each, at least once and within bounds."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from dispatch.service.outbox import GivenUp, Message, Undeliverable
from dispatch.service.push import MOST_BYTES, MOST_WAITING, MOST_WAITING_OF_ONE, letter, to_push
from dispatch.service.vapid import Vapid, from_base64url, read_private_key
from tests.service.push_services import (
    CURVE,
    HOST,
    PRIVATE_KEY,
    SUBSCRIPTION,
    VAPID,
    Browser,
    PushService,
    devices,
    story,
    subscribed,
)
from tests.service.stores import Post, dispatching, embedded, run, until
from tests.service.towns import Served


def test_the_browser_reads_the_example_of_the_rfc() -> None:
    """RFC 8291, section 5: what it reads of ours it does not read by our own rules."""
    key = ec.derive_private_key(
        int.from_bytes(from_base64url("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big"), CURVE
    )
    body = from_base64url(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7"
        "A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    browser = Browser("rfc", key, from_base64url("BTBZMqHH6r4Tts7J_aSIgg"))
    assert browser.read(body) == b"When I grow up, I want to be a watermelon"


def test_each_device_is_told_at_least_once(tmp_path: Path, push_service: PushService) -> None:
    """Signed as RFC 8292 has it, in the rider's language; who was busy gets it again, with the same id and topic."""
    phone, tablet = Browser("phone"), Browser("tablet")
    push_service.answers[phone.path] = [503, 307]

    async def told(town: Served) -> None:
        token = await town.rider()
        await town.call("PUT", "/v1/me", {"language": "ko"}, token=token)
        await subscribed(town, token, phone)
        await subscribed(town, token, tablet)
        ride = await town.booked(token)
        await until(lambda: len(push_service.got) == 4)
        await asyncio.sleep(0.2)
        assert len(push_service.read(tablet)) == 1  # it has taken it: only the phone is told again
        times = push_service.read(phone)
        assert len(times) == 3
        assert len({one["id"] for one in times} | {one["id"] for one in push_service.read(tablet)}) == 1
        assert times[0]["ride"] == ride["id"]
        assert times[0]["kind"] == "booked"
        assert times[0]["title"] == "셔틀 탑승 안내"
        assert times[0]["body"].startswith(f"탑승 {ride['id']} 예약")
        headers = [headers for _, headers, _ in push_service.got]
        topics = {one["topic"] for one in headers}
        assert len(topics) == 1
        assert len(from_base64url(topics.pop())) == 24
        public = (await town.call("GET", "/v1/push-key")).json()["public_key"]
        for one in headers:
            assert one["host"] == HOST
            assert one["content-encoding"] == "aes128gcm"
            assert int(one["ttl"]) > 0
            scheme, _, rest = one["authorization"].partition(" ")
            signed = dict(part.strip().split("=", 1) for part in rest.split(","))
            key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_base64url(signed["k"]))
            claims = jwt.decode(signed["t"], key, algorithms=["ES256"], audience=f"https://{HOST}")
            assert (scheme, signed["k"], claims["sub"]) == ("vapid", public, VAPID["vapid_subject"])
            assert 0 < claims["exp"] - dt.datetime.now(dt.UTC).timestamp() < 86_400
        # a code is not told to devices; the words of an operator are, as far as a push holds them
        words = {"words": "가" * 2000, "reason": "storm"}
        assert (await town.call("POST", "/v1/operator/messages", words, token=town.token("operator"))).is_success
        await until(lambda: len(push_service.read(tablet)) == 2)
        assert push_service.read(tablet)[1]["body"].startswith("가" * 1000)
        assert push_service.read(tablet)[1]["body"].endswith("…")

    story(tmp_path, push_service, told)
    assert {path for path, *_ in push_service.got} == {phone.path, tablet.path}
    assert {one["kind"] for browser in (phone, tablet) for one in push_service.read(browser)} == {"booked", "words"}


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(tmp_path: Path, push_service: PushService, status: int) -> None:
    """And not asked again; the other one stays."""
    gone, stays = Browser("gone"), Browser("stays")
    push_service.answers[gone.path] = [status]

    async def told(town: Served) -> None:
        token = await town.rider()
        await subscribed(town, token, gone)
        kept = await subscribed(town, token, stays)
        await town.booked(token)
        await until(lambda: len(push_service.got) == 2)
        for _ in range(100):
            if await devices(town, token) == [kept]:
                break
            await asyncio.sleep(0.02)
        assert await devices(town, token) == [kept]
        await town.booked(token, "k2", origin=3)
        await until(lambda: len(push_service.read(stays)) == 2)
        assert len(push_service.read(gone)) == 1
        assert town.live.dispatcher.outbox.counts.failed == 0

    story(tmp_path, push_service, told)


class Kept:
    """A vault in which everybody has one device."""

    async def devices(self, _: str) -> dict[str, dict[str, str]]:
        """It."""
        return {"d": {"endpoint": SUBSCRIPTION["endpoint"], **SUBSCRIPTION["keys"]}}


def test_devices_that_never_answer_hold_few_messages() -> None:
    """Of one rider, and of all: beyond that a message is given up at once, until one was taken."""

    class Dead:
        status = 500

        async def post(self, *_: Any) -> int:
            return self.status

    async def test() -> None:
        async def resolve(_: Message) -> dict[str, str]:
            return {"subject": "s", "text": "t"}

        dead, vapid = Dead(), Vapid(read_private_key(PRIVATE_KEY), "mailto:a@b.example")
        deliver = to_push("z", Kept(), vapid, dead, resolve)  # type: ignore[arg-type]

        async def outcome(n: int, rider: str) -> str:
            try:
                await deliver(Message("push", rider, "booked", id=f"1-{n}"))
            except Undeliverable as error:
                return type(error).__name__
            return "taken"

        assert {await outcome(n, "r") for n in range(MOST_WAITING_OF_ONE)} == {"Undeliverable"}
        assert await outcome(3, "r") == "Undeliverable"  # again
        assert await outcome(99, "r") == "GivenUp"
        others = [await outcome(100 + n, f"r{n}") for n in range(MOST_WAITING - MOST_WAITING_OF_ONE)]
        assert set(others) == {"Undeliverable"}
        assert await outcome(999, "late") == "GivenUp"
        dead.status = 201
        assert await outcome(3, "r") == "taken"
        dead.status = 500
        assert await outcome(999, "late") == "Undeliverable"

    asyncio.run(test())


def test_one_way_that_hangs_or_gives_up_delays_no_other() -> None:
    """More pushes than are under way at once hang, one is given up; what goes another way leaves."""
    tried: list[str] = []

    async def push(message: Message) -> None:
        tried.append(message.id)
        if message.kind == "hopeless":
            raise GivenUp("never")
        await asyncio.sleep(60)

    async def test() -> None:
        async with embedded() as started:
            post = Post()
            async with dispatching(started, channels={"log": post, "push": push}) as dispatcher:
                first = [Message("push", "r", "hopeless")]
                await dispatcher.submit(lambda *_: [], messages=lambda *_: first)
                await until(lambda: dispatcher.outbox.counts.given_up == 1)
                many = [Message("push", "r", "hangs") for _ in range(40)]
                await dispatcher.submit(lambda *_: [], messages=lambda *_: [*many, Message("log", "r", "code")])
                await until(lambda: len(post.taken) == 1)
                assert len(tried) == 1 + 16

    run(test)


def test_words_are_cut_where_a_push_cannot_hold_them() -> None:
    """Whatever they are made of."""
    for words in ("가" * 2000, "\x01" * 2000, '"' * 4000, "x" * 3000, ""):
        body = letter(Message("push", "r", "words", id="1-1"), {"subject": "s", "text": words})
        assert len(body) <= MOST_BYTES
        told = json.loads(body)["body"]
        assert told == words or (words.startswith(told[:-1]) and told[-1] == "…" and len(body) > 0.8 * MOST_BYTES)
