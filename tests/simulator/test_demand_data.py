"""Demand made from what a town has counted: grids, boardings, points, OD matrices, timetables, recorded days."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from dispatch.core import events as ev
from dispatch.core.domain import Access, Receipt, RideRequest
from routing.errors import InputError
from simulator.attempts import Attempt
from simulator.demand import generate
from simulator.demand_file import Demand
from simulator.recorded import attempts_in
from simulator.scenario import Scenario, load_scenario
from simulator.simulate import roads, simulate
from simulator.timetable import read_timetable
from tests.simulator.feeds import write_feed

Town = Callable[..., Path]
HOUR = 3_600_000
HEAD = "network: {nodes: nodes.csv, edges: edges.csv}\nvehicles: vehicles.csv\n"
HEAD += "stops: {count: 5, spacing_m: 900, at_nodes: on}\n"
TUESDAY = "date: 2026-03-03\n"


@pytest.fixture
def made(town: Town) -> Callable[..., list[Attempt]]:
    """Attempts of a scenario whose `requests` (and further keys) are given, beside the files given."""

    def make(requests: str, seed: int = 1, more: str = "", **files: str) -> list[Attempt]:
        return people(scenario_with(town, requests, more, **files), seed)

    return make


def scenario_with(town: Town, requests: str, more: str = "", **files: str) -> Scenario:
    head = HEAD[: HEAD.index("stops:")] if "stops:" in more else HEAD
    return load_scenario(town(**{"day.yaml": head + f"requests: {requests}\n{more}"}, **files))


def people(scenario: Scenario, seed: int = 1) -> list[Attempt]:
    assert isinstance(scenario.requests, Demand)
    times = roads(scenario)
    return generate(scenario.requests, scenario.places, times, seed, scenario.service_hours, scenario.sources)


def starts(scenario_or: Sequence[Attempt]) -> Counter[float]:
    return Counter(attempt.origin.lon for attempt in scenario_or)


WIDE = "lat,lon," + ",".join(f"TMST_{h:02}" for h in range(24)) + "\n"


def test_a_grid_by_hour_says_where_and_when(made: Callable[..., list[Attempt]]) -> None:
    """People leave the cells in proportion to who is there, and at the hours at which anybody is."""
    rows = [["0", "0", *("30" if h == 8 else "0" for h in range(24))],
            ["0", "4000", *("10" if h == 8 else "40" if h == 18 else "0" for h in range(24))]]  # fmt: skip
    grid = WIDE + "\n".join(",".join(row) for row in rows)
    found = made("{attempts: 400, origins: {grid: grid.csv}, destinations: {base: 1}}", grid_csv=grid)
    assert {attempt.depart_after // HOUR for attempt in found} == {8, 18}
    morning = starts([attempt for attempt in found if attempt.depart_after < 9 * HOUR])
    assert set(morning) == {0, 4000}
    assert 0.68 < morning[0] / morning.total() < 0.82  # three to one, less the ways to itself
    assert set(starts([attempt for attempt in found if attempt.depart_after > 9 * HOUR])) == {4000}


def test_the_same_grid_long_wide_or_drawn_gives_the_same_people(made: Callable[..., list[Attempt]]) -> None:
    """A row an hour, a column an hour, or a GeoJSON of points: one way of saying it is as good as another."""
    count = {0: [h + 1 for h in range(24)], 2000: [24 - h for h in range(24)]}
    long = "lat,lon,hour,people\n" + "".join(
        f"0,{x},{h},{count[x][h]}\n" for x in count for h in range(24)
    )  # fmt: skip
    wide = WIDE + "".join(f"0,{x},{','.join(map(str, count[x]))}\n" for x in count)
    drawn = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "properties": {"people": hours}, "geometry": {"type": "Point", "coordinates": [x, 0]}}
        for x, hours in count.items()]}  # fmt: skip
    requests = "{attempts: 50, origins: {grid: %s}, destinations: {base: 1}}"
    first = made(requests % "grid.csv", grid_csv=long)
    assert made(requests % "grid.csv", grid_csv=wide) == first
    assert made(requests % "grid.geojson", grid_geojson=json.dumps(drawn)) == first


def test_who_lives_in_a_cell_walks_from_anywhere_in_it(made: Callable[..., list[Attempt]]) -> None:
    """A cell of 500 m around a stop point: walks differ, none is longer than the half diagonal's."""
    found = made(
        "{attempts: 60, origins: {grid: {file: grid.csv, cell_m: 500}}, destinations: {base: 1}}",
        grid_csv="x_m,y_m,people\n2000,0,10\n",
    )
    assert {attempt.origin.place for attempt in found} == {found[0].origin.place}
    walks = [attempt.origin.walk for attempt in found]
    assert len(set(walks)) > 20
    assert max(walks) <= 1000 * (250 * 2**0.5 * 1.3 / 1.2 + 1)
    ring = [[1750, -250], [2250, -250], [2250, 250], [1750, 250], [1750, -250]]
    cell = {"properties": {"people": 10}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    polygon = {"type": "FeatureCollection", "features": [cell]}
    drawn = made(
        "{attempts: 60, origins: {grid: grid.geojson}, destinations: {base: 1}}", grid_geojson=json.dumps(polygon)
    )
    assert {attempt.origin.place for attempt in drawn} == {found[0].origin.place}
    assert max(attempt.origin.walk for attempt in drawn) <= 1000 * (250 * 2**0.5 * 1.3 / 1.2 + 1)


def test_another_stop_point_leaves_people_where_they_are(town: Town) -> None:
    """Drawn from a grid, the same people start at the same places whatever the stop points are; walks change."""
    requests = "{attempts: 40, origins: {grid: {file: g.csv, cell_m: 400, reach_m: 2000}}, destinations: {base: 0,"
    requests += " centres: [{at: [0, 4000], radius_m: 9}]}}"
    grid = "lat,lon,people\n0,0,3\n0,1000,10\n0,2000,3\n"
    few, more = (
        scenario_with(
            town, requests, "stops: stops.csv\n", g_csv=grid, stops_csv=f"stop_id,node_id\nA,n0\nB,n2\n{extra}C,n4\n"
        )
        for extra in ("", "D,n1\n")
    )
    where = [[(a.origin.lat, a.origin.lon, a.depart_after) for a in people(s)] for s in (few, more)]
    shared = set(where[0]) & set(where[1])
    assert len(shared) == 40
    walks = [sum(a.origin.walk for a in people(s) if (a.origin.lat, a.origin.lon, a.depart_after) in shared)
             for s in (few, more)]  # fmt: skip
    assert walks[1] < walks[0]


def test_boardings_say_who_starts_and_alightings_who_ends_there(made: Callable[..., list[Attempt]]) -> None:
    """At 8 all board in the west; whoever alights does so in the east."""
    table = "stop_id,lat,lon,hour,boardings,alightings\nw,0,0,8,90,0\ne,0,4000,8,0,90\n"
    found = made("{share: 0.5, hours: [08:00, 09:00], origins: {boardings: b.csv}}", b_csv=table)
    assert len(found) == 45  # half of those counted
    assert {(a.origin.lon, a.destination.lon) for a in found} == {(0, 4000)}


def test_points_of_interest_draw_at_their_hours(made: Callable[..., list[Attempt]]) -> None:
    """To the school at 8, to the market at 10."""
    found = made(
        "{attempts: 60, profile: {8: 1, 10: 1}, origins: {base: 1},"
        " destinations: {points: {file: p.csv, kinds: {school: {hours: {8: 1}}, market: {hours: {10: 1}}}}}}",
        p_csv="kind,lat,lon\nschool,0,4000\nmarket,0,0\nother,0,2000\n",
    )
    goals = {(a.depart_after // HOUR, a.destination.lon) for a in found}
    assert goals == {(8, 4000), (10, 0)}


ZONES = "zone_id,lat,lon\nW,0,0\nM,0,2000\nE,0,4000\n"


def test_an_od_matrix_is_drawn_pair_by_pair(made: Callable[..., list[Attempt]]) -> None:
    """Three of four go east at 8, and all of those at 17 go back."""
    matrix = "from_zone,to_zone,hour,trips\nW,E,8,30\nM,E,8,10\nE,W,17,40\n"
    requests = "{attempts: 400, profile: {8: 1, 17: 1}, od: {matrix: od.csv, zones: z.csv}}"
    found = made(requests, od_csv=full_day(matrix), z_csv=ZONES)
    morning = [a for a in found if a.depart_after < 12 * HOUR]
    assert 0.65 < starts(morning)[0] / len(morning) < 0.85
    assert {(a.origin.lon, a.destination.lon) for a in found if a.depart_after > 12 * HOUR} == {(4000, 0)}
    by_share = made("{share: 0.25, od: {matrix: od.csv, zones: z.csv}}", od_csv=full_day(matrix), z_csv=ZONES)
    assert len(by_share) == 20


def full_day(matrix: str) -> str:
    """With zeros for the other hours."""
    return matrix + "".join(f"W,M,{h},0\n" for h in range(24))


def test_trains_of_a_timetable_bring_bursts(town: Town, tmp_path: Path) -> None:
    """On a Tuesday the train comes at 8:10 and 18:10; people leave the station within two minutes of it."""
    write_feed(tmp_path / "feed")
    requests = (
        "{attempts: 200, profile: {8: 1, 18: 1}, origins: {base: 1},"
        " bursts: [{gtfs: feed, stop: station, way: from, share: 1, route_types: [2]}]}"
    )
    found = people(scenario_with(town, requests, TUESDAY))
    assert {a.origin.lon for a in found} == {4000}
    assert all(0 <= a.depart_after % HOUR - 10 * 60_000 < 120_000 for a in found)
    to = requests.replace("way: from", "way: to").replace("18: 1", "7: 1")  # the 8:40 train, 15 minutes before
    found = people(scenario_with(town, to, TUESDAY))
    at_8 = [a for a in found if a.depart_after >= 8 * HOUR]
    assert {a.destination.lon for a in at_8} == {4000}
    assert all(0 <= a.depart_after - (8 * HOUR + 25 * 60_000) < 120_000 for a in at_8)


def test_a_timetable_is_that_of_its_date(tmp_path: Path) -> None:
    """Weekdays and Sundays differ; exceptions and frequencies are read; blank times are spread."""
    feed = write_feed(tmp_path / "feed", calendar_dates="service_id,date,exception_type\nsunday,20260303,1\n")
    tuesday = read_timetable(feed, "2026-03-03")
    assert [t // 60_000 for t in tuesday.calls("station", "from")] == [490, 660, 1090]
    assert [t // 60_000 for t in tuesday.calls("station", "to")] == [520]
    bus = next(trip for trip in tuesday.trips if trip.id == "bus")
    assert [t // 60_000 for t in bus.arrive] == [480, 490, 500]
    assert [t // 60_000 for t in read_timetable(feed, "2026-03-08").calls("station", "from")] == [660]
    often = write_feed(
        tmp_path / "often", frequencies="trip_id,start_time,end_time,headway_secs\nbus,06:00:00,07:00:00,1200\n"
    )
    runs = [trip.depart[0] // 60_000 for trip in read_timetable(often, "2026-03-03").trips if "bus" in trip.id]
    assert runs == [360, 380, 400]


def test_the_week_has_its_days(made: Callable[..., list[Attempt]]) -> None:
    """Half as many on Saturdays, with hours of their own on Sundays."""
    requests = "{attempts: 40, origins: {base: 1}, week: {sat: 0.5, sun: {attempts: 0.25, profile: {11: 1}}}}"
    assert [len(made(requests, more=f"date: {date}\n")) for date in ("2026-03-06", "2026-03-07", "2026-03-08")] == [
        40, 20, 10,
    ]  # fmt: skip
    assert {a.depart_after // HOUR for a in made(requests, more="date: 2026-03-08\n")} == {11}


def test_groups_are_drawn_and_told_in_the_log(town: Town) -> None:
    """Age groups and ways of booking come by their shares, and the log's requests carry them."""
    requests = "{attempts: 200, origins: {base: 1}, ages: {youth: 1, 65+: 3}, channels: {app: 1}}"
    scenario = scenario_with(town, requests)
    ages = Counter(a.age for a in people(scenario))
    assert 0.65 < ages["65+"] / 200 < 0.85
    asked = [event.request for event in simulate(scenario).events if isinstance(event, ev.RequestMade)]
    assert {request.channel for request in asked} == {"app"}
    assert Counter(request.age for request in asked) == ages


# Recorded days


def test_a_recorded_day_comes_again_with_everybody_who_asked(town: Town, tmp_path: Path) -> None:
    """Who was refused too; of several days seed 1 takes the first; drawn ones are moved by minutes at most."""
    more = "policy: {queue: off, max_wait_s: 60, later_s: 0}\n"
    first = scenario_with(town, "{attempts: 30, origins: {base: 1}, hours: [08:00, 10:00]}", more)
    outcome = simulate(first, tmp_path / "one")
    assert outcome.kpis["refused"] > 0
    again = scenario_with(town, "{recorded: one}")
    assert [(a.made_at, a.origin.place, a.destination.place) for a in people(again)] == [
        (a.made_at, a.origin.place, a.destination.place) for a in people(first)
    ]
    drawn = scenario_with(town, "{attempts: 100, recorded: {logs: [one], shift_s: 60}}")
    moments = {a.depart_after for a in people(first)}
    assert len(people(drawn)) == 100
    assert all(min(abs(a.depart_after - m) for m in moments) <= 60_000 for a in people(drawn))
    assert people(drawn) != people(drawn, seed=2)


def call(n: int, at: int, rider: str | None = "r", to: int = 1) -> ev.RequestMade:
    request = RideRequest(str(n), (Access(0),), (Access(to),), 1000, 1000, at * 60_000, rider=rider)
    return ev.RequestMade(at * 60_000, request)


def no(n: int, at: int) -> ev.RideRefused:
    return ev.RideRefused(at * 60_000, str(n), Receipt(0, 0))


def test_an_attempt_repeated_is_one_attempt() -> None:
    """The same rider for the same journey within half an hour of a refusal: one; else another one."""
    half = 30 * 60_000
    assert len(attempts_in([call(1, 0), no(1, 0), call(2, 10), no(2, 10), call(3, 35), no(3, 35)], half)) == 1
    assert len(attempts_in([call(1, 0), no(1, 0), call(2, 31)], half)) == 2
    assert len(attempts_in([call(1, 0), no(1, 0), call(2, 10, to=2)], half)) == 2
    assert len(attempts_in([call(1, 0), no(1, 0), call(2, 10, rider="s")], half)) == 2
    assert len(attempts_in([call(1, 0, None), no(1, 0), call(2, 10, None)], half)) == 2


# Bad input


def point(at: str, people: str) -> str:
    """A GeoJSON of one cell."""
    place = f'{{"type": "Point", "coordinates": {at}}}'
    return f'{{"features": [{{"geometry": {place}, "properties": {{"people": {people}}}}}]}}'


GRID = "{attempts: 5, origins: {grid: g.csv}}"
OD = "{attempts: 5, od: {matrix: od.csv, zones: z.csv}}"
WRONG = [  # (requests, files, words of the message)
    (GRID, {}, "g.csv: cannot be read"),
    (GRID, {"g_csv": "lat,lon\n0,0\n"}, "g.csv:1: people: column people is missing"),
    (GRID, {"g_csv": "lat,people\n0,1\n"}, "g.csv:1: lon: column lon is missing"),
    (GRID, {"g_csv": "lat,lon,people\n0,0,1\n0,x,1\n"}, "g.csv:3: lon: 'x' cannot be used"),
    (GRID, {"g_csv": "lat,lon,people\n0,0,-1\n"}, "g.csv:2: people: '-1' cannot be used"),
    (GRID, {"g_csv": "lat,lon,hour,people\n0,0,24,1\n"}, "g.csv:2: hour"),
    (GRID, {"g_csv": "lat,lon,people\n70000,70000,5\n"}, "g.csv: requests.origins: misses the zone"),
    (GRID, {"g_csv": "lat,lon,people\n0,0,0\n"}, "counts nobody in this zone"),
    (GRID, {"g_csv": "lat,lon,hour,people\n0,0,8,1\n"}, "g.csv: hour: has nothing for 00:00, an hour of demand"),
    ("{attempts: 5, profile: {8: 1, 9: 1}, origins: {grid: g.csv}}",
     {"g_csv": "lat,lon,h8,h9\n0,0,1,0\n0,4000,1,0\n"}, "requests.origins: nobody is counted at 9:00"),
    ("{attempts: 5, origins: {grid: g.geojson}}", {"g_geojson": "{"}, "g.geojson:1: is not JSON"),
    ("{attempts: 5, origins: {grid: g.geojson}}", {"g_geojson": "[]"}, "features: is no GeoJSON"),
    ("{attempts: 5, origins: {grid: g.geojson}}",
     {"g_geojson": '{"features": [{"geometry": {"type": "LineString", "coordinates": [[0,0],[1,1]]}}]}'},
     "features[0].geometry: is a LineString"),
    ("{attempts: 5, origins: {grid: g.geojson}}",
     {"g_geojson": point("[0,0]", "[1]")},
     "features[0].people: has 1 hours"),
    ("{attempts: 5, origins: {grid: g.geojson}}",
     {"g_geojson": point('"here"', "1")},
     "features[0].geometry: cannot be read"),
    (OD, {"od_csv": "from_zone,to_zone,trips\nW,X,1\n", "z_csv": ZONES}, "od.csv:2: to_zone: 'X' is no zone of z.csv"),
    (OD, {"od_csv": "from_zone,to_zone,trips\nW,W,0\n", "z_csv": ZONES}, "has no journey within the zone"),
    (OD, {"od_csv": "from_zone,to_zone\nW,E\n", "z_csv": ZONES}, "od.csv:1: trips: column trips is missing"),
    (OD, {"od_csv": "from_zone,to_zone,trips\nW,E,1\n", "z_csv": ZONES + "W,0,0\n"},
     "z.csv:5: zone_id: 'W' stands twice"),
    (OD, {"od_csv": "from_zone,to_zone,hour,trips\nW,E,8,1\n", "z_csv": ZONES}, "od.csv: hour: has nothing for 00:00"),
    ("{share: 0.1, origins: {base: 1}}", {}, "requests.share: is a share of nothing"),
    ("{origins: {base: 1}}", {}, "requests.attempts: is missing"),
    ("{attempts: 5, origins: {boardings: b.csv}}", {"b_csv": "stop_id,boardings\nnowhere,5\n"},
     "b.csv:2: stop_id: 'nowhere' is no stop point"),
    ("{attempts: 5, origins: {points: {file: p.csv, kinds: {school: 1}}}}", {"p_csv": "kind,lat,lon\nshop,0,0\n"},
     "p.csv: kind: has no point of the kind 'school'; expected one of shop"),
    ("{recorded: nowhere}", {}, "nowhere: no such log"),
    ("{attempts: 5, bursts: [{way: to}]}", {}, "requests.bursts[0]: does not say when and where"),
    ("{attempts: 5, bursts: [{way: to, gtfs: feed}]}", {}, "requests.bursts[0]: takes its times from a feed"),
    ("{attempts: 5, bursts: [{way: to, gtfs: feed, stop: x}]}", {}, "feed: there is no such feed"),
    ("{attempts: 5, week: {sad: 1}}", {}, "requests.week"),
]  # fmt: skip


@pytest.mark.parametrize(("requests", "files", "words"), WRONG, ids=[f"{i}: {w[2][:40]}" for i, w in enumerate(WRONG)])
def test_wrong_data_is_one_message_with_its_place(
    made: Callable[..., list[Attempt]], requests: str, files: dict[str, str], words: str
) -> None:
    """File, line, field, and what was expected."""
    with pytest.raises(InputError) as caught:
        made(requests, **files)
    assert words in str(caught.value)


FEEDS = [  # (the tables that differ, the stop, words of the message)
    ({"stops": None}, "station", "stops.txt is missing"),
    ({"stop_times": None}, "station", "stop_times.txt is missing"),
    ({"calendar": None}, "station", "calendar.txt is missing"),
    ({"calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
      "weekday,1,1,1,1,1,0,0,20250101,20251231\nsunday,0,0,0,0,0,0,1,20260101,20261231\n"}, "station",
     "nothing runs on 2026-03-03"),
    ({}, "nowhere", "requests.bursts[0].stop: 'nowhere' is no stop of feed; expected one of station"),
    ({}, "b0", "requests.bursts[0]: nothing arrives at 'b0'"),
    ({"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt1,8:00,08:00:00,far,1\n"}, "station",
     "stop_times.txt:2: arrival_time: '8:00' is no time"),
    ({"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt9,08:00:00,08:00:00,far,1\n"},
     "station", "stop_times.txt:2: trip_id: 't9' is no trip"),
    ({"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt1,08:00:00,08:00:00,moon,1\n"},
     "station", "stop_times.txt:2: stop_id: 'moon' is no stop"),
    ({"stop_times": "trip_id,arrival_time,stop_id,stop_sequence\nt1,08:00:00,far,1\n"}, "station",
     "stop_times.txt:1: departure_time: column departure_time is missing"),
    ({"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nt1,08:00:00\n"}, "station",
     "stop_times.txt: is not CSV"),
    ({"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
      "t1,09:00:00,09:00:00,far,1\nt1,08:00:00,08:00:00,track1,2\n"}, "station",
     "stop_times.txt:3: arrival_time: lies before"),
    ({"trips": "trip_id,route_id,service_id\nt1,X,weekday\n"}, "station", "trips.txt:2: route_id: 'X' is no route"),
]  # fmt: skip


@pytest.mark.parametrize(("tables", "stop", "words"), FEEDS, ids=[f"{i}: {f[2][:40]}" for i, f in enumerate(FEEDS)])
def test_broken_feeds_are_one_message(
    town: Town, tmp_path: Path, tables: dict[str, str | None], stop: str, words: str
) -> None:
    """GTFS without the stops, or with broken tables."""
    write_feed(tmp_path / "feed", **tables)
    requests = f"{{attempts: 5, origins: {{base: 1}}, bursts: [{{gtfs: feed, stop: {stop}, way: from}}]}}"
    with pytest.raises(InputError) as caught:
        people(scenario_with(town, requests, TUESDAY))
    assert words in str(caught.value)


def test_a_part_outside_the_zone_is_left_out_and_said(town: Town) -> None:
    """Half of the grid lies elsewhere."""
    scenario = scenario_with(town, GRID, g_csv="lat,lon,people\n0,0,1\n0,1000,1\n0,90000,2\n")
    assert any("50 % of it lies outside the zone" in note for note in scenario.notes)
    assert {a.origin.lon for a in people(scenario)} <= {0, 1000}


def test_journeys_that_leave_the_zone_are_not_those_of_the_service(town: Town) -> None:
    """Half of the matrix leads elsewhere: a share is one of the other half."""
    matrix = "from_zone,to_zone,trips\nW,E,40\nW,X,40\n"
    zones = ZONES + "X,0,90000\n"
    scenario = scenario_with(town, "{share: 0.5, od: {matrix: od.csv, zones: z.csv}}", od_csv=matrix, z_csv=zones)
    assert len(people(scenario)) == 20
    assert any("50 % of it leads out of the zone" in note for note in scenario.notes)
