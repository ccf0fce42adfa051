"""A driver's stops: where, when, who gets in and out, how many are aboard then."""

from __future__ import annotations

from msgspec import Struct

from dispatch.core.domain import PlannedStop
from dispatch.core.fleet import Fleet
from dispatch.core.schedule import planned_stops
from dispatch.core.world import World


class ManifestStop(Struct, frozen=True):
    """One stop as the driver reads it. Times are ms of the service day; ids only, the service looks names up."""

    stop: str
    """stop point id; empty for a break wherever the shuttle is"""
    arrive_at: int
    leave_at: int
    not_before: int | None
    """no departure before this: a promised window opens then"""
    boarding: tuple[str, ...]
    alighting: tuple[str, ...]
    aboard_after: int
    fixed: str | None


class Manifest(Struct, frozen=True):
    """What a shuttle is to do, as of a plan's version."""

    shuttle: str
    version: int
    stops: tuple[ManifestStop, ...]


def manifest(world: World, fleet: Fleet, name: str) -> Manifest:
    """The manifest of a shuttle. Raises KeyError for one that is not of this day."""
    shuttle = world.shuttles[name]
    places = world.opened.places if world.opened else ()

    def told(stop: PlannedStop) -> ManifestStop:
        opens = [p.pickup_from for r in stop.pickups if (p := world.rides[r].promise) is not None]
        return ManifestStop(
            places[stop.place] if stop.place >= 0 else "",
            stop.arrive_at,
            stop.depart_at,
            max(opens, default=None),
            stop.pickups,
            stop.dropoffs,
            stop.aboard_after,
            stop.fixed,
        )

    return Manifest(name, shuttle.plan.version, tuple(told(s) for s in planned_stops(world, fleet, shuttle)))
