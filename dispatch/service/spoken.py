"""What an operator reads aloud to a rider on the phone: a booking in plain words, in Korean or English."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from dispatch.core.money import money
from dispatch.service.auth import OperatorCaller
from dispatch.service.models import Id, Said
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone
from dispatch.service.views import ride_said

router = APIRouter(prefix="/v1/operator", tags=["operator"])
BOOKED = {
    "en": "Your ride from {pickup} to {dropoff} is booked. Please be at {pickup} {walk}from {begins} on; the shuttle "
    "comes by {ends}. You arrive by {by}. The fare is {fare}. Your code is {code}.",
    "ko": "{pickup}에서 {dropoff}까지 예약되었습니다. {begins}부터 {pickup}에서 기다려 주세요{walk}. "
    "셔틀은 {ends}까지 옵니다. {by}까지 도착합니다. 요금은 {fare}입니다. 탑승 번호는 {code}입니다.",
}
WALK = {"en": "({minutes} minutes on foot) ", "ko": " (걸어서 {minutes}분)"}
NOT_BOOKED = {"en": "There is no booking: {why}", "ko": "예약이 없습니다. {why}"}


class SpokenSaid(Said):
    """Words to be read aloud."""

    words: str
    language: Literal["ko", "en"]


@router.get("/rides/{ride}/spoken", responses=answers("no_such_ride"))
async def spoken(
    ride: Id, _: OperatorCaller, live: LiveZone, language: Annotated[Literal["ko", "en"], Query()] = "en"
) -> SpokenSaid:
    """A booking as it is read to a rider on the phone; figures of the code one by one."""
    await live.settled()
    found = live.ride(ride)
    if found is None:
        raise Problem("no_such_ride")
    said = ride_said(live, found)
    if said.pickup is None or said.dropoff is None or said.pickup_from is None or said.code is None:
        why = "" if said.why is None else said.why.words
        return SpokenSaid(words=NOT_BOOKED[language].format(why=why).strip(), language=language)
    assert said.pickup_to is not None
    assert said.arrive_by is not None
    minutes = -(-said.pickup.walk_s // 60)
    words = BOOKED[language].format(
        pickup=said.pickup.name,
        dropoff=said.dropoff.name,
        walk=WALK[language].format(minutes=minutes) if minutes else "",
        begins=f"{said.pickup_from:%H:%M}",
        ends=f"{said.pickup_to:%H:%M}",
        by=f"{said.arrive_by:%H:%M}",
        fare=money(said.fare or 0, said.currency, language),
        code=" ".join(said.code),
    )
    return SpokenSaid(words=words, language=language)
