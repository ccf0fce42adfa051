"""Shuttles on and off shift, and those that break down."""

from __future__ import annotations

from msgspec.structs import replace

from dispatch.core import events as e
from dispatch.core.domain import NEVER, Shift
from dispatch.core.invariants.day import ABOARD, FIXED, STRANDED, Day, Ride, Shuttle
from dispatch.core.invariants.plans import taken_out
from dispatch.core.invariants.rules import clock


def shift_opened(day: Day, event: e.ShiftOpened) -> None:
    shift = event.shift
    if shift.id in day.shuttles:
        day.found("legal", f"shift {shift.id} is opened a second time", day.shuttles[shift.id])
        return
    _judge_alone(day, shift, None)
    shuttle = day.shuttles[shift.id] = Shuttle(shift)
    for call in shift.calls:
        ride = day.numbered(f"{shift.id} {call.kind}", FIXED, NEVER)
        ride.call = call
        ride.shuttle = shuttle
        ride.pickup_place = -1 if call.place is None else call.place
        ride.pickup_from, ride.pickup_to = call.earliest, call.latest
        shuttle.plan.append(2 * ride.number)


def shift_changed(day: Day, event: e.ShiftChanged) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    shift = replace(shuttle.shift, end=event.end)
    if shuttle.closed or shift.end <= max(shift.start, event.at - 1):
        day.found("legal", f"shift {shuttle.id} is given an end at {clock(event.end)}", shuttle)
    _judge_alone(day, shift, shuttle)
    shuttle.shift = shift


def shift_closed(day: Day, event: e.ShiftClosed) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    if shuttle.closed == "closed":
        day.found("legal", f"shift {shuttle.id} is closed a second time", shuttle)
    for number in sorted(shuttle.aboard):
        ride = day.rides[number]
        day.found("undelivered", f"shift {shuttle.id} was closed with {ride.id} aboard", shuttle, ride)
    shuttle.closed = "closed"


def _judge_alone(day: Day, shift: Shift, own: Shuttle | None) -> None:
    """A vehicle works one shift at a time."""
    for other in day.shuttles.values():
        same = other.shift.vehicle == shift.vehicle and not other.closed and other is not own
        if same and other.shift.start < shift.end and shift.start < other.shift.end:
            day.found("shift", f"vehicle {shift.vehicle} works in {shift.id} and {other.id} at once", other)


def on_duty(day: Day, shuttle: Shuttle, does: str, ride: Ride | None = None) -> None:
    """Is it working now? What a fact of the world has delayed beyond the shift's end is still done."""
    shift = shuttle.shift
    if shuttle.closed:
        day.found("legal", f"{shuttle.id} {does}, but is {shuttle.closed}", shuttle, ride)
    elif day.now < shift.start:
        day.found("shift", f"{shuttle.id} {does} before its shift begins at {clock(shift.start)}", shuttle, ride)
    elif day.now > shift.end and not (day.disturbed or shuttle.late):
        day.found("shift", f"{shuttle.id} {does} after its shift ended at {clock(shift.end)}", shuttle, ride)


def shuttle_broke_down(day: Day, event: e.ShuttleBrokeDown) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    if shuttle.closed:
        day.found("legal", f"{shuttle.id} breaks down, but is {shuttle.closed}", shuttle)
    day.disturbed = True
    shuttle.closed = "broken"
    shuttle.node = event.node
    shuttle.goal = shuttle.place = shuttle.served = -1
    # riders aboard leave it where it stands, the others need another one
    aboard = []
    for visit in shuttle.plan:
        ride = day.rides[visit >> 1]
        if ride.state is ABOARD:
            aboard.append(visit)
        elif ride.call is None:
            ride.shuttle = None
    shuttle.plan = aboard
    shuttle.version += 1


def rider_stranded(day: Day, event: e.RiderStranded) -> None:
    shuttle, ride = day.shuttle(event.shuttle), day.ride(event.request)
    if shuttle is None or ride is None:
        return
    if ride.state is not ABOARD or ride.number not in shuttle.aboard:
        day.found("legal", f"{ride.id} leaves {shuttle.id}, but was not aboard", shuttle, ride)
        return
    if shuttle.closed != "broken":
        day.found("legal", f"{ride.id} leaves {shuttle.id} on the way, but it did not break down", shuttle, ride)
    ride.state = STRANDED
    taken_out(ride)
    ride.pickup_place = event.place
    ride.pickup_from, ride.pickup_to = event.at, NEVER
    ride.carried += event.at - ride.boarded_at
    shuttle.off(ride)
