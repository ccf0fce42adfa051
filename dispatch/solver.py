"""OR-Tools, and its only import: choosing routes from a pool, polishing a few shuttles' plans, moving idle shuttles.

Every answer is a proposal and None is one, too: the judge decides (`schedule.violations`). Limits are counts or
CP-SAT's deterministic time, one worker each, so that the same call gives the same answer; who looks at a clock is the
live service, whose worker is ended when it hangs. OR-Tools is loaded when it is first asked: most days never do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dispatch.core import fleet as f
from dispatch.core.domain import NEVER
from dispatch.core.fleet import Fleet
from dispatch.core.reoptimise import Plans, PooledPlan, Solvers
from dispatch.core.timing import start
from routing.travel_times import DriveTimes


def choose_routes(
    pool: Sequence[PooledPlan], current: Mapping[int, tuple[int, ...]], *, effort: float = 1.0
) -> Plans | None:
    """The cheapest choice of one plan a shuttle that carries everybody the current plans carry, each once.

    Set partitioning over plans that a search has met (Alonso-Mora et al. 2017; Sartori & Buriol 2020). Shuttles that
    the pool does not know keep their plan. `effort` is CP-SAT's deterministic time. None if nothing cheaper was found.
    """
    from ortools.sat.python import cp_model

    known = {plan.row for plan in pool}
    had = {code >> 1 for row in known for code in current.get(row, ())}
    cheapest: dict[tuple[int, frozenset[int]], PooledPlan] = {}
    for plan in pool:
        key = plan.row, frozenset(code >> 1 for code in plan.visits)
        if key[1] <= had and (key not in cheapest or plan.cost < cheapest[key].cost):
            cheapest[key] = plan
    model = cp_model.CpModel()
    chosen = {key: model.new_bool_var("") for key in cheapest}
    for row in known:
        model.add_exactly_one(var for (of, _), var in chosen.items() if of == row)
    for ride in had:
        model.add_exactly_one(var for (_, rides), var in chosen.items() if ride in rides)
    least = min((plan.cost for plan in cheapest.values()), default=0)
    model.minimize(sum((cheapest[key].cost - least) * var for key, var in chosen.items()))
    now = {(row, frozenset(code >> 1 for code in current.get(row, ()))) for row in known}
    for key, var in chosen.items():
        model.add_hint(var, key in now)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_deterministic_time = effort
    if solver.solve(model) not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
        return None
    plans = {key[0]: cheapest[key].visits for key, var in chosen.items() if solver.value(var)}
    plans = {row: visits for row, visits in plans.items() if visits != tuple(current.get(row, ()))}
    return plans or None


def polish_cluster(
    fleet: Fleet, times: DriveTimes, now: int, rows: Sequence[int], *, solutions: int = 200
) -> Plans | None:
    """Better plans for a few shuttles, by OR-Tools' routing solver from their present ones; None if it has none.

    Local search of at most `solutions` steps (its own time limits are wall clock: they are not used). Left out are
    shuttles with fixed calls, breaks, committed heads, or a plan that is broken; a wait aboard is left to the judge.
    """
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    rows = [v for v in rows if _plain(fleet, v)]
    codes = [int(c) for v in rows for c in fleet.routes[v, f.CODE, : fleet.shuttles[v, f.N]]]
    if len(rows) < 2 or len(codes) < 4:
        return None
    k = int(times.slices[min(max(now, 0) // 900_000, len(times.slices) - 1)])
    visits, rules = fleet.visits, fleet.rules
    starts = [start(fleet.shuttles[v], now, times.table, times.indptr, times.heads, times.edge_ms) for v in rows]
    # nodes: the visits, then each shuttle's start, then one end that is nowhere
    n, shuttles = len(codes), len(rows)
    places = visits[codes, f.V_PLACE]
    nodes = np.concatenate([times.place_nodes[places], [node for node, _ in starts]])
    drive = np.zeros((n + shuttles + 1, n + shuttles + 1), np.int64)
    drive[: n + shuttles, :n] = times.table[k][nodes][:, places]
    serve = np.zeros_like(drive)
    serve[:n] = (visits[codes, f.V_DWELL] + rules[f.STOP_DWELL])[:, None]
    end = n + shuttles
    manager = pywrapcp.RoutingIndexManager(end + 1, shuttles, list(range(n, end)), [end] * shuttles)
    model = pywrapcp.RoutingModel(manager)
    cost = model.RegisterTransitMatrix((drive * int(rules[f.W_DRIVE])).tolist())
    model.SetArcCostEvaluatorOfAllVehicles(cost)
    horizon = 4 * 86_400_000
    model.AddDimension(model.RegisterTransitMatrix((drive + serve).tolist()), horizon, horizon, False, "time")
    clock = model.GetDimensionOrDie("time")
    aboard = [[int(fleet.shuttles[v, column]) for v in rows] for column in (f.ABOARD, f.WABOARD)]
    for name, column, room, has in (
        ("seats", f.V_SEATS, f.SEATS, aboard[0]),
        ("wheelchairs", f.V_WHEELCHAIRS, f.WHEELCHAIRS, aboard[1]),
    ):
        demand = [*visits[codes, column].tolist(), *has, 0]
        capacity = [int(fleet.shuttles[v, room]) for v in rows]
        transit = model.RegisterUnaryTransitVector(demand)
        model.AddDimensionWithVehicleCapacity(transit, 0, capacity, True, name)
    solver = model.solver()
    index = {code: manager.NodeToIndex(at) for at, code in enumerate(codes)}
    of = {code: v for v, row in enumerate(rows) for code in fleet.routes[row, f.CODE, : fleet.shuttles[row, f.N]]}
    for code, at in index.items():
        earliest, latest = int(visits[code, f.V_EARLIEST]), int(visits[code, f.V_LATEST])
        clock.CumulVar(at).SetRange(max(earliest, 0), min(latest, horizon))
        if code & 1 == 0:
            other = index[code + 1]
            model.AddPickupAndDelivery(at, other)
            solver.Add(model.VehicleVar(at) == model.VehicleVar(other))
            solver.Add(clock.CumulVar(at) <= clock.CumulVar(other))
            if visits[code + 1, f.V_RIDE] < NEVER:
                solver.Add(clock.CumulVar(other) - clock.CumulVar(at) <= int(visits[code + 1, f.V_RIDE]))
        else:
            clock.SetCumulVarSoftUpperBound(at, max(now, 0), int(rules[f.W_DELAY]))
            if code - 1 not in index:  # a rider aboard
                model.VehicleVar(at).SetValues([-1, of[code]])
    for v, row in enumerate(rows):
        clock.CumulVar(model.Start(v)).SetValue(int(starts[v][1]))
        clock.CumulVar(model.End(v)).SetMax(min(int(fleet.shuttles[row, f.END]), horizon))
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GREEDY_DESCENT
    parameters.solution_limit = solutions
    parameters.local_search_operators.use_path_lns = 2  # BOOL_FALSE: its limits are wall clock
    parameters.local_search_operators.use_inactive_lns = 2
    model.CloseModelWithParameters(parameters)
    plans = [[codes.index(c) for c in fleet.routes[v, f.CODE, : fleet.shuttles[v, f.N]]] for v in rows]
    warm = model.ReadAssignmentFromRoutes(plans, True)
    if warm is None:
        return None
    before = warm.ObjectiveValue()
    best = model.SolveFromAssignmentWithParameters(warm, parameters)
    if best is None or best.ObjectiveValue() >= before:
        return None
    result: Plans = {}
    for v, row in enumerate(rows):
        at, plan = model.Start(v), []
        while not model.IsEnd(at := best.Value(model.NextVar(at))):
            plan.append(codes[manager.IndexToNode(at)])
        if plan != [int(c) for c in fleet.routes[row, f.CODE, : fleet.shuttles[row, f.N]]]:
            result[row] = tuple(plan)
    return result or None


def _plain(fleet: Fleet, v: int) -> bool:
    shuttle = fleet.shuttles[v]
    codes = fleet.routes[v, f.CODE, : shuttle[f.N]]
    kinds = fleet.visits[codes, f.V_KIND]
    late = fleet.routes[v, f.BEGIN, : shuttle[f.N]] > fleet.visits[codes, f.V_LATEST]
    return bool(
        shuttle[f.OPEN]
        and shuttle[f.FROZEN] == 0
        and shuttle[f.TAIL] == 0
        and not (shuttle[f.HEADING] >= 0 and fleet.rules[f.DIVERT] == 0)
        and ((kinds == f.PICKUP) | (kinds == f.DROPOFF)).all()
        and not late.any()
    )


def min_cost_moves(drive: Sequence[Sequence[int]], wanted: Sequence[int], worth: Sequence[int]) -> list[int] | None:
    """Where idle shuttles should go: for each its place, -1 to stay, at least drive minus worth in all.

    `drive[s][p]` is what going costs shuttle s, at place p up to `wanted[p]` shuttles are worth `worth[p]` each, in the
    same integer unit. A minimum-cost flow. None if the solver fails.
    """
    from ortools.graph.python import min_cost_flow

    flow = min_cost_flow.SimpleMinCostFlow()
    shuttles, places = len(drive), len(wanted)
    sink = shuttles + places
    arcs = []
    for s, row in enumerate(drive):
        flow.add_arc_with_capacity_and_unit_cost(s, sink, 1, 0)
        for p, cost in enumerate(row):
            if cost < worth[p] and wanted[p] > 0:
                arcs.append((flow.add_arc_with_capacity_and_unit_cost(s, shuttles + p, 1, cost - worth[p]), s, p))
        flow.set_node_supply(s, 1)
    for p, most in enumerate(wanted):
        flow.add_arc_with_capacity_and_unit_cost(shuttles + p, sink, most, 0)
    flow.set_node_supply(sink, -shuttles)
    if flow.solve() != flow.OPTIMAL:
        return None
    moves = [-1] * shuttles
    for arc, s, p in arcs:
        if flow.flow(arc):
            moves[s] = p
    return moves


OR_TOOLS = Solvers(min_cost_moves, choose_routes, polish_cluster)
