"""The output folder of a day: the log, and the tables and figures that are read off it.

`events.jsonl` is the truth and is streamed while the day runs (`LogWriter`); everything else is a fold of it and is
written at the end (`write_outputs`). A file appears under its name only when it is whole. A day that is interrupted
keeps the log of what happened up to the last whole event, and a full disk leaves nothing half-written behind.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from dispatch.core import events as ev
from dispatch.core.kpi_tally import persons
from routing.errors import InputError

LOG: Final = "events.jsonl"
KPIS: Final = "kpis.json"
VISITS: Final = "visits.csv"
DECISIONS: Final = "decisions.csv"
DRIVES: Final = "drives.csv"
REPORT: Final = "report.html"
LINES_AT_ONCE: Final = 1000
"""lines given to the log's file together"""

VISITS_HEADER: Final = ("vehicle_id", "request_id", "kind", "time_s", "place")
DECISIONS_HEADER: Final = ("request_id", "asked_s", "decided_s", "decision")
DRIVES_HEADER: Final = ("vehicle_id", "depart_s", "from_node", "arrive_s", "to_node", "purpose")

Row = tuple[str, ...]


# Writing


class LogWriter:
    """Streams a day's events to `events.jsonl` in a folder, which it makes.

    The file has its name once the writer is closed; until then the lines stand in `events.jsonl.part`. Used as a
    context manager it closes after an interruption too, and keeps what happened so far; after an error of the disk
    there is no file. Tables and figures of an earlier day in the same folder go when the new log takes its place.
    Raises OSError with the path.
    """

    def __init__(self, folder: str | Path) -> None:
        self.path = Path(folder) / LOG
        self._part = self.path.with_name(LOG + ".part")
        self._zero_utc = 0
        self._events: list[ev.Event] = []
        """not yet given to the file"""
        self._lines = 0
        """whole ones in it"""
        self._bytes = 0
        """of them"""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._part.open("wb")

    def write(self, event: ev.Event) -> None:
        """Add one event. The first one opens the day."""
        self._events.append(event)
        if len(self._events) == LINES_AT_ONCE:
            self._write()

    def _write(self) -> None:
        events = self._events
        if self._lines == 0 and events and isinstance(events[0], ev.DayOpened):
            self._zero_utc = events[0].zero_utc
        lines = b"".join([ev.log_line(event, seq, self._zero_utc) for seq, event in enumerate(events, self._lines + 1)])
        try:
            self._file.write(lines)
        except OSError as error:
            self.discard()
            raise _named(error, self.path) from error
        self._bytes, self._lines, self._events = self._bytes + len(lines), self._lines + len(events), []

    def close(self) -> None:
        """Give the log its name, cut to its whole lines; a log without any is not kept."""
        if self._file.closed:
            return
        try:
            self._file.seek(self._bytes)  # an interruption may have left half a line there
            self._write()
            self._file.flush()
            self._file.truncate(self._bytes)
            os.fsync(self._file.fileno())
            self._file.close()
            if self._lines == 0:
                self._part.unlink()
                return
            for name in (KPIS, VISITS, DECISIONS, DRIVES, REPORT):
                self.path.with_name(name).unlink(missing_ok=True)
            self._part.replace(self.path)
        except OSError as error:
            self.discard()
            raise _named(error, self.path) from error

    def discard(self) -> None:
        """Leave no file of this log."""
        with contextlib.suppress(OSError):  # a full disk refuses the last bytes too; the file is closed nonetheless
            self._file.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def write_outputs(
    folder: str | Path,
    kpis: Mapping[str, Any],
    *,
    events: Iterable[ev.Event] | None = None,
    node_ids: Sequence[str] | None = None,
) -> None:
    """Write the tables and `kpis.json` of a day beside its log.

    `events` None: those of the log in the folder. `node_ids`: the road network's names of its nodes, for drives.csv.
    Raises OSError with the path.
    """
    folder = Path(folder)
    day = list(read_events(folder) if events is None else events)
    write_whole(folder / VISITS, csv_bytes(VISITS_HEADER, visits_rows(day)))
    write_whole(folder / DECISIONS, csv_bytes(DECISIONS_HEADER, decisions_rows(day)))
    write_whole(folder / DRIVES, csv_bytes(DRIVES_HEADER, drives_rows(day, node_ids)))
    write_whole(folder / KPIS, json.dumps(kpis, indent=2, ensure_ascii=False, allow_nan=False).encode() + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a passing name and give it its own when it is whole. Raises OSError with the path."""
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(content)
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _named(error, path) from error


def _named(error: OSError, path: Path) -> OSError:
    """The same error, telling which file (an error in the middle of writing does not say)."""
    return OSError(error.errno, error.strerror or str(error), str(path))


def csv_bytes(header: Row, rows: Iterable[Row]) -> bytes:
    """A table as the files have it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue().encode()


# Reading


def read_events(folder: str | Path) -> Iterator[ev.AnyEvent]:
    """Events of the log in an output folder (or of a log named itself), in order.

    Raises InputError naming file and line.
    """
    path = Path(folder)
    if path.is_dir():
        path /= LOG
    if not path.is_file():
        raise InputError("no such log", file=path, expected=f"a folder that `naru simulate --out` wrote, with {LOG}")
    with path.open("rb") as lines:
        try:
            yield from ev.read_log(lines)
        except ValueError as error:
            raise InputError(str(error), file=path, expected="a log that Naru wrote, whole") from None


def read_kpis(folder: str | Path) -> dict[str, Any] | None:
    """`kpis.json` of an output folder; None where there is none. Raises InputError if it is damaged."""
    path = Path(folder) / KPIS
    try:
        kpis = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InputError(f"not readable as JSON: {error}", file=path, expected="the file that Naru wrote") from None
    if not isinstance(kpis, dict):
        raise InputError("not a KPI object", file=path, expected="the file that Naru wrote")
    return kpis


# The tables


def visits_rows(events: Iterable[ev.Event]) -> Iterator[Row]:
    """Rows of visits.csv in order of time: one a booking and end.

    After a breakdown the pickup is the first boarding and the drop-off the last alighting, by whichever shuttle.
    """
    places: tuple[str, ...] = ()
    vehicle: dict[str, str] = {}
    booking: dict[str, ev.RideBooked] = {}
    boarded: set[str] = set()
    for event in events:
        match event:
            case ev.RiderBoarded(at=at, shuttle=shuttle, request=request):
                if request not in boarded:
                    boarded.add(request)
                    yield vehicle[shuttle], request, "pickup", seconds(at), places[booking[request].pickup.place]
            case ev.RiderAlighted(at=at, shuttle=shuttle, request=request):
                yield vehicle[shuttle], request, "dropoff", seconds(at), places[booking[request].dropoff.place]
            case ev.RideBooked(request=request):
                booking[request] = event
            case ev.ShiftOpened(shift=shift):
                vehicle[shift.id] = shift.vehicle
            case ev.DayOpened():
                places = event.places


def decisions_rows(events: Iterable[ev.Event]) -> Iterator[Row]:
    """Rows of decisions.csv in the order of the calls: the last answer to each; declined and queued are not booked.

    A call that a cut-off log has no answer to has no row.
    """
    asked: dict[str, int] = {}
    decided: dict[str, tuple[int, str]] = {}
    for event in events:
        match event:
            case ev.RequestMade(at=at, request=made):
                asked[made.id] = at
            case ev.RideBooked(at=at, request=request):
                decided[request] = at, "booked"
            case ev.RideRefused(at=at, request=request) | ev.QuoteDeclined(at=at, request=request):
                decided[request] = at, "refused"
            case ev.RideQueued(at=at, request=request):
                decided[request] = at, "refused"
    for request, at in asked.items():
        if request in decided:
            decided_at, decision = decided[request]
            yield request, seconds(at), seconds(decided_at), decision


class Drive(NamedTuple):
    """One drive between two places or turns. Times in ms of the service day, nodes as numbers."""

    shuttle: str
    vehicle: str
    depart: int
    from_node: int
    arrive: int
    to_node: int
    place: int
    """driven to; it ends there unless the shuttle turned or broke down on its way"""
    purpose: str
    aboard: int
    """persons"""


def drives(events: Iterable[ev.Event]) -> Iterator[Drive]:
    """Drives in the order in which they ended. One still under way when the log ends is not among them.

    A drive ends where the shuttle arrives or breaks down, or at the node where it gives up its goal and turns.
    """
    place_nodes: tuple[int, ...] = ()
    vehicle: dict[str, str] = {}
    party: dict[str, int] = {}
    aboard: dict[str, int] = {}
    under_way: dict[str, tuple[int, ev.DriveStarted]] = {}
    """since when"""
    turns_at: dict[str, int] = {}

    def ended(shuttle: str, at: int, node: int) -> Iterator[Drive]:
        if shuttle not in under_way:
            return
        depart, drive = under_way.pop(shuttle)
        if at != depart or node != drive.node:
            yield Drive(
                shuttle, vehicle[shuttle], depart, drive.node, at, node, drive.place, drive.purpose, aboard[shuttle]
            )

    for event in events:
        match event:
            case ev.DriveStarted(at=at, shuttle=shuttle):
                under_way[shuttle] = max(at, turns_at.pop(shuttle, at)), event
            case ev.ProgressMade(shuttle=shuttle, node=node, reached_at=at):
                yield from ended(shuttle, at, node)
                turns_at[shuttle] = at
            case ev.StopArrived(at=at, shuttle=shuttle, place=place):
                yield from ended(shuttle, at, place_nodes[place])
            case ev.ShuttleBrokeDown(at=at, shuttle=shuttle, node=node):
                yield from ended(shuttle, at, node)
            case ev.RiderBoarded(shuttle=shuttle, request=request):
                aboard[shuttle] += party[request]
            case (
                ev.RiderAlighted(shuttle=shuttle, request=request) | ev.RiderStranded(shuttle=shuttle, request=request)
            ):
                aboard[shuttle] -= party[request]
            case ev.RequestMade(request=made):
                party[made.id] = persons(made)
            case ev.ShiftOpened(shift=shift):
                vehicle[shift.id] = shift.vehicle
                aboard[shift.id] = 0
            case ev.DayOpened():
                place_nodes = event.place_nodes


def drives_rows(events: Iterable[ev.Event], node_ids: Sequence[str] | None = None) -> Iterator[Row]:
    """Rows of drives.csv in the order in which the drives ended.

    `node_ids` None: nodes have the ids of the places that lie on them, others their number after a #.
    """
    day = list(events)
    name: Callable[[int], str]
    if node_ids is None:
        opened = next((event for event in day if isinstance(event, ev.DayOpened)), None)
        known = {} if opened is None else dict(zip(opened.place_nodes, opened.places, strict=True))

        def name(node: int) -> str:
            return known.get(node, f"#{node}")
    else:

        def name(node: int) -> str:
            return str(node_ids[node])

    for d in drives(day):
        yield d.vehicle, seconds(d.depart), name(d.from_node), seconds(d.arrive), name(d.to_node), d.purpose


def seconds(ms: int) -> str:
    """Seconds of the service day as the tables have them: whole, or with three decimals."""
    whole, rest = divmod(ms, 1000)
    return str(whole) if rest == 0 else f"{ms / 1000:.3f}"
