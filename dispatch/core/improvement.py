"""Better plans between requests: found by the search, judged, and put in force with places for who is queued."""

from __future__ import annotations

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core import offers
from dispatch.core.desk import Desk
from dispatch.core.domain import Promise
from dispatch.core.pack import write_ends
from dispatch.core.reoptimise import Solvers, better_plans
from dispatch.core.schedule import timetable, violations
from dispatch.core.supply import time_for_each
from dispatch.core.world import Ride, World

REFUSAL = 2
"""times what there is of the shuttles' time for each who asks: what the others may be rearranged for one who waits"""
LEARN_S = 3600
"""those who asked within this time are taken as those who will"""


def improve(desk: Desk, now: int, solvers: Solvers) -> list[ev.Event]:
    """Better plans for what is not committed, with places for who is in the queue; [] if none were found."""
    settings = desk.world.policy.reoptimise
    if settings is None:
        return []
    allowed = waiting(desk, now)
    found = better_plans(
        desk.fleet, desk.times, now, settings, solvers, seed=desk.world.seq, waiting=list(allowed),
        locked=locked(desk.world), refusal=refusal(desk.world, now),
    )  # fmt: skip
    desk.rejected += found.failed
    return adopt(desk, found.plans, {code: allowed[code] for code in found.served}, now)


def waiting(desk: Desk, now: int) -> dict[int, Promise]:
    """What each request in the queue allows, by its pickup's code, written where a search reads it."""
    rides = (desk.world.rides[request] for request in desk.world.queue)
    return {2 * ride.number: _allow(desk, ride, now) for ride in rides}


def locked(world: World) -> tuple[int, ...]:
    """Pickup codes, on plans, of rides that a person in charge has locked to their shuttles."""
    codes = (code for shuttle in world.shuttles.values() for code in shuttle.plan.visits if code % 2 == 0)
    return tuple(code for code in codes if (ride := world.ride_of(code)) is not None and ride.locked)


def refusal(world: World, now: int) -> int:
    """What it costs beyond their own direct ride that somebody keeps waiting, thousandths of ms."""
    fixed = world.policy.weights.refusal_s
    if fixed is not None:
        return round(fixed * 1_000_000)
    return 1000 * REFUSAL * time_for_each(world, LEARN_S, now)


def take_up(desk: Desk, proposal: ev.PlansProposed) -> list[ev.Event]:
    """A worker's plans put in force, if nothing that has happened since speaks against them."""
    allowed = waiting(desk, proposal.at)
    codes = [2 * desk.world.rides[request].number for request in proposal.served]
    if not all(code in allowed for code in codes):
        return []
    plans = {desk.world.shuttles[name].row: visits for name, visits in proposal.plans.items()}
    return adopt(desk, plans, {code: allowed[code] for code in codes}, proposal.at)


def adopt(desk: Desk, plans: dict[int, tuple[int, ...]], booked: dict[int, Promise], now: int) -> list[ev.Event]:
    """Plans proposed for shuttles' rows, judged; `booked` are the limits of riders from the queue that are on them.

    One plan that breaks anything refuses the whole proposal: [], and it is counted.
    """
    proposed = {desk.names[row]: visits for row, visits in sorted(plans.items()) if row < len(desk.names)}
    if len(proposed) < len(plans) or violations(desk.world, desk.fleet, desk.times, proposed, now, new=set(booked)):
        desk.rejected += 1
        return []
    before, after = {}, {}
    turns: list[ev.Event] = []
    bookings: list[ev.Event] = []
    for name, visits in proposed.items():
        _, route = timetable(desk.fleet, desk.times, desk.world.shuttles[name], visits, now)
        before[name] = desk.world.shuttles[name].plan
        plan = [code for code in visits if code & ~1 not in booked]
        after[name] = tuple(plan)
        turns += desk.turn(name, visits, now)
        version = before[name].version + (after[name] != before[name].visits)
        for code in (code for code in visits if code in booked):
            i = sum(c in plan for c in visits[: visits.index(code)])
            j = sum(c in plan for c in visits[: visits.index(code + 1)])
            plan[i:j] = [code, *plan[i:j], code + 1]
            version += 1
            begins = route[f.BEGIN]
            times = int(begins[visits.index(code)]), int(begins[visits.index(code + 1)])
            bookings.append(_booking(desk, name, code, (i, j), version, booked[code], times, now))
    changed = {name: visits for name, visits in after.items() if visits != before[name].visits}
    return [*turns, *([ev.PlansChanged(now, changed, "improved")] if changed else ()), *bookings]


def _booking(
    desk: Desk,
    name: str,
    code: int,
    after: tuple[int, int],
    version: int,
    allowed: Promise,
    times: tuple[int, int],
    now: int,
) -> ev.RideBooked:
    request = desk.world.rides[str(desk.world.numbered[code // 2])].request
    policy = desk.world.policy
    return ev.RideBooked(
        at=now,
        request=request.id,
        shuttle=name,
        after=after,
        version=version,
        promise=offers.promise(allowed, times[0], policy),
        pickup=request.origins[0],
        dropoff=request.destinations[0],
        pickup_at=times[0],
        dropoff_at=times[1],
        fare=offers.fare(request, policy.fares),
    )


def _allow(desk: Desk, ride: Ride, now: int) -> Promise:
    """What a queued request allows between its nearest stop points, written where the search reads it."""
    request, policy = ride.request, desk.world.policy
    origin, destination = request.origins[0], request.destinations[0]
    later = policy.later_s * 1000 if policy.queue else 0
    allowed = offers.limits(request, policy, now, origin, destination, later=later)
    write_ends(desk.fleet, policy, ride, origin.place, destination.place, allowed)
    return allowed
