"""The fleet as flat integer arrays: what the compiled kernels read. A cache of the world, never a second truth.

Three arrays, their columns named here: `shuttles[v]`, `routes[v]` (the plan and its timetable) and `visits[code]`
(what a pickup or a drop-off demands). `code` is 2 × ride number for a pickup or fixed call, + 1 for a drop-off.
All times are ms, all loads persons.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dispatch.core.domain import NEVER

Ints = NDArray[np.int64]

# shuttles[v, …]
N = 0  # visits ahead
NODE = 1  # where it stands or can next turn …
AT = 2  # … and since or from when: end of service, shift start, or the moment the node is passed
HEADING = 3  # place it drives to, -1 when it does not
SLICE = 4  # time slice of the drive under way
STANDS = 5  # place where it stands with its doors open: no second dwell per stop; -1 elsewhere
SINCE = 6  # when it came to a stand there or was done with the last service; NEVER while it drives
SEATS = 7
WHEELCHAIRS = 8
ABOARD = 9  # persons
WABOARD = 10  # wheelchairs
END = 11  # of the shift
OPEN = 12  # 1: takes new riders
TAIL = 13  # visits at the plan's end that stay there (the depot)
FROZEN = 14  # visits at the plan's head that may not move
WAITS = 15  # 1: somewhere in the timetable it waits for a window to open; 2, 3: and something is delayed on purpose
START = 16  # of the shift
SHUTTLE_COLUMNS = 17

# routes[v, …, position]
CODE = 0
PLACE = 1
BEGIN = 2  # service begins
DONE = 3  # service ends
LATEST_OK = 4  # latest begin in any timetable that keeps windows, shift and ride times
LOAD = 5  # persons aboard after the visit
WLOAD = 6
PAIR = 7  # position of a drop-off's own pickup, -1 if the rider is aboard; -2: a break taken wherever the shuttle is
SOONEST = 8  # service would end, were nothing delayed on purpose
TRIAL = 9  # used while an insertion is tried
LEG = 10  # drive to it
ROOM = 11  # by so much it and all after it may be later for all the rides that end there; NEVER if none has a limit
ROUTE_ROWS = 12

# visits[code, …]
V_PLACE = 0  # -1: wherever the shuttle is
V_EARLIEST = 1
V_LATEST = 2
V_DWELL = 3
V_SEATS = 4  # negative at a drop-off
V_WHEELCHAIRS = 5
V_RIDE = 6  # longest time aboard (drop-offs); NEVER if unbounded
V_KIND = 7
VISIT_COLUMNS = 8
PICKUP, DROPOFF, FIXED, BREAK = 0, 1, 2, 3  # nobody is aboard during a break

# rules[…]
STOP_DWELL = 0
WAIT_ABOARD = 1
W_DRIVE = 2  # cost per ms of driving, in thousandths
W_DELAY = 3  # cost per ms of any rider's drop-off, in thousandths
WAKE = 4  # bonus for waking an idle shuttle, thousandths of ms
DIVERT = 5
RULES = 6


class Fleet:
    """The arrays, grown as needed."""

    def __init__(self, shuttles: int = 8, visits: int = 256, points: int = 16) -> None:
        self.count = 0
        self.shuttles: Ints = np.zeros((shuttles, SHUTTLE_COLUMNS), np.int64)
        self.shuttles[:, SINCE] = NEVER
        self.routes: Ints = np.zeros((shuttles, ROUTE_ROWS, points), np.int64)
        self.visits: Ints = np.zeros((visits, VISIT_COLUMNS), np.int64)
        self.visits[:, V_RIDE] = NEVER
        self.rules: Ints = np.zeros(RULES, np.int64)
        self.scratch: Ints = np.zeros((ROUTE_ROWS, points), np.int64)
        """a plan that is being tried"""

    def room_for(self, *, shuttle: int = 0, points: int = 0, code: int = 0) -> None:
        """Grow until shuttle row `shuttle`, `points` visits a plan (and two more) and visit `code` fit."""
        if shuttle >= len(self.shuttles):
            self.shuttles = _grown(self.shuttles, (2 * (shuttle + 1), SHUTTLE_COLUMNS))
            self.routes = _grown(self.routes, (2 * (shuttle + 1), *self.routes.shape[1:]))
        if points + 2 > self.routes.shape[2]:
            self.routes = _grown(self.routes, (*self.routes.shape[:2], 2 * (points + 2)))
            self.scratch = np.zeros_like(self.routes[0])
        if code >= len(self.visits):
            known = len(self.visits)
            self.visits = _grown(self.visits, (2 * (code + 2), VISIT_COLUMNS))
            self.visits[known:, V_RIDE] = NEVER


def _grown(array: Ints, shape: tuple[int, ...]) -> Ints:
    new = np.zeros(shape, np.int64)
    new[tuple(slice(0, n) for n in array.shape)] = array
    return new
