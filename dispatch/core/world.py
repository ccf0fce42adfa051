"""The world: what the log's events so far say of rides, shuttles and roads, and nothing else.

Only `fold` changes it. Two worlds made from the same events encode to the same bytes.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec import Struct, field

from dispatch.core import events as ev
from dispatch.core.domain import NEVER, FixedCall, Plan, Policy, Promise, Receipt, RideRequest, Shift

ROUND_MS: Final = 30_000
"""longest time between two ticks of the timer"""

RideState = Literal[
    "asked", "queued", "booked", "aboard", "stranded", "delivered", "cancelled", "no_show", "refused", "declined"
]


class Ride(Struct, omit_defaults=True):
    """A request and what became of it."""

    number: int
    request: RideRequest
    made_at: int
    state: RideState = "asked"
    shuttle: str | None = None
    """on whose plan it is; None while booked: its shuttle was lost and another one is sought"""
    promise: Promise | None = None
    pickup: int = -1
    """place"""
    dropoff: int = -1
    boarded_at: int | None = None
    ridden: int = 0
    """ms aboard of a shuttle that broke down"""
    until: int | None = None
    """end of its place in the queue"""
    receipt: Receipt | None = None
    """why it is in the queue"""
    late_pickup: int | None = None
    """where a fact broke the promise: the pickup that was then announced, which re-planning may not worsen"""
    late_dropoff: int | None = None
    locked: bool = False
    fare: int = 0


class Call(Struct, omit_defaults=True):
    """A fixed call of a shift, numbered like a ride."""

    number: int
    call: FixedCall
    shuttle: str
    asked: bool = False
    """by the driver, on the day"""


class Shuttle(Struct, omit_defaults=True):
    """A shift's shuttle as the log knows it."""

    row: int
    shift: Shift
    node: int
    at: int
    """since when it stands there or passed it; in the future: end of a service, or of the street it is on"""
    heading: int = -1
    stands: int = -1
    since: int = NEVER
    """when it came to a stand there or was done with the last service: whoever is aboard has waited since then"""
    plan: Plan = field(default_factory=lambda: Plan(0, ()))
    aboard: int = 0
    wheelchairs: int = 0
    state: Literal["on", "broken", "closed"] = "on"
    idle_goal: int | None = None
    """place to wait at, while it has nothing to do"""
    awaits: dict[str, int] = field(default_factory=dict)
    """riders who keep it waiting at the stop point, and since when: each has a grace of their own"""
    rests: int = -1
    """number of the break that its driver has, until `at`; -1: none"""

    def resting(self, now: int) -> bool:
        """Has its driver a break?"""
        return self.rests >= 0 and self.heading < 0 and self.at > now


class World(Struct):
    """Everything that the events so far say."""

    seq: int = 0
    now: int = 0
    opened: ev.DayOpened | None = None
    policy: Policy = field(default_factory=Policy)
    shuttles: dict[str, Shuttle] = field(default_factory=dict)
    rides: dict[str, Ride] = field(default_factory=dict)
    calls: dict[int, Call] = field(default_factory=dict)
    numbered: list[str | None] = field(default_factory=list)
    """request id of each number; None for a fixed call"""
    queue: dict[str, None] = field(default_factory=dict)
    """requests waiting for a place, in the order in which they are tried: as they were queued, unless they are many"""
    unplaced: dict[str, None] = field(default_factory=dict)
    """bookings whose shuttle was lost"""
    closed_edges: dict[int, None] = field(default_factory=dict)
    speed_factor: float = 1.0
    unimproved: bool = False
    """whether riders have come or gone since the timer last had the plans improved"""
    asked: list[int] = field(default_factory=list)
    """when each request was made"""
    ticked: int = 0
    """when the timer last ticked"""
    paused: bool = False
    """nobody new is taken"""
    closed_places: dict[int, None] = field(default_factory=dict)
    """stop points that an operator has closed: nobody new boards or alights there"""

    @property
    def round_ms(self) -> int:
        """How long from tick to tick: no queue, and nobody who lost their shuttle, waits for better plans to be due."""
        settings = self.policy.reoptimise
        return ROUND_MS if settings is None else min(ROUND_MS, settings.every_s * 1000)

    def improves_at(self, now: int) -> bool:
        """Whether better plans are due at a tick now: `every_s` divides the day, and each part has its first tick."""
        settings = self.policy.reoptimise
        if settings is None:
            return False
        every = settings.every_s * 1000
        return now // every != self.ticked // every

    def ride_of(self, code: int) -> Ride | None:
        """Ride whose pickup or drop-off a plan's visit is; None for a fixed call."""
        request = self.numbered[code // 2]
        return None if request is None else self.rides[request]

    def encoded(self) -> bytes:
        """The whole state as bytes: a snapshot, and what two worlds are compared by."""
        return msgspec.msgpack.encode(self)


def dwell(policy: Policy, persons: int) -> int:
    """ms that boarding or alighting takes, without what the stop itself takes."""
    return round(policy.dwell_rider_s * 1000) * persons
