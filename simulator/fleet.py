"""The shuttles of a scenario: shifts with their breaks, depots and timetabled calls."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from dispatch.core.domain import NEVER, FixedCall, Shift
from simulator.scenario_file import Fleet, Loop
from simulator.tables import ShiftRow
from simulator.words import Spot
from simulator.yaml_lines import hhmm

if TYPE_CHECKING:
    from dispatch.core.places import Places
    from routing.csv_table import Row
    from simulator.tables import Place
    from simulator.yaml_lines import Document, Key


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def shifts_of(
    fleet: Fleet | Sequence[Fleet] | Sequence[ShiftRow], loops: Sequence[Loop], places: Places, document: Document
) -> tuple[Places, tuple[Shift, ...]]:
    """(the places, depots among them; all shifts in the order of the file).

    Raises InputError for places off the map, breaks outside a shift, and calls that no shift can make.
    """
    groups: list[Fleet | ShiftRow] = [fleet] if isinstance(fleet, Fleet) else list(fleet)
    made: list[tuple[Shift, int | None]] = []
    for n, group in enumerate(groups):
        if isinstance(group, ShiftRow):
            made.append(_from_row(group, places))
        else:
            path = ("vehicles",) if isinstance(fleet, Fleet) else ("vehicles", n)
            made += _from_group(group, path, 1 + len({shift.vehicle for shift, _ in made}), places, document)
    places = places.with_depots([end for _, end in made if end is not None])
    shifts = [shift if end is None else replace(shift, end_place=places.at_node[end]) for shift, end in _numbered(made)]
    for n, loop in enumerate(loops):
        _add_loop(shifts, loop, ("loops", n), places, document)
    return places, tuple(shifts)


def kinds_of(fleet: Fleet | Sequence[Fleet] | Sequence[ShiftRow]) -> dict[str, str]:
    """The kind of each vehicle that has one, by the names that `shifts_of` gives."""
    groups: list[Fleet | ShiftRow] = [fleet] if isinstance(fleet, Fleet) else list(fleet)
    kinds: dict[str, str] = {}
    number = 1
    for group in groups:
        names = [group.vehicle] if isinstance(group, ShiftRow) else [f"V{number + i}" for i in range(group.count)]
        number += 0 if isinstance(group, ShiftRow) else group.count
        if group.kind is not None:
            kinds |= dict.fromkeys(names, group.kind)
    return kinds


def weekdays_of(
    fleet: Fleet | Sequence[Fleet] | Sequence[ShiftRow], shifts: Sequence[Shift]
) -> dict[str, frozenset[int]]:
    """Weekdays (0 Monday … 6 Sunday) of the shifts whose group names any."""
    groups = [fleet] if isinstance(fleet, Fleet) else [group for group in fleet if isinstance(group, Fleet)]
    days: dict[str, frozenset[int]] = {}
    first = 1
    for group in groups:
        if group.days:
            on = frozenset(WEEKDAYS.index(day) for day in group.days)
            days |= {f"V{number}": on for number in range(first, first + group.count)}
        first += group.count
    return {shift.id: days[shift.vehicle] for shift in shifts if shift.vehicle in days}


def _numbered(made: list[tuple[Shift, int | None]]) -> list[tuple[Shift, int | None]]:
    """Ids: the vehicle's, and for its second shift and on `vehicle#2`, …"""
    seen: dict[str, int] = {}
    taken = {shift.vehicle for shift, _ in made}
    out = []
    for shift, end in made:
        n = seen[shift.vehicle] = seen.get(shift.vehicle, 0) + 1
        name = shift.vehicle if n == 1 else f"{shift.vehicle}#{n}"
        while n > 1 and name in taken:
            name += "'"
        taken.add(name)
        out.append((replace(shift, id=name), end))
    return out


def _from_row(row: ShiftRow, places: Places) -> tuple[Shift, int | None]:
    """A line of the vehicles file, and the node where its shift ends."""
    calls = () if row.rest is None else (FixedCall("break", *row.rest),)
    shift = Shift(
        id=row.vehicle,
        vehicle=row.vehicle,
        node=_row_node(row.start, "start", row.row, places),
        start=row.shift_start or 0,
        end=NEVER if row.shift_end is None else row.shift_end,
        seats=row.capacity,
        wheelchairs=row.wheelchair_places,
        calls=calls,
    )
    return shift, None if row.end is None else _row_node(row.end, "end", row.row, places)


def _row_node(place: Place, field: str, row: Row, places: Places) -> int:
    """The node that a line names, or for a point the nearest stop point's, or the nearest node where none is near."""
    network = places.network
    if place.node is not None:
        if place.node not in network.index:
            what = f"node {place.node!r} is not on this map, or in its part that was cut"
            raise row.error(f"{field}_node", what, expected="a node of the map")
        return network.index[place.node]
    node = _nearest_node(places, place.lat, place.lon)
    if node is None:
        what = f"({place.lat:g}, {place.lon:g}) lies far from every street"
        raise row.error(f"{field}_lat", what, expected="a point within the zone, latitude before longitude")
    return node


def _from_group(
    group: Fleet, path: tuple[Key, ...], first: int, places: Places, document: Document
) -> list[tuple[Shift, int | None]]:
    """The shifts of shuttles that are alike, named V1, V2, … from `first` on; shift by shift for each shuttle."""
    start = _middle(places) if group.start is None else _spot_node(group.start, (*path, "start"), places, document)
    end = None if group.end is None else _spot_node(group.end, (*path, "end"), places, document)
    windows = [(int(window.begin), int(window.end)) for window in group.shifts] or [(0, NEVER)]
    for i, (begin, finish) in enumerate(windows):
        if any(begin < other_end and other_begin < finish for other_begin, other_end in windows[:i]):
            what = f"a shift from {hhmm(begin)} overlaps another of the same shuttles"
            raise document.error((*path, "shifts", i), what, "shifts one after another")
    breaks = [_rest(group, i, windows, path, document) for i in range(len(group.breaks))]
    out = []
    for number in range(first, first + group.count):
        for begin, finish in windows:
            shift = Shift(
                id="",
                vehicle=f"V{number}",
                node=start,
                start=begin,
                end=finish,
                seats=group.capacity,
                wheelchairs=group.wheelchair_places,
                calls=tuple(call for call in breaks if begin <= call.earliest < finish),
            )
            out.append((shift, end))
    return out


def _rest(group: Fleet, i: int, windows: list[tuple[int, int]], path: tuple[Key, ...], document: Document) -> FixedCall:
    rest = group.breaks[i]
    if not any(begin <= rest.at and rest.to <= finish for begin, finish in windows):
        raise document.error((*path, "breaks", i), "the break lies outside every shift", "a break within a shift")
    duration = rest.to - rest.at if rest.duration_s is None else round(rest.duration_s * 1000)
    return FixedCall("break", int(rest.at), int(rest.to - duration), int(duration))


def _add_loop(shifts: list[Shift], loop: Loop, path: tuple[Key, ...], places: Places, document: Document) -> None:
    """Put a loop's timetabled calls into the shifts of its shuttle."""
    vehicle = str(loop.shuttle)
    own = [k for k, shift in enumerate(shifts) if shift.vehicle == vehicle]
    if not own:
        raise document.error((*path, "shuttle"), f"{vehicle!r} is no shuttle of this day", "a vehicle_id")
    for n, call in enumerate(loop.calls):
        here = (*path, "calls", n)
        place = _stop_place(call.stop, (*here, "stop"), places, document)
        fitting = [k for k in own if shifts[k].start <= call.at <= shifts[k].end]
        if not fitting:
            raise document.error(
                (*here, "at"), f"{vehicle!r} is not on shift at {hhmm(call.at)}", "a time of its shift"
            )
        k = fitting[0]
        fixed = FixedCall(
            "timetable", int(call.at), int(call.at) + round(call.late_s * 1000), round(call.wait_s * 1000), place
        )
        calls = sorted((*shifts[k].calls, fixed), key=lambda other: other.earliest)
        shifts[k] = replace(shifts[k], calls=tuple(calls))


def _spot_node(spot: Spot, path: tuple[Key, ...], places: Places, document: Document) -> int:
    """The node of a stop point, a node or the stop point nearest to a point."""
    if isinstance(spot, tuple):
        node = _nearest_node(places, *spot)
        if node is None:
            raise document.error(path, f"{list(spot)} lies far from every street", "[lat, lon] within the zone")
        return node
    name = str(spot)
    if name in places.number:
        return int(places.nodes[places.number[name]])
    if name in places.network.index:
        return places.network.index[name]
    raise document.error(path, f"{name!r} is no stop point and no node", "an id of one, or [lat, lon]")


def _stop_place(spot: Spot, path: tuple[Key, ...], places: Places, document: Document) -> int:
    node = _spot_node(spot, path, places, document)
    if node not in places.at_node:
        raise document.error(path, f"{spot!r} is no stop point", "a stop point")
    return places.at_node[node]


def _nearest_node(places: Places, lat: float, lon: float) -> int | None:
    end = places.nearest(lat, lon) if places.stops else None
    if end is not None:
        return int(places.nodes[end.place])
    network = places.network
    x, y = network.xy
    px, py = network.project(lat, lon)
    apart = np.hypot(x - px, y - py)
    return int(apart.argmin()) if apart.min() <= 2000 else None


def _middle(places: Places) -> int:
    """The node of the stop point nearest to the middle of all (of the network, where there is none)."""
    x, y = places.network.xy
    nodes = places.nodes if len(places.nodes) else np.arange(places.network.nodes)
    x, y = x[nodes], y[nodes]
    return int(nodes[np.hypot(x - x.mean(), y - y.mean()).argmin()])
