"""Service at a place: who boards, who alights, who does not come, breaks and timetabled calls."""

from __future__ import annotations

from dispatch.core import events as e
from dispatch.core.domain import NEVER
from dispatch.core.invariants.day import ABOARD, BOOKED, DELIVERED, FIXED, MADE, NO_SHOW, STRANDED, Day, Ride, Shuttle
from dispatch.core.invariants.plans import taken_out
from dispatch.core.invariants.promises import TELL_MS, breach, judge_timetable
from dispatch.core.invariants.rules import clock
from dispatch.core.invariants.shifts import on_duty


def rider_awaited(day: Day, event: e.RiderAwaited) -> None:
    shuttle, ride = day.shuttle(event.shuttle), day.ride(event.request)
    if shuttle is None or ride is None:
        return
    if ride.state is not BOOKED or shuttle.goal >= 0 or shuttle.node != day.node_of[ride.pickup_place]:
        day.found("legal", f"{shuttle.id} waits for {ride.id}, which is not to board here", shuttle, ride)
    shuttle.late = True


def rider_boarded(day: Day, event: e.RiderBoarded) -> None:
    shuttle, ride = day.shuttle(event.shuttle), day.ride(event.request)
    if shuttle is None or ride is None:
        return
    at = event.at
    if ride.state is not BOOKED and ride.state is not STRANDED:
        day.found("legal", f"{ride.id} boards {shuttle.id}, but is {ride.state}", shuttle, ride)
        return
    _serve(day, shuttle, ride.pickup_place, 2 * ride.number, ride, "picks up")
    if ride.shuttle is not shuttle:
        other = "none" if ride.shuttle is None else ride.shuttle.id
        day.found("order", f"{ride.id} boards {shuttle.id}, but its shuttle is {other}", shuttle, ride)
        ride.shuttle = shuttle
    opens = ride.pickup_from
    if at < opens:
        what = f"{ride.id} was picked up at {clock(at)}, but was promised not before {clock(opens)}"
        day.found("early", what, shuttle, ride)
    if at > ride.pickup_to and ride.state is BOOKED:
        what = f"{ride.id} was picked up at {clock(at)}, but was promised it by {clock(ride.pickup_to)}"
        breach(day, "promise", ride.pickup_to, what, shuttle, ride)
    if shuttle.spare < NEVER:
        shuttle.spare = max(min(shuttle.spare if shuttle.aboard else NEVER, ride.pickup_to - at), 0)
    ride.state = ABOARD
    ride.boarded_at = at
    shuttle.aboard.add(ride.number)
    shuttle.seats += ride.seats
    shuttle.wheelchairs += ride.wheelchairs
    shift = shuttle.shift
    if shuttle.seats > shift.seats or shuttle.wheelchairs > shift.wheelchairs:
        what = (
            f"{shuttle.seats} persons and {shuttle.wheelchairs} wheelchairs are aboard {shuttle.id}; "
            f"it has {shift.seats} and {shift.wheelchairs} places"
        )
        day.found("capacity", what, shuttle, ride)
    _dwelt(day, shuttle, ride.pickup_place, day.dwell_rider * ride.seats)


def rider_alighted(day: Day, event: e.RiderAlighted) -> None:
    shuttle, ride = day.shuttle(event.shuttle), day.ride(event.request)
    if shuttle is None or ride is None:
        return
    at = event.at
    if ride.state is not ABOARD:
        day.found("legal", f"{ride.id} alights from {shuttle.id}, but is {ride.state}", shuttle, ride)
        return
    if ride.number not in shuttle.aboard:
        other = "another shuttle" if ride.shuttle is None else ride.shuttle.id
        day.found("order", f"{ride.id} alights from {shuttle.id}, but boarded {other}", shuttle, ride)
        return
    _serve(day, shuttle, ride.dropoff_place, 2 * ride.number + 1, ride, "drops off")
    # whoever stands at the stop in time has arrived in time: of a live shuttle the driver tells the rest a moment later
    arrived = min(at, shuttle.free_at) if at - shuttle.free_at <= TELL_MS else at
    if arrived > ride.dropoff_by:
        what = f"{ride.id} arrived at {clock(at)}, but was promised it by {clock(ride.dropoff_by)}"
        breach(day, "promise", ride.dropoff_by, what, shuttle, ride)
    aboard_for = arrived - ride.boarded_at + ride.carried
    if aboard_for > ride.max_ride:
        what = f"{ride.id} was aboard for {aboard_for / 1000:g} s, but was promised {ride.max_ride / 1000:g} s"
        breach(day, "ride_time", at - (aboard_for - ride.max_ride), what, shuttle, ride)
    ride.state = DELIVERED
    if shuttle.spare < NEVER:
        shuttle.spare = max(min(shuttle.spare, ride.dropoff_by - at), 0)
    shuttle.off(ride)
    _dwelt(day, shuttle, ride.dropoff_place, day.dwell_rider * ride.seats)


def no_show(day: Day, event: e.NoShow) -> None:
    shuttle, ride = day.shuttle(event.shuttle), day.ride(event.request)
    if shuttle is None or ride is None:
        return
    if ride.state is not BOOKED:
        day.found("legal", f"{ride.id} is said not to be there, but is {ride.state}", shuttle, ride)
        return
    if ride.shuttle is not shuttle:
        day.found("order", f"{ride.id} is missed by {shuttle.id}, which is not its shuttle", shuttle, ride)
    if shuttle.goal >= 0 or shuttle.node != day.node_of[ride.pickup_place]:
        day.found("road", f"{shuttle.id} misses {ride.id}, but is not at the stop point", shuttle, ride)
    given_up = max(shuttle.free_at, ride.pickup_from) + day.no_show_grace
    if event.at < given_up:
        what = f"{ride.id} is given up at {clock(event.at)}, but was to be awaited until {clock(given_up)}"
        day.found("early", what, shuttle, ride)
    if shuttle.free_at > ride.pickup_to:
        what = f"{shuttle.id} came for {ride.id} at {clock(shuttle.free_at)}, after {clock(ride.pickup_to)}"
        breach(day, "promise", ride.pickup_to, what, shuttle, ride)
    shuttle.late = True
    ride.state = NO_SHOW
    taken_out(ride)


def call_made(day: Day, event: e.CallMade) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    number = event.number
    ride = day.rides[number] if 0 <= number < len(day.rides) else None
    if ride is None or ride.call is None or ride.shuttle is not shuttle:
        day.found("log", f"{shuttle.id} has no fixed call {event.number}", shuttle)
        return
    if ride.state is MADE:
        day.found("legal", f"{ride.id} is made a second time", shuttle)
        return
    call = ride.call
    _serve(day, shuttle, ride.pickup_place, 2 * number, ride, "makes")
    if not call.earliest <= event.at <= call.latest:
        forced = event.at > call.latest and (day.disturbed or shuttle.late)
        if not forced:
            what = f"{ride.id} began at {clock(event.at)}, not from {clock(call.earliest)} to {clock(call.latest)}"
            day.found("call", what, shuttle)
    if call.kind == "break" and shuttle.aboard:
        day.found("call", f"{ride.id} is taken with {len(shuttle.aboard)} bookings aboard", shuttle)
    ride.state = MADE
    _dwelt(day, shuttle, ride.pickup_place, call.duration)
    shuttle.rests = call.kind == "break"


def break_planned(day: Day, event: e.BreakPlanned) -> None:
    shuttle, call = day.shuttle(event.shuttle), event.call
    ride = day.numbered(f"{event.shuttle} {call.kind}", FIXED, NEVER)
    ride.call, ride.pickup_place = call, -1
    ride.pickup_from, ride.pickup_to = call.earliest, call.latest
    if shuttle is None:
        return
    ride.shuttle = shuttle
    if shuttle.closed or call.kind != "break" or call.place is not None or not 0 <= event.after <= len(shuttle.plan):
        day.found("legal", f"{shuttle.id} is given a break that cannot be", shuttle)
    shuttle.plan.insert(event.after, 2 * ride.number)
    shuttle.version += 1
    shuttle.breaks = True
    if day.least is not None:
        judge_timetable(day, shuttle, -1)


def break_dropped(day: Day, event: e.BreakDropped) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    if not shuttle.breaks or 2 * event.number not in shuttle.plan or day.rides[event.number].call is None:
        day.found("plan", f"{shuttle.id} drops a break that is not in its plan", shuttle)
        return
    shuttle.plan.remove(2 * event.number)
    shuttle.version += 1


def break_ended(day: Day, event: e.BreakEnded) -> None:
    shuttle = day.shuttle(event.shuttle)
    if shuttle is None:
        return
    if not shuttle.rests or shuttle.goal >= 0 or event.at >= shuttle.free_at:
        day.found("legal", f"{shuttle.id} ends a break that it has not", shuttle)
        return
    shuttle.free_at, shuttle.rests = event.at, False
    if day.least is not None:
        judge_timetable(day, shuttle, -1)


def _serve(day: Day, shuttle: Shuttle, place: int, head: int, ride: Ride, does: str) -> None:
    """Service begins at a place: is the shuttle there, is it its turn? `place` -1: anywhere."""
    if shuttle.closed or not shuttle.shift.start <= day.now <= shuttle.shift.end:
        on_duty(day, shuttle, f"{does} {ride.id}", ride)
    if shuttle.goal >= 0:
        day.found("road", f"{shuttle.id} {does} {ride.id} while it is driving", shuttle, ride)
    elif place >= 0 and shuttle.place != place and shuttle.node != day.node_of[place]:
        what = f"{shuttle.id} {does} {ride.id} at place {place}, but stands at node {shuttle.node}"
        day.found("road", what, shuttle, ride)
    if day.now < shuttle.free_at:
        what = f"{shuttle.id} {does} {ride.id} at {clock(day.now)}, but is ready at {clock(shuttle.free_at)}"
        day.found("dwell", what, shuttle, ride)
    waited = day.now - shuttle.free_at
    too_long = shuttle.aboard and 0 < waited - day.wait_aboard <= shuttle.spare
    if too_long and not (shuttle.late or day.disturbed):
        what = f"{shuttle.id} waited {waited / 1000:g} s with riders aboard before it {does} {ride.id}"
        day.found("wait_aboard", what, shuttle, ride)
    plan = shuttle.plan
    shuttle.version += 1
    if plan and plan[0] == head:
        del plan[0]
    elif head in plan:
        first = day.rides[plan[0] >> 1]
        day.found("committed", f"{shuttle.id} {does} {ride.id}, but {first.id} comes before", shuttle, ride)
        plan.remove(head)
    else:
        day.found("plan", f"{shuttle.id} {does} {ride.id}, which is not in its plan", shuttle, ride)


def _dwelt(day: Day, shuttle: Shuttle, place: int, duration: int) -> None:
    begins = day.now
    shuttle.rests = False
    if place >= 0:
        shuttle.place = place
        shuttle.node = day.node_of[place]
    shuttle.free_at = begins + duration
    if shuttle.served != place >= 0:
        shuttle.free_at += day.dwell_stop
        shuttle.served = place
