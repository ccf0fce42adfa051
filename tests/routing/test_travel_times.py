"""Driving times: the table against two oracles, profiles, closures, bounds."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.directions import edges_along
from routing.errors import InputError
from routing.network import RoadNetwork
from routing.paths import follow
from routing.shipped import shipped_map
from routing.travel_times import UNREACHABLE, DriveTimes, LiveRoads, ProfileStep, TravelTimes, drive_times, matrix
from tests.routing.towns import block, networks, oracle, scipy_times, town

HOUR = 3600


@given(networks(), st.data())
def test_the_table_is_the_oracles(network: RoadNetwork, data: st.DataObject) -> None:
    """From every node to every place, in any order of places, one of them twice, to the millisecond."""
    places = data.draw(st.lists(st.integers(0, network.nodes - 1), min_size=1, max_size=12))
    times = drive_times(network, places)
    assert np.array_equal(times.table[0], oracle(network)[:, places])
    assert np.array_equal(matrix(network, places), oracle(network)[np.ix_(places, places)])


@given(networks(), st.data())
def test_closures_leave_what_the_oracle_leaves(network: RoadNetwork, data: st.DataObject) -> None:
    """With edges closed and others slowed, the table is the oracle's; where no way is left it says UNREACHABLE."""
    edges = st.integers(0, network.edges - 1)
    closed = data.draw(st.sets(edges))
    slowed = data.draw(st.dictionaries(edges, st.sampled_from([0.25, 0.5, 2.0])))
    times = drive_times(network, range(network.nodes), closed=closed, speed_changes=slowed)
    edge_ms = network.time_ms.astype(float)
    for edge, factor in slowed.items():
        edge_ms[edge] = max(1, round(edge_ms[edge] / factor))
    edge_ms[list(closed)] = UNREACHABLE
    assert np.array_equal(times.edge_ms[0], edge_ms)
    assert np.array_equal(times.table[0], oracle(network, edge_ms.astype(int)))


@pytest.mark.parametrize("name", ["nauru", "coquimbo"])
def test_real_towns_agree_with_scipy(name: str) -> None:
    """On the shipped maps, scipy finds the same times to places drawn by a seed, more than one batch of them."""
    network = shipped_map(name)
    places = np.random.default_rng(3).choice(network.nodes, 70, replace=False)
    assert np.array_equal(drive_times(network, places).table[0], scipy_times(network, places))
    assert np.array_equal(matrix(network, places), drive_times(network, places).table[0][places])


@given(networks())
def test_following_the_table_takes_what_the_table_says(network: RoadNetwork) -> None:
    """Every drive, followed street by street, adds up to its entry."""
    times = drive_times(network, range(network.nodes))
    for goal in range(network.nodes):
        path = follow(times, 0, goal)
        assert path[-1] == goal
        assert network.time_ms[edges_along(network, path)].sum() == times.table[0, 0, goal]


def test_a_profile_has_one_table_for_each_different_slice() -> None:
    """Rush hours at half speed twice a day make two tables, not five, and the last slice holds for ever."""
    rush = [ProfileStep(h * HOUR, f) for h, f in ((7, 0.5), (9, 1.0), (17, 0.5), (19, 1.0))]
    times = drive_times(block(), [0, 2], profile=rush)
    assert times.table.shape == (2, 4, 2)
    minutes = {h: times.seconds(0, 1, h * HOUR * 1000) for h in (0, 6, 7, 8, 9, 17, 18, 19, 40)}
    assert minutes == {0: 20, 6: 20, 7: 40, 8: 40, 9: 20, 17: 40, 18: 40, 19: 20, 40: 20}


def test_a_profile_may_speak_of_some_classes_only() -> None:
    """Slow main roads leave the others as they are; a later step for all ends both."""
    network = town({"A": (0, 0), "B": (100, 0)}, "A-B", classes=("main", "lane"), road_class=np.array([0, 1], np.uint8))
    steps = [ProfileStep(900, 0.5, ("main",)), ProfileStep(1800, 0.25)]
    times = drive_times(network, [0, 1], profile=steps)
    assert [times.seconds(0, 1, s * 1000) for s in (0, 900, 1800)] == [10, 20, 40]
    assert [times.seconds(1, 0, s * 1000) for s in (0, 900, 1800)] == [10, 10, 40]


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (ProfileStep(1000, 0.5), "1000 s is no quarter hour"),
        (ProfileStep(-900, 0.5), "no quarter hour"),
        (ProfileStep(900, 0), "speed factor 0"),
        (ProfileStep(900, float("nan")), "speed factor nan"),
        (ProfileStep(900, 0.5, ("rail",)), "road class 'rail' is not on this map; expected one of road"),
    ],
)
def test_a_senseless_profile_is_refused(step: ProfileStep, message: str) -> None:
    """Times off the quarter hour, speeds of zero, unknown classes."""
    with pytest.raises(InputError, match=message):
        drive_times(block(), [0], profile=[step])


def test_live_roads_close_reopen_and_slow() -> None:
    """Each change gives new times with a higher version; the old value stays as it was."""
    roads = LiveRoads.open(block(), [0, 1, 2, 3])
    shut = roads.close(roads.network.edges_between(1, 0))
    slow = shut.change_speed(roads.network.edges_between(1, 2), 0.5)
    again = slow.reopen(roads.network.edges_between(1, 0)).change_speed(roads.network.edges_between(1, 2), 1)
    assert [r.times.seconds(1, 0) for r in (roads, shut, slow, again)] == [10, 30, 40, 10]
    assert [r.times.version for r in (roads, shut, slow, again)] == [0, 1, 2, 4]
    assert np.array_equal(again.times.table, roads.times.table)


def test_edges_and_speeds_that_make_no_sense_are_refused() -> None:
    """Closing a road that is not there, or driving at no speed, is wrong input."""
    with pytest.raises(InputError, match="there is no edge 99"):
        drive_times(block(), [0], closed=[99])
    with pytest.raises(InputError, match="there is no edge -1"):
        drive_times(block(), [0], speed_changes={-1: 0.5})
    with pytest.raises(InputError, match="close the road"):
        drive_times(block(), [0], speed_changes={0: 0.0})


def test_a_table_beyond_the_memory_bound_is_refused_before_it_is_made() -> None:
    """The message says how large it would be, and what would make it smaller."""
    with pytest.raises(InputError, match=r"need a table of 0\.0 GB.*fewer stop points"):
        drive_times(block(), [0, 1], max_table_bytes=31)
    assert drive_times(block(), [0, 1], max_table_bytes=32).table.nbytes == 32


def test_threads_may_ask_at_once() -> None:
    """The engine crashes when threads share a metric; each call has its own."""
    network = shipped_map("nauru")
    with ThreadPoolExecutor(8) as pool:
        tables = list(pool.map(lambda _: drive_times(network, range(100)).table, range(32)))
    assert all(np.array_equal(table, tables[0]) for table in tables)


def test_drive_times_are_travel_times() -> None:
    """DriveTimes is what the protocol asks for."""
    times: TravelTimes = drive_times(block(), [0, 2])
    assert isinstance(times, DriveTimes)
    assert times.seconds(0, 1) == 20
