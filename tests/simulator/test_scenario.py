"""Scenario files made into the values of a day."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dispatch.core.domain import NEVER, Access, FixedCall, Queue, Rebalance, RideRequest
from routing.errors import InputError
from routing.travel_times import drive_times
from simulator.scenario import Scenario, load_policy, load_scenario, requests_of, shipped_scenarios

Town = Callable[..., Path]


def requests(scenario: Scenario) -> tuple[tuple[int, RideRequest], ...]:
    """The scenario's requests, on the driving times of its streets."""
    return requests_of(scenario, drive_times(scenario.network, scenario.places.nodes, profile=scenario.profile))


def test_three_keys_make_a_day(town: Town) -> None:
    """Network, shuttles and requests suffice; places are the nodes that requests name, called by their ids."""
    scenario = load_scenario(town())

    assert scenario.name == "day"
    assert scenario.places.ids == ("n0", "n1", "n3", "n4")
    (shift,) = scenario.shifts
    assert (shift.id, shift.vehicle, shift.start, shift.end, shift.seats) == ("A", "A", 0, NEVER, 8)
    assert scenario.policy.queue is None
    assert scenario.policy.rebalance is None
    assert scenario.policy.reoptimise is not None
    assert scenario.riders.retries is None
    assert scenario.notes == ()


def test_requests_come_in_order_of_their_calls(town: Town) -> None:
    """Calls are sorted by time; drives are those of the streets; limits that no column names stay open."""
    (first_at, first), (second_at, second) = requests(load_scenario(town()))

    assert (first_at, first.id, second_at, second.id) == (30_000, "2", 60_000, "1")
    assert (first.direct, first.direct_mm) == (400_000, 4_000_000)
    assert (second.origins, second.destinations) == ((Access(1),), (Access(2),))
    assert (second.depart_after, second.latest_pickup, second.latest_dropoff, second.max_ride) == (
        60_000,
        None,
        None,
        None,
    )


def test_every_limit_column_binds(town: Town) -> None:
    """Columns of limits, party and rider come through as integer milliseconds; blank cells set no limit."""
    table = (
        "request_id,request_time_s,origin_node,destination_node,passengers,wheelchairs,depart_after_s,arrive_by_s,"
        "latest_pickup_s,latest_dropoff_s,max_ride_time_s,rider_id,colour\n"
        "1,60,n1,n3,2,1,100.5,900,700,900,350,r9,red\n"
        "2,60,n1,n3,,,,,,,,,\n"
    )
    scenario = load_scenario(town(requests_csv=table))
    (_, full), (_, blank) = requests(scenario)

    assert (full.seats, full.wheelchairs, full.rider) == (2, 1, "r9")
    assert (full.depart_after, full.arrive_by, full.latest_pickup) == (100_500, 900_000, 700_000)
    assert (full.latest_dropoff, full.max_ride) == (900_000, 350_000)
    assert (blank.seats, blank.wheelchairs, blank.rider, blank.latest_pickup) == (1, 0, None, None)
    assert [note.rsplit(": ", 1)[1] for note in scenario.notes] == ["colour"]


def test_byte_order_mark_and_windows_line_ends_are_read(town: Town) -> None:
    """Files as spreadsheet programs write them give the same day."""
    plain = load_scenario(town())
    table = "\ufeffrequest_id,request_time_s,origin_node,destination_node\r\n1,60,n1,n3\r\n2,30,n4,n0\r\n"
    assert load_scenario(town(requests_csv=table)).requests == plain.requests


def test_parquet_is_read_like_csv(town: Town) -> None:
    """The same columns as Parquet, numbers as numbers and blanks as nulls, give the same requests and shifts."""
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = town()
    plain = load_scenario(path)
    columns = {"request_id": [1, 2], "request_time_s": [60.0, 30.0], "origin_node": ["n1", "n4"]}
    columns |= {"destination_node": ["n3", "n0"], "latest_pickup_s": [None, None]}
    parquet.write_table(pa.table(columns), path.with_name("requests.parquet"))
    path.write_text(path.read_text().replace("requests.csv", "requests.parquet"))
    assert load_scenario(path).requests == plain.requests


def test_a_day_without_requests_or_shuttles_is_a_day(town: Town) -> None:
    """Tables of a header alone are legal."""
    scenario = load_scenario(town(requests_csv="request_id,request_time_s,origin_node,destination_node\n"))
    assert requests(scenario) == ()
    assert load_scenario(town(vehicles_csv="vehicle_id,start_node\n")).shifts == ()


def test_a_shuttle_may_work_twice(town: Town) -> None:
    """A row a shift: the second has an id of its own; a break fills its window, or floats in it."""
    table = (
        "vehicle_id,start_node,end_node,capacity,shift_start_s,shift_end_s,break_start_s,break_end_s,break_duration_s\n"
        "A,n0,,4,0,3600,600,900,\n"
        "A,n1,n2,4,7200,9000,7200,9000,600\n"
    )
    first, second = load_scenario(town(vehicles_csv=table)).shifts

    assert (first.id, first.vehicle, second.id, second.vehicle) == ("A", "A", "A#2", "A")
    assert first.calls == (FixedCall("break", 600_000, 600_000, 300_000),)
    assert second.calls == (FixedCall("break", 7_200_000, 8_400_000, 600_000),)
    assert first.end_place is None
    assert second.end_place == 4  # n2 is no place of a request, so it stands behind them


def test_riders_walk_to_stop_points_where_there_are_some(town: Town) -> None:
    """With stop points, requests begin at the nearest one; `walk_m` adds others within the walk, nearest first."""
    near = load_scenario(town("stops: stops.csv\n"))
    assert near.places.ids == ("n0", "n2", "n4")
    _, (_, request) = requests(near)
    assert [access.place for access in request.origins] == [0]
    assert request.origins[0].walk == 1_084_000  # 1 km, 1.3 times, at 1.2 m/s

    far = load_scenario(town("stops: stops.csv\npolicy: {walk_m: 1500}\n"))
    _, (_, request) = requests(far)
    assert [access.place for access in request.origins] == [0]  # the middle one is nearest to the goal, too
    assert [access.place for access in request.destinations] == [1, 2]


def test_coordinates_go_to_the_nearest_node(town: Town) -> None:
    """Without stop points a point means the node nearest to it (planar: lat is y, lon is x), and no walk."""
    table = "request_id,request_time_s,origin_lat,origin_lon,destination_lat,destination_lon\n1,60,10,1100,-20,3900\n"
    scenario = load_scenario(town(requests_csv=table))
    assert scenario.places.ids == ("n1", "n4")
    ((_, request),) = requests(scenario)
    assert (request.origins, request.destinations) == ((Access(0),), (Access(1),))


def test_switches_read_off_and_on(town: Town) -> None:
    """`off` takes re-optimisation, queue and rebalancing away; `on` gives the default rules."""
    off = load_scenario(town("policy: {reoptimise: off, queue: off, rebalance: off}\n")).policy
    assert (off.reoptimise, off.queue, off.rebalance) == (None, None, None)
    on = load_scenario(town("policy: {reoptimise: {every_s: 60}, queue: on, rebalance: on}\n")).policy
    assert on.reoptimise is not None
    assert (on.reoptimise.every_s, on.queue, on.rebalance) == (60, Queue(), Rebalance())
    with pytest.raises(InputError, match=r"policy\.rebalance"):
        load_scenario(town("policy: {rebalance: 600}\n"))
    with pytest.raises(InputError, match=r"policy\.rebalance\.learn_s: 0 cannot be used"):
        load_scenario(town("policy: {rebalance: {learn_s: 0}}\n"))


def test_seed_and_changes_go_before_the_file(town: Town) -> None:
    """What a command says wins over the file: the seed, and dotted keys."""
    path = town("seed: 5\npolicy: {queue: off}\n")
    assert load_scenario(path).seed == 5
    changed = load_scenario(path, seed=7, changes={"policy.walk_m": "300", "policy.queue.max_wait_s": "900"})
    assert (changed.seed, changed.policy.walk_m, changed.policy.queue) == (7, 300, Queue(900))


def test_generated_fleet_has_a_shift_for_each_window(town: Town) -> None:
    """Shuttles are numbered across groups; each works every shift of its group, with the breaks that fall into it."""
    day = """
network: {nodes: nodes.csv, edges: edges.csv}
vehicles:
  - {count: 1, capacity: 4, start: n1}
  - {count: 2, capacity: 16, wheelchair_places: 2, start: [0, 3100], end: n4,
     shifts: [[05:30, 09:00], [17:00, 19:30]], breaks: [{from: 06:00, to: 07:00, duration_s: 900}]}
requests: requests.csv
"""
    scenario = load_scenario(town(day_yaml=day))
    assert [shift.id for shift in scenario.shifts] == ["V1", "V2", "V2#2", "V3", "V3#2"]
    assert [shift.node for shift in scenario.shifts] == [1, 3, 3, 3, 3]
    assert scenario.shifts[1].calls == (FixedCall("break", 21_600_000, 24_300_000, 900_000),)
    assert scenario.shifts[2].calls == ()
    assert (scenario.shifts[1].start, scenario.shifts[1].end) == (19_800_000, 32_400_000)
    assert scenario.places.ids[scenario.shifts[1].end_place or 0] == "n4"


def test_loops_put_timetabled_calls_into_shifts(town: Town) -> None:
    """A loop's calls are bound to their times, in order."""
    extra = "loops: [{shuttle: A, calls: [{stop: n4, at: 01:10, wait_s: 60}, {stop: n0, at: 01:00, late_s: 120}]}]\n"
    (shift,) = load_scenario(town(extra)).shifts
    assert shift.calls == (
        FixedCall("timetable", 3_600_000, 3_720_000, 0, 0),
        FixedCall("timetable", 4_200_000, 4_200_000, 60_000, 3),
    )


def test_disturbances_are_found_on_the_streets(town: Town) -> None:
    """Boxes, lines and named streets close edges; a slow-down ends; a breakdown names the shift it falls into."""
    extra = """
disturbances:
  travel_time_sigma: 0.1
  speeds: [{from: 08:00, to: 09:00, factor: 1.5}]
  closures:
    - {from: 10:00, to: 11:00, line: [[-10, 500], [10, 500]], reason: flood}
    - {from: 07:00, edges: [[n3, n4]]}
  breakdowns: [{shuttle: A, at: 12:00}]
"""
    chaos = load_scenario(town(extra)).disturbances
    assert [(change.at // 3_600_000, change.factor) for change in chaos.speeds] == [(8, 1.5), (9, 1.0)]
    assert [(c.at // 3_600_000, len(c.edges), c.reason) for c in chaos.closures] == [(7, 1, ""), (10, 2, "flood")]
    assert [(b.at // 3_600_000, b.shift) for b in chaos.breakdowns] == [(12, "A")]


def test_mean_speed_is_what_was_asked_for(town: Town) -> None:
    """`mean_kmh` slows all streets alike: 36 km/h become 18, 1 km then takes 200 s."""
    day = (
        "network: {nodes: nodes.csv, edges: edges.csv, mean_kmh: 18}\nvehicles: vehicles.csv\nrequests: requests.csv\n"
    )
    scenario = load_scenario(town(day_yaml=day))
    assert set(scenario.network.time_ms.tolist()) == {200_000}


def test_service_day_begins_twelve_hours_before_noon(town: Town) -> None:
    """Zero of the service day is noon − 12 h: on the day the clocks go forward that is 23:00 of the day before."""
    extra = "date: 2026-03-29\ntimezone: Europe/Berlin\n"
    assert load_scenario(town(extra)).zero_utc == 1_774_735_200_000  # 2026-03-28T22:00Z


def test_a_policy_is_read_on_its_own_or_from_a_scenario(town: Town, tmp_path: Path) -> None:
    """`--policy` takes either."""
    scenario = town("policy: {name: kind, walk_m: 250}\n")
    alone = tmp_path / "kind.yaml"
    alone.write_text("name: kind\nwalk_m: 250\n")
    assert load_policy(alone) == load_policy(scenario) == load_scenario(scenario).policy


@pytest.mark.parametrize("name", shipped_scenarios())
def test_shipped_scenarios_can_be_loaded(name: str) -> None:
    """Each shipped scenario has shuttles, and as many requests as it says."""
    scenario = load_scenario(name)
    made = requests(scenario)
    assert len(made) == scenario.requests.attempts  # type: ignore[union-attr]
    assert scenario.shifts
    assert all(request.direct > 0 for _, request in made)


def test_the_pilot_is_laid_out_as_published() -> None:
    """735 attempts of one person, 350 stop points, eight shuttles of 16 places with 105 shuttle-hours in eleven
    shifts, direct rides of 6 km or more at about 27 km/h."""
    scenario = load_scenario("pilot")
    made = [request for _, request in requests(scenario)]

    assert len(made) == 735
    assert {request.seats for request in made} == {1}
    assert all(at == request.depart_after for at, request in requests(scenario))
    assert len(scenario.places.ids) == 350
    assert len({shift.vehicle for shift in scenario.shifts}) == 8
    assert len(scenario.shifts) == 11
    assert {shift.seats for shift in scenario.shifts} == {16}
    assert sum(shift.end - shift.start for shift in scenario.shifts) == 105 * 3_600_000
    km = sum(request.direct_mm for request in made) / 1e6
    assert km / len(made) >= 6
    assert 26 <= km / (sum(request.direct for request in made) / 3.6e6) <= 29
    assert scenario.policy.promise_window_s == 600
    assert (scenario.policy.fares.base, scenario.policy.fares.base_km, scenario.policy.fares.per_km) == (1800, 7, 100)
