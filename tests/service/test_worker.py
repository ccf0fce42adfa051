"""Plans improved in another process: judged when they come, and nothing lost when they don't."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.core.desk import Desk
from dispatch.core.domain import Access, Queue, Reoptimise, RideRequest
from dispatch.core.reactions import answer
from dispatch.core.reoptimise import Improvement, better_plans, improve
from dispatch.service.clocks import SteppedClock
from dispatch.service.dispatcher import Dispatcher, Zone
from dispatch.service.worker import Question, Worker, WorkerFailed, proposals, question
from dispatch.solver import OR_TOOLS
from simulator.replay import Recorded, replay
from tests.faults import town
from tests.service.stores import MORNING, dispatching, embedded, log_of, run

POLICY = replace(town.POLICY, reoptimise=Reoptimise(every_s=30, iterations=400), queue=Queue(600), max_wait_s=600)


def opening(day: str) -> list[ev.Event]:
    """The town with three shuttles, a queue and a thorough search."""
    events = [e for e in town.opening(day) if not isinstance(e, ev.ShiftOpened) or e.shift.id in ("s0", "s1", "s2")]
    return [replace(e, policy=POLICY) if isinstance(e, ev.PolicyChanged) else e for e in events]


ZONE = Zone("town", "UTC", town.TIMES, opening)


async def crowded(dispatcher: Dispatcher, riders: int = 60) -> None:
    """More riders than fit."""
    for n in range(riders):
        await dispatcher.submit(town.book(f"r{n}", n))


async def one_round(dispatcher: Dispatcher, clock: SteppedClock, ms: int = 30_000) -> None:
    """Half a minute later."""
    await clock.step_to(clock.utc() + ms)
    await dispatcher.round()


async def searched(dispatcher: Dispatcher) -> None:
    """Return when the search under way is over."""
    assert dispatcher.improving is not None
    assert dispatcher.improving.search is not None
    await dispatcher.improving.search


def test_better_plans_come_from_a_worker_and_replay_makes_them_again() -> None:
    """Proposed in the log, put in force by the judge, all promises kept; the same log again from its inputs."""

    async def test() -> None:
        clock = SteppedClock(MORNING)
        async with embedded() as started, dispatching(started, clock, ZONE, worker=Worker()) as dispatcher:
            await crowded(dispatcher)
            for _ in range(3):
                await one_round(dispatcher, clock)
                await searched(dispatcher)
            counters = dispatcher.counters
            assert counters.proposals > counters.proposals_refused
            assert (counters.proposals_late, counters.proposals_failed) == (0, 0)
            await dispatcher.settled()
            events = await log_of(dispatcher.store, dispatcher.day)
            assert any(isinstance(e, ev.PlansChanged) and e.cause == "improved" for e in events)
            assert invariants.check(events, town.TIMES) == []
            again = replay(Recorded(Path("events.jsonl"), list(events)), Desk(town.TIMES))
            assert again.difference is None
            assert again.events == len(events)

    run(test)


def test_a_worker_that_hangs_or_dies_costs_its_answer_only() -> None:
    """Riders are booked meanwhile; who hangs is ended, and the next one is started when it is wanted."""

    async def test() -> None:
        clock, worker = SteppedClock(MORNING), Worker(hangs_s=2.0)
        async with embedded() as started, dispatching(started, clock, ZONE, worker=worker) as dispatcher:
            await crowded(dispatcher)
            counters = dispatcher.counters
            await worker.close()
            for n, trouble in enumerate((signal.SIGSTOP, signal.SIGKILL), 1):
                worker.hangs_s = 30.0  # a new process loads the kernels first
                await one_round(dispatcher, clock)
                await searched(dispatcher)
                assert worker.process is not None
                worker.hangs_s = 0.5
                os.kill(worker.process.pid, trouble)
                await one_round(dispatcher, clock)
                assert (await dispatcher.submit(town.book(f"{trouble} too", 1))).events
                if trouble == signal.SIGSTOP:
                    await one_round(dispatcher, clock)
                    await one_round(dispatcher, clock)
                    assert counters.proposals_late == 1
                await searched(dispatcher)
                assert counters.proposals_failed == n
            made = counters.proposals
            await crowded(dispatcher, 30)
            worker.hangs_s = 30.0
            await one_round(dispatcher, clock)
            await searched(dispatcher)
            assert counters.proposals > made
            assert dispatcher.ready

    run(test)


def test_a_search_that_fails_is_told_and_the_next_one_answered() -> None:
    """The process stays."""

    async def test() -> None:
        desk = _desk()
        worker = Worker()
        asked = question(desk, desk.world.now)
        assert asked is not None
        with pytest.raises(WorkerFailed, match="Error"):
            await worker.ask(replace(asked, settings="many"), desk.times)  # type: ignore[arg-type]
        process = worker.process
        assert isinstance(await worker.ask(asked, desk.times), Improvement)
        assert worker.process is process
        await worker.close()
        assert process is not None
        assert process.returncode == -signal.SIGKILL

    run(test)


def test_a_question_has_one_answer_whoever_is_asked() -> None:
    """One worker in turn, two at once, and this process: iteration-limited searches repeat exactly."""

    async def test() -> None:
        desk = _desk()
        asked = question(desk, 0)
        assert asked is not None
        questions = [
            replace(asked, seed=seed, settings=Reoptimise(30, 1 + seed % 3, choose=True)) for seed in range(12)
        ]
        here = [better_plans(q.fleet, desk.times, q.now, q.settings, OR_TOOLS, seed=q.seed) for q in questions]
        assert len({str(found.plans) for found in here}) > 1  # the seed matters, so agreeing says something
        workers = [Worker(hangs_s=120.0), Worker(hangs_s=120.0)]
        one = [await workers[0].ask(q, desk.times) for q in questions]

        async def share(n: int) -> list[Improvement]:
            return [await workers[n].ask(q, desk.times) for q in questions[n::2]]

        even, odd = await asyncio.gather(share(0), share(1))
        for worker in workers:
            await worker.close()
        assert one == here
        assert [found for pair in zip(even, odd, strict=True) for found in pair] == here

    run(test)


def _desk() -> Desk:
    """Three shuttles, six riders."""
    desk = Desk(town.TIMES)
    for event in opening("2026-01-01"):
        desk.apply(event)

    def ask(n: int) -> Iterator[ev.Event]:
        made = RideRequest(f"r{n}", (Access(11 * n),), (Access(99 - 7 * n),), 60_000, 0, 0)
        yield ev.RequestMade(0, made)
        yield from answer(desk, made, 0, lambda *_: 0)

    for n in range(6):
        for event in ask(n):
            desk.apply(event)
    return desk


def test_plans_whose_world_has_moved_on_are_dropped_and_the_others_are_not() -> None:
    """Plans that exchange rides stand or fall together."""
    desk = _desk()
    asked = question(desk, 0)
    assert asked is not None
    visits = [asked.before[name][1] for name in asked.names]
    assert all(visits)
    moved = visits[0][:2]
    found = Improvement(
        {0: visits[0][2:], 1: (*visits[1], *moved), 2: tuple(reversed(visits[2]))}, served=(), before=0, after=0
    )
    made, stale = proposals(asked, found, desk, 5)
    assert [sorted(p.plans) for p in made] == [["s0", "s1"], ["s2"]]
    assert stale == 0
    first = desk.world.numbered[visits[1][0] // 2]
    for event in desk.cancel(str(first), 5):
        desk.apply(event)
    made, stale = proposals(asked, found, desk, 5)
    assert [sorted(p.plans) for p in made] == [["s2"]]
    assert stale == 2


def test_plans_of_what_was_not_asked_about_are_nonsense() -> None:
    """A shuttle or a ride that nobody has: no proposal, nothing in the log."""
    desk = _desk()
    asked = question(desk, 0)
    assert asked is not None
    for plans in ({7: ()}, {0: (2_000, 2_001)}, {-1: ()}):
        with pytest.raises(WorkerFailed, match="not asked about"):
            proposals(asked, Improvement(plans, served=(), before=0, after=0), desk, 5)


def test_a_locked_ride_stays_where_it_is_and_the_others_are_improved() -> None:
    """The search is told: otherwise the judge would refuse all that comes with it."""
    desk = _desk()
    name = max(desk.world.shuttles, key=lambda name: len(desk.world.shuttles[name].plan.visits))
    visits = desk.world.shuttles[name].plan.visits
    last = [code for code in visits if code % 2 == 0][-1]
    ride = desk.world.ride_of(last)
    assert ride is not None
    desk.apply(ev.ActTaken(5, "lock", "mina", "a promise on the phone", ride.request.id))
    asked = question(desk, 5)
    assert asked is not None
    row = desk.world.shuttles[name].row
    assert asked.locked == (last,)
    for seed in range(20):
        found = improve(asked.fleet, desk.times, 5, iterations=50, seed=seed, locked=asked.locked, pool=400)
        for plan in found.pool:
            assert (last in plan.visits) == (plan.row == row)
        for made, visits_of in found.plans.items():
            assert (last in visits_of) == (made == row)


def test_a_rider_who_left_the_queue_is_not_booked_by_a_late_proposal() -> None:
    """The plan that carries them is dropped."""
    desk = _desk()
    asked = question(desk, 0)
    assert asked is not None
    code = 2 * len(desk.world.numbered)
    asked = replace(asked, queued={code: "gone"})
    found = Improvement({0: (*asked.before["s0"][1], code, code + 1)}, served=(code,), before=0, after=0)
    assert isinstance(asked, Question)
    assert proposals(asked, found, desk, 5) == ([], 1)
