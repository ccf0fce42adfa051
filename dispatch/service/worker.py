"""Better plans looked for in a process of their own, so that no rider waits for the search.

The dispatcher sends the fleet's arrays as they are; the worker sends plans back; the desk judges them when they come.
A worker that fails, hangs or dies costs its answer and nothing else. It ends when its dispatcher does.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pickle
import sys
from typing import Any, BinaryIO, Final

from msgspec import Struct

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.fleet import Fleet
from dispatch.core.improvement import waiting
from dispatch.core.reoptimise import Improvement, improve
from routing.travel_times import DriveTimes

NICE: Final = 5
_SIZE: Final = 8


class WorkerFailed(Exception):  # noqa: N818
    """No plans came back: the search failed, or its process ended."""


class Question(Struct, frozen=True):
    """A world to improve, and what it was when it was asked about."""

    fleet: Fleet
    now: int
    seed: int
    """seq of the world"""
    iterations: int
    queued: dict[int, str]
    """requests in the queue, by their pickup's code"""
    names: tuple[str, ...]
    """shuttles by row"""
    before: dict[str, tuple[int, tuple[int, ...]]]
    """(version, visits) of each shuttle's plan"""


def question(desk: Desk, now: int) -> Question | None:
    """What to ask a worker about the world as it is now; None: there is nothing to improve."""
    world, fleet, settings = desk.world, desk.fleet, desk.world.policy.reoptimise
    if settings is None:
        return None
    queued = {code: str(world.numbered[code // 2]) for code in waiting(desk, now)}
    before = {name: (shuttle.plan.version, shuttle.plan.visits) for name, shuttle in world.shuttles.items()}
    if not queued and not any(visits for _, visits in before.values()):
        return None
    copy = Fleet(0, 0, 0)
    copy.count = fleet.count
    copy.shuttles, copy.routes = fleet.shuttles[: fleet.count].copy(), fleet.routes[: fleet.count].copy()
    copy.visits, copy.rules = fleet.visits[: 2 * len(world.numbered)].copy(), fleet.rules.copy()
    return Question(copy, now, world.seq, settings.iterations, queued, tuple(desk.names), before)


def proposals(asked: Question, found: Improvement, desk: Desk, now: int) -> tuple[list[ev.PlansProposed], int]:
    """(what to propose, how many plans were dropped as the world has moved on).

    Plans that exchange no ride stand alone, so that one that is stale costs no other.
    """
    world = desk.world
    group = {row: {row} for row in found.plans}
    on: dict[int, int] = {}
    for row in found.plans:
        for code in (*asked.before[asked.names[row]][1], *found.plans[row]):
            other = on.setdefault(code // 2, row)
            if group[other] is not group[row]:
                group[other] |= group[row]
                for member in group[row]:
                    group[member] = group[other]
    made, stale = [], 0
    for rows in {min(rows): rows for rows in group.values()}.values():
        plans = {asked.names[row]: found.plans[row] for row in sorted(rows)}
        served = tuple(asked.queued[code] for visits in plans.values() for code in visits if code in asked.queued)
        fresh = all(world.shuttles[name].plan.version == asked.before[name][0] for name in plans)
        if fresh and all(request in world.queue for request in served):
            made.append(ev.PlansProposed(now, plans, asked.seed, served))
        else:
            stale += len(plans)
    return made, stale


class Worker:
    """One worker process, started when it is first asked, and again after it has failed."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._times: DriveTimes | None = None
        """that the process has"""

    async def ask(self, asked: Question, times: DriveTimes) -> Improvement:
        """Better plans. Raises WorkerFailed. Cancelled, it ends the process: whoever hangs is not asked again."""
        try:
            if self._process is None:
                # its messages go where ours go; its memory is its own
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "dispatch.service.worker",
                    stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                )  # fmt: skip
                self._times = None
            known = times is self._times
            await self._send((None if known else times, asked))
            self._times = times
            answer = await self._receive()
        except (OSError, asyncio.IncompleteReadError) as error:
            await self.close()
            raise WorkerFailed(f"the worker ended: {type(error).__name__}") from error
        except BaseException:
            await self.close()
            raise
        if not isinstance(answer, Improvement):
            raise WorkerFailed(str(answer))
        return answer

    async def _send(self, what: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        data = pickle.dumps(what, protocol=5)
        self._process.stdin.write(len(data).to_bytes(_SIZE, "big"))
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def _receive(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        size = int.from_bytes(await self._process.stdout.readexactly(_SIZE), "big")
        return pickle.loads(await self._process.stdout.readexactly(size))  # our own process wrote it

    async def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()


def main() -> None:
    """Answer questions until there are none: the worker process."""
    os.nice(NICE)
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that is printed gets between the answers
    times: DriveTimes | None = None
    while (asked := _read(source)) is not None:
        roads, what = asked
        times = roads or times
        try:
            answer: Any = _improvement(what, times)
        except Exception as error:  # noqa: BLE001 - the dispatcher counts it and goes on
            answer = f"{type(error).__name__}: {error}"
        data = pickle.dumps(answer, protocol=5)
        sink.write(len(data).to_bytes(_SIZE, "big") + data)
        sink.flush()


def _improvement(asked: Question, times: DriveTimes | None) -> Improvement:
    if times is None:
        raise ValueError("asked before it was told of any roads")
    return improve(
        asked.fleet, times, asked.now, iterations=asked.iterations, seed=asked.seed, waiting=list(asked.queued)
    )


def _read(source: BinaryIO) -> Any:
    head = source.read(_SIZE)
    if len(head) < _SIZE:
        return None
    return pickle.loads(source.read(int.from_bytes(head, "big")))  # our own dispatcher wrote it


if __name__ == "__main__":
    main()
