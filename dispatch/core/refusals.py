"""Why a request can't be had: what nobody could ever carry, what bound each shuttle, what would have worked."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch.core import fleet_insertion, insertion, offers
from dispatch.core.domain import Cause, Receipt, RideRequest
from dispatch.core.fleet import Fleet
from dispatch.core.openings import best_opening, read_by_kernels
from dispatch.core.pack import write_ends
from dispatch.core.receipt import CONSTRAINTS
from dispatch.core.world import Ride, World
from routing.travel_times import UNREACHABLE, DriveTimes

LOOK_AHEAD = 4 * 3_600_000
"""how far ahead a receipt looks for a time that would have worked, ms"""


def impossible(world: World, request: RideRequest, now: int) -> Receipt | None:
    """Why nobody could ever carry this; None if somebody could."""
    policy = world.policy
    binding = None
    if world.paused:
        binding = "paused"
    elif request.seats > policy.max_party:
        binding = "party_too_large"
    elif {request.origins[0].place, request.destinations[0].place} & world.closed_places.keys():
        binding = "stop_closed"
    elif request.direct >= UNREACHABLE:
        binding = "no_way"
    elif request.depart_after > now + policy.horizon_s * 1000:
        binding = "horizon"
    else:
        allowed = offers.limits(request, policy, now, request.origins[0], request.destinations[0])
        if allowed.pickup_to < now or allowed.dropoff_by < now:
            binding = "past"
    return None if binding is None else Receipt(0, 0, binding)


def why_not(world: World, fleet: Fleet, names: Sequence[str], times: DriveTimes, ride: Ride, now: int) -> Receipt:
    """Why an open request can't be had now: what bound each shuttle, and what would have worked.

    `names`: the shuttles', by their rows.
    """
    request, policy = ride.request, world.policy
    never = impossible(world, request, now)
    if never is not None:
        return never
    ahead = best_opening(fleet, times, policy, ride, now, later=LOOK_AHEAD, nearest_only=True).opening
    origin, destination = request.origins[0], request.destinations[0]
    allowed = offers.limits(request, policy, now, origin, destination)
    write_ends(fleet, policy, ride, origin.place, destination.place, allowed)
    on_shift, reach, nearest = fleet_insertion.nearest(
        fleet.count, 2 * ride.number, now, *read_by_kernels(fleet, times)
    )
    causes = tuple(
        Cause(names[v], CONSTRAINTS[stage], short)
        for v, stage, short in nearest.tolist()
        if v >= 0 and stage < insertion.FITS
    )
    binding = causes[0].constraint if causes else "off_shift"
    if ahead is None:
        return Receipt(on_shift, reach, binding, causes)
    minutes = -(-(ahead.pickup_at - request.depart_after) // 60_000)
    relax = f"A pickup {minutes} minutes after the time asked for would have worked."
    return Receipt(on_shift, reach, binding, causes, ahead.pickup_at, relax)
