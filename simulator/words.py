"""Words that all parts of a scenario file share: numbers within bounds, points, windows; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from simulator.yaml_lines import Clock, hhmm

Coordinate = Annotated[float, Meta(ge=-1e7, le=1e7)]
Point = tuple[Coordinate, Coordinate]
Seconds = Annotated[float, Meta(ge=0, le=172_800)]
Metres = Annotated[float, Meta(ge=0, le=100_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
Weight = Annotated[float, Meta(ge=0, le=1e6)]
Factor = Annotated[float, Meta(ge=0.01, le=10)]
Kmh = Annotated[float, Meta(ge=1, le=200)]
Spot = str | int | Point
"""a stop point's id, a node's id, or a point (then the nearest stop point to it)"""


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """What all mappings of a scenario file have: unknown keys are errors."""


class Window(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """[from, to]; ms of the service day."""

    begin: Clock
    end: Clock

    def __post_init__(self) -> None:
        check_window(self.begin, self.end)


def check_window(begin: Clock, end: Clock | None) -> None:
    """Raises ValueError, which msgspec gives the place in the file, where a window does not last."""
    if end is not None and end <= begin:
        raise ValueError(f"ends at {hhmm(end)} but begins at {hhmm(begin)}; expected an end after the beginning")
