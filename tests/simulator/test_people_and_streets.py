"""What people choose, and what goes wrong on the streets: drawn by the seed, the same under every policy."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.domain import Access, Promise, Quote, RideRequest, Shift
from routing.errors import InputError
from simulator.choice import Choice, Way, taken
from simulator.cli import main
from simulator.demand_file import Demand
from simulator.disturbances import Disturbances, drive_permille, late_drivers, with_breakdowns
from simulator.riders import Range
from simulator.scenario import Scenario, load_scenario
from simulator.simulate import simulate

Town = Callable[..., Path]
MIN = 60_000


def request(name: str) -> RideRequest:
    return RideRequest(name, (Access(0),), (Access(1),), 10 * MIN, 6_000_000, 8 * 60 * MIN)


def quote(wait: int, ride: int = 12, walk: int = 0, fare: int = 1800) -> Quote:
    at = (8 * 60 + wait) * MIN
    access = Access(0, walk * MIN), Access(1)
    promise = Promise(at, at + MIN, at + ride * MIN)
    return Quote("r", "soonest", "A", (0, 0), *access, at, at + ride * MIN, promise, fare, 0, 0)


def share(choice: Choice, quotes: list[Quote], ways: list[Way], n: int = 4000) -> float:
    """Of riders who take a quote."""
    return sum(taken(choice, 1, str(i), request(str(i)), quotes, ways) is not None for i in range(n)) / n


WALK = Way("walk", 0, 0, 40 * MIN, 0)
CAR = Way("car", 0, 10 * MIN, 0, 1200)


def test_shares_follow_the_logit_formula() -> None:
    """Against one other way, and against two, as often as exp(u) ÷ Σ exp(u) says."""
    choice = Choice(wait_min=-0.1, ride_min=-0.05, walk_min=-0.08, fare_1000=-0.5, shuttle=0.5, car_share=1)
    u = 0.5 - 0.1 * 10 - 0.05 * 12 - 0.5 * 1.8
    walk, car = -0.08 * 40, -0.05 * 10 - 0.5 * 1.2
    for ways, others in (([WALK], [walk]), ([WALK, CAR], [walk, car])):
        expected = math.exp(u) / (math.exp(u) + sum(map(math.exp, others)))
        assert share(choice, [quote(10)], ways) == pytest.approx(expected, abs=0.025)


def test_who_has_no_car_does_not_drive() -> None:
    """A car that everybody would take is taken by those who have one."""
    assert share(Choice(car=100, car_share=0.3), [quote(5)], [CAR]) == pytest.approx(0.7, abs=0.03)


def test_a_worse_offer_loses_only_riders() -> None:
    """The same people, each with the same mind: nobody takes a longer wait who declined the shorter one."""
    choice = Choice()
    for i in range(500):
        later = taken(choice, 1, str(i), request(str(i)), [quote(25)], [WALK, CAR])
        if later is not None:
            assert taken(choice, 1, str(i), request(str(i)), [quote(5)], [WALK, CAR]) is not None


def test_the_best_of_several_quotes_is_taken() -> None:
    """Least time and money; with nothing offered nobody rides."""
    choice = Choice()
    assert taken(choice, 1, "r", request("r"), [quote(20), quote(5), quote(5, walk=9)], []) == 1
    assert taken(choice, 1, "r", request("r"), [], [WALK]) is None


def test_riders_of_a_day_choose(town: Town) -> None:
    """With walking as good as nothing all ride; with walking loved nobody does, and they count as declined."""
    ride = simulate(load_scenario(town("riders: {choice: {walk_min: -5, car_share: 0, wait_min: 0, ride_min: 0}}\n")))
    walk = simulate(load_scenario(town("riders: {choice: {walk_min: 5, car_share: 0}}\n")))
    assert ride.kpis["delivered"] == 2
    assert walk.kpis["declined"] == 2


# Streets and shuttles

SHIFTS = tuple(Shift(f"s{i}", f"s{i}", 0, 8 * 60 * MIN, 18 * 60 * MIN, 8) for i in range(400))


def test_some_shuttles_break_down_some_drivers_come_late() -> None:
    """By their shares, within the shift; a seed's own, and none where no share is named."""
    rough = Disturbances(breakdown_share=0.1, late_share=0.2, late_s=Range(600, 900))
    broken = with_breakdowns(rough, 1, SHIFTS).breakdowns
    assert 25 < len(broken) < 55
    assert all(8 * 60 * MIN <= b.at < 18 * 60 * MIN for b in broken)
    assert broken == with_breakdowns(rough, 1, SHIFTS).breakdowns != with_breakdowns(rough, 2, SHIFTS).breakdowns
    late = Counter(shift.start - 8 * 60 * MIN for shift in late_drivers(rough, 1, SHIFTS))
    assert 55 < 400 - late.pop(0) < 105
    assert all(10 * MIN <= by <= 15 * MIN for by in late)
    assert with_breakdowns(Disturbances(), 1, SHIFTS).breakdowns == ()
    assert late_drivers(Disturbances(), 1, SHIFTS) == SHIFTS


def test_nobody_is_late_for_their_own_first_call() -> None:
    """A break or a timetabled call keeps its time; so does the end of a short shift."""
    from dispatch.core.domain import FixedCall

    call = FixedCall("break", 8 * 60 * MIN + 5 * MIN, 9 * 60 * MIN, 10 * MIN)
    rough = Disturbances(late_share=1, late_s=Range(1800, 1800))
    first, short = late_drivers(
        rough, 1, [replace(SHIFTS[0], calls=(call,)), replace(SHIFTS[1], end=8 * 60 * MIN + 2 * MIN)]
    )
    assert first.start == call.earliest
    assert short.start < short.end


JAM = "disturbances:\n  congestion: [{from: 08:00, to: 09:00, factor: 2, box: [-1, 2500, 1, 4500]}]\n"
ONE = "request_id,request_time_s,origin_node,destination_node\n1,%d,n0,n2\n2,%d,n2,n4\n"


def test_a_jam_slows_drives_into_it_and_dispatch_is_not_told(town: Town) -> None:
    """From n2 to n4 takes 400 s at 8:10 and 200 s at 10:00; to n2, outside of it, always 200 s."""

    def rides(hour: float) -> list[int]:
        requests = ONE % (hour * 3600, hour * 3600 + 900)
        outcome = simulate(load_scenario(town(JAM, requests_csv=requests)))
        assert not outcome.violations
        boarded = {e.request: e.at for e in outcome.events if isinstance(e, ev.RiderBoarded)}
        assert not [e for e in outcome.events if isinstance(e, ev.SpeedsChanged)]
        return [(e.at - boarded[e.request]) // 1000 for e in outcome.events if isinstance(e, ev.RiderAlighted)]

    assert rides(8.0) == [200, 400]
    assert rides(10.0) == [200, 200]


def test_the_slowest_of_overlapping_jams_counts() -> None:
    """A factor for the drive's start or its end, none elsewhere or later."""
    from simulator.disturbances import SlowPlace

    jam = Disturbances(slow=(SlowPlace(0, 100, 2000, frozenset({1})), SlowPlace(0, 100, 3000, frozenset({2}))))
    assert drive_permille(jam, 1, "A", 1, 0, 50, 2) == 3000
    assert drive_permille(jam, 1, "A", 1, 0, 50, 5) == 2000
    assert drive_permille(jam, 1, "A", 4, 0, 50, 5) == 1000
    assert drive_permille(jam, 1, "A", 1, 0, 100, 2) == 1000


def attempts(scenario: Scenario) -> int:
    assert isinstance(scenario.requests, Demand)
    assert scenario.requests.attempts is not None
    return scenario.requests.attempts


def test_rain_slows_and_brings_riders(town: Town) -> None:
    """Twice as many depart in its two hours, and from then on drives take longer, as dispatch is told."""
    head = "network: {nodes: nodes.csv, edges: edges.csv}\nvehicles: vehicles.csv\nstops: stops.csv\n"
    head += "requests: {attempts: 40, profile: {8: 1, 9: 1, 10: 1, 11: 1}, origins: {base: 1}}\n"
    rain = "disturbances: {weather: [{from: 09:00, to: 11:00, factor: 1.5, demand: 2}]}\n"
    scenario = load_scenario(town(**{"day.yaml": head + rain}))
    assert attempts(scenario) == 60
    outcome = simulate(scenario)
    hours = Counter(e.at // (60 * MIN) for e in outcome.events if isinstance(e, ev.RequestMade))
    assert hours[9] + hours[10] > 1.3 * (hours[8] + hours[11])
    speeds = [(e.at // (60 * MIN), e.factor) for e in outcome.events if isinstance(e, ev.SpeedsChanged)]
    assert speeds == [(9, 1.5), (11, 1.0)]
    assert not outcome.violations


WRONG = [
    ("disturbances: {weather: [{from: 09:00, to: 08:00}]}", "disturbances.weather[0]: ends at 08:00"),
    ("disturbances: {speeds: [{from: 08:00, factor: 2}], weather: [{from: 09:00, to: 10:00, factor: 2}]}",
     "disturbances.weather[0]: overlaps"),
    ("disturbances: {congestion: [{from: 08:00, to: 09:00, factor: 2, box: [5, 5, 6, 6]}]}",
     "disturbances.congestion[0].box: meets no street"),
    ("disturbances: {congestion: [{from: 08:00, to: 09:00, factor: 0.5, box: [5, 5, 6, 6]}]}", "at least 1"),
    ("disturbances: {late_drivers: {share: 2}}", "disturbances.late_drivers.share"),
    ("riders: {choice: {waiting: -1}}", "riders.choice.waiting: is no known key"),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "words"), WRONG, ids=[w[1][:40] for w in WRONG])
def test_wrong_words_are_one_message(town: Town, extra: str, words: str) -> None:
    """With the key that is wrong."""
    with pytest.raises(InputError) as caught:
        load_scenario(town(extra + "\n"))
    assert words in str(caught.value)


def test_a_closed_road_is_judged_as_it_then_was(town: Town, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`naru check` finds nothing wrong with a day whose street was closed, and a drive along it."""
    closed = "disturbances:\n  closures: [{from: 08:05, to: 08:30, edges: [[n2, n3], [n3, n2]]}]\n"
    requests = "request_id,request_time_s,origin_node,destination_node\n1,28800,n1,n2\n2,31200,n0,n4\n"
    simulate(load_scenario(town(closed, requests_csv=requests)), tmp_path / "day")
    assert main(["check", str(tmp_path / "day")]) == 0
    assert "0 violations (roads judged too)" in capsys.readouterr().out
    log = tmp_path / "day" / "events.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    never_opened = [line for line in lines if "RoadReopened" not in line]
    log.write_text("".join(re.sub(r'"seq":\d+', f'"seq":{n}', line, count=1) for n, line in enumerate(never_opened, 1)))
    assert main(["check", str(tmp_path / "day")]) == 1
    assert "road: A drove 400 s" in capsys.readouterr().out
