"""What became of every journey asked for, read off a log: the attempt with all its calls, as its rider saw it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct, field
from msgspec.structs import astuple

from dispatch.core import events as ev
from dispatch.core.domain import Receipt, RideRequest

End = Literal["delivered", "cancelled", "no_show", "refused", "declined", "undelivered"]


class Journey(Struct):
    """One attempt. Times are ms of the service day."""

    first: RideRequest
    made_at: int
    calls: list[RideRequest] = field(default_factory=list)
    booked: ev.RideBooked | None = None
    receipt: Receipt | None = None
    """of the last refusal, or of being queued"""
    boarded: int | None = None
    alighted: int | None = None
    answered_at: int | None = None
    """when the last refusal was told"""
    awaited: bool = False
    """a shuttle stood waiting for the rider"""
    cancelled: int | None = None
    no_show: bool = False
    declined: bool = False

    @property
    def depart(self) -> int:
        """The departure first asked for."""
        return self.first.depart_after if self.first.first_depart is None else self.first.first_depart

    @property
    def end(self) -> End:
        """How it ended."""
        if self.alighted is not None:
            return "delivered"
        if self.booked is None:
            return "declined" if self.declined else "refused"
        if self.cancelled is not None:
            return "cancelled"
        return "no_show" if self.no_show else "undelivered"

    @property
    def wait(self) -> int | None:
        """Boarding − the departure first asked for; None: not carried."""
        return None if self.boarded is None or self.alighted is None else self.boarded - self.depart


class Tally(Struct):
    """What became of some journeys; sums, so that tallies of several hours or days can be added."""

    attempts: int = 0
    booked: int = 0
    delivered: int = 0
    wait_s: float = 0
    ride_s: float = 0
    ride_to_direct: float = 0
    in_window: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def figure(self, metric: str) -> float | None:
        """One of `TALLIED`; None: a mean over nothing."""
        above, below = TALLIED[metric]
        whole = getattr(self, below)
        return getattr(self, above) / whole if whole else None


TALLIED: Final = {
    "service_rate": ("delivered", "attempts"),
    "acceptance_rate": ("booked", "attempts"),
    "wait_mean_s": ("wait_s", "delivered"),
    "ride_mean_s": ("ride_s", "delivered"),
    "ride_to_direct_mean": ("ride_to_direct", "delivered"),
    "pickup_in_window_rate": ("in_window", "delivered"),
}
"""figures that belong to single journeys, and so to the block of a day: what is summed, over how many"""


def tally(lived: Iterable[Journey], begin: int, end: int) -> Tally:
    """Of the journeys whose first departure lies in [begin, end), ms."""
    total = Tally()
    for journey in lived:
        if not begin <= journey.depart < end:
            continue
        total.attempts += 1
        total.booked += journey.end not in ("refused", "declined")
        if journey.end == "delivered":
            assert journey.boarded is not None
            assert journey.alighted is not None
            assert journey.booked is not None
            ride = (journey.alighted - journey.boarded) / 1000
            promise, at = journey.booked.promise, journey.boarded
            total.delivered += 1
            total.wait_s += (at - journey.depart) / 1000
            total.ride_s += ride
            total.ride_to_direct += ride * 1000 / journey.first.direct if journey.first.direct else 1
            total.in_window += promise.pickup_from // 1000 <= at // 1000 and at <= -(-promise.pickup_to // 1000) * 1000
    return total


def journeys(events: Iterable[ev.Event]) -> dict[str, Journey]:
    """Every attempt by its id, in the order of the first calls."""
    found: dict[str, Journey] = {}
    of: dict[str, Journey] = {}
    for event in events:
        match event:
            case ev.RequestMade(at=at, request=request):
                key = request.attempt or request.id
                journey = found.get(key)
                if journey is None:
                    journey = found[key] = Journey(request, at)
                journey.calls.append(request)
                of[request.id] = journey
            case ev.RideBooked(request=request):
                of[request].booked = event
            case ev.RideRefused(at=at, request=request, receipt=receipt):
                of[request].receipt = receipt
                of[request].answered_at = at
            case ev.RideQueued(request=request, receipt=receipt):
                of[request].receipt = receipt
            case ev.QuoteDeclined(request=request):
                of[request].declined = True
            case ev.RideCancelled(at=at, request=request):
                of[request].cancelled = at
            case ev.RiderAwaited(request=request):
                of[request].awaited = True
            case ev.RiderBoarded(at=at, request=request):
                if of[request].boarded is None:
                    of[request].boarded = at
            case ev.RiderAlighted(at=at, request=request):
                of[request].alighted = at
            case ev.NoShow(request=request):
                of[request].no_show = True
    return found
