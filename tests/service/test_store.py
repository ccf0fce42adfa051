"""The store's promises, on the embedded Valkey and on redis-server: commits, the lead, snapshots, the server itself."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import redis.asyncio as redis

from dispatch.core import events as ev
from dispatch.core.events import log_line
from dispatch.core.fold import fold
from dispatch.service import archive
from dispatch.service.embedded import Embedded, EmbeddedFailed, FolderInUse, url_of
from dispatch.service.store import Batch, Kept, NotLeader, Stale, Store, StoreDown, packed
from routing.errors import InputError
from tests.faults.town import opening
from tests.service.stores import DAY, embedded, folder, run, servers, store_of, until

NEXT = "2026-01-02"
EVENTS = list(opening(DAY))
LINES = [log_line(event, seq, 0) for seq, event in enumerate(EVENTS, 1)]


def first(token: str = "1-1", **more: object) -> Batch:
    """The commit that opens the day."""
    return Batch(DAY, 0, token, LINES, **more)  # type: ignore[arg-type]


@servers
def test_a_batch_is_committed_whole_and_once(server: str | None) -> None:
    """Its events, keys and messages are there; sent again it is acknowledged and changes nothing."""

    async def test() -> None:
        async with embedded(server) as started, store_of(started) as store:
            fence = await store.take_lead("a", 5000)
            assert fence == 1
            batch = first(keys=[("k", Kept(b"d", DAY, 1, 2))], messages=[b"m1", b"m2"])
            for _ in range(2):
                await store.commit(1, batch)
                head = await store.head()
                assert head is not None
                assert (head.day, head.seq) == (DAY, len(LINES))
                assert [line async for page in store.lines(DAY) for _, line in page] == LINES
                assert await store.kept(DAY) == {"k": Kept(b"d", DAY, 1, 2)}
                assert [data for _, data in await store.messages()] == [b"m1", b"m2"]
            assert await store.days() == [DAY]

    run(test)


@servers
def test_what_was_decided_on_another_world_is_refused(server: str | None) -> None:
    """A wrong seq, a day that is over and a key that is taken: nothing of the batch happens."""

    async def test() -> None:
        async with embedded(server) as started, store_of(started) as store:
            await store.take_lead("a", 5000)
            await store.commit(1, first(keys=[("k", Kept(b"d", DAY, 1, 2))]))
            n = len(LINES)
            line = log_line(ev.TimerTicked(5), n + 1, 0)
            for wrong in (
                Batch(DAY, n - 1, "1-2", [line]),
                Batch(DAY, n + 1, "1-2", [line]),
                Batch("2025-12-31", 0, "1-2", [line]),
                Batch(DAY, 0, "1-2", [line]),
                Batch(DAY, n, "1-2", [line], [("k", Kept(b"e", DAY, 1, 2))], [b"m"]),
            ):
                with pytest.raises(Stale):
                    await store.commit(1, wrong)
            assert [seq async for page in store.lines(DAY) for seq, _ in page][-1] == n
            assert await store.messages() == []
            await store.commit(1, Batch(DAY, n, "1-2", [line]))
            await store.commit(1, Batch(NEXT, 0, "1-3", LINES))
            assert await store.days() == [DAY, NEXT]

    run(test)


@servers
def test_one_leads_and_the_fence_only_rises(server: str | None) -> None:
    """Who was taken over can commit no more, whatever it thinks."""

    async def test() -> None:
        async with embedded(server) as started, store_of(started) as store:
            assert await store.take_lead("a", 300) == 1
            assert await store.take_lead("b", 300) is None
            await asyncio.sleep(0.2)
            await store.keep_lead("a", 300, 1)
            assert await store.take_lead("b", 300) is None
            await asyncio.sleep(0.35)
            assert await store.take_lead("b", 300) == 2
            with pytest.raises(NotLeader):
                await store.keep_lead("a", 300, 1)
            with pytest.raises(NotLeader):
                await store.commit(1, first())
            assert await store.head() is None
            await store.commit(2, first())
            await store.give_lead("a")  # is not a's to give
            assert await store.take_lead("c", 300) is None
            await store.give_lead("b")
            assert await store.take_lead("c", 300) == 3
            assert await store.take_lead("d", 300, alone=True) == 4

    run(test)


@servers
def test_a_lease_from_before_the_store_s_clock_was_set_back_is_none(server: str | None) -> None:
    """It seems to hold for an hour; no lease does."""

    async def test() -> None:
        async with embedded(server) as started, store_of(started) as store:
            await store.take_lead("a", 5000)
            client = redis.from_url(started.url)
            seconds, _ = await client.time()
            await client.hset(store.key("lease"), "ends", str((seconds + 3600) * 1000))
            await client.aclose()
            assert await store.take_lead("b", 5000) == 2

    run(test)


@servers
def test_a_world_comes_back_from_snapshot_and_log(server: str | None) -> None:
    """By its last event, by any event, and by a time; who lost the lead keeps no snapshot."""

    async def test() -> None:
        async with embedded(server) as started, store_of(started) as store:
            await store.take_lead("a", 5000)
            ticks = [ev.TimerTicked(at * 1000) for at in range(1, 50)]
            events = [*EVENTS, *ticks]
            lines = [log_line(event, seq, 0) for seq, event in enumerate(events, 1)]
            await store.commit(1, Batch(DAY, 0, "1-1", lines))
            half = len(EVENTS) + 20
            snapshot = fold(events[:half])
            assert await store.keep_snapshot(1, DAY, packed(snapshot.encoded()), half, snapshot.now)
            assert not await store.keep_snapshot(7, DAY, b"of somebody else", half + 5, snapshot.now)
            for seq in (len(EVENTS), half - 1, half, half + 1, len(events)):
                world, last = await store.world(DAY, seq=seq)
                assert world.encoded() == fold(events[:seq]).encoded()
                assert last == (None if seq == half else events[seq - 1])
            world, _ = await store.world(DAY, at=30_500)
            assert world.encoded() == fold(events[: len(EVENTS) + 30]).encoded()

    run(test)


@servers
def test_a_log_with_a_hole_is_not_read_on(server: str | None) -> None:
    """A missing line is told, not skipped."""

    async def test() -> None:
        async with embedded(server) as started, store_of(started) as store:
            await store.take_lead("a", 5000)
            await store.commit(1, first())
            client = redis.from_url(started.url)
            await client.xdel(store.key("log", DAY), "3-0")
            await client.aclose()
            with pytest.raises(StoreDown, match="gap"):
                await store.world(DAY)

    run(test)


@servers
def test_a_server_that_could_lose_commits_is_told(server: str | None) -> None:
    """Each setting in its own sentence."""

    async def test() -> None:
        async with embedded(server) as started, store_of(started) as store:
            assert await store.lacks() == []
            client = redis.from_url(started.url)
            await client.config_set("appendfsync", "everysec")
            await client.config_set("maxmemory-policy", "allkeys-lru")
            assert await store.lacks() == [
                "appendfsync is everysec, not always",
                "maxmemory-policy is allkeys-lru, not noeviction",
            ]
            await client.aclose()

    run(test)


def test_a_supervisor_that_was_killed_while_it_started_a_server_is_waited_for() -> None:
    """Its lock is that child's, too, until the child runs the server's program: a moment, and no other Naru."""

    async def test() -> None:
        async with folder() as path:
            path.mkdir(exist_ok=True)
            descriptor = os.open(path / "owner.lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            asyncio.get_running_loop().call_later(0.3, os.close, descriptor)
            async with Embedded(path) as started:
                assert started.pid > 0

    run(test)


@servers
def test_the_embedded_server_is_restarted_adopted_and_stopped(server: str | None) -> None:
    """Killed, it comes back with what it had; left behind by a killed supervisor, it is found; stopped, it is gone."""

    async def test() -> None:
        async with folder() as path:
            async with Embedded(path, server) as started, store_of(started) as store:
                await store.take_lead("a", 5000)
                await store.commit(1, first())
                with pytest.raises(FolderInUse):
                    await Embedded(path, server, patience_s=0.1).start()
                before = started.pid
                os.kill(before, signal.SIGKILL)
                await until(lambda: started.pid != before)
                assert started.restarts == 1
                head = await store.head()
                assert head is not None
                assert head.seq == len(LINES)
            code = (
                "import asyncio, os, sys\nfrom dispatch.service.embedded import Embedded\n"
                "async def go():\n    started = Embedded(sys.argv[1], sys.argv[2] or None)\n"
                "    await started.start()\n    print(started.run_id, flush=True)\n    os.kill(os.getpid(), 9)\n"
                "asyncio.run(go())"
            )
            orphan = await asyncio.to_thread(
                subprocess.run, [sys.executable, "-c", code, path, server or ""], capture_output=True, check=False
            )
            async with Embedded(path, server) as again, store_of(again) as store:
                assert again.adopted
                assert again.run_id == orphan.stdout.decode().strip()
                head = await store.head()
                assert head is not None
                assert head.seq == len(LINES)
            async with Embedded(path, server) as fresh:
                assert not fresh.adopted

    run(test)


def test_a_server_that_does_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    """And a path that no socket can have."""

    async def test() -> None:
        async with folder() as path:
            with pytest.raises(EmbeddedFailed, match="it left no log"):
                await Embedded(path, "/bin/false").start()
            async with Embedded(path):  # the folder is free again
                pass
        with pytest.raises(OSError, match="too long"):
            await Embedded(tmp_path / ("long" * 30)).start()

    run(test)


def test_a_store_that_is_away_is_down() -> None:
    """Every question says so, none hangs."""

    async def test() -> None:
        async with folder() as path:
            store = Store(f"unix://{path}/nobody.sock", "town", timeout_s=0.2)
            for ask in (store.head(), store.days(), store.lacks(), store.take_lead("a", 1), store.commit(1, first())):
                with pytest.raises(StoreDown):
                    await ask
            await store.close()

    run(test)


@servers
def test_a_backup_brings_the_zone_back_elsewhere(server: str | None) -> None:
    """From Valkey to either; log, keys, messages and other parts' keys alike; the fence is higher, the lease gone."""

    async def test() -> None:
        async with (
            folder() as files, embedded() as here, embedded(server) as there,
            store_of(here) as store, store_of(there) as copy,
        ):  # fmt: skip
            await store.take_lead("a", 5000)
            await store.commit(1, first(keys=[("k", Kept(b"d", DAY, 1, 2))], messages=[b"m1"]))
            client = redis.from_url(here.url)
            await client.hset(store.key("vault", "names"), "r", b"\x00\xff")
            await client.zadd(store.key("places"), {"p": 3})
            await client.rpush(store.key("list"), "x", "y")
            await client.set(store.key("code"), "1234", ex=60)
            await client.aclose()
            path = files / "town.naru"
            header = await archive.backup(store, path)
            assert (header.day, header.seq) == (DAY, len(LINES))
            with pytest.raises(InputError, match="already"):
                await archive.restore(store, path)
            await archive.restore(copy, path)
            ours, theirs = await store.moment(), await copy.moment()
            assert theirs.head == ours.head
            assert theirs.keys[1:] == ours.keys[1:]
            assert {name for name, _, _ in theirs.keys} == {
                "days", "head", "keys:2026-01-01", "list", "outbox", "places", "vault:names",
            }  # fmt: skip
            assert await copy.take_lead("b", 5000) == 3
            assert await archive.export_log(copy, DAY, files / "events.jsonl") == len(LINES)
            assert (files / "events.jsonl").read_bytes() == b"".join(LINES)
            with pytest.raises(InputError, match="no log of 1999-01-01"):
                await archive.export_log(copy, "1999-01-01", files / "none.jsonl")
            path.write_bytes(path.read_bytes()[:-3])
            async with store_of(there, "other") as other:
                with pytest.raises(InputError, match="not a whole backup"):
                    await archive.restore(other, path)
            assert sorted(p.name for p in files.iterdir()) == ["events.jsonl", "town.naru"]

    run(test)


def test_days_that_are_over_leave_the_store() -> None:
    """The last one that is over stays, for the keys that riders may still repeat."""

    async def test() -> None:
        async with folder() as files, embedded() as started, store_of(started) as store:
            await store.take_lead("a", 5000)
            days = ["2026-01-01", "2026-01-02", "2026-01-03"]
            for n, day in enumerate(days):
                kept = [("k", Kept(b"d", day, 1, 2))]
                await store.commit(1, Batch(day, 0, f"1-{n}", LINES, kept))
                await store.keep_snapshot(1, day, packed(fold(EVENTS).encoded()), len(LINES), 0)
            assert await archive.move_out(store, files, days[-1]) == days[:1]
            assert await store.days() == days[1:]
            assert sorted(p.name for p in files.iterdir()) == ["town-2026-01-01.jsonl", "town-2026-01-02.jsonl"]
            assert await store.kept(days[0]) == {}
            assert len(await store.kept(days[1])) == 1
            client = redis.from_url(started.url)
            assert [key async for key in client.scan_iter("*2026-01-01*")] == []
            await client.aclose()

    run(test)


def test_the_secret_of_a_running_store_is_found_by_its_folder() -> None:
    """So that a backup can be made beside the service."""

    async def test() -> None:
        async with embedded() as started:
            assert url_of(started.folder) == started.url

    run(test)
