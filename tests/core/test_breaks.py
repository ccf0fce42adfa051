"""Breaks that drivers ask for, on a straight street, a minute from place to place."""

from __future__ import annotations

import pytest

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.breaks import end_break, plan_break
from dispatch.core.desk import Desk
from dispatch.core.domain import FixedCall
from dispatch.core.fold import fold
from dispatch.core.schedule import timetable
from dispatch.core.timing import OK
from tests.core.test_desk import PLAIN, ask, desk, shift
from tests.property.test_plans import assert_packed
from tests.worlds import ms, opened, request


def begun(at: Desk, minutes: int) -> None:
    """The shuttle's driver has a break from midnight on."""
    events = plan_break(at, "s", ms(60 * minutes), 0, "driver:d")
    assert [type(event) for event in events] == [ev.BreakPlanned, ev.CallMade]
    for event in events:
        at.apply(event)


def test_a_break_is_over_when_its_driver_says() -> None:
    """The shuttle is ready from then on, for a ride that was planned after the break, too; once."""
    at = desk(shift("s", 0))
    begun(at, 10)
    booked = ask(at, request("r", 2, 5), ms(60))
    assert isinstance(booked, ev.RideBooked)
    assert booked.pickup_at == ms(600 + 120)
    (ended,) = end_break(at, "s", ms(300), "driver:d")
    assert ended == ev.BreakEnded(ms(300), "s", "driver:d")
    at.apply(ended)
    assert at.world.shuttles["s"].at == ms(300)
    assert_packed(at)
    with pytest.raises(ValueError, match="nothing_to_change"):
        end_break(at, "s", ms(301), "driver:d")


def test_a_break_does_not_begin_before_the_shuttle_has_told_that_it_is_there() -> None:
    """Asked for in the very moment of arrival: who is aboard gets out first."""
    at = desk(shift("s", 0))
    ask(at, request("r", 0, 2), 0)
    for event in (ev.RiderBoarded(0, "s", "r"), ev.DriveStarted(0, "s", 0, 2, "r")):
        at.apply(event)
    events = plan_break(at, "s", ms(600), ms(120), "driver:d")
    assert [type(event) for event in events] == [ev.BreakPlanned]


def test_nobody_rides_for_longer_than_they_may_because_a_break_was_shorter() -> None:
    """Who is fetched first would wait aboard for the next rider: the timetable fetches them later."""
    at = desk(shift("s", 0))
    begun(at, 20)
    ask(at, request("first", 1, 9, latest_pickup_s=9000, latest_dropoff_s=9000, max_ride_s=600, direct_s=480), ms(1))
    ask(at, request("second", 2, 9, depart_s=1400, latest_pickup_s=1500, direct_s=420), ms(2))
    (ended,) = end_break(at, "s", ms(600), "driver:d")
    at.apply(ended)
    shuttle = at.world.shuttles["s"]
    assert shuttle.plan.visits[:2] == (2, 4)  # the first rider waits for the second one
    status, route = timetable(at.fleet, at.times, shuttle, shuttle.plan.visits, ms(600))
    begins = dict(zip(shuttle.plan.visits, route[f.BEGIN].tolist(), strict=True))
    assert status == OK
    assert begins[3] - begins[2] <= ms(600)
    assert not at.late
    assert_packed(at)


def test_a_break_of_the_shift_is_not_the_drivers_to_end() -> None:
    """Nor one that has not begun, or is over."""
    at = desk(shift("s", 0, calls=[FixedCall("break", 0, ms(60), ms(1800))]))
    with pytest.raises(ValueError, match="nothing_to_change"):
        end_break(at, "s", 0, "driver:d")
    at.apply(ev.CallMade(0, "s", 0))
    assert at.world.shuttles["s"].resting(ms(60))
    with pytest.raises(ValueError, match="nothing_to_change"):
        end_break(at, "s", ms(60), "driver:d")
    assert not at.world.shuttles["s"].resting(ms(1800))


def test_the_world_knows_who_rests() -> None:
    """From the log alone; whoever drives off rests no more."""
    made = desk(shift("s", 0))
    events = [opened(10), ev.PolicyChanged(0, PLAIN), ev.ShiftOpened(0, shift("s", 0))]
    events += plan_break(made, "s", ms(1800), 0, "driver:d")
    assert fold(events).shuttles["s"].resting(ms(5))
    world = fold([*events, ev.BreakEnded(ms(5), "s")])
    assert not world.shuttles["s"].resting(ms(5))
    left = fold([*events, ev.DriveStarted(ms(1800), "s", 0, 3, "rebalance"), ev.StopArrived(ms(1980), "s", 3, 0)])
    assert left.shuttles["s"].rests == -1
