"""A small town for the faults: 100 corners, 20 shuttles, and what its people ask a dispatcher for."""

from __future__ import annotations

import datetime as dt
import random
import secrets
from collections.abc import Iterator, Sequence

from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import NEVER, Access, Policy, Reoptimise, RideRequest, Shift
from dispatch.core.reactions import answer
from dispatch.service.dispatcher import Decide, Zone
from dispatch.service.moments import zero_utc_of
from dispatch.service.outbox import Message
from simulator import vehicles
from tests.worlds import drive_times, grid

WIDTH = 10
SHUTTLES = 20
EDGE_S = 6
TIMES = drive_times(grid(WIDTH, WIDTH, EDGE_S))
POLICY = Policy(
    max_wait_s=900,
    promise_window_s=600,
    journey_extra_s=600,
    quotes=1,
    reoptimise=Reoptimise(every_s=30, iterations=50),
)
TOLD = {ev.RideBooked: "booked", ev.RideRefused: "refused", ev.RideCancelled: "cancelled", ev.PromiseAtRisk: "at_risk"}


def opening(day: str) -> Sequence[ev.Event]:
    """What a service day of the town starts from."""
    zero = zero_utc_of(dt.date.fromisoformat(day), "UTC")
    places = range(WIDTH * WIDTH)
    opened = ev.DayOpened(0, zero, day, "UTC", tuple(map(str, places)), tuple(places), "grid", "faults", 1, "0")
    shifts = [Shift(f"s{n}", f"s{n}", 7 * n % (WIDTH * WIDTH), 0, NEVER, 6) for n in range(SHUTTLES)]
    return [opened, ev.PolicyChanged(0, POLICY), *(ev.ShiftOpened(0, shift) for shift in shifts)]


ZONE = Zone("town", "UTC", TIMES, opening)


def book(key: str, seed: int) -> Decide:
    """Ask and take the first quote. The request's id is drawn anew each time: a second decision would show."""

    def decide(desk: Desk, now: int) -> Iterator[ev.Event]:
        draw = random.Random(seed)
        origin, destination = draw.sample(range(WIDTH * WIDTH), 2)
        direct = int(TIMES.table[0, origin, destination])
        request = RideRequest(
            secrets.token_hex(6), (Access(origin),), (Access(destination),), direct, 0,
            now + draw.randrange(200) * 1000, rider=key,
        )  # fmt: skip
        yield ev.RequestMade(now, request)
        yield from answer(desk, request, now, lambda _, quotes: 0 if quotes else None)

    return decide


def cancel(request: str) -> Decide:
    """Give a ride back, if it has not begun."""
    return lambda desk, now: desk.cancel(request, now)


def drive(name: str, act: vehicles.Next) -> Decide:
    """What a driver tells: it counts if it is what the shuttle does next, and never twice."""

    def decide(desk: Desk, now: int) -> Sequence[ev.Event]:
        if vehicles.next_of(desk, name, 1000) != act:
            return ()
        return [replace(e, at=now) for e in vehicles.act(desk, name, act, 1000, lambda _: 0)]

    return decide


def notices(desk: Desk, events: Sequence[ev.Event]) -> Sequence[Message]:
    """A message for each thing that a rider must know."""
    return [
        Message("log", desk.world.rides[event.request].request.rider or "", TOLD[type(event)], event.request)
        for event in events
        if isinstance(event, (ev.RideBooked, ev.RideRefused, ev.RideCancelled, ev.PromiseAtRisk))
    ]
