"""How people choose between the rides offered and what else there is: a logit on wait, ride, walk and fare.

Each way has a utility, the weighted sum of its minutes and money, and for each person a part of their own drawn from
the Gumbel distribution; the best one is taken (McFadden 1974: so shares follow the logit formula). The draws belong to
the person and the way, so that under another policy the same person weighs another offer with the same mind.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

from msgspec import Meta

from dispatch.core.domain import Quote, RideRequest
from simulator.baselines import by_bus, on_foot
from simulator.journeys import Journey
from simulator.streams import Stream
from simulator.words import Share, Words

if TYPE_CHECKING:
    from dispatch.core import events as ev
    from routing.network import RoadNetwork
    from simulator.accounts import Baselines

Utility = Annotated[float, Meta(ge=-1000, le=1000)]
MINUTE = 60_000


class Choice(Words, frozen=True):
    """Utilities of a minute and of money. The defaults are of usual size and sign, assumed: fit them to a survey."""

    wait_min: Utility = -0.06
    ride_min: Utility = -0.03
    walk_min: Utility = -0.07
    fare_1000: Utility = -0.2
    """of 1,000 of the currency"""
    shuttle: Utility = 0.0
    """what a ride is liked by itself, against walking"""
    bus: Utility = 0.0
    car: Utility = 0.0
    bus_fare: Annotated[float, Meta(ge=0, le=1e9)] = 1500
    car_km: Annotated[float, Meta(ge=0, le=1e9)] = 200
    """money a km"""
    car_share: Share = 0.3
    """of riders who have a car there"""


class Way(NamedTuple):
    """Another way to make the journey; lengths of time in ms."""

    name: Literal["walk", "bus", "car"]
    wait: int
    ride: int
    walk: int
    money: float


def other_ways(
    requests: Iterable[RideRequest], opened: ev.DayOpened, network: RoadNetwork, words: Baselines, choice: Choice
) -> dict[str, tuple[Way, ...]]:
    """What each attempt could do instead: walk, drive a car, take a bus of the scenario's timetable."""
    out = {}
    for request in requests:
        journey = Journey(request, request.depart_after)
        ways = [
            Way("walk", 0, 0, on_foot(journey, opened, network, words), 0),
            Way("car", 0, request.direct, 0, choice.car_km * request.direct_mm / 1e6),
        ]
        found = by_bus(journey, opened, network, words)
        if found is not None:
            door, walks, _ = found
            ways.append(Way("bus", 0, door - walks, walks, choice.bus_fare))
        out[request.attempt or request.id] = tuple(ways)
    return out


def taken(
    choice: Choice, seed: int, attempt: str, request: RideRequest, quotes: Sequence[Quote], ways: Sequence[Way]
) -> int | None:
    """Index of the quote that the rider takes; None: another way is better to them."""
    if not quotes:
        return None
    values = [_of_quote(choice, request, quote) for quote in quotes]
    best = max(range(len(values)), key=lambda i: values[i])
    shuttle = values[best] + _own(seed, attempt, "shuttle")
    has_car = Stream(seed, "has a car", attempt).chance(choice.car_share)
    others = [
        _utility(choice, way.wait, way.ride, way.walk, way.money) + constants(choice)[way.name]
        + _own(seed, attempt, way.name)
        for way in ways if way.name != "car" or has_car
    ]  # fmt: skip
    return best if shuttle >= max(others, default=-math.inf) else None


def constants(choice: Choice) -> Mapping[str, float]:
    """What each other way is liked by itself."""
    return {"walk": 0.0, "bus": choice.bus, "car": choice.car}


def _of_quote(choice: Choice, request: RideRequest, quote: Quote) -> float:
    first = request.depart_after if request.first_depart is None else request.first_depart
    wait = max(0, quote.pickup_at - first)
    ride, walk = quote.dropoff_at - quote.pickup_at, quote.pickup.walk + quote.dropoff.walk
    return choice.shuttle + _utility(choice, wait, ride, walk, quote.fare)


def _utility(choice: Choice, wait: int, ride: int, walk: int, money: float) -> float:
    minutes = choice.wait_min * wait + choice.ride_min * ride + choice.walk_min * walk
    return minutes / MINUTE + choice.fare_1000 * money / 1000


def _own(seed: int, attempt: str, way: str) -> float:
    """A person's own part of a way's utility, Gumbel distributed."""
    uniform = ((Stream(seed, "chooses", attempt, way).bits() >> 11) + 0.5) / 2.0**53
    return -math.log(-math.log(uniform))
