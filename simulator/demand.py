"""People made up: when they travel, from where to where, how many together, and how long before they call.

One named stream a seed, so two policies meet the same people, and the first 500 attempts of a day of 735 are those
of a day of 500 (before they are put in order of time).
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct

from dispatch.core.places import End, Places, direct
from routing.errors import InputError
from simulator.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routing.travel_times import DriveTimes
    from simulator.scenario_file import Burst, Demand, Weighting, Window

HOUR_MS = 3_600_000
LIKELY_BASE = 0.25
"""even the shortest ways are kept with this probability where `likely_km` is set"""
_TRIES = 1000


class Attempt(Struct, frozen=True, kw_only=True):
    """Somebody who will ask for a journey. Times are ms of the service day; None where they set no limit."""

    id: str
    made_at: int
    origin: End
    destination: End
    depart_after: int
    arrive_by: int | None = None
    latest_pickup: int | None = None
    latest_dropoff: int | None = None
    max_ride: int | None = None
    seats: int = 1
    wheelchairs: int = 0
    rider: str | None = None


def generate(
    demand: Demand, places: Places, times: DriveTimes, seed: int, hours: Window | None = None
) -> list[Attempt]:
    """`demand.attempts` attempts in order of their calls, then of departure; ids count from 1.

    `hours`: the service hours, where the demand names none of its own.
    Raises InputError if no journey of this town is as long as the demand wants, or no hour has any weight.
    """
    if demand.attempts == 0:
        return []
    stream = Stream(seed, "demand")
    made = [_attempt(demand, journey, stream) for journey in _journeys(demand, places, times, stream, hours)]
    made.sort(key=lambda attempt: (attempt.made_at, attempt.depart_after))
    return [_numbered(attempt, number) for number, attempt in enumerate(made, 1)]


class _Journey(Struct, frozen=True):
    departs: int
    origin: End
    destination: End
    direct_ms: int


def _journeys(
    demand: Demand, places: Places, times: DriveTimes, stream: Stream, hours: Window | None
) -> Iterator[_Journey]:
    """As many journeys as there are attempts, drawn until each is as long as people want to ride."""
    first, last = (hours.begin, hours.end) if (hours := demand.hours or hours) else (0, 24 * HOUR_MS)
    windows = [
        (hour, max(first, hour * HOUR_MS), min(last, (hour + 1) * HOUR_MS), weight) for hour, weight in _profile(demand)
    ]
    windows = [window for window in windows if window[1] < window[2]]
    hour_weights = _cumulative([weight for *_, weight in windows])
    if not windows or hour_weights[-1] == 0:
        raise InputError("no hour has any demand", field="requests.profile", expected="a weight within the hours")
    origins = _cumulative(weights(demand.origins, places))
    destinations = _cumulative(weights(demand.destinations, places)) if demand.destinations else origins
    if origins[-1] == 0 or destinations[-1] == 0:
        raise InputError("no stop point has any demand", field="requests.origins", expected="a weight above 0")
    stations = [_station(burst, places, n) for n, burst in enumerate(demand.bursts)]
    done = tries = 0
    while done < demand.attempts:
        tries += 1
        if tries > _TRIES * (done + 10):
            raise InputError(
                f"no journeys of at least {demand.min_km:g} km are found between the stop points",
                field="requests.min_km",
                expected="a length that the zone has",
            )
        hour, begin, end, _ = windows[stream.pick(hour_weights)]
        moment = begin + stream.below((end - begin) // 1000) * 1000
        o, d = stream.pick(origins), stream.pick(destinations)
        for burst, station in zip(demand.bursts, stations, strict=True):
            if hour in burst.hours and stream.chance(burst.share):
                moment = hour * HOUR_MS + burst.minutes[stream.below(len(burst.minutes))] * 60_000
                moment += stream.below(burst.within_s) * 1000
                o, d = (o, station) if burst.way == "to" else (station, d)
        if o == d or not first <= moment < last:
            continue
        ms, mm = direct(times, np.array([o]), np.array([d]), np.array([moment]))
        km = int(mm[0]) / 1e6
        likely = 1.0 if demand.likely_km is None else min(1.0, LIKELY_BASE + km / demand.likely_km)
        if km < demand.min_km or not stream.chance(likely):
            continue
        done += 1
        yield _Journey(moment, places.end_at(o), places.end_at(d), int(ms[0]))


def _attempt(demand: Demand, journey: _Journey, stream: Stream) -> Attempt:
    sizes = sorted(demand.party)
    seats = sizes[stream.pick(_cumulative([demand.party[size] for size in sizes]))]
    wheelchair = stream.chance(demand.wheelchair_share)
    is_ahead, lead = stream.chance(demand.ahead.share), demand.ahead.lead_s.draw(stream)
    names_arrival = stream.chance(demand.ahead.arrive_by_share)
    arrive_by = None
    if is_ahead and names_arrival:
        five_min = 300_000
        arrive_by = -(-(journey.departs + journey.direct_ms * 3 // 2 + 4 * five_min) // five_min) * five_min
    return Attempt(
        id="",
        made_at=max(0, journey.departs - lead) if is_ahead else journey.departs,
        origin=journey.origin,
        destination=journey.destination,
        depart_after=journey.departs,
        arrive_by=arrive_by,
        seats=seats,
        wheelchairs=int(wheelchair),
    )


def _numbered(attempt: Attempt, number: int) -> Attempt:
    from msgspec.structs import replace

    return replace(attempt, id=str(number))


def _profile(demand: Demand) -> list[tuple[int, float]]:
    profile = demand.profile
    return sorted(profile.items()) if isinstance(profile, dict) else list(enumerate(profile or (1.0,) * 24))


def weights(weighting: Weighting, places: Places) -> list[float]:
    """Weight of each stop point: a base, and a bell around each centre."""
    network = places.network
    x, y = network.project([stop.lat for stop in places.stops], [stop.lon for stop in places.stops])
    out = [weighting.base] * len(places.stops)
    for centre in weighting.centres:
        (cx,), (cy,) = network.project([centre.at[0]], [centre.at[1]])
        for i in range(len(out)):
            apart = (x[i] - cx) ** 2 + (y[i] - cy) ** 2
            out[i] += centre.weight * math.exp(-apart / (2 * centre.radius_m**2))
    return out


def _cumulative(shares: list[float]) -> list[int]:
    """Ascending integers whose steps are the shares, to a millionth of a millionth: the same on any machine."""
    return list(accumulate(round(share * 1e9) for share in shares))


def _station(burst: Burst, places: Places, n: int) -> int:
    end = places.nearest(*burst.at)
    if end is None:
        raise InputError(
            f"no stop point lies near {burst.at}",
            field=f"requests.bursts[{n}].at",
            expected="[lat, lon] within the zone",
        )
    return end.place
