"""Days written by hand, small enough to check every figure on paper; and one long enough to look at."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from dispatch.core.domain import Access, Cause, Policy, Promise, Receipt, RideRequest, Shift
from dispatch.core.events import (
    DayClosed,
    DayOpened,
    DriveStarted,
    Event,
    NoShow,
    PolicyChanged,
    QuoteDeclined,
    RequestMade,
    RideBooked,
    RideCancelled,
    RideQueued,
    RiderAlighted,
    RiderBoarded,
    RideRefused,
    ShiftOpened,
    StopArrived,
    log_line,
)

KM = 1_000_000
"""mm"""
A, B, C = 0, 1, 2
"""places, at nodes 10, 11, 12"""
UNREACHED = Receipt(shuttles=1, in_reach=0, binding="pickup_late", causes=(Cause("s1", "pickup_late", 90_000),))


def s(seconds: float) -> int:
    """Seconds as the core counts them."""
    return round(seconds * 1000)


def opened(**changes: Any) -> list[Event]:
    """A day with three places and one shuttle, s1 of vehicle v1, on shift for the first hour."""
    day = {
        "at": 0, "zero_utc": 1_767_225_600_000, "date": "2026-01-01", "timezone": "UTC", "places": ("A", "B", "C"),
        "place_nodes": (10, 11, 12), "map": "m", "scenario": "by hand", "seed": 7, "version": "0",
    } | changes  # fmt: skip
    shift = Shift(id="s1", vehicle="v1", node=11, start=0, end=s(3600), seats=8)
    return [DayOpened(**day), PolicyChanged(0, Policy()), ShiftOpened(0, shift)]


def asked(
    at: float, request: str, *, origin: int = A, destination: int = C, depart: float | None = None, **more: Any
) -> RequestMade:
    """A call at `at` s, to leave at once unless `depart` (s) is given; 300 s and 3 km of direct drive."""
    values = {"direct": s(300), "direct_mm": 3 * KM, "depart_after": s(at if depart is None else depart)} | more
    return RequestMade(s(at), RideRequest(request, (Access(origin),), (Access(destination),), **values))


def booked(
    at: float, request: str, window: tuple[float, float], by: float, *, pickup_at: float, **more: Any
) -> RideBooked:
    """A promise: a pickup within the window, a drop-off by `by`, all in s."""
    values: dict[str, Any] = {"shuttle": "s1", "pickup": Access(A), "dropoff": Access(C)} | more
    max_ride = values.pop("max_ride", None)
    promise = Promise(s(window[0]), s(window[1]), s(by), max_ride)
    return RideBooked(
        s(at), request, after=(0, 0), version=1, promise=promise, pickup_at=s(pickup_at), dropoff_at=s(by), **values
    )


def small_day() -> list[Event]:
    """Eight attempts, one of each end, nine calls, 8 km."""
    return [
        *opened(),
        asked(100, "r1", seats=2),
        booked(100, "r1", (100, 700), 1500, pickup_at=200, fare=3600),
        DriveStarted(s(100), "s1", 11, A, "r1"),
        asked(150, "r2", origin=B, direct=s(200), direct_mm=2 * KM),
        RideRefused(s(150), "r2", UNREACHED),
        asked(180, "r2b", origin=B, direct=s(200), direct_mm=2 * KM, attempt="r2", first_depart=s(150)),
        booked(180, "r2b", (180, 780), 1300, pickup_at=300, pickup=Access(B, walk=s(60)), fare=1800, kind="later"),
        StopArrived(s(200), "s1", A, 1 * KM),
        RiderBoarded(s(200), "s1", "r1"),
        DriveStarted(s(200), "s1", 10, B, "r2b"),
        StopArrived(s(300), "s1", B, 1 * KM),
        RiderBoarded(s(310), "s1", "r2b"),
        DriveStarted(s(320), "s1", 11, C, "r1"),
        asked(400, "r3"),
        RideRefused(s(400), "r3", UNREACHED),
        asked(420, "r4"),
        QuoteDeclined(s(425), "r4"),
        asked(430, "r5", depart=3000),
        booked(430, "r5", (3000, 3600), 3600, pickup_at=3000),
        asked(440, "r6"),
        RideQueued(s(440), "r6", s(2000), UNREACHED),
        asked(450, "r7"),
        booked(450, "r7", (900, 1000), 2000, pickup_at=1000),
        asked(460, "r8"),
        booked(460, "r8", (600, 1200), 2000, pickup_at=1100),
        StopArrived(s(520), "s1", C, 2 * KM),
        RiderAlighted(s(520), "s1", "r1"),
        RiderAlighted(s(525), "s1", "r2b"),
        RideCancelled(s(600), "r5"),
        DriveStarted(s(600), "s1", 12, A, "r7"),
        StopArrived(s(1000), "s1", A, 4 * KM),
        NoShow(s(1000), "s1", "r7"),
        DayClosed(s(3600)),
    ]


def write_log(folder: Path, events: Iterable[Event]) -> Path:
    """The log of a day, as `LogWriter` writes it, by another way."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "events.jsonl"
    path.write_bytes(b"".join(log_line(event, seq, 1_767_225_600_000) for seq, event in enumerate(events, 1)))
    return path


def long_day(
    requests: int = 700, place_nodes: Sequence[int] = range(0, 180, 3), shuttles: int = 8, seed: int = 1
) -> list[Event]:
    """A day that looks like one but obeys no road: riders one after another, some queued, one in four refused.

    A drive takes 200–600 s and as many times 8 m.
    """
    draw = random.Random(seed)
    places = len(place_nodes)
    events: list[Event] = [
        *opened(places=tuple(f"p{i}" for i in range(places)), place_nodes=tuple(place_nodes))[:2],
        *(
            ShiftOpened(0, Shift(f"s{n}", f"v{n}", place_nodes[0], s(20_000 + 900 * n), s(75_000), 16))
            for n in range(1, shuttles + 1)
        ),
    ]
    free = {f"s{n}": (s(20_000 + 900 * n), 0) for n in range(1, shuttles + 1)}
    for n in range(requests):
        at = s(20_000 + 52_000 * n / requests)
        name, origin, destination = f"r{n}", draw.randrange(places), draw.randrange(places)
        ride = s(draw.randrange(200, 600))
        made = asked(at / 1000, name, origin=origin, destination=destination, direct=ride, direct_mm=8 * ride)
        events.append(made)
        if n % 4 == 3:
            why = draw.choice(["pickup_late", "dropoff_late", "full", "off_shift", "others_promises"])
            events.append(RideRefused(at, name, Receipt(shuttles, 3, why, (Cause("s2", why, 61_000),), at + s(1500))))
            continue
        if n % 40 == 0:
            events.append(RideQueued(at, name, at + s(1800), UNREACHED))
        shuttle = min(free, key=lambda which: free[which][0])
        free_at, place = free[shuttle]
        start = max(at, free_at)
        to_pickup = s(draw.randrange(60, 300))
        pickup_at = start + to_pickup
        events += [
            booked(at / 1000, name, (at / 1000, pickup_at / 1000 + 300), (pickup_at + ride) / 1000 + 300,
                   pickup_at=pickup_at / 1000, shuttle=shuttle, pickup=Access(origin), dropoff=Access(destination),
                   fare=1800),
            DriveStarted(start, shuttle, place_nodes[place], origin, name),
            StopArrived(pickup_at, shuttle, origin, 8 * to_pickup),
            RiderBoarded(pickup_at, shuttle, name),
            DriveStarted(pickup_at, shuttle, place_nodes[origin], destination, name),
            StopArrived(pickup_at + ride, shuttle, destination, 8 * ride),
            RiderAlighted(pickup_at + ride, shuttle, name),
        ]  # fmt: skip
        free[shuttle] = pickup_at + ride, destination
    order = {DayOpened: 0, PolicyChanged: 1, ShiftOpened: 2}
    events.sort(key=lambda event: (event.at, order.get(type(event), 3)))
    return [*events, DayClosed(s(90_000))]
