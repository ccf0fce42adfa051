"""Lending a shuttle to another zone over HTTP."""

from __future__ import annotations

import time
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter
from msgspec import structs
from pydantic import StringConstraints

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.world import World
from dispatch.service.auth import OperatorCaller, StaffCaller, reference
from dispatch.service.live import Live
from dispatch.service.loans import Loan
from dispatch.service.models import Id, Moment, Said
from dispatch.service.operator_models import ReasonAsk
from dispatch.service.outbox import Message
from dispatch.service.problems import Problem, answers, refuse
from dispatch.service.shift_acts import LENT, end_at, new_shift
from dispatch.service.sign_in import LiveZone

router = APIRouter(prefix="/v1/operator", tags=["operator"])


class LendAsk(ReasonAsk):
    """To whom, and when."""

    zone: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,60}$")]
    """name of another zone of this installation"""
    start: Moment
    end: Moment
    at_stop: Id
    """stop point of that zone where the shuttle will be"""


class LoanSaid(Said):
    """A shuttle lent."""

    id: str
    vehicle: str
    lender: str
    borrower: str
    start: Moment
    end: Moment
    at_stop: str
    state: Literal["reserved", "lent", "opened", "refused"]
    """`opened`: its shift in the borrowing zone is known there; `refused`: that zone has no such stop point"""


@router.get("/loans", responses=answers())
async def loans(_: StaffCaller, live: LiveZone) -> list[LoanSaid]:
    """Shuttles lent and borrowed."""
    return [_said(live, loan) for loan in sorted(await live.loans.all(live), key=lambda loan: loan.begins)]


@router.post(
    "/shifts/{shift}/lend",
    status_code=201,
    responses=answers("no_such_shuttle", "lent_out", "lent_outside", "still_planned", "shift_not_open"),
)
async def lend(shift: Id, ask: LendAsk, caller: OperatorCaller, live: LiveZone) -> LoanSaid:
    """Lend a shuttle to another zone for some hours of its shift. Afterwards it works on here until the shift's end."""
    live.require_ready()
    own, zone = live.shuttle(shift).shift, live.area.name
    start, end = live.moments.ms(ask.start), live.moments.ms(ask.end)
    if ask.zone == zone or LENT in own.vehicle or end <= start:
        raise Problem("lent_outside")
    await live.loans.check(live, own.vehicle, start, end)
    zero = live.moments.zero_utc
    loan = Loan(
        reference(10), own.vehicle, zone, ask.zone, zero + start, zero + end, ask.at_stop, own.seats, own.wheelchairs,
        caller.subject, ask.reason, int(time.time()),
    )  # fmt: skip
    await live.loans.keep(live, loan)

    def decide(desk: Desk, now: int) -> list[ev.Event]:
        act = ev.ActTaken(now, "lend", caller.subject, ask.reason, None, shift)
        return [act, *_given_up(live, desk, shift, start, end, now)]

    values: dict[str, str | int | None] = msgspec.to_builtins(structs.replace(loan, state="lent"))
    letter = Message("zone", ask.zone, "loan", loan.id, values)
    try:
        await live.submit(decide, messages=lambda *_: [letter])
    except Problem as problem:
        if problem.status < 500:
            await live.loans.drop(live, loan)
        raise
    loan = structs.replace(loan, state="lent")
    await live.loans.keep(live, loan)
    return _said(live, loan)


def _given_up(live: Live, desk: Desk, name: str, start: int, end: int, now: int) -> list[ev.Event]:
    """The shift ends when the loan begins, and another one begins when it is over. Raises Refused."""
    shuttle = desk.world.shuttles[name]
    shift = shuttle.shift
    if shuttle.state != "on":
        raise refuse("shift_not_open")
    if start < max(now, shift.start) or end > shift.end:
        raise refuse("lent_outside")
    events: list[ev.Event] = []
    if start > max(shift.start, now):
        events.append(end_at(desk, name, start, now))
    elif shuttle.plan.visits or shuttle.aboard:
        raise refuse("still_planned")
    else:
        events.append(ev.ShiftClosed(now, name))
    if end < shift.end:
        # while it is away it takes no part here: nothing of another shift of its may lie between
        date = live.moments.service_date(end).isoformat()
        again = new_shift(_without(desk, name), shift.vehicle, end, shift.end, date)
        calls = tuple(call for call in shift.calls if call.earliest >= end)
        events.append(ev.ShiftOpened(now, structs.replace(shift, id=again, start=end, calls=calls)))
    return events


def _without(desk: Desk, name: str) -> World:
    """The world as it is but for one shift's hours."""
    world = desk.world
    shuttle = world.shuttles[name]
    closed = structs.replace(shuttle, state="closed")
    return structs.replace(world, shuttles={**world.shuttles, name: closed})


def _said(live: Live, loan: Loan) -> LoanSaid:
    told, zero = live.moments.told, live.moments.zero_utc
    return LoanSaid(
        id=loan.id,
        vehicle=loan.vehicle,
        lender=loan.lender,
        borrower=loan.borrower,
        start=told(loan.begins - zero),
        end=told(loan.ends - zero),
        at_stop=loan.at_stop,
        state=loan.state,
    )
