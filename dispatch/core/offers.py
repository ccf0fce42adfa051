"""What a request allows, and what may be promised for it."""

from __future__ import annotations

import math

from dispatch.core.domain import Access, Fares, Policy, Promise, RideRequest


def leaves(policy: Policy, now: int, direct: int, arrive_by: int) -> int:
    """From when on a rider who names only an arrival need be picked up: the longest journey allowed before it."""
    return max(now, arrive_by - round(policy.journey_factor * direct) - policy.journey_extra_s * 1000)


def limits(
    request: RideRequest, policy: Policy, now: int, origin: Access, destination: Access, *, later: int = 0
) -> Promise:
    """The widest promise that the request and the policy allow between two stop points.

    `later` (ms) is how much later than asked everything may be: what an alternative is looked for with.
    Walks count: the rider can't be at the stop point before walking there, and arrives after walking from the other.
    """
    journey = round(policy.journey_factor * request.direct)
    extra = policy.journey_extra_s * 1000
    depart = request.depart_after
    if request.arrive_by is not None:
        depart = leaves(policy, depart, request.direct, request.arrive_by)
    pickup_to = request.latest_pickup
    if pickup_to is None:
        if request.arrive_by is not None:
            pickup_to = request.arrive_by - request.direct
        else:
            pickup_to = depart + policy.max_wait_s * 1000
        dropoff_by = depart + journey + extra
    else:
        dropoff_by = max(depart + extra, pickup_to) + journey
    if request.latest_dropoff is not None:
        dropoff_by = request.latest_dropoff
    if request.arrive_by is not None:
        dropoff_by = min(dropoff_by, request.arrive_by)
    longest = request.max_ride
    if longest is None and policy.max_ride_factor is not None:
        longest = round(policy.max_ride_factor * request.direct) + policy.max_ride_extra_s * 1000
    return Promise(max(depart + origin.walk, now), pickup_to + later, dropoff_by + later - destination.walk, longest)


def promise(allowed: Promise, pickup_at: int, policy: Policy) -> Promise:
    """What the rider is told, given when the plan would pick them up: whole seconds, rounded outward.

    Without `promise_window_s` it is all that the request allows.
    """
    begins, ends = allowed.pickup_from, allowed.pickup_to
    if policy.promise_window_s is not None:
        begins = max(begins, pickup_at - policy.early_s * 1000)
        ends = min(ends, begins + policy.promise_window_s * 1000)
    return Promise(
        begins // 1000 * 1000, _second_after(max(ends, pickup_at)), _second_after(allowed.dropoff_by), allowed.max_ride
    )


def fare(request: RideRequest, fares: Fares) -> int:
    """Fare of the whole party, by the shortest way's length."""
    beyond = max(0.0, request.direct_mm / 1_000_000 - fares.base_km)
    return (fares.base + math.ceil(beyond) * fares.per_km) * request.seats


def _second_after(ms: int) -> int:
    return -(-ms // 1000) * 1000
