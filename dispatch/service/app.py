"""The web application: routes, problems, the edge, and what runs beside them while it lives."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib.metadata import version

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse
from starlette.middleware.gzip import GZipMiddleware

from dispatch.service import (
    changes,
    drivers,
    feedback_routes,
    lending,
    looking,
    operators,
    pages,
    problems,
    push_routes,
    recurring_routes,
    results,
    rides,
    shifts,
    sign_in,
    spoken,
    staff,
    standing,
    stepping,
    stop_points,
    trials,
)
from dispatch.service.auth import StaffCaller
from dispatch.service.direct import Direct
from dispatch.service.docs import page
from dispatch.service.edge import Edge
from dispatch.service.endings import ended
from dispatch.service.live import Live
from dispatch.service.metrics import MEDIA_TYPE, Calls, text
from dispatch.service.models import Said
from dispatch.service.problems import Problem, ProblemDetail, answers
from dispatch.service.settings import Settings
from dispatch.service.sign_in import LiveZone
from dispatch.service.store import NotLeader, StoreDown
from dispatch.service.zone import shift_hours

log = logging.getLogger("naru.service")

DESCRIPTION = """\
Demand-responsive transit: riders ask, shuttles' routes change in real time.

Errors are problem+json (RFC 9457) with a stable `code` and a sentence for a person. Times are ISO 8601 with offset.
Riders sign in by phone and one-time code, drivers by PIN; operators and planners have tokens of `naru token create`.
"""


class Health(Said):
    """Alive."""

    alive: bool = True


class Readiness(Said):
    """Decides for its zone."""

    ready: bool = True
    zone: str
    day: str


class ZoneSaid(Said):
    """What a page has to know before anybody signs in."""

    name: str
    timezone: str
    currency: str
    now: dt.datetime
    clock_speed: float
    """1 but in demos"""
    day: str
    service_from: dt.datetime
    service_to: dt.datetime
    south: float
    west: float
    north: float
    east: float
    stop_points: int
    max_party: int
    fare_base: int
    fare_base_km: float
    fare_per_km: int
    paused: bool
    credit: str
    """of the map's data: to be shown with it"""
    development: bool


Serving = Callable[[], AbstractAsyncContextManager[Live]]


def create_app(
    serving: Serving,
    settings: Settings,
    *,
    failed: Callable[[BaseException], None] | None = None,
    stepped: bool = False,
) -> FastAPI:
    """The application. `serving` starts what it serves, and stops it.

    It answers at once: until all is there, calls hear that it is starting. Who gives `failed` is told what `serving`
    raised, others meet it when the application ends. `stepped`: its clock is stepped over HTTP.
    """
    calls = Calls()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        over = asyncio.Event()
        living = asyncio.create_task(_live(app, serving, over), name="serving")
        app.state.living = living
        if failed is not None:
            living.add_done_callback(lambda task: _tell(task, failed))
        try:
            yield
        finally:
            over.set()
            if failed is None or not living.done():
                await living

    app = FastAPI(
        title="Naru",
        version=version("naru-transit"),
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: "_".join([*map(str, route.tags[:1]), route.name]).replace("-", "_"),
    )
    app.state.calls = calls
    problems.install(app)
    # in the order in which they are looked at: what is called most comes first
    first = (rides, drivers, sign_in, changes, recurring_routes, standing, push_routes)
    parts = (*first, looking, operators, feedback_routes, spoken, shifts, lending, trials, stop_points, staff, results)
    for router in (*(part.router for part in parts), _common()):
        app.include_router(router)
    app.include_router(results.open_router)
    if stepped:
        app.include_router(stepping.router)
    app.include_router(pages.router())
    app.add_middleware(Direct)
    app.add_middleware(GZipMiddleware, minimum_size=2000, compresslevel=5)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID"],
        )
    app.add_middleware(Edge, calls=calls, development=settings.development, trust_proxy=settings.trust_proxy)
    _describe_problems(app)
    return app


async def _live(app: FastAPI, serving: Serving, over: asyncio.Event) -> None:
    """Bring up what is served, keep it up until it is over, and bring it down."""
    async with serving() as live:
        app.state.live = live
        works = {
            "ledger": _follow,
            "policies": live.coming.run,
            "recurring": live.recurring.run,
            "loans": live.loans.run,
        }
        tasks = [asyncio.create_task(_kept_up(live, work, name), name=name) for name, work in works.items()]
        try:
            await over.wait()
        finally:
            live.ledger.close()
            await ended(tasks)


def _tell(task: asyncio.Task[None], failed: Callable[[BaseException], None]) -> None:
    error = asyncio.CancelledError() if task.cancelled() else task.exception()
    if error is not None:
        failed(error)


async def _follow(live: Live) -> None:
    """Read the log for ever."""
    await live.dispatcher.until_ready(3600)
    await live.recall_troubles()
    await live.ledger.follow(live.dispatcher.subscribe(day=live.dispatcher.day))


async def _kept_up(live: Live, work: Callable[[Live], Awaitable[None]], name: str) -> None:
    """Background work that goes on after a failure, until the service ends: the store may be away for a while."""
    while not live.ledger.closed:
        try:
            await work(live)
        except (StoreDown, NotLeader, TimeoutError, Problem) as error:
            log.warning("waiting for the store: %s", type(error).__name__, extra={"work": name})
        except Exception:
            log.exception("background work failed", extra={"work": name})
        await asyncio.sleep(0.5)


def _common() -> APIRouter:
    router = APIRouter()

    @router.get("/health", tags=["operations"])
    async def health() -> Health:
        """The process lives."""
        return Health()

    @router.get("/ready", tags=["operations"], responses=answers("starting"))
    async def ready(live: LiveZone) -> Readiness:
        """It decides for its zone, on a store that loses nothing."""
        if not live.dispatcher.ready or live.ledger.day != live.dispatcher.day:
            raise Problem("starting", title=f"Not ready: {live.dispatcher.missing or 'the log is being read'}.")
        return Readiness(zone=live.area.name, day=live.dispatcher.day)

    @router.get("/metrics", tags=["operations"], response_class=Response, responses=answers())
    async def metrics(_: StaffCaller, live: LiveZone, request: Request) -> Response:
        """Figures for Prometheus."""
        return Response(text(live, request.app.state.calls), media_type=MEDIA_TYPE)

    @router.get("/v1/zone", tags=["zone"], responses=answers("starting"))
    async def zone(live: LiveZone) -> ZoneSaid:
        """What a page has to know before anybody signs in."""
        area, policy, told = live.area, live.world.policy, live.moments.told
        begins, ends = area.service_hours or shift_hours(area.shifts)
        network = area.network
        return ZoneSaid(
            name=area.name,
            timezone=area.timezone,
            currency=area.currency,
            now=told(live.now),
            clock_speed=getattr(live.dispatcher.clock, "speed", 1.0),
            day=live.dispatcher.day,
            service_from=told(begins),
            service_to=told(ends),
            south=float(network.lat.min()),
            west=float(network.lon.min()),
            north=float(network.lat.max()),
            east=float(network.lon.max()),
            stop_points=len(area.stops),
            max_party=policy.max_party,
            fare_base=policy.fares.base,
            fare_base_km=policy.fares.base_km,
            fare_per_km=policy.fares.per_km,
            paused=live.world.paused,
            credit=network.credit,
            development=live.settings.development,
        )

    @router.get("/v1/stop-points", tags=["zone"], response_class=Response, responses=answers())
    async def stop_points(live: LiveZone, request: Request) -> Response:
        """Stop points as GeoJSON."""
        return _geojson(live, request, live.maps.stop_points)

    @router.get("/v1/roads", tags=["zone"], response_class=Response, responses=answers())
    async def roads(live: LiveZone, request: Request) -> Response:
        """Streets as GeoJSON, a feature each road class."""
        return _geojson(live, request, live.maps.roads)

    @router.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        """The API on one page, without anything from elsewhere."""
        csp = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        return HTMLResponse(page(request.app.openapi()), headers={"Content-Security-Policy": csp})

    return router


def _geojson(live: Live, request: Request, content: bytes) -> Response:
    tag = f'"{live.maps.tag}"'
    headers = {"ETag": tag, "Cache-Control": "public, max-age=300"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="application/geo+json", headers=headers)


def _describe_problems(app: FastAPI) -> None:
    """The OpenAPI description, with the schema of problems that the routes point to."""
    made = app.openapi

    def openapi() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = made()
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            schemas["ProblemDetail"] = ProblemDetail.model_json_schema()
            schemas.pop("HTTPValidationError", None)
            schemas.pop("ValidationError", None)
            for path in schema["paths"].values():
                for operation in path.values():
                    answer = operation["responses"].get("422")
                    if answer is not None and "application/json" in answer.get("content", {}):
                        operation["responses"]["422"] = answers()[422]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
