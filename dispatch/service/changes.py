"""Riders change a booking: another time, place or party, in one step; the booking holds until the other one does."""

from __future__ import annotations

from fastapi import APIRouter, Response
from msgspec import structs

from dispatch.core import changes
from dispatch.core import events as ev
from dispatch.core.reactions import Reactions
from dispatch.core.world import Ride
from dispatch.service import feedback
from dispatch.service.asking import check_party, check_rider, check_times, checked, end_of
from dispatch.service.auth import reference
from dispatch.service.callers import ForRider, IdempotencyKey, by_phone, done_at, key_of, own_ride
from dispatch.service.live import Live
from dispatch.service.models import ChangeAsk, Id, RideSaid
from dispatch.service.problems import Problem, answers, refuse
from dispatch.service.sign_in import LiveZone
from dispatch.service.views import ride_said, why_said
from dispatch.service.zone import Journey, request_for

router = APIRouter(prefix="/v1", tags=["rides"])


@router.patch(
    "/rides/{ride}",
    responses=answers(
        "no_such_ride", "too_late_to_change", "change_not_possible", "key_missing", "key_reused", "unknown_stop",
        "time_past", "suspended",
    ),
)  # fmt: skip
async def change(
    ride: Id, ask: ChangeAsk, who: ForRider, live: LiveZone, response: Response, key: IdempotencyKey = None
) -> RideSaid:
    """Change a booking in one step. It holds until the other one is booked, which has an id of its own.

    Where that is not possible nothing changes, and the answer (`change_not_possible`) holds the receipt in `why`.
    """
    live.require_ready()
    found = own_ride(live, who, ride)
    if key is None:
        raise Problem("key_missing")
    await check_rider(live, who.rider)
    journey = changed_journey(live, found, ask)
    act = by_phone(who, "change", ride)
    name = reference()

    def decide(reactions: Reactions, now: int) -> None:
        replace_booking(live, reactions, ride, name, journey, now, act)

    body = ask.model_dump_json(by_alias=True).encode()
    done = await live.react(decide, key=key_of(who, key), body=b"change" + ride.encode() + body)
    if done.replayed:
        response.headers["Idempotent-Replayed"] = "true"
    name = next(event.request.id for event in done.events if isinstance(event, ev.RequestMade))
    now_booked = live.world.rides[name]
    if now_booked.promise is None:
        refusal = next(event for event in done.events if isinstance(event, ev.RideRefused))
        raise Problem("change_not_possible", why=why_said(live, refusal.receipt).model_dump(mode="json"))
    await live.recurring.answered(live, who.rider, ride, name)
    return ride_said(live, now_booked, *await feedback.of_ride(live, name))


def changed_journey(live: Live, ride: Ride, ask: ChangeAsk) -> Journey:
    """The journey of a booking with these changes. Raises Problem."""
    request, ms = ride.request, live.moments.ms
    if ask.depart_after is not None and ask.arrive_by is not None:
        raise Problem("two_times")
    depart, arrive = request.depart_after, request.arrive_by
    if ask.depart_after is not None:
        depart, arrive = ms(ask.depart_after), None
    elif ask.arrive_by is not None:
        depart, arrive = live.now, ms(ask.arrive_by)
    if ask.depart_after is not None or ask.arrive_by is not None:
        check_times(live, None if arrive is not None else depart, arrive)
    seats = request.seats if ask.seats is None else ask.seats
    wheelchairs = request.wheelchairs if ask.wheelchairs is None else ask.wheelchairs
    check_party(live.world.policy, seats, wheelchairs)
    at = live.area.places.end_at
    origin = at(request.origins[0].place) if ask.from_ is None else end_of(live, ask.from_)
    goal = at(request.destinations[0].place) if ask.to is None else end_of(live, ask.to)
    return checked(
        Journey(
            origin, goal, max(depart, live.now), arrive, seats, wheelchairs,
            origins=request.origins if ask.from_ is None else None,
            destinations=request.destinations if ask.to is None else None,
        )
    )  # fmt: skip


def replace_booking(
    live: Live, reactions: Reactions, old: str, name: str, journey: Journey, now: int, act: ev.ActTaken | None
) -> bool:
    """Ask for this journey in the place of a booking, and have one of the two. Raises Refused."""
    world = reactions.desk.world
    ride = world.rides.get(old)
    if ride is None or ride.state != "booked":
        raise refuse("too_late_to_change")
    request = request_for(
        live.area, reactions.desk.times, world.policy, journey, now,
        id=name, rider=ride.request.rider, closed=world.closed_places,
        age=ride.request.age, channel=ride.request.channel,
    )  # fmt: skip
    first = structs.replace(request, attempt=ride.request.attempt or old, first_depart=request.depart_after)
    if act is not None:
        reactions.record([done_at(act, now)])
    return changes.change(reactions, ev.RequestMade(now, first, instead_of=old), now)
