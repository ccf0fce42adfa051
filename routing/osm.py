"""Road networks from OpenStreetMap: extracts (.osm, .osm.gz, .osm.pbf) read with pyosmium.

(Downloads and GraphML go through osmnx: `routing.osmnx_maps`.)
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from routing.errors import InputError
from routing.speeds import class_kmh, posted_kmh
from routing.stop_points import StopPoint
from routing.streets import Street, StreetList, joined, length_m

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from routing.network import RoadNetwork
    from routing.streets import Point

CREDIT = "© OpenStreetMap contributors (ODbL 1.0)"
EXTRACTS = (".osm", ".osm.gz", ".osm.bz2", ".osm.pbf", ".pbf")
_EXPECTED = "an OpenStreetMap extract (.osm, .osm.gz or .osm.pbf)"

_ROADS = ("motorway", "trunk", "primary", "secondary", "tertiary")
DRIVABLE = frozenset(
    (*_ROADS, *(f"{road}_link" for road in _ROADS), "unclassified", "residential", "living_street", "road")
)
"""values of `highway` that are public streets; as in osmnx's "drive", service roads are not"""
_WALKABLE = (DRIVABLE - {"motorway", "motorway_link", "trunk", "trunk_link"}) | {
    *("footway", "path", "pedestrian", "steps", "track", "service", "corridor", "bridleway"),
}
_CLOSED = frozenset(("no", "private", "agricultural", "forestry", "emergency", "military", "delivery"))
_OPEN = frozenset(("yes", "designated", "permissive", "destination"))


_MEMBER_WITH_POINTS = re.compile(rb"<member [^>]*[^/]>\s*<nd ")


class _Way(NamedTuple):
    id: int
    nodes: list[int]
    points: list[Point]
    tags: dict[str, str]


def is_drivable(tags: Mapping[str, str]) -> bool:
    """Whether the tags of a way make it a public street for motor vehicles."""
    if tags.get("highway") not in DRIVABLE or tags.get("area") == "yes":
        return False
    motor = tags.get("motorcar") or tags.get("motor_vehicle") or tags.get("vehicle")
    return motor not in _CLOSED and (tags.get("access") not in _CLOSED or motor in _OPEN)


def is_walkable(tags: Mapping[str, str]) -> bool:
    """Whether the tags of a way make it one that the public may walk on."""
    foot = tags.get("foot")
    if foot in _OPEN and tags.get("highway") not in {"construction", "proposed"}:
        return "highway" in tags
    return tags.get("highway") in _WALKABLE and foot not in _CLOSED and tags.get("access") not in _CLOSED


def directions(tags: Mapping[str, str]) -> tuple[bool, bool]:
    """Whether a way may be driven (along, against) the order of its nodes."""
    oneway = tags.get("oneway", "")
    if oneway in {"-1", "reverse"}:
        return False, True
    if oneway in {"yes", "true", "1", "reversible"}:
        return True, False
    implied = tags.get("highway") == "motorway" or tags.get("junction") in {"roundabout", "circular"}
    return True, not implied or oneway in {"no", "false", "0"}


def read(path: str | Path) -> RoadNetwork:
    """The largest strongly connected part of an extract's public streets, with the ways on foot if it has any.

    Raises InputError if the file is missing, damaged, of another format or has no street that can be driven.
    """
    path = Path(path)
    ways = [way for way in _ways(path) if is_drivable(way.tags) or is_walkable(way.tags)]
    drive = [way for way in ways if is_drivable(way.tags)]
    found = StreetList(credit=CREDIT, keeps_left=_keeps_left(drive))
    used = Counter(node for way in drive for node in way.nodes)
    used.update(end for way in drive for end in (way.nodes[0], way.nodes[-1]))
    found.streets = joined([street for way in drive for street in _streets(way, used)])
    if any(way.tags["highway"] not in DRIVABLE for way in ways):
        found.paths = [tuple(way.points) for way in ways if is_walkable(way.tags)]
    try:
        return found.network()
    except InputError as error:
        raise InputError(error.what, file=path, expected=error.expected) from None


def bus_stops(path: str | Path) -> list[StopPoint]:
    """The bus stops of an extract, in the order of their ids. Raises InputError as `read`."""
    import osmium

    path = Path(path)
    stops = []
    for node in _objects(path, osmium.osm.NODE, ("highway", "public_transport")):
        tags = dict(node.tags)
        platform = tags.get("public_transport") == "platform" and tags.get("bus") == "yes"
        if (tags.get("highway") == "bus_stop" or platform) and node.location.valid():
            name = tags.get("name") or tags.get("ref") or f"OSM {node.id}"
            at = round(node.location.lat, 7), round(node.location.lon, 7)
            stops.append((node.id, StopPoint(f"osm{node.id}", name, *at)))
    if not stops:
        raise InputError("has no bus stops", file=path, expected="nodes with highway=bus_stop")
    return [stop for _, stop in sorted(stops, key=lambda pair: pair[0])]


def _ways(path: Path) -> Iterator[_Way]:
    """Ways with a highway tag, cut where nodes lie outside the extract."""
    import osmium

    for way in _objects(path, osmium.osm.WAY, ("highway",)):
        tags = dict(way.tags)
        nodes: list[int] = []
        points: list[Point] = []
        for node in way.nodes:
            if node.location.valid():
                if not nodes or nodes[-1] != node.ref:
                    nodes.append(node.ref)
                    points.append((round(node.location.lat, 7), round(node.location.lon, 7)))
                continue
            if len(nodes) > 1:
                yield _Way(way.id, nodes, points, tags)
            nodes, points = [], []
        if len(nodes) > 1:
            yield _Way(way.id, nodes, points, tags)


def _objects(path: Path, kind: Any, keys: tuple[str, ...]) -> Iterator[Any]:
    """OSM objects of a kind that have one of the tags. Raises InputError for whatever libosmium cannot read."""
    import osmium

    if not path.exists():
        raise InputError("does not exist", file=path, expected=_EXPECTED)
    if not path.is_file() or path.stat().st_size == 0:
        raise InputError("is empty" if path.is_file() else "is no file", file=path, expected=_EXPECTED)
    try:
        with _plain(path) as plain:
            reader = osmium.FileProcessor(str(plain), osmium.osm.NODE | osmium.osm.WAY)
            if kind == osmium.osm.WAY:
                reader = reader.with_locations()
            for thing in reader.with_filter(osmium.filter.KeyFilter(*keys)):
                if thing.type_str() == ("w" if kind == osmium.osm.WAY else "n"):
                    yield thing
    except (RuntimeError, ValueError, OSError, EOFError, SyntaxError, zlib.error, osmium.InvalidLocationError) as error:
        # libosmium's own errors arrive as RuntimeError, those of the XML parser as SyntaxError
        raise InputError(f"cannot be read ({error})", file=path, expected=_EXPECTED) from error


@contextlib.contextmanager
def _plain(path: Path) -> Iterator[Path]:
    """The file itself; of XML in which Overpass wrote geometry into relations, a copy of its nodes and ways.

    libosmium refuses such files, which Overpass writes for `out geom`.
    """
    import gzip
    import xml.etree.ElementTree as ET

    openers: dict[str, Callable[..., Any]] = {".osm": open, ".gz": gzip.open}
    open_xml = openers.get(path.suffix.lower())
    if open_xml is None or not _has_relation_geometry(path, open_xml):
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "plain.osm"
        with open_xml(path, "rb") as source, copy.open("wb") as target:
            target.write(b'<osm version="0.6">')
            for _, element in ET.iterparse(source):
                if element.tag in {"node", "way"}:
                    target.write(ET.tostring(element))
                if element.tag in {"node", "way", "relation"}:
                    element.clear()
            target.write(b"</osm>")
        yield copy


def _has_relation_geometry(path: Path, open_xml: Callable[..., Any]) -> bool:
    """Whether a member of a relation holds points: looked for as text, piece by piece."""
    with open_xml(path, "rb") as source:
        tail = b""
        while piece := source.read(1 << 20):
            if _MEMBER_WITH_POINTS.search(tail + piece):
                return True
            tail = piece[-400:]
    return False


def _streets(way: _Way, used: Counter[int]) -> Iterator[Street]:
    """The stretches of a way between nodes where something else meets it."""
    tags = way.tags
    forward, backward = directions(tags)
    kmh = posted_kmh(tags.get("maxspeed", "")) or class_kmh(tags["highway"])
    name = tags.get("name") or tags.get("ref") or ""
    begin = 0
    for i in range(1, len(way.nodes)):
        if used[way.nodes[i]] > 1:
            # A loop back to where it began is cut in the middle, so that every street leads somewhere else.
            cut = (begin + i) // 2 if way.nodes[begin] == way.nodes[i] and i - begin > 1 else i
            for a, b in ((begin, cut), (cut, i)):
                if a < b:
                    line = tuple(way.points[a : b + 1])
                    ends = str(way.nodes[a]), str(way.nodes[b])
                    yield Street(*ends, line, length_m(line), kmh, tags["highway"], name, forward, backward)
            begin = i


def _keeps_left(ways: list[_Way]) -> bool:
    """Traffic keeps left if most roundabouts turn clockwise; where there is none, right."""
    turn = 0
    for way in ways:
        if way.tags.get("junction") == "roundabout" and way.nodes[0] == way.nodes[-1]:
            lat, lon = zip(*way.points, strict=True)
            area = sum(x0 * y1 - x1 * y0 for x0, y0, x1, y1 in zip(lon, lat, lon[1:], lat[1:], strict=False))
            turn += 1 if area > 0 else -1
    return turn < 0
