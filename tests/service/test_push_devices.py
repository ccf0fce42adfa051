"""Which devices are told: a rider's own, subscribed with what a browser gives, and nothing else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dispatch.service.push_routes import MOST_DEVICES
from dispatch.service.vapid import base64url
from tests.service.push_services import SUBSCRIPTION, Browser, PushService, devices, story, subscribed
from tests.service.stores import until
from tests.service.towns import Served, served

OTHER_CURVE = ec.generate_private_key(ec.SECP384R1()).public_key()
BAD: list[tuple[str, dict[str, Any]]] = [
    ("endpoint", {"endpoint": endpoint})
    for endpoint in (
        "", "http://push.town.example/x", "https://push/x", "https://localhost/x", "https://127.0.0.1/x",
        "https://2130706433/x", "https://0x7f.1/x", "https://[::1]/x", "https://[::ffff:10.0.0.1]/x",
        "https://push.town.example:6379/x", "https://user@push.town.example/x", "https://push.town.example/x#y",
        "https://push.town.example\\@127.0.0.1/x", "https://push.town.example/ x", "https://push.town.example/\r\nA: b",
        "https://push.town.example." + "a" * 250 + "/x", "https://푸시.example/x", "ftp://push.town.example/x",
        "https://push.town.example/" + "x" * 2000, "//push.town.example/x", "https://push..example/", 7, None,
    )
] + [
    ("keys.p256dh", {"keys": {"p256dh": p256dh, "auth": "YWFhYWFhYWFhYWFhYWFhYQ"}})
    for p256dh in (
        "", "AAAA", "B" + "A" * 86, "!" * 87, SUBSCRIPTION["keys"]["p256dh"][:-4], "가" * 87,
        base64url(OTHER_CURVE.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))[:100],
    )
] + [
    ("keys.auth", {"keys": {**SUBSCRIPTION["keys"], "auth": auth}}) for auth in ("", "YQ", "=" * 20, "a" * 24, "a" * 21)
] + [("keys", {"keys": None}), ("expirationTime", {"expirationTime": -1}), ("", {"more": 1})]  # fmt: skip


def test_a_device_is_a_riders_own_and_goes_with_them(tmp_path: Path, push_service: PushService) -> None:
    """Listed, exported, taken off, deleted with all else; passed on to another rider it is that one's only."""
    phone = Browser("phone")

    async def told(town: Served) -> None:
        first, second = await town.rider(), await town.rider("+674 555 0002")
        device = await subscribed(town, first, phone)
        assert await subscribed(town, first, phone) == device  # the same one again
        kept = (await town.call("GET", "/v1/me/export", token=first)).json()["kept"]
        assert kept[f"device:{device}"]["endpoint"] == phone.subscription()["endpoint"]
        path = f"/v1/me/push-subscriptions/{device}"
        assert (await town.call("DELETE", path, token=second)).json()["code"] == "no_such_device"
        assert await devices(town, first) == [device]
        # the phone is passed on
        assert await subscribed(town, second, phone) == device
        assert await devices(town, first) == []
        await town.booked(first)
        ride = await town.booked(second, "k2", origin=3)
        await until(lambda: len(push_service.got) == 1)
        assert push_service.read(phone)[0]["ride"] == ride["id"]
        # and taken off, and put on again, and deleted with its rider
        assert (await town.call("DELETE", path, token=second)).json() == {"done": True}
        assert (await town.call("DELETE", path, token=second)).status_code == 404
        await subscribed(town, second, phone)
        redis: Any = town.live.redis
        assert await redis.hlen("{nauru}:vault:devices") == 1
        assert (await town.call("DELETE", "/v1/me", token=second)).is_success
        assert await redis.hlen("{nauru}:vault:devices") == 0
        assert (await town.call("GET", "/v1/me/push-subscriptions", token=second)).json() == []
        put = await town.call("POST", "/v1/me/push-subscriptions", phone.subscription(), token=second)
        assert put.json()["code"] == "no_such_rider"
        await asyncio.sleep(0.3)
        assert len(push_service.got) == 1
        # of many only the latest
        many = [await subscribed(town, first, Browser(f"b{n}")) for n in range(MOST_DEVICES + 2)]
        assert await devices(town, first) == many[:1:-1]

    story(tmp_path, push_service, told)


def test_a_subscription_that_is_none_is_refused(tmp_path: Path, push_service: PushService) -> None:
    """With what was wrong, and never with what was sent; without keys there are none at all."""

    async def told(town: Served) -> None:
        token = await town.rider()
        for field, part in BAD:
            bad = {**SUBSCRIPTION, **part}
            answer = await town.call("POST", "/v1/me/push-subscriptions", bad, token=token)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "invalid"), part
            assert any(one.startswith(f"body.{field}".rstrip(".")) for one in problem["fields"]), (part, problem)
        assert await devices(town, token) == []
        good = {**SUBSCRIPTION, "endpoint": "https://push.town.example:443/x?y=%7B"}
        assert (await town.call("POST", "/v1/me/push-subscriptions", good, token=token)).status_code == 201

    story(tmp_path, push_service, told)

    async def without() -> None:
        async with served(tmp_path / "bare") as town:
            token = await town.rider()
            assert (await town.call("GET", "/v1/push-key")).json()["code"] == "no_push"
            answer = await town.call("POST", "/v1/me/push-subscriptions", SUBSCRIPTION, token=token)
            assert (answer.status_code, answer.json()["code"]) == (404, "no_push")

    asyncio.run(without())
