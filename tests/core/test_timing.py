"""Timetables where drives depend on the time of day, and of plans that break a bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.desk import Desk
from dispatch.core.domain import RideRequest, Shift
from dispatch.core.schedule import timetable
from dispatch.core.timing import LATE, OK, RIDE
from tests.core.test_desk import PLAIN, STREET, ask, desk, shift
from tests.property.test_plans import assert_drivable
from tests.worlds import ms, opened, request

RUSH = replace(
    STREET, table=np.concatenate([STREET.table, 2 * STREET.table]), edge_ms=np.repeat(STREET.edge_ms, 2, 0),
    slices=np.array([1, 0]),
)  # fmt: skip
"""The street takes twice as long until a quarter past midnight."""


def rush(*shifts: Shift) -> Desk:
    """A desk at midnight of such a day."""
    made = Desk(RUSH)
    for event in (opened(10), ev.PolicyChanged(0, PLAIN), *(ev.ShiftOpened(0, s) for s in shifts)):
        made.apply(event)
    return made


def begins(at: Desk, plan: tuple[int, ...]) -> tuple[int, list[int]]:
    """(what it breaks, seconds at which each visit begins) if the one shuttle had this plan from midnight on."""
    status, route = timetable(at.fleet, at.times, at.world.shuttles["s"], plan, 0)
    return status, [int(begin) // 1000 for begin in route[f.BEGIN]]


def riding(name: str, origin: int, destination: int, longest_s: float | None, depart_s: float = 0) -> RideRequest:
    """Who may be picked up for an hour and ride for so long."""
    return request(
        name, origin, destination, depart_s=depart_s, latest_pickup_s=3600, latest_dropoff_s=7200, max_ride_s=longest_s,
        direct_s=60 * abs(origin - destination),
    )  # fmt: skip


def test_a_ride_that_is_too_long_in_the_rush_hour_begins_when_it_is_over() -> None:
    """Ten minutes' ride then, five after it: no pickup in between makes it any shorter."""
    at = rush(shift("s", 0))
    booked = ask(at, riding("r", 1, 6, 330), 0)
    assert isinstance(booked, ev.RideBooked)
    assert (booked.pickup_at, booked.dropoff_at) == (ms(900), ms(1200))
    assert begins(at, (0, 1)) == (OK, [900, 1200])


def test_who_leaves_a_little_later_is_there_sooner() -> None:
    """From 14:40 the ride takes ten minutes, from 15:00 five."""
    at = rush(shift("s", 0))
    ask(at, riding("r", 1, 6, 330, depart_s=880), 0)
    assert begins(at, (0, 1)) == (OK, [900, 1200])


def test_who_would_be_late_behind_a_slow_drive_is_in_time_once_that_leaves_later() -> None:
    """Picked up at 2:00 the first rider is put down at 22:00 and the second one fetched too late; at 15:00 neither."""
    at = rush(shift("s", 0))
    ask(at, riding("first", 1, 6, 330), 0)
    ask(at, request("second", 7, 8, depart_s=1260, latest_pickup_s=1270, latest_dropoff_s=7200), 0)
    assert begins(at, (0, 1, 2, 3)) == (OK, [900, 1200, 1260, 1320])
    assert not at.late


def test_a_ride_that_cannot_be_short_enough_is_made_as_short_as_can_be() -> None:
    """The second rider's window is a minute: the first one waits aboard for as short as that allows, told so."""
    at = desk(shift("s", 0))
    ask(at, request("first", 1, 3, latest_pickup_s=600, latest_dropoff_s=3600, max_ride_s=150, direct_s=120), 0)
    ask(at, request("second", 2, 3, depart_s=900, latest_pickup_s=960, latest_dropoff_s=3600), 0)
    status, times = begins(at, (0, 2, 1, 3))
    assert (status, times) == (RIDE, [600, 900, 960, 960])


def test_who_is_late_is_so_by_the_earliest_timetable() -> None:
    """Nobody is made to wait for the sake of a bound that is broken in any case."""
    at = desk(shift("s", 0))
    ask(at, request("first", 1, 3, latest_pickup_s=600, latest_dropoff_s=3600, max_ride_s=150, direct_s=120), 0)
    ask(at, request("second", 9, 8, latest_pickup_s=600, latest_dropoff_s=3600), 0)
    status, times = begins(at, (0, 2, 1, 3))
    assert status == LATE or times == [60, 540, 900, 900]
    assert_drivable(at)
