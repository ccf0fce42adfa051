"""Operators' set-up: riders without a smartphone, drivers and PINs; and planners' results."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool

from dispatch.service.auth import OperatorCaller
from dispatch.service.models import Done, Id
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
async def rider(ask: RiderAsk, _: OperatorCaller, live: LiveZone) -> RiderFound:
    """Who calls by phone: their pseudonym, made now if they are new."""
    found = await live.vault.enrol(ask.phone)
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
async def put_driver(driver: Id, ask: DriverAsk, _: OperatorCaller, live: LiveZone) -> DriverSaid:
    """A new driver, or a new PIN for one."""
    if not driver.isascii():
        raise Problem("invalid", fields=["path.driver: must be ASCII"])
    await live.vault.put_driver(driver, await run_in_threadpool(hasher.hash, ask.pin), ask.vehicle)
    return DriverSaid(driver=driver, vehicle=ask.vehicle)


@router.delete("/drivers/{driver}", responses=answers("no_such_driver"))
async def drop_driver(driver: Id, _: OperatorCaller, live: LiveZone) -> Done:
    """A driver who drives no more."""
    if not await live.vault.drop_driver(driver):
        raise Problem("no_such_driver")
    return Done()
