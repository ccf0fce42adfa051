"""Why an answer came out as it did, in words a rider understands and constants a planner can count."""

from __future__ import annotations

from dispatch.core import insertion
from dispatch.core.domain import Cause, Receipt

CONSTRAINTS = {
    insertion.CLOSED: "off_shift",
    insertion.OUT_OF_REACH: "out_of_reach",
    insertion.TOO_FULL: "full",
    insertion.PICKUP_LATE: "pickup_late",
    insertion.DROPOFF_LATE: "dropoff_late",
    insertion.BREAKS_PROMISE: "others_promises",
}
"""What bound a shuttle, farthest from carrying the rider first."""

SENTENCES = {
    "off_shift": "No shuttle is on shift at that time.",
    "out_of_reach": "No shuttle could be at the stop point in time, not even by driving there straight.",
    "full": "The shuttles that could come in time have no free place for this party.",
    "pickup_late": "The shuttles near enough have to carry others first and would come too late.",
    "dropoff_late": "A shuttle could come, but could not arrive by the latest time.",
    "others_promises": "Taking this ride would break what was promised to riders already booked.",
    "party_too_large": "The party is larger than one booking may be.",
    "stop_closed": "The only stop point near enough is closed.",
    "no_way": "There is no road from the one stop point to the other.",
    "shift_ends": "The shift of every shuttle that could come ends before the ride would.",
    "past": "The latest time asked for has passed.",
    "out_of_the_way": "It is too far out of the way for the shuttles at this busy hour: a rule of the service.",
    "paused": "The zone is paused: no new rides are taken just now.",
    "horizon": "That is farther ahead than rides can be booked.",
    "not_carried": "The shuttles of that day cannot carry this ride any more.",
}
"""What each constraint means, in plain words."""


def in_words(receipt: Receipt) -> str:
    """The receipt as a rider reads it."""
    words = SENTENCES.get(receipt.binding or "", "")
    counted = f" {receipt.in_reach} of {receipt.shuttles} shuttles on shift were in reach." if receipt.shuttles else ""
    return f"{words}{counted} {receipt.relax or ''}".strip()


def empty_passed_by(receipt: Receipt) -> tuple[Cause, ...]:
    """Shuttles near enough that did not take the rider: the answer to "why did one drive past me?"."""
    return tuple(cause for cause in receipt.causes if cause.constraint not in ("off_shift", "out_of_reach"))
