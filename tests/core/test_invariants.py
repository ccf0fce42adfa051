"""Each invariant: a day in which nothing is wrong, and the same day with one fault, found at its line and said."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatch.core import events as ev
from dispatch.core.domain import Access, Policy, Shift
from dispatch.core.invariants import check, rules
from dispatch.core.invariants.rules import INVARIANTS, Violation, clock
from routing.travel_times import DriveTimes
from tests.worlds import NOBODY, booked, calm_day, drive_times, grid, ms, opened, request, rough_day

Log = list[ev.AnyEvent]
Edit = Callable[[Log], None]


@pytest.fixture(scope="module")
def times() -> DriveTimes:
    return drive_times(grid(3, 3))


@pytest.mark.parametrize("day", [calm_day, rough_day])
def test_nothing_is_found_where_nothing_is_wrong(day: Callable[[], Log], times: DriveTimes) -> None:
    assert check(day(), times) == []
    assert check(day()) == []


def test_each_is_judged_where_the_table_says() -> None:
    judged: dict[str, set[str]] = {name: set() for name in INVARIANTS}
    for file in Path(rules.__file__).parent.glob("*.py"):
        for call in (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)):
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if name in ("found", "breach"):  # which invariant is broken: the first argument, of breach the second
                first = call.args[name == "breach"]
                for constant in ast.walk(first):
                    if isinstance(constant, ast.Constant) and isinstance(constant.value, str):
                        judged[constant.value].add(file.stem)
    assert judged == {name: set(invariant.judged_in) for name, invariant in INVARIANTS.items()}


def test_the_days_survive_the_log() -> None:
    day = calm_day()
    lines = [ev.log_line(event, seq, 0) for seq, event in enumerate(day, 1)]
    assert list(ev.read_log(lines)) == day


def line(number: int, /, **changes: Any) -> Edit:
    """Change fields of one line."""

    def edit(log: Log) -> None:
        log[number - 1] = msgspec.structs.replace(log[number - 1], **changes)

    return edit


def drop(number: int) -> Edit:
    """Leave one line out."""

    def edit(log: Log) -> None:
        del log[number - 1]

    return edit


def insert(number: int, event: ev.AnyEvent) -> Edit:
    """A line more."""

    def edit(log: Log) -> None:
        log.insert(number - 1, event)

    return edit


def both(*edits: Edit) -> Edit:
    """Several faults at once."""

    def edit(log: Log) -> None:
        for one in edits:
            one(log)

    return edit


def promise(number: int, /, **changes: Any) -> Edit:
    """Change the promise given in a line."""

    def edit(log: Log) -> None:
        event = log[number - 1]
        assert isinstance(event, ev.RideBooked)
        log[number - 1] = msgspec.structs.replace(event, promise=msgspec.structs.replace(event.promise, **changes))

    return edit


def seats(number: int, persons: int) -> Edit:
    """Change the party of a request."""

    def edit(log: Log) -> None:
        event = log[number - 1]
        assert isinstance(event, ev.RequestMade)
        log[number - 1] = ev.RequestMade(event.at, msgspec.structs.replace(event.request, seats=persons))

    return edit


def forget_c(log: Log) -> None:
    """The re-plan forgets c."""
    log[23] = ev.PlansChanged(ms(300), {"v2": (), "v1": (5, 3, 0)}, "improved")


CALM = [
    # the log itself
    ("log", drop(1), 1, "does not begin"),
    ("log", insert(2, calm_day()[0]), 2, "second time"),
    ("log", line(13, at=ms(99)), 13, "time runs back"),
    ("log", insert(47, ev.TimerTicked(ms(7200))), 47, "after the day was closed"),
    ("log", line(7, shuttle="v9"), 7, "no shift v9"),
    ("log", line(39, request="z"), 39, "no request z"),
    ("log", line(40, number=3), 40, "no fixed call 3"),
    # bookings and plans
    ("one_plan", forget_c, 24, "c is no longer planned to be picked up anywhere"),
    ("one_plan", line(24, plans={"v2": (6, 7), "v1": (5, 3, 6, 7, 0)}), 24, "planned twice"),
    ("one_plan", line(24, plans={"v1": (5, 3, 6, 7, 0)}), 24, "c is put in the plan of v1, but is planned on v2"),
    ("one_plan", line(24, plans={"v2": (8, 9), "v1": (5, 3, 6, 7, 0)}), 24, "d is put in the plan of v2"),
    ("one_plan", line(9, after=(0, 4)), 9, "points 0 and 4 of a plan that has 3"),
    ("one_plan", line(24, plans={"v2": (), "v1": (5, 3, 6, 7, 0, 99)}), 24, "nobody's"),
    ("order", line(24, plans={"v2": (), "v1": (5, 3, 7, 6, 0)}), 24, "c is to alight before it boards"),
    ("order", line(24, plans={"v2": (3,), "v1": (5, 6, 7, 0)}), 24, "a is aboard v1, but is to alight from v2"),
    ("order", line(24, plans={"v2": (7,), "v1": (5, 3, 6, 0)}), 24, "c is to alight from v2, but boards another"),
    ("order", line(29, shuttle="v2"), 29, "b alights from v2, but boarded v1"),
    ("order", line(33, shuttle="v2"), 33, "c boards v2, but its shuttle is v1"),
    ("committed", line(24, plans={"v2": (0,), "v1": (5, 3, 6, 7)}), 24, "break is moved to v2"),
    ("committed", line(29, request="a"), 29, "v1 drops off a, but b comes before"),
    ("gapless", line(9, version=4), 9, "plan 4 of v1 follows plan 1"),
    ("gapless", line(36, version=2), 36, "plan 2 of v2 follows plan 2"),
    # places
    ("capacity", seats(8, 3), 9, "4 persons and 0 wheelchairs would be aboard v1 after a; it has 3 and 1"),
    ("capacity", seats(8, 3), 20, "4 persons and 0 wheelchairs are aboard v1"),
    ("capacity", line(3, shift=Shift("v1", "v1", 0, 0, ms(7200), 3, calls=calm_day()[2].shift.calls)),  # type: ignore[union-attr]
     24, "1 wheelchairs would be aboard v1 after c; it has 3 and 0"),
    # promises
    ("promise", promise(6, pickup_to=ms(170)), 6, "a is planned to board outside its window"),
    ("promise", promise(6, pickup_to=ms(700)), 6, "a is promised a later pickup than it accepts"),
    ("promise", promise(6, dropoff_by=ms(1600)), 6, "a is promised a later arrival than it accepts"),
    ("promise", promise(6, max_ride=ms(700)), 6, "a is promised a longer ride than it accepts"),
    ("promise", promise(6, pickup_from=ms(10)), 6, "may be picked up before the departure asked for"),
    ("promise", line(6, pickup=Access(5)), 6, "stop point it did not ask for"),
    ("promise", line(6, dropoff_at=ms(2000)), 6, "a is planned to arrive later than promised"),
    ("promise", both(promise(6, pickup_to=ms(170)), line(6, pickup_at=ms(100))), 6,
     "a is to be picked up by 00:02:50, but v1 can be there at 00:03:00"),
    ("promise", promise(6, dropoff_by=ms(440)), 9, "a is to be dropped off by 00:07:20, but v1 can be there at"),
    ("promise", promise(6, dropoff_by=ms(470)), 32, "a arrived at 00:07:55, but was promised it by 00:07:50"),
    ("promise", promise(23, pickup_to=ms(480)), 33, "c was picked up at 00:08:10, but was promised it by 00:08:00"),
    ("ride_time", promise(6, max_ride=ms(270)), 32, "a was aboard for 275 s, but was promised 270 s"),
    ("ride_time", promise(6, max_ride=ms(250)), 6, "a is planned to be aboard for longer than promised"),
    ("early", promise(23, pickup_from=ms(491)), 33, "c was picked up at 00:08:10, but was promised not before"),
    ("undelivered", drop(39), 45, "the day is closed, but f is still booked"),
    ("undelivered", insert(30, ev.ShiftClosed(ms(396), "v1")), 30, "v1 was closed with a aboard"),
    # steps
    ("once", line(35, request=request("c", 3, 5)), 35, "request c is made a second time"),
    ("once", insert(24, calm_day()[22]), 24, "c is booked a second time"),
    ("legal", insert(15, booked(111, request("d", 0, 8), "v2", (0, 0), 1, 500, 900, (110, 900), 1900)), 15,
     "after it was refused with nothing else offered"),
    ("legal", insert(18, ev.RiderBoarded(ms(140), "v1", "b")), 18, "b boards v1, but is aboard"),
    ("legal", line(20, request="d"), 20, "d boards v1, but is refused"),
    ("legal", insert(40, ev.RiderBoarded(ms(901), "v2", "f")), 40, "f boards v2, but is cancelled"),
    ("legal", line(29, request="c"), 29, "c alights from v1, but is booked"),
    ("legal", insert(33, ev.RiderAlighted(ms(490), "v1", "a")), 33, "a alights from v1, but is delivered"),
    ("legal", insert(30, ev.RideCancelled(ms(396), "a")), 30, "a cancels, but is aboard already"),
    ("legal", insert(40, ev.RideCancelled(ms(901), "f")), 40, "f cancels, but is cancelled already"),
    ("legal", insert(15, ev.RideQueued(ms(110), "d", ms(900), NOBODY)), 15, "d is queued, but is refused already"),
    ("legal", drop(26), 26, "v2 arrives, but was not driving"),
    ("legal", insert(30, ev.PromiseAtRisk(ms(396), "b", None, ms(900), "noise")), 30, "b is told of a risk"),
    ("legal", insert(41, ev.CallMade(ms(3600), "v1", 0)), 41, "is made a second time"),
    ("legal", insert(40, ev.BreakEnded(ms(901), "v1")), 40, "v1 ends a break that it has not"),
    ("legal", insert(45, ev.ShiftClosed(ms(7200), "v1")), 45, "closed a second time"),
    ("legal", insert(4, calm_day()[2]), 4, "shift v1 is opened a second time"),
    ("legal", insert(8, ev.RiderStranded(ms(60), "v1", "a", 3)), 8, "a leaves v1, but was not aboard"),
    ("off_shift", insert(8, ev.ShiftClosed(ms(70), "v1")), 10, "promised a ride on v1, which is closed"),
    ("off_shift", insert(24, ev.ShiftClosed(ms(300), "v1")), 25, "v1 is closed and is given a new plan"),
    # roads
    ("road", line(28, at=ms(394)), 28, "v1 drove 179 s from node 2 to place 7; the road takes 180 s"),
    ("road", line(28, place=6), 28, "arrives at place 6, but was driving to place 7"),
    ("road", line(10, reached_at=ms(119)), 10, "at node 1 at 00:01:59, 59 s after node 0; the road takes 60 s"),
    ("road", line(10, at=ms(121)), 10, "which is past"),
    ("road", both(line(10, node=3), line(15, node=1)), 15, "v1 leaves node 1, but is at node 3"),
    ("road", line(15, at=ms(110)), 15, "v1 leaves at 00:01:50, but is at the node at 00:02:00"),
    ("road", drop(10), 14, "starts a drive while it is driving"),
    ("road", insert(19, ev.RiderBoarded(ms(160), "v1", "a")), 19, "picks up a while it is driving"),
    ("road", both(line(30, place=3), line(31, place=3)), 32, "drops off a at place 6, but stands at node 3"),
    ("dwell", line(18, at=ms(139)), 18, "v1 leaves at 00:02:19, but is ready at 00:02:20"),
    ("dwell", line(33, at=ms(489)), 33, "picks up c at 00:08:09, but is ready at 00:08:10"),
    ("plan", line(21, purpose="c"), 21, "drives for c, which is not next in its plan"),
    ("plan", line(7, purpose="f"), 7, "drives for f, which was not asked for"),
    ("plan", line(18, place=5), 18, "drives to another place than a goes to"),
    ("plan", line(25, shuttle="v1"), 25, "sent elsewhere with riders in its plan"),
    # hours
    ("shift", line(4, shift=Shift("v2", "v1", 8, ms(7000), ms(9000), 3)), 4, "vehicle v1 works in v2 and v1 at once"),
    ("shift", line(4, shift=Shift("v2", "v2", 8, ms(310), ms(7200), 3, 1)), 26, "before its shift begins"),
    ("shift", line(3, shift=Shift("v1", "v1", 0, 0, ms(610), 3, 1, calls=calm_day()[2].shift.calls)),  # type: ignore[union-attr]
     38, "v1 drops off c after its shift ended at 00:10:10"),
    ("call", line(40, at=ms(2999)), 40, "not from 00:50:00 to 01:00:00"),
    ("wait_aboard", both(line(2, policy=Policy(dwell_stop_s=10, dwell_rider_s=5, wait_aboard_s=10)),
                             line(5, request=msgspec.structs.replace(calm_day()[4].request, depart_after=ms(220))),  # type: ignore[union-attr, type-var]
                             promise(6, pickup_from=ms(220)), line(6, pickup_at=ms(220)),
                             line(20, at=ms(220)), line(21, at=ms(235)), line(28, at=ms(415)), line(29, at=ms(415)),
                             line(30, at=ms(435))), 20, "v1 waited 20 s with riders aboard before it picks up a"),
    ("answered", line(14, at=ms(121)), 14, "d had no answer by 00:02:00"),
    ("answered", line(12, until=ms(200)), 23, "c was to be answered by 00:03:30"),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "edit", "seq", "says"), CALM)
def test_each_fault_of_a_calm_day_is_found_and_said(
    invariant: str, edit: Edit, seq: int, says: str, times: DriveTimes
) -> None:
    log = calm_day()
    edit(log)
    assert_found(check(log, times), invariant, seq, says)


FEWER = both(*(drop(n) for n in (27, 26, 25, 21)), line(15, plans={"v2": (0, 1)}))
"""v2 brings a home and leaves b."""
ROUGH = [
    ("at_risk", drop(16), 20, "b was picked up at 00:12:00, but was promised it by 00:10:00; the rider was never told"),
    ("at_risk", both(drop(16), insert(18, ev.PromiseAtRisk(ms(631), "b", None, ms(900), "breakdown"))), 21,
     "the rider was told only at 00:10:31"),
    ("at_risk", both(FEWER, drop(16)), 23, "the day is closed, but b is still booked; the rider was never told"),
    ("undelivered", both(line(15, plans={"v2": (2, 3)}), *(drop(n) for n in (*range(27, 17, -1), 14))), 17,
     "a is still aboard v1, which is broken"),
    ("one_plan", line(15, plans={"v2": (0, 2, 1, 3, 3)}), 15, "planned twice"),
    ("one_plan", line(15, plans={"v2": (0, 2, 1)}), 15, "b is to be picked up, but never dropped off"),
    ("order", line(15, plans={"v2": (0, 3, 1, 2)}), 15, "b is to alight before it boards"),
    ("off_shift", line(15, plans={"v1": (2, 3), "v2": (0, 1)}), 15, "v1 is broken and is given a new plan"),
    ("legal", line(13, shuttle="v2"), 14, "a leaves v1 on the way, but it did not break down"),
    ("legal", insert(18, ev.DriveStarted(ms(110), "v1", 4, 5, "depot")), 18, "v1 starts to drive, but is broken"),
    ("legal", insert(15, ev.RiderAlighted(ms(100), "v1", "a")), 15, "a alights from v1, but is stranded"),
    ("road", line(14, place=5), 20, "picks up a at place 5, but stands at node 4"),
    ("at_risk", both(promise(6, max_ride=ms(99)), drop(17)), 23, "a was aboard for 100 s, but was promised 99 s"),
]  # fmt: skip


@pytest.mark.parametrize(("invariant", "edit", "seq", "says"), ROUGH)
def test_each_fault_of_a_rough_day_is_found_and_said(
    invariant: str, edit: Edit, seq: int, says: str, times: DriveTimes
) -> None:
    log = rough_day()
    edit(log)
    assert_found(check(log, times), invariant, seq, says)


def test_whoever_was_told_in_time_has_no_claim(times: DriveTimes) -> None:
    log = rough_day()
    both(drop(16), insert(18, ev.PromiseAtRisk(ms(630), "b", None, ms(900), "breakdown")))(log)
    assert check(log, times) == []


def test_telling_is_no_excuse_where_no_fact_forced_it(times: DriveTimes) -> None:
    log = calm_day()
    both(promise(6, dropoff_by=ms(470)), insert(10, ev.PromiseAtRisk(ms(90), "a", None, ms(475), "because")))(log)
    assert_found(check(log, times), "promise", 33, "the rider was told, but no fact of the world forced it")
    assert check(log) == [], "without the roads nobody can say that no fact forced it"


def test_a_slow_drive_may_break_a_promise_if_the_rider_is_told(times: DriveTimes) -> None:
    log = calm_day()[:32]
    both(promise(6, dropoff_by=ms(500)), *(line(n, at=log[n - 1].at + ms(100)) for n in range(28, 33)))(log)
    assert_found(check(log, times), "at_risk", 32, "a arrived at 00:09:35, but was promised it by 00:08:20")
    log.insert(27, ev.PromiseAtRisk(ms(450), "a", None, ms(575), "slow drive"))
    assert check(log, times) == []


def test_who_stands_at_the_stop_in_time_has_arrived_in_time(times: DriveTimes) -> None:
    """A driver tells that a rider is out a moment after the doors opened; half a minute is no moment."""
    log = calm_day()[:32]
    out = log[31]
    assert isinstance(out, ev.RiderAlighted)
    both(promise(6, dropoff_by=out.at), line(32, at=out.at + 30_000))(log)
    assert check(log, times) == []
    line(32, at=out.at + 30_001)(log)
    assert [v.seq for v in check(log, times)] == [32]


@pytest.mark.parametrize(("factor", "arrives_s", "outruns"), [(0.5, 306, False), (0.5, 304, True), (2.0, 395, True)])
def test_drives_take_as_long_as_the_speeds_of_the_moment_let_them(
    factor: float, arrives_s: float, outruns: bool, times: DriveTimes
) -> None:
    log = calm_day()
    log = [*log[:20], ev.SpeedsChanged(ms(215), factor), log[20], msgspec.structs.replace(log[27], at=ms(arrives_s))]
    found = [v for v in check(log, times) if v.invariant == "road" and v.shuttle == "v1"]
    assert bool(found) is outruns, found


def thinned_day(*, pickup_to: float = 60, dropoff_by: float = 1500, policies: tuple[ev.PolicyChanged, ...] = ()) -> Log:
    """v1 fetches a, and then b, who comes at 10:00 only; c, who was to ride in between, has cancelled."""
    a = request("a", 1, 8, latest_pickup_s=1800, latest_dropoff_s=1800, direct_s=120)
    c = request("c", 1, 2, latest_pickup_s=1800, latest_dropoff_s=1800)
    b = request("b", 2, 5, depart_s=600, latest_pickup_s=1800, latest_dropoff_s=1800)
    return [
        opened(9),
        ev.PolicyChanged(0, Policy(wait_aboard_s=60, dwell_stop_s=10)),
        ev.ShiftOpened(0, Shift("v1", "v1", 0, 0, ms(7200), seats=3)),
        ev.RequestMade(0, a),
        booked(0, a, "v1", (0, 0), 1, 60, 190, (0, pickup_to), dropoff_by),
        ev.RequestMade(0, c),
        booked(0, c, "v1", (1, 1), 2, 60, 130, (0, 1800), 1800),
        ev.RequestMade(0, b),
        booked(0, b, "v1", (3, 3), 3, 600, 670, (600, 1800), 1800),
        ev.DriveStarted(0, "v1", 0, 1, "a"),  # 10
        ev.RideCancelled(ms(30), "c"),
        ev.PromiseAtRisk(ms(30), "a", ms(180), ms(740 + 120), "late"),
        *policies,
        ev.StopArrived(ms(60), "v1", 1, 500_000),  # 13 where no policy changes
        ev.RiderBoarded(ms(60), "v1", "a"),
        ev.DriveStarted(ms(70), "v1", 1, 2, "b"),
        ev.StopArrived(ms(130), "v1", 2, 500_000),
        ev.RiderBoarded(ms(600), "v1", "b"),  # 17
        ev.DriveStarted(ms(610), "v1", 2, 5, "b"),
        ev.StopArrived(ms(670), "v1", 5, 500_000),
        ev.RiderAlighted(ms(670), "v1", "b"),  # 20
        ev.DriveStarted(ms(680), "v1", 5, 8, "a"),
        ev.StopArrived(ms(740), "v1", 8, 500_000),
        ev.RiderAlighted(ms(740), "v1", "a"),  # 23
        ev.DayClosed(ms(7200)),
    ]


def test_a_cancellation_may_leave_a_wait_that_no_later_pickup_could_have_spared(times: DriveTimes) -> None:
    """470 s with a aboard, where a minute is the most: had the window been longer, a could have been fetched later."""
    assert check(thinned_day(pickup_to=60), times) == []
    assert check(thinned_day(pickup_to=60 + 409), times) == []
    assert_found(check(thinned_day(pickup_to=60 + 410), times), "wait_aboard", 17, "waited 470 s with riders aboard")
    without = [event for event in thinned_day() if not isinstance(event, ev.RideCancelled)]
    assert any(v.invariant == "wait_aboard" for v in check(without, times))


def test_a_cancellation_is_to_blame_for_the_stop_dwell_that_was_shared_and_for_no_more(times: DriveTimes) -> None:
    assert check(thinned_day(dropoff_by=730), times) == []
    found = check(thinned_day(dropoff_by=729), times)
    assert_found(found, "promise", 23, "the rider was told, but no fact of the world forced it")


def test_new_rules_are_to_blame_for_what_older_plans_did_not_count_on(times: DriveTimes) -> None:
    """Longer stops; and a shorter wait aboard, until the plan is made anew."""
    longer = ev.PolicyChanged(ms(40), Policy(wait_aboard_s=60, dwell_stop_s=10, dwell_rider_s=1))
    shorter = ev.PolicyChanged(ms(130), Policy(wait_aboard_s=60, dwell_stop_s=10))
    patient = ev.PolicyChanged(0, Policy(wait_aboard_s=600, dwell_stop_s=10))
    # nobody cancels: c is left standing, and only what is said of the others counts here
    log = [event for event in thinned_day(dropoff_by=730) if not isinstance(event, ev.RideCancelled)]

    def found(invariant: str, *log: ev.AnyEvent) -> list[int]:
        return [violation.seq for violation in check(log, times) if violation.invariant == invariant]

    assert found("promise", *log) == [22]
    assert found("promise", *log[:11], longer, *log[11:]) == []
    assert found("wait_aboard", *log) == [16]
    assert found("wait_aboard", log[0], patient, *log[2:]) == []
    assert found("wait_aboard", log[0], patient, *log[2:15], shorter, *log[15:]) == []


def test_every_invariant_has_a_fault_that_shows_it() -> None:
    assert {fault[0] for fault in CALM + ROUGH} == set(INVARIANTS)


def test_a_violation_reads_as_a_line() -> None:
    found = Violation("early", 7, ms(3661.5), "a was picked up too early", "v1", "a")
    assert str(found) == "line 7, 01:01:01.500: early: a was picked up too early"
    assert clock(-1000) == "-00:00:01"


def test_times_of_other_roads_are_refused() -> None:
    with pytest.raises(ValueError, match="not those of this log"):
        check(calm_day(), drive_times(grid(4, 4)))


def assert_found(found: list[Violation], invariant: str, seq: int, says: str) -> None:
    assert any(v.invariant == invariant and v.seq == seq and says in v.what for v in found), (
        f"expected {invariant} at {seq}: …{says}…\nfound:\n" + "\n".join(map(str, found))
    )
