"""Networks from CSV pairs: what is read, what is cut, and one message for whatever is wrong."""

from pathlib import Path

import pytest

from routing.errors import InputError
from routing.network import RoadNetwork, read_csv

NODES = "node_id,lat,lon\na,37.0,126.0\nb,37.001,126.0\nc,37.002,126.0\n"
EDGES = "from_node,to_node,length_m,travel_time_s\na,b,111,10\nb,a,111,10.5\nb,c,111,0\nc,b,111,12\n"


def read(folder: Path, nodes: str | bytes = NODES, edges: str | bytes = EDGES) -> RoadNetwork:
    for name, text in (("nodes.csv", nodes), ("edges.csv", edges)):
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv(folder / "nodes.csv", folder / "edges.csv")


def test_ids_order_and_times_are_kept(tmp_path: Path) -> None:
    """Node ids stay text in the file's order; seconds become whole milliseconds, at least one."""
    network = read(tmp_path)
    assert network.node_ids.tolist() == ["a", "b", "c"]
    assert network.time_ms.tolist() == [10_000, 10_500, 1, 12_000]
    assert not network.planar
    assert not network.cut


def test_planar_coordinates_are_metres(tmp_path: Path) -> None:
    """x_m and y_m make a planar network whose metres are taken as they are."""
    network = read(tmp_path, "node_id,x_m,y_m\na,0,0\nb,250,0\nc,250,90\n")
    assert network.planar
    assert [xy.tolist() for xy in network.xy] == [[0, 250, 250], [0, 0, 90]]


def test_byte_order_mark_windows_lines_and_blank_lines_are_read(tmp_path: Path) -> None:
    """What spreadsheets add changes nothing."""
    plain = read(tmp_path)
    odd = read(tmp_path, b"\xef\xbb\xbf" + NODES.replace("\n", "\r\n").encode(), EDGES.replace("\n", "\r\n\r\n"))
    assert odd.node_ids.tolist() == plain.node_ids.tolist()
    assert odd.time_ms.tolist() == plain.time_ms.tolist()


def test_names_and_classes_are_read_if_there(tmp_path: Path) -> None:
    """Optional columns name streets and classes; an empty cell is no name."""
    edges = "from_node,to_node,length_m,travel_time_s,name,road_class,mood\na,b,1,1,High St,primary,x\nb,a,1,1,,,y\n"
    network = read(tmp_path, NODES.replace("c,", "#c,"), edges)
    assert [network.names[i] for i in network.name] == ["High St", ""]
    assert [network.classes[i] for i in network.road_class] == ["primary", "road"]


def test_what_is_not_strongly_connected_is_cut_and_counted(tmp_path: Path) -> None:
    """A node that can be reached but not left goes, with its edges and their length."""
    network = read(tmp_path, NODES, EDGES.replace("c,b,111,12\n", ""))
    assert network.node_ids.tolist() == ["a", "b"]
    assert (network.cut.nodes, network.cut.edges, round(network.cut.km, 3)) == (1, 1, 0.111)
    assert "1 nodes" in str(network.cut)


WRONG_NODES = {
    "empty file": ("", "nodes.csv: is empty; expected a header with node_id"),
    "no rows": ("node_id,lat,lon\n", "nodes.csv: has no nodes"),
    "semicolons": (NODES.replace(",", ";"), "nodes.csv:1: cells are separated by semicolons; expected commas"),
    "tabs": (NODES.replace(",", "\t"), "nodes.csv:1: cells are separated by tabs"),
    "missing column": ("node_id,lat\na,1\n", "nodes.csv:1: lon: column lon is missing; expected node_id,lat,lon or"),
    "column twice": (NODES.replace("lon", "lat", 1), "nodes.csv:1: lat: column lat stands twice"),
    "no number": (NODES.replace("37.001", "north"), "nodes.csv:3: lat: 'north' cannot be used; expected a number"),
    "NaN": (NODES.replace("37.001", "NaN"), "nodes.csv:3: lat: 'NaN' cannot be used"),
    "infinite": (NODES.replace("37.001", "inf"), "nodes.csv:3: lat: 'inf' cannot be used"),
    "overflow": (NODES.replace("37.001", "1e999"), "nodes.csv:3: lat: '1e999' cannot be used"),
    "Python's own number": (NODES.replace("37.001", "3_7"), "nodes.csv:3: lat: '3_7' cannot be used"),
    "swapped": (
        NODES.replace("37.0,126.0", "126.0,37.0"),
        "nodes.csv:2: lat: 126 is no latitude; lat and lon look swapped",
    ),
    "out of range": (
        NODES.replace("126.0", "226.0"),
        "nodes.csv:2: lon: '226.0' cannot be used; expected a number from -180 to 180",
    ),
    "empty id": (NODES.replace("b,", ",", 1), "nodes.csv:3: node_id: is empty"),
    "id twice": (NODES.replace("c,", "a,"), "nodes.csv:4: node_id: 'a' stands on line 2 too"),
    "too many cells": (NODES + "d,1,2,3\n", "nodes.csv:5: 4 cells; expected 3 as in the header"),
    "too few cells": (NODES + "d,1\n", "nodes.csv:5: 2 cells"),
    "open quote": (NODES + '"d,1,2\n', "nodes.csv: is not CSV"),
    "not text": (b"\xff\xfe\x00n", "nodes.csv: is not UTF-8 text"),
}
WRONG_EDGES = {
    "no rows": ("from_node,to_node,length_m,travel_time_s\n", "edges.csv: has no edges"),
    "missing column": (
        "from_node,to_node,length_m\na,b,1\n",
        "edges.csv:1: travel_time_s: column travel_time_s is missing",
    ),
    "unknown node": (EDGES + "a,z,1,1\n", "edges.csv:6: to_node: node 'z' is not in the nodes file"),
    "negative time": (
        EDGES + "a,c,1,-1\n",
        "edges.csv:6: travel_time_s: '-1' cannot be used; expected a number from 0",
    ),
    "negative length": (EDGES + "a,c,-1,1\n", "edges.csv:6: length_m: '-1' cannot be used"),
    "absurd time": (EDGES + "a,c,1,90000\n", "edges.csv:6: travel_time_s: '90000' cannot be used"),
    "no way back anywhere": (
        "from_node,to_node,length_m,travel_time_s\na,b,1,1\n",
        "edges.csv: no two places can be reached",
    ),
}


@pytest.mark.parametrize(("nodes", "message"), WRONG_NODES.values(), ids=WRONG_NODES)
def test_wrong_nodes_are_one_message(tmp_path: Path, nodes: str | bytes, message: str) -> None:
    """Each wrong nodes file is refused with file, line, field and what was expected."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, nodes)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)


@pytest.mark.parametrize(("edges", "message"), WRONG_EDGES.values(), ids=WRONG_EDGES)
def test_wrong_edges_are_one_message(tmp_path: Path, edges: str, message: str) -> None:
    """Each wrong edges file is refused with file, line, field and what was expected."""
    with pytest.raises(InputError) as caught:
        read(tmp_path, NODES, edges)
    assert str(caught.value).removeprefix(f"{tmp_path}/").startswith(message)


def test_missing_files_and_folders_are_one_message(tmp_path: Path) -> None:
    """A path that is not there, or a folder, is said with its name."""
    with pytest.raises(InputError, match=r"gone\.csv: cannot be read"):
        read_csv(tmp_path / "gone.csv", tmp_path / "edges.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_csv(tmp_path, tmp_path)


def ladder(swapped: bool) -> tuple[str, str]:
    """A town at 52° N 13° E with true lengths, its columns exchanged or not: both are valid coordinates."""
    nodes, edges = ["node_id,lat,lon"], ["from_node,to_node,length_m,travel_time_s"]
    for i in range(30):
        lat, lon = 52 + 0.001 * (i // 15), 13 + 0.001 * (i % 15)
        nodes.append(f"{i},{lon},{lat}" if swapped else f"{i},{lat},{lon}")
        for j, metres in ((i + 1, 68.5), (i + 15, 111.2)):
            if j < 30 and (j == i + 15 or j % 15):
                edges += [f"{i},{j},{metres},9", f"{j},{i},{metres},9"]
    return "\n".join(nodes), "\n".join(edges)


def test_swapped_columns_are_found_by_the_streets_lengths(tmp_path: Path) -> None:
    """Where both columns would do as latitude, streets shorter than the straight line tell."""
    assert read(tmp_path, *ladder(swapped=False)).nodes == 30
    with pytest.raises(InputError, match="lat and lon look swapped"):
        read(tmp_path, *ladder(swapped=True))
