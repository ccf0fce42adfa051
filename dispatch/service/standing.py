"""Rides missed without a word: the evidence, what follows, and how an operator forgives it."""

from __future__ import annotations

from fastapi import APIRouter

from dispatch.core import events as ev
from dispatch.core.money import money
from dispatch.core.world import Ride
from dispatch.service import feedback
from dispatch.service.asking import STRIKES, STRIKES_WITHIN_S, SUSPENDED_S
from dispatch.service.auth import OperatorCaller
from dispatch.service.callers import ForRider, note
from dispatch.service.live import Live
from dispatch.service.models import Done, Id, TermsSaid
from dispatch.service.operator_models import ReasonAsk
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone

router = APIRouter(prefix="/v1")
DAY_S = 86_400


async def note_missed(live: Live, ride: Ride, kind: str) -> None:
    """A ride was missed, or given back when the shuttle was on its way: it counts, and costs what the fares say."""
    rider, fares = ride.request.rider, live.world.policy.fares
    if rider is not None:
        await live.vault.note_missed(rider, live.moments.zero_utc // 1000 + live.now // 1000)
    fee = fares.no_show if kind == "no_show" else fares.late_cancel
    if fee and (await feedback.of_ride(live, ride.request.id))[0] == "none":
        await feedback.pay(live, ride.request.id, "due", f"{kind}:{ride.request.id}")


@router.get("/terms", tags=["rider"], responses=answers("no_such_rider"))
async def terms(who: ForRider, live: LiveZone) -> TermsSaid:
    """What follows from rides that are missed or given back late, and how the rider stands."""
    known = await live.vault.standing(who.rider)
    if known is None:
        raise Problem("no_such_rider")
    missed = known.missed
    policy, now = live.world.policy, live.moments.zero_utc // 1000 + live.now // 1000
    recent = [at for at in missed if at > now - STRIKES_WITHIN_S]
    until = None
    if len(recent) >= STRIKES and recent[-1] > now - SUSPENDED_S:
        until = live.moments.told((recent[-1] + SUSPENDED_S) * 1000 - live.moments.zero_utc)
    grace, fares, currency = policy.no_show_grace_s, policy.fares, live.area.currency
    return TermsSaid(
        no_show_grace_s=grace,
        no_show_fee=fares.no_show,
        late_cancel_fee=fares.late_cancel,
        currency=currency,
        strikes=STRIKES,
        strikes_within_days=STRIKES_WITHIN_S // DAY_S,
        suspended_days=SUSPENDED_S // DAY_S,
        missed=len(recent),
        suspended_until=until,
        words=(
            f"The shuttle waits {grace} s at the stop point. A ride can be given back without cost until its shuttle "
            f"is on the way to it; then it costs {money(fares.late_cancel, currency)}, and a ride that is missed "
            f"{money(fares.no_show, currency)}. After {STRIKES} such rides in {STRIKES_WITHIN_S // DAY_S} days booking "
            f"is closed for {SUSPENDED_S // DAY_S} days."
        ),
    )


@router.post(
    "/operator/rides/{ride}/forgive", tags=["operator"], responses=answers("no_such_ride", "nothing_to_change")
)
async def forgive(ride: Id, ask: ReasonAsk, caller: OperatorCaller, live: LiveZone) -> Done:
    """A ride that was missed without the rider's fault: it counts no more, and costs nothing."""
    found = live.ride(ride)
    if found is None:
        raise Problem("no_such_ride")
    if found.state not in ("no_show", "cancelled"):
        raise Problem("nothing_to_change")
    await note(live, ev.ActTaken(0, "forgive", caller.subject, ask.reason, ride))
    if found.request.rider is not None:
        await live.vault.forgive_missed(found.request.rider)
    if (await feedback.of_ride(live, ride))[0] == "due":
        await feedback.pay(live, ride, "none", f"forgiven:{ride}")
    return Done()
