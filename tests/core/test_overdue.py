"""Drivers who tell nothing: their riders are fetched by another shuttle, or told, within half a minute of the fact."""

from __future__ import annotations

from typing import cast

from msgspec.structs import replace

from dispatch import solver
from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.core.desk import Desk
from dispatch.core.domain import Shift
from dispatch.core.reactions import Reactions, answer
from tests.core.test_desk import PLAIN, STREET, shift
from tests.worlds import ms, opened, request

TICK_S = 30


class Town:
    """A street of ten places, a minute from each to the next, and what was recorded there."""

    def __init__(self, *shifts: Shift, wait_s: int = 600) -> None:
        policy = replace(PLAIN, max_wait_s=wait_s)
        self.log: list[ev.AnyEvent] = []
        self.desk = Desk(STREET)
        self.react = Reactions(self.desk, lambda event: self.log.append(cast("ev.AnyEvent", event)), solver.OR_TOOLS)
        self.react.record([opened(10), ev.PolicyChanged(0, policy), *(ev.ShiftOpened(0, s) for s in shifts)])

    def ask(self, name: str, origin: int, destination: int, at_s: int = 0) -> None:
        """A rider asks, at midnight if nothing else is said, and takes what is offered."""
        now = ms(at_s)
        asked = replace(request(name, origin, destination), depart_after=now)
        self.react.record([ev.RequestMade(now, asked)])
        self.react.record(answer(self.desk, asked, now, lambda _, quotes: 0 if quotes else None))
        assert self.desk.world.rides[name].state == "booked"

    def pass_time(self, begin_s: int, end_s: int) -> None:
        """The timer ticks, and nobody tells anything."""
        for second in range(begin_s, end_s, TICK_S):
            self.react.tick(ms(second))
            self.react.settle(ms(second))

    def said(self, *kinds: type[ev.Event]) -> list[ev.AnyEvent]:
        """What was recorded of these kinds."""
        return [event for event in self.log if isinstance(event, kinds)]


def test_a_rider_whose_driver_does_not_set_out_gets_another_shuttle() -> None:
    """As soon as the promise depends on it, and nobody is told of any risk."""
    town = Town(shift("near", 2), shift("far", 9))
    town.ask("r", 3, 5)
    town.pass_time(30, 120)
    town.react.record([ev.DriveStarted(ms(120), "far", 9, 3, "rebalance"), ev.StopArrived(ms(480), "far", 3, 0)])
    town.pass_time(480, 570)
    assert town.desk.world.rides["r"].shuttle == "near"  # it may still set out
    assert town.said(ev.ShuttleOverdue) == []
    town.pass_time(570, 600)  # a minute's drive, by 10:00
    assert [event.at for event in town.said(ev.ShuttleOverdue)] == [ms(570)]
    assert town.desk.world.rides["r"].shuttle == "far"
    assert town.said(ev.PromiseAtRisk) == []


def test_riders_of_a_silent_shuttle_are_told_within_half_a_minute() -> None:
    """Nobody else is there: the promise cannot be kept from 9:00 on, and is told to be at risk by 9:30."""
    town = Town(shift("s", 2))
    town.ask("r", 3, 5)
    town.pass_time(30, 1200)
    told = town.said(ev.PromiseAtRisk)
    assert isinstance(told[0], ev.PromiseAtRisk)
    assert ms(540) <= told[0].at <= ms(570)
    assert told[0].pickup_at is not None
    assert told[0].pickup_at > told[0].at
    town.react.record(
        [
            ev.DriveStarted(ms(1200), "s", 2, 3, "r"), ev.StopArrived(ms(1260), "s", 3, 1),
            ev.RiderBoarded(ms(1260), "s", "r"),
            ev.DriveStarted(ms(1260), "s", 3, 5, "r"), ev.StopArrived(ms(1380), "s", 5, 1),
            ev.RiderAlighted(ms(1380), "s", "r"),
            ev.DayClosed(ms(1400)),
        ]
    )  # fmt: skip
    assert invariants.check(town.log, STREET) == []


def test_a_shuttle_that_never_arrives_is_counted_from_where_it_may_be() -> None:
    """It set out and says no more: at 10:00 it should long have been there, so its riders are told."""
    town = Town(shift("s", 0), wait_s=420)
    town.ask("r", 4, 6)
    town.react.record([ev.DriveStarted(0, "s", 0, 4, "r")])
    town.pass_time(30, 600)
    overdue = town.said(ev.ShuttleOverdue)
    assert [event.at for event in overdue][:1] == [ms(450)]  # it should have been there at 4:00
    told = town.said(ev.PromiseAtRisk)
    assert [event.at for event in told][:1] == [ms(450)]
    town.react.record([ev.StopArrived(ms(600), "s", 4, 1), ev.RiderBoarded(ms(600), "s", "r")])
    assert town.desk.world.rides["r"].state == "aboard"


def test_who_is_slow_but_will_keep_the_promise_is_left_alone() -> None:
    """The plan says 1:00, the promise 20:00: nothing is recorded until that is in danger."""
    town = Town(shift("s", 2), shift("other", 9), wait_s=1200)
    town.ask("r", 3, 5)
    town.pass_time(30, 1080)
    assert town.said(ev.ShuttleOverdue, ev.PromiseAtRisk, ev.PlansChanged) == []


def test_who_asks_is_answered_as_if_a_silent_shuttle_went_on_now() -> None:
    """At 5:00 it still stands where it was to leave at 0:00: nobody is promised a pickup by its old timetable."""
    town = Town(shift("s", 2), wait_s=900)
    town.ask("first", 3, 5)
    town.ask("second", 4, 6, at_s=300)
    booked = town.said(ev.RideBooked)[-1]
    assert isinstance(booked, ev.RideBooked)
    assert booked.pickup_at == ms(300 + 120)
    assert town.desk.rejected == 0
