"""One request over fleets of 8 stops a shuttle, compiled and in plain Python: python -m tests.benchmarks.insertion

A 40 × 40 grid of streets, shuttles of 8 places with four riders' pickups and drop-offs each, all limits loose enough
that most insertions fit. The times from the shuttles' positions are part of the table: nothing is left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from typing import Any

import numpy as np

from dispatch.core import fleet as f
from dispatch.core.domain import NEVER
from dispatch.core.fleet import Fleet
from dispatch.core.fleet_insertion import best_insertion
from dispatch.core.openings import read_by_kernels
from dispatch.core.timing import time_route
from routing.travel_times import DriveTimes
from tests.core.test_insertion import World

SIDE, EDGE_MS, STOPS = 40, 30_000, 8


def roads() -> DriveTimes:
    """A grid on which every node is a place."""
    n = SIDE * SIDE
    r, c = np.divmod(np.arange(n), SIDE)
    table = (EDGE_MS * (abs(r[:, None] - r) + abs(c[:, None] - c))).astype(np.int32)[None]
    heads, indptr = [], [0]
    for node in range(n):
        heads += np.flatnonzero(table[0, node] == EDGE_MS).tolist()
        indptr.append(len(heads))
    edges = len(heads)
    return DriveTimes(
        np.arange(n), table, np.zeros(1, np.int64), np.array(indptr), np.array(heads),
        np.full((1, edges), EDGE_MS, np.int32), np.full(edges, 250_000),
    )  # fmt: skip


def town(shuttles: int, requests: int, times: DriveTimes) -> tuple[Fleet, list[int]]:
    """A busy fleet, and codes of requests to insert."""
    random = np.random.default_rng(shuttles)
    riders = STOPS // 2
    fleet = Fleet(shuttles, 2 * (shuttles * riders + requests) + 2, STOPS + 2)
    fleet.count = shuttles
    fleet.rules[:] = (0, 300_000, 1000, 800, 150_000_000, 1)
    places = len(times.place_nodes)

    def ride(number: int, origin: int, destination: int) -> None:
        direct = int(times.table[0, origin, destination])
        fleet.visits[2 * number] = (origin, 0, 1_800_000, 0, 1, 0, NEVER, f.PICKUP)
        by = 1_800_000 + 3 * direct // 2
        fleet.visits[2 * number + 1] = (destination, 0, by, 0, -1, 0, NEVER, f.DROPOFF)

    for v in range(shuttles):
        row = fleet.shuttles[v]
        here = int(random.integers(places))
        row[[f.NODE, f.HEADING, f.STANDS, f.SEATS, f.END, f.OPEN]] = here, -1, -1, 8, NEVER, 1
        codes = []
        for k in range(riders):  # one after the other, each near where the last one left
            number = v * riders + k
            near = np.flatnonzero(times.table[0, here] <= 6 * EDGE_MS)
            origin, here = (int(x) for x in random.choice(near, 2, replace=False))
            ride(number, origin, here)
            codes += [2 * number, 2 * number + 1]
        row[f.N] = STOPS
        fleet.routes[v, f.CODE, :STOPS] = codes
        time_route(
            fleet.routes[v], STOPS, row, row[f.NODE], 0, fleet.visits, fleet.rules, times.table, times.place_nodes,
            times.slices,
        )  # fmt: skip
    wanted = []
    for k in range(requests):
        number = shuttles * riders + k
        origin, destination = (int(x) for x in random.choice(places, 2, replace=False))
        ride(number, origin, destination)
        wanted.append(2 * number)
    return fleet, wanted


def compiled(fleet: Fleet, times: DriveTimes, code: int) -> tuple[Any, ...]:
    """The product's own."""
    hit: tuple[Any, ...] = best_insertion(fleet.count, code, 0, *read_by_kernels(fleet, times))
    return hit


def plain(fleet: Fleet, times: DriveTimes, code: int) -> int:
    """Cost of the best insertion, each pair timed in Python: the tests' oracle."""
    visits = fleet.visits.tolist()
    best = 2**60
    for v in range(fleet.count):
        row = fleet.shuttles[v]
        world = World(times.table, fleet.rules, visits, row, node=int(row[f.NODE]))
        world.plan = fleet.routes[v, f.CODE, : row[f.N]].tolist()
        best = min(best, world.best(code)[0])
    return best


def main() -> int:
    """Print p50 for each size."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.insertion", description=__doc__)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    times = roads()
    results = []
    for shuttles in (20, 100, 1000):
        fleet, wanted = town(shuttles, options.requests, times)
        compiled(fleet, times, wanted[0])
        took = []
        for code in wanted:
            begun = time.perf_counter()
            compiled(fleet, times, code)
            took.append(time.perf_counter() - begun)
        result = {"shuttles": shuttles, "p50_us": 1e6 * statistics.median(took)}
        if shuttles <= 100:
            slow = []
            for code in wanted[:3]:
                begun = time.perf_counter()
                cost = plain(fleet, times, code)
                slow.append(time.perf_counter() - begun)
                if cost != compiled(fleet, times, code)[0]:
                    print(f"{shuttles} shuttles, request {code}: plain Python finds another cost", file=sys.stderr)
                    return 1
            result["plain_python_us"] = 1e6 * statistics.median(slow)
        results.append(result)
        if not options.json:
            beside = f"   plain Python, exhaustive: {result['plain_python_us']:,.0f}" if shuttles <= 100 else ""
            print(f"{shuttles:5} shuttles: {result['p50_us']:8.1f} µs{beside}", flush=True)
    if options.json:
        print(json.dumps({"results": results}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
