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
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

from msgspec import Struct

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.domain import Reoptimise
from dispatch.core.fleet import Fleet
from dispatch.core.improvement import locked, refusal, waiting
from dispatch.core.reoptimise import Improvement, better_plans
from dispatch.solver import OR_TOOLS
from routing.travel_times import DriveTimes

NICE: Final = 10
"""riders and the store come first"""
HANGS_S: Final = 30.0
"""who has not answered by then is ended; a new process loads the kernels first"""
MOST_WAITING: Final = 50
"""of the queue, those whose turn it is: a search for a place for hundreds finds nothing better for anybody"""
COMMAND: Final = (sys.executable, "-m", "dispatch.service.worker")
_SIZE: Final = 8


class WorkerFailed(Exception):  # noqa: N818
    """No plans came back: the search failed, or its process ended."""


class Question(Struct, frozen=True):
    """A world to improve, and what it was when it was asked about."""

    fleet: Fleet
    now: int
    seed: int
    """seq of the world"""
    settings: Reoptimise
    queued: dict[int, str]
    """requests in the queue, by their pickup's code"""
    locked: tuple[int, ...]
    """pickup codes of rides that stay on their shuttles"""
    refusal: int
    """what it costs that somebody keeps waiting, as `improvement.refusal` has it"""
    names: tuple[str, ...]
    """shuttles by row"""
    before: dict[str, tuple[int, tuple[int, ...]]]
    """(version, visits) of each shuttle's plan"""


def question(desk: Desk, now: int) -> Question | None:
    """What to ask a worker about the world as it is now; None: there is nothing to improve."""
    world, fleet, settings = desk.world, desk.fleet, desk.world.policy.reoptimise
    if settings is None:
        return None
    queued = {code: str(world.numbered[code // 2]) for code in islice(waiting(desk, now), MOST_WAITING)}
    before = {name: (shuttle.plan.version, shuttle.plan.visits) for name, shuttle in world.shuttles.items()}
    if not queued and not any(visits for _, visits in before.values()):
        return None
    copy = Fleet(0, 0, 0)
    copy.count = fleet.count
    copy.shuttles = fleet.shuttles[: fleet.count].copy()
    longest = int(copy.shuttles[:, f.N].max(initial=0))
    copy.routes = fleet.routes[: fleet.count, :, : longest + 2].copy()  # without the room that plans have to grow
    copy.visits, copy.rules = fleet.visits[: 2 * len(world.numbered)].copy(), fleet.rules.copy()
    return Question(
        copy, now, world.seq, settings, queued, locked(world), refusal(world, now), tuple(desk.names), before
    )


def proposals(asked: Question, found: Improvement, desk: Desk, now: int) -> tuple[list[ev.PlansProposed], int]:
    """(what to propose, how many plans were dropped as the world has moved on).

    Plans that exchange no ride stand alone, so that one that is stale costs no other. Raises WorkerFailed for plans of
    shuttles or rides that were not asked about.
    """
    world = desk.world
    known = {code for _, visits in asked.before.values() for code in visits}
    known |= {code + end for code in asked.queued for end in (0, 1)}
    theirs = {code for plan in found.plans.values() for code in plan}
    if not (theirs <= known and found.plans.keys() <= set(range(len(asked.names)))):
        raise WorkerFailed("plans of what was not asked about")
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
    """One worker process, started when it is first asked, and again after it has failed.

    Who does not answer within `hangs_s` real seconds is ended.
    """

    def __init__(self, command: Sequence[str] = COMMAND, *, hangs_s: float = HANGS_S) -> None:
        self._command = command
        self.hangs_s = hangs_s
        self.process: asyncio.subprocess.Process | None = None
        self._times: DriveTimes | None = None
        """that the process has"""

    async def start(self) -> None:
        """Start the process, if there is none: it takes seconds to be of use. Raises OSError."""
        if self.process is None:
            # its messages go where ours go; its memory is its own
            self.process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
            self._times = None

    async def ask(self, asked: Question, times: DriveTimes) -> Improvement:
        """Better plans. Raises WorkerFailed. Cancelled, it ends the process: what it was doing is of no use."""
        try:
            async with asyncio.timeout(self.hangs_s):
                await self.start()
                assert self.process is not None
                known = times is self._times
                await self._send((None if known else times, asked))
                self._times = times
                answer = await self._receive()
        except Exception as error:
            await self.close()
            raise WorkerFailed(f"no answer from the worker: {type(error).__name__}") from error
        except BaseException:
            await self.close()
            raise
        if not isinstance(answer, Improvement):
            raise WorkerFailed(f"no plans, but {str(answer)[:200]}")
        return answer

    async def _send(self, what: Any) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        data = pickle.dumps(what, protocol=5)
        self.process.stdin.write(len(data).to_bytes(_SIZE, "big"))
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def _receive(self) -> Any:
        assert self.process is not None
        assert self.process.stdout is not None
        size = int.from_bytes(await self.process.stdout.readexactly(_SIZE), "big")
        return pickle.loads(await self.process.stdout.readexactly(size))  # our own process wrote it

    async def close(self) -> None:
        """End the process."""
        process, self.process = self.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        if process.stdin is not None:
            process.stdin.close()


def main(answer: Callable[[Question, DriveTimes], Any] | None = None) -> None:
    """Answer questions until there are none: the worker process."""
    os.nice(NICE)
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that is printed gets between the answers
    times: DriveTimes | None = None
    while (asked := _read(source)) is not None:
        roads, what = asked
        times = roads or times
        try:
            assert times is not None, "asked before it was told of any roads"
            told: Any = (answer or _improvement)(what, times)
        except Exception as error:  # noqa: BLE001 - the dispatcher counts it and goes on
            told = f"{type(error).__name__}: {error}"
        data = pickle.dumps(told, protocol=5)
        sink.write(len(data).to_bytes(_SIZE, "big") + data)
        sink.flush()


def _improvement(asked: Question, times: DriveTimes) -> Improvement:
    return better_plans(
        asked.fleet, times, asked.now, asked.settings, OR_TOOLS, seed=asked.seed, waiting=list(asked.queued),
        locked=asked.locked, refusal=asked.refusal,
    )  # fmt: skip


def _read(source: BinaryIO) -> Any:
    head = source.read(_SIZE)
    if len(head) < _SIZE:
        return None
    return pickle.loads(source.read(int.from_bytes(head, "big")))  # our own dispatcher wrote it


if __name__ == "__main__":
    main()
