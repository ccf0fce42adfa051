"""Shadow mode: a live day, or a recorded one, also decided by another policy; nothing of it is acted on.

Each call of the log is put to a desk that stands in the world as it really was at that moment and is run by the other
policy: what would it have said? Its answers change nothing, so the next call is again judged in the real world. That
is exact call by call and says nothing about a whole day under the other policy: a ride that only the other one would
have offered takes up no place here. `naru replay --policy` lets the consequences run on instead, in a world that drifts
away from the real one. `LIMITS` says so to the reader.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from dispatch.core import events as ev
from dispatch.core.domain import Policy, Quote, RideRequest
from dispatch.core.kpi_definitions import ANSWER_MS
from dispatch.core.receipt import SENTENCES
from routing.errors import InputError
from simulator.report_charts import clock

if TYPE_CHECKING:
    from dispatch.core.desk import Desk

Said = Literal["ride", "later", "no"]
LIMITS: Final = (
    "Each call is judged in the world as it really was, with the plans and promises that the rules in force had made.",
    "So answers compare call by call and do not add up to a day: what only the other policy offers takes no place.",
    "`naru replay --policy` lives the day to its end instead, in a world that drifts from the real one.",
    "Both are asked what they say within half a minute of the call; a place in the queue counts as no.",
)


class Verdict(Struct):
    """What both said to one call."""

    request: str
    asked: int
    depart: int
    really: Said = "no"
    really_pickup: int | None = None
    other: Said = "no"
    other_pickup: int | None = None
    really_fare: int | None = None
    other_fare: int | None = None
    why: str | None = None
    """constraint that bound the other policy's nearest shuttle"""

    @property
    def differs(self) -> bool:
        """One offers what the other does not, or picks up at another minute."""
        if self.really != self.other:
            return True
        if self.really_pickup is None or self.other_pickup is None:
            return False
        return abs(self.really_pickup - self.other_pickup) >= 60_000

    def __str__(self) -> str:
        def said(what: Said, pickup: int | None) -> str:
            at = "" if pickup is None else f" at {clock(pickup)}"
            return {"ride": f"a ride{at}", "later": f"a later ride{at}", "no": "no"}[what]

        why = f" ({SENTENCES[self.why].rstrip('.')})" if self.other == "no" and self.why in SENTENCES else ""
        return (
            f"{self.request}, called at {clock(self.asked)} to leave at {clock(self.depart)}: was told "
            f"{said(self.really, self.really_pickup)}; would have been told {said(self.other, self.other_pickup)}{why}."
        )


class Shadow:
    """A desk beside a log. Feed it the log's events in order; `verdicts` are the calls answered so far."""

    def __init__(self, desk: Desk, policy: Policy, walks: Callable[[RideRequest], RideRequest] = lambda r: r) -> None:
        self.verdicts: list[Verdict] = []
        self._desk = desk
        self._policy = policy
        self._walks = walks
        self._open: dict[str, Verdict] = {}
        """calls of the last half minute that one of the two has not said yes to"""

    def feed(self, event: ev.Event) -> list[Verdict]:
        """Take the next event; the calls on which both have now spoken."""
        desk = self._desk
        match event:
            case ev.PolicyChanged():
                desk.apply(replace(event, policy=self._policy))
                return []
            case ev.RequestMade(at=at, request=request):
                desk.apply(replace(event, request=self._walks(request)))
                first = request.depart_after if request.first_depart is None else request.first_depart
                verdict = self._open[request.id] = Verdict(request.id, at, first)
                self._ask(verdict, at)
                return self._over(at)
            case ev.TimerTicked(at=at):
                for verdict in self._open.values():
                    self._ask(verdict, at)
            case ev.RideBooked(request=name) if name in self._open:
                self._ask(self._open[name], event.at)
                self._booked(self._open[name], event)
            case ev.QuoteDeclined(request=name) if name in self._open:
                self._open[name].really = "ride"
            case ev.RideRefused(request=name, alternatives=later) if name in self._open and later:
                self._open[name].really, self._open[name].really_pickup = "later", later[0][0]
        desk.apply(event)
        return self._over(event.at)

    def close(self) -> list[Verdict]:
        """The log ends: what is left of the last calls."""
        return self._over(2**62)

    def _ask(self, verdict: Verdict, now: int) -> None:
        ride = self._desk.world.rides[verdict.request]
        if verdict.other == "ride" or ride.state not in ("asked", "queued"):
            return
        answer = self._desk.quote(verdict.request, now)
        offered: Sequence[Quote] = answer.quotes or answer.later
        if offered:
            best = min(offered, key=lambda quote: quote.pickup_at)
            verdict.other = "ride" if answer.quotes else "later"
            verdict.other_pickup, verdict.other_fare, verdict.why = best.pickup_at, best.fare, None
        elif verdict.other == "no":
            verdict.why = answer.receipt.binding or self._desk.explain(verdict.request, now).binding

    def _booked(self, verdict: Verdict, event: ev.RideBooked) -> None:
        verdict.really = "later" if event.kind == "later" else "ride"
        verdict.really_pickup, verdict.really_fare = event.pickup_at, event.fare

    def _over(self, now: int) -> list[Verdict]:
        done = [verdict for verdict in self._open.values() if verdict.asked + ANSWER_MS < now]
        for verdict in done:
            del self._open[verdict.request]
        self.verdicts += done
        return done


def summary(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Counts of what both said, and how pickups and fares differ where both offered a ride."""
    both = [v for v in verdicts if v.really_pickup is not None and v.other_pickup is not None]
    earlier = [(v.other_pickup - v.really_pickup) / 1000 for v in both
               if v.really_pickup is not None and v.other_pickup is not None]  # fmt: skip
    fares = [v.other_fare - v.really_fare for v in both if v.other_fare is not None and v.really_fare is not None]
    said = Counter((v.really != "no", v.other != "no") for v in verdicts)
    return {
        "calls": len(verdicts),
        "both_offered": said[True, True],
        "only_really": said[True, False],
        "only_other": said[False, True],
        "neither": said[False, False],
        "pickup_change_mean_s": round(float(np.mean(earlier)), 3) if earlier else None,
        "fare_change_mean": round(float(np.mean(fares)), 3) if fares else None,
        "differ": sum(v.differs for v in verdicts),
    }


HEADER: Final = ("request", "asked", "depart", "really", "really_pickup", "other", "other_pickup", "why", "words")


def rows(verdicts: Iterable[Verdict]) -> list[tuple[str, ...]]:
    """Rows of shadow.csv under `HEADER`: one a call."""

    def at(moment: int | None) -> str:
        return "" if moment is None else clock(moment)

    return [
        (v.request, clock(v.asked), clock(v.depart), v.really, at(v.really_pickup), v.other, at(v.other_pickup),
         v.why or "", str(v))
        for v in verdicts
    ]  # fmt: skip


# Where the log comes from


class Source(NamedTuple):
    """A log that may still grow."""

    name: str
    read: Callable[[int], bytes]
    """what stands after so many bytes"""


def file_source(path: Path) -> Source:
    """A log in a file, or the one in a folder. Raises InputError where there is none."""
    from simulator.outputs import LOG

    path = path / LOG if path.is_dir() else path
    if not path.is_file():
        raise InputError("no such log", file=path, expected=f"a folder that holds {LOG}, or that file")

    def read(after: int) -> bytes:
        with path.open("rb") as file:
            file.seek(after)
            return file.read()

    return Source(str(path), read)


def service_source(url: str, token: str) -> Source:
    """The open day of a live service, read with an operator's token. Raises InputError where it does not answer."""
    import httpx

    client = httpx.Client(timeout=30, headers={"Authorization": f"Bearer {token}"})

    def read(after: int) -> bytes:
        try:
            answer = client.get(f"{url.rstrip('/')}{EXPORT}")
        except httpx.HTTPError as error:
            raise InputError(
                f"does not answer ({error})", file=url, expected="the address of a running service"
            ) from None
        if answer.status_code != 200:
            raise InputError(f"answers {answer.status_code}", file=f"{url}{EXPORT}",
                             expected="an operator's token in NARU_TOKEN")  # fmt: skip
        return answer.content[after:]

    return Source(url, read)


EXPORT: Final = "/v1/operator/log/export"


def lines_of(
    source: Source, *, follow: bool = False, every_s: float = 2.0, until: float | None = None
) -> Iterator[bytes]:
    """Whole lines of a log, for `events.read_log`; with `follow` on as it grows.

    `until`: no longer than to this moment of `time.monotonic`.
    """
    taken, rest = 0, b""
    while True:
        new = source.read(taken)
        taken += len(new)
        *whole, rest = (rest + new).split(b"\n")
        yield from whole
        if not follow or (until is not None and monotonic() + every_s > until):
            return
        sleep(every_s)


def events_of(source: Source, lines: Iterator[bytes]) -> Iterator[ev.AnyEvent]:
    """Events of a log, to the end of its day. Raises InputError for a line that is none."""
    try:
        for event in ev.read_log(lines):
            yield event
            if isinstance(event, ev.DayClosed):
                return
    except ValueError as error:
        raise InputError(str(error), file=source.name, expected="a log that Naru writes") from None
