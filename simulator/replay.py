"""A recorded day once more: its inputs fed to a desk, which must decide as the log says, line by line.

Inputs are what the world or a person did: calls and the quote that a rider took, cancellations, what shuttles told,
closed roads, ticks of the timer. Everything else in a log is a decision and is made again by `dispatch.core.reactions`,
the code that decided it. `simulator.replay_policy` lives the same day under other rules instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from dispatch import solver
from dispatch.core import events as ev
from dispatch.core import operating
from dispatch.core.carry import NOT_CARRIED
from dispatch.core.changes import change
from dispatch.core.desk import Desk
from dispatch.core.domain import NEVER, Quote, RideRequest
from dispatch.core.reactions import Reactions, answer
from routing.errors import InputError
from simulator.judge import network_beside, rerouting
from simulator.outputs import LOG

if TYPE_CHECKING:
    from routing.network import RoadNetwork

FACTS: Final = (
    ev.DayOpened, ev.PolicyChanged, ev.ShiftOpened, ev.ShiftClosed, ev.ShiftChanged,
    ev.DriveStarted, ev.PositionReported,
    ev.StopArrived, ev.RiderAwaited, ev.RiderBoarded, ev.RiderAlighted, ev.NoShow, ev.CallMade, ev.QuoteDeclined,
    ev.BreakPlanned, ev.BreakDropped, ev.BreakEnded, ev.PlansChanged, ev.DayClosed,
)  # fmt: skip
"""Told to the desk as they stand; nothing but saving endangered promises follows from them."""
ANSWERS: Final = (ev.RideBooked, ev.QuoteDeclined, ev.RideQueued, ev.RideRefused)
AS_THEY_COME: Final = "as they come"
"""riders at one stop point got in or out in another order than planned"""
ROADS: Final = (ev.RoadClosed, ev.RoadReopened, ev.SpeedsChanged)


class Recorded(NamedTuple):
    """A log as it was found."""

    path: Path
    events: list[ev.AnyEvent]
    cut: str | None = None
    """what is wrong with its last line; None: it ends with a whole one"""

    @property
    def opened(self) -> ev.DayOpened:
        """Its first event."""
        opened = self.events[0]
        assert isinstance(opened, ev.DayOpened)
        return opened


class Difference(NamedTuple):
    """The first decision that was not made again as the log has it."""

    line: int
    logged: ev.Event | None
    """None: the log has nothing more"""
    decided: ev.Event | None
    """None: the desk decides nothing more there"""

    def __str__(self) -> str:
        if self.logged is None:
            return f"line {self.line}: the log ends, but the desk decides {_tell(self.decided)}"
        if self.decided is None:
            return f"line {self.line}: the log has {_tell(self.logged)}; nothing there makes the desk decide so"
        return f"line {self.line}: the log has {_tell(self.logged)}; the desk decides {_tell(self.decided)}"


class Replayed(NamedTuple):
    """What came of a replay."""

    events: int
    """lines that came out again, to the byte"""
    decisions: int
    """of them, made by the desk"""
    difference: Difference | None
    cut: str | None
    whole: bool
    """the log ends with the end of its day"""


def read_recorded(log: Path) -> Recorded:
    """A log whose last line may be cut off. Raises InputError for whatever else cannot be read."""
    path = log / LOG if log.is_dir() else log
    if not path.is_file():
        part = path.with_name(path.name + ".part")  # of a day that was killed
        if not part.is_file():
            raise InputError("no such log", file=path, expected=f"a folder that holds {LOG}, or that file")
        path = part
    lines = path.read_bytes().splitlines(keepends=True)
    cut = None
    if lines and not lines[-1].endswith(b"\n"):
        cut = f"line {len(lines)} is cut off after {len(lines[-1])} bytes"
        lines.pop()
    try:
        events = list(ev.read_log(lines))
    except ValueError as error:
        raise InputError(str(error), file=path, expected="a log that Naru wrote") from None
    if not events or not isinstance(events[0], ev.DayOpened):
        what = "is empty" if not events else "does not begin with a day"
        raise InputError(what, file=path, line=1, expected="DayOpened as its first line")
    return Recorded(path, events, cut)


def roads_of(recorded: Recorded) -> tuple[RoadNetwork, Desk]:
    """The streets beside a log, and a desk on them. Raises InputError if they are missing or those of another day."""
    network = network_of(recorded)
    return network, desk_on(network, recorded.opened)


def network_of(recorded: Recorded) -> RoadNetwork:
    """The streets beside a log. Raises InputError if they are missing or those of another day."""
    from simulator.simulate import fingerprint

    network = network_beside(recorded.path)
    if network is None:
        raise InputError("no map.npz lies beside the log", file=recorded.path, expected="the output folder of its day")
    expected = recorded.opened.map
    if fingerprint(network) != expected:
        raise InputError("the map beside the log is not the one of its day", file=recorded.path,
                         expected=f"map {expected}")  # fmt: skip
    return network


def desk_on(network: RoadNetwork, opened: ev.DayOpened) -> Desk:
    """A desk on these streets, as the day has them, whose roads can be closed and slowed."""
    from routing.travel_times import ProfileStep, drive_times

    profile = [ProfileStep(*step) for step in opened.profile]
    reroute = rerouting(network, opened.place_nodes, profile)
    return Desk(drive_times(network, opened.place_nodes, profile=profile), reroute=reroute)


def check_version(recorded: Recorded) -> None:
    """Raises InputError if another version of Naru wrote the log: it may have decided otherwise."""
    from importlib.metadata import version

    ours, theirs = version("naru-transit"), recorded.opened.version
    if theirs != ours:
        raise InputError(f"was written by Naru {theirs}", file=recorded.path, line=1, field="version",
                         expected=f"{ours}, whose decisions can be made again")  # fmt: skip


def replay(recorded: Recorded, desk: Desk, progress: Callable[[float], None] = lambda _: None) -> Replayed:
    """Feed the log's inputs to the desk until a decision differs or the log ends."""
    return _Replay(recorded, desk, progress).run()


class _Altered(Exception):  # noqa: N818 - not an error: what a replay looks for
    """The desk has decided something that the log does not say."""


class _CutOff(Exception):  # noqa: N818 - the log ends within what one input set off
    """The rest of a reaction is not in the log any more."""


class _Replay:
    def __init__(self, recorded: Recorded, desk: Desk, progress: Callable[[float], None]) -> None:
        self.log = recorded.events
        self.cut = recorded.cut
        self.zero = recorded.opened.zero_utc
        self.live = recorded.opened.live
        self.whole = isinstance(self.log[-1], ev.DayClosed)
        self.line = 0
        """lines that came out again"""
        self.inputs = 0
        self.difference: Difference | None = None
        self.desk = desk
        self.progress = progress
        self.react = Reactions(desk, self._compare, solver.OR_TOOLS)

    def run(self) -> Replayed:
        try:
            while self.line < len(self.log):
                self._feed(self.line)
                if self.inputs % 500 == 0:
                    self.progress(self.line / len(self.log))
        except (_Altered, _CutOff):
            pass
        return Replayed(self.line, self.line - self.inputs, self.difference, self.cut, self.whole)

    def _compare(self, event: ev.Event) -> None:
        """Each event that is recorded, fact or decision, must be the next of the log."""
        if self.line == len(self.log):
            if not self.whole:
                raise _CutOff
            self.difference = Difference(self.line + 1, None, event)
            raise _Altered
        logged = self.log[self.line]
        if logged != event and ev.log_line(logged, 1, self.zero) != ev.log_line(event, 1, self.zero):
            self._differ(event)
        self.line += 1

    def _differ(self, decided: ev.Event | None) -> None:
        self.difference = Difference(self.line + 1, self.log[self.line], decided)
        raise _Altered

    def _feed(self, i: int) -> None:
        """Take the input at line i + 1 (or the one that the decisions there lead up to), and decide."""
        self.inputs += 1
        event = self._input(i)
        now = event.at
        try:
            self._react(event, now)
        except (KeyError, IndexError, AssertionError):  # the event does not fit the world that the log has made
            self._differ(None)

    def _react(self, event: ev.Event, now: int) -> None:
        react = self.react
        match event:
            case ev.RequestMade(instead_of=str()):
                change(react, event, now)
            case ev.RequestMade(carried=True) | ev.RideBooked(kind="carried"):
                react.record([event])
            case ev.RideRefused(receipt=receipt) if receipt.binding == NOT_CARRIED:
                react.record([event])
            case ev.RequestMade(request=request):
                react.record([event])
                if self._answered_at_once(request.id, now):
                    react.record(answer(self.desk, request, now, self._choose))
            case ev.RideBooked() if self.live:
                react.record(self.desk.accept(_taken(event), now))
            case ev.RideQueued(request=name) | ev.RideRefused(request=name) if self.live:
                react.record(self.desk.refuse(name, now, self.desk.quote(name, now)))
            case ev.ActTaken(act="withdraw", shuttle=str(shuttle)):
                react.record([event])
                react.break_down(shuttle, now)
            case ev.ActTaken():
                react.record([event])
                react.record(operating.follow(self.desk, event, now))
            case ev.RideCancelled(request=request, reason=reason):
                react.cancel(request, now, reason)
            case ev.TimerTicked(improves=improves, tries=tries):
                react.tick(now, improves=improves, tries=tries)
            case ev.PlansProposed():
                react.propose(event)
            case ev.ShuttleBrokeDown(shuttle=shuttle):
                react.break_down(shuttle, now)
            case ev.RoadClosed() | ev.RoadReopened() | ev.SpeedsChanged():
                react.change_roads(event, now)
            case _ if isinstance(event, FACTS):
                react.record([event])
            case _:
                self._differ(None)
        react.settle(self._settled_at(now))

    def _answered_at_once(self, request: str, now: int) -> bool:
        """Does the answer follow, or did the rider take time to choose?"""
        if not self.live:
            return True
        for event in islice(self.log, self.line, None):
            if not isinstance(event, ev.ProgressMade):
                return isinstance(event, ANSWERS) and event.request == request and event.at == now
        return True

    def _settled_at(self, now: int) -> int:
        """When promises were looked after: a live service may learn of a fact a little after it was."""
        if not self.live:
            return now
        following = next(islice(self.log, self.line, None), None)
        return following.at if isinstance(following, ev.PromiseAtRisk | ev.PlansChanged | ev.ProgressMade) else now

    def _input(self, i: int) -> ev.Event:
        """The input at line i + 1. A turn of a shuttle leads up to a cancellation, positions to a change of roads."""
        event = self.log[i]
        if isinstance(event, ev.ProgressMade):
            following = next(islice(self.log, i + 1, i + 2), None)
            return following if isinstance(following, ev.RideCancelled | ev.RideBooked) else event
        if isinstance(event, ev.PlansChanged) and event.cause != AS_THEY_COME:
            self._differ(None)
        if isinstance(event, ev.PositionReported):
            driving = sum(shuttle.heading >= 0 for shuttle in self.desk.world.shuttles.values())
            noted = self.log[i : i + driving]
            change = self.log[i + driving] if i + driving < len(self.log) else None
            if isinstance(change, ROADS) and change.at == event.at and all(
                isinstance(note, ev.PositionReported) and note.at == event.at for note in noted
            ):  # fmt: skip
                return change
        return event

    def _choose(self, request: RideRequest, quotes: Sequence[Quote]) -> int | None:
        """The quote that the rider took, read off what the log has as the answer."""
        for event in islice(self.log, self.line, None):
            if isinstance(event, ev.RideBooked) and event.request == request.id:
                kinds = [quote.kind for quote in quotes]
                return kinds.index(event.kind) if event.kind in kinds else 0
            if isinstance(event, ev.RideQueued | ev.RideRefused) and event.request == request.id:
                # of later offers none was taken; one for now that was taken was not to be had after all
                return None if quotes[0].kind == "later" else 0
            if not isinstance(event, ev.ProgressMade):
                return None
        return None


def _taken(booked: ev.RideBooked) -> Quote:
    """The quote that a rider took, as far as it decides anything: what was promised bounds where the ride may go."""
    return Quote(
        booked.request, booked.kind, booked.shuttle, booked.after, booked.pickup, booked.dropoff, booked.pickup_at,
        booked.dropoff_at, booked.promise, booked.fare, -1, NEVER,
    )  # fmt: skip


def _tell(event: ev.Event | None) -> str:
    """An event on one line, shortened."""
    import msgspec

    text = msgspec.json.encode(event).decode()
    return text if len(text) <= 300 else f"{text[:300]}…"
