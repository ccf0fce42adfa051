"""Operators' set-up: riders without a smartphone, drivers and PINs; and planners' results."""

from __future__ import annotations

import hmac
import json
import time
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from dispatch.service.auth import OperatorCaller, StaffCaller, sealed
from dispatch.service.live import Live
from dispatch.service.models import Done, Id
from dispatch.service.operator_models import (
    DriverAsk,
    DriverSaid,
    ReportLink,
    ResultSaid,
    RiderAsk,
    RiderFound,
)
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone, hasher

router = APIRouter(prefix="/v1/operator", tags=["operator"])
open_router = APIRouter(prefix="/v1", tags=["planner"])
KPIS = "kpis.json"
REPORT = "report.html"
REPORT_CSP = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)
LINK_S = 60


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


# results of simulations and trials


@router.get("/results", tags=["planner"], responses=answers())
async def results(_: StaffCaller, live: LiveZone) -> list[ResultSaid]:
    """Output folders of simulated days and trials, newest first."""
    return await run_in_threadpool(_results, live.settings.results_dir)


def _results(folder: Path) -> list[ResultSaid]:
    found = []
    for kpis in sorted(folder.glob(f"*/{KPIS}"), key=lambda path: -path.stat().st_mtime):
        try:
            figures = json.loads(kpis.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(figures, dict):
            name = kpis.parent.name
            found.append(ResultSaid(name=name, kpis=figures, report=(kpis.parent / REPORT).is_file()))
    return found


@router.get("/results/{result}/report", tags=["planner"], responses=answers("no_such_result"))
async def report(result: Id, _: StaffCaller, live: LiveZone) -> Response:
    """The report of one, a page of its own that may reach nothing else."""
    return await _report(live, result)


async def _report(live: Live, result: str) -> Response:
    names = {said.name for said in await run_in_threadpool(_results, live.settings.results_dir) if said.report}
    if result not in names:
        raise Problem("no_such_result")
    page = await run_in_threadpool((live.settings.results_dir / result / REPORT).read_bytes)
    headers = {"Content-Security-Policy": REPORT_CSP, "X-Frame-Options": "SAMEORIGIN"}
    return Response(page, media_type="text/html", headers=headers)


@router.post("/results/{result}/link", tags=["planner"], responses=answers("no_such_result"))
async def link(result: Id, _: StaffCaller, live: LiveZone) -> ReportLink:
    """An address of the report that holds for a minute without a token."""
    if not any(
        said.name == result and said.report for said in await run_in_threadpool(_results, live.settings.results_dir)
    ):
        raise Problem("no_such_result")
    until = int(time.time()) + LINK_S
    return ReportLink(url=f"/v1/reports/{quote(result, safe='')}?until={until}&seal={_seal(live, result, until)}")


def _seal(live: Live, result: str, until: int) -> str:
    return sealed(live.keys, "report", f"{until}/{result}".encode()).hex()


@open_router.get("/reports/{result}", response_class=Response, responses=answers("no_such_result"))
async def linked_report(
    result: Id,
    live: LiveZone,
    until: Annotated[int, Query(ge=0, le=10**11)],
    seal: Annotated[str, Query(max_length=64)],
) -> Response:
    """A report by its link."""
    if until < time.time() or not hmac.compare_digest(seal.encode(), _seal(live, result, until).encode()):
        raise Problem("no_such_result")
    return await _report(live, result)
