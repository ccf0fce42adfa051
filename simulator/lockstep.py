"""`naru demo --lockstep`: a simulated day told to the service call by call; it must decide as the simulator did.

The day is simulated first. Then its inputs (who asks for what and which offer they take, who gives a ride back, what
drivers do, the timer) are told to the service over HTTP, each at its time, on a clock that is stepped from here. The
log that the service writes is the simulator's, but for the names that it gives to requests and riders.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.domain import RideRequest
from dispatch.core.offers import leaves
from simulator.attempts import Attempt
from simulator.http_day import OPERATOR, PIN, SET_UP, Api, Day, sign_rider_in
from simulator.riders import attempt_of

if TYPE_CHECKING:
    from simulator.scenario import Scenario

ANSWERS = (ev.RideBooked, ev.RideRefused, ev.RideQueued, ev.QuoteDeclined)
_NO_CALL = (
    ev.DayOpened, ev.PolicyChanged, ev.ShiftOpened, ev.DayClosed, ev.ProgressMade, ev.PromiseAtRisk, ev.PlansChanged,
    ev.ActTaken, *ANSWERS,
)  # fmt: skip
"""decisions, and what a day opens and closes with: the service makes them itself; drivers are made known at first"""


class Difference(NamedTuple):
    """The first line at which the service's log is another."""

    line: int
    simulated: str
    served: str

    def __str__(self) -> str:
        return f"line {self.line}: the simulator has {self.simulated}, the service {self.served}"


def simulated(scenario: Scenario) -> list[ev.AnyEvent]:
    """The scenario's day by the simulator. Riders name one time to the service: their arrival, if they have one.

    Raises InputError for a day whose demand can't be made up.
    """
    from simulator.run import Simulation
    from simulator.simulate import day_of, desk_for, roads

    times = roads(scenario)
    day = day_of(scenario, times)
    requests = tuple(
        (at, request)
        if request.arrive_by is None
        else (at, replace(request, depart_after=leaves(day.policy, at, request.direct, request.arrive_by)))
        for at, request in day.requests
    )
    events: list[Any] = []
    at = day.opened.at
    acts = tuple(
        ev.ActTaken(at, "driver", OPERATOR, SET_UP, about=_driver(shift.id), made="new") for shift in day.shifts
    )
    Simulation(replace(day, requests=requests, acts=acts), desk_for(scenario, times), events.append).run()
    return events


async def tell(day: Day, lived: Sequence[ev.Event], progress: Callable[[float], None] = lambda _: None) -> None:
    """Tell the service all inputs of a simulated day. Raises ConnectionError where it refuses one."""
    lockstep = _Lockstep(day, lived)
    await lockstep.sign_drivers_in()
    for i in range(len(lived)):
        await lockstep.tell(i)
        progress((i + 1) / len(lived))


def difference(lived: Sequence[ev.Event], served: Sequence[ev.Event]) -> Difference | None:
    """The first line where two logs differ by more than names; the day's end is the simulator's alone."""
    theirs = [event for event in lived if not isinstance(event, ev.DayClosed)]
    names = zip(_requests(theirs), _requests(served), strict=False)
    renamed = {b'"' + ours.encode() + b'"': b'"' + name.encode() + b'"' for name, ours in names}
    for line in range(1, max(len(theirs), len(served)) + 1):
        one = _written(theirs[line - 1]) if line <= len(theirs) else b"nothing more"
        other = _written(served[line - 1]) if line <= len(served) else b"nothing more"
        for ours, name in renamed.items():
            if ours in other:
                other = other.replace(ours, name)
        if one != other:
            return Difference(line, one.decode(), other.decode())
    return None


def _requests(events: Sequence[ev.Event]) -> list[str]:
    return [event.request.id for event in events if isinstance(event, ev.RequestMade)]


def _written(event: ev.Event) -> bytes:
    """An event without the names and marks that only one of the two gives."""
    if isinstance(event, ev.DayOpened):
        event = replace(event, live=False, seed=0)
    elif isinstance(event, ev.RequestMade):
        request = replace(event.request, rider=None, attempt=None, first_depart=None, age=None, channel=None)
        event = replace(event, request=request)
    return msgspec.json.encode(event)


class _Lockstep:
    def __init__(self, day: Day, lived: Sequence[ev.Event]) -> None:
        self._day = day
        self._log = lived
        self._attempts: dict[str, Attempt] = {attempt.id: attempt for attempt in day.attempts}
        self._riders: dict[str, Api] = {}
        self._drivers: dict[str, Api] = {}
        self._rides: dict[str, str] = {}
        """the service's names of the simulator's requests"""
        self._now = -1

    async def sign_drivers_in(self) -> None:
        day = self._day
        for shift in await day.operator.need("GET", "/v1/operator/shifts"):
            driver = _driver(shift["id"])
            known = {"pin": PIN, "vehicle": shift["vehicle"], "reason": SET_UP}
            await day.operator.need("PUT", f"/v1/operator/drivers/{driver}", known)
            api = day.person()
            signed = await api.need("POST", "/v1/driver/sign-in", {"driver": driver, "pin": PIN})
            api.token = signed["access_token"]
            await api.need("POST", f"{_shift(shift['id'])}/start")
            self._drivers[shift["id"]] = api

    async def tell(self, i: int) -> None:
        event = self._log[i]
        if isinstance(event, _NO_CALL):
            return
        tick = isinstance(event, ev.TimerTicked)
        if event.at != self._now or tick:
            self._now = event.at
            await self._day.operator.need("POST", "/v1/clock", {"to": self._moment(event.at), "tick": tick})
        match event:
            case ev.TimerTicked():
                return
            case ev.RequestMade(request=request):
                await self._ask(i, request)
            case ev.RideCancelled(request=request):
                await self._riders[request].need("POST", f"/v1/rides/{self._rides[request]}/cancel", {})
            case ev.DriveStarted(shuttle=shuttle, place=place):
                await self._drove(shuttle, "departed", stop=self._day.stops[place])
            case ev.StopArrived(shuttle=shuttle, place=place):
                await self._drove(shuttle, "arrived", stop=self._day.stops[place])
            case ev.RiderBoarded(shuttle=shuttle, request=request):
                await self._drove(shuttle, "boarded", ride=self._rides[request])
            case ev.RiderAlighted(shuttle=shuttle, request=request):
                await self._drove(shuttle, "alighted", ride=self._rides[request])
            case ev.CallMade(shuttle=shuttle):
                await self._drove(shuttle, "call")
            case ev.ShuttleBrokeDown(shuttle=shuttle):
                await self._drivers[shuttle].need("POST", f"{_shift(shuttle)}/trouble", {"kind": "breakdown"})
            case _:
                raise ConnectionError(f"{type(event).__name__} cannot be told in lockstep: a day without delays can")

    async def _ask(self, i: int, request: RideRequest) -> None:
        """Ask, and take the offer that the simulated rider took."""
        day, attempt = self._day, self._attempts[attempt_of(request)]
        api = self._riders[request.id] = day.person()
        await sign_rider_in(api, attempt)
        body = day.journey(attempt)
        if request.arrive_by is not None:
            body["arrive_by"] = self._moment(request.arrive_by)
        elif request.depart_after > self._now:
            body["depart_after"] = self._moment(request.depart_after)
        quotes = await api.need("POST", "/v1/quotes", body)
        name = self._rides[request.id] = quotes["request"]
        later = (e for e in self._log[i + 1 :] if getattr(e, "request", None) == request.id and isinstance(e, ANSWERS))
        answer = next(later, None)
        if isinstance(answer, ev.RideBooked) and quotes["offers"]:
            kinds = [offer["kind"] for offer in quotes["offers"]]
            offer = quotes["offers"][kinds.index(answer.kind) if answer.kind in kinds else 0]
            await api.need("POST", "/v1/bookings", {"quote": offer["quote"]}, Idempotency_Key=uuid.uuid4().hex)
        elif isinstance(answer, ev.QuoteDeclined):
            await api.need("POST", f"/v1/requests/{name}/decline")
        elif quotes["offers"]:
            await api.need("POST", f"/v1/requests/{name}/queue")

    async def _drove(self, shuttle: str, kind: str, **more: Any) -> None:
        told = {"id": uuid.uuid4().hex, "at": self._moment(self._now), "kind": kind, **more}
        answer = await self._drivers[shuttle].need("POST", f"{_shift(shuttle)}/events", {"events": [told]})
        outcome = answer["outcomes"][0]
        if outcome["outcome"] != "counted":
            raise ConnectionError(f"{kind} of {shuttle} was {outcome['outcome']}: {outcome.get('words')}")

    def _moment(self, ms: int) -> str:
        return dt.datetime.fromtimestamp((self._day.zero_utc + ms) / 1000, dt.UTC).isoformat()


def _driver(shift: str) -> str:
    return f"d-{shift.replace('#', '-')}"


def _shift(shift: str) -> str:
    return f"/v1/driver/shifts/{shift.replace('#', '%23')}"
