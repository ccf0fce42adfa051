"""The dispatcher on a real store: what is answered is kept, and what fails changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.fold import fold
from dispatch.core.reactions import Reactions
from dispatch.service.clocks import SteppedClock
from dispatch.service.dispatcher import KeyReused, Refused, StoreDown
from tests.faults import town
from tests.service.stores import DAY, MORNING, Post, dispatching, embedded, log_of, run, servers, until


@servers
def test_a_booking_is_in_the_store_when_it_is_answered_and_comes_back_after_a_restart(server: str | None) -> None:
    """With its message, its key, and a world that is equal to the byte."""

    async def test() -> None:
        async with embedded(server) as started:
            post = Post()
            async with dispatching(started, post=post) as dispatcher:
                done = await dispatcher.submit(town.book("r1", 1), key="r1", body=b"x")
                assert [type(e) for e in done.events] == [ev.RequestMade, ev.RideBooked]
                assert (done.day, done.seq, done.replayed) == (DAY, len(town.opening(DAY)) + 2, False)
                world = dispatcher.desk.world.encoded()
                events = await log_of(dispatcher.store, DAY)
                assert tuple(events[-2:]) == done.events
                assert fold(events).encoded() == world
            async with dispatching(started, post=post) as again:
                assert again.desk.world.encoded() == world
                assert again.fence == 2
                repeated = await again.submit(town.book("r1", 1), key="r1", body=b"x")
                assert repeated == replace(done, replayed=True)
                with pytest.raises(KeyReused):
                    await again.submit(town.book("r1", 1), key="r1", body=b"y")
                for _ in range(1000):  # messages follow in their own time
                    if not post.taken:
                        await asyncio.sleep(0.01)
                told = {(m.id, m.kind, m.about) for m in post.taken}  # the first may have ended before the store knew
                assert [(kind, about) for _, kind, about in told] == [("booked", done.events[-1].request)]  # type: ignore[attr-defined]
                assert again.desk.world.encoded() == world

    run(test)


def test_a_double_tap_is_one_booking() -> None:
    """Both taps in flight at once have the same answer."""

    async def test() -> None:
        async with embedded() as started, dispatching(started) as dispatcher:
            taps = [dispatcher.submit(town.book("r1", 1), key="r1", body=b"x") for _ in range(5)]
            answers = await asyncio.gather(*taps)
            assert {a.seq for a in answers} == {answers[0].seq}
            assert [a.events for a in answers] == [answers[0].events] * 5
            assert sorted(a.replayed for a in answers) == [False, True, True, True, True]
            assert len(dispatcher.desk.world.rides) == 1

    run(test)


def test_a_rider_who_goes_away_has_still_booked() -> None:
    """Cancelling who waits does not cancel the commit."""

    async def test() -> None:
        async with embedded() as started, dispatching(started) as dispatcher:
            waiting = asyncio.create_task(dispatcher.submit(town.book("r1", 1), key="r1"))
            await asyncio.sleep(0)
            waiting.cancel()
            await dispatcher.settled()
            assert len(await log_of(dispatcher.store, DAY)) == dispatcher.desk.world.seq
            assert (await dispatcher.submit(town.book("r1", 1), key="r1")).replayed

    run(test)


def test_what_is_refused_changes_nothing() -> None:
    """And its key is free for another try."""

    async def test() -> None:
        def refuse(_desk: Desk, _now: int) -> Sequence[ev.Event]:
            raise Refused("no_way", "There is no way.")

        async with embedded() as started, dispatching(started) as dispatcher:
            seq = dispatcher.desk.world.seq
            with pytest.raises(Refused, match="There is no way"):
                await dispatcher.submit(refuse, key="r1")
            assert dispatcher.desk.world.seq == seq
            assert dispatcher.ready
            assert not (await dispatcher.submit(town.book("r1", 1), key="r1")).replayed

    run(test)


def test_a_decision_that_fails_half_way_is_undone() -> None:
    """The desk is rebuilt from the store; what was decided before it stands, and riders are served again at once."""

    async def test() -> None:
        def half(_: Desk, now: int) -> Iterator[ev.Event]:
            yield ev.TimerTicked(now)
            raise ZeroDivisionError

        def unknown(_: Desk, now: int) -> Sequence[ev.Event]:
            return [ev.RiderBoarded(now, "s0", "nobody")]

        def backwards(_: Desk, now: int) -> Sequence[ev.Event]:
            return [ev.TimerTicked(now), ev.TimerTicked(now - 1)]

        async with embedded() as started, dispatching(started) as dispatcher:
            for wrong, kind in ((half, ZeroDivisionError), (unknown, KeyError), (backwards, ValueError)):
                good = asyncio.create_task(dispatcher.submit(town.book("r1", 1)))
                await asyncio.sleep(0)
                with pytest.raises(kind):
                    await dispatcher.submit(wrong)
                with pytest.raises(StoreDown):
                    await dispatcher.submit(town.book("r2", 2))
                done = await good
                await dispatcher.until_ready()
                assert dispatcher.desk.world.seq == done.seq
                assert dispatcher.desk.world.encoded() == fold(await log_of(dispatcher.store, DAY)).encoded()

    run(test)


def test_a_timer_that_fails_leaves_riders_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk is rebuilt, and the timer is tried again when it is next due, not at once."""

    async def test() -> None:
        def crash(*_: object) -> None:
            raise ZeroDivisionError

        monkeypatch.setattr(Reactions, "tick", lambda self, now, **_: (self.record([ev.TimerTicked(now)]), crash()))
        async with embedded() as started:
            clock = SteppedClock(MORNING)
            async with dispatching(started, clock, rounds=True) as dispatcher:
                await dispatcher.submit(town.book("r1", 1))
                await clock.step_to(MORNING + 31_000)
                await until(lambda: dispatcher.counters.defects == 1)
                await dispatcher.until_ready()
                done = await dispatcher.submit(town.book("r2", 2))
                assert dispatcher.counters.defects == 1
                events = await log_of(dispatcher.store, DAY)
                assert not any(isinstance(e, ev.TimerTicked) for e in events)
                assert done.seq == len(events)

    run(test)


def test_many_decisions_share_a_batch() -> None:
    """None waits for another's fsync, and each has its own answer."""

    async def test() -> None:
        async with embedded() as started, dispatching(started, snapshot_every=200) as dispatcher:
            taps = [dispatcher.submit(town.book(f"r{n}", n), key=f"r{n}") for n in range(300)]
            answers = await asyncio.gather(*taps)
            assert sorted(a.seq for a in answers) == [a.seq for a in answers]
            assert dispatcher.counters.batches < 100
            await until(lambda: dispatcher.counters.snapshots)
            world, _ = await dispatcher.store.world(DAY)
            assert world.encoded() == dispatcher.desk.world.encoded()
            middle = await dispatcher.state_at(seq=answers[100].seq)
            assert middle.encoded() == fold((await log_of(dispatcher.store, DAY))[: answers[100].seq]).encoded()

    run(test)


def test_followers_see_every_event_once_and_in_order() -> None:
    """From the store, from memory, and as it happens; with what is not acknowledged left out."""

    async def test() -> None:
        async with embedded() as started:
            async with dispatching(started) as first:
                for n in range(5):
                    await first.submit(town.book(f"r{n}", n))
            async with dispatching(started) as dispatcher:

                async def follow(after: int, until: int) -> list[tuple[str, int, ev.Event]]:
                    seen = []
                    async for row in dispatcher.subscribe(after, DAY):
                        seen.append(row)
                        if row[1] == until:
                            break
                    return seen

                before = dispatcher.desk.world.seq
                ends = before + 10
                following = [asyncio.create_task(follow(after, ends)) for after in (0, 7, before, before + 4)]
                for n in range(5):
                    await dispatcher.submit(town.book(f"q{n}", 100 + n))
                events = await log_of(dispatcher.store, DAY)
                for task, after in zip(following, (0, 7, before, before + 4), strict=True):
                    assert await task == [(DAY, seq, events[seq - 1]) for seq in range(after + 1, ends + 1)]

    run(test)
