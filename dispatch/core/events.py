"""Past-tense facts. The log of a day is a sequence of these, one JSON object a line; the world is their fold.

Inputs (what the world or a person did) and decisions (what the desk answered) are both here: replay feeds the inputs
to a desk again and must get the decisions. No event holds a wall-clock timing, a name, an address or a phone number.
The line's `seq` (gapless from 1), `schema` and `utc` are added by `log_line`; `at` is ms of the service day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec
from msgspec import Struct

from dispatch.core.domain import Access, FixedCall, Policy, Promise, Receipt, RideRequest, Shift

SCHEMA = 1


class Event(Struct, frozen=True, tag_field="type", omit_defaults=True, gc=False):
    """What all events have. No event can refer to itself, so none is looked through for garbage."""

    at: int


# What a day starts from


class DayOpened(Event, frozen=True, tag=True):
    """First line of every log. `zero_utc` is the UTC time of the service day's zero, ms."""

    zero_utc: int
    date: str
    timezone: str
    places: tuple[str, ...]
    """stop point ids, or node ids on CSV networks; a place is an index into it"""
    place_nodes: tuple[int, ...]
    map: str
    """fingerprint of the road network"""
    scenario: str
    seed: int
    version: str
    profile: tuple[tuple[int, float, tuple[str, ...]], ...] = ()
    """known speeds of the day: (from, seconds; factor; road classes, none: all)"""
    live: bool = False
    """riders take their time to choose: the answer to a request need not follow at once"""


class PolicyChanged(Event, frozen=True, tag=True):
    """From now on this policy holds. Promises made keep the rules under which they were made."""

    policy: Policy
    author: str = ""
    reason: str = ""


class ShiftOpened(Event, frozen=True, tag=True):
    """A shift is known and may be planned on, before it starts too."""

    shift: Shift


class ShiftClosed(Event, frozen=True, tag=True):
    """The shuttle takes part no more."""

    shuttle: str


class ShiftChanged(Event, frozen=True, tag=True):
    """The shift ends at another time than it was opened for."""

    shuttle: str
    end: int


# What riders do


class RequestMade(Event, frozen=True, tag=True):
    """A call: each single try."""

    request: RideRequest
    instead_of: str | None = None
    """a booking that this one is to take the place of: it holds until this one is booked, else it stays"""
    carried: bool = False
    """asked and booked on a day before: it is taken over, not made"""


class QuoteDeclined(Event, frozen=True, tag=True):
    """The rider was offered a ride and did not take it."""

    request: str


class RideCancelled(Event, frozen=True, tag=True):
    """The rider, or an operator for them, gave the booking or the place in the queue back."""

    request: str
    reason: str = ""


# What the desk answers


class RideBooked(Event, frozen=True, tag=True):
    """A promise was given. The ride is inserted in the shuttle's plan after points (i, j)."""

    request: str
    shuttle: str
    after: tuple[int, int]
    version: int
    """of the shuttle's plan, this insertion included"""
    promise: Promise
    pickup: Access
    dropoff: Access
    pickup_at: int
    dropoff_at: int
    kind: Literal["soonest", "least_walk", "later", "carried"] = "soonest"
    """`carried`: promised on a day before, and taken over as it was"""
    fare: int = 0
    receipt: Receipt | None = None


class RideRefused(Event, frozen=True, tag=True):
    """No, and why. `alternatives` are the (pickup, drop-off) times that were offered instead."""

    request: str
    receipt: Receipt
    alternatives: tuple[tuple[int, int], ...] = ()


class RideQueued(Event, frozen=True, tag=True):
    """Not now, and why; the request stays open until `until` and is tried again as places free up."""

    request: str
    until: int
    receipt: Receipt


class PlansChanged(Event, frozen=True, tag=True):
    """Plans replaced at once, every promise still kept. Visits as in `Plan`; each plan's version rises by one."""

    plans: dict[str, tuple[int, ...]]
    cause: str


class PromiseAtRisk(Event, frozen=True, tag=True):
    """A fact of the world makes a promise impossible to keep as things stand; the rider is told."""

    request: str
    pickup_at: int | None
    """not later than this now, as far as is known; None: aboard already, or nobody can yet say"""
    dropoff_at: int | None
    """None: nobody can yet say"""
    cause: str


class IdleSent(Event, frozen=True, tag=True):
    """An idle shuttle is sent to wait at a place where demand is expected (rebalancing)."""

    shuttle: str
    place: int


# What shuttles do


class DriveStarted(Event, frozen=True, tag=True):
    """A shuttle leaves `node` for a place; `purpose` is a request id, `rebalance`, `depot`, `break` or `timetable`."""

    shuttle: str
    node: int
    place: int
    purpose: str


class ProgressMade(Event, frozen=True, tag=True):
    """A driving shuttle gives up its goal at `node`, which it reaches at `reached_at`; a decision used that it can."""

    shuttle: str
    node: int
    reached_at: int
    driven_mm: int
    """since the drive started or progress was last noted"""


class PositionReported(Event, frozen=True, tag=True):
    """A driving shuttle passed `node` at `reached_at`, or still stands there: it is not where the plan has it.

    Its goal stays. Noted only where it moves the timetable.
    """

    shuttle: str
    node: int
    reached_at: int
    driven_mm: int = 0
    """since the drive started or its progress was last noted"""


class ShuttleOverdue(Event, frozen=True, tag=True):
    """Nobody has said that the shuttle went on, and a promise that would hold if it had is broken if it has not.

    Its timetable is counted as if it were where it is known to be at `counted_from`, until somebody tells more.
    """

    shuttle: str
    counted_from: int


class StopArrived(Event, frozen=True, tag=True):
    """The shuttle stands at the place it was driving to."""

    shuttle: str
    place: int
    driven_mm: int
    """since the drive started or progress was last noted"""


class RiderAwaited(Event, frozen=True, tag=True):
    """The rider is not there; the shuttle waits at the stop point at least until `until`."""

    shuttle: str
    request: str
    until: int


class RiderBoarded(Event, frozen=True, tag=True):
    """Boarding begins at `at`."""

    shuttle: str
    request: str


class RiderAlighted(Event, frozen=True, tag=True):
    """Alighting begins at `at`."""

    shuttle: str
    request: str


class NoShow(Event, frozen=True, tag=True):
    """The rider was not there within the grace."""

    shuttle: str
    request: str


class CallMade(Event, frozen=True, tag=True):
    """A fixed call (break, timetable, depot) begins; `number` as in the plan."""

    shuttle: str
    number: int


class BreakPlanned(Event, frozen=True, tag=True):
    """A driver takes a break that the shift does not have: a fixed call more, after so many points of the plan."""

    shuttle: str
    call: FixedCall
    after: int
    author: str = ""


class BreakDropped(Event, frozen=True, tag=True):
    """A break that was asked for is not taken; `number` as in the plan."""

    shuttle: str
    number: int
    author: str = ""


class BreakEnded(Event, frozen=True, tag=True):
    """The driver has had enough of the break that was asked for: the shuttle is ready from now on."""

    shuttle: str
    author: str = ""


class ShuttleBrokeDown(Event, frozen=True, tag=True):
    """The shuttle can go no further; it stands at `node`. Riders aboard wait for another one."""

    shuttle: str
    node: int
    driven_mm: int = 0


class RiderStranded(Event, frozen=True, tag=True):
    """A rider aboard a shuttle that broke down left it at a place near it and waits there for another one."""

    shuttle: str
    request: str
    place: int


# Roads and time


class RoadClosed(Event, frozen=True, tag=True):
    """Edges (indices of the road network) that can't be driven from now on."""

    edges: tuple[int, ...]
    author: str = ""
    reason: str = ""


class RoadReopened(Event, frozen=True, tag=True):
    """Edges that can be driven again."""

    edges: tuple[int, ...]
    author: str = ""
    reason: str = ""


class SpeedsChanged(Event, frozen=True, tag=True):
    """All drives begun from now on take `factor` times as long as the map says."""

    factor: float


class TimerTicked(Event, frozen=True, tag=True):
    """The moment at which plans were improved and the queue was served."""

    improves: bool = True
    """False: a worker looks for better plans, and proposes them later"""
    tries: int | None = None
    """so many of the queue are tried, those whose turn it is, and go to its end; None: all of it"""


class PlansProposed(Event, frozen=True, tag=True):
    """A worker's better plans, an input: judged on the world as it now is, they come into force or not."""

    plans: dict[str, tuple[int, ...]]
    made_on: int
    """seq of the world that they were made on"""
    served: tuple[str, ...] = ()
    """requests from the queue that are on them"""


Act = Literal[
    "assign", "lock", "unlock", "withdraw", "cancel", "pause", "resume", "message", "open_shift", "close_shift", "book",
    "change", "change_shift", "clear", "restore", "lend", "close_stop", "open_stop", "edit_stop", "complaint",
    "payment", "forgive", "tell", "driver", "drop_driver", "rider", "trial", "policy", "recurring", "queue", "decline",
    "rate",
]  # fmt: skip


class ActTaken(Event, frozen=True, tag=True):
    """A person in charge did something: who, what and why. What follows from it follows in the log.

    Changes of policy and roads name their author themselves.
    """

    act: Act
    author: str
    reason: str = ""
    request: str | None = None
    shuttle: str | None = None
    place: int | None = None
    """stop point that is closed or opened"""
    about: str | None = None
    """what else it is about, by its id: complaint, driver, rider, payment, stop point, trial. Never anybody's words"""
    made: str | None = None
    """what was made of it, where the act alone does not say: a payment's state, from when rules are to hold"""


class DayClosed(Event, frozen=True, tag=True):
    """Last line of a whole day's log."""


AnyEvent = (
    DayOpened
    | PolicyChanged
    | ShiftOpened
    | ShiftClosed
    | ShiftChanged
    | RequestMade
    | QuoteDeclined
    | RideCancelled
    | RideBooked
    | RideRefused
    | RideQueued
    | PlansChanged
    | PromiseAtRisk
    | IdleSent
    | DriveStarted
    | ProgressMade
    | StopArrived
    | RiderBoarded
    | RiderAlighted
    | NoShow
    | CallMade
    | BreakPlanned
    | BreakDropped
    | BreakEnded
    | ShuttleBrokeDown
    | RiderStranded
    | RoadClosed
    | RoadReopened
    | SpeedsChanged
    | TimerTicked
    | PlansProposed
    | PositionReported
    | ShuttleOverdue
    | RiderAwaited
    | ActTaken
    | DayClosed
)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyEvent).decode
_SCHEMA = b',"schema":%d,"utc":' % SCHEMA


class _Envelope(Struct):
    seq: int
    schema: int


_envelope = msgspec.json.Decoder(_Envelope).decode


def log_line(event: Event, seq: int, zero_utc: int) -> bytes:
    """One line of the log, newline included."""
    utc = _encode(zero_utc + event.at)
    return b"".join((b'{"seq":', _encode(seq), _SCHEMA, utc, b",", _encode(event)[1:], b"\n"))


def read_log(lines: Iterable[bytes]) -> Iterator[AnyEvent]:
    """Events of a log, in order.

    Raises ValueError naming the line where one can't be read, is out of sequence or of an unknown schema.
    """
    for number, line in enumerate(lines, 1):
        try:
            envelope = _envelope(line)
            event = _decode(line)
        except msgspec.MsgspecError as error:
            raise ValueError(f"line {number}: not an event of this log: {error}") from None
        if envelope.schema != SCHEMA:
            raise ValueError(f"line {number}: schema {envelope.schema}; expected {SCHEMA}")
        if envelope.seq != number:
            raise ValueError(f"line {number}: seq {envelope.seq}; expected {number}: a line is missing or doubled")
        yield event
