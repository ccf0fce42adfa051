"""Where journeys can begin and end, with weights by hour: stop points themselves, and areas that people walk from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from dispatch.core.places import End, Places
from routing.walks import WALK_M_S
from simulator.areas import HOURS, Area

if TYPE_CHECKING:
    from simulator.streams import Stream

_T = TypeVar("_T")


class Site(NamedTuple):
    """A stop point, or an area from which people walk to the nearest one, at most `reach_m`."""

    place: int | None
    area: Area | None = None
    reach_m: float = 0.0

    def end(self, places: Places, stream: Stream) -> End | None:
        """An end of a journey there; None: the place drawn is too far from every stop point."""
        if self.place is not None:
            return places.end_at(self.place)
        assert self.area is not None
        lat, lon = places.network.unproject(*self.area.draw(stream))
        end = places.nearest(float(lat), float(lon))
        return end if end is not None and end.walk <= 1000 * (self.reach_m / WALK_M_S + 1) else None


class Pair(NamedTuple):
    """Journeys from one site to another."""

    origin: Site
    destination: Site


@dataclass(frozen=True, eq=False)
class Choices(Generic[_T]):
    """What is drawn from, and by hour how often each is."""

    of: tuple[_T, ...]
    cumulative: tuple[tuple[int, ...], ...]
    """for each of 24 hours, or once for all: ascending integers that rise by the weights"""

    def at(self, hour: int) -> tuple[int, ...]:
        """Cumulative weights of an hour of the service day."""
        return self.cumulative[hour % HOURS if len(self.cumulative) > 1 else 0]

    def total(self, hour: int) -> int:
        """Weight of all in an hour."""
        row = self.at(hour)
        return row[-1] if row else 0


def stop_sites(shares: Sequence[float]) -> Choices[Site]:
    """Stop points with one weight each, alike at all hours."""
    return Choices(tuple(Site(i) for i in range(len(shares))), (cumulative(shares),))


def cumulative(shares: Sequence[float]) -> tuple[int, ...]:
    """Ascending integers whose steps are the shares, to a thousandth of a millionth: the same on any machine."""
    return tuple(accumulate(round(share * 1e9) for share in shares))
