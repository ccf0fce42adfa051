"""Where a request fits best into the fleet's plans, and between which stop points that its rider would walk to.

Nothing is changed: a request that is on no plan is tried by way of its own rows of `visits`.
"""

from __future__ import annotations

from itertools import islice

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from dispatch.core import fleet as f
from dispatch.core import fleet_insertion, offers, overdue
from dispatch.core.domain import Access, Policy, Promise
from dispatch.core.fleet import Fleet
from dispatch.core.pack import write_ends
from dispatch.core.world import Ride
from routing.travel_times import DriveTimes


class Opening(Struct, frozen=True):
    """A place for a ride on a shuttle's plan."""

    cost: int
    """thousandths of ms, as `insertion` has it, walks included"""
    row: int
    """of the shuttle"""
    after: tuple[int, int]
    """pickup after this point of the plan, drop-off after that one"""
    pickup_at: int
    dropoff_at: int
    origin: Access
    destination: Access
    allowed: Promise

    @property
    def walk(self) -> int:
        """ms to the one stop point and from the other."""
        return self.origin.walk + self.destination.walk


class Found(Struct, frozen=True):
    """What the fleet has for a request."""

    opening: Opening | None
    on_shift: int
    """shuttles"""
    in_reach: int
    """of them"""


def best_opening(
    fleet: Fleet, times: DriveTimes, policy: Policy, ride: Ride, now: int, *, later: int = 0, nearest_only: bool = False
) -> Found:
    """The best opening over all shuttles and stop points, all limits `later` (ms) than asked.

    `nearest_only`: between the stop points nearest to where the rider is and wants to be.
    """
    request = ride.request
    best = Found(None, 0, 0)
    choices = 1 if nearest_only else policy.stop_choices
    for origin in islice(request.origins, choices):
        for destination in islice(request.destinations, choices):
            if origin.place == destination.place:
                continue
            allowed = offers.limits(request, policy, now, origin, destination, later=later)
            found = opening_between(fleet, times, policy, ride, now, origin, destination, allowed)
            best = Found(_better(best.opening, found.opening), found.on_shift, max(best.in_reach, found.in_reach))
    return best


def _better(one: Opening | None, other: Opening | None) -> Opening | None:
    if one is None or other is None:
        return one or other
    return other if other.cost < one.cost else one


def opening_between(
    fleet: Fleet,
    times: DriveTimes,
    policy: Policy,
    ride: Ride,
    now: int,
    origin: Access,
    destination: Access,
    allowed: Promise,
) -> Found:
    """The best opening between these stop points within these limits."""
    write_ends(fleet, policy, ride, origin.place, destination.place, allowed)
    code = 2 * ride.number
    hit: tuple[int, ...] = fleet_insertion.best_insertion(fleet.count, code, now, *read_by_kernels(fleet, times))
    if hit[6]:
        hit = as_if_all_went_on(fleet, times, code, now)
    cost, row, i, j, pickup_at, dropoff_at, _, on_shift, in_reach = hit
    if row < 0:
        return Found(None, on_shift, in_reach)
    cost += int(fleet.rules[f.W_DELAY]) * (origin.walk + destination.walk)
    opening = Opening(cost, row, (i, j), pickup_at, dropoff_at, origin, destination, allowed)
    return Found(opening, on_shift, in_reach)


def as_if_all_went_on(fleet: Fleet, times: DriveTimes, code: int, now: int) -> tuple[int, ...]:
    """What `best_insertion` returns where every shuttle that is overdue goes on now."""
    roads = (times.table, times.place_nodes, times.slices, times.indptr, times.heads, times.edge_ms)
    were = np.empty(fleet.count, np.int64), np.empty_like(fleet.shuttles), np.empty_like(fleet.routes)
    n = overdue.go_on(
        fleet.count, now, *were, fleet.shuttles, fleet.routes, fleet.visits, fleet.rules, *roads
    )  # fmt: skip
    hit: tuple[int, ...] = fleet_insertion.best_insertion(fleet.count, code, now, *read_by_kernels(fleet, times))
    overdue.as_they_were(n, *were, fleet.shuttles, fleet.routes)
    return hit


def read_by_kernels(fleet: Fleet, times: DriveTimes) -> tuple[f.Ints | NDArray[np.int32], ...]:
    """What the kernels of `fleet_insertion` read, in their order."""
    return (
        fleet.shuttles,
        fleet.routes,
        fleet.scratch,
        fleet.visits,
        fleet.rules,
        times.table,
        times.into,
        times.place_nodes,
        times.slices,
        times.indptr,
        times.heads,
        times.edge_ms,
    )
