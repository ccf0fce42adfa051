"""Static instances solved with the product's own optimiser: python -m tests.benchmarks.static FILE… [--seconds S]

Two searches run side by side, one a core; the better is taken. With --peer OR-Tools' routing solver has each file
afterwards, for as long.

Fewest vehicles first (Li & Lim: by absences, SISR §6), then distance. Distances become integers by rounding up, so
what keeps every bound in integers keeps it in doubles; an independent check in doubles has the last word.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from dispatch.core import fleet as f
from dispatch.core import search as se
from dispatch.core.anneal import anneal, back_to_best
from dispatch.core.domain import NEVER
from dispatch.core.search import MUST, close_plan, open_search, state
from routing.errors import InputError
from tests.benchmarks.instances import Instance, faults, read
from tests.benchmarks.peer import routed

SCALE = 100_000
FEWER_VEHICLES = 2**38
"""Penalty of one absence while vehicles are saved: more than any distance."""


SEARCHES = 2
"""side by side: one a core"""


@dataclass(frozen=True)
class Tuning:
    """How the search goes about static problems."""

    string: int = 10
    cardinality: int = 10
    blink: int = 20
    gap: int = 0
    warm: float = 1.0
    """first temperature, in mean legs …"""
    cold: float = 0.003
    absence: float = 0.0
    """what it costs to leave a request out for a while, in mean legs; 0: never"""
    fleet_share: float = 0.5
    """of the time, at most, for saving vehicles"""


PICKUP_AND_DELIVERY = Tuning(string=15, cardinality=15, blink=30)
DIAL_A_RIDE = Tuning(string=6, blink=10, gap=4, warm=0.5, cold=0.02)


@dataclass(frozen=True)
class Solution:
    """Routes, depots left out, and how long they took."""

    routes: list[list[int]]
    seconds: float
    iterations: int


def fleet_of(instance: Instance) -> tuple[f.Fleet, Any]:
    """The instance as the core's arrays, with the table of driving times. Ride k is codes 2k and 2k + 1."""
    places = instance.places
    grid = np.array([(p.x, p.y) for p in places])
    apart = np.hypot(grid[:, None, 0] - grid[None, :, 0], grid[:, None, 1] - grid[None, :, 1])
    scale = min(SCALE, int(2**30 // (apart.max() + 1)))
    table = np.ceil(apart * scale - 1e-9).astype(np.int32)[None]
    rides, vehicles = len(instance.requests), instance.vehicles
    timed = instance.longest_route < math.inf
    fleet = f.Fleet(vehicles, 2 * (rides + vehicles) + 2, 4)
    fleet.count = vehicles
    fleet.rules[[f.WAIT_ABOARD, f.W_DRIVE, f.DIVERT]] = NEVER, 1, 1

    def when(t: float, up: bool) -> int:
        return math.ceil(t * scale - 1e-9) if up else math.floor(t * scale + 1e-9)

    def visit(code: int, place: int, ride: int, kind: int) -> None:
        p = places[place]
        window = when(p.earliest, True), when(p.latest, False)
        fleet.visits[code] = (place, *window, when(p.service, True), p.demand, 0, ride, kind)

    for number, (pickup, dropoff) in enumerate(instance.requests):
        visit(2 * number, pickup, NEVER, f.PICKUP)
        longest = instance.longest_ride + places[pickup].service
        most = when(longest, False) if longest < math.inf else NEVER
        visit(2 * number + 1, dropoff, most, f.DROPOFF)
        _tighten(fleet.visits[2 * number], fleet.visits[2 * number + 1], int(table[0, pickup, dropoff]))
    for v in range(vehicles):
        # a route's duration is a "ride" of the vehicle itself, from where it begins to where it ends
        begin = 2 * (rides + v)
        visit(begin, 0, NEVER, f.PICKUP)
        visit(begin + 1, instance.end, when(instance.longest_route, False) if timed else NEVER, f.DROPOFF)
        codes = [begin, begin + 1] if timed else [begin + 1]
        fleet.routes[v, f.CODE, : len(codes)] = codes
        shuttle = fleet.shuttles[v]
        shuttle[[f.N, f.AT, f.HEADING, f.STANDS]] = len(codes), when(places[0].earliest, True), -1, -1
        shuttle[[f.SEATS, f.END, f.OPEN, f.TAIL, f.FROZEN]] = instance.capacity, NEVER, 1, 1, int(timed)
    return fleet, table


def _tighten(pickup: Any, dropoff: Any, direct: int) -> None:
    """Narrow a ride's windows to what its other end and its longest ride allow (Cordeau 2006, §5.1.1)."""
    least, most = int(pickup[f.V_DWELL]) + direct, int(dropoff[f.V_RIDE])
    pickup[f.V_EARLIEST] = max(pickup[f.V_EARLIEST], dropoff[f.V_EARLIEST] - most)
    pickup[f.V_LATEST] = min(pickup[f.V_LATEST], dropoff[f.V_LATEST] - least)
    dropoff[f.V_EARLIEST] = max(dropoff[f.V_EARLIEST], pickup[f.V_EARLIEST] + least)
    dropoff[f.V_LATEST] = min(dropoff[f.V_LATEST], pickup[f.V_LATEST] + most)


def solve(
    instance: Instance, seconds: float, seed: int, tuning: Tuning | None = None, searches: int = SEARCHES
) -> Solution:
    """The best of `searches` side by side, each for `seconds` of wall time: compiled code leaves Python's lock."""
    with ThreadPoolExecutor(searches) as pool:
        found = pool.map(lambda k: _search(instance, seconds, seed * searches + k, tuning), range(searches))
    solutions = list(found)
    best = min(
        solutions, key=lambda it: (not it.routes, _fewer(instance) and len(it.routes), instance.length(it.routes))
    )
    return replace(best, iterations=sum(solution.iterations for solution in solutions))


def _fewer(instance: Instance) -> bool:
    """Whether vehicles count before distance: there is no longest ride."""
    return instance.longest_ride == math.inf


def _search(instance: Instance, seconds: float, seed: int, tuning: Tuning | None) -> Solution:
    tuning = tuning or (PICKUP_AND_DELIVERY if _fewer(instance) else DIAL_A_RIDE)
    started = time.perf_counter()
    fleet, table = fleet_of(instance)
    count, rides = fleet.count, len(instance.requests)
    depot, at = np.zeros(count, np.int64), fleet.shuttles[:count, f.AT].copy()
    s = open_search(
        count, 0, fleet.shuttles, fleet.routes, fleet.visits, fleet.rules, table, np.ascontiguousarray(table[0].T),
        np.arange(table.shape[2]),
        np.zeros(1, np.int64), depot, at, 2 * np.arange(rides), np.zeros(0, np.int64),
        np.full(rides, FEWER_VEHICLES), 2 * rides + 4, rides, 2**17, 0, seed,
    )  # fmt: skip
    counters, plans, elements, reach, planned, _ = state(s)
    counters[[se.STRING, se.CARDINALITY]] = tuning.string, tuning.cardinality
    counters[[se.BLINK, se.GAP]] = tuning.blink, tuning.gap
    counters[se.TWINS] = fleet.shuttles[0, f.N]
    leg = int(table.mean())
    iterations = 0

    def until(share: float) -> float:
        return share - (time.perf_counter() - started) / seconds

    save = _fewer(instance)
    patience = tuning.fleet_share if save else 1.0
    open_plans = count
    served = False
    while until(patience) > 0:
        done = anneal(s, 50, int(leg * tuning.cold), int(leg * tuning.cold), FEWER_VEHICLES)
        iterations += done
        if counters[se.ABSENT] > 0:
            continue
        served = True
        if not save:
            break
        empty = plans[:, se.BEST_N] == counters[se.TWINS]
        used = [int(v) for v in np.flatnonzero(~empty)]
        for v in np.flatnonzero(empty):
            close_plan(s, v)
        absences = {v: int(elements[elements[:, se.ON] == v, se.PENALTY].sum()) for v in used}
        open_plans = len(used)
        if open_plans == 1:
            break
        close_plan(s, min(used, key=lambda v: (absences[v], v)))
        reach[:, 0] = -1
    if not served:
        return Solution([], time.perf_counter() - started, iterations)
    back_to_best(s)
    elements[:, se.PENALTY] = int(leg * tuning.absence) if tuning.absence else MUST
    reach[:, 0] = -1
    begun = 1 - until(1.0)
    chunk = 20
    while until(1.0) > 0:
        spent = 1 - until(1.0)
        part = (spent - begun) / (1 - begun)
        heat = leg * tuning.warm * (tuning.cold / tuning.warm) ** part
        before = time.perf_counter()
        iterations += anneal(s, chunk, int(heat), int(heat), 0)
        took = time.perf_counter() - before
        if took < seconds / 400:
            chunk += chunk // 2
        elif took > seconds / 100:
            chunk = max(1, chunk // 2)
    routes = []
    for v in range(count):
        codes = planned[v, se.BEST_CODES, : plans[v, se.BEST_N]]
        route = [int(fleet.visits[c, f.V_PLACE]) for c in codes if c < 2 * rides]
        if route:
            routes.append(route)
    return Solution(routes, time.perf_counter() - started, iterations)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.static", description=__doc__)
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument("--seconds", type=float, default=5.0, help="wall seconds a file, compilation left out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--peer", action="store_true", help="beside it what OR-Tools alone finds")
    parser.add_argument("--json", action="store_true", help="one object on stdout, nothing else")
    options = parser.parse_args(arguments)
    results = []
    try:
        if not 0 < options.seconds <= 86_400:
            raise InputError(f"--seconds {options.seconds:g}", expected="more than 0, at most a day")
        instances = [(name, read(name)) for name in options.files]
        warm()
        for name, instance in instances:
            solution = solve(instance, options.seconds, options.seed)
            if not solution.routes:
                raise InputError("no plan was found that serves every request", file=name)
            wrong = faults(instance, solution.routes)
            result = {
                "file": name,
                "vehicles": len(solution.routes),
                "distance": instance.length(solution.routes),
                "feasible": not wrong,
                "routes": solution.routes,
                "seconds": solution.seconds,
            }
            if options.peer:
                result["peer"] = beside(instance, options.seconds)
            results.append(result)
            if not options.json:
                verdict = "feasible" if not wrong else f"INFEASIBLE: {wrong[0]}"
                print(
                    f"{Path(name).name:16} {result['vehicles']:4} vehicles {result['distance']:12.4f} {verdict} "
                    f"{solution.seconds:6.2f} s {solution.iterations:8} iterations{_said(result)}",
                    flush=True,
                )
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps({"results": results}))
    return 0 if all(result["feasible"] for result in results) else 1


def beside(instance: Instance, seconds: float) -> dict[str, Any]:
    """What OR-Tools alone finds: vehicles and distance, None where it serves not everybody."""
    routes = routed(instance, seconds)
    if routes is None:
        return {"vehicles": None, "distance": None, "feasible": False}
    return {
        "vehicles": len(routes),
        "distance": instance.length(routes),
        "feasible": not faults(instance, routes),
    }


def _said(result: dict[str, Any]) -> str:
    """The peer's part of a line."""
    peer = result.get("peer")
    if peer is None:
        return ""
    if peer["distance"] is None:
        return "; OR-Tools serves not everybody"
    more = 100 * (peer["distance"] / result["distance"] - 1)
    verdict = "" if peer["feasible"] else " INFEASIBLE"
    return f"; OR-Tools {peer['vehicles']} vehicles {peer['distance']:.4f} ({more:+.1f} %){verdict}"


def warm() -> None:
    """Compile, outside the measured seconds."""
    places = instances_for_warming()
    for instance in places:
        solve(instance, 0.05, 1)


def instances_for_warming() -> list[Instance]:
    """Two rides and two vehicles, once with and once without limits on ride and route."""
    from tests.benchmarks.instances import Place

    spots = [(0, 0), (1, 0), (0, 1), (2, 0), (0, 2)]
    demands = [0, 1, 1, -1, -1]
    places = tuple(Place(x, y, d, 0, 100, 1) for (x, y), d in zip(spots, demands, strict=True))
    requests = ((1, 3), (2, 4))
    return [
        Instance("warm", 2, 2, places, requests),
        Instance("warm", 2, 2, places, requests, 0, 50, 90),
    ]


if __name__ == "__main__":
    sys.exit(main())
