"""How rides and offers look to those they belong to."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dispatch.core import events as ev
from dispatch.core import fleet as f
from dispatch.core.domain import Access, Quote, Receipt
from dispatch.core.receipt import empty_passed_by, in_words
from dispatch.core.world import Ride
from dispatch.service.auth import boarding_code, sealed
from dispatch.service.live import Live
from dispatch.service.models import (
    Cancelling,
    EndSaid,
    MissedSaid,
    Offer,
    Position,
    RideSaid,
    StopPointSaid,
    TrackSaid,
    Why,
)
from dispatch.service.moments import Moments
from dispatch.service.positions import position
from dispatch.service.problems import Problem
from dispatch.service.sealing import from_text, to_text
from dispatch.service.zone import Area

SEAL_BYTES = 16


class Shown(Protocol):
    """A day of a zone, as it is told of: the open one, or one that is over."""

    @property
    def area(self) -> Area:
        """Its stop points and streets."""

    @property
    def moments(self) -> Moments:
        """Its times."""


_decode_quote = msgspec.msgpack.Decoder(Quote).decode


def stop_said(live: Shown, place: int) -> StopPointSaid:
    """A place by its number: a stop point, or a depot behind them."""
    area = live.area
    if place < len(area.stops):
        stop = area.stops[place]
        return StopPointSaid(id=stop.id, name=stop.name, lat=stop.lat, lon=stop.lon)
    node = int(area.places.nodes[place])
    lat, lon = float(area.network.lat[node]), float(area.network.lon[node])
    return StopPointSaid(id=area.places.ids[place], name=area.places.ids[place], lat=lat, lon=lon)


def end_said(live: Live, access: Access) -> EndSaid:
    """One end of a ride."""
    return EndSaid(**stop_said(live, access.place).model_dump(), walk_s=access.walk // 1000)


# offers


def offer_said(live: Live, quote: Quote, lapses_at: int) -> Offer:
    """A quote as it is offered, signed."""
    told = live.moments.told
    return Offer(
        quote=signed(live, quote),
        kind="later" if quote.kind == "carried" else quote.kind,  # none such is ever offered
        pickup=end_said(live, quote.pickup),
        dropoff=end_said(live, quote.dropoff),
        pickup_from=told(quote.promise.pickup_from),
        pickup_to=told(quote.promise.pickup_to),
        arrive_by=told(quote.promise.dropoff_by + quote.dropoff.walk),
        expected_pickup=told(quote.pickup_at),
        expected_arrival=told(quote.dropoff_at + quote.dropoff.walk),
        fare=quote.fare,
        currency=live.area.currency,
        expires_at=told(min(quote.expires_at, lapses_at)),
    )


def signed(live: Live, quote: Quote) -> str:
    """A quote that any server of the zone will know for its own."""
    content = msgspec.msgpack.encode(quote)
    return to_text(_seal(live, content) + content)


def _seal(live: Live, content: bytes) -> bytes:
    """That of this zone: another one of the same installation does not know it."""
    return sealed(live.keys, f"quote:{live.area.name}", content)[:SEAL_BYTES]


def read_quote(live: Live, text: str) -> Quote:
    """A quote that `signed` made. Raises Problem."""
    content = from_text(text)
    if content is None or content[:SEAL_BYTES] != _seal(live, content[SEAL_BYTES:]):
        raise Problem("bad_quote")
    return _decode_quote(content[SEAL_BYTES:])


def why_said(live: Shown, receipt: Receipt) -> Why:
    """A receipt in words."""
    return Why(
        code=receipt.binding,
        words=in_words(receipt),
        shuttles_on_shift=receipt.shuttles,
        shuttles_in_reach=receipt.in_reach,
        passed_by=len(empty_passed_by(receipt)),
        nearest_pickup_at=live.moments.told_or_none(receipt.nearest_pickup_at),
    )


# rides


def ride_said(
    live: Live, ride: Ride, payment: str = "none", stars: int | None = None, back: RideSaid | None = None
) -> RideSaid:
    """A ride as its rider sees it; `back`: the way back that was booked with it."""
    told, told_or_none = live.moments.told, live.moments.told_or_none
    request, promise = ride.request, ride.promise
    pickup = dropoff = None
    if ride.pickup >= 0:
        pickup = _access(request.origins, ride.pickup)
        dropoff = _access(request.destinations, ride.dropoff)
    begins = expected(live, ride)
    booked = live.ledger.bookings.get(request.id)
    boards = ride.state in ("booked", "stranded")
    after_walk = 0 if dropoff is None else dropoff.walk
    return RideSaid(
        id=request.id,
        state=ride.state,
        asked_at=told(ride.made_at),
        pickup=None if pickup is None else end_said(live, pickup),
        dropoff=None if dropoff is None else end_said(live, dropoff),
        seats=request.seats,
        wheelchairs=request.wheelchairs,
        pickup_from=None if promise is None else told(promise.pickup_from),
        pickup_to=None if promise is None else told(promise.pickup_to),
        arrive_by=None if promise is None else told(promise.dropoff_by + after_walk),
        expected_pickup=told_or_none(begins[0]),
        expected_arrival=None if begins[1] is None else told(begins[1] + after_walk),
        late=ride.late_dropoff is not None,
        boarded_at=told_or_none(ride.boarded_at),
        queued_until=told_or_none(ride.until) if ride.state == "queued" else None,
        vehicle=live.vehicle(ride.shuttle),
        code=boarding_code(live.keys, request.id) if boards else None,
        fare=None if booked is None else booked.fare,
        currency=live.area.currency,
        payment=payment,  # type: ignore[arg-type]
        stars=stars,
        cancelling=_cancelling(live, ride),
        why=None if ride.receipt is None or ride.promise is not None else why_said(live, ride.receipt),
        instead_of=live.ledger.instead_of.get(request.id),
        changed_to=live.ledger.changed_to.get(request.id),
        back=back,
        missed=missed_said(live, ride) if ride.state == "no_show" else None,
    )


def missed_said(live: Live, ride: Ride) -> MissedSaid | None:
    """What the log has of a no-show: when the shuttle came, how long it waited, when it left."""
    story = [entry.event for entry in live.ledger.story(ride.request.id)]
    ends = [event for event in story if isinstance(event, ev.NoShow)]
    if not ends or ride.promise is None:
        return None
    end, told = ends[-1], live.moments.told
    came = live.ledger.stood_since(end.shuttle, end.at, ride.pickup)
    opens = ride.promise.pickup_from
    waited = None if came is None else (end.at - max(came, opens)) // 1000
    fee = live.world.policy.fares.no_show
    at = "" if came is None else f"The shuttle stood at the stop point from {told(came):%H:%M:%S} on and "
    words = f"{at or 'The shuttle '}left at {told(end.at):%H:%M:%S}; the window opened at {told(opens):%H:%M:%S}."
    return MissedSaid(
        arrived_at=live.moments.told_or_none(came), left_at=told(end.at), waited_s=waited, fee=fee, words=words
    )


def on_its_way(live: Live, ride: Ride) -> bool:
    """Is the shuttle driving to this very rider? Who gives the ride back then has missed it."""
    shuttle = None if ride.shuttle is None else live.world.shuttles[ride.shuttle]
    return shuttle is not None and shuttle.plan.visits[:1] == (2 * ride.number,) and shuttle.heading >= 0


def _cancelling(live: Live, ride: Ride) -> Cancelling | None:
    if ride.state not in ("asked", "queued", "booked"):
        return None
    return "missed" if on_its_way(live, ride) else "free"


def _access(accesses: tuple[Access, ...], place: int) -> Access:
    return next((access for access in accesses if access.place == place), Access(place))


def expected(live: Live, ride: Ride) -> tuple[int | None, int | None]:
    """When it will be picked up and dropped off as things stand; None: done, or nobody can say."""
    if ride.shuttle is None:
        return None, None
    desk = live.dispatcher.desk
    shuttle = live.world.shuttles[ride.shuttle]
    route = desk.fleet.routes[shuttle.row]
    n = len(shuttle.plan.visits)
    begins = dict(zip(route[f.CODE, :n].tolist(), route[f.BEGIN, :n].tolist(), strict=True))
    pickup, dropoff = begins.get(2 * ride.number), begins.get(2 * ride.number + 1)
    now = live.now
    return None if pickup is None else max(now, pickup), None if dropoff is None else max(now, dropoff)


def track_said(live: Live, ride: Ride, said: RideSaid) -> TrackSaid:
    """One frame of a ride's tracking. The shuttle is shown only while the ride is ahead or under way."""
    shown = before = None
    if ride.shuttle is not None and ride.state in ("booked", "aboard", "stranded"):
        shuttle = live.world.shuttles[ride.shuttle]
        shown = position_said(live, ride.shuttle)
        code = 2 * ride.number + (ride.state == "aboard")
        route = live.dispatcher.desk.fleet.routes[shuttle.row]
        places = route[f.PLACE, : len(shuttle.plan.visits)].tolist()
        if code in shuttle.plan.visits:
            places = places[: shuttle.plan.visits.index(code) + 1]
            before = sum(1 for i in range(1, len(places)) if places[i] != places[i - 1])
    return TrackSaid(ride=said, shuttle=shown, stops_before=before)


def position_said(live: Live, name: str) -> Position:
    """Where a shuttle is now."""
    shuttle = live.world.shuttles[name]
    now = live.now
    lat, lon = position(live.dispatcher.desk, live.area.network, shuttle, now, live.heard.get(name))
    goal = None if shuttle.heading < 0 else live.area.places.ids[shuttle.heading]
    return Position(lat=round(lat, 6), lon=round(lon, 6), at=live.moments.told(now), heading_to=goal)
