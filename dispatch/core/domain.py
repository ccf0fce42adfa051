"""The values of the core: who asks, what was promised, what a shuttle is to do.

Times are integer milliseconds of the service day, lengths of time too, distances millimetres; whole seconds appear
only in `Policy`, which people write. A *place* is the number of a stop point in the day's list (`DayOpened.places`).
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

NEVER = 2**40
"""A time after every day."""
DAY_ENDS = 28 * 3_600_000
"""The service day closes at 04:00; what begins later is the next day's."""


class Access(Struct, frozen=True, gc=False):
    """A stop point within a rider's walk."""

    place: int
    walk: int = 0
    """ms on foot between the rider's own place and the stop point"""


class RideRequest(Struct, frozen=True, omit_defaults=True, gc=False):
    """Who travels, from where to where, when, and what limits they set. Immutable."""

    id: str
    origins: tuple[Access, ...]
    """stop points to board at, nearest first"""
    destinations: tuple[Access, ...]
    direct: int
    """unshared drive between the nearest two, ms"""
    direct_mm: int
    depart_after: int
    arrive_by: int | None = None
    latest_pickup: int | None = None
    latest_dropoff: int | None = None
    max_ride: int | None = None
    """longest time aboard, boarding begins to alighting begins, ms"""
    seats: int = 1
    wheelchairs: int = 0
    rider: str | None = None
    attempt: str | None = None
    """id of the attempt's first request, where this one is a retry"""
    first_depart: int | None = None
    """departure asked for in the attempt's first request: waits are counted from it"""
    age: str | None = None
    """age group as the rider told it (youth, adult, 65+ …), for figures by group; decides nothing"""
    channel: str | None = None
    """way of booking (app, phone …), for figures by group; decides nothing"""


class Promise(Struct, frozen=True, omit_defaults=True, gc=False):
    """What the rider was told. Never edited by an optimiser; rounded outward to whole seconds when told."""

    pickup_from: int
    pickup_to: int
    dropoff_by: int
    max_ride: int | None = None


class Quote(Struct, frozen=True, gc=False):
    """A ride that could be had now. Books nothing, and is judged again when it is accepted."""

    request: str
    kind: Literal["soonest", "least_walk", "later", "carried"]
    shuttle: str
    after: tuple[int, int]
    """insertion (i, j): pickup after point i, drop-off after point j of the plan, 0 = at once"""
    pickup: Access
    dropoff: Access
    pickup_at: int
    dropoff_at: int
    promise: Promise
    fare: int
    seq: int
    """the world's seq on which it was made"""
    expires_at: int


class Cause(Struct, frozen=True, gc=False):
    """One shuttle's answer to a request that it cannot carry."""

    shuttle: str
    constraint: str
    """one of `receipt.CONSTRAINTS`"""
    short_ms: int
    """by how much it missed; 0 where time was not what bound it"""


class Receipt(Struct, frozen=True, omit_defaults=True, gc=False):
    """Why an answer came out as it did."""

    shuttles: int
    """on shift when the rider asked"""
    in_reach: int
    """of those, the ones that could be at a pickup in time by driving there directly"""
    binding: str | None = None
    """the constraint that bound the shuttle which came nearest to carrying the rider"""
    causes: tuple[Cause, ...] = ()
    """nearest to carrying first"""
    nearest_pickup_at: int | None = None
    """the earliest pickup that would have worked, had the rider's limits allowed"""
    relax: str | None = None
    """what would have worked, in a sentence"""


class Shift(Struct, frozen=True, omit_defaults=True):
    """A driver-and-shuttle's working time."""

    id: str
    """unique in the day; a vehicle with two shifts has two"""
    vehicle: str
    node: int
    start: int
    end: int
    seats: int
    wheelchairs: int = 0
    end_place: int | None = None
    """depot to be at when the shift ends"""
    calls: tuple[FixedCall, ...] = ()
    """breaks and timetabled calls, in order"""


class FixedCall(Struct, frozen=True, omit_defaults=True):
    """A visit that is in the plan from the start: a break, a timetabled call of a loop, the depot."""

    kind: Literal["break", "timetable", "depot"]
    earliest: int
    latest: int
    duration: int = 0
    place: int | None = None
    """None: wherever the shuttle then is (breaks only)"""


class Plan(Struct, frozen=True, gc=False):
    """What one shuttle is to do, in order.

    `visits` holds 2 × n for the pickup of the ride numbered n, 2 × n + 1 for its drop-off; fixed calls are numbered
    like rides and stand as their even number. The timetable is recomputed, never stored.
    """

    version: int
    visits: tuple[int, ...]


class PlannedStop(Struct, frozen=True):
    """One planned visit of a shuttle to a StopPoint, as a driver or the console sees it."""

    place: int
    arrive_at: int
    depart_at: int
    pickups: tuple[str, ...]
    dropoffs: tuple[str, ...]
    aboard_after: int
    slack: int
    """ms by which it could begin later without breaking anything after it"""
    fixed: str | None = None


class Weights(Struct, frozen=True, forbid_unknown_fields=True):
    """The one objective of insertion and re-optimisation, in seconds of driving.

    cost = drive × added driving + delay × delay brought to all riders' drop-offs (the rider's own included)
           − wake_s for a shuttle that stood idle + (direct ride + refusal_s) of each rider who keeps waiting.
    A weight on everybody's delay gave a prototype 1.6 to 2.5 points of service at no cost.
    """

    drive: float = 1.0
    delay: float = 0.8
    wake_s: float = 150.0
    refusal_s: float | None = None
    """of a rider for whom there is no room as plans are: others are rearranged for them if that adds no more than this
    beyond their own direct ride; None: than twice what there is of the shuttles' time for each who asks

    Whoever fits in as plans are is taken at any cost. With shuttles short, rearranging a town for one rider leaves two
    later ones standing; with shuttles idle it costs nobody anything: README, "Measured".
    """


class Reoptimise(Struct, frozen=True, forbid_unknown_fields=True):
    """Ruin and recreate over what is not committed."""

    every_s: int = 30
    """the queue, and whoever lost their shuttle, is looked after every 30 s if this is longer"""
    iterations: int = 100
    choose: bool = False
    """one plan a shuttle is chosen anew among all that the search has met"""
    polish: int = 0
    """shuttles near one another whose plans a routing solver improves before the search"""


class Rebalance(Struct, frozen=True, forbid_unknown_fields=True):
    """Idle shuttles are sent to wait where riders are expected."""

    every_s: int = 300
    ahead_s: int = 3600
    """riders expected within this time count"""
    learn_s: int = 7200
    """what was asked for within this time is taken as what will be"""
    reach_s: int = 240
    """longest drive within a part of town, to its middle"""
    worth_s: int = 1200
    """of driving, for being where somebody asks"""


class Selective(Struct, frozen=True, forbid_unknown_fields=True):
    """Riders who would take much more of the shuttles' time than there is for each who asks are refused.

    More people are carried when shuttles are short, and fewer of those with far to go: `extra.by_distance` shows it.
    """

    factor: float = 3.2
    """refused is who takes more than this many times what there is for each"""
    learn_s: int = 1800
    """those who asked within this time are taken as those who will"""


class Queue(Struct, frozen=True, forbid_unknown_fields=True):
    """Who cannot be carried now stays asked for, and is booked as soon as a place frees up."""

    max_wait_s: int = 1800


class Fares(Struct, frozen=True, forbid_unknown_fields=True):
    """`base` up to `base_km` of shortest road, then `per_km` for each further km begun; a person."""

    base: int = 0
    base_km: float = 7.0
    per_km: int = 0
    no_show: int = 0
    """due for a ride that was missed without a word"""
    late_cancel: int = 0
    """due for one given back when its shuttle was on the way already"""


class Policy(Struct, frozen=True, forbid_unknown_fields=True):
    """A named, versioned set of operating rules: what a living lab changes."""

    name: str = "standard"
    version: int = 1
    max_wait_s: int = 1200
    """latest pickup after the departure asked for, where a request sets none"""
    journey_factor: float = 1.5
    journey_extra_s: int = 1200
    """latest drop-off = departure asked for + factor × direct + extra, where a request sets none"""
    max_ride_factor: float | None = None
    max_ride_extra_s: int = 0
    """longest time aboard = factor × direct + extra; None: bounded by the latest drop-off alone"""
    promise_window_s: int | None = None
    """length of the pickup window told; None: the whole of what the request allows"""
    early_s: int = 60
    """how much of a promised window lies before the planned pickup"""
    dwell_stop_s: float = 0.0
    dwell_rider_s: float = 0.0
    wait_aboard_s: int = 300
    """longest planned wait at a stop point with riders aboard"""
    walk_m: float = 0.0
    """longest walk to or from a stop point; 0: only the nearest one"""
    stop_choices: int = 4
    """stop points tried at each end within the walk"""
    later_s: int = 0
    """how much later than asked an alternative may be offered to a rider who cannot be carried as asked"""
    quotes: int = 1
    quote_valid_s: int = 60
    horizon_s: int = 7 * 86_400
    divert: bool = True
    """a driving shuttle may be sent elsewhere at the next node"""
    max_party: int = 6
    no_show_grace_s: int = 120
    """how long a shuttle waits for a rider who is not there, at least to the end of what the promise leaves"""
    weights: Weights = field(default_factory=Weights)
    reoptimise: Reoptimise | None = field(default_factory=Reoptimise)
    queue: Queue | None = None
    selective: Selective | None = None
    """None: whoever can be carried is"""
    rebalance: Rebalance | None = None
    """None: idle shuttles wait where they are"""
    fares: Fares = field(default_factory=Fares)
