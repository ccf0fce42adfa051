"""The whole state of a zone, now and at any past moment, and what in it calls for a person."""

from __future__ import annotations

from collections.abc import Sequence

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.carry import day_of
from dispatch.core.desk import Desk
from dispatch.core.domain import DAY_ENDS, NEVER
from dispatch.core.world import Ride, Shuttle
from dispatch.service.ledger import Entry
from dispatch.service.live import Live
from dispatch.service.operator_models import AlertSaid, RideLine, ShuttleSaid, StateSaid, VisitSaid
from dispatch.service.positions import Heard, position
from dispatch.service.views import Shown, stop_said, why_said

OPEN = ("asked", "queued", "booked", "aboard", "stranded")
SHOWN_MS = 1_800_000
FAR_MS = 2 * 86_400_000
LATELY = 2000
"""events among which those are that ended a ride a short while ago"""


def state_said(live: Live, crew: dict[str, str]) -> StateSaid:
    """What the world holds now: a shuttle is where its driver was last heard of."""
    events = [entry.event for entry in live.ledger.entries[-LATELY:]]
    return _state_said(live, live.dispatcher.desk, live.now, events, crew, live.heard, _began(live.ledger.entries))


def state_then(day: Shown, desk: Desk, at: int, events: Sequence[ev.AnyEvent], crew: dict[str, str]) -> StateSaid:
    """What a day's world held at a time, ms of it, after these events. Positions are those that the log knows."""
    return _state_said(day, desk, at, events[-LATELY:], crew, {}, events[0].at)


def _state_said(
    day: Shown,
    desk: Desk,
    now: int,
    lately: Sequence[ev.AnyEvent],
    crew: dict[str, str],
    heard: dict[str, Heard],
    began: int | None,
) -> StateSaid:
    world, told = desk.world, day.moments.told
    ended = {_ended(event, now) for event in lately}
    shown = [
        ride for name, ride in world.rides.items() if (ride.state in OPEN and not of_later_day(ride)) or name in ended
    ]
    shuttles = []
    for name, shuttle in world.shuttles.items():
        if day_of(name) is not None:
            continue
        lat, lon = position(desk, day.area.network, shuttle, now, heard.get(name))
        ago = (now - heard[name].at) // 1000 if name in heard else None
        shuttles.append(_shuttle_said(day, desk, shuttle, (lat, lon), ago, crew.get(name), now))
    date = "" if world.opened is None else world.opened.date
    return StateSaid(
        id=f"{date}:{world.seq}",
        day=date,
        seq=world.seq,
        at=told(now),
        log_from=told(now if began is None else began),
        paused=world.paused,
        policy=world.policy.name,
        policy_version=world.policy.version,
        closed_edges=len(world.closed_edges),
        speed_factor=world.speed_factor,
        shuttles=shuttles,
        rides=[ride_line(day, ride) for ride in shown],
        queue=list(world.queue),
    )


def _began(entries: Sequence[Entry]) -> int | None:
    return entries[0].event.at if entries else None


def of_later_day(ride: Ride) -> bool:
    """Booked for a day that is not open yet."""
    return ride.promise is not None and ride.promise.pickup_from >= DAY_ENDS


def _ended(event: ev.Event, now: int) -> str | None:
    """The ride that this event ended, if that was a short while ago."""
    ends = ev.RiderAlighted | ev.RideRefused | ev.RideCancelled | ev.NoShow | ev.QuoteDeclined
    return event.request if isinstance(event, ends) and event.at > now - SHOWN_MS else None


def _shuttle_said(
    live: Shown,
    desk: Desk,
    shuttle: Shuttle,
    at: tuple[float, float],
    ago: int | None,
    driver: str | None,
    now: int,
) -> ShuttleSaid:
    told = live.moments.told
    return ShuttleSaid(
        id=shuttle.shift.id,
        vehicle=shuttle.shift.vehicle,
        state=shuttle.state,
        driver=driver,
        lat=round(at[0], 6),
        lon=round(at[1], 6),
        heading_to=None if shuttle.heading < 0 else live.area.places.ids[shuttle.heading],
        aboard=shuttle.aboard,
        seats=shuttle.shift.seats,
        wheelchairs=shuttle.shift.wheelchairs,
        late=shuttle.shift.id in desk.late,
        heard_s_ago=ago,
        break_until=told(shuttle.at) if shuttle.resting(now) else None,
        shift_start=told(shuttle.shift.start),
        shift_end=told(min(shuttle.shift.end, FAR_MS)),
        plan_version=shuttle.plan.version,
        plan=[_visit_said(live, desk, shuttle, k) for k in range(len(shuttle.plan.visits))],
    )


def _visit_said(live: Shown, desk: Desk, shuttle: Shuttle, k: int) -> VisitSaid:
    told, world = live.moments.told, desk.world
    route, code = desk.fleet.routes[shuttle.row], shuttle.plan.visits[k]
    place, begin, slack_to, load = (int(route[row, k]) for row in (f.PLACE, f.BEGIN, f.LATEST_OK, f.LOAD))
    ride = world.ride_of(code)
    latest = None
    if ride is not None and ride.promise is not None:
        latest = ride.promise.dropoff_by if code % 2 else ride.promise.pickup_to
    return VisitSaid(
        kind=world.calls[code // 2].call.kind if ride is None else "dropoff" if code % 2 else "pickup",
        ride=None if ride is None else ride.request.id,
        stop=None if place < 0 else live.area.places.ids[place],
        begin_at=told(begin),
        latest=None if latest is None or latest >= NEVER else told(latest),
        slack_s=(slack_to - begin) // 1000 if abs(slack_to) < NEVER // 2 else None,
        load_after=load,
    )


def ride_line(live: Shown, ride: Ride) -> RideLine:
    """A ride by its rider's pseudonym."""
    told, or_none, request, promise = live.moments.told, live.moments.told_or_none, ride.request, ride.promise
    receipt = ride.receipt if ride.state in ("queued", "refused") else None
    return RideLine(
        id=request.id,
        rider=request.rider,
        state=ride.state,
        asked_at=told(ride.made_at),
        depart_after=told(request.depart_after),
        pickup=None if ride.pickup < 0 else stop_said(live, ride.pickup),
        dropoff=None if ride.dropoff < 0 else stop_said(live, ride.dropoff),
        origin=stop_said(live, request.origins[0].place),
        destination=stop_said(live, request.destinations[0].place),
        seats=request.seats,
        wheelchairs=request.wheelchairs,
        shuttle=ride.shuttle,
        pickup_from=or_none(None if promise is None else promise.pickup_from),
        pickup_to=or_none(None if promise is None else promise.pickup_to),
        arrive_by=or_none(None if promise is None else promise.dropoff_by),
        late=ride.late_dropoff is not None,
        locked=ride.locked,
        why=None if receipt is None else why_said(live, receipt),
    )


def alerts(live: Live) -> list[AlertSaid]:
    """What calls for a person, worst first."""
    world, desk, now, told = live.world, live.dispatcher.desk, live.now, live.moments.told
    found: list[AlertSaid] = []

    def add(
        kind: str,
        words: str,
        act: str,
        shuttle: str | None = None,
        ride: str | None = None,
        at: int = now,
        **more: str | None,
    ) -> None:
        found.append(
            AlertSaid(kind=kind, at=told(at), shuttle=shuttle, ride=ride, words=words, act=act, **more)  # type: ignore[arg-type]
        )

    for request in world.unplaced:
        add(
            "unplaced",
            f"Ride {request} has lost its shuttle, and no other one can take it yet.",
            "assign",
            None,
            request,
        )
    for name, shuttle in world.shuttles.items():
        if shuttle.state == "broken":
            add("broken", f"Shuttle {name} is out of service.", "none", name, at=shuttle.at)
    for name, ride in world.rides.items():
        if ride.late_dropoff is not None and ride.state in ("booked", "aboard", "stranded"):
            add("at_risk", f"The promise of ride {name} cannot be kept.", "assign", ride.shuttle, name)
    for name in sorted(desk.late):
        if world.shuttles[name].state == "on":
            add("late", f"Shuttle {name} is behind what was promised.", "call", name)
    for name, shuttle in world.shuttles.items():
        heard = live.heard.get(name)
        since = max(shuttle.at, -NEVER if heard is None else heard.at)
        silent = (now - since) // 1000
        if shuttle.state == "on" and shuttle.heading >= 0 and silent > live.settings.silent_after_s:
            add(
                "silent", f"Shuttle {name} is driving and has not been heard of for {silent} s.", "call", name, at=since
            )
    for trouble in reversed(live.troubles):
        words = trouble.words or trouble.kind.replace("_", " ")
        told_so = f"The driver of {trouble.shuttle}: {words}"
        add("trouble", told_so, "call", trouble.shuttle, at=trouble.at, said=trouble.words, trouble=trouble.kind)
    return found
