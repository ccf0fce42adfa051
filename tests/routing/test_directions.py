"""Lines and street names of drives."""

import numpy as np
import pytest

from routing.directions import path_geometry
from routing.paths import follow
from routing.shipped import shipped_map
from routing.travel_times import drive_times
from tests.routing.towns import block, town


def test_stretches_of_one_street_are_told_together() -> None:
    """A to B to C on High Street, then to D on an unnamed one: two legs, in order, with their metres."""
    network = town(
        {"A": (0, 0), "B": (100, 0), "C": (250, 0), "D": (250, 70)},
        "A>B B>C C>D D>A",
        names=("", "High Street"),
        name=np.array([1, 1, 0, 0], np.int32),
    )
    drive = path_geometry(network, [0, 1, 2, 3])
    assert drive.streets == [("High Street", 250), ("", 70)]
    assert drive.lon.tolist() == [0, 100, 250, 250]
    assert drive.metres == 320


def test_of_parallel_streets_the_fastest_is_driven() -> None:
    """The line follows the edge that the driving time is of."""
    network = town({"A": (0, 0), "B": (100, 0)}, "A-B A>B", name=np.array([0, 1, 0], np.int32), names=("slow", "fast"))
    network.time_ms[:] = [9000, 5000, 9000]
    assert path_geometry(network, [0, 1]).streets[0].name == "fast"


def test_standing_still_has_a_place_and_no_streets() -> None:
    """A path of one node is a point."""
    drive = path_geometry(block(), [2])
    assert (drive.lat.tolist(), drive.lon.tolist(), drive.streets) == ([100], [100], [])


def test_nodes_that_are_not_joined_are_no_path() -> None:
    """A gap in a path is a mistake of the caller."""
    with pytest.raises(ValueError, match="no street leads from node 0 to node 2"):
        path_geometry(block(), [0, 2])


def test_a_real_drive_has_a_line_as_long_as_its_streets() -> None:
    """Across the city: the line's length is the streets' within a percent, and most of it has names."""
    network = shipped_map("coquimbo")
    times = drive_times(network, [50])
    drive = path_geometry(network, follow(times, 8000, 0))
    x, y = network.project(drive.lat, drive.lon)
    assert np.hypot(np.diff(x), np.diff(y)).sum() == pytest.approx(drive.metres, rel=0.01)
    assert sum(leg.metres for leg in drive.streets if leg.name) > 0.5 * drive.metres
    assert len(drive.streets) > 3
