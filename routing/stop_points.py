"""Stop points: places where shuttles may stop. Read from CSV or GTFS, or generated, the same ones each day."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StopPoint:
    """A bus stop or virtual stop. Its position says on which side of the road it stands."""

    id: str
    name: str
    lat: float
    """degrees; y in metres on a planar map"""
    lon: float
    """degrees; x in metres on a planar map"""
    node: str | None = None
    """id of the node it is, where it was given as one"""
