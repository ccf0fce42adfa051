"""The peer of the static benchmark: OR-Tools' routing solver alone, on the same instance for as long.

One thread, guided local search from the first plan of local cheapest insertion: what its documentation proposes for
pickups and deliveries. Distances are thousandths, rounded up, so that what it finds feasible is.
"""

from __future__ import annotations

import math

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from tests.benchmarks.instances import Instance

SCALE = 1000
LEFT_OUT = 10**9
"""cost of a request that is on no route"""
A_VEHICLE = 10**7
"""where fewer vehicles count before distance"""


def routed(instance: Instance, seconds: float) -> list[list[int]] | None:
    """Routes without their depots, found in `seconds` of wall time; None if it found none that serves everybody."""
    places, vehicles = instance.places, instance.vehicles
    manager = pywrapcp.RoutingIndexManager(len(places), vehicles, [0] * vehicles, [instance.end] * vehicles)
    model = pywrapcp.RoutingModel(manager)
    drive = [
        [math.ceil(SCALE * instance.distance(a, b) - 1e-9) for b in range(len(places))] for a in range(len(places))
    ]
    model.SetArcCostEvaluatorOfAllVehicles(model.RegisterTransitMatrix(drive))
    fewer = instance.longest_ride == math.inf
    if fewer:
        model.SetFixedCostOfAllVehicles(A_VEHICLE)
    service = [math.ceil(SCALE * place.service) for place in places]
    taken = model.RegisterTransitMatrix([[leg + service[a] for leg in row] for a, row in enumerate(drive)])
    day = math.floor(SCALE * max(place.latest + place.service for place in places)) + max(map(max, drive))
    model.AddDimension(taken, day, day, False, "time")
    load = model.RegisterUnaryTransitVector([place.demand for place in places])
    model.AddDimensionWithVehicleCapacity(load, 0, [instance.capacity] * vehicles, True, "load")
    clock, solver = model.GetDimensionOrDie("time"), model.solver()

    def window(index: int, place: int) -> None:
        earliest, latest = math.ceil(SCALE * places[place].earliest), math.floor(SCALE * places[place].latest)
        clock.CumulVar(index).SetRange(earliest, latest)

    for v in range(vehicles):
        window(model.Start(v), 0)
        window(model.End(v), instance.end)
        if instance.longest_route < math.inf:
            clock.SetSpanUpperBoundForVehicle(math.floor(SCALE * instance.longest_route), v)
    for pickup, dropoff in instance.requests:
        a, b = manager.NodeToIndex(pickup), manager.NodeToIndex(dropoff)
        window(a, pickup)
        window(b, dropoff)
        model.AddPickupAndDelivery(a, b)
        solver.Add(model.VehicleVar(a) == model.VehicleVar(b))
        solver.Add(clock.CumulVar(a) + service[pickup] + drive[pickup][dropoff] <= clock.CumulVar(b))
        if instance.longest_ride < math.inf:
            most = math.floor(SCALE * instance.longest_ride) + service[pickup]
            solver.Add(clock.CumulVar(b) - clock.CumulVar(a) <= most)
        # at once as one disjunction: a request is served whole or left out whole
        model.AddDisjunction([a, b], LEFT_OUT, 2)
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.LOCAL_CHEAPEST_INSERTION
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(round(1000 * seconds))
    found = model.SolveWithParameters(parameters)
    if found is None:
        return None
    routes = []
    for v in range(vehicles):
        index, route = found.Value(model.NextVar(model.Start(v))), []
        while not model.IsEnd(index):
            route.append(manager.IndexToNode(index))
            index = found.Value(model.NextVar(index))
        if route:
            routes.append(route)
    served = sum(map(len, routes)) == 2 * len(instance.requests)
    return routes if served else None
