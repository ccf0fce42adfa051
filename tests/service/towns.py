"""A small town served in the test's own process: real store, real dispatcher, the app called without a socket."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from dispatch.service.app import create_app
from dispatch.service.auth import Role, create_token
from dispatch.service.clocks import Clock, SteppedClock
from dispatch.service.live import Live
from dispatch.service.outside import Outside
from dispatch.service.running import serving
from dispatch.service.settings import Keys, Settings
from dispatch.service.worker import Worker
from dispatch.service.zone import Area
from routing.travel_times import DriveTimes
from simulator.live import area_of
from simulator.scenario import Scenario, load_scenario

KEYS = Keys(b"t" * 32, b"v" * 32)
PIN = "2468"


@cache
def town() -> tuple[Scenario, Area, DriveTimes]:
    """The shipped scenario `nauru`, its area and roads: read once."""
    scenario = load_scenario("nauru")
    area = area_of(scenario)
    return scenario, area, area.roads()


class Served:
    """A running zone and its app."""

    def __init__(self, app: Any, live: Live, clock: Clock) -> None:
        self.app = app
        self.live = live
        self.clock = clock
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://naru.test")

    def token(self, role: Role, subject: str = "somebody", *, zone: str = "nauru", hours: float = 1) -> str:
        """A token as `naru token create` makes it."""
        return create_token(KEYS, role, subject, zone, hours=hours)

    async def call(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """One call."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        return await self.client.request(method, path, json=body, headers=sent)

    async def rider(self, phone: str = "+674 555 0001") -> str:
        """A rider's token, by signing in."""
        sent = (await self.call("POST", "/v1/sign-in/code", {"phone": phone})).json()
        signed = await self.call("POST", "/v1/sign-in", {"phone": phone, "code": sent["development_code"]})
        token: str = signed.json()["access_token"]
        return token

    async def driver(self, shift: str) -> str:
        """A driver's token, with the shift begun."""
        desk = self.token("operator")
        name, vehicle = f"d-{shift}", self.live.world.shuttles[shift].shift.vehicle
        await self.call(
            "PUT", f"/v1/operator/drivers/{name}", {"pin": PIN, "vehicle": vehicle, "reason": "set up"}, token=desk
        )
        token: str = (await self.call("POST", "/v1/driver/sign-in", {"driver": name, "pin": PIN})).json()[
            "access_token"
        ]
        begun = await self.call("POST", f"/v1/driver/shifts/{shift}/start", token=token)
        assert begun.status_code == 200, begun.text
        return token

    def journey(self, origin: int = 0, goal: int = -1, **more: Any) -> dict[str, Any]:
        """A journey between two stop points, by their numbers."""
        stops = self.live.area.stops
        return {"from": {"stop": stops[origin].id}, "to": {"stop": stops[goal].id}, **more}

    async def booked(self, token: str, key: str = "k1", **journey: Any) -> dict[str, Any]:
        """A ride, booked."""
        quotes = (await self.call("POST", "/v1/quotes", self.journey(**journey), token=token)).json()
        take = {"quote": quotes["offers"][0]["quote"]}
        answer = await self.call("POST", "/v1/bookings", take, token=token, Idempotency_Key=key)
        assert answer.status_code == 201, answer.text
        ride: dict[str, Any] = answer.json()
        return ride

    async def pass_time(self, seconds: float) -> None:
        """Let the service's clock go on."""
        assert isinstance(self.clock, SteppedClock)
        await self.clock.step_to(self.clock.utc() + round(seconds * 1000))
        await asyncio.sleep(0.02)


@asynccontextmanager
async def served(
    folder: Path,
    *,
    at: str = "07:30",
    settings: dict[str, Any] | None = None,
    worker: Worker | None = None,
    zone: tuple[Area, DriveTimes] | None = None,
    ready_s: float = 30,
    outside: Outside | None = None,
) -> AsyncIterator[Served]:
    """The town at a time of its day, its clock stepped by the test; in development mode unless told otherwise."""
    scenario, area, times = town()
    area, times = zone or (area, times)
    hour, minute = map(int, at.split(":"))
    clock = SteppedClock(scenario.zero_utc + (hour * 3600 + minute * 60) * 1000)
    given = Settings(
        data_dir=folder,
        results_dir=folder / "results",
        **{"development": True, "calls_per_minute": 10**6, "calls_per_minute_address": 10**6, **(settings or {})},
    )

    def start() -> AbstractAsyncContextManager[Live]:
        return serving(area, given, KEYS, clock=clock, times=times, worker=worker, outside=outside)

    app = create_app(start, given)
    async with app.router.lifespan_context(app):
        while not hasattr(app.state, "live") and not app.state.living.done():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0.005)
        live = app.state.live
        await live.dispatcher.until_ready(ready_s)
        await live.ledger.reached(live.dispatcher.day, live.world.seq)
        town_served = Served(app, live, clock)
        async with town_served.client:
            yield town_served


def local(seconds: float) -> str:
    """A moment of the town's day, ISO 8601."""
    scenario = town()[0]
    return dt.datetime.fromtimestamp(scenario.zero_utc / 1000 + seconds, dt.UTC).isoformat()
