"""What stands in the plans: each booking once, in order, within the places, and nothing committed is changed."""

from __future__ import annotations

from dispatch.core import events as e
from dispatch.core.domain import NEVER
from dispatch.core.invariants.day import ABOARD, BOOKED, STRANDED, Day, Ride, Shuttle
from dispatch.core.invariants.promises import judge_timetable


def plans_changed(day: Day, event: e.PlansChanged) -> None:
    rides = day.rides
    plans = event.plans
    before: dict[int, Shuttle] = {}
    changed: list[tuple[Shuttle, tuple[int, ...]]] = []
    for id_, new in plans.items():
        shuttle = day.shuttle(id_)
        if shuttle is None:
            continue
        changed.append((shuttle, new))
        for visit in shuttle.plan:
            before[visit] = shuttle
    after: set[int] = set()
    newcomers: list[Ride] = []
    for shuttle, new in changed:
        if shuttle.closed and any(rides[visit >> 1].call is None for visit in new):
            day.found("off_shift", f"{shuttle.id} is {shuttle.closed} and is given a new plan", shuttle)
        for visit in new:
            number = visit >> 1
            if not 0 <= number < len(rides):
                day.found("one_plan", f"plan of {shuttle.id} holds visit {visit}, which is nobody's", shuttle)
                continue
            ride = rides[number]
            if visit in after:
                day.found("one_plan", f"visit {visit} ({ride.id}) is planned twice", shuttle, ride)
                continue
            after.add(visit)
            if visit not in before:
                _judge_newcomer(day, visit, ride, shuttle)
                if not visit & 1:
                    newcomers.append(ride)
                    ride.shuttle = shuttle
            elif before[visit] is not shuttle:
                _judge_moved(day, visit, ride, shuttle, before[visit])
            if visit & 1 and ride.state is not ABOARD and (visit - 1 not in after or ride.shuttle is not shuttle):
                why = "before it boards" if visit - 1 in new else f"from {shuttle.id}, but boards another shuttle"
                day.found("order", f"{ride.id} is to alight {why}", shuttle, ride)
    for ride in newcomers:
        if 2 * ride.number + 1 not in after:
            what = f"{ride.id} is to be picked up, but never dropped off"
            day.found("one_plan", what, ride.shuttle, ride)
    if len(before) != len(after) or before.keys() != after:
        for visit, shuttle in before.items():
            if visit not in after:
                ride = rides[visit >> 1]
                does = "be dropped off" if visit & 1 else "be picked up"
                day.found("one_plan", f"{ride.id} is no longer planned to {does} anywhere", shuttle, ride)
    for shuttle, new in changed:
        _judge_calls(day, shuttle, new)
        if event.cause == "improved":
            shuttle.spare = NEVER
        elif not set(shuttle.plan) <= set(new):
            shuttle.thin()
        shuttle.plan = [visit for visit in new if 0 <= visit < 2 * len(rides)]
        shuttle.version += 1
    for shuttle, _ in changed:
        judge_loads(day, shuttle)
        if day.least is not None:
            judge_timetable(day, shuttle, -1)


def insert(day: Day, event: e.RideBooked, ride: Ride, shuttle: Shuttle) -> None:
    """Put a booking's two visits where it says."""
    plan = shuttle.plan
    i, j = event.after
    if not 0 <= i <= j <= len(plan):
        what = f"{ride.id} is inserted after points {i} and {j} of a plan that has {len(plan)}"
        day.found("one_plan", what, shuttle, ride)
        i = min(max(i, 0), len(plan))
        j = min(max(i, j), len(plan))
    shuttle.version += 1
    shuttle.spare = NEVER
    if event.version != shuttle.version:
        what = f"plan {event.version} of {shuttle.id} follows plan {shuttle.version - 1}"
        day.found("gapless", what, shuttle, ride)
        shuttle.version = event.version
    plan.insert(j, 2 * ride.number + 1)
    plan.insert(i, 2 * ride.number)
    judge_loads(day, shuttle)
    if day.least is not None:
        judge_timetable(day, shuttle, ride.number)


def _judge_newcomer(day: Day, visit: int, ride: Ride, shuttle: Shuttle) -> None:
    """A visit that was in none of the plans replaced: allowed for who lost their shuttle only."""
    adrift = ride.state in (BOOKED, STRANDED) and ride.shuttle is None
    if not adrift and not (visit & 1 and ride.shuttle is shuttle):
        where = f"planned on {ride.shuttle.id}" if ride.shuttle is not None else ride.state
        day.found("one_plan", f"{ride.id} is put in the plan of {shuttle.id}, but is {where}", shuttle, ride)


def _judge_moved(day: Day, visit: int, ride: Ride, shuttle: Shuttle, source: Shuttle) -> None:
    if ride.call is not None:
        day.found("committed", f"{ride.id} is moved to {shuttle.id}", shuttle, ride)
    elif ride.state is ABOARD:
        if visit & 1:
            what = f"{ride.id} is aboard {source.id}, but is to alight from {shuttle.id}"
            day.found("order", what, shuttle, ride)
    elif not visit & 1:
        if ride.number in day.locked:
            day.found("committed", f"{ride.id} is locked to {source.id}, but is moved", shuttle, ride)
        ride.shuttle = shuttle
        shuttle.late, shuttle.thinned = shuttle.late or source.late, shuttle.thinned or source.thinned


def _judge_calls(day: Day, shuttle: Shuttle, new: tuple[int, ...]) -> None:
    if shuttle.shift.calls or shuttle.breaks:
        calls = [visit for visit in shuttle.plan if day.rides[visit >> 1].call is not None]
        if calls != [visit for visit in new if visit in calls]:
            day.found("committed", f"the fixed calls of {shuttle.id} change places", shuttle)


def judge_loads(day: Day, shuttle: Shuttle) -> None:
    """No leg of the plan carries too many."""
    seats, wheelchairs = shuttle.seats, shuttle.wheelchairs
    shift = shuttle.shift
    most, most_wheelchairs = shift.seats, shift.wheelchairs
    adds, adds_wheelchairs = day.adds_seats, day.adds_wheelchairs
    for visit in shuttle.plan:
        seats += adds[visit]
        wheelchairs += adds_wheelchairs[visit]
        if seats > most or wheelchairs > most_wheelchairs or seats < 0:
            ride = day.rides[visit >> 1]
            what = (
                f"{seats} persons and {wheelchairs} wheelchairs would be aboard {shuttle.id} after {ride.id}; "
                f"it has {most} and {most_wheelchairs} places"
            )
            day.found("capacity", what, shuttle, ride)
            return


def taken_out(ride: Ride) -> None:
    """It ended, or left its shuttle: the plan has it no more."""
    shuttle = ride.shuttle
    ride.shuttle = None
    if shuttle is not None:
        n = ride.number
        shuttle.plan = [visit for visit in shuttle.plan if visit >> 1 != n]
        shuttle.version += 1
        shuttle.thin()
