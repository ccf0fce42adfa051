"""Money, CO₂, groups of riders, and what else people could have done: counted by hand on tiny days."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dispatch.core.kpi import figures
from routing.errors import InputError
from routing.network import read_csv
from simulator.accounts import DEFINITIONS, Accounts, Baselines, Costs, Emissions, nothing, read_accounts
from simulator.baselines import further_figures, km_by_vehicle
from simulator.bus import buses_of
from simulator.compare import html, read_runs
from simulator.equity import equity
from simulator.journeys import journeys
from simulator.report import write_report
from simulator.report_figures import look_up
from simulator.scenario import load_scenario
from simulator.simulate import simulate
from simulator.timetable import read_timetable
from tests.simulator.feeds import write_feed

Town = Callable[..., Path]
MIN = 60_000

TWO = "request_id,request_time_s,origin_node,destination_node,passengers,age_group,channel,wheelchairs\n"
TWO += "1,28800,n0,n4,2,65+,phone,1\n2,30000,n4,n2,1,youth,app,0\n"
VEHICLES = "vehicle_id,start_node,capacity,wheelchair_places,kind,shift_start_s,shift_end_s\n"
VEHICLES += "A,n0,8,1,electric,28800,32400\n"


@pytest.fixture
def day(town: Town) -> Callable[..., dict[str, Any]]:
    """KPIs of a day of two riders on one shuttle: 4 km with two persons, then 2 km with one."""

    def live(extra: str = "") -> dict[str, Any]:
        scenario = town(extra, requests_csv=TWO, vehicles_csv=VEHICLES)
        return simulate(load_scenario(scenario)).kpis

    return live


def test_money_is_hours_km_and_the_day_less_fares(day: Callable[..., dict[str, Any]]) -> None:
    """One hour at 30,000, 6 km at 500 and 1,000 for the day: 34,000 for three persons, who paid 3 × 1,000."""
    extra = day("costs: {shuttle_hour: 30000, km: 500, day: 1000}\npolicy: {fares: {base: 1000}}\n")["extra"]
    assert extra["money"] == {
        "currency": "KRW",
        "cost_total": 34_000, "cost_per_rider": pytest.approx(34_000 / 3, abs=1e-6), "fare_per_rider": 1000,
        "subsidy_per_rider": pytest.approx(31_000 / 3, abs=1e-6), "cost_recovery": pytest.approx(3 / 34, abs=1e-6),
    }  # fmt: skip


def test_no_prices_no_costs(day: Callable[..., dict[str, Any]]) -> None:
    """A scenario that names no costs has none; keys are there all the same."""
    money = day()["extra"]["money"]
    assert money["cost_per_rider"] is None
    assert money["fare_per_rider"] == 0


def test_carbon_is_by_kind_of_vehicle(day: Callable[..., dict[str, Any]]) -> None:
    """6 km at 50 g for three persons; in cars 4 km and 2 km at 120 g; taxis drive half of their km empty."""
    co2 = day("emissions: {by_kind: {electric: 50}, car_g_km: 120, taxi_empty_share: 0.5}\n")["extra"]["co2"]
    assert co2 == {"shuttles_kg": 0.3, "g_per_rider": 100, "car_g_per_rider": 240, "taxi_g_per_rider": 480}


def test_the_same_journeys_by_other_ways(day: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    """On foot 1.3 × 4 km and 2 km at 1.2 m/s; by taxi 5 minutes and the drive; the bus only takes the first rider."""
    write_feed(tmp_path / "feed")
    kpis = day("date: 2026-03-03\nbaselines: {gtfs: feed, taxi_fare: {base: 4800, base_km: 2, per_km: 800}}\n")
    found = kpis["extra"]["baselines"]
    assert found["walk_mean_s"] == pytest.approx(1.3 * 3000 / 1.2, abs=0.001)
    assert found["taxi_mean_s"] == 300 + 300
    assert found["taxi_fare_mean"] == (4800 + 2 * 800 + 4800) / 2
    assert found["naru_mean_s"] == kpis["extra"]["journey_mean_s"]
    assert found["bus_share"] == 0.5
    assert found["bus_mean_s"] == 20 * 60
    assert found["bus_transfers_mean"] == 0


def test_every_further_figure_has_its_definition(day: Callable[..., dict[str, Any]]) -> None:
    """And the keys of a day do not depend on what its scenario names."""

    def keys(value: Any, prefix: str) -> set[str]:
        if isinstance(value, dict):
            return {key for name, part in value.items() for key in keys(part, f"{prefix}.{name}")}
        return {prefix}

    extra = day()["extra"]
    mine = {name: extra[name] for name in ("money", "co2", "baselines", "groups")}
    assert keys(mine, "extra") == set(DEFINITIONS) == keys(nothing(), "extra")


def test_groups_are_told_apart(day: Callable[..., dict[str, Any]]) -> None:
    """Age, way of booking, wheelchair: a row each, with what became of them."""
    rows = {(row["kind"], row["group"]): row for row in day()["extra"]["groups"]}
    assert rows["age", "65+"]["attempts"] == 1
    assert rows["channel", "app"]["share"] == 1
    assert rows["wheelchair", "yes"]["delivered"] == 1
    assert ("ahead", "no") not in rows  # all alike: nothing to compare


def test_equity_has_the_same_keys_for_every_day(town: Town) -> None:
    """Guardrails find their figure on any day; nobody known gives None."""
    labelled = simulate(load_scenario(town(requests_csv=TWO, vehicles_csv=VEHICLES)))
    plain = simulate(load_scenario(town()))
    network = load_scenario(town()).network
    nodes = load_scenario(town()).places.nodes
    keys = [set(equity(list(journeys(o.events).values()), network, nodes)) for o in (labelled, plain)]
    assert keys[0] == keys[1]
    assert equity(list(journeys(plain.events).values()), network, nodes)["least_age_service_rate"] is None


def test_km_of_vehicles_are_those_of_the_day(town: Town) -> None:
    """What each vehicle drove adds up to vehicle_km."""
    outcome = simulate(load_scenario(town()))
    assert sum(km_by_vehicle(outcome.events).values()) == pytest.approx(outcome.kpis["vehicle_km"])


def test_accounts_lie_beside_the_log(town: Town, tmp_path: Path) -> None:
    """So the figures can be counted again from the folder alone."""
    scenario = load_scenario(town("costs: {shuttle_hour: 30000}\n", requests_csv=TWO, vehicles_csv=VEHICLES))
    outcome = simulate(scenario, tmp_path / "out")
    again = read_accounts(tmp_path / "out")
    assert again == scenario.accounts
    kpis = figures(outcome.events)
    assert further_figures(outcome.events, kpis, scenario.network, again) == {
        name: outcome.kpis["extra"][name] for name in ("money", "co2", "baselines", "groups")
    }
    assert read_accounts(tmp_path) == Accounts()
    (tmp_path / "out" / "accounts.json").write_text("{")
    with pytest.raises(InputError, match=r"accounts.json: cannot be read"):
        read_accounts(tmp_path / "out")


def test_the_report_tells_of_money_and_other_ways(town: Town, tmp_path: Path) -> None:
    """In a sentence of either language, in tables, and as CSV beside the page; the comparison has them too."""
    write_feed(tmp_path / "feed")
    named = "costs: {shuttle_hour: 30000, km: 500}\ndate: 2026-03-03\nbaselines: {gtfs: feed}\n"
    scenario = load_scenario(town(named, requests_csv=TWO, vehicles_csv=VEHICLES))
    for folder in ("one", "two"):
        simulate(scenario, tmp_path / folder)
    page = write_report(tmp_path / "one", scenario.network).read_text()
    assert "The service cost ₩11,000 a rider, of which ₩11,000 was not paid by fares." in page
    assert "승객 한 사람에 든 비용은 11,000원, 그중 요금으로 메우지 못한 것은 11,000원입니다." in page
    assert "by the fixed buses, which could have carried 50.0 % of them, 20.0 min" in page
    assert "노선버스로도 갈 수 있었고, 그때는 평균 20.0분" in page
    assert "<td>by the fixed buses</td><td class='num'>20.0 min</td>" in page
    assert ">Age group</th></tr><tr><td>65+</td>" in page
    assert "<td>with one</td>" in page
    figures_csv = (tmp_path / "one" / "figures.csv").read_text()
    assert "\nmoney.cost_total,33000," in figures_csv
    assert "age,65+,1,1," in (tmp_path / "one" / "groups.csv").read_text()
    compared = html(read_runs([tmp_path / "one", tmp_path / "two"])).decode()
    assert "money.cost_per_rider" in compared


def test_refused_riders_hoped_for_so_long(town: Town) -> None:
    """Called at 8:00, refused after half a minute, again five minutes later and refused so: six minutes for nothing."""
    requests = "request_id,request_time_s,origin_node,destination_node,wheelchairs\n1,28800,n1,n3,1\n"
    riders = "riders: {retries: {calls: 2, gap_s: [300, 300], give_up_s: 1800}}\npolicy: {queue: off}\n"
    extra = simulate(load_scenario(town(riders, requests_csv=requests))).kpis["extra"]
    assert extra["refused_wait_mean_s"] == 360
    assert extra["refused_wait_p95_s"] == 360


# The bus, by hand

STOPS = "stop_id,stop_lat,stop_lon\nA,0,0\nB,0,5000\nC,10,5100\nD,0,20000\n"
ROUTES = "route_id,route_type\n1,3\n2,3\n"
TRIPS = "trip_id,route_id,service_id\na,1,weekday\nb,1,weekday\nc,2,weekday\nd,2,weekday\nslow,1,weekday\n"
TIMES = (
    "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "a,08:00:00,08:00:00,A,1\na,08:10:00,08:10:00,B,2\n"
    "b,08:30:00,08:30:00,A,1\nb,08:40:00,08:40:00,B,2\n"
    "slow,08:20:00,08:20:00,A,1\nslow,09:30:00,09:30:00,B,2\n"  # overtaken by b
    "c,08:11:00,08:11:00,C,1\nc,08:31:00,08:31:00,D,2\n"
    "d,08:20:00,08:20:00,C,1\nd,08:40:00,08:40:00,D,2\n"
)


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., Any]:
    """Asks the buses of the feed above: (x of origin, x of destination, minute) -> (arrival in minutes, buses)."""
    feed = write_feed(tmp_path / "bus", stops=STOPS, routes=ROUTES, trips=TRIPS, stop_times=TIMES)
    (tmp_path / "nodes.csv").write_text("node_id,x_m,y_m\na,0,0\nb,20000,0\n")
    (tmp_path / "edges.csv").write_text("from_node,to_node,length_m,travel_time_s\na,b,20000,2000\nb,a,20000,2000\n")
    network = read_csv(tmp_path / "nodes.csv", tmp_path / "edges.csv")

    def journey(x: float, to: float, minute: float, **words: Any) -> Any:
        buses = buses_of(read_timetable(feed, "2026-03-03"), network, Baselines(**words))
        found = buses.journey((x, 0), (to, 0), round(minute * MIN))
        return None if found is None else (found.arrive / MIN, found.buses)

    return journey


def test_the_next_bus_is_taken(ask: Callable[..., Any]) -> None:
    """At 8:00 that of 8:00; at 8:01 not the slow one of 8:20 but that of 8:30, which is there first."""
    assert ask(0, 5000, 480) == (490, 1)
    assert ask(0, 5000, 481) == (520, 1)
    assert ask(0, 5000, 511) is None


def test_one_change_with_its_walk(ask: Callable[..., Any]) -> None:
    """8:10 at B, on foot to C (100 m, 108 s): the bus of 8:11 is gone, that of 8:20 takes one on; two minutes least."""
    assert ask(0, 20_000, 480) == (520, 2)
    assert ask(0, 20_000, 480, transfer_s=660) is None
    assert ask(0, 20_000, 480, transfer_walk_m=100) is None
    assert ask(0, 20_000, 480, bus_within_s=2000) is None


def test_walks_to_the_bus_count(ask: Callable[..., Any]) -> None:
    """500 m from A: 650 m on foot, 9.03 minutes; who leaves at 7:51 is too late for 8:00."""
    assert ask(-500, 5000, 470)[0] == 490
    assert ask(-500, 5000, 471)[0] == 520
    assert ask(-900, 5000, 400) is None  # farther than 800 m of walk


WRONG = [
    ("costs: {shuttle_hour: -1}", "costs.shuttle_hour"),
    ("costs: {hour: 5}", "costs.hour: is no known key"),
    ("emissions: {by_kind: {steam: 5}}", "emissions.by_kind.steam: is no vehicle's kind"),
    ("baselines: {gtfs: nowhere}", "nowhere: there is no such feed"),
    ("baselines: {taxi_fare: {start: 5}}", "baselines.taxi_fare.start"),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "words"), WRONG, ids=[w[0] for w in WRONG])
def test_wrong_accounts_are_one_message(town: Town, extra: str, words: str) -> None:
    """With the key that is wrong."""
    with pytest.raises(InputError) as caught:
        load_scenario(town(extra + "\n"))
    assert words in str(caught.value)


def test_what_is_assumed_is_the_same_for_all() -> None:
    """Accounts that name nothing: no costs, no feed, assumed grams."""
    assert Accounts().costs is None
    assert Accounts().grams("A") == Emissions().shuttle_g_km
    assert Accounts(costs=Costs(km=1)) != Accounts()
    assert look_up({"extra": nothing()}, "extra.money.cost_total") is None
