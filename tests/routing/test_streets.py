"""Streets gathered into a network; those that only continue each other made one."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from routing.errors import InputError
from routing.streets import Street, StreetList, joined
from tests.routing.towns import oracle


def street(a: int, b: int, metres: int, way: str) -> Street:
    """A straight street at 1 m/s, so that metres are seconds; the way is `-`, `>` or `<`."""
    line = ((a / 1000, a % 3 / 1000), (b / 1000, b % 3 / 1000))
    return Street(str(a), str(b), line, metres, 3.6, "road", "", forward=way != "<", backward=way != ">")


streets = st.lists(
    st.builds(street, st.integers(0, 9), st.integers(0, 9), st.integers(1, 500), st.sampled_from("--><")).filter(
        lambda s: s.from_node != s.to_node
    ),
    min_size=1,
    max_size=16,
)


@given(streets)
def test_joining_changes_no_drive(found: list[Street]) -> None:
    """Between nodes that stay, all times are as before; metres are kept; no street is made that ends where it began."""
    try:
        plain = StreetList(credit="", streets=found).network()
    except InputError:
        assume(False)
    together = joined(found)
    assert sum(s.length_m for s in together) == sum(s.length_m for s in found)
    assert all(s.from_node != s.to_node for s in together)
    short = StreetList(credit="", streets=together).network()
    at = [plain.index[node] for node in short.node_ids.tolist() if node in plain.index]
    assume(len(at) == short.nodes)  # with fewer nodes, another part may be the largest
    assert np.array_equal(oracle(plain)[np.ix_(at, at)], oracle(short))


def test_a_chain_becomes_one_street_with_all_its_points() -> None:
    """Told in whatever direction, three stretches between two junctions are one street."""
    chain = [street(1, 2, 10, "-"), street(3, 2, 20, "-"), street(3, 4, 30, "-")]
    ends = [street(1, 8, 5, "-"), street(1, 9, 5, "-"), street(4, 8, 5, "-"), street(4, 9, 5, "-")]
    (whole,) = (s for s in joined(chain + ends) if len(s.line) == 4)
    if whole.from_node == "4":
        whole = whole.turned()
    assert (whole.from_node, whole.to_node) == ("1", "4")
    assert [round(lat * 1000) for lat, _ in whole.line] == [1, 2, 3, 4]
    assert whole.length_m == 60


def test_what_changes_is_not_joined() -> None:
    """Another name, speed or direction is another street."""
    first = street(1, 2, 10, "-")
    for change in ({"name": "B"}, {"kmh": 5.0}, {"road_class": "lane"}, {"backward": False}):
        assert len(joined([first, street(2, 3, 10, "-")._replace(**change)])) == 2
    assert len(joined([street(1, 2, 10, ">"), street(2, 3, 10, ">")])) == 1
    assert len(joined([street(1, 2, 10, ">"), street(2, 3, 10, "<")])) == 2
