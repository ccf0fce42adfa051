"""The offline map page."""

import json
import re

import numpy as np

from routing.shipped import shipped_map
from routing.show import map_data, map_page
from routing.stop_points import StopPoint, generate
from tests.routing.towns import block, town


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No address of any server, no script, style or font but its own."""
    page = map_page(shipped_map("nauru"), generate(shipped_map("nauru"), count=20), title="Nauru")
    assert not re.search(r"""(src|href|url|import)\s*[=(]\s*["']?(https?:)?//""", page)
    assert "http" not in page.replace("https://www.openstreetmap.org", "")
    assert page.count("<script") == 2
    assert "© OpenStreetMap contributors" in page
    assert "{{" not in page


def test_each_street_is_drawn_once_where_it_is() -> None:
    """A two-way street is one line; differences in decimetres add up to its ends."""
    data = map_data(block(), [StopPoint("s", "School", 3, 30)])
    assert len(data["streets"]) == 4
    assert data["km"] == 0.4
    ends = set()
    for _, _, one_way, *steps in data["streets"]:
        x, y = np.cumsum(np.array(steps).reshape(-1, 2), axis=0).T
        ends.add((one_way, x[0], y[0], x[-1], y[-1]))
    assert ends == {(0, 0, 0, 1000, 0), (1, 1000, 0, 1000, 1000), (1, 1000, 1000, 0, 1000), (1, 0, 1000, 0, 0)}
    assert data["stops"] == [["School", "s", 300, 30]]


def test_names_cannot_leave_the_data() -> None:
    """A street or stop point named like a script stays text, quotes and all."""
    evil = '</script><script>alert("x")</script>\u2028'
    network = town({"A": (0, 0), "B": (9, 0)}, "A-B", names=("", evil), name=np.array([1, 1], np.int32))
    page = map_page(network, [StopPoint("s", evil, 0, 0)], title="<b>&")
    assert page.count("<script") == 2
    assert "<title>&lt;b&gt;&amp;</title>" in page
    block_of_data = re.search(r'id="data">(.*?)</script>', page, re.DOTALL)
    assert block_of_data is not None
    assert json.loads(block_of_data[1])["names"][1] == evil
