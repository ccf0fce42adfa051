"""Somebody who will ask for a journey: what demand makes, and what the simulator and the live demo let happen."""

from __future__ import annotations

from msgspec import Struct

from dispatch.core.places import End


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
    age: str | None = None
    """age group, where it is known"""
    channel: str | None = None
    """way of booking (app, phone …), where it is known"""
