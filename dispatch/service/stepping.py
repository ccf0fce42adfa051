"""Lockstep: a clock that callers step, for runs that must decide as the simulator does. Never with riders.

Only there when the service is started with `--lockstep`.
"""

from __future__ import annotations

from fastapi import APIRouter

from dispatch.service.auth import OperatorCaller
from dispatch.service.clocks import SteppedClock
from dispatch.service.models import Ask, Done, Moment
from dispatch.service.problems import answers
from dispatch.service.sign_in import LiveZone

router = APIRouter(prefix="/v1", tags=["lockstep"])


class StepAsk(Ask):
    """The clock's next moment."""

    to: Moment
    tick: bool = False
    """let the timer happen there"""


@router.post("/clock", responses=answers("starting"))
async def step(ask: StepAsk, _: OperatorCaller, live: LiveZone) -> Done:
    """It is now `to`; the clock stands there until it is stepped again."""
    clock = live.dispatcher.clock
    assert isinstance(clock, SteppedClock)
    await clock.step_to(live.moments.zero_utc + live.moments.ms(ask.to))
    if ask.tick:
        await live.ticked()
    return Done()
