"""A road network as one compressed .npz file: numbers and text only, nothing that could run."""

from __future__ import annotations

import contextlib
import lzma
import os
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from routing.errors import InputError
from routing.network import Cut, Floats, RoadNetwork, WalkNetwork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

FORMAT = "naru-roads 1"
# numpy and zipfile have no exception of their own for a damaged file: these are the ones they were seen to let through.
_DAMAGE = (
    *(OSError, EOFError, ValueError, KeyError, IndexError, TypeError, AttributeError, RuntimeError, SyntaxError),
    *(MemoryError, OverflowError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
)
_EXPECTED = "a map that `naru map import` wrote"


@contextlib.contextmanager
def whole_file(path: str | Path, mode: str = "wb", **how: Any) -> Iterator[IO[Any]]:
    """Open a file for writing that appears under its name only when all of it is written.

    Raises InputError if the folder cannot be written to or the disk is full; nothing is left behind then.
    """
    path = Path(path)
    draft = None
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        with os.fdopen(handle, mode, **how) as file:
            yield file
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
        draft = None
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror or error})", file=path, expected="a place to write to"
        ) from error
    finally:
        if draft is not None:
            with contextlib.suppress(OSError):
                Path(draft).unlink()


def save(network: RoadNetwork, path: str | Path) -> None:
    """See `RoadNetwork.save`."""
    arrays: dict[str, NDArray[Any]] = {
        "format": np.array(FORMAT),
        "node_ids": network.node_ids,
        "lat": _pack(network.lat),
        "lon": _pack(network.lon),
        "edge_from": network.edge_from,
        "edge_to": network.edge_to,
        "length_m": network.length_m,
        "time_ms": network.time_ms,
        "road_class": network.road_class,
        "name": network.name,
        "shape_count": np.diff(network.shape_start).astype(np.int32),
        "shape_lat": _pack(network.shape_lat),
        "shape_lon": _pack(network.shape_lon),
        "classes": np.array(network.classes, np.str_),
        "names": np.array(network.names, np.str_),
        "planar": np.array(network.planar),
        "keeps_left": np.array(network.keeps_left),
        "credit": np.array(network.credit),
        "cut": np.array([network.cut.nodes, network.cut.edges, network.cut.km]),
    }
    if network.source_edge is not None:
        arrays["source_edge"] = network.source_edge
    if network.walk is not None:
        walk = network.walk
        arrays |= {
            "walk_lat": _pack(walk.lat),
            "walk_lon": _pack(walk.lon),
            "walk_from": walk.edge_from,
            "walk_to": walk.edge_to,
            "walk_length_m": walk.length_m,
        }
    with whole_file(path) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def load(path: str | Path) -> RoadNetwork:
    """See `RoadNetwork.load`."""
    path = Path(path)
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            if isinstance(file, np.ndarray) or str(file["format"]) != FORMAT:
                raise InputError("is not a map of this version", file=path, expected=_EXPECTED)
            network = _unpack(file)
    except InputError:
        raise
    except FileNotFoundError as error:
        raise InputError("does not exist", file=path, expected=_EXPECTED) from error
    except IsADirectoryError as error:
        raise InputError("is a folder", file=path, expected=_EXPECTED) from error
    except PermissionError as error:
        raise InputError("may not be read", file=path, expected=_EXPECTED) from error
    except _DAMAGE as error:
        raise InputError(f"is damaged or not a map ({type(error).__name__})", file=path, expected=_EXPECTED) from error
    return network


def _unpack(file: Any) -> RoadNetwork:
    nodes, edges = len(file["node_ids"]), len(file["edge_from"])
    shape_count = file["shape_count"]
    cut = file["cut"]
    walk = None
    if "walk_lat" in file:
        walk = WalkNetwork(
            _degrees(file["walk_lat"]),
            _degrees(file["walk_lon"]),
            file["walk_from"],
            file["walk_to"],
            file["walk_length_m"],
        )
    network = RoadNetwork(
        node_ids=file["node_ids"],
        lat=_degrees(file["lat"]),
        lon=_degrees(file["lon"]),
        edge_from=file["edge_from"],
        edge_to=file["edge_to"],
        length_m=file["length_m"],
        time_ms=file["time_ms"],
        road_class=file["road_class"],
        name=file["name"],
        shape_start=np.concatenate(([0], np.cumsum(shape_count, dtype=np.int64))),
        shape_lat=_degrees(file["shape_lat"]),
        shape_lon=_degrees(file["shape_lon"]),
        classes=tuple(file["classes"].tolist()),
        names=tuple(file["names"].tolist()),
        planar=bool(file["planar"]),
        keeps_left=bool(file["keeps_left"]),
        credit=str(file["credit"]),
        cut=Cut(int(cut[0]), int(cut[1]), float(cut[2])),
        walk=walk,
        source_edge=file.get("source_edge"),
    )
    per_edge = (network.edge_to, network.length_m, network.time_ms, network.road_class, network.name, shape_count)
    sound = (
        nodes > 0
        and edges > 0
        and len(network.lat) == len(network.lon) == nodes
        and all(len(array) == edges for array in per_edge)
        and len(network.shape_lat) == len(network.shape_lon) == network.shape_start[-1]
        and bool((np.diff(network.edge_from) >= 0).all())
        and 0 <= network.edge_from[0] <= network.edge_from[-1] < nodes
        and 0 <= network.edge_to.min() <= network.edge_to.max() < nodes
        and network.time_ms.min() >= 1
        and network.road_class.max() < len(network.classes)
        and 0 <= network.name.min() <= network.name.max() < len(network.names)
    )
    if not sound:
        raise ValueError("arrays do not fit together")
    return network


def _pack(values: Floats) -> NDArray[Any]:
    """Coordinates as differences of 1e-7 degrees (OpenStreetMap's own precision) where that loses nothing."""
    scaled = np.rint(values * 1e7)
    if len(values) and np.abs(scaled).max() < 2**31 and np.array_equal(scaled / 1e7, values):
        return np.diff(scaled.astype(np.int64), prepend=0).astype(np.int64)
    return values


def _degrees(values: NDArray[Any]) -> Floats:
    return values if values.dtype == np.float64 else np.cumsum(values, dtype=np.int64) / 1e7
