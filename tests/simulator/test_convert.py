"""Other tools' tables in and out: what they say is kept, what is wrong is one message."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from routing.csv_table import read_table
from routing.errors import InputError
from simulator.cli import main
from simulator.convert_from import (
    degrees_from,
    fleetpy_requests,
    matsim_network,
    matsim_plans,
    matsim_vehicles,
    taxi_trips,
)
from simulator.scenario import load_scenario, requests_of
from simulator.simulate import roads, simulate

Town = Callable[..., Path]
TRIPS = (
    "VendorID,tpep_pickup_datetime,passenger_count,pickup_longitude,pickup_latitude,dropoff_longitude,dropoff_latitude\n"
    "1,2015-01-15 19:05:39,1,-73.99,40.75,-73.97,40.76\n1,2015-01-15 08:00:00,0,-73.98,40.74,-73.95,40.72\n"
    "2,2015-01-16 08:00:00,2,-73.98,40.74,-73.95,40.72\n2,2015-01-15 09:00:00,2,0,0,-73.95,40.72\n"
)


def test_taxi_trips_of_a_date(tmp_path: Path) -> None:
    """In order of time, seconds of the day, one person at least; others are left out and counted."""
    (tmp_path / "t.csv").write_text(TRIPS)
    made = taxi_trips(tmp_path / "t.csv")
    assert [row[1:] for row in made.rows] == [
        ("28800", "40.740000", "-73.980000", "40.720000", "-73.950000", "1"),
        ("68739", "40.750000", "-73.990000", "40.760000", "-73.970000", "1"),
    ]
    assert made.notes[1:] == ("left out, of other dates: 1", "left out, without points: 1")
    assert len(taxi_trips(tmp_path / "t.csv", "2015-01-16").rows) == 1
    frame = pd.read_csv(tmp_path / "t.csv", parse_dates=["tpep_pickup_datetime"])
    frame.to_parquet(tmp_path / "t.parquet")
    assert taxi_trips(tmp_path / "t.parquet").rows == made.rows


def test_fleetpy_requests(tmp_path: Path) -> None:
    """Node indices and seconds; what is optional may be blank."""
    (tmp_path / "f.csv").write_text(
        "rq_time,start,end,request_id,number_passenger,earliest_pickup_time\n60,1,3,7,2,90\n"
    )
    made = fleetpy_requests(tmp_path / "f.csv")
    assert made.rows == [("7", "60", "1", "3", "2", "90", "")]


NETWORK = """<?xml version="1.0"?><!DOCTYPE network SYSTEM "network_v2.dtd"><network><nodes>
<node id="a" x="0" y="0"/><node id="b" x="1000" y="0"/></nodes><links capperiod="01:00:00">
<link id="ab" from="a" to="b" length="1000" freespeed="10" capacity="900" permlanes="1" modes="car,bus"/>
<link id="ba" from="b" to="a" length="1000" freespeed="20" capacity="900" permlanes="1"/>
<link id="rail" from="b" to="a" length="1000" freespeed="20" capacity="900" permlanes="1" modes="rail"/>
</links></network>"""
PLANS = """<?xml version="1.0"?><population><person id="p"><plan selected="no"><activity type="h" x="9" y="9"/></plan>
<plan selected="yes"><activity type="home" x="10" y="20" end_time="08:30:00"/><leg mode="drt"/>
<activity type="work" x="900" y="20" end_time="17:00:00"/><leg mode="drt" dep_time="17:05:00"/>
<activity type="home" x="10" y="20"/></plan></person>
<person id="q"><plan><activity type="h" x="1" y="1" end_time="25:00:00"/>
<leg mode="walk"/><activity type="w" x="2" y="2"/></plan></person></population>"""
FLEET = '<vehicles><vehicle id="v1" start_link="ab" t_0="0" t_1="86400" capacity="4"/></vehicles>'


def files(folder: Path, **texts: str) -> Path:
    for name, text in texts.items():
        (folder / f"{name}.xml").write_text(text)
    return folder


def test_matsim_in(tmp_path: Path) -> None:
    """Streets for cars with their times, a request for each DRT leg, shuttles where their links end."""
    files(tmp_path, network=NETWORK, plans=PLANS, fleet=FLEET)
    nodes, edges = matsim_network(tmp_path / "network.xml")
    assert nodes.rows == [("a", "0.000", "0.000"), ("b", "1000.000", "0.000")]
    assert edges.rows == [("a", "b", "1000.000", "100.000"), ("b", "a", "1000.000", "50.000")]
    with gzip.open(tmp_path / "plans.xml.gz", "wb") as packed:
        packed.write(PLANS.encode())
    made = matsim_plans(tmp_path / "plans.xml.gz")
    assert made == matsim_plans(tmp_path / "plans.xml")
    assert made.rows == [
        ("p", "30600", "20.000000", "10.000000", "20.000000", "900.000000", "1"),
        ("p_2", "61500", "20.000000", "900.000000", "20.000000", "10.000000", "1"),
    ]
    assert matsim_vehicles(tmp_path / "fleet.xml", tmp_path / "network.xml").rows == [("v1", "b", "4", "0", "86400")]


def test_projections_become_degrees() -> None:
    """Korea's unified grid: its origin is 38 N 127.5 E."""
    lat, lon = degrees_from("EPSG:5179")(1_000_000, 2_000_000)
    assert (round(lat, 5), round(lon, 5)) == (38, 127.5)
    with pytest.raises(InputError, match="is no projection"):
        degrees_from("EPSG:0")


@pytest.mark.parametrize("form", ["naru", "matsim", "fleetpy"])
def test_a_scenario_goes_out_and_comes_back(town: Town, tmp_path: Path, form: str) -> None:
    """The same journeys between the same points at the same times, and a day of them is delivered again."""
    path = town()
    asked = [(r.depart_after, r.seats) for _, r in requests_of(load_scenario(path), roads(load_scenario(path)))]
    there = tmp_path / form
    assert main(["convert", str(path), "--to", form, "--out", str(there)]) == 0
    streets = f"{{nodes: {tmp_path}/nodes.csv, edges: {tmp_path}/edges.csv}}"
    vehicles, requests = str(there / "vehicles.csv"), str(there / "requests.csv")
    if form == "matsim":
        assert main(["convert", str(there / "network.xml"), "--from", "matsim-network", "--out", str(there)]) == 0
        streets = f"{{nodes: {there}/nodes.csv, edges: {there}/edges.csv}}"
        plans, fleet = str(there / "plans.xml"), str(there / "vehicles.xml")
        net = str(there / "network.xml")
        assert main(["convert", plans, "--from", "matsim-plans", "--out", requests]) == 0
        assert main(["convert", fleet, "--from", "matsim-vehicles", "--network", net, "--out", vehicles]) == 0
    elif form == "fleetpy":
        vehicles = str(path.parent / "vehicles.csv")
        nodes = read_table(there / "nodes.csv", required=("node_index", "pos_x", "pos_y"))
        assert [row.text("pos_x") for row in nodes] == [f"{1000 * i}.000" for i in range(5)]
        assert main(["convert", requests, "--from", "fleetpy", "--out", requests]) == 0
        names = {str(i): f"n{i}" for i in range(5)}
        frame = pd.read_csv(requests, dtype=str).replace(
            {"origin_node": names, "destination_node": names}
        )  # fmt: skip
        frame.to_csv(requests, index=False)
    again = tmp_path / "again.yaml"
    again.write_text(f"network: {streets}\nvehicles: {vehicles}\nrequests: {requests}\n")
    scenario = load_scenario(again)
    back = [(r.depart_after, r.seats) for _, r in requests_of(scenario, roads(scenario))]
    assert sorted(back) == sorted(asked)
    assert simulate(scenario).kpis["delivered"] == 2


WRONG = [  # (reader, files, words of the message)
    (lambda d: taxi_trips(d / "a.csv"), {"a.csv": "PULocationID,DOLocationID,tpep_pickup_datetime\n1,2,x\n"},
     "has zones but no points"),
    (lambda d: taxi_trips(d / "a.csv"), {"a.csv": "lat,lon\n1,2\n"}, "has no column for time"),
    (lambda d: taxi_trips(d / "a.csv"), {"a.csv": TRIPS.replace("2015-01-15 08:00:00", "yesterday")},
     "a.csv:3: tpep_pickup_datetime: 'yesterday' is no time"),
    (lambda d: taxi_trips(d / "a.csv", "2001-01-01"), {"a.csv": TRIPS}, "has no trip of 2001-01-01"),
    (lambda d: fleetpy_requests(d / "a.csv"), {"a.csv": "request_id,rq_time,start\n1,2,3\n"}, "column end is missing"),
    (lambda d: fleetpy_requests(d / "a.csv"), {"a.csv": "request_id,rq_time,start,end\n1,2,3,x\n"}, "a.csv:2: end"),
    (lambda d: matsim_plans(d / "a.xml"), {"a.xml": "<population><person"}, "a.xml:1: is not XML"),
    (lambda d: matsim_plans(d / "a.xml"), {"a.xml": PLANS.replace("drt", "pt")}, "has no leg of the mode 'drt'"),
    (lambda d: matsim_plans(d / "a.xml"), {"a.xml": PLANS.replace('end_time="08:30:00"', "")}, "is no departure"),
    (lambda d: matsim_plans(d / "a.xml"), {"a.xml": PLANS.replace('x="900"', 'x="far"')}, "x: 'far' is no number"),
    (lambda d: matsim_network(d / "a.xml"), {"a.xml": NETWORK.replace('freespeed="10"', 'freespeed="0"')},
     "<link ab> freespeed: is not above 0"),
    (lambda d: matsim_network(d / "a.xml"), {"a.xml": "<network/>"}, "has no link for cars"),
    (lambda d: matsim_vehicles(d / "a.xml", d / "n.xml"), {"a.xml": FLEET.replace('"ab"', '"xx"'), "n.xml": NETWORK},
     "<vehicle v1> start_link: 'xx' is no link of n.xml"),
    (lambda d: matsim_vehicles(d / "a.xml", d / "none.xml"), {"a.xml": FLEET}, "none.xml: cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("read", "texts", "words"), WRONG, ids=[f"{i}: {w[2][:40]}" for i, w in enumerate(WRONG)])
def test_wrong_tables_are_one_message(
    tmp_path: Path, read: Callable[[Path], object], texts: dict[str, str], words: str
) -> None:
    """With file, line or element, and field."""
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as caught:
        read(tmp_path)
    assert words in str(caught.value)


def test_the_command_says_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One way or the other; MATSim's vehicles need their network."""
    (tmp_path / "v.xml").write_text(FLEET)
    assert main(["convert", "x", "--out", str(tmp_path / "o")]) == 2
    assert "either --from or --to" in capsys.readouterr().err
    args = ["convert", str(tmp_path / "v.xml"), "--from", "matsim-vehicles", "--out", str(tmp_path / "o")]
    assert main(args) == 2
    assert "a network.xml" in capsys.readouterr().err
