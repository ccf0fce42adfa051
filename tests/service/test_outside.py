"""Calls to addresses that strangers named: never into the house, only to who can prove the name, and told to nobody."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import Any

import pytest

from dispatch.service import logs
from dispatch.service.outside import Outside, Unreachable, is_outside
from tests.service.push_services import HOST, PushService


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("9.9.9.9", True), ("2620:fe::9", True), ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.1", False),
        ("172.16.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False), ("::ffff:127.0.0.1", False),
        ("127.255.255.255", False), ("172.31.255.255", False), ("fdff::ffff", False), ("::ffff:9.9.9.9", False),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::1", False), ("2001:0:7f00::1", False),
    ],
)  # fmt: skip
def test_what_is_outside(address: str, outside: bool) -> None:
    """Nothing that leads to this machine or its network, by whatever detour it is written."""
    assert is_outside(address) is outside


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "10.0.0.7", "169.254.169.254"])
def test_a_name_that_means_the_house_is_not_called(
    push_service: PushService, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    """Nor one that means it a moment later: a name is looked up once, and the connection goes to what was looked at."""
    lookups: list[str] = []
    real = socket.getaddrinfo

    def looked_up(host: str, port: int, *more: Any, **named: Any) -> Any:
        if host != HOST:
            return real(host, port, *more, **named)
        lookups.append(host)
        family = socket.AF_INET6 if ":" in inside else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (inside, port))]

    async def test() -> None:
        async with Outside(tls=push_service.tls) as outside:
            with pytest.raises(Unreachable):
                await outside.post(f"https://{HOST}/x", b"", {})
            assert push_service.got == []
            if inside == "127.0.0.1":  # that it would have been called, were it not for its address
                monkeypatch.setattr("dispatch.service.outside.is_outside", lambda _: True)
                assert await outside.post(f"https://{HOST}/x", b"", {}) == 201
                assert lookups == [HOST, HOST]

    monkeypatch.setattr("dispatch.service.outside.PORT", push_service.server.server_port)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    asyncio.run(test())


def test_only_the_hosts_own_certificate_counts(push_service: PushService) -> None:
    """Of another name, or signed by nobody who is believed."""

    async def test() -> None:
        async with push_service.outside() as outside:
            assert await outside.post(f"https://{HOST}/x", b"1", {}) == 201
            with pytest.raises(Unreachable):
                await outside.post("https://else.town.example/x", b"2", {})
        async with push_service.outside(ssl.create_default_context()) as outside:
            with pytest.raises(Unreachable):
                await outside.post(f"https://{HOST}/x", b"3", {})

    asyncio.run(test())
    assert [body for *_, body in push_service.got] == [b"1"]


def test_no_device_is_named_in_the_logs(push_service: PushService, capsys: pytest.CaptureFixture[str]) -> None:
    """Its address is a key to it: not even a library that is talkative tells it."""
    root = logging.getLogger()
    before = root.handlers, root.level
    logs.set_up("debug")

    async def test() -> None:
        async with push_service.outside() as outside:
            assert await outside.post(f"https://{HOST}/secret", b"1", {}) == 201
        logging.getLogger("naru.service").info("done")

    try:
        asyncio.run(test())
    finally:
        root.handlers, _ = before
        root.setLevel(before[1])
    said = capsys.readouterr().err
    assert "done" in said
    assert "secret" not in said
