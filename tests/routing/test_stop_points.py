"""Stop points from CSV and GTFS, and generated ones."""

import itertools
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from routing.errors import InputError
from routing.shipped import shipped_map
from routing.snap import snap
from routing.stop_points import coverage, generate, read_csv, read_gtfs, write_csv
from tests.routing.towns import block


def write(folder: Path, text: str, name: str = "stops.csv") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_csv_names_nodes_or_coordinates(tmp_path: Path) -> None:
    """A node gives its position; coordinates stand for themselves; the name defaults to the id."""
    (by_node,) = read_csv(write(tmp_path, "stop_id,node_id\nS1,C\n"), block())
    assert (by_node.node, by_node.lon, by_node.lat, by_node.name) == ("C", 100, 100, "S1")
    (by_place,) = read_csv(write(tmp_path, "stop_id,lat,lon,name\nS1,-0.5,166.9,Port\n"), shipped_map("nauru"))
    assert (by_place.node, by_place.lat, by_place.lon, by_place.name) == (None, -0.5, 166.9, "Port")
    (on_plane,) = read_csv(write(tmp_path, "stop_id,x_m,y_m\nS1,7,8\n"), block())
    assert (on_plane.lon, on_plane.lat) == (7, 8)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stop_id,node_id\nS1,Z\n", "stops.csv:2: node_id: node 'Z' is not on this map"),
        ("stop_id,node_id\nS1,A\nS1,B\n", "stops.csv:3: stop_id: 'S1' stands on line 2 too"),
        (
            "stop_id,name\nS1,A\n",
            "stops.csv:1: y_m: column y_m is missing; expected stop_id,node_id or stop_id,x_m,y_m",
        ),
        ("stop_id;node_id\nS1;A\n", "stops.csv:1: cells are separated by semicolons"),
        ("stop_id,x_m,y_m\nS1,NaN,1\n", "stops.csv:2: x_m: 'NaN' cannot be used"),
        ("", "stops.csv: is empty"),
    ],
)
def test_wrong_csv_is_one_message(tmp_path: Path, text: str, message: str) -> None:
    """File, line, field and what was expected."""
    with pytest.raises(InputError) as caught:
        read_csv(write(tmp_path, text), block())
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)


FEED = """stop_id,stop_name,stop_lat,stop_lon,location_type
1,Main,-0.53,166.93,
2,Port,-0.54,166.94,0
3,Station,-0.55,166.95,1
"""


def test_gtfs_is_read_as_file_folder_and_archive(tmp_path: Path) -> None:
    """Stations are no places to board; with a byte-order mark or not, the stops are the same."""
    path = write(tmp_path, "\ufeff" + FEED, "stops.txt")
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        archive.writestr("stops.txt", FEED)
    for source in (path, tmp_path, tmp_path / "feed.zip"):
        assert [(stop.id, stop.name, stop.lat) for stop in read_gtfs(source)] == [
            ("1", "Main", -0.53),
            ("2", "Port", -0.54),
        ]


def test_wrong_gtfs_is_one_message(tmp_path: Path) -> None:
    """No archive, no stops.txt in it, no stops, coordinates swapped."""
    write(tmp_path, "nothing", "text.zip")
    zipfile.ZipFile(tmp_path / "empty.zip", "w").close()
    for source, message in (
        (tmp_path / "text.zip", "no zip archive"),
        (tmp_path / "empty.zip", "no zip archive with this file; expected stops.txt"),
        (tmp_path / "gone.zip", "cannot be read"),
        (write(tmp_path, "stop_id,stop_lat,stop_lon\n", "none.txt"), "has no stops"),
        (write(tmp_path, "stop_id,stop_lat,stop_lon\n1,166.9,-0.5\n"), ":2: stop_lat: 166.9 is no latitude.*swapped"),
    ):
        with pytest.raises(InputError, match=message):
            read_gtfs(source)


@pytest.mark.parametrize("at_nodes", [False, True])
def test_written_stop_points_are_read_the_same(tmp_path: Path, at_nodes: bool) -> None:
    """The CSV loses nothing, on a map of degrees and on a plane."""
    for network in (shipped_map("nauru"), block()):
        stops = generate(network, spacing_m=60, at_nodes=at_nodes)
        write_csv(stops, tmp_path / "stops.csv", planar=network.planar)
        assert read_csv(tmp_path / "stops.csv", network) == stops


def test_spacing_and_walk_hold() -> None:
    """No two stop points are nearer than the spacing, and no street is farther from one than the walk allows."""
    network = shipped_map("nauru")
    stops = generate(network, spacing_m=300)
    x, y = network.project([stop.lat for stop in stops], [stop.lon for stop in stops])
    apart = min(np.hypot(x[i] - x[j], y[i] - y[j]) for i, j in itertools.combinations(range(len(stops)), 2))
    assert apart >= 299.9  # written to a tenth of a metre
    assert coverage(network, generate(network, walk_m=400), walk_m=401) == 1
    assert coverage(network, stops[:3], walk_m=400) < 0.5


def test_so_many_are_spread_over_the_whole_town() -> None:
    """A number alone gives exactly that many, covering nearly as well as they can."""
    network = shipped_map("nauru")
    stops = generate(network, count=60)
    assert len(stops) == 60
    assert len({stop.id for stop in stops}) == 60
    assert coverage(network, stops, walk_m=600) > 0.95


@pytest.mark.parametrize("name", ["nauru", "coquimbo"])
def test_generated_stop_points_stand_on_the_kerb_where_traffic_keeps(name: str) -> None:
    """3 m beside the street, clear of junctions, so that snapping finds the direction they were made for."""
    network = shipped_map(name)
    stops = generate(network, count=40)
    found = snap(network, [stop.lat for stop in stops], [stop.lon for stop in stops])
    assert found.distance_m == pytest.approx(np.full(40, 3), abs=0.6)
    x, y = network.project([stop.lat for stop in stops], [stop.lon for stop in stops])
    sides = []
    for i, edge in enumerate(found.edge.tolist()):
        line = np.column_stack(network.project(*network.line(edge)))
        pieces = np.diff(line, axis=0)
        off = np.array([x[i], y[i]]) - line[:-1]
        t = np.clip((off * pieces).sum(1) / np.maximum((pieces**2).sum(1), 1e-9), 0, 1)
        k = int(np.hypot(*(off - t[:, None] * pieces).T).argmin())
        sides.append(pieces[k, 0] * off[k, 1] - pieces[k, 1] * off[k, 0] > 0)
    assert sides == [network.keeps_left] * 40


def test_the_same_ones_each_day_and_in_any_process() -> None:
    """Another process with another hash seed makes the same stop points; another seed others; more keep the first."""
    network = shipped_map("nauru")
    script = (
        "from routing.stop_points import generate; from routing.shipped import shipped_map; "
        "print(generate(shipped_map('nauru'), count=9))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] == f"{generate(network, count=9)}\n"
    assert generate(network, count=9, seed=2) != generate(network, count=9)
    assert generate(network, spacing_m=300, count=10) == generate(network, spacing_m=300)[:10]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "spacing_m, walk_m or count"),
        ({"count": 0}, "count: 0"),
        ({"spacing_m": float("nan")}, "spacing_m: nan"),
        ({"walk_m": -5}, "spacing_m: -"),
        ({"count": 100_000}, "at most"),
        ({"count": 100, "spacing_m": 3000}, "fit 3000 m apart"),
    ],
)
def test_impossible_wishes_are_refused(arguments: dict[str, float], message: str) -> None:
    """The message says how many would fit."""
    with pytest.raises(InputError, match=message):
        generate(shipped_map("nauru"), **arguments)  # type: ignore[arg-type]
