"""A day so small that living it only compiles the kernels, or loads them from the cache."""

from __future__ import annotations

import numpy as np

from dispatch.core.domain import Access, Policy, RideRequest, Shift
from dispatch.core.events import DayOpened
from routing.travel_times import DriveTimes
from simulator.disturbances import Disturbances
from simulator.riders import Riders
from simulator.run import Day


def tiny_day() -> tuple[Day, DriveTimes]:
    """Two riders, two shuttles, three places on a line of streets of a minute each."""
    places = np.arange(3)
    times = DriveTimes(
        place_nodes=places.astype(np.int64),
        table=np.abs(places[:, None] - places[None, :])[None].astype(np.int32) * 60_000,
        slices=np.zeros(1, np.int64),
        indptr=np.array([0, 1, 3, 4], np.int64),
        heads=np.array([1, 0, 2, 1], np.int64),
        edge_ms=np.full((1, 4), 60_000, np.int32),
        edge_mm=np.full(4, 500_000, np.int64),
    )

    def request(name: str, origin: int, destination: int, at: int, latest: int) -> tuple[int, RideRequest]:
        ends = (Access(origin),), (Access(destination),)
        return at, RideRequest(name, *ends, 60_000, 500_000, at, latest_pickup=latest)

    day = Day(
        opened=DayOpened(0, 0, "2000-01-01", "UTC", ("a", "b", "c"), (0, 1, 2), "", "warm", 1, ""),
        policy=Policy(),
        shifts=tuple(Shift(f"s{i}", f"s{i}", 0, 0, 10_000_000, 4) for i in range(2)),
        requests=(
            request("r1", 1, 2, 1_000, 600_000),
            request("r2", 1, 0, 2_000, 600_000),
            request("r3", 2, 0, 3_000, 100_000),  # out of reach: to say why is compiled, too
        ),
        riders=Riders(),
        disturbances=Disturbances(),
        seed=1,
    )
    return day, times
