"""Writes stops.csv, stops-new.csv and riders.csv of this story, the same on any machine: python make_riders.py FOLDER

Nineteen stop points 900 m apart on Nauru, and one more where the streets are farthest from all of them. Eighty made-up
riders, a quarter of whom begin or end their journey within 250 m of that place, as around a clinic.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from routing.stop_points import generate
from simulator.maps import shipped_map
from simulator.streams import Stream


def main(folder: Path) -> None:
    """Write the three tables."""
    network = shipped_map("nauru")
    stops = generate(network, spacing_m=900)
    x, y = network.xy
    sx, sy = network.project([stop.lat for stop in stops], [stop.lon for stop in stops])
    apart = np.hypot(x[:, None] - np.asarray(sx), y[:, None] - np.asarray(sy)).min(axis=1)
    clinic = int(apart.argmax())
    rows = [(stop.id, f"{stop.lat:.6f}", f"{stop.lon:.6f}") for stop in stops]
    extra = ("clinic", f"{network.lat[clinic]:.6f}", f"{network.lon[clinic]:.6f}")
    for name, table in (("stops.csv", rows), ("stops-new.csv", [*rows, extra])):
        _write(folder / name, ("stop_id", "lat", "lon"), table)
    near = np.flatnonzero(np.hypot(x - x[clinic], y - y[clinic]) <= 250).tolist()
    riders: list[tuple[object, ...]] = []
    stream = Stream(1, "new stop")
    while len(riders) < 80:
        origin, destination = stream.below(network.nodes), stream.below(network.nodes)
        if stream.chance(0.25):
            end = near[stream.below(len(near))]
            origin, destination = (end, destination) if stream.chance(0.5) else (origin, end)
        at = 6 * 3600 + stream.below(5 * 3600)
        if np.hypot(x[origin] - x[destination], y[origin] - y[destination]) > 1500:
            riders.append((at, *(f"{axis[node]:.6f}" for node in (origin, destination) for axis in
                                 (network.lat, network.lon))))  # fmt: skip
    riders.sort()
    head = ("request_id", "request_time_s", "origin_lat", "origin_lon", "destination_lat", "destination_lon")
    _write(folder / "riders.csv", head, [(i, *rider) for i, rider in enumerate(riders, 1)])


def _write(path: Path, head: tuple[str, ...], rows: Sequence[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
