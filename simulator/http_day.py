"""A day's riders and drivers through the service's public HTTP API: nothing here knows the service from inside.

Riders sign in by phone and code (which development mode tells), ask, choose, cancel and come as `simulator.riders` has
it; drivers sign in by PIN, follow their manifest's stream, and tell what they do by their own clock.
"""

from __future__ import annotations

import asyncio
import bisect
import contextlib
import datetime as dt
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from dispatch.core.domain import Access, Promise, Quote, RideRequest
from simulator import riders as habits
from simulator.attempts import Attempt
from simulator.disturbances import Breakdown
from simulator.riders import Riders

PIN = "2468"
OPERATOR, SET_UP = "demo", "set up"
"""who makes drivers known, and why"""
POSITION_EVERY_S = 30
"""of the service's clock"""
GIVE_UP_S = 600.0
"""real seconds; who has waited for an answer so long is not coming back"""
TRIES = 3
"""how often a rider asks again because a quote went to somebody else while they chose"""
SIGN_IN_TRIES = 3
"""codes asked for: an answer that was lost on the way has spent its code"""
AGES = ("child", "youth", "adult", "65+")
"""what the service calls them; a scenario may have others"""
_OVER = ("delivered", "cancelled", "no_show", "refused", "declined")


class Watch:
    """The service's clock, as its clients know it."""

    def __init__(self, now: dt.datetime, speed: float) -> None:
        self.speed = speed
        self._began = now
        self._started = time.monotonic()

    def now(self) -> dt.datetime:
        """What the service's clock shows."""
        return self._began + dt.timedelta(seconds=(time.monotonic() - self._started) * self.speed)

    async def until(self, moment: dt.datetime) -> None:
        """Sleep until the service's clock shows this."""
        await asyncio.sleep(max(0.0, (moment - self.now()).total_seconds() / self.speed))


class Api:
    """The service as one person calls it."""

    def __init__(self, client: httpx.AsyncClient, token: str = "") -> None:
        self._client = client
        self.token = token

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, answer). A service that is away for a moment is asked again."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        for attempt in range(20):
            try:
                answer = await self._client.request(method, path, json=body, headers=sent)
            except httpx.TransportError:
                await asyncio.sleep(0.1 * (attempt + 1))
                continue
            if answer.status_code in (429, 503):
                await asyncio.sleep(min(5.0, float(answer.headers.get("Retry-After", "1"))) * 0.5)
                continue
            kind = answer.headers.get("content-type", "")
            return answer.status_code, answer.json() if kind.endswith("json") and "nd" not in kind else answer.content
        raise ConnectionError(f"{method} {path}: the service does not answer")

    async def need(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer. Raises ConnectionError for a problem."""
        status, answer = await self.call(method, path, body, **headers)
        if status >= 400:
            raise ConnectionError(f"{method} {path}: {status} {answer}")
        return answer

    async def frames(self, path: str) -> AsyncIterator[Any]:
        """The data of a stream's events, for ever: it is opened again when it ends."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                headers = {"Authorization": f"Bearer {self.token}"}
                async with self._client.stream("GET", path, headers=headers, timeout=60) as answer:
                    if answer.status_code in (401, 403, 404):
                        return
                    async for line in answer.aiter_lines():
                        if line.startswith("data: "):
                            yield json.loads(line[6:])
            await asyncio.sleep(0.2)


async def sign_rider_in(api: Api, attempt: Attempt) -> None:
    """By phone and code; the service learns a name."""
    phone = f"+82100{attempt.made_at % 10**6:06}{int(attempt.id) % 10_000 if attempt.id.isdigit() else 0:04}"[:15]
    for _ in range(SIGN_IN_TRIES):
        code = (await api.need("POST", "/v1/sign-in/code", {"phone": phone}))["development_code"]
        status, answer = await api.call("POST", "/v1/sign-in", {"phone": phone, "code": code})
        if status < 400:
            break
    else:
        raise ConnectionError(f"POST /v1/sign-in: {status} {answer}")
    api.token = answer["access_token"]
    known = {"name": f"Rider {attempt.id}", "age_group": attempt.age if attempt.age in AGES else None}
    await api.need("PUT", "/v1/me", known)


class Day:
    """Who lives the day, and what is true of them whoever is told: who comes to the stop point, and when."""

    def __init__(
        self,
        base_url: str,
        attempts: Sequence[Attempt],
        stops: Sequence[str],
        riders: Riders,
        breakdowns: Sequence[Breakdown],
        seed: int,
        zero_utc: int,
    ) -> None:
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=100)
        self._client = httpx.AsyncClient(base_url=base_url, limits=limits, timeout=20)
        self.operator = Api(self._client)
        """needs an operator's token before the day is lived"""
        self.attempts = attempts
        self.stops = stops
        self.riders = riders
        self.breakdowns = {breakdown.shift: self._moment(breakdown.at, zero_utc) for breakdown in breakdowns}
        self.seed = seed
        self.zero_utc = zero_utc
        self.timezone: dt.tzinfo = dt.UTC
        self.watch = Watch(dt.datetime.now(dt.UTC), 1.0)
        self.comes: dict[str, dt.datetime | None] = {}
        """ride: when its rider is at the stop point; None: never"""
        self.problems: dict[str, int] = {}
        """codes of problems that riders and drivers met"""

    async def live(self) -> None:
        """Until the last rider and driver are done, or cancelled."""
        zone = await self.operator.need("GET", "/v1/zone")
        self.timezone = ZoneInfo(zone["timezone"])
        self.watch = Watch(dt.datetime.fromisoformat(zone["now"]), zone["clock_speed"])
        shifts = await self.operator.need("GET", "/v1/operator/shifts")
        for vehicle in sorted({shift["vehicle"] for shift in shifts}):
            await self.operator.need(
                "PUT", f"/v1/operator/drivers/d-{vehicle}", {"pin": PIN, "vehicle": vehicle, "reason": SET_UP}
            )
        began = self.watch.now()
        async with asyncio.TaskGroup() as group:
            for shift in shifts:
                group.create_task(self._drive(shift))
            for attempt in self.attempts:
                if self._moment(attempt.made_at, self.zero_utc) >= began:
                    group.create_task(self._ride(attempt))

    async def close(self) -> None:
        """Give the connections up."""
        await self._client.aclose()

    def person(self) -> Api:
        """The service as somebody calls it who has not signed in yet."""
        return Api(self._client)

    async def figures(self) -> dict[str, Any]:
        """KPIs so far."""
        found: dict[str, Any] = await self.operator.need("GET", "/v1/operator/kpis")
        return found

    async def log(self) -> bytes:
        """The log so far."""
        found: bytes = await self.operator.need("GET", "/v1/operator/log/export")
        return found

    @staticmethod
    def _moment(ms: int, zero_utc: int) -> dt.datetime:
        return dt.datetime.fromtimestamp((zero_utc + ms) / 1000, dt.UTC)

    def _ms(self, moment: str) -> int:
        return round(dt.datetime.fromisoformat(moment).timestamp() * 1000) - self.zero_utc

    def met(self, status: int, answer: Any) -> bool:
        """Was it a problem? Counted, if so."""
        if status < 400:
            return False
        code = answer.get("code", str(status)) if isinstance(answer, dict) else str(status)
        self.problems[code] = self.problems.get(code, 0) + 1
        return True

    # riders

    async def _ride(self, attempt: Attempt) -> None:
        await self.watch.until(self._moment(attempt.made_at, self.zero_utc))
        api = self.person()
        await sign_rider_in(api, attempt)
        request = RideRequest(attempt.id, (), (), 0, 0, attempt.depart_after, rider=attempt.rider)
        calls = 0
        while True:
            calls += 1
            ride = await self._ask(api, attempt, request)
            if ride is None or ride["state"] != "refused":
                break
            at = round(self.watch.now().timestamp() * 1000) - self.zero_utc
            again = habits.retry(self.riders, self.seed, request, at, calls)
            if again is None:
                return
            request = again
            await self.watch.until(self._moment(again.depart_after, self.zero_utc))
        if ride is not None and ride["state"] in ("booked", "stranded"):
            await self._wait(api, ride, request)

    def journey(self, attempt: Attempt) -> dict[str, Any]:
        """What a rider asks for, but for when."""
        ends = {"from": attempt.origin, "to": attempt.destination}
        body: dict[str, Any] = {
            name: {"stop": self.stops[end.place]} if end.walk == 0 else {"lat": end.lat, "lon": end.lon}
            for name, end in ends.items()
        }
        return body | {"seats": attempt.seats, "wheelchairs": attempt.wheelchairs}

    async def _ask(self, api: Api, attempt: Attempt, request: RideRequest) -> Any:
        """One call: the ride that came of it; None: declined."""
        body = self.journey(attempt)
        if attempt.arrive_by is not None:
            body["arrive_by"] = self._moment(attempt.arrive_by, self.zero_utc).isoformat()
        elif request.depart_after > attempt.made_at:
            departs = self._moment(request.depart_after, self.zero_utc)
            if departs > self.watch.now():  # who calls again wants to leave at once
                body["depart_after"] = departs.isoformat()
        for _ in range(TRIES):
            status, quotes = await api.call("POST", "/v1/quotes", body)
            if self.met(status, quotes):
                return None
            if quotes["offers"]:
                choice = habits.answer(self.riders, self.seed, request, [self._quote(o) for o in quotes["offers"]])
                if choice is None and quotes["state"] == "later_only":
                    if self.met(*await api.call("POST", f"/v1/requests/{quotes['request']}/queue")):
                        return None
                    return await self._queue(api, quotes)
                if choice is None:
                    await api.call("POST", f"/v1/requests/{quotes['request']}/decline")
                    return None
                take = {"quote": quotes["offers"][choice]["quote"]}
                status, ride = await api.call("POST", "/v1/bookings", take, Idempotency_Key=uuid.uuid4().hex)
                if not self.met(status, ride):
                    return ride
                continue
            return await self._queue(api, quotes)
        return None

    async def _queue(self, api: Api, quotes: Any) -> Any:
        """Wait in the queue for a place, or hear that there is none."""
        path = f"/v1/rides/{quotes['request']}"
        async with asyncio.timeout(GIVE_UP_S):
            while True:
                ride = await api.need("GET", path)
                if ride["state"] not in ("asked", "queued"):
                    return ride
                await asyncio.sleep(5 / self.watch.speed + 0.2)

    async def _wait(self, api: Api, ride: Any, request: RideRequest) -> None:
        """Cancel, or come to the stop point, as this rider does."""
        promise = Promise(*(self._ms(ride[name]) for name in ("pickup_from", "pickup_to", "arrive_by")))
        comes = habits.shows_up_at(self.riders, self.seed, request, promise)
        self.comes[ride["id"]] = None if comes is None else self._moment(comes, self.zero_utc)
        booked_at = round(self.watch.now().timestamp() * 1000) - self.zero_utc
        gives_up = habits.cancel_at(self.riders, self.seed, request, promise, booked_at)
        if gives_up is not None:
            await self.watch.until(self._moment(gives_up, self.zero_utc))
            self.met(*await api.call("POST", f"/v1/rides/{ride['id']}/cancel", {}))

    def _quote(self, offer: Any) -> Quote:
        """An offer as the riders' habits judge it."""
        pickup_at = self._ms(offer["expected_pickup"])
        walk = offer["dropoff"]["walk_s"] * 1000
        ends = Access(0, offer["pickup"]["walk_s"] * 1000), Access(0, walk)
        promise = Promise(self._ms(offer["pickup_from"]), self._ms(offer["pickup_to"]), self._ms(offer["arrive_by"]))
        dropoff_at = self._ms(offer["expected_arrival"]) - walk
        return Quote("", offer["kind"], "", (0, 0), *ends, pickup_at, dropoff_at, promise, offer["fare"], 0, 0)

    # drivers

    async def _drive(self, shift: Any) -> None:
        """Work one shift."""
        end = dt.datetime.fromisoformat(shift["end"])
        if end <= self.watch.now() or shift["state"] != "on":
            return
        await self.watch.until(dt.datetime.fromisoformat(shift["start"]) - dt.timedelta(seconds=30))
        api = Api(self._client)
        signed = await api.need("POST", "/v1/driver/sign-in", {"driver": f"d-{shift['vehicle']}", "pin": PIN})
        api.token = signed["access_token"]
        driver = _Driver(self, api, shift["id"])
        await driver.work()


class _Driver:
    """One driver on one shift."""

    def __init__(self, day: Day, api: Api, shift: str) -> None:
        self.day = day
        self.api = api
        self.path = f"/v1/driver/shifts/{shift.replace('#', '%23')}"
        self.shift = shift
        self.manifest: Any = None
        self._news = asyncio.Event()
        self._told_position = dt.datetime.min.replace(tzinfo=dt.UTC)

    async def work(self) -> None:
        """Until the shift is over, or the shuttle out of service."""
        self.manifest = await self.api.need("POST", f"{self.path}/start")
        following = asyncio.create_task(self._follow())
        try:
            while self.manifest["shift"]["state"] == "on":
                self._news.clear()
                act = self._next()
                now = self.day.watch.now()
                breaks = self.day.breakdowns.get(self.shift)
                if breaks is not None and now >= breaks:
                    self.manifest = await self.api.need("POST", f"{self.path}/trouble", {"kind": "breakdown"})
                    continue
                end = dt.datetime.fromisoformat(self.manifest["shift"]["end"])
                if act is None and now >= end:
                    await self.api.call("POST", f"{self.path}/end")
                    return
                due = end if act is None else act[0]
                if due > now:
                    await self._idle(min(due, breaks or due))
                    continue
                assert act is not None
                await self._tell(*act)
        finally:
            following.cancel()

    async def _idle(self, due: dt.datetime) -> None:
        """Until it is time or the manifest has changed; positions are told on the way."""
        watch, drive = self.day.watch, self.manifest["drive"]
        step = due
        if drive is not None:
            step = min(due, watch.now() + dt.timedelta(seconds=POSITION_EVERY_S))
        wait = (step - watch.now()).total_seconds() / watch.speed
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), max(0.0, wait))
        if drive is not None and drive is self.manifest["drive"] and step < due:
            await self._tell_position(drive)

    async def _tell_position(self, drive: Any) -> None:
        now = self.day.watch.now()
        if (now - self._told_position).total_seconds() < POSITION_EVERY_S * 0.9:
            return
        self._told_position = now
        gone = (now - dt.datetime.fromisoformat(drive["since"])).total_seconds()
        passed = max(0, bisect.bisect_right(drive["reach_s"], gone) - 1)
        lon, lat = drive["line"][passed]
        await self.api.call(
            "POST", f"{self.path}/positions", {"positions": [{"at": now.isoformat(), "lat": lat, "lon": lon}]}
        )

    def _next(self) -> tuple[dt.datetime, dict[str, Any]] | None:
        """(when, event) of the next act; None: nothing to do."""
        manifest, at = self.manifest, dt.datetime.fromisoformat
        if manifest["drive"] is not None:
            drive = manifest["drive"]
            return at(drive["arrive_at"]), {"kind": "arrived", "stop": drive["to"]["id"]}
        ready = at(manifest["ready_at"])
        if not manifest["stops"]:
            goal = manifest["wait_at"]
            return None if goal is None else (ready, {"kind": "departed", "stop": goal["id"]})
        stop = manifest["stops"][0]
        if not stop["here"]:
            return max(ready, at(stop["leave_at"])), {"kind": "departed", "stop": stop["stop"]["id"]}
        begins = max(ready, at(stop["begin_at"]))
        if not stop["order"]:
            return begins, {"kind": "call"}
        first = stop["order"][0]
        if first["does"] == "alight":
            return begins, {"kind": "alighted", "ride": first["ride"]}
        comes = self.day.comes.get(first["ride"], begins)
        if comes is not None and comes <= begins:
            return begins, {"kind": "boarded", "ride": first["ride"]}
        return begins, {"kind": "not_there", "ride": first["ride"]}

    async def _tell(self, due: dt.datetime, event: dict[str, Any]) -> None:
        told = {"id": uuid.uuid4().hex, "at": due.isoformat(), **event}
        answer = await self.api.need("POST", f"{self.path}/events", {"events": [told]})
        self.manifest = answer["manifest"]
        outcome = answer["outcomes"][0]
        if outcome["outcome"] == "refused":
            self.day.met(409, outcome)
            await asyncio.sleep(0.05)
            self.manifest = await self.api.need("GET", f"{self.path}/manifest")

    async def _follow(self) -> None:
        async for manifest in self.api.frames(f"{self.path}/live"):
            if self.manifest is None or manifest["now"] >= self.manifest["now"]:
                self.manifest = manifest
                self._news.set()
