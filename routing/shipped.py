"""The maps that come with Naru: real towns from OpenStreetMap (© OpenStreetMap contributors, ODbL 1.0)."""

from __future__ import annotations

from importlib.resources import as_file, files

from routing.errors import InputError
from routing.network import RoadNetwork

_FOLDER = "simulator.maps"
"""found by its name, as data: nothing is imported from there"""


def shipped_maps() -> list[str]:
    """Names of the shipped maps."""
    return sorted(entry.name[:-4] for entry in files(_FOLDER).iterdir() if entry.name.endswith(".npz"))


def shipped_map(name: str) -> RoadNetwork:
    """A shipped map by its name. Raises InputError, which lists the names there are."""
    if name not in shipped_maps():
        raise InputError(f"no map named {name!r} is shipped", field="map", expected=" or ".join(shipped_maps()))
    with as_file(files(_FOLDER) / f"{name}.npz") as path:
        return RoadNetwork.load(path)
