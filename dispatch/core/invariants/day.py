"""The day as the log tells it: every ride, every shuttle, the roads, and what was found wrong so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dispatch.core.domain import NEVER, FixedCall, RideRequest, Shift
from dispatch.core.invariants.rules import Violation
from routing.travel_times import QUARTER_MS, DriveTimes

Reroute = Callable[[frozenset[int], float], DriveTimes]
"""driving times with these edges closed and all drives lengthened by the factor"""

FLOOR: Final = 0.999
"""of a scaled drive: edges are scaled and rounded one by one, so the sum may be a little below the scaled sum"""

ASKED, QUEUED, REFUSED, DECLINED = "asked", "queued", "refused", "declined"
BOOKED, ABOARD, STRANDED = "booked", "aboard", "stranded"
DELIVERED, CANCELLED, NO_SHOW = "delivered", "cancelled", "not there"
FIXED, MADE = "planned", "made"
OPEN = (BOOKED, ABOARD, STRANDED)


class Ride:
    """A request and what became of it; or a fixed call, which is numbered in the same row."""

    __slots__ = (
        "boarded_at", "call", "carried", "dropoff_by", "dropoff_place", "due", "excused", "id", "max_ride", "number",
        "offered", "pickup_from", "pickup_place", "pickup_to", "queued", "request", "seats", "shuttle", "state",
        "told_at", "wheelchairs",
    )  # fmt: skip

    def __init__(self, number: int, id: str, state: str, due: int) -> None:  # noqa: A002
        self.number = number
        self.id = id
        self.state = state
        self.due = due
        self.request: RideRequest | None = None
        self.call: FixedCall | None = None
        self.shuttle: Shuttle | None = None
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
        self.excused = False  # a ride taken out of the plan is to blame
        self.offered = False
        self.queued = False


class Shuttle:
    """Where a shuttle is and what it is to do, as the log tells."""

    __slots__ = (
        "aboard", "breaks", "closed", "drive_at", "drive_factor", "drive_node", "drive_slice", "drive_table",
        "free_at", "goal", "id", "late", "node", "place", "plan", "rests", "seats", "served", "shift", "spare",
        "thinned", "turned_from", "version", "wheelchairs",
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
        self.breaks = False  # its driver has asked for one
        self.rests = False  # its driver has one, until it is free
        self.seats = 0
        self.wheelchairs = 0
        self.closed = ""  # why it takes part no more
        self.turned_from = -1  # ride it was on its way to when it turned, where the policy has no diversions
        self.late = False  # a fact of the world has delayed it
        self.thinned = False  # a ride was taken out of its plan
        self.spare = NEVER  # if so since the plan was last made: how much later those aboard could have been fetched

    def thin(self) -> None:
        """A ride was taken out of its plan: what is left was not planned so."""
        self.thinned, self.spare = True, 0

    def off(self, ride: Ride) -> None:
        """A ride is no longer aboard."""
        self.aboard.discard(ride.number)
        self.seats -= ride.seats
        self.wheelchairs -= ride.wheelchairs


class Day:
    """What the log has told up to now; the functions that judge an event read it and carry it on."""

    def __init__(self, times: DriveTimes | None = None, reroute: Reroute | None = None) -> None:
        self.violations: list[Violation] = []
        self.seq = 0
        self.now = -NEVER
        self.times = times
        self.slices: list[int] = [] if times is None else times.slices.tolist()
        self.sliced = len(set(self.slices)) > 1  # who leaves later may be there sooner
        self.reroute = reroute
        self.closed_edges: set[int] = set()
        self.table: NDArray[np.int32] | None = None
        # the shortest of the day's slices: what no plan can beat, whenever its drives begin
        self.least: Callable[..., int] | None = None
        if times is not None:
            self.drive_on(times.table)
        self.node_of: Sequence[int] = () if times is None else times.place_nodes.tolist()
        self.rides: list[Ride] = []
        self.by_id: dict[str, Ride] = {}
        self.shuttles: dict[str, Shuttle] = {}
        self.pending: dict[str, int] = {}  # requests without an answer: by when they are to have one, soonest first
        self.locked: set[int] = set()  # rides that only a person in charge may move
        self.closed_places: set[int] = set()
        self.due = NEVER  # the soonest of these
        self.adds_seats: list[int] = []  # what each visit adds to the load
        self.adds_wheelchairs: list[int] = []
        self.factor = 1.0
        self.disturbed = False  # a fact of the world has befallen the whole town
        self.open = False
        # of the policy, in milliseconds
        self.dwell_stop = 0
        self.dwell_rider = 0
        self.wait_aboard = NEVER
        self.divert = True
        self.no_show_grace = 0
        self.later = 0
        self.quote_valid = 0

    def found(self, invariant: str, what: str, shuttle: Shuttle | None = None, ride: Ride | None = None) -> None:
        """Something is wrong with the line that is read."""
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

    def shuttle(self, id: str) -> Shuttle | None:  # noqa: A002
        """The shuttle of a shift; None, which is found, if none was opened."""
        shuttle = self.shuttles.get(id)
        if shuttle is None:
            self.found("log", f"no shift {id} was opened")
        return shuttle

    def ride(self, id: str) -> Ride | None:  # noqa: A002
        """The ride of a request; None, which is found, if none was made."""
        ride = self.by_id.get(id)
        if ride is None:
            self.found("log", f"no request {id} was made")
        return ride

    def numbered(self, id: str, state: str, due: int) -> Ride:  # noqa: A002
        """A new row: of a request, or of a fixed call."""
        ride = Ride(len(self.rides), id, state, due)
        self.rides.append(ride)
        self.adds_seats += (0, 0)
        self.adds_wheelchairs += (0, 0)
        return ride

    def place_of(self, visit: int) -> int:
        """Where a plan's visit is: 2 × number of the ride for its pickup, 1 more for its drop-off."""
        ride = self.rides[visit >> 1]
        return ride.dropoff_place if visit & 1 else ride.pickup_place

    def drive_on(self, table: NDArray[np.int32]) -> None:
        """From now on the driving times are these (slice, node, place)."""
        self.table = table
        self.least = (table[0] if len(table) == 1 else table.min(axis=0)).item

    def scale(self) -> float:
        """By what the table's times are to be scaled: by nothing, if it was made for the speeds of now."""
        return 1.0 if self.reroute is not None else self.factor

    def slice_at(self, at: int) -> int:
        """Which slice of the table holds for a drive that begins then."""
        slices = self.slices
        return slices[min(max(at, 0) // QUARTER_MS, len(slices) - 1)] if slices else 0
