"""A booking changed: another time, party or place takes its place in one step, or it stays as it was."""

from __future__ import annotations

import msgspec

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.pack import MARGIN
from dispatch.core.reactions import Reactions
from dispatch.core.world import World

_decode = msgspec.msgpack.Decoder(World).decode


def rehearsal(desk: Desk) -> Desk:
    """A desk of its own on the same world: what is tried on it has not happened.

    It costs a copy of the world: 10,000 bookings some hundred milliseconds, a usual day a few.
    """
    return Desk(desk.times, reroute=desk.reroute, world=_decode(desk.world.encoded()))


def change(reactions: Reactions, made: ev.RequestMade, now: int) -> bool:
    """Book `made.request` instead of the booking that it names, which is given back; False: that was not possible.

    Then the new request is refused, with its receipt, and the booking stands. Where that cannot be kept either, for its
    stop point is closed, its rider is told. Raises ValueError `ride_not_open` for a booking that is none.
    """
    old, new = made.instead_of, made.request.id
    assert old is not None
    ride = reactions.desk.world.rides[old]
    if ride.state != "booked":
        raise ValueError("ride_not_open")
    reactions.record([made])
    desk = reactions.desk
    trial = rehearsal(desk)
    for event in trial.cancel(old, now, "changed"):
        trial.apply(event)
    found = trial.quote(new, now).quotes
    if found and trial.accept(found[0], now):
        reactions.record(desk.cancel(old, now, "changed"))
        reactions.record(desk.accept(desk.quote(new, now).quotes[0], now))
        return True
    reactions.record([ev.RideRefused(now, new, trial.explain(new, now))])
    closed = desk.world.closed_places
    if ride.late_dropoff is None and (ride.pickup in closed or ride.dropoff in closed):
        reactions.record([at_closed_stop(desk, old, now)])
    return False


def at_closed_stop(desk: Desk, request: str, now: int) -> ev.PromiseAtRisk:
    """What the rider of a ride to or from a closed stop point is told, where no other one serves."""
    ride = desk.world.rides[request]
    if ride.shuttle is None:
        return ev.PromiseAtRisk(now, request, None, None, "stop point closed")
    plan = desk.world.shuttles[ride.shuttle].plan.visits
    pickup, dropoff = desk.planned_now(ride, ride.shuttle, plan)
    return ev.PromiseAtRisk(
        now, request, None if pickup is None else pickup + MARGIN, dropoff + MARGIN, "stop point closed"
    )
