"""Who is served worse than others: figures by group of riders, for guardrails and reports.

Groups are those that a log knows without knowing anybody: the part of town where a journey begins, wheelchairs, and
booking ahead. Parts of town are nine, cut so that each holds about as many stop points as the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from dispatch.core import events as ev
from dispatch.core.places import Places
from simulator.journeys import Journey, journeys

if TYPE_CHECKING:
    from routing.network import RoadNetwork

LEAST: Final = 5
"""attempts that a part of town must have to be compared"""


def equity(events: Iterable[ev.Event], places: Places) -> dict[str, float | None]:
    """Figures by group; None where the day has nobody of it.

    `least_zone_service_rate` and `most_zone_wait_s`: of the part of town that fares worst. `zone_service_gap_share`:
    best minus worst. `wheelchair_service_rate`, `ahead_service_rate`: of those attempts alone.
    """
    zone = zones(places.network, places.nodes)
    by_zone: dict[int, list[Journey]] = defaultdict(list)
    wheelchairs, ahead = [], []
    for journey in journeys(events).values():
        by_zone[int(zone[journey.first.origins[0].place])].append(journey)
        if journey.first.wheelchairs:
            wheelchairs.append(journey)
        if journey.first.depart_after > journey.made_at:
            ahead.append(journey)
    compared = [group for group in by_zone.values() if len(group) >= LEAST]
    rates = [rate for group in compared if (rate := _rate(group)) is not None]
    waits = [wait for group in compared if (wait := _wait_s(group)) is not None]
    return {
        "least_zone_service_rate": min(rates, default=None),
        "zone_service_gap_share": round(max(rates) - min(rates), 6) if rates else None,
        "most_zone_wait_s": max(waits, default=None),
        "wheelchair_service_rate": _rate(wheelchairs),
        "ahead_service_rate": _rate(ahead),
    }


def zones(network: RoadNetwork, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
    """(P,) part of town of each place, 0 to 8: thirds from south to north, each in thirds from west to east."""
    x, y = (axis[nodes] for axis in network.xy)
    rows = _thirds(y)
    out = np.zeros(len(nodes), np.int64)
    for row in range(3):
        there = np.flatnonzero(rows == row)
        out[there] = 3 * row + _thirds(x[there])
    return out


def _thirds(values: NDArray[np.float64]) -> NDArray[np.int64]:
    rank = np.empty(len(values), np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    return rank * 3 // max(1, len(values))


def _rate(group: list[Journey]) -> float | None:
    return round(sum(journey.end == "delivered" for journey in group) / len(group), 6) if group else None


def _wait_s(group: list[Journey]) -> float | None:
    waits = [journey.wait for journey in group if journey.wait is not None]
    return round(sum(waits) / len(waits) / 1000, 6) if waits else None
