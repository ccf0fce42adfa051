"""Wrong scenario files and tables: each is one message with file, line, field and what was expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from routing.errors import InputError
from simulator.scenario import load_policy, load_scenario

Town = Callable[..., Path]

DAY = "network: {nodes: nodes.csv, edges: edges.csv}\nvehicles: vehicles.csv\nrequests: requests.csv\n"
GENERATED = "network: {nodes: nodes.csv, edges: edges.csv}\nrequests: requests.csv\nvehicles:\n"

SCENARIOS = [  # (what the file holds after its three lines, or instead of them; line; field; a word of the message)
    ("polcy: {}", 4, "polcy", "'policy'?"),
    ("policy:\n  walk: 300", 5, "policy.walk", "'walk_m'?"),
    ("policy:\n  reoptimise:\n    every: 30", 6, "policy.reoptimise.every", "'every_s'?"),
    ("policy:\n  walk_m: far", 5, "policy.walk_m", "a number"),
    ("policy:\n  walk_m: -1", 5, "policy.walk_m", "0 to 5000"),
    ("policy:\n  max_wait_s: 1000000000000", 5, "policy.max_wait_s", "0 to 691200"),
    ("policy:\n  max_wait_s: 12.5", 5, "policy.max_wait_s", "a whole number"),
    ("policy:\n  walk_m: .nan", 5, "policy.walk_m", "nan"),
    ("policy:\n  max_ride_factor: 0.5", 5, "policy.max_ride_factor", "at least 1"),
    ("policy: 5", 4, "policy", "a mapping"),
    ("riders:\n  no_show_share: 1.5", 5, "riders.no_show_share", "at most 1"),
    ("riders:\n  retries: {gap_s: [500, 300]}", 5, "riders.retries.gap_s", "smaller one first"),
    ("riders:\n  prefers: cheapest", 5, "riders.prefers", "cheapest"),
    ("service_hours: [23:30, 05:30]", 4, "service_hours", "an end after the beginning"),
    ("service_hours: [05:30, 50:00]", 4, "service_hours[1]", "00:00 to 48:00"),
    ("service_hours: [05:30, noon]", 4, "service_hours[1]", "hh:mm"),
    ("service_hours: [01:00, 02:00]", 2, "request_time_s", "outside the service hours"),
    ("date: 2026-02-30", 4, "date", "year-month-day"),
    ("timezone: Seoul", 4, "timezone", "Asia/Seoul"),
    ("currency: won", 4, "currency", "three letters"),
    ("seed: -1", 4, "seed", "at least 0"),
    ("seed: 1\nseed: 2", 5, "seed", "each key once"),
    ("stops: none.csv", None, None, "cannot be read"),
    ("stops: {osm: on, count: 5}", 4, "stops", "one of"),
    ("stops: {count: 0}", 4, "stops.count", "at least 1"),
    ("disturbances:\n  closures:\n    - {from: 09:00, to: 08:00, line: [[0, 0], [0, 9]]}", 6,
     "disturbances.closures[0]", "after the beginning"),
    ("disturbances:\n  closures:\n    - {from: 08:00, box: [5, 5, 6, 6]}", 6, "disturbances.closures[0]", "no street"),
    ("disturbances:\n  closures:\n    - {from: 08:00, edges: [[n0, n9]]}", 6,
     "disturbances.closures[0].edges[0]", "n9"),
    ("disturbances:\n  breakdowns: [{shuttle: Z, at: 08:00}]", 5, "disturbances.breakdowns[0]", "no shuttle"),
    ("loops: [{shuttle: A, calls: [{stop: n2, at: 08:00}]}]", 4, "loops[0].calls[0].stop", "no stop point"),
    ("loops: [{shuttle: Z, calls: []}]", 4, "loops[0].shuttle", "no shuttle"),
    ("key: [", 5, None, "is not YAML"),
    ("key: &a [*a]", 4, "key[0][0]", "nested too deeply"),
]  # fmt: skip

WHOLE_FILES = [
    ("", 1, None, "is empty"),
    ("just words", 1, None, "holds no keys"),
    ("vehicles: vehicles.csv\nrequests: requests.csv", 1, "network", "is missing"),
    ("network: {nodes: nodes.csv}\nvehicles: vehicles.csv\nrequests: requests.csv", 1, "network", "nodes and edges"),
    ("network: {map: x, osm: y}\nvehicles: vehicles.csv\nrequests: requests.csv", 1, "network", "names map and osm"),
    ("network: {map: atlantis}\nvehicles: vehicles.csv\nrequests: requests.csv", 1, "network.map", "coquimbo"),
    ("network: {map: nauru, box: [0, 0, 1, 1]}\nvehicles: vehicles.csv\nrequests: requests.csv", 1, "network.box",
     "a box on the map"),
    (GENERATED + "  {count: -1}", 4, "vehicles.count", "at least 0"),
    (GENERATED + "  {count: 1, capacity: 0}", 4, "vehicles.capacity", "at least 1"),
    (GENERATED + "  {count: 1, shifts: [[06:00, 05:00]]}", 4, "vehicles.shifts[0]", "after the beginning"),
    (GENERATED + "  {count: 1, shifts: [[06:00, 09:00], [08:00, 10:00]]}", 4, "vehicles.shifts[1]", "overlaps"),
    (GENERATED + "  {count: 1, start: nowhere}", 4, "vehicles.start", "no stop point and no node"),
    (GENERATED + "  {count: 1, start: [9000, 9000]}", 4, "vehicles.start", "far from every street"),
    (GENERATED + "  {count: 1, shifts: [[06:00, 09:00]], breaks: [{from: 09:00, to: 10:00}]}", 4, "vehicles.breaks[0]",
     "outside every shift"),
    (GENERATED + "  {count: 1, breaks: [{from: 09:00, to: 10:00, duration_s: 7200}]}", 4, "vehicles.breaks[0]",
     "no longer than its window"),
]  # fmt: skip

REQUEST = "request_id,request_time_s,origin_node,destination_node"
REQUESTS = [
    ("request_id,request_time_s,origin_node\n1,60,n1", 1, "destination_node", "is missing"),
    ("request_id,origin_node,destination_node\n1,n1,n2", 1, "request_time_s", "is missing"),
    (REQUEST.replace(",", ";") + "\n1;60;n1;n2", 1, None, "semicolons"),
    (REQUEST.replace(",", "\t"), 1, None, "tabs"),
    (f"{REQUEST}\n1,60,n1,n1", 2, "destination_node", "other than the origin"),
    (f"{REQUEST}\n1,60,n1,n2\n1,90,n2,n3", 3, "request_id", "line 2"),
    (f"{REQUEST}\n,60,n1,n2", 2, "request_id", "is empty"),
    (f"{REQUEST}\n1,soon,n1,n2", 2, "request_time_s", "seconds"),
    (f"{REQUEST}\n1,-5,n1,n2", 2, "request_time_s", "from 0"),
    (f"{REQUEST}\n1,1e9,n1,n2", 2, "request_time_s", "172800"),
    (f"{REQUEST}\n1,nan,n1,n2", 2, "request_time_s", "nan"),
    (f"{REQUEST}\n1,60,n1,n77", 2, "destination_node", "a node of the map"),
    (f"{REQUEST}\n1,60,n1", 2, None, "3 cells"),
    (f"{REQUEST},passengers\n1,60,n1,n2,0", 2, "passengers", "from 1"),
    (f"{REQUEST},passengers\n1,60,n1,n2,1.5", 2, "passengers", "whole"),
    (f"{REQUEST},passengers,wheelchairs\n1,60,n1,n2,1,2", 2, "wheelchairs", "at most passengers"),
    (f"{REQUEST},latest_pickup_s\n1,60,n1,n2,59", 2, "latest_pickup_s", "at least 60"),
    (f"{REQUEST},depart_after_s,arrive_by_s\n1,60,n1,n2,900,800", 2, "arrive_by_s", "at least 900"),
    (f"{REQUEST},latest_dropoff_s\n1,60,n1,n2,10", 2, "latest_dropoff_s", "at least 60"),
    (f"{REQUEST},max_ride_time_s\n1,60,n1,n2,0", 2, "max_ride_time_s", "from 1"),
    ("request_id,request_time_s,origin_lat,origin_lon,destination_node\n1,60,0,90000,n2", 2, "origin_lat", "zone"),
]

VEHICLE = "vehicle_id,start_node,capacity,shift_start_s,shift_end_s"
VEHICLES = [
    ("vehicle_id,capacity\nA,8", 1, "start_node", "start_lat and start_lon"),
    ("vehicle_id,start_lat\nA,8", 1, "start_lon", "is missing"),
    (VEHICLE.replace(",", ";"), 1, None, "semicolons"),
    (f"{VEHICLE}\nA,n0,0,,", 2, "capacity", "from 1"),
    (f"{VEHICLE}\nA,n0,-4,,", 2, "capacity", "seats"),
    (f"{VEHICLE}\nA,n0,8,3600,3600", 2, "shift_end_s", "after the beginning"),
    (f"{VEHICLE}\nA,n0,8,0,3600\nA,n0,8,1800,7200", 3, "vehicle_id", "do not overlap"),
    (f"{VEHICLE}\nA,n0,8,,\nA,n0,8,,", 3, "vehicle_id", "line 2"),
    (f"{VEHICLE}\nA,n9,8,,", 2, "start_node", "a node of the map"),
    (f"{VEHICLE},break_start_s,break_end_s\nA,n0,8,0,3600,3000,4000", 2, "break_start_s", "within the shift"),
    (f"{VEHICLE},break_start_s,break_end_s\nA,n0,8,0,3600,3000,2000", 2, "break_end_s", "as long as the break"),
    (f"{VEHICLE},break_start_s\nA,n0,8,0,3600,3000", 2, "break_end_s", "break_duration_s"),
]


def refused(path: Path) -> InputError:
    """The error with which a scenario is refused."""
    with pytest.raises(InputError) as caught:
        load_scenario(path)
    assert "\n" not in str(caught.value)
    return caught.value


def check(error: InputError, file: str, line: int | None, field: str | None, words: str) -> None:
    """The message names file, line and field, and says the words."""
    assert error.file is not None
    assert Path(error.file).name == file
    assert (error.line, error.field) == (line, field)
    assert words in str(error)
    assert (f"{file}:{line}: " if line else file) in str(error)


@pytest.mark.parametrize(("extra", "line", "field", "words"), SCENARIOS)
def test_wrong_key_of_a_scenario(town: Town, extra: str, line: int | None, field: str | None, words: str) -> None:
    """A wrong value beside the three keys that a scenario needs."""
    error = refused(town(extra + "\n"))
    file = "stops.csv" if line is None else "requests.csv" if field == "request_time_s" else "day.yaml"
    check(error, file.replace("stops", "none"), line, field, words)


@pytest.mark.parametrize(("text", "line", "field", "words"), WHOLE_FILES)
def test_wrong_scenario_file(town: Town, text: str, line: int, field: str | None, words: str) -> None:
    """A file that lacks what it needs, or has wrong streets or shuttles."""
    check(refused(town(day_yaml=text + "\n")), "day.yaml", line, field, words)


@pytest.mark.parametrize(("text", "line", "field", "words"), REQUESTS)
def test_wrong_requests(town: Town, text: str, line: int, field: str | None, words: str) -> None:
    """A wrong line of requests.csv."""
    check(refused(town(requests_csv=text + "\n")), "requests.csv", line, field, words)


@pytest.mark.parametrize(("text", "line", "field", "words"), VEHICLES)
def test_wrong_vehicles(town: Town, text: str, line: int, field: str | None, words: str) -> None:
    """A wrong line of vehicles.csv."""
    check(refused(town(vehicles_csv=text + "\n")), "vehicles.csv", line, field, words)


def test_same_stop_point_at_both_ends(town: Town) -> None:
    """Two places that share their nearest stop point are no journey."""
    table = "request_id,request_time_s,origin_lat,origin_lon,destination_lat,destination_lon\n1,60,0,1900,0,2100\n"
    error = refused(town("stops: stops.csv\n", requests_csv=table))
    check(error, "requests.csv", 2, "destination_lat", "'n2'")


def test_unreadable_files(town: Town, tmp_path: Path) -> None:
    """Files that are absent, no text or no Parquet."""
    with pytest.raises(InputError, match=r"absent\.yaml: cannot be read"):
        load_scenario(tmp_path / "absent.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match=r"binary\.yaml: is not UTF-8"):
        load_scenario(binary)
    day = town(day_yaml=DAY.replace("requests.csv", "requests.parquet"))
    with pytest.raises(InputError, match=r"requests\.parquet: cannot be read"):
        load_scenario(day)
    (tmp_path / "requests.parquet").write_text("request_id,request_time_s\n")
    with pytest.raises(InputError, match=r"requests\.parquet: is not Parquet"):
        load_scenario(day)


def test_unknown_name_lists_the_shipped_scenarios() -> None:
    """A name that is neither a file nor shipped."""
    with pytest.raises(InputError, match=r"'pilt'.*nauru, pilot, pilot-as-run"):
        load_scenario("pilt")


def test_wrong_policy_file(tmp_path: Path) -> None:
    """A policy on its own is checked as in a scenario."""
    path = tmp_path / "policy.yaml"
    path.write_text("name: kind\nwalk: 3\n")
    with pytest.raises(InputError, match=r"policy\.yaml:2: walk: is no known key; expected 'walk_m'\?"):
        load_policy(path)


def test_wrong_change(town: Town) -> None:
    """A change that a command asks for is checked like the file."""
    with pytest.raises(InputError, match=r"policy\.walk_m: -3 cannot be used; expected 0 to 5000"):
        load_scenario(town(), changes={"policy.walk_m": "-3"})
    with pytest.raises(InputError, match=r"policy\.walks"):
        load_scenario(town(), changes={"policy.walks": "3"})
