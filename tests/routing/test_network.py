"""RoadNetwork: its parts, its file, its projection."""

import contextlib
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InputError
from routing.network import RoadNetwork
from routing.shipped import shipped_map, shipped_maps
from tests.routing.towns import block, networks, oracle, town

ARRAYS = ("node_ids", "lat", "lon", "edge_from", "edge_to", "length_m", "time_ms", "road_class", "name", "shape_start")


def same(a: RoadNetwork, b: RoadNetwork) -> bool:
    arrays = all(np.array_equal(getattr(a, name), getattr(b, name)) for name in (*ARRAYS, "shape_lat", "shape_lon"))
    return arrays and (a.classes, a.names, a.credit, a.planar, a.cut) == (b.classes, b.names, b.credit, b.planar, b.cut)


@given(networks())
def test_indptr_is_where_each_nodes_edges_begin(network: RoadNetwork) -> None:
    """The edges between two entries of indptr are those that leave the node."""
    for node in range(network.nodes):
        assert set(network.edge_from[network.indptr[node] : network.indptr[node + 1]].tolist()) == {node}


def test_largest_component_is_kept_in_order_and_the_rest_counted() -> None:
    """Islands and dead ends go; the nodes left keep their order, the edges their data."""
    nodes = {"x": (900, 0), "A": (0, 0), "y": (990, 0), "B": (100, 0), "dead": (0, 50), "C": (50, 80)}
    network = town(nodes, "A>B B>C C>A x-y A>dead").largest_component()
    assert network.node_ids.tolist() == ["A", "B", "C"]
    assert (network.cut.nodes, network.cut.edges) == (3, 3)
    assert network.cut.km == pytest.approx(0.23)
    assert [network.node_ids[network.edge_to[network.indptr[i]]] for i in range(3)] == ["B", "C", "A"]


def test_a_network_without_a_circle_is_refused() -> None:
    """If no two places reach each other there is nothing to drive on."""
    with pytest.raises(InputError, match="no two places"):
        town({"A": (0, 0), "B": (1, 0)}, "A>B").largest_component()


def test_lines_follow_their_edges_when_nodes_are_cut() -> None:
    """A part of a network keeps each edge's own points."""
    coquimbo = shipped_map("coquimbo")
    zone = coquimbo.within(south=-29.985, west=-71.295, north=-29.865, east=-71.195)
    for edge in random.Random(1).sample(range(zone.edges), 200):
        lat, lon = zone.line(edge)
        x, y = zone.project(lat, lon)
        assert np.hypot(np.diff(x), np.diff(y)).sum() == pytest.approx(zone.length_m[edge], rel=0.01, abs=1)


def test_a_box_beside_the_map_is_refused() -> None:
    """A zone that holds no street, or is no box, is wrong input."""
    with pytest.raises(InputError, match="no street of this map lies in the box"):
        shipped_map("nauru").within(south=50, west=10, north=51, east=11)
    with pytest.raises(InputError, match="south < north"):
        shipped_map("nauru").within(south=51, west=10, north=50, east=11)


@given(st.floats(-80, 80), st.floats(-179, 179))
def test_unproject_undoes_project(lat: float, lon: float) -> None:
    """Metres and degrees go back and forth without loss."""
    network = town({"A": (lon, lat), "B": (lon + 0.01, lat + 0.01)}, "A-B", planar=False)
    assert network.unproject(*network.project(lat, lon)) == (pytest.approx(lat), pytest.approx(lon))


def test_edges_between_finds_parallel_streets() -> None:
    """A closure of "the street from A to B" means all of them, and not those of others."""
    network = town({"A": (0, 0), "B": (100, 0), "C": (50, 50)}, "A-B A>B B>C C>A")
    assert network.edges_between(0, 1) == [0, 1]
    assert network.edges_between(1, 2) == [3]
    assert network.edges_between(0, 2) == []


def test_networkx_has_the_same_shortest_times() -> None:
    """The exported graph answers as our own arrays do."""
    import networkx as nx

    network = block()
    graph = network.to_networkx()
    table = oracle(network)
    for a in "ABCD":
        for b in "ABCD":
            seconds = nx.shortest_path_length(graph, a, b, weight="travel_time")
            assert seconds * 1000 == pytest.approx(table[network.index[a], network.index[b]])


@pytest.mark.parametrize("name", shipped_maps())
def test_a_saved_map_is_loaded_the_same(name: str, tmp_path: Path) -> None:
    """Saving and loading loses nothing, walking network and credit included."""
    network = shipped_map(name)
    network.save(tmp_path / "again.npz")
    again = RoadNetwork.load(tmp_path / "again.npz")
    assert same(network, again)
    assert (network.walk is None) == (again.walk is None)
    assert [path.name for path in tmp_path.iterdir()] == ["again.npz"]


@given(networks())
def test_any_network_is_loaded_as_it_was_saved(tmp_path_factory: pytest.TempPathFactory, network: RoadNetwork) -> None:
    """Odd coordinates and times survive the file."""
    path = tmp_path_factory.mktemp("maps") / "town.npz"
    network.save(path)
    assert same(network, RoadNetwork.load(path))


def test_damaged_files_are_one_message(tmp_path: Path) -> None:
    """Cut short anywhere, or with bytes changed, a map file gives InputError or (a lucky byte) a sound map."""
    block().save(tmp_path / "town.npz")
    whole = (tmp_path / "town.npz").read_bytes()
    dice = random.Random(7)
    for trial in range(300):
        damaged = bytearray(whole)
        if trial % 2:
            del damaged[dice.randrange(len(damaged)) :]
        else:
            for _ in range(1 + trial % 5):
                damaged[dice.randrange(len(damaged))] = dice.randrange(256)
        (tmp_path / "odd.npz").write_bytes(damaged)
        with contextlib.suppress(InputError):
            assert RoadNetwork.load(tmp_path / "odd.npz").edges > 0


def test_files_that_are_no_maps_are_one_message(tmp_path: Path) -> None:
    """Missing, a folder, empty, text, other arrays, pickles: each is named as what it is not."""
    (tmp_path / "empty.npz").touch()
    (tmp_path / "text.npz").write_text("node_id,lat,lon")
    np.savez(tmp_path / "other.npz", a=np.zeros(3))
    np.save(tmp_path / "single.npy", np.zeros(3))
    np.save(tmp_path / "pickle.npy", np.array([{}], object), allow_pickle=True)
    for name in ("gone.npz", "", "empty.npz", "text.npz", "other.npz", "single.npy", "pickle.npy"):
        with pytest.raises(InputError, match="naru map import"):
            RoadNetwork.load(tmp_path / name)


@pytest.mark.parametrize(
    ("array", "value"),
    [("edge_to", 99), ("edge_to", -1), ("edge_from", 3), ("time_ms", 0), ("name", 1), ("road_class", 1)],
)
def test_arrays_that_do_not_fit_together_are_refused(tmp_path: Path, array: str, value: int) -> None:
    """Edges to nodes that are not there, out of order, without time or name: damaged, whoever wrote the file."""
    network = block()
    getattr(network, array)[0] = value
    network.save(tmp_path / "town.npz")
    with pytest.raises(InputError, match="damaged"):
        RoadNetwork.load(tmp_path / "town.npz")


def test_a_map_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    """No folder, no file: one message, and no draft left behind."""
    with pytest.raises(InputError, match="cannot be written"):
        block().save(tmp_path / "nowhere" / "town.npz")
    (tmp_path / "folder.npz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        block().save(tmp_path / "folder.npz")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.npz"]


def test_a_network_goes_to_another_process_without_its_caches() -> None:
    """What is cached beside the fields (a hierarchy in C++) does not stop pickling."""
    network = block()
    assert network.reversed_hierarchy is not None
    assert same(pickle.loads(pickle.dumps(network)), network)
