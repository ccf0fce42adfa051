"""The store of one zone: what is committed, who may commit, and what is read back.

Redis or Valkey, all keys under `{zone}:` (one slot of a cluster):

    lease, fence          who leads, and the number that every commit must carry
    head                  day, seq and batch token of the last commit
    log:<day>             stream of log lines, id <seq>-0
    keys:<day>            idempotency key -> what happened
    outbox, outbox:dead   streams of messages to deliver, and of those given up
    snapshot:<day>:<seq>  a world, compressed; snapshots:<day> is the list of them: seq -> its time
    days, exported        service days that have a log here, and those of them exported

Every failure to reach the store, or of it, is `StoreDown`; an answer that says somebody else leads is `NotLeader`.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any, Final

import msgspec
import redis.asyncio as redis
from msgspec import Struct
from redis.exceptions import NoScriptError, RedisError, ResponseError

from dispatch.core import events as ev
from dispatch.core.fold import fold_in
from dispatch.core.world import World
from dispatch.service.connecting import connected

PAGE: Final = 2_000
"""log lines read at once"""
CHUNK: Final = 256 * 1024
"""bytes of a snapshot written at once, so that commits get in between"""
_COMMIT: Final = files("dispatch.service").joinpath("commit.lua").read_text()
_LEAD: Final = files("dispatch.service").joinpath("lead.lua").read_text()
_KEEP: Final = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('RENAME', KEYS[2], KEYS[3])
redis.call('PERSIST', KEYS[3])
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
return 1
"""
_PART_LIVES_S: Final = 600

_decode_event = msgspec.json.Decoder(ev.AnyEvent).decode
_decode_world = msgspec.msgpack.Decoder(World).decode


class StoreDown(Exception):  # noqa: N818 - the state of things, as people say it
    """The store did not acknowledge. Whether the commit happened is not known: ask again with the same key."""

    retry_after_s = 1


class NotLeader(Exception):  # noqa: N818
    """Another dispatcher leads this zone, or this one does not lead yet."""

    retry_after_s = 1


class Stale(Exception):  # noqa: N818
    """The batch was decided on a world that is not the store's."""


class Head(Struct, frozen=True):
    """The last commit."""

    day: str
    seq: int


class Kept(Struct, frozen=True, array_like=True):
    """What an idempotency key stands for."""

    digest: bytes
    day: str
    first: int
    """seq of the first event; `last` + 1 if there was none"""
    last: int


class Batch(Struct, frozen=True):
    """Commits that go to the store at once."""

    day: str
    base: int
    """seq that it builds on; 0 opens the day"""
    token: str
    """names the batch: sent again, it is known"""
    lines: Sequence[bytes]
    keys: Sequence[tuple[str, Kept]] = ()
    messages: Sequence[bytes] = ()


class Moment(Struct, frozen=True):
    """A zone's keys at one moment."""

    head: Head | None
    fence: int
    days: list[str]
    keys: list[tuple[str, str, Any]]
    """(name without the zone, kind, content): all but logs, lease, fence and snapshots"""


_NOT_MOVED: Final = ("log:", "lease", "fence", "snapshot")
_READ: Final[dict[str, Callable[[Any, str], object]]] = {
    "string": lambda pipe, name: pipe.get(name),
    "hash": lambda pipe, name: pipe.hgetall(name),
    "set": lambda pipe, name: pipe.smembers(name),
    "zset": lambda pipe, name: pipe.zrange(name, 0, -1, withscores=True),
    "list": lambda pipe, name: pipe.lrange(name, 0, -1),
    "stream": lambda pipe, name: pipe.xrange(name),
}
_WRITE: Final[dict[str, Callable[[Any, str, Any], object]]] = {
    "string": lambda pipe, name, content: pipe.set(name, content),
    "hash": lambda pipe, name, content: pipe.hset(name, mapping=content),
    "set": lambda pipe, name, content: pipe.sadd(name, *content),
    "zset": lambda pipe, name, content: pipe.zadd(name, dict(content)),
    "list": lambda pipe, name, content: pipe.rpush(name, *content),
    "stream": lambda pipe, name, content: [pipe.xadd(name, fields, entry) for entry, fields in content],
}


class Store:
    """One zone's keys on one server. Raises ValueError for a URL that is none."""

    def __init__(self, url: str, zone: str, *, timeout_s: float = 2.0) -> None:
        self.zone = zone
        self._commit = _Script(_COMMIT)
        self._lead = _Script(_LEAD)
        self._keep = _Script(_KEEP)
        self._client: redis.Redis = connected(url, zone, timeout_s=timeout_s)

    def key(self, *parts: str | int) -> str:
        """Name of a key of this zone."""
        return ":".join((f"{{{self.zone}}}", *map(str, parts)))

    async def close(self) -> None:
        """Give the connections up."""
        await self._client.aclose()
        await self._client.connection_pool.disconnect()

    # what the server must be

    async def lacks(self) -> list[str]:
        """What the server would lose commits by, in sentences; [] if it keeps them. Raises StoreDown."""
        client = self._client
        found = []
        async with _spoken():
            role = (await client.info("replication")).get("role")
            if role != "master":
                found.append(f"the server is a {role}, not the primary")
            wanted = {"appendonly": "yes", "appendfsync": "always", "maxmemory-policy": "noeviction"}
            try:
                found_settings = await client.config_get(*wanted)
            except ResponseError:
                return [*found, "the server does not let its settings be read (CONFIG GET), so nothing can be said"]
            found += [
                f"{name} is {found_settings.get(name, 'unknown')}, not {value}"
                for name, value in wanted.items()
                if found_settings.get(name) != value
            ]
        return found

    # who leads

    async def take_lead(self, who: str, lease_ms: int, *, alone: bool = False) -> int | None:
        """Fence of the lead taken; None: somebody else holds it. `alone`: whoever led before is known to be dead."""
        answer = await self._run(self._lead, ["lease", "fence"], [who, lease_ms, "", "1" if alone else ""])
        return int(answer[1]) if answer[0] == b"LEADS" else None

    async def keep_lead(self, who: str, lease_ms: int, fence: int) -> None:
        """Renew the lease. Raises NotLeader if it is another's."""
        answer = await self._run(self._lead, ["lease", "fence"], [who, lease_ms, fence, ""])
        if answer[0] != b"LEADS":
            raise NotLeader(f"the lead of {self.zone} was taken over")

    async def give_lead(self, who: str) -> None:
        """Let the next one lead at once, if the lease is still one's own."""
        async with _spoken():
            if await _now(self._client.hget(self.key("lease"), "owner")) == who.encode():
                await self._client.delete(self.key("lease"))

    # commits

    async def commit(self, fence: int, batch: Batch) -> None:
        """Commit a batch, all or nothing; the same batch again is acknowledged again.

        Raises StoreDown (outcome unknown), NotLeader (a higher fence is in force: nothing happened), Stale (nothing
        happened).
        """
        arguments: list[Any] = [fence, batch.day, batch.base, batch.token, len(batch.lines), *batch.lines]
        arguments.append(len(batch.keys))
        for key, kept in batch.keys:
            arguments += (key, msgspec.msgpack.encode(kept))
        arguments += (len(batch.messages), *batch.messages)
        names = ["fence", "head", f"log:{batch.day}", f"keys:{batch.day}", "outbox", "days"]
        answer = await self._run(self._commit, names, arguments)
        if answer[0] == b"FENCED":
            raise NotLeader(f"the lead of {self.zone} was taken over")
        if answer[0] != b"DONE":
            raise Stale(f"{answer[0].decode()}: {answer[1:]}")

    async def head(self) -> Head | None:
        """The last commit; None: the zone has none."""
        async with _spoken():
            day, seq = await _now(self._client.hmget(self.key("head"), ["day", "seq"]))
        return None if day is None else Head(day.decode(), int(seq))

    async def kept(self, day: str) -> dict[str, Kept]:
        """Idempotency keys of a day."""
        async with _spoken():
            found = await _now(self._client.hgetall(self.key("keys", day)))
        decode = msgspec.msgpack.Decoder(Kept).decode
        return {key.decode(): decode(value) for key, value in found.items()}

    async def lines(self, day: str, after: int = 0, upto: int | None = None) -> AsyncIterator[list[tuple[int, bytes]]]:
        """(seq, log line) of a day, by the page. Raises StoreDown, also where a line is missing."""
        while upto is None or after < upto:
            async with _spoken():
                end = "+" if upto is None else f"{upto}-0"
                page = await _now(self._client.xrange(self.key("log", day), f"({after}-0", end, count=PAGE))
            if not page:
                return
            lines = [(int(name.partition(b"-")[0]), fields[b"e"]) for name, fields in page]
            if lines[-1][0] != after + len(lines):
                raise StoreDown(f"the log of {day} has a gap after line {after}")
            yield lines
            after += len(lines)

    # worlds

    async def world(self, day: str, *, seq: int | None = None, at: int | None = None) -> tuple[World, ev.Event | None]:
        """The world after a day's event `seq`, or at the time `at`, or as it is now; and the last event folded in, if
        any was since the snapshot that it starts from. Raises StoreDown."""
        start = 0
        async with _spoken():
            listed = await _now(self._client.hgetall(self.key("snapshots", day)))
            held = {int(number): int(when) for number, when in listed.items()}
            usable = [n for n, when in held.items() if (seq is None or n <= seq) and (at is None or when <= at)]
            found = None
            if usable:
                start = max(usable)
                found = await _now(self._client.get(self.key("snapshot", day, start)))
        world, last = World(), None
        if found is not None:
            world = _decode_world(zlib.decompress(found))
        else:
            start = 0
        async for page in self.lines(day, start, seq):
            for _, line in page:
                event = event_of(line)
                if at is not None and event.at > at:
                    return world, last
                fold_in(world, event)
                last = event
        return world, last

    async def keep_snapshot(self, fence: int, day: str, world: bytes, seq: int, now: int) -> bool:
        """Keep an encoded world, already compressed; False if the lead is lost. Raises StoreDown."""
        part = self.key("snapshot-part")
        async with _spoken():
            await self._client.delete(part)
            for start in range(0, len(world), CHUNK):
                await self._client.append(part, world[start : start + CHUNK])
            await self._client.expire(part, _PART_LIVES_S)
        names = ["fence", "snapshot-part", f"snapshot:{day}:{seq}", f"snapshots:{day}"]
        return bool(await self._run(self._keep, names, [fence, seq, now]))

    # messages

    async def messages(self, after: str = "-", count: int = 500) -> list[tuple[str, bytes]]:
        """(entry, message) of the outbox, oldest first, after an entry."""
        async with _spoken():
            start = after if after == "-" else f"({after}"
            page = await _now(self._client.xrange(self.key("outbox"), start, "+", count=count))
        return [(entry.decode(), fields[b"m"]) for entry, fields in page]

    async def delivered(self, entries: Sequence[str]) -> None:
        """Forget messages that have been delivered."""
        async with _spoken():
            await self._client.xdel(self.key("outbox"), *entries)

    async def bury(self, entry: str, message: bytes) -> None:
        """Put aside a message that cannot be delivered."""
        async with _spoken(), self._client.pipeline(transaction=True) as pipe:
            pipe.xadd(self.key("outbox", "dead"), {b"m": message})
            pipe.xdel(self.key("outbox"), entry)
            await pipe.execute()

    # days

    async def days(self) -> list[str]:
        """Service days that have a log here, in order."""
        async with _spoken():
            return sorted(day.decode() for day in await _now(self._client.smembers(self.key("days"))))

    async def mark_exported(self, day: str) -> None:
        """The day's log lies outside too: it may be dropped here."""
        async with _spoken():
            await _now(self._client.sadd(self.key("exported"), day))

    async def drop_days(self, before: str) -> list[str]:
        """Forget exported days before this one: log, keys and snapshots. Returns the days dropped."""
        async with _spoken():
            exported = {day.decode() for day in await _now(self._client.smembers(self.key("exported")))}
            dropped = sorted(day for day in exported if day < before)
            for day in dropped:
                snapshots = await _now(self._client.hkeys(self.key("snapshots", day)))
                await self._client.unlink(
                    self.key("log", day), self.key("keys", day), self.key("snapshots", day),
                    *(self.key("snapshot", day, int(seq)) for seq in snapshots),
                )  # fmt: skip
                await _now(self._client.srem(self.key("days"), day))
                await _now(self._client.srem(self.key("exported"), day))
        return dropped

    # all of a zone

    async def moment(self) -> Moment:
        """All keys of the zone at one moment, but for logs, lease, fence and snapshots. Raises StoreDown."""
        client, prefix = self._client, self.key("")
        async with _spoken():
            found = [name async for name in client.scan_iter(f"{prefix}*", count=1_000)]
            names = sorted({name.decode().removeprefix(prefix) for name in found})
            names = [name for name in names if not name.startswith(_NOT_MOVED)]
            asked = [(await _now(client.type(self.key(n))), await _now(client.ttl(self.key(n)))) for n in names]
            # what runs out by itself (codes, counters) is of no use elsewhere
            kinds = {n: kind.decode() for n, (kind, left) in zip(names, asked, strict=True) if left == -1}
            async with client.pipeline(transaction=True) as pipe:
                pipe.hmget(self.key("head"), ["day", "seq"])
                pipe.get(self.key("fence"))
                pipe.smembers(self.key("days"))
                for name, kind in kinds.items():
                    _READ[kind](pipe, self.key(name))
                (day, seq), fence, days, *contents = await pipe.execute()
        keys = [(name, kind, content) for (name, kind), content in zip(kinds.items(), contents, strict=True) if content]
        head = None if day is None else Head(day.decode(), int(seq))
        return Moment(head, int(fence or 0), sorted(day.decode() for day in days), keys)

    async def known(self) -> bool:
        """The store has something of this zone."""
        async with _spoken():
            return bool(await _now(self._client.exists(self.key("head"), self.key("fence"))))

    async def put(self, name: str, kind: str, content: Any) -> None:
        """Write what `moment` or `lines` has read. Raises StoreDown."""
        async with _spoken(), self._client.pipeline(transaction=True) as pipe:
            _WRITE[kind](pipe, self.key(name), content)
            await pipe.execute()

    async def _run(self, script: _Script, names: Iterable[str], arguments: Sequence[Any]) -> Any:
        async with _spoken():
            return await script.run(self._client, [self.key(name) for name in names], arguments)


class _Script:
    """A Lua script that the server is sent once, and again after it has forgotten it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    async def run(self, client: redis.Redis, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        try:
            return await _now(client.evalsha(self._sha, len(keys), *keys, *arguments))
        except NoScriptError:
            return await _now(client.eval(self._text, len(keys), *keys, *arguments))


class _spoken:  # noqa: N801 - reads as what it is
    """Whatever goes wrong between us and the server is StoreDown."""

    async def __aenter__(self) -> None:
        return None

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (RedisError, OSError, TimeoutError)):
            raise StoreDown(f"{type(error).__name__}: {error}") from error


async def _now(answer: Awaitable[Any] | Any) -> Any:
    """redis-py types some commands as if they could be answered at once."""
    return await answer


def event_of(line: bytes) -> ev.AnyEvent:
    """The event of a log line."""
    event: ev.AnyEvent = _decode_event(line)
    return event


def packed(world: bytes) -> bytes:
    """An encoded world as it is kept."""
    return zlib.compress(world, 1)
