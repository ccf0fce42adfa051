"""Stop points as operators leave them: added, moved, renamed. Each edit holds from a later day on.

The numbers of a day's stop points are part of its log, so they stay as they are until it is over; closing one is an act
that holds at once (`ActTaken`). A new stop point lies at a junction or stop that the map has: streets are not split
again, so that closed streets and the log's nodes keep their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import msgspec
import numpy as np
from msgspec import Struct, structs

from dispatch.core.domain import FixedCall, Shift
from dispatch.core.places import Places
from dispatch.service import decisions
from routing.stop_points import StopPoint
from routing.travel_times import DriveTimes

if TYPE_CHECKING:
    from dispatch.service.zone import Area

NEAR_M = 200.0
"""a stop point farther than this from every junction lies off the streets"""


class StopEdit(Struct, frozen=True):
    """One edit, in force from the service day `day` on."""

    kind: Literal["add", "move", "rename"]
    stop: str
    day: str
    author: str
    reason: str
    name: str | None = None
    lat: float | None = None
    lon: float | None = None


def nearest_node(area: Area, lat: float, lon: float) -> int | None:
    """The node that a stop point at a place would lie at; None where no street is near."""
    network = area.network
    x, y = network.xy
    px, py = network.project(lat, lon)
    apart = np.hypot(x - px, y - py)
    node = int(apart.argmin())
    return node if apart[node] <= NEAR_M else None


def edited(area: Area, edits: Sequence[StopEdit]) -> Area:
    """The area with these edits made, in their order. One that no longer fits it is passed over."""
    stops = {stop.id: stop for stop in area.stops}
    nodes = dict(zip(area.places.ids, area.places.nodes.tolist(), strict=True))
    for edit in edits:
        known = stops.get(edit.stop)
        if edit.kind == "rename" and known is not None and edit.name is not None:
            stops[edit.stop] = replace(known, name=edit.name)
        elif edit.kind in ("add", "move") and (known is None) == (edit.kind == "add"):
            if edit.lat is None or edit.lon is None or (node := nearest_node(area, edit.lat, edit.lon)) is None:
                continue
            name = edit.name or (edit.stop if known is None else known.name)
            stops[edit.stop] = StopPoint(edit.stop, name, edit.lat, edit.lon)
            nodes[edit.stop] = node
    depots = [name for name in area.places.ids[len(area.stops) :] if name not in stops]
    ids = (*stops, *depots)
    places = Places(area.network, ids, np.array([nodes[name] for name in ids], np.int64), tuple(stops.values()))
    moved = {area.places.number[name]: place for place, name in enumerate(ids) if name in area.places.number}
    return replace(area, places=places, shifts=tuple(_renumbered(shift, moved) for shift in area.shifts))


def _renumbered(shift: Shift, places: dict[int, int]) -> Shift:
    def call(one: FixedCall) -> FixedCall:
        return one if one.place is None else structs.replace(one, place=places[one.place])

    end = None if shift.end_place is None else places[shift.end_place]
    return structs.replace(shift, end_place=end, calls=tuple(call(one) for one in shift.calls))


@dataclass
class SetUp:
    """A zone's file and what operators have changed since; the area of the day that is open."""

    base: Area
    redis: Any
    times: DriveTimes

    def __post_init__(self) -> None:
        self.area = self.base
        self.edits: list[StopEdit] = []
        self._made: tuple[StopEdit, ...] = ()

    async def refresh(self) -> None:
        """Read the edits. Raises what the store raises."""
        kept = await self.redis.lrange(self._key, 0, -1)
        self.edits = [msgspec.json.decode(line, type=StopEdit) for line in kept]

    async def add(self, edit: StopEdit) -> None:
        """Keep one more."""
        await self.redis.rpush(self._key, msgspec.json.encode(edit))
        await self.refresh()

    def for_day(self, day: str) -> decisions.Zone:
        """What the dispatcher has to know from this day's opening on."""
        made = tuple(edit for edit in self.edits if edit.day <= day)
        if made != self._made:
            self.area, self._made = edited(self.base, made), made
            self.times = self.area.roads()
        return replace(self.area.dispatched(self.times), for_day=self.for_day, refresh=self.refresh)

    def area_of(self, day: str) -> Area:
        """The area as it was on a day that is over."""
        made = tuple(edit for edit in self.edits if edit.day <= day)
        return self.area if made == self._made else edited(self.base, made)

    def coming(self, day: str) -> list[StopEdit]:
        """Edits that are not in force on this day yet."""
        return [edit for edit in self.edits if edit.day > day]

    @property
    def _key(self) -> str:
        return f"{{{self.base.name}}}:stops"
