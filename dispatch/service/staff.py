"""Operators' set-up: riders without a smartphone, drivers and PINs; and planners' results."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from dispatch.core import events as ev
from dispatch.service.auth import OperatorCaller
from dispatch.service.callers import note
from dispatch.service.models import Done, Id, Reason
from dispatch.service.operator_models import (
    DriverAsk,
    DriverSaid,
    RiderAsk,
    RiderFound,
)
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone, hasher

router = APIRouter(prefix="/v1/operator", tags=["operator"])


@router.post("/riders", status_code=201, responses=answers())
async def rider(ask: RiderAsk, caller: OperatorCaller, live: LiveZone) -> RiderFound:
    """Who calls by phone: their pseudonym, made now if they are new. The log tells who looked, and for whom."""
    live.require_ready()
    found = await live.vault.enrol(ask.phone)
    await note(live, ev.ActTaken(0, "rider", caller.subject, ask.reason, about=found))
    if ask.name is not None:
        person = await live.vault.get(found, "person") or {"phone": ask.phone}
        await live.vault.put(found, "person", {**person, "name": ask.name})
        live.forget_person(found)
    return RiderFound(rider=found)


@router.get("/drivers", responses=answers())
async def drivers(_: OperatorCaller, live: LiveZone) -> list[DriverSaid]:
    """All drivers."""
    return [
        DriverSaid(driver=name, vehicle=kept["vehicle"]) for name, kept in sorted((await live.vault.drivers()).items())
    ]


@router.put("/drivers/{driver}", responses=answers())
async def put_driver(driver: Id, ask: DriverAsk, caller: OperatorCaller, live: LiveZone) -> DriverSaid:
    """A new driver, or a new PIN for one."""
    live.require_ready()
    if not driver.isascii():
        raise Problem("invalid", fields=["path.driver: must be ASCII"])
    made = "new PIN" if await live.vault.driver(driver) else "new"
    await note(live, ev.ActTaken(0, "driver", caller.subject, ask.reason, about=driver, made=made))
    await live.vault.put_driver(driver, await run_in_threadpool(hasher.hash, ask.pin), ask.vehicle)
    return DriverSaid(driver=driver, vehicle=ask.vehicle)


@router.delete("/drivers/{driver}", responses=answers("no_such_driver"))
async def drop_driver(
    driver: Id,
    caller: OperatorCaller,
    live: LiveZone,
    reason: Annotated[Reason, Query(description="why: it is in the log")],
) -> Done:
    """A driver who drives no more."""
    live.require_ready()
    if await live.vault.driver(driver) is None:
        raise Problem("no_such_driver")
    await note(live, ev.ActTaken(0, "drop_driver", caller.subject, reason, about=driver))
    if not await live.vault.drop_driver(driver):
        raise Problem("no_such_driver")
    return Done()
