"""Snapping: the nearest street, how far along, and which side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.errors import InputError
from routing.network import RoadNetwork
from routing.shipped import shipped_map
from routing.snap import EdgeIndex, snap, twins
from tests.routing.towns import block, networks, town


def ends(network: RoadNetwork, edge: int) -> str:
    return f"{network.node_ids[network.edge_from[edge]]}{network.node_ids[network.edge_to[edge]]}"


@pytest.mark.parametrize(
    ("keeps_left", "y", "edge", "fraction"),
    [(False, -5, "AB", 0.3), (False, 5, "BA", 0.7), (True, -5, "BA", 0.7), (True, 5, "AB", 0.3)],
)
def test_the_kerb_side_decides_the_direction(keeps_left: bool, y: float, edge: str, fraction: float) -> None:
    """South of a street to the east is its right-hand kerb; where traffic keeps left it is the other way round."""
    network = town({"A": (0, 0), "B": (100, 0)}, "A-B", keeps_left=keeps_left)
    found = snap(network, [y], [30])
    assert ends(network, found.edge[0]) == edge
    assert found.fraction[0] == pytest.approx(fraction)
    assert found.distance_m[0] == pytest.approx(5)
    assert (found.lat[0], found.lon[0]) == (pytest.approx(0), pytest.approx(30))


@pytest.mark.parametrize("x", [95, 105])
def test_a_one_way_street_is_met_from_both_sides(x: float) -> None:
    """There is only one direction to drive, whichever kerb one stands on."""
    network = block()
    assert ends(network, snap(network, [50], [x]).edge[0]) == "BC"


def test_bends_count() -> None:
    """A point beside a street's bend is near the street, and its fraction is measured along the line."""
    bend = {"shape_start": np.array([0, 1, 2]), "shape_lat": np.array([50.0, 50.0]), "shape_lon": np.array([0.0, 0.0])}
    network = town({"A": (0, 0), "B": (50, 50)}, "A-B", **bend)
    found = snap(network, [49, 51], [25, 25])
    assert found.distance_m == pytest.approx([1, 1])
    assert [ends(network, e) for e in found.edge] == ["AB", "BA"]
    assert found.fraction == pytest.approx([0.75, 0.25])


def test_far_points_are_refused_by_name() -> None:
    """Beyond the limit the error says which point, where, and how far is allowed."""
    with pytest.raises(InputError, match=r"Church at \(300.*farther than 150 m"):
        EdgeIndex(block()).snap([0, 300], [0, 300], names=["School", "Church"])
    assert snap(block(), [300], [50], limit_m=250).distance_m[0] == pytest.approx(200)


@pytest.mark.parametrize(("lat", "lon"), [(float("nan"), 0), (0, float("inf")), (91, 0), (0, 181), (-71.3, 300)])
def test_places_not_on_earth_are_refused(lat: float, lon: float) -> None:
    """NaN, infinity and degrees out of range are no coordinates."""
    with pytest.raises(InputError, match="no place on earth"):
        snap(shipped_map("nauru"), [lat], [lon])


def test_no_points_is_no_trouble() -> None:
    """An empty list snaps to an empty list."""
    assert len(snap(block(), [], []).edge) == 0


def test_motorways_are_left_out_where_asked() -> None:
    """Nobody gets in at the edge of a motorway: the street beyond it is found."""
    network = town(
        {"A": (0, 0), "B": (100, 0), "C": (0, 40), "D": (100, 40)},
        "A-B C-D",
        classes=("motorway", "street"),
        road_class=np.array([0, 0, 1, 1], np.uint8),
    )
    found = EdgeIndex(network, without=("motorway",)).snap([1], [50])
    assert ends(network, found.edge[0]) in {"CD", "DC"}


@given(networks(), st.floats(-100, 600), st.floats(-100, 600))
def test_nothing_is_nearer_than_the_edge_found(network: RoadNetwork, x: float, y: float) -> None:
    """The distance is the least over all edges, computed plainly; and the position lies on the edge found."""
    found = snap(network, [y], [x], limit_m=1e4)
    point = np.array([x, y])
    a = np.column_stack((network.lon, network.lat))[network.edge_from]
    b = np.column_stack((network.lon, network.lat))[network.edge_to]
    t = np.clip(((point - a) * (b - a)).sum(1) / ((b - a) ** 2).sum(1), 0, 1)
    least = np.hypot(*(a + t[:, None] * (b - a) - point).T).min()
    assert found.distance_m[0] == pytest.approx(least, abs=1e-6)
    e, f = found.edge[0], found.fraction[0]
    assert a[e] + f * (b[e] - a[e]) == pytest.approx(np.array([found.lon[0], found.lat[0]]), abs=1e-6)


def test_twins_are_mutual_and_share_their_line() -> None:
    """On a real town: the twin of the twin is the edge, its ends and line are reversed; one-way streets have none."""
    network = shipped_map("coquimbo")
    twin = twins(network)
    two_way = np.flatnonzero(twin >= 0)
    assert np.array_equal(twin[twin[two_way]], two_way)
    assert np.array_equal(network.edge_from[two_way], network.edge_to[twin[two_way]])
    for e in two_way[::97].tolist():
        lat, lon = network.line(e)
        back_lat, back_lon = network.line(int(twin[e]))
        assert np.array_equal(lat, back_lat[::-1])
        assert np.array_equal(lon, back_lon[::-1])
    assert 0.5 < len(two_way) / network.edges < 0.9
