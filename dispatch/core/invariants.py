"""What must hold of every day, judged from its log alone: `check(events, times)` gives the violations.

This is a fold of its own. It shares no code with the world, the timetable or the kernels, so that a mistake in them is
not repeated here; it believes only the log's inputs and the free driving times, and re-tells the day from them.
`naru check`, the simulator and the tests call it at the end; a live auditor feeds a `Judge` event by event.

Every time bound is one that can be proven. Given `reroute`, drives are judged on the roads as they then were; without
it closures only lengthen drives, so the table of the day's start stays a lower bound, and a change of speed scales it.
A promise may be broken only by a fact of the world (a closure, a breakdown, a slow drive, a late rider), and then the
rider must have been told by 30 s after the moment at which it was broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from dispatch.core import events as e
from dispatch.core.domain import NEVER, FixedCall, Promise, RideRequest, Shift
from dispatch.core.events import AnyEvent
from routing.travel_times import QUARTER_MS, DriveTimes

INVARIANTS: Final[dict[str, tuple[int | None, str]]] = {
    "log": (10, "the log begins with the day, ends once, names only what it introduced, and time never runs back"),
    "one_plan": (1, "a booking is on exactly one plan, with one pickup and one drop-off, until it ends"),
    "undelivered": (1, "a rider who was promised a ride is carried, or gave it back"),
    "order": (2, "pickup before drop-off, on the same shuttle; aboard, riders stay on it"),
    "capacity": (3, "no leg carries more persons or wheelchairs than there are places, planned or driven"),
    "promise": (4, "what was promised is kept, and no plan is made that cannot keep it"),
    "at_risk": (4, "when a fact of the world breaks a promise, the rider is told within 30 s"),
    "ride_time": (5, "nobody is aboard for longer than was promised"),
    "committed": (6, "what was done, or is being driven to without leave to turn, never changes"),
    "once": (7, "a request is made once and booked once"),
    "gapless": (10, "each plan's version rises by one with every change"),
    "legal": (12, "only steps that can follow each other: nobody boards twice, or after cancelling"),
    "off_shift": (13, "no new promise uses a shuttle that is off shift, closed or broken"),
    "road": (15, "no shuttle outruns the road, or is in two places"),
    "dwell": (15, "no shuttle leaves before everybody is in or out"),
    "plan": (15, "shuttles drive where their plans say, and nowhere for a request not yet made"),
    "early": (None, "nobody is picked up before the promised window opens"),
    "shift": (None, "nothing is done outside the shift"),
    "call": (None, "breaks and timetabled calls begin in their windows, breaks with nobody aboard"),
    "wait_aboard": (None, "no rider waits aboard, at a stop point, for longer than the policy's bound"),
    "answered": (None, "every request is answered by the next half minute, a queued one by the end of its queueing"),
}
"""Name: (number in DESIGN §5 where it has one, what holds)."""

Reroute = Callable[[frozenset[int], float], DriveTimes]
"""driving times with these edges closed and all drives lengthened by the factor"""

ANSWER_MS: Final = 30_000
TELL_MS: Final = 30_000
_FLOOR: Final = 0.999
"""of a scaled drive: edges are scaled and rounded one by one, so the sum may be a little below the scaled sum"""

ASKED, QUEUED, REFUSED, DECLINED = "asked", "queued", "refused", "declined"
BOOKED, ABOARD, STRANDED = "booked", "aboard", "stranded"
DELIVERED, CANCELLED, NO_SHOW = "delivered", "cancelled", "not there"
FIXED, MADE = "planned", "made"
_OPEN = (BOOKED, ABOARD, STRANDED)


_PROMISED: Final = (
    "is planned to board outside its window",
    "is planned to arrive later than promised",
    "is planned to be picked up in the past, or to arrive before it is picked up",
    "may be picked up before the departure asked for",
    "is to board at a stop point it did not ask for",
    "is to alight at a stop point it did not ask for",
    "is promised a later pickup than it accepts",
    "is promised a later arrival than it accepts",
    "is promised to arrive later than it must",
    "is promised a longer ride than it accepts",
)
"""What is wrong with a promise, in the order in which `Judge` asks."""


class Violation(Struct, frozen=True, omit_defaults=True):
    """One rule broken, at one line of the log."""

    invariant: str
    """a key of `INVARIANTS`"""
    seq: int
    """line of the log, from 1"""
    at: int
    what: str
    """a sentence"""
    shuttle: str | None = None
    request: str | None = None

    def __str__(self) -> str:
        return f"line {self.seq}, {clock(self.at)}: {self.invariant}: {self.what}"


def check(
    events: Iterable[AnyEvent], times: DriveTimes | None = None, reroute: Reroute | None = None
) -> list[Violation]:
    """Violations of a day's log, in the order in which they showed.

    `times` are the driving times of the day's start; `reroute` makes those after a closure. Without them drives are
    not judged against the road, and whoever was told of a risk is taken to have been told for a reason.
    """
    judge = Judge(times, reroute)
    read = judge.read
    for event in events:
        read(event)
    return judge.violations


def clock(ms: int) -> str:
    """12:34:56, of the service day, with milliseconds where there are any."""
    sign = "-" if ms < 0 else ""
    seconds, rest = divmod(abs(ms), 1000)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:03}" if rest else text


class _Ride:
    """A request and what became of it; or a fixed call, which is numbered in the same row."""

    __slots__ = (
        "boarded_at", "call", "carried", "dropoff_by", "dropoff_place", "due", "id", "max_ride", "number", "offered",
        "pickup_from", "pickup_place", "pickup_to", "queued", "request", "seats", "shuttle", "state", "told_at",
        "wheelchairs",
    )  # fmt: skip

    def __init__(self, number: int, id: str, state: str, due: int) -> None:  # noqa: A002
        self.number = number
        self.id = id
        self.state = state
        self.due = due
        self.request: RideRequest | None = None
        self.call: FixedCall | None = None
        self.shuttle: _Shuttle | None = None
        self.seats = 0
        self.wheelchairs = 0
        self.pickup_place = -1
        self.dropoff_place = -1
        self.pickup_from = 0
        self.pickup_to = NEVER
        self.dropoff_by = NEVER
        self.max_ride = NEVER
        self.boarded_at = 0
        self.carried = 0  # ms aboard of a shuttle that broke down
        self.told_at = NEVER
        self.offered = False
        self.queued = False


class _Shuttle:
    """Where a shuttle is and what it is to do, as the log tells."""

    __slots__ = (
        "aboard", "closed", "drive_at", "drive_factor", "drive_node", "drive_slice", "drive_table", "free_at", "goal",
        "id", "late", "node", "place", "plan", "seats", "served", "shift", "thinned", "turned_from", "version",
        "wheelchairs",
    )  # fmt: skip

    def __init__(self, shift: Shift) -> None:
        self.id = shift.id
        self.shift = shift
        self.plan: list[int] = []
        self.version = 0
        self.node = shift.node
        self.place = -1  # where it stands, if that is a place
        self.served = -1  # place where the dwell of the visit is counted already
        self.free_at = shift.start
        self.goal = -1
        self.drive_node = shift.node
        self.drive_at = 0
        self.drive_factor = 1.0
        self.drive_slice = 0
        self.drive_table: NDArray[np.int32] | None = None
        self.aboard: set[int] = set()
        self.seats = 0
        self.wheelchairs = 0
        self.closed = ""  # why it takes part no more
        self.turned_from = -1  # ride it was on its way to when it turned, where the policy has no diversions
        self.late = False  # a fact of the world has delayed it
        self.thinned = False  # a ride was taken out of its plan


class Judge:
    """The fold: `read` each event in order; `violations` grows."""

    def __init__(self, times: DriveTimes | None = None, reroute: Reroute | None = None) -> None:
        self.violations: list[Violation] = []
        self.seq = 0
        self.now = -NEVER
        self._times = times
        self._slices: list[int] = [] if times is None else times.slices.tolist()
        self._reroute = reroute
        self._closed_edges: set[int] = set()
        self._table: NDArray[np.int32] | None = None
        # the shortest of the day's slices: what no plan can beat, whenever its drives begin
        self._least: Callable[..., int] | None = None
        if times is not None:
            self._drive_on(times.table)
        self._node_of: Sequence[int] = () if times is None else times.place_nodes.tolist()
        self._rides: list[_Ride] = []
        self._by_id: dict[str, _Ride] = {}
        self._shuttles: dict[str, _Shuttle] = {}
        self._pending: dict[str, int] = {}
        self._locked: set[int] = set()  # rides that only a person in charge may move
        self._closed_places: set[int] = set()
        self._due = NEVER
        self._seats: list[int] = []  # what each visit adds to the load
        self._wheelchairs: list[int] = []
        self._factor = 1.0
        self._disturbed = False
        self._open = False
        self._dwell_stop = 0
        self._dwell_rider = 0
        self._wait_aboard = NEVER
        self._divert = True
        self._no_show_grace = 0
        self._later = 0
        self._quote_valid = 0
        self._handle: dict[type, Callable[[Any], None]] = dict.fromkeys(e.Event.__subclasses__(), self._ignored)
        self._handle |= {
            e.DayOpened: self._day_opened,
            e.PolicyChanged: self._policy_changed,
            e.ShiftOpened: self._shift_opened,
            e.ShiftClosed: self._shift_closed,
            e.ShiftChanged: self._shift_changed,
            e.RequestMade: self._request_made,
            e.QuoteDeclined: self._quote_declined,
            e.RideCancelled: self._ride_cancelled,
            e.RideBooked: self._ride_booked,
            e.RideRefused: self._ride_refused,
            e.RideQueued: self._ride_queued,
            e.PlansChanged: self._plans_changed,
            e.PromiseAtRisk: self._promise_at_risk,
            e.IdleSent: self._idle_sent,
            e.DriveStarted: self._drive_started,
            e.ProgressMade: self._progress_made,
            e.PositionReported: self._position_reported,
            e.StopArrived: self._stop_arrived,
            e.RiderAwaited: self._rider_awaited,
            e.RiderBoarded: self._rider_boarded,
            e.RiderAlighted: self._rider_alighted,
            e.NoShow: self._no_show,
            e.CallMade: self._call_made,
            e.ShuttleBrokeDown: self._shuttle_broke_down,
            e.RiderStranded: self._rider_stranded,
            e.RoadClosed: self._road_closed,
            e.RoadReopened: self._road_reopened,
            e.SpeedsChanged: self._speeds_changed,
            e.ActTaken: self._act_taken,
            e.DayClosed: self._day_closed,
        }

    def read(self, event: AnyEvent) -> None:
        """Judge the next line of the log."""
        self.seq += 1
        at = event.at
        if at < self.now:
            self._found("log", f"time runs back from {clock(self.now)} to {clock(at)}")
        self.now = at
        if at > self._due:
            self._overdue(at)
        if not self._open:
            self._outside(event)
        self._handle[type(event)](event)

    def _drive_on(self, table: NDArray[np.int32]) -> None:
        self._table = table
        self._least = (table[0] if len(table) == 1 else table.min(axis=0)).item

    # Saying what is wrong

    def _found(self, invariant: str, what: str, shuttle: _Shuttle | None = None, ride: _Ride | None = None) -> None:
        self.violations.append(
            Violation(
                invariant,
                self.seq,
                self.now,
                what,
                None if shuttle is None else shuttle.id,
                None if ride is None or ride.request is None else ride.id,
            )
        )

    def _breach(self, invariant: str, deadline: int, what: str, shuttle: _Shuttle | None, ride: _Ride) -> None:
        """A promise was broken: is there a fact to blame, and was the rider told in time?"""
        forced = self._disturbed or (shuttle is not None and shuttle.late)
        if ride.told_at <= deadline + TELL_MS:
            if not forced and self._times is not None:
                self._found(invariant, f"{what}; the rider was told, but no fact of the world forced it", shuttle, ride)
        elif forced:
            told = "never told" if ride.told_at == NEVER else f"told only at {clock(ride.told_at)}"
            self._found("at_risk", f"{what}; the rider was {told}", shuttle, ride)
        else:
            self._found(invariant, what, shuttle, ride)

    def _outside(self, event: AnyEvent) -> None:
        if self.seq > 1:
            self._found("log", f"{type(event).__name__} after the day was closed")
            return
        self._open = True
        if type(event) is not e.DayOpened:
            self._found("log", "the log does not begin with DayOpened")

    def _shuttle(self, id: str) -> _Shuttle | None:  # noqa: A002
        shuttle = self._shuttles.get(id)
        if shuttle is None:
            self._found("log", f"no shift {id} was opened")
        return shuttle

    def _ride(self, id: str) -> _Ride | None:  # noqa: A002
        ride = self._by_id.get(id)
        if ride is None:
            self._found("log", f"no request {id} was made")
        return ride

    # What a day starts from

    def _ignored(self, event: AnyEvent) -> None:
        pass

    def _day_opened(self, event: e.DayOpened) -> None:
        if self.seq != 1:
            self._found("log", "the day is opened a second time")
            return
        nodes = event.place_nodes
        if self._times is not None and list(nodes) != list(self._node_of):
            raise ValueError("the driving times are not those of this log: its stop points lie on other nodes")
        self._node_of = nodes

    def _policy_changed(self, event: e.PolicyChanged) -> None:
        policy = event.policy
        self._dwell_stop = round(policy.dwell_stop_s * 1000)
        self._dwell_rider = round(policy.dwell_rider_s * 1000)
        self._wait_aboard = policy.wait_aboard_s * 1000
        self._divert = policy.divert
        self._no_show_grace = policy.no_show_grace_s * 1000
        self._later = policy.later_s * 1000
        self._quote_valid = policy.quote_valid_s * 1000 if policy.quotes > 1 else 0

    def _shift_opened(self, event: e.ShiftOpened) -> None:
        shift = event.shift
        if shift.id in self._shuttles:
            self._found("legal", f"shift {shift.id} is opened a second time", self._shuttles[shift.id])
            return
        self._judge_alone(shift, None)
        shuttle = self._shuttles[shift.id] = _Shuttle(shift)
        for call in shift.calls:
            ride = self._numbered(f"{shift.id} {call.kind}", FIXED, NEVER)
            ride.call = call
            ride.shuttle = shuttle
            ride.pickup_place = -1 if call.place is None else call.place
            ride.pickup_from, ride.pickup_to = call.earliest, call.latest
            shuttle.plan.append(2 * ride.number)

    def _judge_alone(self, shift: Shift, own: _Shuttle | None) -> None:
        """A vehicle works one shift at a time."""
        for other in self._shuttles.values():
            same = other.shift.vehicle == shift.vehicle and not other.closed and other is not own
            if same and other.shift.start < shift.end and shift.start < other.shift.end:
                self._found("shift", f"vehicle {shift.vehicle} works in {shift.id} and {other.id} at once", other)

    def _numbered(self, id: str, state: str, due: int) -> _Ride:  # noqa: A002
        ride = _Ride(len(self._rides), id, state, due)
        self._rides.append(ride)
        self._seats += (0, 0)
        self._wheelchairs += (0, 0)
        return ride

    def _shift_closed(self, event: e.ShiftClosed) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        if shuttle.closed == "closed":
            self._found("legal", f"shift {shuttle.id} is closed a second time", shuttle)
        for number in sorted(shuttle.aboard):
            ride = self._rides[number]
            self._found("undelivered", f"shift {shuttle.id} was closed with {ride.id} aboard", shuttle, ride)
        shuttle.closed = "closed"

    def _shift_changed(self, event: e.ShiftChanged) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        shift = replace(shuttle.shift, end=event.end)
        if shuttle.closed or shift.end <= max(shift.start, event.at - 1):
            self._found("legal", f"shift {shuttle.id} is given an end at {clock(event.end)}", shuttle)
        self._judge_alone(shift, shuttle)
        shuttle.shift = shift

    # What riders ask and are answered

    def _request_made(self, event: e.RequestMade) -> None:
        request = event.request
        due = (event.at // ANSWER_MS + 1) * ANSWER_MS + self._quote_valid
        if request.id in self._by_id:
            self._found("once", f"request {request.id} is made a second time", None, self._by_id[request.id])
            return
        ride = self._by_id[request.id] = self._numbered(request.id, ASKED, due)
        ride.request = request
        ride.seats, ride.wheelchairs = request.seats, request.wheelchairs
        visit = 2 * ride.number
        self._seats[visit], self._seats[visit + 1] = request.seats, -request.seats
        self._wheelchairs[visit], self._wheelchairs[visit + 1] = request.wheelchairs, -request.wheelchairs
        if not self._pending:
            self._due = due
        self._pending[request.id] = due

    def _answered(self, ride: _Ride, state: str, allowed: tuple[str, ...], does: str) -> bool:
        """The rider has an answer; was this one still possible?"""
        if self._pending.pop(ride.id, None) is not None:
            self._due = next(iter(self._pending.values()), NEVER)
        before = ride.state
        if before not in allowed:
            self._found("legal", f"{ride.id} {does}, but is {before} already", ride.shuttle, ride)
            return False
        if before is QUEUED and self.now > ride.due:
            self._found("answered", f"{ride.id} was to be answered by {clock(ride.due)}", None, ride)
        ride.state = state
        return True

    def _overdue(self, at: int) -> None:
        for id_, due in list(self._pending.items()):
            if due >= at:
                break
            ride = self._by_id[id_]
            self._found("answered", f"{id_} had no answer by {clock(due)}", None, ride)
            del self._pending[id_]
        self._due = next(iter(self._pending.values()), NEVER)

    def _quote_declined(self, event: e.QuoteDeclined) -> None:
        ride = self._ride(event.request)
        if ride is not None:
            self._answered(ride, DECLINED, (ASKED, QUEUED, REFUSED), "declines a quote")

    def _ride_refused(self, event: e.RideRefused) -> None:
        ride = self._ride(event.request)
        if ride is not None and self._answered(ride, REFUSED, (ASKED, QUEUED), "is refused"):
            ride.offered = bool(event.alternatives)

    def _ride_queued(self, event: e.RideQueued) -> None:
        ride = self._ride(event.request)
        if ride is not None and self._answered(ride, QUEUED, (ASKED,), "is queued"):
            ride.due = -(-event.until // ANSWER_MS) * ANSWER_MS
            ride.queued = True

    def _ride_cancelled(self, event: e.RideCancelled) -> None:
        ride = self._ride(event.request)
        if ride is None:
            return
        if self._answered(ride, CANCELLED, (ASKED, QUEUED, BOOKED, STRANDED), "cancels"):
            self._taken_out(ride)

    def _taken_out(self, ride: _Ride) -> None:
        shuttle = ride.shuttle
        ride.shuttle = None
        if shuttle is not None:
            n = ride.number
            shuttle.plan = [visit for visit in shuttle.plan if visit >> 1 != n]
            shuttle.version += 1
            shuttle.thinned = True

    def _ride_booked(self, event: e.RideBooked) -> None:
        ride = self._ride(event.request)
        shuttle = self._shuttle(event.shuttle)
        if ride is None or shuttle is None:
            return
        if ride.state is REFUSED and not ride.offered:
            self._found("legal", f"{ride.id} is booked after it was refused with nothing else offered", shuttle, ride)
        if ride.state in _OPEN:
            self._found("once", f"{ride.id} is booked a second time", shuttle, ride)
            return
        if not self._answered(ride, BOOKED, (ASKED, QUEUED, REFUSED), "is booked"):
            return
        if shuttle.closed or event.at >= shuttle.shift.end:
            why = shuttle.closed or f"off shift since {clock(shuttle.shift.end)}"
            self._found("off_shift", f"{ride.id} is promised a ride on {shuttle.id}, which is {why}", shuttle, ride)
        promise = event.promise
        ride.shuttle = shuttle
        ride.pickup_place, ride.dropoff_place = event.pickup.place, event.dropoff.place
        ride.pickup_from, ride.pickup_to, ride.dropoff_by = promise.pickup_from, promise.pickup_to, promise.dropoff_by
        ride.max_ride = NEVER if promise.max_ride is None else promise.max_ride
        self._judge_promise(event, promise, ride, shuttle)
        if event.kind != "carried" and not self._closed_places.isdisjoint((event.pickup.place, event.dropoff.place)):
            self._found("promise", f"{ride.id} is promised a stop point that is closed", shuttle, ride)
        plan = shuttle.plan
        i, j = event.after
        if not 0 <= i <= j <= len(plan):
            what = f"{ride.id} is inserted after points {i} and {j} of a plan that has {len(plan)}"
            self._found("one_plan", what, shuttle, ride)
            i = min(max(i, 0), len(plan))
            j = min(max(i, j), len(plan))
        shuttle.version += 1
        if event.version != shuttle.version:
            what = f"plan {event.version} of {shuttle.id} follows plan {shuttle.version - 1}"
            self._found("gapless", what, shuttle, ride)
            shuttle.version = event.version
        plan.insert(j, 2 * ride.number + 1)
        plan.insert(i, 2 * ride.number)
        self._judge_loads(shuttle)
        if self._least is not None:
            self._judge_timetable(shuttle, ride.number)

    def _judge_promise(self, event: e.RideBooked, promise: Promise, ride: _Ride, shuttle: _Shuttle) -> None:
        """A promise fits what was asked, and what is planned fits the promise."""
        request = ride.request
        assert request is not None
        later = self._later if event.kind == "later" or ride.queued else 0
        if event.kind == "carried":
            later = NEVER  # the log of the day on which it was promised has judged that
        walk = event.dropoff.walk
        latest = _told(request.latest_pickup, later), _told(request.latest_dropoff, later - walk)
        arrive_by = _told(request.arrive_by, later - walk)
        sets_out = (request.depart_after + event.pickup.walk) // 1000 * 1000
        holds = (
            promise.pickup_from <= event.pickup_at <= promise.pickup_to,
            event.dropoff_at <= promise.dropoff_by,
            event.at <= event.pickup_at <= event.dropoff_at,
            promise.pickup_from >= sets_out,
            event.pickup in request.origins,
            event.dropoff in request.destinations,
            promise.pickup_to <= latest[0],
            promise.dropoff_by <= latest[1],
            promise.dropoff_by <= arrive_by,
            ride.max_ride <= (request.max_ride or NEVER),
        )
        if not all(holds):
            for held, what in zip(holds, _PROMISED, strict=True):
                if not held:
                    self._found("promise", f"{ride.id} {what}", shuttle, ride)
        if event.dropoff_at - event.pickup_at > ride.max_ride:
            self._found("ride_time", f"{ride.id} is planned to be aboard for longer than promised", shuttle, ride)

    def _promise_at_risk(self, event: e.PromiseAtRisk) -> None:
        ride = self._ride(event.request)
        if ride is None:
            return
        if ride.state not in _OPEN:
            self._found("legal", f"{ride.id} is told of a risk, but is {ride.state}", ride.shuttle, ride)
        ride.told_at = min(ride.told_at, event.at)

    # Plans

    def _plans_changed(self, event: e.PlansChanged) -> None:
        rides = self._rides
        plans = event.plans
        before: dict[int, _Shuttle] = {}
        changed: list[tuple[_Shuttle, tuple[int, ...]]] = []
        for id_, new in plans.items():
            shuttle = self._shuttle(id_)
            if shuttle is None:
                continue
            changed.append((shuttle, new))
            for visit in shuttle.plan:
                before[visit] = shuttle
        after: set[int] = set()
        newcomers: list[_Ride] = []
        for shuttle, new in changed:
            if shuttle.closed and any(rides[visit >> 1].call is None for visit in new):
                self._found("off_shift", f"{shuttle.id} is {shuttle.closed} and is given a new plan", shuttle)
            for visit in new:
                number = visit >> 1
                if not 0 <= number < len(rides):
                    self._found("one_plan", f"plan of {shuttle.id} holds visit {visit}, which is nobody's", shuttle)
                    continue
                ride = rides[number]
                if visit in after:
                    self._found("one_plan", f"visit {visit} ({ride.id}) is planned twice", shuttle, ride)
                    continue
                after.add(visit)
                if visit not in before:
                    self._judge_newcomer(visit, ride, shuttle)
                    if not visit & 1:
                        newcomers.append(ride)
                        ride.shuttle = shuttle
                elif before[visit] is not shuttle:
                    self._judge_moved(visit, ride, shuttle, before[visit])
                if visit & 1 and ride.state is not ABOARD and (visit - 1 not in after or ride.shuttle is not shuttle):
                    why = "before it boards" if visit - 1 in new else f"from {shuttle.id}, but boards another shuttle"
                    self._found("order", f"{ride.id} is to alight {why}", shuttle, ride)
        for ride in newcomers:
            if 2 * ride.number + 1 not in after:
                what = f"{ride.id} is to be picked up, but never dropped off"
                self._found("one_plan", what, ride.shuttle, ride)
        if len(before) != len(after) or before.keys() != after:
            for visit, shuttle in before.items():
                if visit not in after:
                    ride = rides[visit >> 1]
                    does = "be dropped off" if visit & 1 else "be picked up"
                    self._found("one_plan", f"{ride.id} is no longer planned to {does} anywhere", shuttle, ride)
        for shuttle, new in changed:
            self._judge_calls(shuttle, new)
            shuttle.plan = [visit for visit in new if 0 <= visit < 2 * len(rides)]
            shuttle.version += 1
        for shuttle, _ in changed:
            self._judge_loads(shuttle)
            if self._least is not None:
                self._judge_timetable(shuttle, -1)

    def _place(self, visit: int) -> int:
        ride = self._rides[visit >> 1]
        return ride.dropoff_place if visit & 1 else ride.pickup_place

    def _judge_newcomer(self, visit: int, ride: _Ride, shuttle: _Shuttle) -> None:
        """A visit that was in none of the plans replaced: allowed for who lost their shuttle only."""
        adrift = ride.state in (BOOKED, STRANDED) and ride.shuttle is None
        if not adrift and not (visit & 1 and ride.shuttle is shuttle):
            where = f"planned on {ride.shuttle.id}" if ride.shuttle is not None else ride.state
            self._found("one_plan", f"{ride.id} is put in the plan of {shuttle.id}, but is {where}", shuttle, ride)

    def _judge_moved(self, visit: int, ride: _Ride, shuttle: _Shuttle, source: _Shuttle) -> None:
        if ride.call is not None:
            self._found("committed", f"{ride.id} is moved to {shuttle.id}", shuttle, ride)
        elif ride.state is ABOARD:
            if visit & 1:
                what = f"{ride.id} is aboard {source.id}, but is to alight from {shuttle.id}"
                self._found("order", what, shuttle, ride)
        elif not visit & 1:
            if ride.number in self._locked:
                self._found("committed", f"{ride.id} is locked to {source.id}, but is moved", shuttle, ride)
            ride.shuttle = shuttle
            shuttle.late = shuttle.late or source.late

    def _judge_calls(self, shuttle: _Shuttle, new: tuple[int, ...]) -> None:
        if shuttle.shift.calls:
            calls = [visit for visit in shuttle.plan if self._rides[visit >> 1].call is not None]
            if calls != [visit for visit in new if visit in calls]:
                self._found("committed", f"the fixed calls of {shuttle.id} change places", shuttle)

    def _judge_loads(self, shuttle: _Shuttle) -> None:
        """No leg of the plan carries too many."""
        seats, wheelchairs = shuttle.seats, shuttle.wheelchairs
        shift = shuttle.shift
        most, most_wheelchairs = shift.seats, shift.wheelchairs
        adds, adds_wheelchairs = self._seats, self._wheelchairs
        for visit in shuttle.plan:
            seats += adds[visit]
            wheelchairs += adds_wheelchairs[visit]
            if seats > most or wheelchairs > most_wheelchairs or seats < 0:
                ride = self._rides[visit >> 1]
                what = (
                    f"{seats} persons and {wheelchairs} wheelchairs would be aboard {shuttle.id} after {ride.id}; "
                    f"it has {most} and {most_wheelchairs} places"
                )
                self._found("capacity", what, shuttle, ride)
                return

    def _judge_timetable(self, shuttle: _Shuttle, new: int) -> None:
        """No plan is made that could not keep its promises even on free roads.

        Who was told already, or whose promise a fact may have broken, is left to be judged when it happens.
        """
        forced = self._disturbed or shuttle.late
        if forced and new < 0:
            return
        least = self._least
        assert least is not None
        factor, nodes = self._scale(), self._node_of
        rides = self._rides
        if shuttle.goal >= 0:
            node, t = shuttle.drive_node, shuttle.drive_at
        else:
            node, t = shuttle.node, max(shuttle.free_at, self.now)
        here = shuttle.served
        for visit in shuttle.plan:
            ride = rides[visit >> 1]
            place = ride.dropoff_place if visit & 1 else ride.pickup_place
            if place >= 0 and place != here:
                drive = least(node, place)
                t += drive if factor == 1.0 else int(drive * factor * _FLOOR)
                node = nodes[place]
            t = max(t, self.now)
            if visit & 1:
                latest = ride.dropoff_by
                if ride.state is ABOARD:
                    latest = min(latest, ride.boarded_at + ride.max_ride)
            else:
                latest = ride.pickup_to
                t = max(t, ride.pickup_from)
            if t > latest and ride.told_at == NEVER and (not forced or ride.number == new):
                does = "dropped off" if visit & 1 else ("made" if ride.call is not None else "picked up")
                what = f"{ride.id} is to be {does} by {clock(latest)}, but {shuttle.id} can be there at {clock(t)}"
                self._found("promise", what, shuttle, ride)
                return
            if ride.call is not None:
                t += ride.call.duration
            else:
                t += self._dwell_rider * ride.seats
            if place != here and place >= 0:
                t += self._dwell_stop
                here = place
        if t > shuttle.shift.end and not forced:
            what = f"the plan of {shuttle.id} ends at {clock(t)}, its shift at {clock(shuttle.shift.end)}"
            self._found("shift", what, shuttle)

    def _idle_sent(self, event: e.IdleSent) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        if shuttle.closed:
            self._found("legal", f"{shuttle.id} is {shuttle.closed}, but is sent elsewhere", shuttle)
        if any(self._rides[visit >> 1].call is None for visit in shuttle.plan):
            self._found("plan", f"{shuttle.id} is sent elsewhere with riders in its plan", shuttle)

    # What shuttles do

    def _on_duty(self, shuttle: _Shuttle, does: str, ride: _Ride | None = None) -> None:
        """Is it working now? What a fact of the world has delayed beyond the shift's end is still done."""
        shift = shuttle.shift
        if shuttle.closed:
            self._found("legal", f"{shuttle.id} {does}, but is {shuttle.closed}", shuttle, ride)
        elif self.now < shift.start:
            self._found("shift", f"{shuttle.id} {does} before its shift begins at {clock(shift.start)}", shuttle, ride)
        elif self.now > shift.end and not (self._disturbed or shuttle.late):
            self._found("shift", f"{shuttle.id} {does} after its shift ended at {clock(shift.end)}", shuttle, ride)

    def _drive_started(self, event: e.DriveStarted) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        at = event.at
        shift = shuttle.shift
        if shuttle.closed or not shift.start <= at <= shift.end:
            self._on_duty(shuttle, "starts to drive")
        if shuttle.goal >= 0:
            self._found("road", f"{shuttle.id} starts a drive while it is driving", shuttle)
        elif event.node != shuttle.node:
            what = f"{shuttle.id} leaves node {event.node}, but is at node {shuttle.node}"
            self._found("road", what, shuttle)
        if at < shuttle.free_at:
            why = "is at the node" if shuttle.place < 0 else "is ready"
            what = f"{shuttle.id} leaves at {clock(at)}, but {why} at {clock(shuttle.free_at)}"
            self._found("road" if shuttle.place < 0 else "dwell", what, shuttle)
        purpose = event.purpose
        if purpose not in ("rebalance", "depot", "break", "timetable"):
            ride = self._by_id.get(purpose)
            if ride is None:
                self._found("plan", f"{shuttle.id} drives for {purpose}, which was not asked for", shuttle)
            elif not shuttle.plan or shuttle.plan[0] >> 1 != ride.number:
                self._found("plan", f"{shuttle.id} drives for {purpose}, which is not next in its plan", shuttle, ride)
            elif self._place(shuttle.plan[0]) != event.place:
                self._found("plan", f"{shuttle.id} drives to another place than {purpose} goes to", shuttle, ride)
        elif purpose == "rebalance" and any(self._rides[visit >> 1].call is None for visit in shuttle.plan):
            self._found("plan", f"{shuttle.id} drives to {purpose} with riders in its plan", shuttle)
        if not 0 <= event.place < len(self._node_of):
            self._found("log", f"{shuttle.id} drives to place {event.place}, which does not exist", shuttle)
            return
        if shuttle.turned_from >= 0:
            self._judge_turn(shuttle, self._rides[shuttle.turned_from], event.place)
            shuttle.turned_from = -1
        shuttle.goal = event.place
        shuttle.node = shuttle.drive_node = event.node
        shuttle.drive_at = at
        shuttle.drive_factor = self._scale()
        shuttle.drive_table = self._table
        if len(self._slices) > 1:
            shuttle.drive_slice = self._slice(at)
        shuttle.place = shuttle.served = -1

    def _slice(self, at: int) -> int:
        slices = self._slices
        return slices[min(max(at, 0) // QUARTER_MS, len(slices) - 1)] if slices else 0

    def _judge_turn(self, shuttle: _Shuttle, ride: _Ride, place: int) -> None:
        """It was on its way and turned; without leave to, only for a ride that has ended or a fact of the world."""
        old = ride.dropoff_place if ride.state is ABOARD else ride.pickup_place
        if place != old and ride.state in (*_OPEN, FIXED) and not (self._disturbed or shuttle.late):
            what = f"{shuttle.id} was on its way for {ride.id} and is turned away; the policy has no diversions"
            self._found("committed", what, shuttle, ride)

    def _least_drive(self, shuttle: _Shuttle, node: int, place: int) -> int:
        """What a drive from a node to a place takes at least, on the roads on which the drive under way began."""
        table = shuttle.drive_table
        assert table is not None
        free: int = table.item(shuttle.drive_slice, node, place)
        factor = shuttle.drive_factor
        return free if factor == 1.0 else int(free * factor * _FLOOR)

    def _progress_made(self, event: e.ProgressMade) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        if event.reached_at < event.at:
            what = f"{shuttle.id} is to turn at {clock(event.reached_at)}, which is past"
            self._found("road", what, shuttle)
        self._judge_progress(shuttle, event.node, event.reached_at)
        if not self._divert and shuttle.plan and self._place(shuttle.plan[0]) == shuttle.goal:
            shuttle.turned_from = shuttle.plan[0] >> 1
        shuttle.node = event.node
        shuttle.free_at = event.reached_at
        shuttle.goal = -1

    def _position_reported(self, event: e.PositionReported) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        self._judge_progress(shuttle, event.node, event.reached_at)
        shuttle.drive_node = event.node
        shuttle.drive_at = event.reached_at
        shuttle.drive_slice = self._slice(event.reached_at)

    def _judge_progress(self, shuttle: _Shuttle, node: int, reached_at: int) -> None:
        """Can it be at this node by then?

        By the triangle inequality no way between two nodes is shorter than the difference of what they are from any
        place; the difference from its goal is exact if the shuttle follows a fastest way.
        """
        if shuttle.goal < 0:
            self._found("legal", f"{shuttle.id} makes progress, but does not drive", shuttle)
            return
        took = reached_at - shuttle.drive_at
        least = expected = 0
        if shuttle.drive_table is not None and node != shuttle.drive_node:
            table = shuttle.drive_table[shuttle.drive_slice]
            nearer = np.subtract(table[shuttle.drive_node], table[node])
            least, expected = int(nearer.max()), int(nearer[shuttle.goal])
            if shuttle.drive_factor != 1.0:
                least = int(least * shuttle.drive_factor * _FLOOR)
        if took < least:
            what = f"{shuttle.id} is at node {node} at {clock(reached_at)}, {took / 1000:g} s after node"
            self._found("road", f"{what} {shuttle.drive_node}; the road takes {least / 1000:g} s", shuttle)
        elif took > expected:
            shuttle.late = True

    def _stop_arrived(self, event: e.StopArrived) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        at, place, goal = event.at, event.place, shuttle.goal
        if goal < 0:
            self._found("legal", f"{shuttle.id} arrives, but was not driving", shuttle)
        elif place != goal:
            self._found("road", f"{shuttle.id} arrives at place {place}, but was driving to place {goal}", shuttle)
        elif shuttle.drive_table is not None:
            least = self._least_drive(shuttle, shuttle.drive_node, place)
            took = at - shuttle.drive_at
            if took < least:
                what = f"{shuttle.id} drove {took / 1000:g} s from node {shuttle.drive_node} to place {place}"
                self._found("road", f"{what}; the road takes {least / 1000:g} s", shuttle)
            elif took > least:
                shuttle.late = True
        if not 0 <= place < len(self._node_of):
            self._found("log", f"{shuttle.id} arrives at place {place}, which does not exist", shuttle)
            return
        shuttle.goal = -1
        shuttle.place = place
        shuttle.node = self._node_of[place]
        shuttle.free_at = at

    def _serve(self, shuttle: _Shuttle, place: int, head: int, ride: _Ride, does: str) -> None:
        """Service begins at a place: is the shuttle there, is it its turn? `place` -1: anywhere."""
        if shuttle.closed or not shuttle.shift.start <= self.now <= shuttle.shift.end:
            self._on_duty(shuttle, f"{does} {ride.id}", ride)
        if shuttle.goal >= 0:
            self._found("road", f"{shuttle.id} {does} {ride.id} while it is driving", shuttle, ride)
        elif place >= 0 and shuttle.place != place and shuttle.node != self._node_of[place]:
            what = f"{shuttle.id} {does} {ride.id} at place {place}, but stands at node {shuttle.node}"
            self._found("road", what, shuttle, ride)
        if self.now < shuttle.free_at:
            what = f"{shuttle.id} {does} {ride.id} at {clock(self.now)}, but is ready at {clock(shuttle.free_at)}"
            self._found("dwell", what, shuttle, ride)
        waited = self.now - shuttle.free_at
        if waited > self._wait_aboard and shuttle.aboard and not (shuttle.thinned or shuttle.late or self._disturbed):
            what = f"{shuttle.id} waited {waited / 1000:g} s with riders aboard before it {does} {ride.id}"
            self._found("wait_aboard", what, shuttle, ride)
        plan = shuttle.plan
        shuttle.version += 1
        if plan and plan[0] == head:
            del plan[0]
        elif head in plan:
            first = self._rides[plan[0] >> 1]
            self._found("committed", f"{shuttle.id} {does} {ride.id}, but {first.id} comes before", shuttle, ride)
            plan.remove(head)
        else:
            self._found("plan", f"{shuttle.id} {does} {ride.id}, which is not in its plan", shuttle, ride)

    def _dwelt(self, shuttle: _Shuttle, place: int, duration: int) -> None:
        begins = self.now
        if place >= 0:
            shuttle.place = place
            shuttle.node = self._node_of[place]
        shuttle.free_at = begins + duration
        if shuttle.served != place >= 0:
            shuttle.free_at += self._dwell_stop
            shuttle.served = place

    def _rider_awaited(self, event: e.RiderAwaited) -> None:
        shuttle, ride = self._shuttle(event.shuttle), self._ride(event.request)
        if shuttle is None or ride is None:
            return
        if ride.state is not BOOKED or shuttle.goal >= 0 or shuttle.node != self._node_of[ride.pickup_place]:
            self._found("legal", f"{shuttle.id} waits for {ride.id}, which is not to board here", shuttle, ride)
        shuttle.late = True

    def _rider_boarded(self, event: e.RiderBoarded) -> None:
        shuttle, ride = self._shuttle(event.shuttle), self._ride(event.request)
        if shuttle is None or ride is None:
            return
        at = event.at
        if ride.state is not BOOKED and ride.state is not STRANDED:
            self._found("legal", f"{ride.id} boards {shuttle.id}, but is {ride.state}", shuttle, ride)
            return
        self._serve(shuttle, ride.pickup_place, 2 * ride.number, ride, "picks up")
        if ride.shuttle is not shuttle:
            other = "none" if ride.shuttle is None else ride.shuttle.id
            self._found("order", f"{ride.id} boards {shuttle.id}, but its shuttle is {other}", shuttle, ride)
            ride.shuttle = shuttle
        opens = ride.pickup_from
        if at < opens:
            what = f"{ride.id} was picked up at {clock(at)}, but was promised not before {clock(opens)}"
            self._found("early", what, shuttle, ride)
        if at > ride.pickup_to and ride.state is BOOKED:
            what = f"{ride.id} was picked up at {clock(at)}, but was promised it by {clock(ride.pickup_to)}"
            self._breach("promise", ride.pickup_to, what, shuttle, ride)
        if not shuttle.aboard:
            shuttle.thinned = False
        ride.state = ABOARD
        ride.boarded_at = at
        shuttle.aboard.add(ride.number)
        shuttle.seats += ride.seats
        shuttle.wheelchairs += ride.wheelchairs
        shift = shuttle.shift
        if shuttle.seats > shift.seats or shuttle.wheelchairs > shift.wheelchairs:
            what = (
                f"{shuttle.seats} persons and {shuttle.wheelchairs} wheelchairs are aboard {shuttle.id}; "
                f"it has {shift.seats} and {shift.wheelchairs} places"
            )
            self._found("capacity", what, shuttle, ride)
        self._dwelt(shuttle, ride.pickup_place, self._dwell_rider * ride.seats)

    def _rider_alighted(self, event: e.RiderAlighted) -> None:
        shuttle, ride = self._shuttle(event.shuttle), self._ride(event.request)
        if shuttle is None or ride is None:
            return
        at = event.at
        if ride.state is not ABOARD:
            self._found("legal", f"{ride.id} alights from {shuttle.id}, but is {ride.state}", shuttle, ride)
            return
        if ride.number not in shuttle.aboard:
            other = "another shuttle" if ride.shuttle is None else ride.shuttle.id
            self._found("order", f"{ride.id} alights from {shuttle.id}, but boarded {other}", shuttle, ride)
            return
        self._serve(shuttle, ride.dropoff_place, 2 * ride.number + 1, ride, "drops off")
        if at > ride.dropoff_by:
            what = f"{ride.id} arrived at {clock(at)}, but was promised it by {clock(ride.dropoff_by)}"
            self._breach("promise", ride.dropoff_by, what, shuttle, ride)
        aboard_for = at - ride.boarded_at + ride.carried
        if aboard_for > ride.max_ride:
            what = f"{ride.id} was aboard for {aboard_for / 1000:g} s, but was promised {ride.max_ride / 1000:g} s"
            self._breach("ride_time", at - (aboard_for - ride.max_ride), what, shuttle, ride)
        ride.state = DELIVERED
        self._off(shuttle, ride)
        self._dwelt(shuttle, ride.dropoff_place, self._dwell_rider * ride.seats)

    def _off(self, shuttle: _Shuttle, ride: _Ride) -> None:
        shuttle.aboard.discard(ride.number)
        shuttle.seats -= ride.seats
        shuttle.wheelchairs -= ride.wheelchairs

    def _no_show(self, event: e.NoShow) -> None:
        shuttle, ride = self._shuttle(event.shuttle), self._ride(event.request)
        if shuttle is None or ride is None:
            return
        if ride.state is not BOOKED:
            self._found("legal", f"{ride.id} is said not to be there, but is {ride.state}", shuttle, ride)
            return
        if ride.shuttle is not shuttle:
            self._found("order", f"{ride.id} is missed by {shuttle.id}, which is not its shuttle", shuttle, ride)
        if shuttle.goal >= 0 or shuttle.node != self._node_of[ride.pickup_place]:
            self._found("road", f"{shuttle.id} misses {ride.id}, but is not at the stop point", shuttle, ride)
        given_up = max(shuttle.free_at, ride.pickup_from) + self._no_show_grace
        if event.at < given_up:
            what = f"{ride.id} is given up at {clock(event.at)}, but was to be awaited until {clock(given_up)}"
            self._found("early", what, shuttle, ride)
        if shuttle.free_at > ride.pickup_to:
            what = f"{shuttle.id} came for {ride.id} at {clock(shuttle.free_at)}, after {clock(ride.pickup_to)}"
            self._breach("promise", ride.pickup_to, what, shuttle, ride)
        shuttle.late = True
        ride.state = NO_SHOW
        self._taken_out(ride)

    def _call_made(self, event: e.CallMade) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        number = event.number
        ride = self._rides[number] if 0 <= number < len(self._rides) else None
        if ride is None or ride.call is None or ride.shuttle is not shuttle:
            self._found("log", f"{shuttle.id} has no fixed call {event.number}", shuttle)
            return
        if ride.state is MADE:
            self._found("legal", f"{ride.id} is made a second time", shuttle)
            return
        call = ride.call
        self._serve(shuttle, ride.pickup_place, 2 * number, ride, "makes")
        if not call.earliest <= event.at <= call.latest:
            forced = event.at > call.latest and (self._disturbed or shuttle.late)
            if not forced:
                what = f"{ride.id} began at {clock(event.at)}, not from {clock(call.earliest)} to {clock(call.latest)}"
                self._found("call", what, shuttle)
        if call.kind == "break" and shuttle.aboard:
            self._found("call", f"{ride.id} is taken with {len(shuttle.aboard)} bookings aboard", shuttle)
        ride.state = MADE
        self._dwelt(shuttle, ride.pickup_place, call.duration)

    def _shuttle_broke_down(self, event: e.ShuttleBrokeDown) -> None:
        shuttle = self._shuttle(event.shuttle)
        if shuttle is None:
            return
        if shuttle.closed:
            self._found("legal", f"{shuttle.id} breaks down, but is {shuttle.closed}", shuttle)
        self._disturbed = True
        shuttle.closed = "broken"
        shuttle.node = event.node
        shuttle.goal = shuttle.place = shuttle.served = -1
        # riders aboard leave it where it stands, the others need another one
        aboard = []
        for visit in shuttle.plan:
            ride = self._rides[visit >> 1]
            if ride.state is ABOARD:
                aboard.append(visit)
            elif ride.call is None:
                ride.shuttle = None
        shuttle.plan = aboard
        shuttle.version += 1

    def _rider_stranded(self, event: e.RiderStranded) -> None:
        shuttle, ride = self._shuttle(event.shuttle), self._ride(event.request)
        if shuttle is None or ride is None:
            return
        if ride.state is not ABOARD or ride.number not in shuttle.aboard:
            self._found("legal", f"{ride.id} leaves {shuttle.id}, but was not aboard", shuttle, ride)
            return
        if shuttle.closed != "broken":
            self._found("legal", f"{ride.id} leaves {shuttle.id} on the way, but it did not break down", shuttle, ride)
        ride.state = STRANDED
        self._taken_out(ride)
        ride.pickup_place = event.place
        ride.pickup_from, ride.pickup_to = event.at, NEVER
        ride.carried += event.at - ride.boarded_at
        self._off(shuttle, ride)

    # Roads and time

    def _road_closed(self, event: e.RoadClosed) -> None:
        self._closed_edges.update(event.edges)
        self._roads_changed()

    def _road_reopened(self, event: e.RoadReopened) -> None:
        self._closed_edges.difference_update(event.edges)
        self._roads_changed()

    def _speeds_changed(self, event: e.SpeedsChanged) -> None:
        self._factor = event.factor
        self._roads_changed()

    def _roads_changed(self) -> None:
        """A drive goes on as the roads now are from where it was last noted, if that is now; else as they were."""
        self._disturbed = True
        if self._reroute is not None and self._times is not None:
            self._drive_on(self._reroute(frozenset(self._closed_edges), self._factor).table)
        for shuttle in self._shuttles.values():
            if shuttle.drive_at >= self.now:
                shuttle.drive_factor, shuttle.drive_table = self._scale(), self._table
            else:
                shuttle.drive_factor = min(shuttle.drive_factor, self._scale())

    def _scale(self) -> float:
        """By what the table's times are to be scaled: by nothing, if it was made for the speeds of now."""
        return 1.0 if self._reroute is not None else self._factor

    def _act_taken(self, event: e.ActTaken) -> None:
        ride = None if event.request is None else self._ride(event.request)
        shuttle = None if event.shuttle is None else self._shuttle(event.shuttle)
        if event.act == "assign":  # a promise may be broken by who answers for it; the rider must be told
            for moved in (shuttle, None if ride is None else ride.shuttle):
                if moved is not None:
                    moved.late = True
        if not event.author:
            self._found("log", f"somebody's act ({event.act}) names no author", None, ride)
        if event.place is not None:
            if event.act == "close_stop":
                self._closed_places.add(event.place)
                for other in self._rides:  # who was to board or alight there may have to wait
                    if other.shuttle is not None and event.place in (other.pickup_place, other.dropoff_place):
                        other.shuttle.late = True
            elif event.act == "open_stop":
                self._closed_places.discard(event.place)
        if ride is not None and event.act == "lock":
            self._locked.add(ride.number)
        elif ride is not None and event.act in ("unlock", "assign"):
            self._locked.discard(ride.number)

    def _day_closed(self, _: e.DayClosed) -> None:
        self._overdue(NEVER)
        for ride in self._rides:
            if ride.state is BOOKED and ride.pickup_from > self.now:
                continue  # booked ahead: the next day's log takes it up
            if ride.state in _OPEN:
                shuttle = ride.shuttle
                what = f"the day is closed, but {ride.id} is still {ride.state}"
                if ride.state is ABOARD and shuttle is not None and shuttle.closed:
                    self._found("undelivered", f"{what} {shuttle.id}, which is {shuttle.closed}", shuttle, ride)
                else:
                    self._breach("undelivered", max(ride.dropoff_by, ride.boarded_at), what, shuttle, ride)
            elif ride.state is QUEUED:
                self._found("answered", f"the day is closed, but {ride.id} is still queued", None, ride)
        self._open = False


def _told(limit: int | None, later: int) -> int:
    """A limit as it may be promised: in whole seconds, rounded outward."""
    return NEVER if limit is None else -(-(limit + later) // 1000) * 1000
