"""Whose rides a call is about: a rider's own, or those of the rider for whom an operator acts by phone."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Query, Request
from msgspec import structs

from dispatch.core import events as ev
from dispatch.core.world import Ride
from dispatch.service.auth import Identity, RiderOrDesk
from dispatch.service.decisions import Messages
from dispatch.service.live import Live, live_of
from dispatch.service.models import Id
from dispatch.service.problems import Problem

KEY = r"^[A-Za-z0-9._:-]{1,100}$"
IdempotencyKey = Annotated[
    str | None,
    Header(alias="Idempotency-Key", pattern=KEY, description="the caller's own; needed"),
]


class For(Identity, frozen=True):
    """Whose rides a call is about: the rider's own, or those of the rider that an operator names."""

    rider: str = ""


async def on_behalf(
    caller: RiderOrDesk,
    request: Request,
    rider: Annotated[Id | None, Query(description="operators: whose rides")] = None,
) -> For:
    """The rider that the call is about. Raises Problem where a rider names somebody else."""
    if caller.role == "rider":
        if rider not in (None, caller.subject):
            raise Problem("wrong_role")
        rider = caller.subject
    elif rider is None or not await (await live_of(request)).vault.known(rider):
        raise Problem("no_such_rider")
    return For(caller.role, caller.subject, caller.zone, caller.expires, rider)


ForRider = Annotated[For, Depends(on_behalf)]


def by_phone(
    who: For,
    kind: ev.Act,
    request: str | None,
    reason: str = "",
    *,
    about: str | None = None,
    made: str | None = None,
) -> ev.ActTaken | None:
    """What an operator does for a rider is in the log with their name."""
    if who.role == "rider":
        return None
    return ev.ActTaken(0, kind, who.subject, reason or "by phone", request, about=about, made=made)


def done_at(act: ev.ActTaken, now: int) -> ev.ActTaken:
    """The act, done now."""
    return structs.replace(act, at=now)


async def note(live: Live, act: ev.ActTaken | None, messages: Messages | None = None) -> None:
    """Put an act in the log that changes nothing in the world: before it is done, so that none is done unnoted."""
    if act is not None:
        await live.submit(lambda _, now: [done_at(act, now)], messages=messages)


def own_ride(live: Live, who: For, ride: str) -> Ride:
    """A ride of the rider's own. Raises Problem: another's does not exist."""
    found = live.ride(ride)
    if found is None or found.request.rider != who.rider:
        raise Problem("no_such_ride")
    return found


def key_of(who: For, key: str) -> str:
    """An idempotency key that is the caller's own."""
    return f"{who.role}:{who.subject}:{who.rider}:{key}"
