"""How fast streets are driven: by their class, or as posted."""

from __future__ import annotations

import re

CLASS_KMH = {
    "motorway": 80.0,
    "trunk": 70.0,
    "primary": 50.0,
    "secondary": 50.0,
    "tertiary": 45.0,
    "unclassified": 40.0,
    "residential": 35.0,
    "road": 35.0,
    "living_street": 15.0,
    "service": 15.0,
    "busway": 35.0,
}
"""what a shuttle drives where no limit is posted, by OpenStreetMap road class; a link road as its class"""
_KMH_PER = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852}
_POSTED = re.compile(r"(\d+(?:\.\d+)?)\s*(km/h|kmh|kph|mph|knots|)")


def plain_class(highway: str) -> str:
    """The class a link road belongs to: `motorway_link` -> `motorway`."""
    return highway.removesuffix("_link")


def class_kmh(highway: str) -> float:
    """Usual speed of a road class; 35 for one that is not in the table."""
    return CLASS_KMH.get(plain_class(highway), 35.0)


def posted_kmh(maxspeed: str) -> float | None:
    """The number in a `maxspeed` tag as km/h (`50`, `30 mph`, of `50;30` the lowest); None for `none`, `RO:urban`…"""
    speeds = [_POSTED.fullmatch(part.strip().lower()) for part in re.split(r"[;|,]", maxspeed)]
    found = [float(match[1]) * _KMH_PER[match[2]] for match in speeds if match]
    sane = [kmh for kmh in found if 3 <= kmh <= 200]
    return min(sane) if sane else None


def drive_ms(length_m: float, kmh: float) -> int:
    """Whole milliseconds to drive a length, at least 1."""
    return max(1, round(length_m / kmh * 3600))
