"""A day's log read back with the roads it was driven on, where the output folder holds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.core import events as ev
from routing.errors import InputError
from simulator.outputs import read_events

if TYPE_CHECKING:
    from routing.network import RoadNetwork
    from routing.travel_times import DriveTimes

MAP = "map.npz"
"""the streets that a day was driven on, stop points included, beside its log"""


def network_beside(log: Path) -> RoadNetwork | None:
    """The road network in the output folder; None: there is none."""
    from routing.network import RoadNetwork

    path = (log if log.is_dir() else log.parent) / MAP
    return RoadNetwork.load(path) if path.exists() else None


def day_and_times(log: Path) -> tuple[list[ev.AnyEvent], DriveTimes | None]:
    """Events of a log and the driving times of its day's start.

    Raises InputError for a log that can't be read, and for a map that is not the one of the log.
    """
    from routing.travel_times import ProfileStep, drive_times
    from simulator.simulate import fingerprint

    events = list(read_events(log))
    network = network_beside(log)
    opened = events[0] if events else None
    if network is None or not isinstance(opened, ev.DayOpened):
        return events, None
    if fingerprint(network) != opened.map:
        raise InputError("the map beside the log is not the one of its day", file=log, expected=f"map {opened.map}")
    return events, drive_times(network, list(opened.place_nodes), profile=[ProfileStep(*s) for s in opened.profile])
