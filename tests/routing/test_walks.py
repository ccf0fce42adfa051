"""Walks to stop points, along footways or by the stated factor."""

import numpy as np
import pytest

from routing.network import WalkNetwork
from routing.stop_points import StopPoint
from routing.walks import StopWalks, walks
from tests.routing.towns import town

NODES = {"A": (0.0, 0.0), "B": (400.0, 0.0)}
STOPS = [StopPoint("near", "", 0, 100), StopPoint("far", "", 0, 300), StopPoint("other", "", 90, 0)]


def footways() -> WalkNetwork:
    """A path round a lake: (0, 0) east to (400, 0), and (0, 0) north to (0, 100) east to (400, 100)."""
    at = np.array([(0, 0), (400, 0), (0, 100), (400, 100)], float)
    pairs = np.array([(0, 1), (0, 2), (2, 3)], np.int32)
    length = np.hypot(*(at[pairs[:, 0]] - at[pairs[:, 1]]).T)
    return WalkNetwork(at[:, 1], at[:, 0], pairs[:, 0], pairs[:, 1], length)


def test_without_footways_the_crow_is_stretched() -> None:
    """Metres are 1.3 times the straight line, seconds at 1.2 m/s, nearest first, none beyond the limit."""
    found = walks(town(NODES, "A-B"), 0, 0, STOPS, limit_m=200)
    assert [(walk.stop, round(walk.metres, 6)) for walk in found] == [(2, 117), (0, 130)]
    assert found[1].seconds == pytest.approx(130 / 1.2)


def test_footways_are_followed() -> None:
    """From across the lake the walk goes round it, with the steps to the path and from it."""
    network = town(NODES, "A-B", walk=footways())
    found = StopWalks(network, STOPS).near(95, 300, limit_m=1000)
    assert {walk.stop: round(walk.metres, 6) for walk in found} == {
        2: 5 + 300 + 10,
        0: 5 + 300 + 100 + 100,
        1: 5 + 300 + 100 + 300,
    }


def test_the_same_path_needs_no_detour_by_its_ends() -> None:
    """Two places on one stretch of path are as far apart as they are along it."""
    network = town(NODES, "A-B", walk=footways())
    (walk,) = StopWalks(network, STOPS).near(-3, 120, limit_m=60)
    assert (walk.stop, round(walk.metres, 6)) == (0, 23)


def test_off_the_paths_the_factor_counts() -> None:
    """A place far from every path is reached as if there were none."""
    network = town(NODES, "A-B", walk=footways())
    found = StopWalks(network, STOPS).near(-1000, 100, limit_m=2000)
    assert found[0].metres == pytest.approx(1300)


def test_a_place_with_no_stop_point_near_has_no_walks() -> None:
    """Nothing within the limit is an empty list."""
    assert StopWalks(town(NODES, "A-B"), STOPS).near(5000, 5000, limit_m=500) == []
    assert StopWalks(town(NODES, "A-B"), []).near(0, 0, limit_m=500) == []
