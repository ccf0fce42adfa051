"""Personal data, apart from the log: names, phones, words, under a key of each rider's own.

The log and the world know a rider by a pseudonym only. What the pseudonym stands for lies here, sealed (AES-256-GCM)
with the rider's own key, which is wrapped by the installation's. Deleting a rider drops the key: what it sealed is
noise from then on, and the log stays whole. Older copies of the store (backups, its append-only file until that is
rewritten) still hold the wrapped key and can be opened by who has the installation's: keep the two apart.
"""

from __future__ import annotations

import hmac
import json
import secrets
import time
from hashlib import sha256
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from redis.asyncio import Redis

NONCE_BYTES = 12
POSITIONS_KEPT_S = 86_400
DEVICE = "device:"
"""begins the names of what is kept of devices"""


class Standing(NamedTuple):
    """What each request of a rider depends on."""

    missed: list[int]
    """when they missed rides, s since 1970"""
    age_group: str | None


class Vault:
    """One zone's personal data in the store."""

    def __init__(self, redis: Redis, zone: str, master: bytes) -> None:
        self._redis: Any = redis  # its types leave open whether answers are text or bytes: they are bytes
        self._zone = zone
        self._master = AESGCM(sha256(b"naru vault\0" + master).digest())
        self._lookup = sha256(b"naru phones\0" + master).digest()

    def _key(self, what: str) -> str:
        return f"{{{self._zone}}}:vault:{what}"

    def _digest(self, text: str) -> str:
        return hmac.new(self._lookup, text.encode(), sha256).hexdigest()

    # riders

    async def rider_of(self, phone: str) -> str | None:
        """Pseudonym of who has this phone."""
        found = await self._redis.hget(self._key("phones"), self._digest(phone))
        return None if found is None else str(found, "ascii")

    async def enrol(self, phone: str, person: dict[str, Any] | None = None) -> str:
        """Pseudonym of who has this phone, made now if it is new."""
        rider = "r" + secrets.token_hex(8)
        mine = self._digest(phone)
        if not await self._redis.hsetnx(self._key("phones"), mine, rider):
            known = await self.rider_of(phone)
            if known is not None:
                return known
        key = AESGCM.generate_key(256)
        wrapped = self._sealed(self._master, key, rider)
        await self._redis.hset(self._key("keys"), rider, wrapped)
        await self.put(rider, "person", {"phone": phone, **(person or {})})
        return rider

    async def known(self, rider: str) -> bool:
        """Is there such a rider, not deleted?"""
        return bool(await self._redis.hexists(self._key("keys"), rider))

    async def standing(self, rider: str) -> Standing | None:
        """What each of a rider's requests depends on; None: there is no such rider."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hexists(self._key("keys"), rider)
            pipe.hget(self._key("missed"), rider)
            pipe.hget(self._key("ages"), rider)
            known, missed, age = await pipe.execute()
        return Standing(_read(missed) or [], None if age is None else age.decode()) if known else None

    async def note_age(self, rider: str, group: str | None) -> None:
        """As the rider told it; it stands beside each request in the log, under the same pseudonym."""
        if group is None:
            await self._redis.hdel(self._key("ages"), rider)
        else:
            await self._redis.hset(self._key("ages"), rider, group)

    async def note_missed(self, rider: str, at: int) -> None:
        """One more; the last twenty are kept."""
        known = await self.standing(rider)
        if known is not None:
            await self._redis.hset(self._key("missed"), rider, _packed([*known.missed[-19:], at]))

    async def forgive_missed(self, rider: str) -> None:
        """The last one does not count."""
        known = await self.standing(rider)
        if known is not None and known.missed:
            await self._redis.hset(self._key("missed"), rider, _packed(known.missed[:-1]))

    async def forget(self, rider: str) -> None:
        """Delete a rider: the key, and what it sealed."""
        person = await self.get(rider, "person")
        for device in await self.devices(rider):
            await self._redis.hdel(self._key("devices"), device)
        await self._redis.hdel(self._key("keys"), rider)
        if person is not None and "phone" in person:
            await self._redis.hdel(self._key("phones"), self._digest(person["phone"]))
        await self._redis.hdel(self._key("missed"), rider)
        await self.note_age(rider, None)
        await self._redis.delete(self._key(f"of:{rider}"))

    async def put(self, rider: str, what: str, value: Any) -> bool:
        """Seal and keep something of a rider's; False: there is no such rider."""
        key = await self._own(rider)
        if key is None:
            return False
        await self._redis.hset(self._key(f"of:{rider}"), what, self._sealed(key, _packed(value), f"{rider}/{what}"))
        return True

    async def get(self, rider: str, what: str) -> Any:
        """What was kept; None: nothing, or the rider was deleted."""
        key = await self._own(rider)
        content = await self._redis.hget(self._key(f"of:{rider}"), what)
        return None if key is None or content is None else _read(_opened(key, content, f"{rider}/{what}"))

    async def everything(self, rider: str) -> dict[str, Any]:
        """All that is kept of a rider, for them."""
        key = await self._own(rider)
        if key is None:
            return {}
        sealed = await self._redis.hgetall(self._key(f"of:{rider}"))
        found = {}
        for name, content in sealed.items():
            what = name.decode()
            found[what] = _read(_opened(key, content, f"{rider}/{what}"))
        return found

    async def drop(self, rider: str, what: str) -> bool:
        """Delete one thing; False: there was none."""
        return bool(await self._redis.hdel(self._key(f"of:{rider}"), what))

    async def _own(self, rider: str) -> AESGCM | None:
        wrapped = await self._redis.hget(self._key("keys"), rider)
        key = None if wrapped is None else _opened(self._master, wrapped, rider)
        return None if key is None else AESGCM(key)

    @staticmethod
    def _sealed(key: AESGCM, content: bytes, name: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + key.encrypt(nonce, content, name.encode())

    # devices that are told by web push

    async def put_device(self, rider: str, device: dict[str, Any]) -> str | None:
        """Keep a device, as `endpoint` names it, and its name here; None: there is no such rider.

        It is this rider's from now on, whoever had it before: a phone that is passed on tells its new owner only.
        """
        key, name = await self._own(rider), self._digest(device["endpoint"])[:32]
        if key is None:
            return None
        before = await self._redis.hget(self._key("devices"), name)
        what = f"{DEVICE}{name}"
        async with self._redis.pipeline(transaction=True) as pipe:
            if before is not None and before.decode() != rider:
                pipe.hdel(self._key(f"of:{before.decode()}"), what)
            pipe.hset(self._key("devices"), name, rider)
            pipe.hset(self._key(f"of:{rider}"), what, self._sealed(key, _packed(device), f"{rider}/{what}"))
            await pipe.execute()
        return name

    async def devices(self, rider: str) -> dict[str, dict[str, Any]]:
        """A rider's devices by name."""
        kept = await self.everything(rider)
        return {what.removeprefix(DEVICE): value for what, value in kept.items() if what.startswith(DEVICE)}

    async def drop_device(self, rider: str, name: str) -> bool:
        """Delete one; False: the rider has none of that name."""
        if not await self.drop(rider, f"{DEVICE}{name}"):
            return False
        await self._redis.hdel(self._key("devices"), name)
        return True

    # sign-in codes

    async def new_code(self, rider: str, per_hour: int, valid_s: int = 300) -> str | None:
        """A one-time code, kept as a hash; None: too many were sent in this hour."""
        counter = self._key(f"sent:{rider}:{int(time.time()) // 3600}")
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.incr(counter)
            pipe.expire(counter, 3600)
            sent, _ = await pipe.execute()
        if int(sent) > per_hour:
            return None
        code = f"{secrets.randbelow(1_000_000):06}"
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(self._key(f"code:{rider}"), mapping={"hash": self._digest(code), "left": 5})
            pipe.expire(self._key(f"code:{rider}"), valid_s)
            await pipe.execute()
        return code

    async def spend_code(self, rider: str, code: str) -> bool:
        """True once for the right code; five wrong tries and it is gone."""
        key = self._key(f"code:{rider}")
        left = await self._redis.hincrby(key, "left", -1)
        kept = await self._redis.hget(key, "hash")
        if kept is None or left < 0:
            await self._redis.delete(key)
            return False
        right = hmac.compare_digest(kept.decode(), self._digest(code))
        # of two calls with the right code at once, one deletes it
        return right and int(await self._redis.delete(key)) == 1

    async def may_try(self, what: str, tries: int, window_s: int) -> bool:
        """Count a try at a secret; False: too many since it last went well, or in the last while."""
        key = self._key(f"tries:{what}")
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.incr(key)
            pipe.expire(key, window_s)
            tried, _ = await pipe.execute()
        return int(tried) <= tries

    async def tried_well(self, what: str) -> None:
        """The secret was right: count anew."""
        await self._redis.delete(self._key(f"tries:{what}"))

    # drivers

    async def put_driver(self, driver: str, pin_hash: str, vehicle: str | None) -> None:
        """A driver, their PIN's hash and the vehicle they drive (None: any)."""
        await self._redis.hset(self._key("drivers"), driver, _packed({"pin": pin_hash, "vehicle": vehicle}))

    async def driver(self, driver: str) -> dict[str, Any] | None:
        """What is known of a driver."""
        found: dict[str, Any] | None = _read(await self._redis.hget(self._key("drivers"), driver))
        return found

    async def drivers(self) -> dict[str, dict[str, Any]]:
        """All drivers."""
        found = await self._redis.hgetall(self._key("drivers"))
        return {str(name, "ascii"): json.loads(content) for name, content in found.items()}

    async def drop_driver(self, driver: str) -> bool:
        """Delete a driver; False: there was none."""
        return bool(await self._redis.hdel(self._key("drivers"), driver))

    # positions

    async def note_positions(self, shuttle: str, points: list[tuple[int, float, float]]) -> None:
        """Keep raw positions (UTC ms, lat, lon) for a day at most."""
        bucket = int(time.time()) // 3600
        key = self._key(f"gps:{shuttle}:{bucket}")
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.rpush(key, *(json.dumps(point) for point in points))
            pipe.expire(key, POSITIONS_KEPT_S - 3600)
            await pipe.execute()


def _packed(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _read(content: bytes | None) -> Any:
    return None if content is None else json.loads(content)


def _opened(key: AESGCM, content: bytes, name: str) -> bytes | None:
    try:
        return key.decrypt(content[:NONCE_BYTES], content[NONCE_BYTES:], name.encode())
    except InvalidTag:
        return None
