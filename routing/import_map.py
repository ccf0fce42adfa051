"""One way into a RoadNetwork for whatever a person names: a file, a pair of CSV files, a box, a place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from routing.errors import InputError
from routing.network import RoadNetwork, read_csv
from routing.osm import EXTRACTS

if TYPE_CHECKING:
    from collections.abc import Callable

_EXPECTED = "a .osm, .osm.gz, .osm.pbf, .graphml or .npz file, nodes.csv,edges.csv, bbox:W,S,E,N or a place name"


def import_map(source: str, *, overpass_url: str | None = None, nominatim_url: str | None = None) -> RoadNetwork:
    """Read or download the map that `source` names; `RoadNetwork.cut` says what was left out.

    `nodes.csv,edges.csv` · a file ending in .osm, .osm.gz, .osm.bz2, .osm.pbf, .graphml or .npz ·
    `bbox:west,south,east,north` in degrees · anything else is a place name.
    Raises InputError for what is missing, unreadable, unknown or has no street that can be driven.
    """
    source = source.strip()
    if not source:
        raise InputError("no map is named", expected=_EXPECTED)
    if source.startswith("bbox:"):
        from routing.osmnx_maps import download_box

        west, south, east, north = _box(source)
        return download_box(west=west, south=south, east=east, north=north, overpass_url=overpass_url)
    parts = source.split(",")
    if all(part.strip().lower().endswith(".csv") for part in parts):
        if len(parts) != 2:
            raise InputError(f"{source}: {len(parts)} CSV files", expected="two: nodes.csv,edges.csv")
        return read_csv(parts[0].strip(), parts[1].strip())
    reader = _reader(source)
    if reader is not None:
        return reader(Path(source))
    if Path(source).exists():
        raise InputError("is no kind of map that can be read", file=source, expected=_EXPECTED)
    if "/" in source or Path(source).suffix.lower() in {".xml", ".gz", ".zip", ".json", ".shp", ".o5m"}:
        raise InputError("does not exist", file=source, expected=_EXPECTED)
    from routing.osmnx_maps import download_place

    return download_place(source, overpass_url=overpass_url, nominatim_url=nominatim_url)


def _reader(source: str) -> Callable[[Path], RoadNetwork] | None:
    name = source.lower()
    if name.endswith(".npz"):
        return RoadNetwork.load
    if name.endswith(".graphml"):
        from routing.osmnx_maps import read_graphml

        return read_graphml
    if name.endswith(EXTRACTS):
        from routing.osm import read

        return read
    return None


def _box(source: str) -> tuple[float, float, float, float]:
    expected = "bbox:west,south,east,north in degrees, such as bbox:-71.30,-29.99,-71.19,-29.86"
    try:
        west, south, east, north = (float(part) for part in source.removeprefix("bbox:").split(","))
    except ValueError as error:
        raise InputError(f"{source!r} is no box", expected=expected) from error
    return west, south, east, north
