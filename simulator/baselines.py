"""A day in money, grams and minutes: what it cost and emitted, what else its people could have done, who fared how.

Counted from a log, its streets and its accounts (`simulator.accounts`, which has the definitions).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dispatch.core import events as ev
from routing.stop_points import WALK_DETOUR
from simulator.accounts import Accounts, Baselines, nothing
from simulator.bus import Buses, buses_of
from simulator.equity import groups
from simulator.journeys import Journey, journeys
from simulator.timetable import read_timetable

if TYPE_CHECKING:
    from routing.network import RoadNetwork


def further_figures(
    events: Sequence[ev.Event], kpis: dict[str, Any], network: RoadNetwork, accounts: Accounts
) -> dict[str, Any]:
    """The further figures, to be put under `extra`; nested as their definitions have them.

    `kpis` is the log's KPI object. Raises InputError where the fixed buses' timetable cannot be used on the day.
    """
    opened = next((event for event in events if isinstance(event, ev.DayOpened)), None)
    out = nothing()
    if opened is None:
        return out
    lived = list(journeys(events).values())
    carried = kpis["extra"]["persons_delivered"]
    fares = kpis["extra"]["fares_total"]
    out["money"] |= _money(kpis, accounts, carried, fares)
    out["co2"] |= _co2(events, lived, accounts, carried)
    out["baselines"] |= _instead(lived, opened, network, accounts.baselines)
    out["groups"] = groups(lived, network, np.array(opened.place_nodes, np.int64))
    rounded: dict[str, Any] = _rounded(out)
    return rounded


def _money(kpis: dict[str, Any], accounts: Accounts, carried: int, fares: float) -> dict[str, float | str | None]:
    costs = accounts.costs
    if costs is None:
        return {"currency": accounts.currency, "fare_per_rider": _ratio(fares, carried)}
    total = kpis["shuttle_hours"] * costs.shuttle_hour + kpis["vehicle_km"] * costs.km + costs.day
    return {
        "currency": accounts.currency,
        "cost_total": total,
        "cost_per_rider": _ratio(total, carried),
        "fare_per_rider": _ratio(fares, carried),
        "subsidy_per_rider": _ratio(total - fares, carried),
        "cost_recovery": _ratio(fares, total),
    }


def _co2(events: Iterable[ev.Event], lived: list[Journey], accounts: Accounts, carried: int) -> dict[str, float | None]:
    grams = math_sum(km * accounts.grams(vehicle) for vehicle, km in km_by_vehicle(events).items())
    car = sum(j.first.direct_mm for j in lived if j.end == "delivered") / 1e6 * accounts.emissions.car_g_km
    with_rider = 1 - accounts.emissions.taxi_empty_share
    return {
        "shuttles_kg": grams / 1000,
        "g_per_rider": _ratio(grams, carried),
        "car_g_per_rider": _ratio(car, carried),
        "taxi_g_per_rider": _ratio(car, carried * with_rider),
    }


def km_by_vehicle(events: Iterable[ev.Event]) -> dict[str, float]:
    """km that each vehicle drove."""
    vehicle: dict[str, str] = {}
    mm: dict[str, int] = {}
    for event in events:
        match event:
            case ev.ShiftOpened(shift=shift):
                vehicle[shift.id] = shift.vehicle
                mm.setdefault(shift.vehicle, 0)
            case (
                ev.StopArrived(shuttle=shuttle, driven_mm=driven)
                | ev.ProgressMade(shuttle=shuttle, driven_mm=driven)
                | ev.PositionReported(shuttle=shuttle, driven_mm=driven)
                | ev.ShuttleBrokeDown(shuttle=shuttle, driven_mm=driven)
            ):
                mm[vehicle[shuttle]] += driven
    return {name: total / 1e6 for name, total in mm.items()}


def _instead(lived: list[Journey], opened: ev.DayOpened, network: RoadNetwork, words: Baselines) -> dict[str, Any]:
    """The same journeys door to door: carried, on foot, by taxi, by bus."""
    delivered = [journey for journey in lived if journey.end == "delivered"]
    out: dict[str, Any] = {
        "naru_mean_s": _mean([_door_to_door(journey) / 1000 for journey in delivered]),
        "walk_mean_s": _mean([on_foot(j, opened, network, words) / 1000 for j in delivered]),
        "taxi_mean_s": _mean([words.taxi_wait_s + j.first.direct / 1000 for j in delivered]),
    }
    if words.taxi_fare is not None:
        fare = words.taxi_fare
        further = [max(0.0, j.first.direct_mm / 1e6 - fare.base_km) for j in delivered]
        out["taxi_fare_mean"] = _mean([fare.base + fare.per_km * float(np.ceil(km)) for km in further])
    if words.gtfs is None:
        return out
    found = {journey.first.id: by_bus(journey, opened, network, words) for journey in lived}
    taken = [ride for j in delivered if (ride := found[j.first.id]) is not None]
    return out | {
        "bus_mean_s": _mean([door / 1000 for door, _, _ in taken]),
        "bus_share": _ratio(len(taken), len(delivered)),
        "bus_asked_share": _ratio(sum(ride is not None for ride in found.values()), len(found)),
        "bus_transfers_mean": _mean([float(buses_taken - 1) for _, _, buses_taken in taken]),
        "bus_walk_mean_s": _mean([walk / 1000 for _, walk, _ in taken]),
    }


def _door_to_door(journey: Journey) -> int:
    assert journey.alighted is not None
    assert journey.booked is not None
    return journey.alighted + journey.booked.dropoff.walk - journey.depart


def _ends(journey: Journey, opened: ev.DayOpened, network: RoadNetwork) -> tuple[tuple[float, float], ...]:
    """Origin and destination in local metres: the stop points nearest to the rider's own places."""
    x, y = network.xy
    nodes = [opened.place_nodes[ends[0].place] for ends in (journey.first.origins, journey.first.destinations)]
    return tuple((float(x[node]), float(y[node])) for node in nodes)


def _own_walks(journey: Journey) -> int:
    return journey.first.origins[0].walk + journey.first.destinations[0].walk


def on_foot(journey: Journey, opened: ev.DayOpened, network: RoadNetwork, words: Baselines) -> int:
    """ms of the walk from door to door."""
    (x0, y0), (x1, y1) = _ends(journey, opened, network)
    return _own_walks(journey) + round(WALK_DETOUR * float(np.hypot(x0 - x1, y0 - y1)) / words.walk_m_s * 1000)


def by_bus(
    journey: Journey, opened: ev.DayOpened, network: RoadNetwork, words: Baselines
) -> tuple[int, int, int] | None:
    """(door to door ms, walks ms, buses); None where there is no timetable or no bus, or walking is as fast."""
    if words.gtfs is None:
        return None
    buses = _buses(words, opened.date, network)
    origin, destination = _ends(journey, opened, network)
    to_stop = journey.first.origins[0].walk
    found = buses.journey(origin, destination, journey.depart + to_stop)
    if found is None:
        return None
    walks = _own_walks(journey)
    door = found.arrive + walks - to_stop - journey.depart
    return (door, found.walk_ms + walks, found.buses) if door < on_foot(journey, opened, network, words) else None


_KEPT: dict[tuple[str, str, Baselines, tuple[float, float]], Buses] = {}


def _buses(words: Baselines, date: str, network: RoadNetwork) -> Buses:
    """The timetable of a date, kept for the next day on the same streets."""
    assert words.gtfs is not None
    key = (words.gtfs, date, words, network.middle)
    if key not in _KEPT:
        _KEPT.clear()
        _KEPT[key] = buses_of(_timetable(words.gtfs, date), network, words)
    return _KEPT[key]


@lru_cache(maxsize=2)
def _timetable(path: str, date: str) -> Any:
    return read_timetable(Path(path), date)


def math_sum(values: Iterable[float]) -> float:
    """The sum, the same on any machine whatever the order."""
    from math import fsum

    return fsum(values)


def _mean(values: Sequence[float]) -> float | None:
    return math_sum(values) / len(values) if values else None


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 6)
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    return [_rounded(part) for part in value] if isinstance(value, list) else value
