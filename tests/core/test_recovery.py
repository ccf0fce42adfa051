"""What follows where facts, and other riders, break plans: on a straight street, a minute from place to place."""

from __future__ import annotations

from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core import operating
from dispatch.core.domain import Access, FixedCall, Queue, Receipt, Reoptimise
from dispatch.core.pack import MARGIN, bounds
from tests.core.test_desk import PLAIN, ask, desk, shift
from tests.core.test_overdue import Town
from tests.property.test_plans import assert_packed
from tests.worlds import ms, request


def test_a_rider_whose_second_shuttle_breaks_down_too_is_fetched_by_a_third() -> None:
    """Stranded once, and waiting for the next one, the rider is nobody's passenger; nor are they forgotten."""
    town = Town(shift("first", 2), shift("second", 5), shift("third", 9))
    town.ask("r", 2, 8)
    town.react.record([ev.RiderBoarded(0, "first", "r"), ev.DriveStarted(0, "first", 2, 8, "r")])
    town.react.break_down("first", ms(60))
    ride = town.desk.world.rides["r"]
    assert (ride.state, ride.shuttle) == ("stranded", "second")
    town.react.break_down("second", ms(90))
    assert (ride.state, ride.shuttle) == ("stranded", "third")
    town.react.break_down("third", ms(120))
    assert (ride.state, ride.shuttle) == ("stranded", None)
    assert [event.request for event in town.said(ev.PromiseAtRisk)][-1:] == ["r"]
    assert_packed(town.desk)


def test_a_ride_announced_to_be_longer_may_not_become_longer_still() -> None:
    """The longest ride was promised; where that is broken what was announced binds, and the margin told with it."""
    at = desk(shift("s", 0))
    ask(at, request("r", 1, 5, latest_pickup_s=3600, latest_dropoff_s=7200, max_ride_s=300, direct_s=240), 0)
    at.apply(ev.PromiseAtRisk(0, "r", ms(500), ms(840), "late"))
    ride = at.world.rides["r"]
    longest = ms(340) + MARGIN
    assert bounds(ride).max_ride == longest
    at.apply(ev.DriveStarted(0, "s", 0, 1, "r"))
    at.apply(ev.StopArrived(ms(60), "s", 1, 0))
    at.apply(ev.RiderBoarded(ms(600), "s", "r"))
    assert bounds(ride).dropoff_by == ms(600) + longest
    assert not at.late


def test_a_shuttle_booked_behind_its_break_stops_going_where_it_was_idly_sent() -> None:
    """The break is where it can turn now: what was promised counts on that."""
    break_ = FixedCall("break", ms(600), ms(700), ms(300))
    at = desk(shift("s", 0, calls=(break_,)))
    for event in (ev.IdleSent(0, "s", 9), ev.DriveStarted(0, "s", 0, 9, "rebalance")):
        at.apply(event)
    booked = ask(at, request("r", 2, 4, depart_s=800, latest_pickup_s=1020, direct_s=120), ms(150))
    assert isinstance(booked, ev.RideBooked)
    assert booked.after == (1, 1)
    shuttle = at.world.shuttles["s"]
    assert (shuttle.node, shuttle.heading) == (3, -1)
    assert at.fleet.routes[shuttle.row, f.BEGIN, 1] == booked.pickup_at == ms(600 + 300 + 60)
    assert not at.late
    assert_packed(at)


def test_no_queue_waits_for_better_plans_to_be_due() -> None:
    """Plans improved every two minutes: who waits is tried, and told no, within half a minute all the same."""
    town = Town(shift("s", 0, seats=1))
    policy = replace(PLAIN, reoptimise=Reoptimise(120, 10), queue=Queue(60), max_wait_s=60)
    town.react.record([ev.PolicyChanged(0, policy)])
    town.ask("first", 0, 9)
    asked = request("r", 1, 9, latest_pickup_s=60)
    town.react.record([ev.RequestMade(0, asked)])
    town.react.record(town.desk.refuse("r", 0, town.desk.quote("r", 0)))
    world = town.desk.world
    assert world.rides["r"].state == "queued"
    assert world.round_ms == ms(30)
    improved = []
    for second in range(30, 271, 30):
        improved += [second] if world.improves_at(ms(second)) else []
        town.react.tick(ms(second))
    assert improved == [120, 240]
    assert [event.at for event in town.said(ev.RideRefused)] == [ms(60)]
    town.react.record([ev.PolicyChanged(ms(270), replace(policy, reoptimise=Reoptimise(10, 10)))])
    assert world.round_ms == ms(10)


def test_plans_wait_to_be_improved_until_it_is_due() -> None:
    """A tick at which they are not leaves what has come and gone to the next one."""
    town = Town(shift("s", 0))
    town.react.record([ev.PolicyChanged(0, replace(PLAIN, reoptimise=Reoptimise(60, 10)))])
    town.ask("r", 3, 5)
    for second, open_ in ((30, True), (60, False), (90, False)):
        town.react.tick(ms(second))
        assert town.desk.world.unimproved is open_, second


def test_who_waits_in_the_queue_is_not_sent_to_a_stop_point_that_is_closed() -> None:
    """Who can walk to another one is fetched there; who cannot is told so at once."""
    town = Town(shift("s", 0, seats=1))
    town.react.record([ev.PolicyChanged(0, replace(PLAIN, queue=Queue(1800), later_s=3600))])
    town.ask("first", 0, 9)
    near, walks = request("near", 1, 9), request("walks", 1, 9)
    walks = replace(walks, origins=(Access(1), Access(3, ms(60))))
    for asked in (near, walks):
        town.react.record([ev.RequestMade(0, asked), ev.RideQueued(0, asked.id, ms(1800), Receipt(1, 1))])
    town.react.record([ev.RequestMade(0, replace(near, id="thinks")), ev.RequestMade(0, replace(walks, id="looks"))])
    closed = ev.ActTaken(ms(10), "close_stop", "op", place=1)
    town.react.record([closed])
    town.react.record(operating.follow(town.desk, closed, ms(10)))
    refused = town.said(ev.RideRefused)
    assert [(event.request, event.receipt.binding) for event in refused] == [("near", "stop_closed")]
    for name in ("thinks", "looks"):  # who had not answered yet would rather wait
        town.react.record(town.desk.refuse(name, ms(15), town.desk.quote(name, ms(15))))
    rides = town.desk.world.rides
    assert [rides[name].state for name in ("thinks", "looks")] == ["refused", "queued"]
    assert [access.place for access in rides["looks"].request.origins] == [3]
    town.react.cancel("first", ms(20))
    town.react.tick(ms(30))
    ride = town.desk.world.rides["walks"]
    assert (ride.state, ride.pickup) == ("booked", 3)
