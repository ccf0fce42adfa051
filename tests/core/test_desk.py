"""What the desk answers, in worlds small enough to know the answer: a straight street, a minute from place to place."""

from __future__ import annotations

import pytest

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core import recovery
from dispatch.core.desk import Desk
from dispatch.core.domain import Access, FixedCall, Policy, Queue, RideRequest, Shift, Weights
from dispatch.core.improvement import adopt
from dispatch.core.manifest import manifest
from dispatch.core.pack import pack
from dispatch.core.schedule import planned_stops, violations
from tests.property.test_plans import assert_packed
from tests.worlds import drive_times, grid, ms, opened, request

STREET = drive_times(grid(10, 1))
PLAIN = Policy(reoptimise=None, weights=Weights(wake_s=0))


def shift(name: str, node: int, *, seats: int = 4, wheelchairs: int = 0, end_s: float = 80_000, calls=()) -> Shift:  # type: ignore[no-untyped-def]
    return Shift(name, name, node, 0, ms(end_s), seats, wheelchairs, None, tuple(calls))


def desk(*shifts: Shift, policy: Policy = PLAIN) -> Desk:
    """A desk at 00:00 with these shifts on the street."""
    made = Desk(STREET)
    for event in (opened(10), ev.PolicyChanged(0, policy), *(ev.ShiftOpened(0, s) for s in shifts)):
        made.apply(event)
    return made


def ask(at: Desk, asked: RideRequest, now: int) -> ev.Event:
    """The answer to a request, folded in."""
    at.apply(ev.RequestMade(now, asked))
    answer = at.quote(asked.id, now)
    events = at.accept(answer.quotes[0], now) if answer.quotes else at.refuse(asked.id, now, answer)
    for event in events:
        at.apply(event)
    return events[-1]


def test_an_idle_shuttle_takes_the_rider() -> None:
    """One shuttle two minutes away: picked up after two minutes, there after five."""
    booked = ask(desk(shift("s", 0)), request("r", 2, 5), ms(0))
    assert isinstance(booked, ev.RideBooked)
    assert (booked.shuttle, booked.after, booked.pickup_at, booked.dropoff_at) == ("s", (0, 0), ms(120), ms(300))


def test_the_nearer_of_two_shuttles_comes() -> None:
    """The one that drives less is sent."""
    booked = ask(desk(shift("far", 0), shift("near", 4)), request("r", 5, 6), 0)
    assert isinstance(booked, ev.RideBooked)
    assert booked.shuttle == "near"


def test_a_ride_on_the_way_is_shared() -> None:
    """A rider within another's ride is inserted without delaying anybody."""
    at = desk(shift("s", 0))
    ask(at, request("long", 0, 9), 0)
    booked = ask(at, request("short", 3, 6), 0)
    assert isinstance(booked, ev.RideBooked)
    assert at.world.shuttles["s"].plan.visits == (0, 2, 3, 1)


def test_nobody_is_taken_beyond_the_places_there_are() -> None:
    """With one seat, the second rider on the same way waits for the first to get out."""
    at = desk(shift("s", 0, seats=1))
    ask(at, request("first", 0, 5), 0)
    ask(at, request("second", 1, 6), 0)
    assert at.world.shuttles["s"].plan.visits == (0, 1, 2, 3)


def test_wheelchairs_need_places_of_their_own() -> None:
    """A shuttle with seats but no wheelchair place refuses, and says that it is full."""
    refused = ask(desk(shift("s", 0)), request("r", 1, 2, wheelchairs=1), 0)
    assert isinstance(refused, ev.RideRefused)
    assert refused.receipt.binding == "full"


def test_out_of_reach_is_told_with_the_time_that_would_have_worked() -> None:
    """Nine minutes away, three allowed: the receipt names the shuttle, by how much it missed, and when it could."""
    refused = ask(desk(shift("s", 0)), request("r", 9, 5, latest_pickup_s=180), 0)
    assert isinstance(refused, ev.RideRefused)
    cause = refused.receipt.causes[0]
    assert (cause.shuttle, cause.constraint, cause.short_ms) == ("s", "out_of_reach", ms(360))
    assert refused.receipt.nearest_pickup_at == ms(540)


def test_promises_to_others_are_a_reason() -> None:
    """Who would make another rider late is refused for that rider's sake."""
    at = desk(shift("s", 5))
    ask(at, request("first", 5, 9, latest_dropoff_s=250), 0)
    refused = ask(at, request("second", 4, 0, latest_pickup_s=120), 0)
    assert isinstance(refused, ev.RideRefused)
    assert refused.receipt.binding in ("others_promises", "pickup_late")


def test_no_boarding_before_the_promised_window() -> None:
    """Booked for an hour ahead, the pickup is planned for then and not before."""
    booked = ask(desk(shift("s", 0)), request("r", 2, 5, depart_s=3600), 0)
    assert isinstance(booked, ev.RideBooked)
    assert booked.pickup_at == ms(3600)
    assert booked.promise.pickup_from == ms(3600)


def test_a_quote_is_judged_again_when_the_world_has_moved_on() -> None:
    """Two riders are quoted the only seat; the second to accept gets it later, or not at all."""
    at = desk(shift("s", 0, seats=1))
    for name in ("a", "b"):
        at.apply(ev.RequestMade(0, request(name, 1, 9, latest_pickup_s=120)))
    first, second = (at.quote(name, 0).quotes[0] for name in ("a", "b"))
    for event in at.accept(first, 0):
        at.apply(event)
    assert at.accept(second, 0) == []


def test_an_expired_quote_books_nothing() -> None:
    """A quote is good for a minute."""
    at = desk(shift("s", 0))
    at.apply(ev.RequestMade(0, request("r", 1, 2)))
    quote = at.quote("r", 0).quotes[0]
    at.apply(ev.TimerTicked(ms(61)))
    assert at.accept(quote, ms(61)) == []


def test_a_booking_is_taken_once() -> None:
    """The same quote accepted twice books once."""
    at = desk(shift("s", 0))
    at.apply(ev.RequestMade(0, request("r", 1, 2)))
    quote = at.quote("r", 0).quotes[0]
    for event in at.accept(quote, 0):
        at.apply(event)
    assert at.accept(quote, 0) == []


def test_cancelling_frees_the_plan_and_turns_the_shuttle() -> None:
    """The shuttle on its way to the rider gives up its goal at the next node."""
    at = desk(shift("s", 0))
    ask(at, request("r", 5, 9), 0)
    at.apply(ev.DriveStarted(0, "s", 0, 5, "r"))
    events = at.cancel("r", ms(90))
    assert [type(e) for e in events] == [ev.ProgressMade, ev.RideCancelled]
    assert (events[0].node, events[0].reached_at) == (2, ms(120))  # type: ignore[attr-defined]
    for event in events:
        at.apply(event)
    assert at.world.shuttles["s"].plan.visits == ()
    assert at.cancel("r", ms(91)) == []


def test_a_driving_shuttle_turns_at_the_next_node() -> None:
    """A rider nearer than the goal is fetched first; the shuttle turns no sooner than it can."""
    at = desk(shift("s", 0))
    ask(at, request("far", 9, 0, latest_dropoff_s=4000), 0)
    at.apply(ev.DriveStarted(0, "s", 0, 9, "far"))
    booked = ask(at, request("near", 3, 4, depart_s=100), ms(100))
    assert isinstance(booked, ev.RideBooked)
    assert at.world.shuttles["s"].node == 2
    assert at.world.shuttles["s"].at == ms(120)
    assert booked.pickup_at == ms(180)


def test_who_sets_out_from_elsewhere_is_timed_from_there() -> None:
    """Not from where the shuttle stood when the ride was booked: its timetable is made anew."""
    at = desk(shift("s", 5))
    ask(at, request("r", 6, 7, latest_pickup_s=4000, latest_dropoff_s=9000), 0)
    assert at.fleet.routes[0, f.BEGIN, 0] == ms(60)
    at.apply(ev.DriveStarted(0, "s", 2, 6, "r"))
    assert_packed(at)
    assert at.fleet.routes[0, f.BEGIN, 0] == ms(240)


def test_who_leaves_the_door_opens_it_again() -> None:
    """One rider boards where another is to board; a driver who leaves first stops there a second time."""
    at = desk(shift("s", 5), policy=Policy(reoptimise=None, dwell_stop_s=20))
    for name in ("a", "b"):
        ask(at, request(name, 5, 7, latest_pickup_s=4000, latest_dropoff_s=9000), 0)
    at.apply(ev.RiderBoarded(0, "s", "a"))
    ready = at.world.shuttles["s"].at
    once = at.fleet.routes[0, f.DONE, 0] - ready
    at.apply(ev.DriveStarted(ready, "s", 5, 0, "lost"))
    assert_packed(at)
    assert at.fleet.routes[0, f.DONE, 0] - ready == once + ms(20)


def test_riders_aboard_have_waited_since_the_shuttle_came_whatever_is_planned_meanwhile() -> None:
    """At the stop since 180 s for b, who comes at 450; c comes at 530, after more than 300 s, and so not before b."""
    at = desk(shift("s", 0))
    ask(at, request("a", 0, 9, latest_dropoff_s=9000), 0)
    at.apply(ev.RiderBoarded(0, "s", "a"))
    for name, depart_s in (("b", 450), ("c", 530)):
        ask(at, request(name, 3, 9, depart_s=depart_s, latest_pickup_s=4000, latest_dropoff_s=9000), 0)
    a, b, c = (2 * at.world.rides[name].number for name in "abc")
    left = at.world.shuttles["s"].at
    at.apply(ev.DriveStarted(left, "s", 0, 3, "b"))
    at.apply(ev.StopArrived(ms(180), "s", 3, 3))
    ask(at, request("d", 9, 8, depart_s=400, latest_pickup_s=9000, latest_dropoff_s=19000), ms(300))
    assert at.world.shuttles["s"].at == ms(300)  # what is planned now begins now
    d = 2 * at.world.rides["d"].number
    plans = {"late": (c, b), "soon": (b, c)}
    said = {
        name: violations(
            at.world, at.fleet, at.times, {"s": (*first, a + 1, b + 1, c + 1, d, d + 1)}, ms(300), new=set()
        )
        for name, first in plans.items()
    }
    assert said == {"late": ["s: riders aboard would wait at a stop point for longer than allowed"], "soon": []}


def test_who_boards_at_once_where_a_shuttle_has_long_stood_keeps_nobody_waiting() -> None:
    """With a aboard it has stood for longer than riders may wait; b is there and gets on as it leaves."""
    at = desk(shift("s", 0))
    ask(at, request("a", 0, 9, latest_dropoff_s=9000), 0)
    at.apply(ev.RiderBoarded(0, "s", "a"))
    booked = ask(at, request("b", 0, 9, depart_s=400, latest_pickup_s=460, latest_dropoff_s=9000), ms(400))
    assert isinstance(booked, ev.RideBooked)
    assert booked.pickup_at == ms(400)


def test_a_policy_may_forbid_turning() -> None:
    """Without diversion the stop being driven to comes first."""
    at = desk(shift("s", 0), policy=Policy(reoptimise=None, divert=False))
    ask(at, request("far", 9, 0, latest_dropoff_s=4000), 0)
    at.apply(ev.DriveStarted(0, "s", 0, 9, "far"))
    booked = ask(at, request("near", 3, 4, depart_s=100, latest_pickup_s=4000, latest_dropoff_s=9000), ms(100))
    assert isinstance(booked, ev.RideBooked)
    assert at.world.shuttles["s"].plan.visits[0] == 0


def test_a_later_time_is_offered_where_none_fits() -> None:
    """Refused as asked, quoted for later: the alternative goes beyond the limit, and says so."""
    at = desk(shift("s", 0), policy=Policy(reoptimise=None, later_s=600))
    at.apply(ev.RequestMade(0, request("r", 9, 5, latest_pickup_s=180, latest_dropoff_s=600)))
    answer = at.quote("r", 0)
    assert answer.quotes == ()
    assert (answer.later[0].kind, answer.later[0].pickup_at) == ("later", ms(540))


def test_who_is_queued_is_booked_when_a_place_frees_up() -> None:
    """The seat that a cancellation frees goes to the rider in the queue."""
    at = desk(shift("s", 0, seats=1), policy=Policy(reoptimise=None, queue=Queue(max_wait_s=600)))
    ask(at, request("a", 1, 9, latest_pickup_s=500), 0)
    queued = ask(at, request("b", 1, 9, latest_pickup_s=500), 0)
    assert isinstance(queued, ev.RideQueued)
    assert at.serve("b", ms(10)) == []
    for event in at.cancel("a", ms(20)):
        at.apply(event)
    served = at.serve("b", ms(30))
    assert isinstance(served[-1], ev.RideBooked)


def test_the_queue_ends_with_a_reason() -> None:
    """Whose time in the queue is over is refused with the reason for which they were queued."""
    at = desk(shift("s", 0), policy=Policy(reoptimise=None, queue=Queue(max_wait_s=60)))
    ask(at, request("r", 9, 5, latest_pickup_s=120), 0)
    refused = at.serve("r", ms(60))[-1]
    assert isinstance(refused, ev.RideRefused)
    assert refused.receipt.binding == "out_of_reach"


def test_the_better_of_two_stop_points_within_the_walk() -> None:
    """A stop point on the shuttle's way is chosen before the nearest one behind it."""
    at = desk(shift("s", 5))
    both = RideRequest("r", (Access(3), Access(4, ms(60))), (Access(9),), ms(360), 0, 0)
    booked = ask(at, both, 0)
    assert isinstance(booked, ev.RideBooked)
    assert booked.pickup.place == 4
    assert booked.pickup_at == ms(60)


@pytest.mark.parametrize(
    ("asked", "binding"),
    [
        (request("r", 1, 2, seats=7), "party_too_large"),
        (request("r", 1, 2, depart_s=8 * 86_400), "horizon"),
        (request("r", 1, 2, latest_pickup_s=-5), "past"),
    ],
)
def test_what_can_never_be_is_refused_at_once(asked: RideRequest, binding: str) -> None:
    """Too many, too far ahead, too late: no queue, a reason."""
    refused = ask(desk(shift("s", 0), policy=Policy(queue=Queue())), asked, 0)
    assert isinstance(refused, ev.RideRefused)
    assert refused.receipt.binding == binding


def test_a_broken_shuttles_riders_are_fetched_and_told() -> None:
    """Aboard and booked alike get another shuttle; who can't arrive as promised is told."""
    at = desk(shift("s", 0), shift("other", 9))
    ask(at, request("aboard", 0, 8, latest_dropoff_s=600), 0)
    for event in (ev.RiderBoarded(0, "s", "aboard"), ev.DriveStarted(0, "s", 0, 8, "aboard")):
        at.apply(event)
    for event in recovery.break_down(at, "s", ms(100)):
        at.apply(event)
    assert at.world.rides["aboard"].state == "stranded"
    events = recovery.replace(at, "aboard", ms(100))
    for event in events:
        at.apply(event)
    assert isinstance(events[0], ev.PromiseAtRisk)
    assert at.world.rides["aboard"].shuttle == "other"
    assert not at.late


def test_a_late_shuttles_waiting_rider_is_moved_before_anybody_is_told() -> None:
    """A delay that would break a promise moves the ride to a shuttle that keeps it."""
    at = desk(shift("s", 1), shift("other", 9))
    ask(at, request("r", 2, 5, latest_pickup_s=500), 0)
    at.apply(ev.DriveStarted(0, "s", 1, 2, "r"))
    at.apply(ev.PositionReported(ms(60), "s", 1, ms(900)))
    assert at.late == {"s"}
    assert Desk(STREET, world=at.world).late == {"s"}  # at a past moment, or after a restart
    events = recovery.at_risk(at, ms(60))
    assert [type(e) for e in events] == [ev.ProgressMade, ev.PlansChanged]
    for event in events:
        at.apply(event)
    assert at.world.rides["r"].shuttle == "other"
    assert not at.late


def test_who_cannot_be_moved_is_told() -> None:
    """The only shuttle is late: the rider learns the new times, and they hold from then on."""
    at = desk(shift("s", 1))
    ask(at, request("r", 2, 5, latest_pickup_s=500), 0)
    at.apply(ev.DriveStarted(0, "s", 1, 2, "r"))
    at.apply(ev.PositionReported(ms(60), "s", 1, ms(900)))
    events = recovery.at_risk(at, ms(60))
    assert [type(e) for e in events] == [ev.PromiseAtRisk]
    at.apply(events[0])
    assert not at.late


def test_breaks_are_taken_with_nobody_aboard() -> None:
    """A ride that would run into the driver's break is carried after it."""
    at = desk(shift("s", 0, calls=[FixedCall("break", ms(300), ms(400), ms(600))]))
    booked = ask(at, request("r", 1, 9, latest_pickup_s=3000, latest_dropoff_s=9000), 0)
    assert isinstance(booked, ev.RideBooked)
    assert booked.pickup_at >= ms(900)


def test_timetabled_calls_are_kept() -> None:
    """A loop's call at 05:00 stands; rides are fitted around it."""
    at = desk(shift("s", 0, calls=[FixedCall("timetable", ms(300), ms(300), 0, 2)]))
    ask(at, request("r", 1, 9, latest_pickup_s=3000, latest_dropoff_s=9000), 0)
    stops = planned_stops(at.world, at.fleet, at.world.shuttles["s"])
    assert [s.arrive_at for s in stops if s.fixed] == [ms(300)]


def test_the_judge_sees_every_way_to_lose_a_rider() -> None:
    """Lost, doubled, turned round, never picked up: each proposal is refused for what it is."""
    at = desk(shift("s", 0), shift("t", 0))
    ask(at, request("r", 1, 2), 0)
    name = at.world.rides["r"].shuttle
    assert name is not None

    def judged(plans: dict[str, tuple[int, ...]]) -> list[str]:
        return violations(at.world, at.fleet, at.times, plans, 0, new=set())

    assert judged({name: (0, 1)}) == []
    assert judged({name: ()})
    assert judged({name: (1, 0)})
    assert judged({name: (1,)})
    assert judged({"s": (0, 1), "t": (0, 1)})
    assert adopt(at, {0: (1, 0)}, {}, 0) == []
    assert at.rejected == 1


def test_a_locked_ride_stays_where_it_was_put() -> None:
    """A ride that an operator has locked to a shuttle is not moved by anything that improves plans."""
    at = desk(shift("s", 0), shift("t", 0))
    ask(at, request("r", 1, 2), 0)
    name = str(at.world.rides["r"].shuttle)
    other = "t" if name == "s" else "s"
    moved = {name: (), other: (0, 1)}
    assert violations(at.world, at.fleet, at.times, moved, 0, new=set()) == []
    at.apply(ev.ActTaken(0, "lock", "operator", "a promise by phone", request="r"))
    assert violations(at.world, at.fleet, at.times, moved, 0, new=set())


def test_arrays_are_the_world() -> None:
    """After bookings, drives and a cancellation the arrays are what packing the world anew gives."""
    at = desk(shift("s", 0), shift("t", 9))
    for k in range(5):
        ask(at, request(f"r{k}", k, 9 - k, latest_pickup_s=4000, latest_dropoff_s=9000), 0)
    for event in at.cancel("r2", 0):
        at.apply(event)
    fresh = pack(at.world, at.times)
    for shuttle in at.world.shuttles.values():
        n = len(shuttle.plan.visits)
        assert (at.fleet.shuttles[shuttle.row] == fresh.shuttles[shuttle.row]).all()
        assert (at.fleet.routes[shuttle.row, :, :n] == fresh.routes[shuttle.row, :, :n]).all()


def test_a_manifest_tells_the_driver_who_where_and_when() -> None:
    """Two riders at one stop are one stop of the manifest; nobody leaves before the window opens."""
    at = desk(shift("s", 0))
    ask(at, request("a", 2, 5, depart_s=600), 0)
    ask(at, request("b", 2, 5, depart_s=600), 0)
    told = manifest(at.world, at.fleet, "s")
    assert [(s.stop, sorted(s.boarding), sorted(s.alighting)) for s in told.stops] == [
        ("2", ["a", "b"], []),
        ("5", [], ["a", "b"]),
    ]
    assert told.stops[0].not_before == ms(600)


def test_what_is_quoted_can_be_booked_though_a_shuttle_has_not_left_in_time() -> None:
    """Nobody has told that the shuttle left: its riders' times are no longer true, and no quote rests on them."""
    at = desk(shift("tardy", 0))
    ask(at, request("waiting", 1, 8, latest_pickup_s=7200, latest_dropoff_s=7200), 0)
    now = ms(1500)
    for origin, latest in ((1, 1560), (3, 1680)):
        asked = request(f"r{origin}", origin, 7, depart_s=1200, latest_pickup_s=latest, latest_dropoff_s=2100)
        at.apply(ev.RequestMade(now, asked))
        (quote,) = at.quote(asked.id, now).quotes
        assert quote.pickup_at == ms(latest)
        assert at.accept(quote, now)
    route = pack(at.world, at.times).routes[0]
    assert (at.fleet.routes[0, :, :2] == route[:, :2]).all()


def test_a_shuttle_that_should_have_left_is_reckoned_with_from_now_on() -> None:
    """Two shuttles should have left ten minutes ago: what is quoted begins now, and the arrays stay the world's."""
    at = desk(shift("a", 0), shift("b", 9))
    for name, origin, destination in (("left", 2, 5), ("right", 8, 6)):
        ask(at, request(name, origin, destination, latest_pickup_s=3_000), 0)
    now = ms(600)
    at.apply(ev.RequestMade(now, request("late", 3, 4, depart_s=600, latest_pickup_s=3_000)))
    shuttles, routes = at.fleet.shuttles.copy(), at.fleet.routes.copy()
    (quote,) = at.quote("late", now).quotes
    assert (quote.shuttle, quote.pickup_at) == ("a", now + ms(180))  # three minutes from where it still stands
    assert (at.fleet.shuttles == shuttles).all()
    assert (at.fleet.routes == routes).all()
