"""People made up: when they travel, from where to where, how many together, and how long before they call.

Chance comes from named streams of the seed, so two policies meet the same people, and the first 500 attempts of a day
of 735 are those of a day of 500 (before they are put in order of time). From weights alone all are drawn from one
stream; from counts everybody has one of their own, so that another stop point changes who walks where, and no more.
"""

from __future__ import annotations

from itertools import count, repeat
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from dispatch.core.places import End, Places, direct
from routing.errors import InputError
from simulator.attempts import Attempt
from simulator.demand_data import HOUR_MS, Sources, hours_of, plain_sources
from simulator.recorded import moved, resampled
from simulator.sites import cumulative
from simulator.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from routing.travel_times import DriveTimes
    from simulator.demand_file import Burst, Demand
    from simulator.words import Window

LIKELY_BASE = 0.25
"""even the shortest ways are kept with this probability where `likely_km` is set"""
_TRIES = 1000


def generate(
    demand: Demand,
    places: Places,
    times: DriveTimes,
    seed: int,
    hours: Window | None = None,
    sources: Sources | None = None,
) -> list[Attempt]:
    """`demand.attempts` attempts in order of their calls, then of departure; ids count from 1.

    `hours`: the service hours, where the demand names none of its own. `sources`: what the loader read from the files
    that the demand names; None: it names none. Raises InputError if no journey of this town is as long as the demand
    wants, or no hour has any weight.
    """
    if demand.attempts == 0:
        return []
    sources = plain_sources(demand, places) if sources is None else sources
    if sources.days:
        made = _recorded(demand, sources, seed, hours)
    else:
        made = [_attempt(demand, *drawn) for drawn in _journeys(demand, places, times, seed, hours, sources)]
    made.sort(key=lambda attempt: (attempt.made_at, attempt.depart_after))
    return [replace(attempt, id=str(number)) for number, attempt in enumerate(made, 1)]


class _Journey(Struct, frozen=True):
    departs: int
    origin: End
    destination: End
    direct_ms: int


def _recorded(demand: Demand, sources: Sources, seed: int, hours: Window | None) -> list[Attempt]:
    """A recorded day as it was, or as many attempts as are asked for, drawn from all of them."""
    from simulator.demand_file import Recorded

    first, last = _window(demand, hours)
    if demand.attempts is None:
        day = sources.days[(seed - 1) % len(sources.days)]
        return [moved(attempt, 0, 0) for attempt in day if first <= attempt.depart_after < last]
    shift = demand.recorded.shift_s if isinstance(demand.recorded, Recorded) else 300
    made: list[Attempt] = []
    for number in range(demand.attempts):
        stream = Stream(seed, "demand", number)
        for _ in range(_TRIES):
            attempt = resampled(sources.days, stream, shift, number)
            if first <= attempt.depart_after < last:
                made.append(attempt)
                break
    if len(made) < demand.attempts:
        raise InputError("hardly any recorded attempt lies within the hours", field="requests.hours",
                         expected="hours in which people asked")  # fmt: skip
    return made


def _journeys(
    demand: Demand, places: Places, times: DriveTimes, seed: int, hours: Window | None, sources: Sources
) -> Iterator[tuple[_Journey, Stream]]:
    """As many journeys as there are attempts, drawn until each is as long as people want to ride."""
    first, last = _window(demand, hours)
    windows = [
        (hour, max(first, hour * HOUR_MS), min(last, (hour + 1) * HOUR_MS), weight)
        for hour, weight in hours_of(demand.profile or sources.profile)
    ]
    windows = [window for window in windows if window[1] < window[2]]
    hour_weights = cumulative([weight for *_, weight in windows])
    if not windows or hour_weights[-1] == 0:
        raise InputError("no hour has any demand", field="requests.profile", expected="a weight within the hours")
    _check_anybody([hour for hour, *_, weight in windows if weight], sources)
    streams = (Stream(seed, "demand", n) for n in count()) if sources.counted else repeat(Stream(seed, "demand"))
    assert demand.attempts is not None
    done = tries = 0
    stream = next(streams)
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
        origin, destination, moment = _ends(demand, places, sources, stream, hour, moment)
        if origin is None or destination is None or origin.place == destination.place or not first <= moment < last:
            continue
        o, d = np.array([origin.place]), np.array([destination.place])
        ms, mm = direct(times, o, d, np.array([moment]))
        km = int(mm[0]) / 1e6
        likely = 1.0 if demand.likely_km is None else min(1.0, LIKELY_BASE + km / demand.likely_km)
        if km < demand.min_km or not stream.chance(likely):
            continue
        done += 1
        yield _Journey(moment, origin, destination, int(ms[0])), stream
        stream = next(streams)


def _ends(
    demand: Demand, places: Places, sources: Sources, stream: Stream, hour: int, moment: int
) -> tuple[End | None, End | None, int]:
    """(origin, destination, departure) of a journey in that hour, trains' riders among them; an end may be too far."""
    if sources.pairs is None:
        o = sources.origins.of[stream.pick(sources.origins.at(hour))]
        d = sources.destinations.of[stream.pick(sources.destinations.at(hour))]
    else:
        o, d = sources.pairs.of[stream.pick(sources.pairs.at(hour))]
    at_station: dict[str, End] = {}
    for burst, whens, station in zip(demand.bursts, sources.bursts, sources.stations, strict=True):
        if hour in whens and stream.chance(burst.share):
            moment = _moment(burst, whens[hour], stream)
            at_station[burst.way] = places.end_at(station)
    origin = at_station.get("from") or o.end(places, stream)
    destination = at_station.get("to") or d.end(places, stream)
    return origin, destination, moment


def _moment(burst: Burst, whens: Sequence[int], stream: Stream) -> int:
    return whens[stream.below(len(whens))] + stream.below(burst.within_s) * 1000


def _check_anybody(hours: Sequence[int], sources: Sources) -> None:
    """Raises InputError for an hour with demand in which there is nobody to travel, or nowhere to go."""
    for hour in hours:
        ends = [("od", sources.pairs)] if sources.pairs else [
            ("origins", sources.origins), ("destinations", sources.destinations)
        ]  # fmt: skip
        for name, choices in ends:
            if choices.total(hour) == 0:
                what = "no stop point has any demand" if not sources.counted else f"nobody is counted at {hour}:00"
                raise InputError(
                    what, field=f"requests.{name}", expected="a weight above 0 in each hour of the profile"
                )


def _window(demand: Demand, hours: Window | None) -> tuple[int, int]:
    window = demand.hours or hours
    return (window.begin, window.end) if window else (0, 48 * HOUR_MS if demand.recorded else 24 * HOUR_MS)


def _attempt(demand: Demand, journey: _Journey, stream: Stream) -> Attempt:
    sizes = sorted(demand.party)
    seats = sizes[stream.pick(cumulative([demand.party[size] for size in sizes]))]
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
        age=_one_of(demand.ages, stream),
        channel=_one_of(demand.channels, stream),
    )


def _one_of(shares: dict[str, float], stream: Stream) -> str | None:
    """Drawn by weight; None, and nothing drawn, where the file has none."""
    names = sorted(shares)
    return names[stream.pick(cumulative([shares[name] for name in names]))] if names else None
