"""Who is served worse than others: figures by group of riders, for guardrails and reports.

Groups are the part of town where a journey begins, wheelchairs and booking ahead, which a log knows without knowing
anybody, and the age group and way of booking where requests are labelled with them. Parts of town are nine, cut so that
each holds about as many stop points as the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from simulator.journeys import Journey

if TYPE_CHECKING:
    from routing.network import RoadNetwork

LEAST: Final = 5
"""attempts that a group must have to be compared"""
PARTS: Final = (
    "south-west", "south", "south-east", "west", "middle", "east", "north-west", "north", "north-east",
)  # fmt: skip
"""names of the parts of town"""
KINDS: Final = ("part of town", "age", "channel", "wheelchair", "ahead")


def equity(lived: Sequence[Journey], network: RoadNetwork, nodes: NDArray[np.int64]) -> dict[str, float | None]:
    """Figures by group; None where the day has nobody of it. `nodes` are those of the places.

    `least_zone_service_rate` and `most_zone_wait_s`: of the part of town that fares worst. `zone_service_gap_share`:
    best minus worst. `least_age_…`, `age_service_gap_share`, `least_channel_…`: the same by age group and by way of
    booking. `wheelchair_service_rate`, `ahead_service_rate`: of those attempts alone.
    """
    by = {kind: members(lived, kind, network, nodes) for kind in KINDS}
    rates, waits = (
        {kind: [value for group in by[kind].values() if len(group) >= LEAST and (value := of(group)) is not None]
         for kind in KINDS} for of in (_rate, _wait_s)
    )  # fmt: skip
    return {
        "least_zone_service_rate": min(rates["part of town"], default=None),
        "zone_service_gap_share": _gap(rates["part of town"]),
        "most_zone_wait_s": max(waits["part of town"], default=None),
        "least_age_service_rate": min(rates["age"], default=None),
        "age_service_gap_share": _gap(rates["age"]),
        "least_channel_service_rate": min(rates["channel"], default=None),
        "wheelchair_service_rate": _rate(by["wheelchair"].get("yes", [])),
        "ahead_service_rate": _rate(by["ahead"].get("yes", [])),
    }


def groups(lived: Sequence[Journey], network: RoadNetwork, nodes: NDArray[np.int64]) -> list[dict[str, Any]]:
    """A row a group: what became of its attempts, how long it waited and walked. Kinds with one group are left out."""
    rows = []
    for kind in KINDS:
        found = members(lived, kind, network, nodes)
        if len(found) < 2:
            continue
        order = PARTS if kind == "part of town" else sorted(found)
        for name in order:
            group = found.get(name, [])
            if not group:
                continue
            refused = [
                max(0, j.answered_at - j.depart) for j in group if j.end == "refused" and j.answered_at is not None
            ]
            walks = [j.booked.pickup.walk + j.booked.dropoff.walk for j in group if j.end == "delivered" and j.booked]
            rows.append({
                "kind": kind,
                "group": name,
                "attempts": len(group),
                "delivered": sum(journey.end == "delivered" for journey in group),
                "refused": sum(journey.end == "refused" for journey in group),
                "share": _rate(group),
                "wait_mean_s": _wait_s(group),
                "refused_wait_mean_s": round(sum(refused) / len(refused) / 1000, 6) if refused else None,
                "walk_mean_s": round(sum(walks) / len(walks) / 1000, 6) if walks else None,
            })  # fmt: skip
    return rows


def members(
    lived: Sequence[Journey], kind: str, network: RoadNetwork, nodes: NDArray[np.int64]
) -> dict[str, list[Journey]]:
    """Journeys by the group that they belong to; those of nobody known are in none."""
    zone = zones(network, nodes) if kind == "part of town" else None
    out: dict[str, list[Journey]] = defaultdict(list)
    for journey in lived:
        first = journey.first
        if zone is not None:
            name: str | None = PARTS[int(zone[first.origins[0].place])]
        elif kind == "age":
            name = first.age
        elif kind == "channel":
            name = first.channel
        elif kind == "wheelchair":
            name = "yes" if first.wheelchairs else "no"
        else:
            name = "yes" if first.depart_after > journey.made_at else "no"
        if name is not None:
            out[name].append(journey)
    return dict(out)


def _gap(rates: Sequence[float]) -> float | None:
    return round(max(rates) - min(rates), 6) if rates else None


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
