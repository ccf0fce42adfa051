"""OpenStreetMap extracts: what is drivable, which way, how fast; real files, and damaged ones."""

import gzip
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from routing.errors import InputError
from routing.network import RoadNetwork
from routing.osm import bus_stops, directions, is_drivable, is_walkable, read
from routing.snap import twins
from routing.speeds import class_kmh, posted_kmh
from tests.routing.extracts import osm_xml, real_extract

# A square 1-2-3-4 of about 111 m sides on the equator, 5 in the middle of its east side.
NODES = {1: (0.0, 0.0), 2: (0.0, 0.001), 3: (0.001, 0.001), 4: (0.001, 0.0), 5: (0.0005, 0.001)}
RING = ([1, 2, 5, 3, 4, 1], "highway=residential")


def parse(
    folder: Path, ways: list[tuple[list[int], str]], nodes: dict[int, tuple[float, float]] = NODES
) -> RoadNetwork:
    path = folder / "town.osm"
    path.write_text(osm_xml(nodes, ways))
    return read(path)


def edge(network: RoadNetwork, a: int, b: int) -> int | None:
    found = network.edges_between(network.index[str(a)], network.index[str(b)])
    return found[0] if found else None


@pytest.mark.parametrize(
    ("tags", "drivable"),
    [
        ("highway=residential", True),
        ("highway=motorway_link", True),
        ("highway=service", False),
        ("highway=footway", False),
        ("highway=construction", False),
        ("highway=residential area=yes", False),
        ("highway=residential access=private", False),
        ("highway=residential access=no motor_vehicle=yes", True),
        ("highway=residential motor_vehicle=no", False),
        ("highway=residential access=destination", True),
        ("building=yes", False),
    ],
)
def test_the_drive_filter(tags: str, drivable: bool) -> None:
    """Public streets for motor vehicles are kept, nothing else."""
    assert is_drivable(dict(pair.split("=") for pair in tags.split())) is drivable


@pytest.mark.parametrize(
    ("tags", "walkable"),
    [
        ("highway=footway", True),
        ("highway=residential", True),
        ("highway=motorway", False),
        ("highway=primary foot=no", False),
        ("highway=cycleway", False),
        ("highway=cycleway foot=designated", True),
        ("highway=footway access=private", False),
        ("foot=yes", False),
    ],
)
def test_the_walk_filter(tags: str, walkable: bool) -> None:
    """What the public may walk on."""
    assert is_walkable(dict(pair.split("=") for pair in tags.split())) is walkable


@pytest.mark.parametrize(
    ("tags", "along_against"),
    [
        ({}, (True, True)),
        ({"oneway": "yes"}, (True, False)),
        ({"oneway": "1"}, (True, False)),
        ({"oneway": "-1"}, (False, True)),
        ({"oneway": "no"}, (True, True)),
        ({"highway": "motorway"}, (True, False)),
        ({"highway": "motorway", "oneway": "no"}, (True, True)),
        ({"highway": "motorway_link"}, (True, True)),
        ({"junction": "roundabout"}, (True, False)),
        ({"junction": "roundabout", "oneway": "-1"}, (False, True)),
    ],
)
def test_one_ways(tags: dict[str, str], along_against: tuple[bool, bool]) -> None:
    """Tagged, tagged backwards, and implied by motorways and roundabouts."""
    assert directions(tags) == along_against


@pytest.mark.parametrize(
    ("tag", "kmh"),
    [
        *(("50", 50), ("50 km/h", 50), ("30 mph", 48.28032), ("20mph", 32.18688), ("50;30", 30)),
        *(("none", None), ("RO:urban", None), ("", None), ("0", None), ("999", None)),
    ],
)
def test_posted_speeds(tag: str, kmh: float | None) -> None:
    """Kilometres or miles, the lowest of several; words and nonsense count as not posted."""
    assert posted_kmh(tag) == (None if kmh is None else pytest.approx(kmh))


def test_streets_keep_their_line_name_class_and_speed(tmp_path: Path) -> None:
    """A two-way ring with a shortcut: nodes where nothing meets become points of the line."""
    ways = [RING, ([2, 4], "highway=primary maxspeed=72 name=High_Street")]
    network = parse(tmp_path, ways)
    assert sorted(network.node_ids.tolist()) == ["2", "4"]
    shortcut = next(e for e in range(network.edges) if network.classes[network.road_class[e]] == "primary")
    assert network.names[network.name[shortcut]] == "High Street"
    assert network.length_m[shortcut] == pytest.approx(157.25, abs=0.1)
    assert network.time_ms[shortcut] == pytest.approx(157.25 / 20 * 1000, abs=5)
    ring = [e for e in range(network.edges) if network.classes[network.road_class[e]] == "residential"]
    assert sorted(len(network.line(e)[0]) for e in ring) == [3, 3, 4, 4]
    for e in ring:
        assert network.time_ms[e] == pytest.approx(network.length_m[e] / class_kmh("residential") * 3600, abs=2)
    assert network.credit == "© OpenStreetMap contributors (ODbL 1.0)"


def test_a_ring_alone_is_a_network(tmp_path: Path) -> None:
    """A way that ends where it began is cut once, so that it has two places and leads from one to the other."""
    network = parse(tmp_path, [RING])
    assert (network.nodes, network.edges) == (2, 4)
    assert network.length_m.sum() == pytest.approx(2 * 4 * 111.195, abs=0.1)
    assert (network.edge_from != network.edge_to).all()


def test_one_way_streets_have_one_edge(tmp_path: Path) -> None:
    """Along, against, and round a roundabout: each only as it may be driven."""
    network = parse(tmp_path, [RING, ([1, 5], "highway=tertiary oneway=yes"), ([2, 4], "highway=tertiary oneway=-1")])
    assert edge(network, 1, 5) is not None
    assert edge(network, 5, 1) is None
    assert edge(network, 4, 2) is not None
    assert edge(network, 2, 4) is None


@pytest.mark.parametrize(("ring", "left"), [([1, 2, 3, 4, 1], False), ([1, 4, 3, 2, 1], True)])
def test_roundabouts_tell_the_side_of_the_road(tmp_path: Path, ring: list[int], left: bool) -> None:
    """Counter-clockwise means keeping right; clockwise, left."""
    network = parse(tmp_path, [(ring, "highway=tertiary junction=roundabout"), ([1, 3], "highway=tertiary")])
    assert network.keeps_left is left
    assert edge(network, ring[0], 3) is not None


def test_what_is_cut_off_is_counted(tmp_path: Path) -> None:
    """A one-way dead end is left out and reported."""
    nodes = NODES | {8: (0.0, 0.003), 9: (0.0, 0.004)}
    network = parse(tmp_path, [RING, ([2, 4], "highway=primary"), ([2, 8, 9], "highway=primary oneway=yes")], nodes)
    assert (network.cut.nodes, network.cut.edges) == (1, 1)
    assert network.cut.km == pytest.approx(0.334, abs=0.001)


def test_ways_on_foot_make_a_network_of_their_own(tmp_path: Path) -> None:
    """Where an extract has footways they are kept, with the streets that can be walked; else there is none."""
    assert parse(tmp_path, [RING]).walk is None
    walk = parse(tmp_path, [RING, ([2, 4], "highway=footway"), ([1, 3], "highway=motorway")]).walk
    assert walk is not None
    assert len(walk.lat) == 5
    assert walk.length_m.sum() == pytest.approx(4 * 111.195 + 157.25, abs=0.2)
    nodes = NODES | {8: (0.5, 0.5), 9: (0.5, 0.501)}
    island = parse(tmp_path, [RING, ([2, 4], "highway=footway"), ([8, 9], "highway=footway")], nodes).walk
    assert island is not None
    assert len(island.lat) == 5


def test_ways_that_leave_the_extract_are_cut_there(tmp_path: Path) -> None:
    """A reference to a node that the file does not hold ends the street, it does not break the import."""
    network = parse(tmp_path, [RING, ([2, 4], "highway=primary"), ([2, 77, 78], "highway=primary")])
    assert sorted(network.node_ids.tolist()) == ["2", "4"]


def test_compressed_files_are_the_same(tmp_path: Path) -> None:
    """.osm and .osm.gz give the same network."""
    text = osm_xml(NODES, [RING, ([2, 4], "highway=primary")])
    (tmp_path / "a.osm").write_text(text)
    (tmp_path / "a.osm.gz").write_bytes(gzip.compress(text.encode()))
    plain, zipped = read(tmp_path / "a.osm"), read(tmp_path / "a.osm.gz")
    assert plain.time_ms.tolist() == zipped.time_ms.tolist()
    assert plain.node_ids.tolist() == zipped.node_ids.tolist()


def test_geometry_inside_of_relations_does_no_harm(tmp_path: Path) -> None:
    """Overpass writes points into the members of relations, which libosmium and osmnx refuse."""
    more = '<relation id="1"><member type="way" ref="1" role=""><nd lat="1" lon="1"/></member></relation>'
    text = osm_xml(NODES, [RING, ([2, 4], "highway=primary")], more=more)
    (tmp_path / "a.osm").write_text(text)
    (tmp_path / "a.osm.gz").write_bytes(gzip.compress(text.encode()))
    assert read(tmp_path / "a.osm").edges == read(tmp_path / "a.osm.gz").edges == 6


def test_bus_stops_have_names_and_a_fixed_order(tmp_path: Path) -> None:
    """Bus stops and bus platforms, by id; a stop without a name is told by its number."""
    stop = '<node id="{}" lat="0.1" lon="0.2"><tag k="{}" v="{}"/><tag k="{}" v="{}"/></node>'
    more = stop.format(30, "highway", "bus_stop", "name", "Port") + stop.format(
        20, "public_transport", "platform", "bus", "yes"
    )
    (tmp_path / "a.osm").write_text(osm_xml(NODES, [], more=more))
    assert [(s.id, s.name, s.lat) for s in bus_stops(tmp_path / "a.osm")] == [
        ("osm20", "OSM 20", 0.1),
        ("osm30", "Port", 0.1),
    ]
    (tmp_path / "a.osm").write_text(osm_xml(NODES, [RING]))
    with pytest.raises(InputError, match="no bus stops"):
        bus_stops(tmp_path / "a.osm")


@pytest.mark.parametrize(
    ("name", "nodes", "edges", "km", "stops"),
    [("test.osm.pbf", 234, 494, 72.5, 36), ("Helsinki.osm.pbf", 180, 347, 27.2, 92)],
)
def test_real_extracts(name: str, nodes: int, edges: int, km: float, stops: int) -> None:
    """Two real extracts: size, connection, names, walking ways and bus stops as they were counted once."""
    network = read(real_extract(name))
    assert (network.nodes, network.edges, len(bus_stops(real_extract(name)))) == (nodes, edges, stops)
    assert network.length_m.sum() / 1000 == pytest.approx(km, abs=0.1)
    assert network.cut
    assert network.largest_component() is network
    assert network.walk is not None
    assert (network.name > 0).mean() > 0.5
    assert not network.keeps_left


def test_a_real_extract_agrees_with_a_plain_count() -> None:
    """Of Helsinki, read again without any of our graph code: the drivable ways' metres are those of both directions."""
    import osmium

    metres = 0.0
    ways = Counter[str]()
    for way in osmium.FileProcessor(
        str(real_extract("Helsinki.osm.pbf")), osmium.osm.WAY | osmium.osm.NODE
    ).with_locations():
        if way.is_way() and is_drivable(tags := dict(way.tags)):
            at = np.array([(n.lat, n.lon) for n in way.nodes if n.location.valid()])
            east = np.diff(at[:, 1]) * np.cos(np.radians(60.17))
            metres += np.hypot(np.diff(at[:, 0]), east).sum() * 111_195 * sum(directions(tags))
            ways[tags["highway"]] += 1
    network = read(real_extract("Helsinki.osm.pbf"))
    assert network.length_m.sum() + network.cut.km * 1000 == pytest.approx(metres, rel=0.001)
    assert set(network.classes) <= set(ways)
    one_way = network.length_m[twins(network) < 0].sum() / network.length_m.sum()
    assert 0.3 < one_way < 0.9  # the centre of Helsinki is full of one-way streets


GOOD = osm_xml(NODES, [RING])
DAMAGED = {
    "gone.osm": None,
    "empty.osm": b"",
    "empty.osm.pbf": b"",
    "words.osm": b"node,lat,lon",
    "words.osm.gz": b"node,lat,lon",
    "words.osm.pbf": b"node,lat,lon",
    "cut.osm": GOOD[:300].encode(),
    "cut.osm.gz": gzip.compress(GOOD.encode())[:90],
    "cut.osm.pbf": "first half of a real one",
    "really_pbf.osm": "a real one",
    "coordinates.osm": GOOD.replace('lat="0.0"', 'lat="north"').encode(),
    "footpaths.osm": osm_xml(NODES, [(RING[0], "highway=footway")]).encode(),
    "nothing.osm": osm_xml(NODES, []).encode(),
    "no_way_back.osm": osm_xml(NODES, [([1, 2], "highway=primary oneway=yes")]).encode(),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_extracts_are_one_message(tmp_path: Path, name: str) -> None:
    """Missing, empty, cut short, of another format, without a street: the message names the file."""
    content = DAMAGED[name]
    if isinstance(content, str):
        whole = real_extract("Helsinki.osm.pbf").read_bytes()
        content = whole if content == "a real one" else whole[: len(whole) // 2]
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(tmp_path / name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert "expected" in str(caught.value)


def test_a_folder_is_no_extract(tmp_path: Path) -> None:
    """A folder with the right ending is refused."""
    (tmp_path / "a.osm").mkdir()
    with pytest.raises(InputError, match="is no file"):
        read(tmp_path / "a.osm")
