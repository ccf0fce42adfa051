"""Stop points made nodes: nothing else on the map changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InputError
from routing.network import RoadNetwork
from routing.shipped import shipped_map
from routing.stop_nodes import with_stops
from routing.stop_points import StopPoint, generate
from routing.travel_times import drive_times
from tests.routing.towns import block, networks, oracle, town


def stop(name: str, x: float, y: float, node: str | None = None) -> StopPoint:
    return StopPoint(name, name, y, x, node)


def test_a_stop_point_splits_the_side_it_stands_on() -> None:
    """On the right of A to B: that direction passes it at 30 m, the other direction is left whole."""
    network, node = block().with_stops([stop("s", 30, -4)])
    assert node.tolist() == [4]
    assert network.node_ids.tolist() == ["A", "B", "C", "D", "stop:s"]
    table = oracle(network)
    assert (table[0, 4], table[4, 1]) == (3_000, 7_000)
    assert table[1, 4] == 13_000  # from B: back to A, then along the kerb
    assert network.edges == block().edges + 1


@given(networks(), st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=15, unique=True))
def test_no_drive_between_old_nodes_changes(network: RoadNetwork, places: list[tuple[int, int]]) -> None:
    """Whatever stop points are added, old times and metres stay, parts have at least 1 ms, all is still connected."""
    stops = [stop(f"s{i}", x, y) for i, (x, y) in enumerate(places)]
    after, node = with_stops(network, stops, limit_m=1e4)
    assert np.array_equal(oracle(after)[: network.nodes, : network.nodes], oracle(network))
    assert after.time_ms.min() >= 1
    assert after.time_ms.sum() == network.time_ms.sum()
    assert after.length_m.sum() == pytest.approx(network.length_m.sum())
    assert (np.diff(after.edge_from) >= 0).all()
    assert len(after.node_ids) == len(set(after.node_ids.tolist()))
    assert after.largest_component() is after
    assert ((node >= 0) & (node < after.nodes)).all()


def test_a_real_town_keeps_its_times_and_lines() -> None:
    """460 stop points in the city: every old time stays, each stop point is within 5 m of its node, lines fit."""
    network = shipped_map("coquimbo").within(south=-29.985, west=-71.295, north=-29.865, east=-71.195)
    stops = generate(network, walk_m=400)
    after, node = network.with_stops(stops)
    some = np.arange(0, network.nodes, 61)
    assert np.array_equal(drive_times(after, some).table[0][: network.nodes], drive_times(network, some).table[0])
    x, y = after.project([s.lat for s in stops], [s.lon for s in stops])
    assert np.hypot(after.xy[0][node] - x, after.xy[1][node] - y).max() < 5
    for edge in np.flatnonzero(after.edge_from >= network.nodes).tolist():
        line = np.column_stack(after.project(*after.line(edge)))
        assert np.hypot(*np.diff(line, axis=0).T).sum() == pytest.approx(after.length_m[edge], rel=0.02, abs=1)


def test_stop_points_within_a_metre_share_a_node() -> None:
    """Near a junction the stop point is the junction; two at one kerb are one place; the first gives the name."""
    places = [("at A", 0.5, -3), ("one", 40, -3), ("two", 40.6, -3), ("three", 60, -3)]
    network, node = block().with_stops([stop(*place) for place in places])
    assert node.tolist() == [0, 4, 4, 5]
    assert network.node_ids[4:].tolist() == ["stop:one", "stop:three"]


def test_more_stop_points_than_milliseconds_share_nodes() -> None:
    """A street of 2 ms can be cut once only; every part keeps at least 1 ms."""
    network = block()
    network.time_ms[:] = 2
    after, node = network.with_stops([stop(f"s{x}", x, -3) for x in (20, 40, 60, 80)])
    assert after.nodes == 5
    assert node.tolist() == [4, 4, 4, 4]
    network.time_ms[:] = 1
    after, node = network.with_stops([stop("west", 20, -3), stop("east", 80, -3)])
    assert (after.nodes, node.tolist()) == (4, [0, 1])


def test_stop_points_at_the_end_of_a_quick_street_leave_time_for_the_rest() -> None:
    """Three cuts beyond nine tenths of 4 ms: each part has its one millisecond, and they add up."""
    network = block()
    network.time_ms[:] = 4
    after, node = network.with_stops([stop(f"s{x}", x, -3) for x in (92, 94, 96)])
    assert after.time_ms[after.edges_between(0, 1)].tolist() == [1, 1, 1, 1]
    assert node.tolist() == [4, 5, 6]


def test_parts_remember_their_street() -> None:
    """A closure of the street from A to B closes all the parts that stop points made of it."""
    network, _ = block().with_stops([stop("s", 30, -4), stop("t", 60, -4), stop("u", 60, 4)])
    names = network.node_ids
    parts = [f"{names[network.edge_from[e]]}>{names[network.edge_to[e]]}" for e in network.edges_between(0, 1)]
    assert sorted(parts) == ["A>stop:s", "stop:s>stop:t", "stop:t>B"]
    again, _ = network.with_stops([stop("v", 45, -4)])
    assert len(again.edges_between(0, 1)) == 4


def test_stop_points_at_nodes_change_nothing() -> None:
    """Given by node, a stop point is that node and the network is the same value."""
    network = block()
    same, node = network.with_stops([stop("s", 0, 0, "C"), stop("t", 0, 0, "A")])
    assert same is network
    assert node.tolist() == [2, 0]


def test_stop_points_are_not_set_on_motorways() -> None:
    """The nearest street where one may get in is taken, though a motorway lies nearer."""
    network = town(
        {"A": (0, 0), "B": (100, 0), "C": (0, 40), "D": (100, 40)},
        "A-B A-C B-D C-D",
        classes=("motorway", "street"),
        road_class=np.array([0, 1, 0, 1, 1, 1, 1, 1], np.uint8),
    )
    after, node = network.with_stops([stop("s", 50, -1)])
    assert after.lat[node[0]] == 40


@pytest.mark.parametrize(
    ("stops", "message"),
    [
        ([stop("far", 50, 900)], "stop point 'far' at .* farther than 150 m"),
        ([stop("s", 0, 0), stop("s", 9, 0)], "stop point 's' is given twice"),
        ([stop("s", 0, 0, "Z")], "stop point 's': node 'Z' is not on this map"),
    ],
)
def test_wrong_stop_points_are_named(stops: list[StopPoint], message: str) -> None:
    """Far from any street, twice, at an unknown node: the message names the stop point."""
    with pytest.raises(InputError, match=message):
        block().with_stops(stops)


def test_a_stop_point_in_another_component_is_far_from_every_street() -> None:
    """What was cut from the map is not there to stop at."""
    nodes = {"A": (0, 0), "B": (100, 0), "C": (50, 80), "x": (2000, 0), "y": (2100, 0)}
    network = town(nodes, "A-B B-C C-A x-y").largest_component()
    with pytest.raises(InputError, match=r"'s' at .*connected part"):
        network.with_stops([stop("s", 2050, 3)])
