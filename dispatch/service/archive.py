"""What leaves the store for good: a day's log as a file, a zone's backup, and its way back.

A backup is a msgpack stream: a header, one record a key, and at the end how many there were. It is portable between
Redis and Valkey of any version. What it holds of the log, the idempotency keys and the outbox is of one moment; the
lease is left out, the snapshots too (the log makes them again), and a restored zone's fence is higher than any before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import msgspec
import typer
from msgspec import Struct

from dispatch.service.embedded import Embedded, FolderInUse, url_of
from dispatch.service.settings import read_settings
from dispatch.service.store import Store, StoreDown
from routing.errors import InputError

log = logging.getLogger(__name__)

LOG: Final = "events.jsonl"
LOGS: Final = "logs"
"""folder, within the data folder, of the logs of days that have left the store"""
LOOK_S: Final = 60.0
"""between looks whether a day has turned"""
FORMAT: Final = 1

log_app = typer.Typer(add_completion=False, rich_markup_mode=None, help="The log of a service day.")

ZoneName = Annotated[str, typer.Option("--zone", help="name of the zone")]
DataDir = Annotated[Path | None, typer.Option(help="NARU_DATA_DIR")]


class Header(Struct, frozen=True, array_like=True):
    """First record of a backup."""

    format: int
    zone: str
    day: str
    seq: int
    fence: int


class Record(Struct, frozen=True, array_like=True):
    """One key: its name without the zone, its kind, and its content."""

    name: str
    kind: str
    content: Any


@contextlib.asynccontextmanager
async def reached(zone: str, data_dir: Path | None = None) -> AsyncIterator[Store]:
    """A zone's store, as the settings say: the configured one, or the embedded one, whether the service runs or not.

    Raises InputError where there is none, StoreDown or OSError where it can't be reached.
    """
    settings = read_settings(data_dir=data_dir)
    url = settings.redis_url
    async with contextlib.AsyncExitStack() as stack:
        if url is None:
            if not settings.data_dir.is_dir():
                what = "no data folder of an embedded store, and no NARU_REDIS_URL"
                raise InputError(what, file=settings.data_dir, expected="a folder, by --data-dir or NARU_DATA_DIR")
            try:
                url = (await stack.enter_async_context(Embedded(settings.data_dir, patience_s=0))).url
            except FolderInUse:
                url = url_of(settings.data_dir)
        store = Store(url, zone, timeout_s=30)
        stack.push_async_callback(store.close)
        yield store


async def export_log(store: Store, day: str, path: Path) -> int:
    """Write a day's log, one event a line as `naru check` reads it; returns how many. The file is whole or not there.

    Raises InputError for a day that has no log in the store, StoreDown, OSError with the path.
    """
    days = await store.days()
    if day not in days:
        known = f"one of {', '.join(days)}" if days else "a zone that has been served"
        raise InputError(f"zone {store.zone} has no log of {day}", expected=known)
    count = 0
    with _whole(path) as file:
        async for page in store.lines(day):
            file.writelines(line for _, line in page)
            count += len(page)
    return count


def moved_to(folder: Path, zone: str, day: str) -> Path:
    """Where the log of a day that has left the store lies."""
    return folder / f"{zone}-{day}.jsonl"


async def move_out(store: Store, folder: Path, open_day: str) -> list[str]:
    """Write the log of each day that is over to `folder`/<zone>-<day>.jsonl, then drop all but the last from the store.

    Returns the days dropped. Raises StoreDown, OSError with the path.
    """
    over = [day for day in await store.days() if day < open_day]
    for day in over:
        path = moved_to(folder, store.zone, day)
        if not path.exists():
            await export_log(store, day, path)
        await store.mark_exported(day)
    return await store.drop_days(over[-1]) if over else []


async def keep_moving_out(store: Store, folder: Path, open_day: Callable[[], str]) -> None:
    """At the start and after every turn of the day: what is over leaves the store."""
    moved = ""
    while True:
        if moved != open_day():
            try:
                await move_out(store, folder, open_day())
                moved = open_day()
            except (StoreDown, OSError) as error:
                log.error("%s: the log of a day that is over stays in the store: %s", store.zone, error)
        await asyncio.sleep(LOOK_S)


async def backup(store: Store, path: Path) -> Header:
    """Write everything of a zone to a file, while it is being served or not. Raises InputError if there is nothing."""
    moment = await store.moment()
    if moment.head is None:
        raise InputError(f"the store has no zone {store.zone}", expected="one that has been served")
    header = Header(FORMAT, store.zone, moment.head.day, moment.head.seq, moment.fence)
    count = 0
    with _whole(path) as file:
        _write(file, header)
        for name, kind, content in moment.keys:
            _write(file, Record(name, kind, content))
            count += 1
        for day in moment.days:
            async for page in store.lines(day, upto=header.seq if day == header.day else None):
                _write(file, Record(f"log:{day}", "stream", [(f"{seq}-0", {b"e": line}) for seq, line in page]))
                count += 1
        _write(file, count)
    return header


async def restore(store: Store, path: Path) -> Header:
    """Put a backup into a store that does not know the zone. Raises InputError for a file or a store that won't do."""
    if await store.known():
        raise InputError(f"the store has a zone {store.zone} already", expected="a store without it")
    header, records = _read(path, store.zone)
    for record in records:
        await store.put(record.name, record.kind, record.content)
    await store.put("fence", "string", str(header.fence + 1).encode())
    return header


def _write(file: BinaryIO, record: Header | Record | int) -> None:
    data = msgspec.msgpack.encode(record)
    file.write(len(data).to_bytes(4, "big") + data)


def _read(path: Path, zone: str) -> tuple[Header, list[Record]]:
    data = path.read_bytes()
    parts, at = [], 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        parts.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    try:
        header = msgspec.msgpack.decode(parts[0], type=Header)
        records = [msgspec.msgpack.decode(part, type=Record) for part in parts[1:-1]]
        whole = msgspec.msgpack.decode(parts[-1], type=int) == len(records) and at == len(data)
    except (IndexError, msgspec.MsgspecError):
        whole = False
    if not whole:
        raise InputError("not a whole backup", file=path, expected="a file that `naru backup` has written")
    if header.format != FORMAT or header.zone != zone:
        raise InputError(f"the backup is of zone {header.zone}", file=path, expected=f"zone {zone}")
    return header, records


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[BinaryIO]:
    """A file that has its name only once it is whole and on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    finally:
        part.unlink(missing_ok=True)


# commands


@log_app.callback()
def _log() -> None:
    """The log of a service day."""


@log_app.command("export")
def log_export(
    zone: ZoneName,
    day: Annotated[str, typer.Option("--day", help="service day, as a date")],
    out: Annotated[Path | None, typer.Option("--out", help="file or folder; by default events.jsonl here")] = None,
    data_dir: DataDir = None,
) -> None:
    """Write a day's log to a file that `naru check` and `naru replay` read."""
    target = out or Path(LOG)
    path = target / LOG if target.is_dir() or not target.suffix else target

    async def export() -> int:
        async with reached(zone, data_dir) as store:
            return await export_log(store, day, path)

    left = moved_to(read_settings(data_dir=data_dir).data_dir / LOGS, zone, day)
    if left.is_file():
        with _whole(path) as file:
            file.write(left.read_bytes())
        count = left.read_bytes().count(b"\n")
    else:
        count = _run(export())
    print(f"{path}: {count} events of {day}")


def backup_command(
    zone: ZoneName,
    out: Annotated[Path, typer.Option("--out", help="file to write")],
    data_dir: DataDir = None,
) -> None:
    """Write everything of a zone, of one moment, to a file; the service may be running."""

    async def write() -> Header:
        async with reached(zone, data_dir) as store:
            return await backup(store, out)

    header = _run(write())
    print(f"{out}: zone {header.zone}, {header.day} up to event {header.seq}")


def restore_command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="a file that naru backup has written")],
    zone: ZoneName,
    data_dir: DataDir = None,
) -> None:
    """Put a backup into a store that does not know the zone; start the service afterwards."""

    async def read() -> Header:
        if data_dir is not None:
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with reached(zone, data_dir) as store:
            return await restore(store, path)

    header = _run(read())
    print(f"zone {header.zone} restored: {header.day} up to event {header.seq}")


def _run(what: Any) -> Any:
    try:
        return asyncio.run(what)
    except StoreDown as error:
        raise InputError(f"the store does not answer: {error}", expected="one that can be reached") from None
