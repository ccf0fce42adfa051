"""A tiny town for tests: a street of five junctions 1 km and 100 s apart, both ways, as files in a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FILES = {
    "nodes.csv": "node_id,x_m,y_m\n" + "".join(f"n{i},{1000 * i},0\n" for i in range(5)),
    "edges.csv": "from_node,to_node,length_m,travel_time_s\n"
    + "".join(f"n{i},n{i + 1},1000,100\nn{i + 1},n{i},1000,100\n" for i in range(4)),
    "vehicles.csv": "vehicle_id,start_node\nA,n0\n",
    "requests.csv": "request_id,request_time_s,origin_node,destination_node\n1,60,n1,n3\n2,30,n4,n0\n",
    "stops.csv": "stop_id,node_id\nWest,n0\nMiddle,n2\nEast,n4\n",
    "day.yaml": "network: {nodes: nodes.csv, edges: edges.csv}\nvehicles: vehicles.csv\nrequests: requests.csv\n",
}
Town = Callable[..., Path]


@pytest.fixture
def town(tmp_path: Path) -> Town:
    """Writes the town and gives day.yaml; `extra` goes to its end, other files replace those of the town."""

    def write(extra: str = "", **files: str) -> Path:
        for name, text in {**FILES, **{key.replace("_", "."): value for key, value in files.items()}}.items():
            (tmp_path / name).write_text(text + (extra if name == "day.yaml" else ""), encoding="utf-8", newline="")
        return tmp_path / "day.yaml"

    return write
