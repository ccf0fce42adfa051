"""What riders do: take a quote or not, cancel, come late or not at all, call again.

Pure functions. Each draws from a stream of its own named by the seed, the question and the rider's attempt, so a
rider decides alike whatever the policy and whoever else rides. All times are ms of the service day.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from dispatch.core.domain import Promise, Quote, RideRequest
from simulator.choice import Choice, Way, taken
from simulator.streams import Stream

Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0, le=172_800)]


class Range(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """[least, most] seconds."""

    least: Seconds
    most: Seconds

    def __post_init__(self) -> None:
        if self.most < self.least:
            raise ValueError(f"goes from {self.least:g} to {self.most:g}; expected the smaller one first")

    def draw(self, stream: Stream) -> int:
        """A length of time within it, ms in whole seconds."""
        return stream.between(math.ceil(self.least), math.floor(max(self.most, math.ceil(self.least)))) * 1000


class Retries(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is refused and calls again: up to `calls` calls within `give_up_s`, a random gap between two."""

    calls: Annotated[int, Meta(ge=1, le=100)] = 5
    """of one attempt, the first included"""
    gap_s: Range = Range(300, 500)
    give_up_s: Seconds = 1800
    """no call later than this after the first"""
    share: Share = 1.0
    """of refused riders who call again, each time"""


class Riders(Struct, frozen=True, forbid_unknown_fields=True):
    """Habits of a town's riders. The defaults: everybody takes the first quote, comes in time, and calls once."""

    max_extra_wait_s: Seconds | None = None
    """declines a pickup later than this after the departure asked for; None: takes any"""
    max_walk_s: Seconds | None = None
    """declines longer walks, both ends together; None: takes any"""
    prefers: Literal["first", "earliest", "least_walk"] = "first"
    """`first` of the quotes offered, `earliest` arrival at the goal, or `least_walk`"""
    decline_share: Share = 0
    """declines whatever is offered"""
    cancel_share: Share = 0
    """of those booked, at any moment before their pickup window opens"""
    no_show_share: Share = 0
    """of those booked, never at the stop point"""
    late_share: Share = 0
    late_s: Range = Range(30, 300)
    """who is late comes so long after the pickup window opens"""
    retries: Retries | None = None
    choice: Choice | None = None
    """weighs what is offered against walking, the bus and the car; None: takes what is acceptable"""


def attempt_of(request: RideRequest) -> str:
    """Id of the attempt that the request belongs to: its first request's."""
    return request.attempt or request.id


def answer(
    riders: Riders, seed: int, request: RideRequest, quotes: Sequence[Quote], ways: Sequence[Way] = ()
) -> int | None:
    """Index of the quote that the rider takes; None: declines them all. `ways`: what else the rider could do."""
    if riders.decline_share and Stream(seed, "declines", attempt_of(request)).chance(riders.decline_share):
        return None
    good = [i for i, quote in enumerate(quotes) if _acceptable(riders, request, quote)]
    if riders.prefers == "earliest":
        good.sort(key=lambda i: quotes[i].dropoff_at + quotes[i].dropoff.walk)
    elif riders.prefers == "least_walk":
        good.sort(key=lambda i: quotes[i].pickup.walk + quotes[i].dropoff.walk)
    if riders.choice is not None and good:
        chosen = taken(riders.choice, seed, attempt_of(request), request, [quotes[i] for i in good], ways)
        return None if chosen is None else good[chosen]
    return good[0] if good else None


def _acceptable(riders: Riders, request: RideRequest, quote: Quote) -> bool:
    wait = quote.pickup_at - request.depart_after
    walk = quote.pickup.walk + quote.dropoff.walk
    return (riders.max_extra_wait_s is None or wait <= riders.max_extra_wait_s * 1000) and (
        riders.max_walk_s is None or walk <= riders.max_walk_s * 1000
    )


def cancel_at(riders: Riders, seed: int, request: RideRequest, promise: Promise, booked_at: int) -> int | None:
    """When the rider gives the booking back, whole seconds; None: never."""
    if not riders.cancel_share:
        return None
    stream = Stream(seed, "cancels", attempt_of(request))
    gives_up, permille = stream.chance(riders.cancel_share), stream.below(1001)
    if not gives_up:
        return None
    return (booked_at + max(0, promise.pickup_from - booked_at) * permille // 1000) // 1000 * 1000


def shows_up_at(riders: Riders, seed: int, request: RideRequest, promise: Promise) -> int | None:
    """When the rider is at the stop point, not before the window opens; None: never comes."""
    if not riders.no_show_share and not riders.late_share:
        return promise.pickup_from
    stream = Stream(seed, "comes", attempt_of(request))
    missing, late = stream.chance(riders.no_show_share), stream.chance(riders.late_share)
    delay = riders.late_s.draw(stream)
    if missing:
        return None
    return promise.pickup_from + (delay if late else 0)


def retry(riders: Riders, seed: int, request: RideRequest, refused_at: int, calls: int) -> RideRequest | None:
    """The rider's next call after a refusal, made at its `depart_after`; None: gives up.

    `calls` is how many calls the attempt has had so far. The journey asked for is the same, from the new moment on:
    limits on the pickup and the drop-off move along, a time to arrive by does not. Who booked ahead (asked for a
    departure still to come) keeps the departure asked for and calls once only.
    """
    habits, attempt = riders.retries, attempt_of(request)
    first = request.first_depart if request.first_depart is not None else request.depart_after
    if habits is None or request.depart_after > refused_at or calls >= habits.calls:
        return None
    stream = Stream(seed, "calls again", attempt, calls)
    wants, gap = stream.chance(habits.share), habits.gap_s.draw(stream)
    at = refused_at + max(1000, gap)
    if not wants or at > first + habits.give_up_s * 1000:
        return None
    moved = at - request.depart_after
    return msgspec.structs.replace(
        request,
        id=f"{attempt}~{calls + 1}",
        attempt=attempt,
        first_depart=first,
        depart_after=at,
        latest_pickup=_moved(request.latest_pickup, moved),
        latest_dropoff=_moved(request.latest_dropoff, moved),
    )


def _moved(at: int | None, by: int) -> int | None:
    return None if at is None else at + by
