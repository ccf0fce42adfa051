"""Signing in: riders by phone and one-time code, drivers by PIN. And what a rider lets be known."""

from __future__ import annotations

from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from fastapi import APIRouter, Depends
from starlette.concurrency import run_in_threadpool

from dispatch.service import recurring
from dispatch.service.auth import Identity, RiderCaller, Role, create_token
from dispatch.service.letters import to_phones
from dispatch.service.live import Live, live_of
from dispatch.service.models import (
    CodeAsk,
    CodeSaid,
    DevelopmentAsk,
    Done,
    ExportSaid,
    PersonAsk,
    PersonSaid,
    PinAsk,
    SignInAsk,
    TokenSaid,
)
from dispatch.service.outbox import Message
from dispatch.service.problems import Problem, answers
from dispatch.service.views import ride_said

CODE_VALID_S = 300
PIN_TRIES = 10
PIN_WINDOW_S = 900

router = APIRouter(prefix="/v1")
# the cheapest parameters that RFC 9106 recommends: two cores serve a town
hasher = PasswordHasher(time_cost=3, memory_cost=65_536 // 2, parallelism=1)


LiveZone = Annotated[Live, Depends(live_of)]


def token_said(live: Live, role: Role, subject: str) -> TokenSaid:
    """A new token for somebody who has proven who they are."""
    hours = live.settings.token_hours
    token = create_token(live.keys, role, subject, live.area.name, hours=hours)
    return TokenSaid(access_token=token, expires_in=round(hours * 3600), subject=subject, role=role)


@router.post("/sign-in/code", status_code=202, tags=["sign-in"], responses=answers())
async def send_code(ask: CodeAsk, live: LiveZone) -> CodeSaid:
    """Send a one-time code to a phone. The answer is the same whether the phone is known or not."""
    live.require_ready()
    rider = await live.vault.enrol(ask.phone)
    code = await live.vault.new_code(rider, live.settings.codes_per_hour, CODE_VALID_S)
    if code is None:
        raise Problem("too_many_calls", headers={"Retry-After": "3600"})
    letters = [Message(way, rider, "code", values={"code": code}) for way in to_phones(live.settings)]
    await live.submit(lambda *_: [], messages=lambda *_: letters)
    return CodeSaid(valid_s=CODE_VALID_S, development_code=code if live.settings.development else None)


@router.post("/sign-in", tags=["sign-in"], responses=answers("wrong_code"))
async def sign_in(ask: SignInAsk, live: LiveZone) -> TokenSaid:
    """A rider's token for the code that was sent to the phone."""
    rider = await live.vault.rider_of(ask.phone)
    if rider is None or not await live.vault.spend_code(rider, ask.code):
        raise Problem("wrong_code")
    return token_said(live, "rider", rider)


@router.post("/sign-in/development", tags=["sign-in"], responses=answers("not_found"))
async def development_sign_in(ask: DevelopmentAsk, live: LiveZone) -> TokenSaid:
    """An operator's or planner's token for whoever asks. Only in development mode; elsewhere it is not there."""
    if not live.settings.development:
        raise Problem("not_found")
    return token_said(live, ask.role, ask.subject)


@router.post("/driver/sign-in", tags=["sign-in"], responses=answers("wrong_pin"))
async def driver_sign_in(ask: PinAsk, live: LiveZone) -> TokenSaid:
    """A driver's token for their PIN."""
    if not await live.vault.may_try(f"pin:{ask.driver}", PIN_TRIES, PIN_WINDOW_S):
        raise Problem("too_many_calls", headers={"Retry-After": str(PIN_WINDOW_S)})
    driver = await live.vault.driver(ask.driver)
    if not await run_in_threadpool(_fits, None if driver is None else driver["pin"], ask.pin):
        raise Problem("wrong_pin")
    await live.vault.tried_well(f"pin:{ask.driver}")
    return token_said(live, "driver", ask.driver)


def _fits(kept: str | None, pin: str) -> bool:
    """Takes as long for a driver who does not exist as for one who does."""
    try:
        return hasher.verify(kept or _NOBODY, pin) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


_NOBODY = hasher.hash("nobody has this PIN")


@router.get("/me", tags=["rider"], responses=answers("no_such_rider"))
async def me(caller: RiderCaller, live: LiveZone) -> PersonSaid:
    """What is known of the rider who calls."""
    return PersonSaid.model_validate({"rider": caller.subject, **await _person(live, caller)})


@router.put("/me", tags=["rider"], responses=answers("no_such_rider"))
async def change_me(ask: PersonAsk, caller: RiderCaller, live: LiveZone) -> PersonSaid:
    """Change name, address or note."""
    person = {**await _person(live, caller), **ask.model_dump()}
    await live.vault.put(caller.subject, "person", person)
    await live.vault.note_age(caller.subject, ask.age_group)
    live.forget_person(caller.subject)
    return PersonSaid.model_validate({"rider": caller.subject, **person})


@router.get("/me/export", tags=["rider"], responses=answers("no_such_rider"))
async def export(caller: RiderCaller, live: LiveZone) -> ExportSaid:
    """All that is kept of the rider who calls."""
    await _person(live, caller)
    await live.settled()
    rides = [ride for ride in live.world.rides.values() if ride.request.rider == caller.subject]
    return ExportSaid(
        rider=caller.subject,
        kept=await live.vault.everything(caller.subject),
        rides=[ride_said(live, ride) for ride in rides],
    )


@router.delete("/me", tags=["rider"], responses=answers("no_such_rider"))
async def delete_me(caller: RiderCaller, live: LiveZone) -> Done:
    """Delete the rider who calls: open rides are given back, the key to all that is kept is dropped."""
    await _person(live, caller)
    for ride in [ride for ride in live.world.rides.values() if ride.request.rider == caller.subject]:
        if ride.state in ("asked", "queued", "booked"):
            name = ride.request.id
            await live.submit(lambda desk, now, name=name: desk.cancel(name, now, "rider deleted"))  # type: ignore[misc]
    for template in await recurring.all_of(live, caller.subject):
        await recurring.drop(live, caller.subject, template.id)
    await live.vault.forget(caller.subject)
    live.forget_person(caller.subject)
    return Done()


async def _person(live: Live, caller: Identity) -> dict[str, str | None]:
    person: dict[str, str | None] | None = await live.vault.get(caller.subject, "person")
    if person is None:
        raise Problem("no_such_rider")
    return person
