"""A recorded day under other rules: the same people, roads and shuttles, every decision made by another policy.

The world is simulated again from what the log holds: calls, shifts, closed roads and breakdowns as recorded; shuttles
are driven anew. What a log cannot tell is assumed, and said in `ASSUMPTIONS`: this is a simulation on recorded demand,
not a record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct

from dispatch.core import events as ev
from dispatch.core.domain import Access, Policy, Promise, Quote, RideRequest, Shift
from dispatch.core.places import End, Places
from dispatch.core.receipt import SENTENCES
from simulator.disturbances import Breakdown, Closure, Disturbances, SpeedChange
from simulator.journeys import Journey, journeys
from simulator.report_charts import clock
from simulator.riders import Riders, attempt_of
from simulator.run import Day

if TYPE_CHECKING:
    from routing.network import RoadNetwork
    from simulator.replay import Recorded

ASSUMPTIONS: Final = (
    "People call when they did in the log; who is refused calls again where the log has another call, else gives up.",
    "They take the first quote offered; who declined in the log declines again.",
    "Who cancelled, or was not at the stop point, does so again, at the same time of day; who came late is as late.",
    "Where the policy's walks differ from the recorded ones, a rider's place is taken to be the nearest stop point.",
    "Shuttles need the times of the map; what slowed single drives on the recorded day is not repeated.",
)


class Recalled(Struct, frozen=True):
    """People who do what they did in the log, as far as it tells."""

    past: dict[str, Journey]
    """by attempt"""
    asks: dict[str, RideRequest]
    """every call, with the stop points that the policy allows"""

    def answer(self, request: RideRequest, quotes: Sequence[Quote]) -> int | None:
        """The first quote, unless all were declined then."""
        journey = self.past[attempt_of(request)]
        return None if journey.declined and journey.booked is None else 0 if quotes else None

    def cancel_at(self, request: RideRequest, promise: Promise, booked_at: int) -> int | None:
        """When they cancelled a booking in the log, if this one stands by then and its window is not yet over."""
        journey = self.past[attempt_of(request)]
        if journey.booked is None or journey.cancelled is None:
            return None
        return journey.cancelled if booked_at <= journey.cancelled <= promise.pickup_to else None

    def shows_up_at(self, request: RideRequest, promise: Promise) -> int | None:
        """As late as then; never, if they did not come."""
        journey = self.past[attempt_of(request)]
        if journey.no_show:
            return None
        late = 0
        if journey.awaited and journey.booked is not None and journey.boarded is not None:
            late = max(0, journey.boarded - journey.booked.promise.pickup_from)
        return promise.pickup_from + late

    def retry(self, request: RideRequest, refused_at: int, calls: int) -> RideRequest | None:
        """Their next recorded call, if it was not made before this refusal."""
        recorded = self.past[attempt_of(request)].calls
        again = recorded[calls] if calls < len(recorded) else None
        return None if again is None or again.depart_after < refused_at else self.asks[again.id]


class Change(NamedTuple):
    """One rider's day, as recorded and under the other policy."""

    attempt: str
    before: Journey
    after: Journey

    @property
    def differs(self) -> bool:
        """They end otherwise, or board at another minute."""
        was, now = self.before, self.after
        return was.end != now.end or (
            was.wait is not None and now.wait is not None and abs(was.wait - now.wait) >= 60_000
        )

    def __str__(self) -> str:
        return f"{self.attempt}, who asked to leave at {clock(self.before.depart)}, {_words(self)}."


def same_people(recorded: Recorded, network: RoadNetwork, policy: Policy) -> tuple[Day, Recalled]:
    """The day that the log tells of, to be lived under `policy`, and its people."""
    from importlib.metadata import version

    events, opened = recorded.events, recorded.opened
    past = journeys(events)
    rules = next((event.policy for event in events if isinstance(event, ev.PolicyChanged)), Policy())
    shifts = tuple(event.shift for event in events if isinstance(event, ev.ShiftOpened))
    made = [event for event in events if isinstance(event, ev.RequestMade)]
    if (policy.walk_m, policy.stop_choices) == (rules.walk_m, rules.stop_choices):
        asks = {event.request.id: event.request for event in made}
    else:
        asks = _with_walks([event.request for event in made], opened, shifts, network, policy)
    firsts = {journey.first.id for journey in past.values()}
    day = Day(
        opened=msgspec.structs.replace(opened, version=version("naru-transit")),
        policy=policy,
        shifts=shifts,
        requests=tuple((event.at, asks[event.request.id]) for event in made if event.request.id in firsts),
        riders=Riders(),
        disturbances=_disturbances(events),
        seed=opened.seed,
    )
    return day, Recalled(past, asks)


def changes(before: Sequence[ev.Event], after: Sequence[ev.Event]) -> list[Change]:
    """Rider by rider, those whose day is not the same, in the order of the calls."""
    then, now = journeys(before), journeys(after)
    pairs = [Change(name, was, now[name]) for name, was in then.items() if name in now]
    return [pair for pair in pairs if pair.differs]


def summary(before: Sequence[ev.Event], after: Sequence[ev.Event]) -> dict[str, Any]:
    """How many riders ended otherwise, and how waits moved for those carried both times."""
    then, now = journeys(before), journeys(after)
    both = [(was, now[name]) for name, was in then.items() if name in now]
    moved = [(b.wait - a.wait) / 1000 for a, b in both if a.wait is not None and b.wait is not None]
    ends = Counter(f"{a.end} -> {b.end}" for a, b in both if a.end != b.end)
    return {
        "attempts": len(both),
        "delivered": sum(a.end == "delivered" for a, _ in both),
        "delivered_under_policy": sum(b.end == "delivered" for _, b in both),
        "carried_only_under_policy": sum(a.end != "delivered" == b.end for a, b in both),
        "carried_only_in_log": sum(b.end != "delivered" == a.end for a, b in both),
        "carried_both": len(moved),
        "wait_change_mean_s": round(float(np.mean(moved)), 3) if moved else None,
        "boards_a_minute_earlier": sum(change <= -60 for change in moved),
        "boards_a_minute_later": sum(change >= 60 for change in moved),
        "ends": dict(sorted(ends.items(), key=lambda item: (-item[1], item[0]))),
    }


HEADER: Final = ("attempt", "asked_to_leave", "before", "boarded_before", "after", "boarded_after", "words")


def rows(changed: Sequence[Change]) -> list[tuple[str, ...]]:
    """The rows of differences.csv under `HEADER`: one a rider."""
    return [
        (change.attempt, clock(change.before.depart), change.before.end, _at(change.before.boarded), change.after.end,
         _at(change.after.boarded), str(change))
        for change in changed
    ]  # fmt: skip


def _at(moment: int | None) -> str:
    return "" if moment is None else clock(moment)


def _words(change: Change) -> str:
    was, now = change.before, change.after
    if was.end == now.end == "delivered":
        assert was.boarded is not None
        assert now.boarded is not None
        minutes = round(abs(now.boarded - was.boarded) / 60_000)
        sooner = "earlier" if now.boarded < was.boarded else "later"
        return f"was picked up at {clock(was.boarded)}; would have been at {clock(now.boarded)}, {minutes} min {sooner}"
    return f"{_past(was)}; {_instead(now)}"


def _past(was: Journey) -> str:
    if was.end == "delivered":
        assert was.boarded is not None
        return f"was picked up at {clock(was.boarded)}"
    why = _why(was)
    return {"refused": "was refused", "declined": "declined what was offered", "cancelled": "cancelled",
            "no_show": "was not there", "undelivered": "was not brought to the end"}[was.end] + why  # fmt: skip


def _instead(now: Journey) -> str:
    if now.end == "delivered":
        assert now.boarded is not None
        assert now.alighted is not None
        return f"would have been carried at {clock(now.boarded)} and been there at {clock(now.alighted)}"
    why = _why(now)
    words = {"refused": "been refused", "declined": "declined", "cancelled": "cancelled", "no_show": "not been there",
             "undelivered": "not been brought to the end"}  # fmt: skip
    return f"would have {words[now.end]}{why}"


def _why(journey: Journey) -> str:
    binding = None if journey.receipt is None else journey.receipt.binding
    return f" ({SENTENCES[binding].rstrip('.')})" if journey.end == "refused" and binding in SENTENCES else ""


def _with_walks(
    requests: Sequence[RideRequest], opened: ev.DayOpened, shifts: Sequence[Shift], network: RoadNetwork, policy: Policy
) -> dict[str, RideRequest]:
    """The requests with the stop points that the policy's walks allow around each end's nearest one."""
    used = {access.place for request in requests for access in (*request.origins, *request.destinations)}
    walk = walker(opened, shifts, network, policy, used)
    return {request.id: walk(request) for request in requests}


def walker(
    opened: ev.DayOpened, shifts: Sequence[Shift], network: RoadNetwork, policy: Policy, used: Set[int] = frozenset()
) -> Callable[[RideRequest], RideRequest]:
    """Gives a request the stop points that the policy's walks allow. `used`: places known to be no depots."""
    from routing.stop_points import StopPoint

    depots = {shift.end_place for shift in shifts} - used
    stops = len(opened.places)
    while stops and stops - 1 in depots:  # depots stand behind the stop points
        stops -= 1
    nodes = np.array(opened.place_nodes, np.int64)
    points = tuple(
        StopPoint(name, name, float(network.lat[node]), float(network.lon[node]))
        for name, node in zip(opened.places[:stops], nodes.tolist(), strict=False)
    )
    places = Places(network, opened.places, nodes, points)

    def end(access: Access) -> End:
        return End(access.place, points[access.place].lat, points[access.place].lon, access.walk)

    def walk(request: RideRequest) -> RideRequest:
        ends = end(request.origins[0]), end(request.destinations[0])
        origins, destinations = places.both_ends(*ends, policy.walk_m, policy.stop_choices)
        return msgspec.structs.replace(request, origins=origins, destinations=destinations)

    return walk


def _disturbances(events: Sequence[ev.Event]) -> Disturbances:
    closures = []
    for i, event in enumerate(events):
        if isinstance(event, ev.RoadClosed):
            opened = (
                later.at for later in events[i:] if isinstance(later, ev.RoadReopened) and later.edges == event.edges
            )
            closures.append(Closure(event.at, next(opened, None), event.edges, event.reason))
    return Disturbances(
        speeds=tuple(SpeedChange(event.at, event.factor) for event in events if isinstance(event, ev.SpeedsChanged)),
        closures=tuple(closures),
        breakdowns=tuple(
            Breakdown(event.at, event.shuttle) for event in events if isinstance(event, ev.ShuttleBrokeDown)
        ),
    )
