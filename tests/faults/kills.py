"""Dispatcher and store killed at random points under load, again and again."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import re
import shutil
import signal
import socket
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from dispatch.service.embedded import Embedded
from dispatch.service.store import Store
from tests.faults.judge import faults
from tests.faults.life import Settings, live
from tests.faults.riders import Riders

TOWNS_CLOCK = 1_767_254_400_000  # 2026-01-01 08:00 UTC
LIVES_A_DAY = 60
"""kills before the town is judged and a new one begins: a log stays short enough to be judged in a second"""
SET_BACK_MS = 3_600_000
PATIENCE_S = 300
"""until somebody is answered again; a busy machine takes its time"""
LATE = re.compile(r": (answered|at_risk): ")


@dataclass
class Outcome:
    """Of many kills."""

    dispatcher: int = 0
    store: int = 0
    set_back: int = 0
    """lives begun with the clock an hour behind"""
    lost: int = 0
    """answers that riders did not get at first"""
    took_s: float = 0.0
    restart_s: list[float] = field(default_factory=list)
    """from a kill of the dispatcher to the next answer"""
    counts: Counter[str] = field(default_factory=Counter)
    found: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    """what was told too late: the town's clock runs ten times as fast, and who is dead for 3 s is silent for 30"""


async def run(dispatcher: int, store: int, seed: int = 1, say: Callable[[Outcome], None] = lambda _: None) -> Outcome:
    """Kill both so many times, in random order."""
    draw = random.Random(seed)
    kills = ["dispatcher"] * dispatcher + ["store"] * store
    draw.shuffle(kills)
    outcome, began = Outcome(), time.monotonic()
    for start in range(0, len(kills), LIVES_A_DAY):
        folder = Path(tempfile.mkdtemp(prefix="naru-"))
        try:
            await _day(folder, kills[start : start + LIVES_A_DAY], draw, outcome)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        outcome.took_s = time.monotonic() - began
        say(outcome)
    return outcome


async def _day(folder: Path, kills: list[str], draw: random.Random, outcome: Outcome) -> None:
    """One town from its first life to its judgement."""
    riders = Riders(lambda: folder / "naru.sock", draw.randrange(2**30))
    asking = asyncio.create_task(riders.run())
    began = time.time()
    life = _born(folder, began, 0)
    try:
        for kill in kills:
            if draw.random() < 0.85:
                await asyncio.wait_for(riders.answered(), PATIENCE_S)
                await asyncio.sleep(draw.uniform(0, 0.4))
            else:
                await asyncio.sleep(draw.uniform(0, 0.2))
            if kill == "store":
                outcome.store += kill_store(folder / "store" / "valkey.sock")
                continue
            life.kill()
            killed = time.monotonic()
            await asyncio.to_thread(life.join)
            outcome.dispatcher += 1
            back = draw.random() < 0.1
            outcome.set_back += back
            life = _born(folder, began, -SET_BACK_MS if back else 0)
            if draw.random() < 0.3:
                await asyncio.wait_for(riders.answered(), PATIENCE_S)
                outcome.restart_s.append(time.monotonic() - killed)
        riders.stop = True
        await asyncio.wait_for(asking, PATIENCE_S)
    finally:
        asking.cancel()
        life.kill()
        await asyncio.to_thread(life.join)
    async with Embedded(folder / "store") as embedded:
        store = Store(embedded.url, "town", timeout_s=20)
        found, counts = await faults(store, riders, folder)
        await store.close()
    for fault in found:
        (outcome.late if fault.startswith("invariant: ") and LATE.search(fault) else outcome.found).append(fault)
    outcome.counts += counts
    outcome.lost += riders.lost


def forks() -> multiprocessing.context.ForkServerContext:
    """Where lives are forked from: everything is imported and compiled there."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.life"])
    return context


def _born(folder: Path, began: float, set_off_ms: int) -> multiprocessing.context.ForkServerProcess:
    settings = Settings(str(folder), start_utc=TOWNS_CLOCK, start_wall=began, set_off_ms=set_off_ms)
    life = forks().Process(target=live, args=(settings,), daemon=True)
    life.start()
    return life


def kill_store(path: Path) -> bool:
    """Whether there was one to kill. Who listens on the socket is known from the kernel."""
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.connect(str(path))
            pid, _, _ = struct.unpack("3i", peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        os.kill(pid, signal.SIGKILL)
    except OSError:
        return False
    return True
