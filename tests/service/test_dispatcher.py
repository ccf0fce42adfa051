"""The dispatcher on a real store: what is answered is kept, what fails changes nothing, and another one goes on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random

import pytest
import redis.asyncio as redis
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.core.desk import Desk
from dispatch.core.domain import Access, Quote, RideRequest, Shift
from dispatch.core.reactions import Reactions, answer
from dispatch.core.world import fold
from dispatch.service.clocks import ScaledClock, SteppedClock
from dispatch.service.dispatcher import Dispatcher, KeyReused, NotLeader, Refused, StoreDown, Zone
from dispatch.service.outbox import Message, signature
from simulator.replay import FACTS
from simulator.run import Simulation
from tests.faults import town
from tests.property.towns import town_of
from tests.service.stores import MORNING, SERVERS, Post, dispatching, embedded, emptied, log_of, run, store_of, until

DAY = "2026-01-01"
servers = pytest.mark.parametrize("server", SERVERS, ids=["valkey", "redis"][: len(SERVERS)])


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
                assert [(m.kind, m.about) for m in post.taken] == [("booked", done.events[-1].request)]  # type: ignore[attr-defined]
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


def test_a_store_that_does_not_answer_is_told_and_what_was_asked_is_kept_or_not_but_never_half() -> None:
    """503 within seconds; when the store is back, the same key tells what became of it."""

    async def test() -> None:
        async with embedded() as started, dispatching(started) as dispatcher:
            await dispatcher.submit(town.book("r0", 0))
            os.kill(started.pid, signal.SIGSTOP)
            try:
                began = time.monotonic()
                asked = asyncio.create_task(dispatcher.submit(town.book("r1", 1), key="r1"))
                await asyncio.sleep(1.2)
                with pytest.raises(StoreDown):
                    await dispatcher.submit(town.book("r2", 2))
                with pytest.raises(StoreDown):
                    await asked
                assert time.monotonic() - began < 8
            finally:
                os.kill(started.pid, signal.SIGCONT)
            await dispatcher.until_ready()
            await dispatcher.submit(town.book("r1", 1), key="r1")
            events = await log_of(dispatcher.store, DAY)
            assert Counter(e.request.rider for e in events if isinstance(e, ev.RequestMade)) == {"r0": 1, "r1": 1}
            assert dispatcher.desk.world.encoded() == fold(events).encoded()

    run(test)


def test_one_leads_and_the_other_takes_over() -> None:
    """Who stands by says so, and goes on where the first one was."""

    async def test() -> None:
        async with embedded() as started, store_of(started) as store:
            clock = SteppedClock(MORNING)
            settings = {"alone": False, "lease_ms": 500}
            async with dispatching(started, clock, **settings) as leader:
                standby = Dispatcher(town.ZONE, store, clock, lease_ms=500, rounds=False, channels={"log": Post()})
                async with standby:
                    await leader.submit(town.book("r1", 1), key="r1")
                    await asyncio.sleep(0.7)
                    assert not standby.ready
                    assert standby.missing == "another dispatcher leads this zone"
                    with pytest.raises(NotLeader):
                        await standby.submit(town.book("r2", 2))
                    await leader.__aexit__()
                    await standby.until_ready(2)
                    assert (await standby.submit(town.book("r1", 1), key="r1")).replayed

    run(test)


def test_a_store_that_could_lose_commits_is_not_led_on() -> None:
    """Not ready, with the reason; ready when it is mended."""

    async def test() -> None:
        async with embedded() as started, dispatching(started) as dispatcher:
            client = redis.from_url(started.url)
            await client.config_set("appendfsync", "everysec")
            await until(lambda: not dispatcher.ready)
            with pytest.raises(TimeoutError, match="appendfsync is everysec"):
                await dispatcher.until_ready(0.5)
            await client.config_set("appendfsync", "always")
            await client.aclose()
            await dispatcher.until_ready(5)

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


def test_the_timer_happens_when_it_is_due_before_anything_later() -> None:
    """A tick is logged at the half minute, though whoever came first was a rider a second later."""

    async def test() -> None:
        async with embedded() as started:
            clock = SteppedClock(MORNING)
            async with dispatching(started, clock, rounds=True) as dispatcher:
                await dispatcher.submit(town.book("r1", 1))
                clock._utc = MORNING + 31_000  # nobody has told those who sleep
                await dispatcher.submit(town.book("r2", 2))
                events = await log_of(dispatcher.store, DAY)
                start = MORNING - dispatcher._zero_utc
                made = [(type(e), e.at - start) for e in events if isinstance(e, (ev.TimerTicked, ev.RequestMade))]
                assert made == [(ev.RequestMade, 0), (ev.TimerTicked, 30_000), (ev.RequestMade, 31_000)]
                await clock.step_to(MORNING + 60_000)
                await until(lambda: dispatcher.counters.rounds == 2)
                await clock.step_to(MORNING + 600_000)
                await until(lambda: dispatcher.counters.rounds == 3)
                await dispatcher.settled()
                events = await log_of(dispatcher.store, DAY)
                ticks = [e.at - start for e in events if isinstance(e, ev.TimerTicked)]
                assert ticks == [30_000, 60_000, 600_000]

    run(test)


def test_a_clock_that_was_set_back_reorders_nothing() -> None:
    """Time goes on from where the log is; one that is set under a running dispatcher is not even noticed."""

    async def test() -> None:
        async with embedded() as started:
            async with dispatching(started, SteppedClock(MORNING)) as dispatcher:
                await dispatcher.submit(town.book("r1", 1))
                latest = dispatcher.now
            async with dispatching(started, SteppedClock(MORNING - 3_600_000)) as dispatcher:
                assert dispatcher.now == latest
                await dispatcher.clock.step_to(MORNING - 3_590_000)  # type: ignore[attr-defined]
                assert dispatcher.now == latest + 10_000
                await dispatcher.submit(town.book("r2", 2))
                times = [e.at for e in await log_of(dispatcher.store, DAY)]
                assert times == sorted(times)

    run(test)


def test_the_running_clock_is_deaf_to_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read once."""
    clock = ScaledClock()
    before, wall = clock.utc(), time.time_ns()
    for jump in (3600, -3600):
        monkeypatch.setattr(time, "time_ns", lambda jump=jump: wall + jump * 1_000_000_000)
        assert 0 <= clock.utc() - before < 5_000


def test_messages_are_delivered_again_until_they_are_taken() -> None:
    """By the same dispatcher after a failure, by the next one after a crash; then they leave the store."""

    async def test() -> None:
        async with embedded() as started:
            post = Post()
            post.fails = 2
            async with dispatching(started, post=post) as dispatcher:
                await dispatcher.submit(town.book("r1", 1))
                await dispatcher.submit(lambda *_: [], messages=lambda *_: [Message("log", "r", "code")])
                await until(lambda: len(post.taken) == 2)
                await emptied(dispatcher)
                assert dispatcher.outbox.counts.failed == 2
                assert {m.kind for m in post.taken} == {"booked", "code"}
                assert len({m.id for m in post.taken}) == 2
            never, post = Post(), Post()
            never.fails = 10_000
            async with dispatching(started, post=never) as dispatcher:
                done = await dispatcher.submit(town.book("r2", 2))
            async with dispatching(started, post=post) as dispatcher:
                await emptied(dispatcher)
                assert [(m.kind, m.seq) for m in post.taken] == [("booked", done.seq)]

    run(test)


def test_a_signature_can_be_checked() -> None:
    """As a receiver would: over the time and the body it got."""
    import hashlib
    import hmac

    said = signature(b'{"a":1}', "secret", 1_700_000_000)
    stamp, code = (part.split("=")[1] for part in said.split(","))
    assert hmac.new(b"secret", f"{stamp}.".encode() + b'{"a":1}', hashlib.sha256).hexdigest() == code
    assert signature(b'{"a":2}', "secret", 1_700_000_000) != said


def test_the_day_turns_at_four_and_rides_booked_ahead_go_on() -> None:
    """One log a day; the promise made yesterday stands today, in today's terms; both logs are clean."""

    async def test() -> None:
        clock = SteppedClock(MORNING + 12 * 3_600_000)

        def ahead(desk: Desk, now: int) -> Iterator[ev.Event]:
            departs = now + 11 * 3_600_000  # 07:00
            request = RideRequest("early", (Access(3),), (Access(77),), 60_000, 0, departs, rider="r1")
            yield ev.RequestMade(now, request)
            yield from answer(desk, request, now, lambda *_: 0)

        post = Post()
        async with embedded() as started, dispatching(started, clock, post=post) as dispatcher:
            booked = (await dispatcher.submit(ahead, key="r1")).events[-1]
            assert isinstance(booked, ev.RideBooked)
            await dispatcher.round()
            await clock.step_to(MORNING + 20 * 3_600_000 - 1)
            await dispatcher.round()
            assert dispatcher.day == DAY
            await clock.step_to(MORNING + 20 * 3_600_000)
            await dispatcher.round()
            assert (dispatcher.day, dispatcher.now) == ("2026-01-02", 4 * 3_600_000)
            await dispatcher.settled()
            yesterday, today = await log_of(dispatcher.store, DAY), await log_of(dispatcher.store, "2026-01-02")
            assert isinstance(yesterday[-1], ev.DayClosed)
            again = next(e for e in today if isinstance(e, ev.RideBooked))
            assert again.request == "early"
            assert again.promise.pickup_from == booked.promise.pickup_from - 86_400_000
            assert again.promise.dropoff_by == booked.promise.dropoff_by - 86_400_000
            assert invariants.check(yesterday, town.TIMES) == []
            assert invariants.check(today, town.TIMES) == []
            assert (await dispatcher.submit(ahead, key="r1")).replayed
            assert [m.kind for m in post.taken] == ["booked"]  # the rider is not told again
            seen = []
            async for day, seq, event in dispatcher.subscribe(len(yesterday) - 1, DAY):
                seen.append((day, seq, type(event)))
                if len(seen) == 2:
                    break
            assert seen == [(DAY, len(yesterday), ev.DayClosed), ("2026-01-02", 1, ev.DayOpened)]

    run(test)


@pytest.mark.parametrize("seed", range(8))
def test_in_lockstep_it_decides_as_the_simulator_does(seed: int) -> None:
    """The same people and shuttles, told to it one by one: the same log, to the byte."""
    place = town_of(Random(seed), rough=seed % 2 == 1)
    opened = replace(place.day.opened, zero_utc=MORNING - 8 * 3_600_000, date=DAY)
    told: list[ev.Event] = []
    Simulation(replace(place.day, opened=opened), Desk(place.times, reroute=place.reroute), told.append).run()

    async def test() -> None:
        zone = Zone("town", "UTC", place.times, lambda _: told[: 2 + len(place.day.shifts)], place.reroute)
        clock = SteppedClock(opened.zero_utc + opened.at)
        async with embedded() as started, dispatching(started, clock, zone, first_day=DAY) as dispatcher:
            waiting = []
            done = dispatcher.desk.world.seq
            while done < len(told) - 1:
                event = told[done]
                await clock.step_to(opened.zero_utc + event.at)
                waiting.append(asyncio.create_task(_told(dispatcher, told, done)))
                await asyncio.sleep(0)
                if waiting[-1].done():
                    waiting[-1].result()  # raises what went wrong
                done = dispatcher.desk.world.seq
            await asyncio.gather(*waiting)
            decided = [line async for page in dispatcher.store.lines(DAY) for _, line in page]
            for seq, (ours, theirs) in enumerate(zip(decided, told, strict=False), 1):
                assert ours == ev.log_line(theirs, seq, opened.zero_utc)
            assert len(decided) == len(told) - 1  # the day is not over yet

    run(test)


async def _told(dispatcher: Dispatcher, told: list[ev.Event], at: int) -> None:
    """Tell the dispatcher the input that the log has at this line, or that its decisions there lead up to."""
    event = told[at]
    inputs = (ev.RideCancelled, ev.RoadClosed, ev.RoadReopened, ev.SpeedsChanged)
    if isinstance(event, (ev.ProgressMade, ev.PositionReported)):
        led = next((e for e in told[at:] if e.at == event.at and isinstance(e, inputs)), None)
        between = told[at : told.index(led, at)] if led is not None else [event]
        if led is not None and all(type(e) is type(event) for e in between):
            event = led

    def choose(request: RideRequest, quotes: Sequence[Quote]) -> int | None:
        booked = next((e for e in told[at:] if isinstance(e, ev.RideBooked) and e.request == request.id), None)
        if booked is None:
            return None
        chosen = [(q.kind, q.pickup, q.dropoff) for q in quotes]
        wanted = (booked.kind, booked.pickup, booked.dropoff)
        return chosen.index(wanted) if wanted in chosen and booked.at == event.at else None

    def act(reactions: Reactions, now: int) -> None:
        match event:
            case ev.RequestMade(request=request):
                reactions.record([event])
                reactions.record(answer(reactions.desk, request, now, choose))
            case ev.RideCancelled(request=request, reason=reason):
                reactions.cancel(request, now, reason)
            case ev.TimerTicked():
                reactions.tick(now)
            case ev.ShuttleBrokeDown(shuttle=shuttle):
                reactions.break_down(shuttle, now)
            case ev.RoadClosed() | ev.RoadReopened() | ev.SpeedsChanged():
                reactions.change_roads(event, now)
            case _:
                assert isinstance(event, FACTS), f"nobody has decided {event}"
                reactions.record([event])

    await dispatcher.react(act)


def test_shifts_that_are_not_over_and_orders_in_force_go_on_into_the_next_day() -> None:
    """Closed roads and slower drives too; a ride that no shuttle can carry any more is refused, and its rider told."""

    async def test() -> None:
        def opening(day: str) -> Sequence[ev.Event]:
            events = [e for e in town.opening(day) if not isinstance(e, ev.ShiftOpened)]
            if day == DAY:
                night = Shift("night", "v1", 3, 0, 40 * 3_600_000, 6)
                events += [ev.ShiftOpened(0, night), ev.ShiftOpened(0, Shift("short", "v2", 3, 0, 20 * 3_600_000, 6))]
            return events

        network = town.grid(town.WIDTH, town.WIDTH, town.EDGE_S)
        zone = Zone(
            "town", "UTC", town.TIMES, opening,
            lambda closed, factor: town.drive_times(network, closed=closed, factor=factor),
        )  # fmt: skip
        clock = SteppedClock(MORNING + 12 * 3_600_000)
        async with embedded() as started, dispatching(started, clock, zone) as dispatcher:
            await dispatcher.react(lambda reactions, now: reactions.change_roads(ev.RoadClosed(now, (5, 6)), now))
            await dispatcher.react(lambda reactions, now: reactions.change_roads(ev.SpeedsChanged(now, 1.5), now))
            await clock.step_to(MORNING + 20 * 3_600_000)
            await dispatcher.round()
            world = dispatcher.desk.world
            assert list(world.shuttles) == ["night"]
            assert world.shuttles["night"].shift.end == 16 * 3_600_000
            assert list(world.closed_edges) == [5, 6]
            assert world.speed_factor == 1.5
            assert world.policy == town.POLICY
            await dispatcher.settled()
            times = dispatcher.desk.times.table.copy()
            async with store_of(started) as store:
                again = Dispatcher(zone, store, clock, rounds=False, alone=True)
                async with again:
                    await again.until_ready()
                    assert (again.desk.times.table == times).all()

    run(test)
