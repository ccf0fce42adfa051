"""One day's log ends and the next begins: rides booked ahead, shifts and orders go on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.core.desk import Desk
from dispatch.core.domain import Access, RideRequest, Shift
from dispatch.core.reactions import answer
from dispatch.service.clocks import SteppedClock
from dispatch.service.dispatcher import Dispatcher, Zone
from tests.faults import town
from tests.service.stores import DAY, MORNING, Post, dispatching, embedded, emptied, log_of, run, store_of


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
            await emptied(dispatcher)
            assert [m.kind for m in post.taken] == ["booked"]  # the rider is not told again
            seen = []
            async for day, seq, event in dispatcher.subscribe(len(yesterday) - 1, DAY):
                seen.append((day, seq, type(event)))
                if len(seen) == 2:
                    break
            assert seen == [(DAY, len(yesterday), ev.DayClosed), ("2026-01-02", 1, ev.DayOpened)]

    run(test)


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
