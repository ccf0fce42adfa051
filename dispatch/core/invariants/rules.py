"""What is judged, where, and how a breach is said."""

from __future__ import annotations

from typing import Final

from msgspec import Struct


class Invariant(Struct, frozen=True):
    """One rule that every day keeps."""

    number: int | None
    """that of the house's list of invariants, which has more of them: what only a test can see is not judged here"""
    judged_in: tuple[str, ...]
    """modules of this package"""
    holds: str
    """a sentence"""


INVARIANTS: Final[dict[str, Invariant]] = {
    "one_plan": Invariant(
        1, ("plans",), "a booking is on exactly one plan, with one pickup and one drop-off, until it ends"
    ),
    "undelivered": Invariant(1, ("log", "shifts"), "a rider who was promised a ride is carried, or gave it back"),
    "order": Invariant(2, ("plans", "stops"), "pickup before drop-off, on the same shuttle; aboard, riders stay on it"),
    "capacity": Invariant(
        3, ("plans", "stops"), "no leg carries more persons or wheelchairs than there are places, planned or driven"
    ),
    "promise": Invariant(
        4, ("promises", "stops"), "what was promised is kept, and no plan is made that cannot keep it"
    ),
    "at_risk": Invariant(4, ("promises",), "when a fact of the world breaks a promise, the rider is told within 30 s"),
    "ride_time": Invariant(5, ("promises", "stops"), "nobody is aboard for longer than was promised"),
    "committed": Invariant(
        6,
        ("plans", "driving", "stops"),
        "what was done, or is being driven to without leave to turn, never changes",
    ),
    "once": Invariant(7, ("answers",), "a request is made once and booked once"),
    "gapless": Invariant(10, ("plans",), "each plan's version rises by one with every change"),
    "log": Invariant(
        10,
        ("log", "day", "driving", "stops"),
        "the log begins with the day, ends once, names only what it introduced, and time never runs back",
    ),
    "legal": Invariant(
        12,
        ("answers", "promises", "shifts", "driving", "stops"),
        "only steps that can follow each other: nobody boards twice, or after cancelling",
    ),
    "off_shift": Invariant(
        13, ("answers", "plans"), "no new promise uses a shuttle that is off shift, closed or broken"
    ),
    "road": Invariant(15, ("driving", "stops"), "no shuttle outruns the road, or is in two places"),
    "dwell": Invariant(15, ("driving", "stops"), "no shuttle leaves before everybody is in or out"),
    "plan": Invariant(
        15, ("driving", "stops"), "shuttles drive where their plans say, and nowhere for a request not yet made"
    ),
    "early": Invariant(None, ("stops",), "nobody is picked up before the promised window opens"),
    "shift": Invariant(None, ("shifts", "promises"), "nothing is done outside the shift"),
    "call": Invariant(
        None, ("stops",), "breaks and timetabled calls begin in their windows, breaks with nobody aboard"
    ),
    "wait_aboard": Invariant(
        None, ("stops",), "no rider waits aboard, at a stop point, for longer than the policy's bound"
    ),
    "answered": Invariant(
        None,
        ("answers", "log"),
        "every request is answered by the next half minute, a queued one by the end of its queueing",
    ),
}


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


def clock(ms: int) -> str:
    """12:34:56, of the service day, with milliseconds where there are any."""
    sign = "-" if ms < 0 else ""
    seconds, rest = divmod(abs(ms), 1000)
    text = f"{sign}{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return f"{text}.{rest:03}" if rest else text
