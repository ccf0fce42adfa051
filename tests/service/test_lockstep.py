"""In lockstep the dispatcher decides as the simulator does, on towns made by chance."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import Quote, RideRequest
from dispatch.core.reactions import Reactions, answer
from dispatch.service.clocks import SteppedClock
from dispatch.service.dispatcher import Dispatcher, Zone
from simulator.replay import FACTS
from simulator.run import Simulation
from tests.property.towns import town_of
from tests.service.stores import DAY, MORNING, dispatching, embedded, run


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
