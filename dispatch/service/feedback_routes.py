"""Operators see to what riders say afterwards: complaints and their answers, payments as the cashier has them."""

from __future__ import annotations

from fastapi import APIRouter

from dispatch.core import events as ev
from dispatch.service import feedback
from dispatch.service.auth import OperatorCaller
from dispatch.service.callers import note
from dispatch.service.models import ComplaintSaid, Done, Id
from dispatch.service.operator_models import AnswerAsk, PaidAsk
from dispatch.service.outbox import Message
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone

router = APIRouter(prefix="/v1/operator", tags=["operator"])


@router.get("/complaints", responses=answers())
async def complaints(_: OperatorCaller, live: LiveZone) -> list[ComplaintSaid]:
    """All complaints, latest first."""
    return [said for _, said in await feedback.complaints(live)]


@router.post("/complaints/{complaint}/answer", responses=answers("no_such_complaint"))
async def answer(complaint: Id, ask: AnswerAsk, caller: OperatorCaller, live: LiveZone) -> ComplaintSaid:
    """Answer a complaint: the rider is told that there is an answer. Once more: the last one counts."""
    rider, ride = await feedback.about(live, complaint)
    of_today = ride if live.ride(ride) is not None else None
    act = ev.ActTaken(0, "complaint", caller.subject, ask.reason, of_today, about=complaint, made="answered")
    letters = [Message(way, rider, "answered", ride) for way in live.channels]
    await note(live, act, lambda *_: letters)
    return await feedback.answer(live, complaint, ask.words)


@router.put("/rides/{ride}/payment", responses=answers("no_such_ride"))
async def payment(ride: Id, ask: PaidAsk, caller: OperatorCaller, live: LiveZone) -> Done:
    """State of a ride's payment, as the cashier has it."""
    if live.ride(ride) is None:
        raise Problem("no_such_ride")
    await note(live, ev.ActTaken(0, "payment", caller.subject, ask.reason, ride, about=ask.reference, made=ask.state))
    await feedback.pay(live, ride, ask.state, ask.reference)
    return Done()
