"""Attempts of recorded days as demand: everybody who asked, those who were refused too, each journey once.

A live service knows a rider who was refused and calls again as somebody who calls; whether it linked the calls or not,
calls of one rider for the same journey that follow soon on one that was not booked are one attempt here. So the demand
that refusals hide is counted, and not counted twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.places import End, Places
from routing.errors import InputError
from simulator.attempts import Attempt
from simulator.journeys import Journey, journeys
from simulator.judge import network_beside
from simulator.outputs import read_events

if TYPE_CHECKING:
    from dispatch.core.domain import Access
    from routing.network import RoadNetwork
    from simulator.demand_file import Recorded
    from simulator.streams import Stream

_SAME_PLACE_M: Final = 500
"""a stop point of the same id that lies farther away is another town's"""
Day = tuple[Attempt, ...]


def read_days(recorded: Recorded, folder: Path, places: Places) -> tuple[Day, ...]:
    """The attempts of each log, in order of their calls, on these places.

    Raises InputError for a log that cannot be read, or whose stop points are not in this zone.
    """
    return tuple(_day(folder / log, places, recorded.again_within_s * 1000) for log in recorded.logs)


def attempts_in(events: Sequence[ev.AnyEvent], again_within_ms: int) -> list[Journey]:
    """The journeys of a log, whoever called again for the same one counted once, as of the first call."""
    out: list[Journey] = []
    open_since: dict[tuple[str, int, int], int] = {}
    for journey in journeys(events).values():
        first = journey.first
        if first.rider is None:
            out.append(journey)
            continue
        same = first.rider, first.origins[0].place, first.destinations[0].place
        before = open_since.pop(same, None)
        if before is None or journey.made_at - before > again_within_ms:
            out.append(journey)
        if journey.booked is None:
            open_since[same] = max(journey.made_at, *(call.depart_after for call in journey.calls))
    return out


def moved(attempt: Attempt, by: int, number: int) -> Attempt:
    """The same journey at another time of the day, with everything that it names."""

    def at(moment: int | None) -> int | None:
        return None if moment is None else max(0, moment + by)

    return replace(
        attempt,
        id=str(number),
        made_at=max(0, attempt.made_at + by),
        depart_after=max(0, attempt.depart_after + by),
        arrive_by=at(attempt.arrive_by),
        latest_pickup=at(attempt.latest_pickup),
        latest_dropoff=at(attempt.latest_dropoff),
    )


def resampled(days: Sequence[Day], stream: Stream, shift_s: int, number: int) -> Attempt:
    """One of all attempts, moved by up to `shift_s`. The days must hold one at least."""
    i = stream.below(sum(map(len, days)))
    by = stream.between(-shift_s, shift_s) * 1000
    for day in days:
        if i < len(day):
            return moved(day[i], by, number)
        i -= len(day)
    raise AssertionError(i)


def _day(log: Path, places: Places, again_within_ms: int) -> Day:
    events = list(read_events(log))
    if not events or not isinstance(events[0], ev.DayOpened):
        raise InputError("does not begin with a day", file=log, expected="a log that Naru wrote")
    ends = _Ends(log, events[0], places)
    found = []
    for journey in attempts_in(events, again_within_ms):
        first = journey.first
        origin, destination = ends.of(first.origins[0]), ends.of(first.destinations[0])
        if origin.place == destination.place:
            continue  # stop points of that day which are one here
        found.append(
            Attempt(
                id=first.id,
                made_at=journey.made_at,
                origin=origin,
                destination=destination,
                depart_after=first.depart_after,
                arrive_by=first.arrive_by,
                latest_pickup=first.latest_pickup,
                latest_dropoff=first.latest_dropoff,
                max_ride=first.max_ride,
                seats=first.seats,
                wheelchairs=first.wheelchairs,
                rider=first.rider,
                age=first.age,
                channel=first.channel,
            )
        )
    found.sort(key=lambda attempt: (attempt.made_at, attempt.depart_after))
    return tuple(found)


class _Ends:
    """Stop points of a log as ends of journeys on this scenario's places."""

    def __init__(self, log: Path, opened: ev.DayOpened, places: Places) -> None:
        self.log = log
        self.opened = opened
        self.places = places
        self.network: RoadNetwork | None = network_beside(log)
        self.known: dict[int, int] = {}

    def of(self, access: Access) -> End:
        here = self.known.get(access.place)
        if here is None:
            here = self.known[access.place] = self._place(access.place)
        stop = self.places.stops[here]
        return End(here, stop.lat, stop.lon, access.walk)

    def _place(self, place: int) -> int:
        name = self.opened.places[place]
        here = self.places.number.get(name)
        if here is not None and here >= len(self.places.stops):
            here = None  # a depot of that name
        if self.network is None:
            if here is None:
                raise self._missing(name)
            return here
        node = self.opened.place_nodes[place]
        lat, lon = float(self.network.lat[node]), float(self.network.lon[node])
        if here is not None:
            stop = self.places.stops[here]
            (x0, x1), (y0, y1) = self.places.network.project([lat, stop.lat], [lon, stop.lon])
            if abs(x0 - x1) + abs(y0 - y1) <= _SAME_PLACE_M:
                return here
        end = self.places.nearest(lat, lon)
        if end is None:
            raise self._missing(name)
        return end.place

    def _missing(self, name: str) -> InputError:
        return InputError(f"its stop point {name!r} is not in this zone", file=self.log,
                          expected="a log of this town's stop points")  # fmt: skip
