"""Tiny worlds for tests: square grids of streets with their driving times, and short hand-made logs.

The driving times are made here in plain Python, so that a test which uses them does not lean on `routing`'s own.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from dispatch.core import events as ev
from dispatch.core.domain import Access, FixedCall, Policy, Promise, Receipt, RideRequest, Shift
from routing.network import RoadNetwork
from routing.travel_times import UNREACHABLE, DriveTimes

NOBODY = Receipt(shuttles=0, in_reach=0)


def grid(width: int, height: int, edge_s: Mapping[tuple[int, int], int] | int = 60) -> RoadNetwork:
    """Streets of 500 m both ways between neighbours; node r × width + c. `edge_s` may name single streets (else 60)."""
    ends = []
    for node in range(width * height):
        r, c = divmod(node, width)
        near = [(r - 1, c), (r, c - 1), (r, c + 1), (r + 1, c)]
        ends += [(node, rr * width + cc) for rr, cc in near if 0 <= rr < height and 0 <= cc < width]
    seconds = [edge_s if isinstance(edge_s, int) else edge_s.get(end, 60) for end in ends]
    n, m = width * height, len(ends)
    return RoadNetwork(
        node_ids=np.array([str(i) for i in range(n)]),
        lat=np.array([float(i // width * 500) for i in range(n)]),
        lon=np.array([float(i % width * 500) for i in range(n)]),
        edge_from=np.array([u for u, _ in ends], np.int32),
        edge_to=np.array([v for _, v in ends], np.int32),
        length_m=np.full(m, 500.0),
        time_ms=np.array(seconds, np.int32) * 1000,
        road_class=np.zeros(m, np.uint8),
        name=np.zeros(m, np.int32),
        shape_start=np.zeros(m + 1, np.int64),
        shape_lat=np.empty(0),
        shape_lon=np.empty(0),
        planar=True,
    )


def drive_times(
    network: RoadNetwork, places: Sequence[int] | None = None, *, closed: Iterable[int] = (), factor: float = 1.0
) -> DriveTimes:
    """Driving times to every place (every node, if none are named), by Dijkstra's algorithm in plain Python."""
    nodes = list(range(network.nodes)) if places is None else list(places)
    shut = set(closed)
    edge_ms = [
        UNREACHABLE if e in shut else max(1, round(int(ms) * factor)) for e, ms in enumerate(network.time_ms.tolist())
    ]
    into: dict[int, list[tuple[int, int]]] = {}
    for u, v, ms in zip(network.edge_from.tolist(), network.edge_to.tolist(), edge_ms, strict=True):
        if ms < UNREACHABLE:
            into.setdefault(v, []).append((u, ms))
    table = np.full((1, network.nodes, len(nodes)), UNREACHABLE, np.int32)
    for p, goal in enumerate(nodes):
        best = {goal: 0}
        queue = [(0, goal)]
        while queue:
            cost, v = heapq.heappop(queue)
            if cost > best[v]:
                continue
            for u, ms in into.get(v, ()):
                if cost + ms < best.get(u, UNREACHABLE):
                    best[u] = cost + ms
                    heapq.heappush(queue, (cost + ms, u))
        for u, cost in best.items():
            table[0, u, p] = cost
    return DriveTimes(
        place_nodes=np.array(nodes, np.int64),
        table=table,
        slices=np.zeros(1, np.int64),
        indptr=network.indptr,
        heads=network.edge_to.astype(np.int64),
        edge_ms=np.array([edge_ms], np.int32),
        edge_mm=np.rint(network.length_m * 1000).astype(np.int64),
    )


def opened(places: int, at_s: float = 0) -> ev.DayOpened:
    """A day on whose map place p lies on node p."""
    ids = tuple(str(p) for p in range(places))
    return ev.DayOpened(ms(at_s), 0, "2026-01-05", "UTC", ids, tuple(range(places)), "grid", "test", 1, "0")


def ms(seconds: float) -> int:
    """Whole milliseconds."""
    return round(seconds * 1000)


def request(
    id: str,  # noqa: A002
    origin: int,
    destination: int,
    *,
    depart_s: float = 0,
    seats: int = 1,
    wheelchairs: int = 0,
    latest_pickup_s: float | None = None,
    latest_dropoff_s: float | None = None,
    max_ride_s: float | None = None,
    direct_s: float = 60,
) -> RideRequest:
    """A request from place to place, times in seconds."""
    return RideRequest(
        id=id,
        origins=(Access(origin),),
        destinations=(Access(destination),),
        direct=ms(direct_s),
        direct_mm=0,
        depart_after=ms(depart_s),
        latest_pickup=None if latest_pickup_s is None else ms(latest_pickup_s),
        latest_dropoff=None if latest_dropoff_s is None else ms(latest_dropoff_s),
        max_ride=None if max_ride_s is None else ms(max_ride_s),
        seats=seats,
        wheelchairs=wheelchairs,
    )


def booked(
    at_s: float,
    ride: RideRequest,
    shuttle: str,
    after: tuple[int, int],
    version: int,
    pickup_s: float,
    dropoff_s: float,
    window_s: tuple[float, float],
    by_s: float,
) -> ev.RideBooked:
    """A promise given, times in seconds; the longest ride is the request's."""
    return ev.RideBooked(
        at=ms(at_s),
        request=ride.id,
        shuttle=shuttle,
        after=after,
        version=version,
        promise=Promise(ms(window_s[0]), ms(window_s[1]), ms(by_s), ride.max_ride),
        pickup=ride.origins[0],
        dropoff=ride.destinations[0],
        pickup_at=ms(pickup_s),
        dropoff_at=ms(dropoff_s),
    )


def calm_day() -> list[ev.AnyEvent]:
    """A day on a 3 × 3 grid (60 s a street), written by hand, in which nothing is wrong.

    v1 is turned aside for b on its way to a and carries both; c waits in the queue and is moved from v2 to v1; d is
    refused; f cancels; v1 takes its break; v2 is sent to wait elsewhere.
    """
    a = request("a", 2, 6, depart_s=60, latest_pickup_s=660, latest_dropoff_s=1500, max_ride_s=600, direct_s=240)
    b = request("b", 1, 7, depart_s=90, seats=2, latest_pickup_s=660, latest_dropoff_s=1500, direct_s=120)
    c = request("c", 6, 8, depart_s=100, wheelchairs=1, direct_s=120)
    d = request("d", 0, 8, depart_s=110, seats=6)
    f = request("f", 3, 5, depart_s=1000, direct_s=120)
    stop = ev.StopArrived
    return [
        opened(9),  # 1
        ev.PolicyChanged(0, Policy(dwell_stop_s=10, dwell_rider_s=5, wait_aboard_s=120)),
        ev.ShiftOpened(
            0,
            Shift("v1", "v1", 0, 0, ms(7200), seats=3, wheelchairs=1,
                  calls=(FixedCall("break", ms(3000), ms(3600), ms(600)),)),
        ),  # 3: the break is number 0
        ev.ShiftOpened(0, Shift("v2", "v2", 8, 0, ms(7200), seats=3, wheelchairs=1)),
        ev.RequestMade(ms(60), a),  # 5: number 1
        booked(60, a, "v1", (0, 0), 1, 180, 435, (60, 660), 1500),  # 6: plan 2 3 0
        ev.DriveStarted(ms(60), "v1", 0, 2, "a"),
        ev.RequestMade(ms(90), b),  # 8: number 2
        booked(90, b, "v1", (0, 1), 2, 120, 395, (90, 660), 1500),  # 9: plan 4 2 5 3 0
        ev.ProgressMade(ms(90), "v1", 1, ms(120), 500_000),  # 10
        ev.RequestMade(ms(100), c),  # 11: number 3
        ev.RideQueued(ms(100), "c", ms(1900), NOBODY),
        ev.RequestMade(ms(110), d),  # 13: number 4
        ev.RideRefused(ms(110), "d", NOBODY),
        ev.DriveStarted(ms(120), "v1", 1, 1, "b"),  # 15
        stop(ms(120), "v1", 1, 0),
        ev.RiderBoarded(ms(120), "v1", "b"),  # 17: 10 + 2 × 5 s
        ev.DriveStarted(ms(140), "v1", 1, 2, "a"),
        stop(ms(200), "v1", 2, 500_000),
        ev.RiderBoarded(ms(200), "v1", "a"),  # 20: until 215
        ev.DriveStarted(ms(215), "v1", 2, 7, "b"),
        ev.TimerTicked(ms(300)),
        booked(300, c, "v2", (0, 0), 1, 420, 555, (100, 1300), 2000),  # 23: plan 6 7
        ev.PlansChanged(ms(300), {"v2": (), "v1": (5, 3, 6, 7, 0)}, "improved"),  # 24
        ev.IdleSent(ms(300), "v2", 5),
        ev.DriveStarted(ms(300), "v2", 8, 5, "rebalance"),
        stop(ms(360), "v2", 5, 500_000),
        stop(ms(395), "v1", 7, 1_500_000),  # 28
        ev.RiderAlighted(ms(395), "v1", "b"),
        ev.DriveStarted(ms(415), "v1", 7, 6, "a"),  # 30
        stop(ms(475), "v1", 6, 500_000),
        ev.RiderAlighted(ms(475), "v1", "a"),  # 32: until 490
        ev.RiderBoarded(ms(490), "v1", "c"),  # 33: same stop, until 495
        ev.DriveStarted(ms(495), "v1", 6, 8, "c"),
        ev.RequestMade(ms(500), f),  # 35: number 5
        booked(500, f, "v2", (0, 0), 3, 1000, 1135, (1000, 1600), 2400),
        stop(ms(615), "v1", 8, 1_000_000),
        ev.RiderAlighted(ms(615), "v1", "c"),  # 38
        ev.RideCancelled(ms(900), "f"),
        ev.CallMade(ms(3000), "v1", 0),  # 40
        ev.IdleSent(ms(3610), "v1", 5),
        ev.DriveStarted(ms(3610), "v1", 8, 5, "rebalance"),
        stop(ms(3670), "v1", 5, 500_000),
        ev.ShiftClosed(ms(7200), "v1"),
        ev.ShiftClosed(ms(7200), "v2"),
        ev.DayClosed(ms(7200)),  # 46
    ]  # fmt: skip


def rough_day() -> list[ev.AnyEvent]:
    """The same grid: v1 breaks down with a aboard and b booked; v2 takes both home, late, and both were told."""
    a = request("a", 1, 7, max_ride_s=600, latest_dropoff_s=900, direct_s=120)
    b = request("b", 4, 6, depart_s=30, latest_pickup_s=600, direct_s=120)
    stop = ev.StopArrived
    return [
        opened(9),  # 1
        ev.PolicyChanged(0, Policy()),
        ev.ShiftOpened(0, Shift("v1", "v1", 0, 0, ms(7200), seats=3)),
        ev.ShiftOpened(0, Shift("v2", "v2", 8, ms(600), ms(7200), seats=3)),
        ev.RequestMade(0, a),  # 5: number 0
        booked(0, a, "v1", (0, 0), 1, 60, 180, (0, 600), 900),
        ev.DriveStarted(0, "v1", 0, 1, "a"),
        ev.RequestMade(ms(30), b),  # 8: number 1
        booked(30, b, "v1", (1, 1), 2, 120, 240, (30, 600), 600),  # 9: plan 0 2 3 1
        stop(ms(60), "v1", 1, 500_000),
        ev.RiderBoarded(ms(60), "v1", "a"),  # 11
        ev.DriveStarted(ms(60), "v1", 1, 4, "b"),
        ev.ShuttleBrokeDown(ms(100), "v1", 4),  # 13
        ev.RiderStranded(ms(100), "v1", "a", 4),  # 14
        ev.PlansChanged(ms(100), {"v2": (0, 2, 1, 3)}, "breakdown"),  # 15
        ev.PromiseAtRisk(ms(100), "b", ms(720), ms(900), "breakdown"),
        ev.PromiseAtRisk(ms(100), "a", ms(720), ms(780), "breakdown"),
        ev.DriveStarted(ms(600), "v2", 8, 4, "a"),  # 18
        stop(ms(720), "v2", 4, 1_000_000),
        ev.RiderBoarded(ms(720), "v2", "a"),  # 20
        ev.RiderBoarded(ms(720), "v2", "b"),
        ev.DriveStarted(ms(720), "v2", 4, 7, "a"),
        stop(ms(780), "v2", 7, 500_000),
        ev.RiderAlighted(ms(780), "v2", "a"),
        ev.DriveStarted(ms(780), "v2", 7, 6, "b"),  # 25
        stop(ms(840), "v2", 6, 500_000),
        ev.RiderAlighted(ms(840), "v2", "b"),
        ev.DayClosed(ms(7200)),  # 28
    ]
