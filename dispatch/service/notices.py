"""What riders are told without asking: which events make messages, and the words that a gateway sends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.service.outbox import Channel, Message
from dispatch.service.vault import Vault

KINDS: Mapping[type[ev.Event], str] = {
    ev.RideBooked: "booked",
    ev.RideRefused: "refused",
    ev.PromiseAtRisk: "at_risk",
    ev.RiderStranded: "stranded",
    ev.NoShow: "no_show",
}
WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "booked": "Your ride {ride} is booked. Pickup between {pickup_from} and {pickup_to}, arrival by {dropoff_by}.",
        "refused": "We found no ride for you in time. The app shows why, and what would work.",
        "at_risk": "Your ride {ride} is late. Expected pickup: {pickup_at}, arrival: {dropoff_at}. We are sorry.",
        "stranded": "Your shuttle can go no further. Please wait at the stop point: another one is on its way.",
        "no_show": "We waited for you and had to go on. Ride {ride} is over.",
        "code": "Your code is {code}. It is valid for 5 minutes.",
        "answered": "There is an answer to what you told us about ride {ride}. You find it with your rides.",
        "words": "{words}",
        "subject": "Your ride",
        "unknown": "not known yet",
    },
    "ko": {
        "booked": "탑승 {ride} 예약: {pickup_from}–{pickup_to} 사이에 타시고 {dropoff_by}까지 도착합니다.",
        "refused": "제시간에 탈 수 있는 셔틀을 찾지 못했습니다. 이유와 가능한 시각은 앱에서 보실 수 있습니다.",
        "at_risk": "탑승 {ride}이(가) 늦어집니다. 예상 승차 {pickup_at}, 도착 {dropoff_at}. 죄송합니다.",
        "stranded": "타신 셔틀이 더 갈 수 없습니다. 정류장에서 기다려 주세요. 다른 셔틀이 갑니다.",
        "no_show": "기다렸지만 만나지 못해 출발했습니다. 탑승 {ride}은(는) 끝났습니다.",
        "code": "인증번호는 {code}입니다. 5분 동안 쓸 수 있습니다.",
        "answered": "탑승 {ride}에 대해 보내신 의견에 답변이 있습니다. 내 탑승에서 보실 수 있습니다.",
        "words": "{words}",
        "subject": "셔틀 탑승 안내",
        "unknown": "아직 알 수 없음",
    },
}
"""language: kind of message: its words. Values that are not known are said to be so"""


def notices(channels: Sequence[Channel]) -> Callable[[Desk, Sequence[ev.Event]], list[Message]]:
    """Messages for the events of one commit, to riders who are known, one for each of these channels."""

    def made(desk: Desk, events: Sequence[ev.Event]) -> list[Message]:
        opened = desk.world.opened
        zero = 0 if opened is None else opened.zero_utc
        messages = []
        changes = {e.request.id for e in events if isinstance(e, ev.RequestMade) and e.instead_of is not None}
        for event in events:
            kind = KINDS.get(type(event))
            if kind is None:
                continue
            request: str = event.request  # type: ignore[attr-defined]
            asked = desk.world.rides[request].request
            if kind == "refused" and (request in changes or asked.attempt is not None):
                continue  # the rider has the answer already, or was told when it was first tried
            rider = asked.rider
            if rider is not None:
                values = {name: zero + at for name, at in _times(event).items() if at is not None}
                messages += [Message(channel, rider, kind, request, dict(values)) for channel in channels]
        return messages

    return made


def _times(event: ev.Event) -> dict[str, int | None]:
    match event:
        case ev.RideBooked(promise=promise):
            return {
                "pickup_from": promise.pickup_from,
                "pickup_to": promise.pickup_to,
                "dropoff_by": promise.dropoff_by,
            }
        case ev.PromiseAtRisk():
            return {"pickup_at": event.pickup_at, "dropoff_at": event.dropoff_at}
    return {}


class Post:
    """Looks up, at delivery, where a message goes and what it says."""

    def __init__(self, vault: Vault, timezone: dt.tzinfo) -> None:
        self._vault = vault
        self._timezone = timezone

    async def resolve(self, message: Message) -> Mapping[str, Any] | None:
        """Addresses and words, in the person's language; None: the rider is no more."""
        person = await self._vault.get(message.to, "person")
        if person is None or person.get("phone") is None:
            return None
        words = WORDS.get(person.get("language") or "en", WORDS["en"])
        values = _Told({"ride": message.about, "unknown": words["unknown"]})
        for name, value in message.values.items():
            values[name] = self._clock(value) if isinstance(value, int) else value
        text = words.get(message.kind, "").format_map(values)
        return {"phone": person["phone"], "text": text, "email": person.get("email"), "subject": words["subject"]}

    def _clock(self, utc_ms: int) -> str:
        return dt.datetime.fromtimestamp(utc_ms / 1000, self._timezone).strftime("%H:%M")


class _Told(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return str(self["unknown"])
