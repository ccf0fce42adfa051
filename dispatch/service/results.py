"""The planners' shelf: output folders of simulated days, trials and sweeps, and the page that each of them made."""

from __future__ import annotations

import datetime as dt
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from dispatch.service.auth import StaffCaller, sealed
from dispatch.service.live import Live
from dispatch.service.operator_models import ReportLink, ResultKind, ResultSaid
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone

router = APIRouter(prefix="/v1/operator/results", tags=["planner"])
open_router = APIRouter(prefix="/v1", tags=["planner"])
KPIS = "kpis.json"
PAGES: dict[ResultKind, str] = {
    "day": "report.html",
    "trial": "trial.html",
    "sweep": "sweep.html",
    "calibration": "calibration.html",
}
REPORT_CSP = (
    "sandbox allow-scripts; default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'"
)
LINK_S = 60


@router.get("", responses=answers())
async def results(_: StaffCaller, live: LiveZone) -> list[ResultSaid]:
    """Output folders, newest first."""
    return sorted(await run_in_threadpool(_all, live), key=lambda said: said.at, reverse=True)


def _all(live: Live) -> list[ResultSaid]:
    folder = live.settings.results_dir
    return [said for one in (folder.iterdir() if folder.is_dir() else ()) if one.is_dir() for said in _said(one)]


def _said(folder: Path) -> Iterator[ResultSaid]:
    """What lies in a folder, if it is a result; one that cannot be read is none."""
    figures: dict[str, Any] = {}
    try:
        kind = next((kind for kind, page in PAGES.items() if (folder / page).is_file()), None)
        file = folder / (KPIS if kind in (None, "day") else PAGES[kind])
        if kind in (None, "day"):
            read = json.loads(file.read_bytes())
            if not isinstance(read, dict):
                return
            figures = read
        at = dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC)
    except (OSError, ValueError):
        return
    yield ResultSaid(name=folder.name, kind=kind or "day", at=at, kpis=figures, report=kind is not None)


@router.get("/{result}/report", response_class=Response, responses=answers("no_such_result"))
async def report(result: str, _: StaffCaller, live: LiveZone) -> Response:
    """The report of one, a page of its own that may reach nothing else."""
    return await run_in_threadpool(_report, live, result)


def _report(live: Live, result: str) -> Response:
    said = _known(live, result)
    page = (live.settings.results_dir / said.name / PAGES[said.kind]).read_bytes()
    headers = {"Content-Security-Policy": REPORT_CSP, "X-Frame-Options": "SAMEORIGIN"}
    return Response(page, media_type="text/html", headers=headers)


def _known(live: Live, result: str) -> ResultSaid:
    """The result of this name that has a report: a name that is on the shelf, never a path. Raises Problem."""
    found = next((said for said in _all(live) if said.name == result and said.report), None)
    if found is None:
        raise Problem("no_such_result")
    return found


@router.post("/{result}/link", responses=answers("no_such_result"))
async def link(result: str, _: StaffCaller, live: LiveZone) -> ReportLink:
    """An address of the report that holds for a minute without a token: a frame cannot send one."""
    await run_in_threadpool(_known, live, result)
    until = int(time.time()) + LINK_S
    return ReportLink(url=f"/v1/reports/{quote(result, safe='')}?until={until}&seal={_seal(live, result, until)}")


def _seal(live: Live, result: str, until: int) -> str:
    return sealed(live.keys, "report", f"{until}/{result}".encode()).hex()


@open_router.get("/reports/{result}", response_class=Response, responses=answers("no_such_result"))
async def linked_report(
    result: str,
    live: LiveZone,
    until: Annotated[int, Query(ge=0, le=10**11)],
    seal: Annotated[str, Query(max_length=64)],
) -> Response:
    """A report by its link."""
    try:
        good = hmac.compare_digest(seal.encode(), _seal(live, result, until).encode())
    except UnicodeEncodeError:
        good = False
    if until < time.time() or not good:
        raise Problem("no_such_result")
    return await run_in_threadpool(_report, live, result)
