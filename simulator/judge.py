"""A day's log read back with the roads it was driven on, where the output folder holds them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dispatch.core import events as ev
from routing.errors import InputError
from simulator.outputs import read_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from dispatch.core.desk import Reroute
    from routing.network import RoadNetwork
    from routing.travel_times import DriveTimes, Profile

MAP = "map.npz"
"""the streets that a day was driven on, stop points included, beside its log"""


def network_beside(log: Path) -> RoadNetwork | None:
    """The road network in the output folder; None: there is none."""
    from routing.network import RoadNetwork

    path = (log if log.is_dir() else log.parent) / MAP
    return RoadNetwork.load(path) if path.exists() else None


def rerouting(network: RoadNetwork, nodes: Sequence[int] | NDArray[np.int64], profile: Profile) -> Reroute:
    """Driving times to these nodes with streets closed and all drives longer or shorter by a factor."""
    from routing.travel_times import drive_times

    def reroute(closed: frozenset[int], factor: float) -> DriveTimes:
        every = dict.fromkeys(range(network.edges), 1 / factor) if factor != 1 else None
        return drive_times(network, nodes, profile=profile, closed=closed, speed_changes=every)

    return reroute


def day_and_times(log: Path) -> tuple[list[ev.AnyEvent], DriveTimes | None, Reroute | None]:
    """Events of a log, the driving times of its day's start, and those after its closures.

    Raises InputError for a log that can't be read, and for a map that is not the one of the log.
    """
    from routing.travel_times import ProfileStep, drive_times
    from simulator.simulate import fingerprint

    events = list(read_events(log))
    network = network_beside(log)
    opened = events[0] if events else None
    if network is None or not isinstance(opened, ev.DayOpened):
        return events, None, None
    if fingerprint(network) != opened.map:
        raise InputError("the map beside the log is not the one of its day", file=log, expected=f"map {opened.map}")
    nodes, profile = list(opened.place_nodes), [ProfileStep(*step) for step in opened.profile]
    return events, drive_times(network, nodes, profile=profile), rerouting(network, nodes, profile)
