"""A road map as one HTML page that needs no network: streets by class, stop points, credit; drag, zoom, hover."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from routing.speeds import plain_class

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.network import RoadNetwork
    from routing.stop_points import StopPoint

_RANKS = ("motorway", "trunk", "primary", "secondary", "tertiary")
"""drawn wider and later, from the last to the first; all other classes are drawn as plain streets"""


def map_page(network: RoadNetwork, stops: Sequence[StopPoint] = (), *, title: str = "Road map") -> str:
    """The page as text. Stop points given as nodes are drawn where the node is."""
    page = files("routing").joinpath("map_page.html").read_text(encoding="utf-8")
    data = json.dumps(map_data(network, stops), ensure_ascii=False, separators=(",", ":"))
    data = data.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return page.replace("{{title}}", html.escape(title)).replace("{{data}}", data)


def map_data(network: RoadNetwork, stops: Sequence[StopPoint] = ()) -> dict[str, Any]:
    """What the page draws: decimetres east and north of the map's middle; each street once, as differences."""
    twin = network.twin
    streets = [e for e in range(network.edges) if twin[e] < 0 or e < twin[e]]
    ranks = [_RANKS.index(name) if (name := plain_class(road)) in _RANKS else len(_RANKS) for road in network.classes]
    x, y = network.project([stop.lat for stop in stops], [stop.lon for stop in stops])
    return {
        "credit": network.credit,
        "ranks": [*_RANKS, "other streets"],
        "names": list(network.names),
        "streets": [
            [ranks[network.road_class[e]], int(network.name[e]), int(twin[e] < 0), *_line(network, e)] for e in streets
        ],
        "stops": [
            [stop.name, stop.id, int(sx), int(sy)]
            for stop, sx, sy in zip(stops, np.rint(10 * x).tolist(), np.rint(10 * y).tolist(), strict=True)
        ],
        "nodes": network.nodes,
        "edges": network.edges,
        "km": round(float(network.length_m[streets].sum()) / 1000, 1),
    }


def _line(network: RoadNetwork, edge: int) -> list[int]:
    x, y = network.project(*network.line(edge))
    points = np.rint(10 * np.column_stack((x, y))).astype(np.int64)
    differences: list[int] = np.diff(points, axis=0, prepend=[[0, 0]]).ravel().tolist()
    return differences
