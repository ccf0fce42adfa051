"""The log as a whole: each line goes to what judges it; how the day begins and ends, its rules, people's acts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from dispatch.core import events as e
from dispatch.core.domain import NEVER
from dispatch.core.events import AnyEvent
from dispatch.core.invariants import answers, driving, plans, promises, shifts, stops
from dispatch.core.invariants.day import ABOARD, BOOKED, OPEN, QUEUED, Day
from dispatch.core.invariants.rules import clock


def read(day: Day, event: AnyEvent) -> None:
    """Judge the next line of the log."""
    day.seq += 1
    at = event.at
    if at < day.now:
        day.found("log", f"time runs back from {clock(day.now)} to {clock(at)}")
    day.now = at
    if at > day.due:
        answers.overdue(day, at)
    if not day.open:
        _outside(day, event)
    judged = JUDGED.get(type(event))
    if judged is not None:
        judged(day, event)


def day_opened(day: Day, event: e.DayOpened) -> None:
    if day.seq != 1:
        day.found("log", "the day is opened a second time")
        return
    nodes = event.place_nodes
    if day.times is not None and list(nodes) != list(day.node_of):
        raise ValueError("the driving times are not those of this log: its stop points lie on other nodes")
    day.node_of = nodes


def policy_changed(day: Day, event: e.PolicyChanged) -> None:
    policy = event.policy
    stop, rider = round(policy.dwell_stop_s * 1000), round(policy.dwell_rider_s * 1000)
    if day.shuttles and (stop, rider) != (day.dwell_stop, day.dwell_rider):
        # what was promised counted on other stops; longer ones are late, shorter ones drive at another time of day
        longer = stop > day.dwell_stop or rider > day.dwell_rider
        day.disturbed = day.disturbed or longer or day.sliced
    for shuttle in day.shuttles.values():
        shuttle.spare = 0  # nor do older plans know how long riders may wait aboard from now on
    day.dwell_stop, day.dwell_rider = stop, rider
    day.wait_aboard = policy.wait_aboard_s * 1000
    day.divert = policy.divert
    day.no_show_grace = policy.no_show_grace_s * 1000
    day.later = policy.later_s * 1000
    day.quote_valid = policy.quote_valid_s * 1000 if policy.quotes > 1 else 0


def act_taken(day: Day, event: e.ActTaken) -> None:
    ride = None if event.request is None else day.ride(event.request)
    shuttle = None if event.shuttle is None else day.shuttle(event.shuttle)
    if event.act == "assign":  # a promise may be broken by who answers for it; the rider must be told
        for moved in (shuttle, None if ride is None else ride.shuttle):
            if moved is not None:
                moved.late = True
    if not event.author:
        day.found("log", f"somebody's act ({event.act}) names no author", None, ride)
    if event.place is not None:
        if event.act == "close_stop":
            day.closed_places.add(event.place)
            for other in day.rides:  # who was to board or alight there may have to wait
                if other.shuttle is not None and event.place in (other.pickup_place, other.dropoff_place):
                    other.shuttle.late = True
        elif event.act == "open_stop":
            day.closed_places.discard(event.place)
    if ride is not None and event.act == "lock":
        day.locked.add(ride.number)
    elif ride is not None and event.act in ("unlock", "assign"):
        day.locked.discard(ride.number)


def day_closed(day: Day, _: e.DayClosed) -> None:
    answers.overdue(day, NEVER)
    for ride in day.rides:
        if ride.state is BOOKED and ride.pickup_from > day.now:
            continue  # booked ahead: the next day's log takes it up
        if ride.state in OPEN:
            shuttle = ride.shuttle
            what = f"the day is closed, but {ride.id} is still {ride.state}"
            if ride.state is ABOARD and shuttle is not None and shuttle.closed:
                day.found("undelivered", f"{what} {shuttle.id}, which is {shuttle.closed}", shuttle, ride)
            else:
                promises.breach(day, "undelivered", max(ride.dropoff_by, ride.boarded_at), what, shuttle, ride)
        elif ride.state is QUEUED:
            day.found("answered", f"the day is closed, but {ride.id} is still queued", None, ride)
    day.open = False


def _outside(day: Day, event: AnyEvent) -> None:
    if day.seq > 1:
        day.found("log", f"{type(event).__name__} after the day was closed")
        return
    day.open = True
    if type(event) is not e.DayOpened:
        day.found("log", "the log does not begin with DayOpened")


JUDGED: Final[dict[type, Callable[[Day, Any], None]]] = {
    e.DayOpened: day_opened,
    e.PolicyChanged: policy_changed,
    e.ActTaken: act_taken,
    e.DayClosed: day_closed,
    e.ShiftOpened: shifts.shift_opened,
    e.ShiftClosed: shifts.shift_closed,
    e.ShiftChanged: shifts.shift_changed,
    e.BreakPlanned: stops.break_planned,
    e.BreakDropped: stops.break_dropped,
    e.BreakEnded: stops.break_ended,
    e.ShuttleBrokeDown: shifts.shuttle_broke_down,
    e.RiderStranded: shifts.rider_stranded,
    e.RequestMade: answers.request_made,
    e.QuoteDeclined: answers.quote_declined,
    e.RideCancelled: answers.ride_cancelled,
    e.RideBooked: answers.ride_booked,
    e.RideRefused: answers.ride_refused,
    e.RideQueued: answers.ride_queued,
    e.PromiseAtRisk: promises.promise_at_risk,
    e.PlansChanged: plans.plans_changed,
    e.IdleSent: driving.idle_sent,
    e.DriveStarted: driving.drive_started,
    e.ProgressMade: driving.progress_made,
    e.PositionReported: driving.position_reported,
    e.ShuttleOverdue: driving.shuttle_overdue,
    e.StopArrived: driving.stop_arrived,
    e.RoadClosed: driving.road_closed,
    e.RoadReopened: driving.road_reopened,
    e.SpeedsChanged: driving.speeds_changed,
    e.RiderAwaited: stops.rider_awaited,
    e.RiderBoarded: stops.rider_boarded,
    e.RiderAlighted: stops.rider_alighted,
    e.NoShow: stops.no_show,
    e.CallMade: stops.call_made,
}
"""By whom each kind of event is judged; the others carry nothing that could be wrong."""
