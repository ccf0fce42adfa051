"""What became of every journey asked for, read off a log: the attempt with all its calls, as its rider saw it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct, field

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
            case ev.RideRefused(request=request, receipt=receipt) | ev.RideQueued(request=request, receipt=receipt):
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
