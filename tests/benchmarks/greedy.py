"""A greedy plan improved for a second: 20 shuttles and 100 requests, 100 and 500: python -m tests.benchmarks.greedy

The grid of `insertion`; every request is known and on a plan, put there in turn where it adds the least driving. What
is to be improved is driving alone. Told is how much of it the product's search saves within --seconds, the better of
two side by side, and OR-Tools' routing solver from the same plans with the same limits (guided local search, one
thread, its own stop): each vehicle begins where it stands, pickups within 30 minutes, arrivals within 30 minutes +
1.5 × direct.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from dispatch.core import fleet as f
from dispatch.core.anneal import anneal
from dispatch.core.domain import NEVER
from dispatch.core.fleet import Fleet
from dispatch.core.search import BEST, BLINK, CARDINALITY, STRING, open_search, state
from dispatch.core.timing import OK, time_route
from routing.travel_times import DriveTimes
from tests.benchmarks.insertion import EDGE_MS, compiled, roads

POINTS = 64
WINDOW_MS = 1_800_000
SEARCHES = 2
LEG = 1000 * 10 * EDGE_MS
WARM, COLD = 2.0, 0.05
"""temperatures, in legs of ten streets"""


def greedy(shuttles: int, requests: int, times: DriveTimes, seed: int) -> Fleet:
    """Every request inserted in turn where it adds the least driving."""
    random = np.random.default_rng(seed)
    places = len(times.place_nodes)
    fleet = Fleet(shuttles, 2 * requests + 2, POINTS)
    fleet.count = shuttles
    fleet.rules[[f.WAIT_ABOARD, f.W_DRIVE, f.DIVERT]] = NEVER, 1000, 1
    for v in range(shuttles):
        columns = [f.NODE, f.HEADING, f.STANDS, f.SEATS, f.END, f.OPEN]
        fleet.shuttles[v, columns] = int(random.integers(places)), -1, -1, 8, NEVER, 1
    for number in range(requests):
        origin, destination = (int(x) for x in random.choice(places, 2, replace=False))
        by = WINDOW_MS + 3 * int(times.table[0, origin, destination]) // 2
        fleet.visits[2 * number] = (origin, 0, WINDOW_MS, 0, 1, 0, NEVER, f.PICKUP)
        fleet.visits[2 * number + 1] = (destination, 0, by, 0, -1, 0, NEVER, f.DROPOFF)
        _, v, i, j, *_ = compiled(fleet, times, 2 * number)
        if v < 0:
            raise SystemExit(f"seed {seed}: request {number} fits nowhere")
        codes = fleet.routes[v, f.CODE, : fleet.shuttles[v, f.N]].tolist()
        codes[i:j] = [2 * number, *codes[i:j], 2 * number + 1]
        put(fleet, times, v, codes)
    return fleet


def put(fleet: Fleet, times: DriveTimes, v: int, codes: list[int]) -> None:
    """Give a shuttle this plan."""
    fleet.shuttles[v, f.N] = len(codes)
    fleet.routes[v, f.CODE, : len(codes)] = codes
    row = fleet.shuttles[v]
    status = time_route(
        fleet.routes[v], len(codes), row, row[f.NODE], 0, fleet.visits, fleet.rules, times.table, times.place_nodes,
        times.slices,
    )  # fmt: skip
    if status != OK:
        raise SystemExit(f"shuttle {v}: the plan breaks a bound")


Spent = Callable[[int], float]
"""iterations done -> the share of the search that is over"""


def clock(seconds: float) -> Spent:
    """A search of so many seconds."""
    begun = time.perf_counter()
    return lambda _: (time.perf_counter() - begun) / seconds


def searched(fleet: Fleet, times: DriveTimes, spent: Spent, seed: int) -> float:
    """Driving of the search's best plans as a share of what it was: the better of two side by side, one a core."""
    with ThreadPoolExecutor(SEARCHES) as pool:
        return min(pool.map(lambda k: _searched(fleet, times, spent, seed * SEARCHES + k), range(SEARCHES)))


def _searched(fleet: Fleet, times: DriveTimes, spent: Spent, seed: int) -> float:
    count = fleet.count
    nodes, at = fleet.shuttles[:count, f.NODE].copy(), np.zeros(count, np.int64)
    none = np.zeros(0, np.int64)
    s = open_search(
        count, 0, fleet.shuttles, fleet.routes, fleet.visits, fleet.rules, times.table, times.into, times.place_nodes,
        times.slices, nodes, at, none, none, none, POINTS, 64, 2**20, 0, seed,
    )  # fmt: skip
    counters = state(s)[0]
    counters[[STRING, CARDINALITY, BLINK]] = 8, 12, 2
    before = int(counters[BEST])
    done = 0
    while (over := spent(done)) < 1:
        heat = int(WARM * LEG * (COLD / WARM) ** over)
        done += anneal(s, 50, heat, heat, 0)
    return int(counters[BEST]) / before


def routed(fleet: Fleet, times: DriveTimes, seconds: float) -> float | None:
    """The same by OR-Tools' routing solver; None if it has nothing better than the plan it was given."""
    count = fleet.count
    plans = [fleet.routes[v, f.CODE, : fleet.shuttles[v, f.N]].tolist() for v in range(count)]
    visits = sum(map(len, plans))
    nodes = np.concatenate([times.place_nodes[fleet.visits[:visits, f.V_PLACE]], fleet.shuttles[:count, f.NODE]])
    end = visits + count
    drive = np.zeros((end + 1, end + 1), np.int64)
    drive[:end, :end] = times.table[0][nodes][:, nodes] // 1000  # on the grid every node is a place
    drive[:, visits:end] = 0
    manager = pywrapcp.RoutingIndexManager(end + 1, count, list(range(visits, end)), [end] * count)
    model = pywrapcp.RoutingModel(manager)
    transit = model.RegisterTransitMatrix(drive.tolist())
    model.SetArcCostEvaluatorOfAllVehicles(transit)
    model.AddDimension(transit, 10**6, 10**6, False, "time")
    seats = model.RegisterUnaryTransitVector([*fleet.visits[:visits, f.V_SEATS].tolist(), *[0] * (count + 1)])
    model.AddDimensionWithVehicleCapacity(seats, 0, [8] * count, True, "seats")
    clock, solver = model.GetDimensionOrDie("time"), model.solver()
    for pickup in range(0, visits, 2):
        a, b = manager.NodeToIndex(pickup), manager.NodeToIndex(pickup + 1)
        model.AddPickupAndDelivery(a, b)
        solver.Add(model.VehicleVar(a) == model.VehicleVar(b))
        solver.Add(clock.CumulVar(a) <= clock.CumulVar(b))
        for code, at in ((pickup, a), (pickup + 1, b)):
            clock.CumulVar(at).SetMax(int(fleet.visits[code, f.V_LATEST]) // 1000)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(int(1000 * seconds))
    model.CloseModelWithParameters(parameters)
    given = model.ReadAssignmentFromRoutes([[manager.NodeToIndex(code) for code in plan] for plan in plans], True)
    if given is None:
        return None
    before = given.ObjectiveValue()
    best = model.SolveFromAssignmentWithParameters(given, parameters)
    return None if best is None else best.ObjectiveValue() / before


def main() -> None:
    """Print what is saved for each size."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.greedy", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    times = roads()
    searched(greedy(20, 30, times, 1), times, clock(0.05), 1)  # compiles
    for shuttles, requests in ((20, 100), (100, 500)):
        for seed in range(1, options.seeds + 1):
            fleet = greedy(shuttles, requests, times, seed)
            ours = searched(fleet, times, clock(options.seconds), seed)
            theirs = routed(fleet, times, options.seconds)
            beside = "nothing" if theirs is None else f"{100 * (theirs - 1):+.1f} %"
            day = f"{shuttles:4} shuttles {requests:4} requests, seed {seed}"
            print(f"{day}: {100 * (ours - 1):+.1f} %, OR-Tools {beside}", flush=True)


if __name__ == "__main__":
    main()
