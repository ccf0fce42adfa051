"""Web push: messages to the browsers and phones that riders have subscribed, encrypted for each (RFC 8291).

A device is called at an address that its rider named (`outside.py`). It gets `{"id", "kind", "ride", "title", "body"}`;
`Topic` is made of the message's id, so that a push service holds a message that came twice only once. A device that its
push service no longer knows is forgotten; any other failure means: again, later, to those that have not taken it.

Devices that never answer cannot keep other messages waiting: of all messages only so many wait for them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct, field

from dispatch.service.outbox import HELD, LONGEST_PAUSE_S, Deliver, GivenUp, Message, Resolve, Undeliverable
from dispatch.service.outside import Outside
from dispatch.service.vapid import CURVE, Vapid, base64url, from_base64url
from dispatch.service.vault import Vault

log = logging.getLogger(__name__)

MOST_BYTES: Final = 3_800
"""of what is encrypted: push services take 4,096 with what that adds"""
MOST_WAITING: Final = HELD // 4
"""messages that devices have not taken; beyond that they are given up at once"""
MOST_WAITING_OF_ONE: Final = 20
"""rider"""
PRESSING: Final = frozenset({"at_risk", "stranded", "no_show"})
"""wakes a sleeping phone, and is worth nothing an hour later"""
KEPT_S: Final = {True: 3_600, False: 86_400}
"""how long a push service holds it for a device that is off, by whether it presses"""


class _Waiting(Struct):
    """A message that not all devices have taken."""

    rider: str
    tried: float
    taken: set[str] = field(default_factory=set)
    """by these devices"""


def to_push(zone: str, vault: Vault, vapid: Vapid, outside: Outside, resolve: Resolve) -> Deliver:
    """Channel that tells each of a rider's devices. Raises Undeliverable, GivenUp."""
    waiting: dict[str, _Waiting] = {}

    async def deliver(message: Message) -> None:
        found = await resolve(message)
        devices = {} if found is None else await vault.devices(message.to)
        known = waiting.pop(message.id, None)
        taken = set() if known is None else known.taken
        left = [(name, device) for name, device in devices.items() if name not in taken]
        if found is None or not left:
            return
        body, headers = letter(message, found), _headers(zone, message)
        results = await asyncio.gather(*(one(message.to, name, device, body, headers) for name, device in left))
        taken |= {name for (name, _), done in zip(left, results, strict=True) if done}
        if not all(results):
            _make_room(waiting, message.to)
            waiting[message.id] = _Waiting(message.to, time.monotonic(), taken)
            raise Undeliverable("a device has not taken it")

    async def one(rider: str, name: str, device: dict[str, str], body: bytes, headers: Mapping[str, str]) -> bool:
        """Is it done with?"""
        endpoint = device["endpoint"]
        try:
            sealed = encrypted(body, device["p256dh"], device["auth"])
            signed = {**headers, "Authorization": vapid.authorization(endpoint)}
            status = await outside.post(endpoint, sealed, signed)
        except Exception as error:  # noqa: BLE001 - whatever a stranger's host makes of it means: again, later
            log.info("a device was not reached: %s", type(error).__name__)
            return False
        if status in (404, 410):
            await vault.drop_device(rider, name)
        elif not 200 <= status < 300:
            log.info("a push service answered %d", status)
            return False
        return True

    return deliver


def letter(message: Message, found: Mapping[str, Any]) -> bytes:
    """What is shown, as JSON; its words cut short where a push could not hold them."""
    told = {"id": message.id, "kind": message.kind, "ride": message.about, "title": found["subject"]}
    words: str = found["text"]
    while len(body := json.dumps({**told, "body": words}, ensure_ascii=False).encode()) > MOST_BYTES:
        words = words[: len(words) * 9 // 10 - 1] + "…"
    return body


def encrypted(body: bytes, p256dh: str, auth: str) -> bytes:
    """For the browser that made these keys, and nobody else. Raises ValueError for keys that are none."""
    return bytes(
        http_ece.encrypt(
            body,
            private_key=ec.generate_private_key(CURVE),
            dh=from_base64url(p256dh),
            auth_secret=from_base64url(auth),
            version="aes128gcm",
        )
    )


def _headers(zone: str, message: Message) -> dict[str, str]:
    presses = message.kind in PRESSING
    # 24 bytes are 32 letters, the most there may be; Apple decodes them
    topic = base64url(sha256(f"{zone}/{message.id}".encode()).digest()[:24])
    return {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(KEPT_S[presses]),
        "Urgency": "high" if presses else "normal",
        "Topic": topic,
    }


def _make_room(waiting: dict[str, _Waiting], rider: str) -> None:
    """For one more message of this rider's. Raises GivenUp where there is none."""
    gone = time.monotonic() - 2 * LONGEST_PAUSE_S  # the outbox asks no more
    for name in [name for name, one in waiting.items() if one.tried < gone]:
        del waiting[name]
    if len(waiting) >= MOST_WAITING or sum(one.rider == rider for one in waiting.values()) >= MOST_WAITING_OF_ONE:
        raise GivenUp("too many messages wait for devices that do not take them")
