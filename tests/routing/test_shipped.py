"""The shipped maps: there, sound, credited, quick."""

import pytest

from routing.errors import InputError
from routing.shipped import shipped_map, shipped_maps
from simulator.maps import shipped_map as by_the_other_door


def test_both_towns_are_shipped() -> None:
    """The names are those of the files."""
    assert shipped_maps() == ["coquimbo", "nauru"]
    assert by_the_other_door is shipped_map


@pytest.mark.parametrize("name", ["coquimbo", "nauru"])
def test_a_shipped_map_is_connected_and_credited(name: str) -> None:
    """Nothing is left to cut, OpenStreetMap is credited, streets have names and sensible speeds."""
    network = shipped_map(name)
    assert network.largest_component() is network
    assert "OpenStreetMap" in network.credit
    assert "ODbL" in network.credit
    assert network.cut
    kmh = network.length_m / network.time_ms * 3600
    assert kmh[network.length_m > 20].min() > 10
    assert kmh[network.length_m > 20].max() < 90


def test_traffic_keeps_left_in_nauru_only() -> None:
    """The side of the road is part of the map; so are footpaths where the source has them."""
    assert shipped_map("nauru").keeps_left
    assert not shipped_map("coquimbo").keeps_left
    assert shipped_map("nauru").walk is not None
    assert shipped_map("coquimbo").walk is None


def test_coquimbo_knows_its_streets() -> None:
    """Most streets of the city have a name."""
    network = shipped_map("coquimbo")
    assert (network.name > 0).mean() > 0.9
    assert "Balmaceda" in " ".join(network.names)


def test_an_unknown_map_is_refused_with_the_names_there_are() -> None:
    """The message lists what is shipped."""
    with pytest.raises(InputError, match="coquimbo or nauru"):
        shipped_map("atlantis")
