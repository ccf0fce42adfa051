"""What goes over the wire, both ways. Every input is bounded, every answer typed: clients are generated from this."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator


def _sane(moment: dt.datetime) -> dt.datetime:
    if not 2000 <= moment.year <= 2100:
        raise ValueError("must be a time between 2000 and 2100")
    return moment


def _digits(phone: str) -> str:
    digits = re.sub(r"[ ()-]", "", phone)
    if not re.fullmatch(r"\+?[0-9]{6,15}", digits, re.ASCII):
        raise ValueError("must be a phone number, with its country's code if it is another country's")
    return digits


Id = Annotated[str, StringConstraints(pattern=r"^[^\s/?\x00-\x1f\x7f]{1,80}$")]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Phone = Annotated[str, StringConstraints(max_length=30), AfterValidator(_digits)]
Coordinate = Annotated[float, Field(ge=-1e7, le=1e7, allow_inf_nan=False)]
Moment = Annotated[AwareDatetime, AfterValidator(_sane)]
Seats = Annotated[int, Field(ge=1, le=60)]
Token = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,2000}$")]


class Ask(BaseModel):
    """An input: unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", str_max_length=4000)


class Said(BaseModel):
    """An answer."""


# Places and journeys


class PlaceAsk(Ask):
    """A stop point by its id, or any point of the zone."""

    stop: Id | None = None
    lat: Coordinate | None = None
    lon: Coordinate | None = None

    @model_validator(mode="after")
    def one_of(self) -> Self:
        """A stop point or a point."""
        if (self.stop is None) == (self.lat is None or self.lon is None):
            raise ValueError("name a stop, or lat and lon")
        return self


class JourneyAsk(Ask):
    """Who wants to travel, from where to where, when."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: PlaceAsk = Field(alias="from")
    to: PlaceAsk
    depart_after: Moment | None = None
    """none: now"""
    arrive_by: Moment | None = None
    return_after: Moment | None = None
    """the same people back, no earlier: offered in `back`, and booked with the way there"""
    seats: Seats = 1
    wheelchairs: Annotated[int, Field(ge=0, le=60)] = 0


class StopPointSaid(Said):
    """Where shuttles stop."""

    id: str
    name: str
    lat: float
    lon: float


class EndSaid(StopPointSaid):
    """One end of a ride."""

    walk_s: int
    """on foot between the rider's own place and the stop point"""


class Offer(Said):
    """One way to travel. Books nothing, and expires."""

    quote: str = Field(description="send it to POST /v1/bookings")
    kind: Literal["soonest", "least_walk", "later"]
    pickup: EndSaid
    dropoff: EndSaid
    pickup_from: dt.datetime
    pickup_to: dt.datetime
    arrive_by: dt.datetime
    """at the goal itself, the walk from the stop point included"""
    expected_pickup: dt.datetime
    expected_arrival: dt.datetime
    fare: int = Field(description="in the currency's smallest unit: won, cents")
    currency: str
    expires_at: dt.datetime


class Why(Said):
    """The receipt of an answer: what stood in the way, and what would have worked."""

    code: str | None
    words: str
    shuttles_on_shift: int
    shuttles_in_reach: int
    passed_by: int
    """shuttles near enough that could not take the ride"""
    nearest_pickup_at: dt.datetime | None


class Hint(Said):
    """Another way that is faster."""

    kind: Literal["walk", "bus"]
    takes_s: int
    """from the departure asked for to the goal itself"""
    words: str
    line: str | None = None
    """of the bus"""
    board_at: str | None = None
    """name of its stop"""
    departs_at: dt.datetime | None = None
    arrives_at: dt.datetime | None = None
    """at the goal itself, the walk included"""


class QuotesSaid(Said):
    """The answer to a journey asked for."""

    request: str
    state: Literal["offered", "later_only", "queued", "refused"]
    offers: list[Offer]
    why: Why | None
    """where it cannot be had as asked"""
    queued_until: dt.datetime | None
    hint: Hint | None
    back: QuotesSaid | None = None
    """the way back, where `return_after` asked for it"""


class BookingAsk(Ask):
    """Take an offer."""

    quote: Token
    back: Token | None = None
    """an offer for the way back: both are booked, or neither"""


class ChangeAsk(Ask):
    """What is to be otherwise; all else stays. A ride that left at a time may be made to arrive by one, or back."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    from_: PlaceAsk | None = Field(default=None, alias="from")
    to: PlaceAsk | None = None
    depart_after: Moment | None = None
    arrive_by: Moment | None = None
    seats: Seats | None = None
    wheelchairs: Annotated[int, Field(ge=0, le=60)] | None = None

    @model_validator(mode="after")
    def something(self) -> Self:
        """At least one thing."""
        if not self.model_fields_set - {"back"}:
            raise ValueError("name what is to change")
        return self


class CancelAsk(Ask):
    """Give a ride, or a place in the queue, back."""

    reason: Reason | None = None


class Position(Said):
    """Where a shuttle is."""

    lat: float
    lon: float
    at: dt.datetime
    heading_to: str | None
    """stop point"""


RideStateSaid = Literal[
    "asked", "queued", "booked", "aboard", "stranded", "delivered", "cancelled", "no_show", "refused", "declined"
]


Cancelling = Literal["free", "missed"]
"""`missed`: the shuttle is on its way to this rider, so that it counts as a ride missed"""


class RideSaid(Said):
    """A ride, or what came of asking for one, as its rider sees it."""

    id: str
    state: RideStateSaid
    asked_at: dt.datetime
    pickup: EndSaid | None
    dropoff: EndSaid | None
    seats: int
    wheelchairs: int
    pickup_from: dt.datetime | None
    pickup_to: dt.datetime | None
    arrive_by: dt.datetime | None
    expected_pickup: dt.datetime | None
    expected_arrival: dt.datetime | None
    late: bool
    """a promise cannot be kept: the expected times are what is known now"""
    boarded_at: dt.datetime | None
    queued_until: dt.datetime | None
    vehicle: str | None
    code: str | None
    """to show when boarding"""
    fare: int | None
    currency: str
    payment: Literal["none", "due", "paid", "refunded"]
    stars: int | None
    """that its rider gave"""
    cancelling: Cancelling | None
    """what giving it back would mean now; none: that can no longer be done"""
    why: Why | None
    instead_of: str | None = None
    """the ride that this one took the place of"""
    changed_to: str | None = None
    """the ride that took the place of this one"""
    back: RideSaid | None = None
    """the way back, where it was booked with this one"""
    missed: MissedSaid | None = None
    """of a no-show: what the log has of it"""


class MissedSaid(Said):
    """A ride that was missed without a word: the evidence, and what follows."""

    arrived_at: dt.datetime | None
    """the shuttle stood at the stop point from then on"""
    left_at: dt.datetime
    waited_s: int | None
    """after the promised window had opened"""
    fee: int
    words: str


class TermsSaid(Said):
    """What follows from rides that are missed, or given back late."""

    no_show_grace_s: int
    """a shuttle waits so long at the stop point after the promised window has opened"""
    no_show_fee: int
    late_cancel_fee: int
    """for a ride given back when its shuttle was on the way to it; before that it costs nothing"""
    currency: str
    strikes: int
    """so many missed rides within `strikes_within_days` …"""
    strikes_within_days: int
    suspended_days: int
    """… and booking is closed for so long"""
    missed: int | None
    """of the rider who asks"""
    suspended_until: dt.datetime | None
    words: str


class TrackSaid(Said):
    """One frame of a ride's live tracking."""

    ride: RideSaid
    shuttle: Position | None
    stops_before: int | None
    """that the shuttle makes first"""


# Sign-in and one's own data


class CodeAsk(Ask):
    """Send a one-time code."""

    phone: Phone


class CodeSaid(Said):
    """It is on its way."""

    valid_s: int
    development_code: str | None = None
    """only in development mode"""


class SignInAsk(Ask):
    """Phone and the code that was sent to it."""

    phone: Phone
    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}$")]


class PinAsk(Ask):
    """A driver and their PIN."""

    driver: Id
    pin: Annotated[str, StringConstraints(pattern=r"^[0-9]{4,12}$")]


class DevelopmentAsk(Ask):
    """Which staff to be, in development mode."""

    role: Literal["operator", "planner"]
    subject: Id


class TokenSaid(Said):
    """A bearer token."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"
    expires_in: int
    subject: str
    role: str


class PersonAsk(Ask):
    """What a rider lets be known."""

    name: Name | None = None
    address: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None
    note: Annotated[str, StringConstraints(strip_whitespace=True, max_length=300)] | None = None
    """for drivers: how to find or help"""
    email: Annotated[str, StringConstraints(pattern=r"^[^@\s<>,;]{1,64}@[^@\s<>,;]{1,190}$")] | None = None
    """messages go there, too"""
    language: Literal["ko", "en"] | None = None
    """of messages; none: English"""
    age_group: Literal["child", "youth", "adult", "65+"] | None = None
    """for figures by group; decides nothing"""


class PersonSaid(PersonAsk):
    """What is known of a rider."""

    rider: str
    phone: str


class ExportSaid(Said):
    """All that is kept of a rider."""

    rider: str
    kept: dict[str, Any]
    rides: list[RideSaid]


class RatingAsk(Ask):
    """One to five, after the ride."""

    stars: Annotated[int, Field(ge=1, le=5)]
    words: Text | None = None


class ComplaintAsk(Ask):
    """What went wrong, tied to a ride."""

    words: Text


class ComplaintSaid(Said):
    """A complaint and what came of it."""

    id: str
    ride: str
    at: dt.datetime
    state: Literal["open", "answered"]
    words: str | None
    """none: the rider was deleted"""
    answer: str | None


class PaymentAsk(Ask):
    """A payment made elsewhere, by its reference: never card data."""

    reference: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{4,100}$")]


class ReturnAsk(Ask):
    """The same people back."""

    depart_after: Moment | None = None


class Done(Said):
    """It is done."""

    done: Literal[True] = True
