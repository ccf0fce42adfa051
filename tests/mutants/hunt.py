"""Live random days until a property is broken; prints one line that says which. Run in a copy with a bug planted."""

from __future__ import annotations

import sys
import traceback
from random import Random
from time import perf_counter
from types import SimpleNamespace

import msgspec

from dispatch.core import events as ev
from dispatch.core import fleet_insertion, search
from dispatch.core.desk import Desk
from dispatch.core.fold import fold
from dispatch.core.invariants import check
from dispatch.core.world import World
from tests.checker import breaches, moment
from tests.core import test_insertion as oracle
from tests.core import test_recovery, test_timing
from tests.property.odd_towns import live_oddly
from tests.property.test_plans import Answers, assert_drivable, assert_packed
from tests.property.towns import live, town_of

# kernels run as plain Python here: references are always counted, numba's own structures cannot be made, and numpy's
# integers come into the world
fleet_insertion.uncounted = search.uncounted = lambda array: array
search.Search = lambda *values: SimpleNamespace(**dict(zip(search.FIELDS, values, strict=True)))

World.encoded = lambda world: msgspec.msgpack.encode(world, enc_hook=int)  # type: ignore[method-assign]

read = msgspec.json.Decoder(ev.AnyEvent).decode
Caught = tuple[str, str]
"""(by which property, what it said)"""


def hunt(days: int, seconds: float) -> tuple[int, Caught | None]:
    """(days lived, what was caught)."""
    ends = perf_counter() + seconds
    for seed in range(days):
        caught = caught_on(seed, rough=seed % 2 == 1) or (caught_oddly(seed) if seed % 2 == 1 else None)
        if caught is not None or perf_counter() > ends:
            return seed + 1, caught or _caught_in_a_plan()
    return days, _caught_in_a_plan()


def _caught_in_a_plan() -> Caught | None:
    """What the oracles of plans and fleets find in small worlds: bugs that a day's judge turns into mere refusals.

    And what cases made for it find, which few days have.
    """
    try:
        oracle.test_best_insertion_in_a_route_is_the_best_of_all(0)
        oracle.test_best_insertion_of_a_fleet_is_the_best_of_its_routes()
    except AssertionError as error:
        return "kernel == oracle", str(error)
    for name, case in (*vars(test_recovery).items(), *vars(test_timing).items()):
        if name.startswith("test_"):
            try:
                case()
            except Exception as error:  # noqa: BLE001 (a crash is a catch too)
                return name.removeprefix("test_")[:24], f"{type(error).__name__}: {error}"
    return None


def caught_on(seed: int, *, rough: bool) -> Caught | None:
    """What is found wrong with one day."""
    town = town_of(Random(seed), rough=rough)
    looking = "nothing"
    answers = Answers()

    def look(desk: Desk, event: ev.AnyEvent) -> None:
        nonlocal looking
        looking = "arrays == pack(world)"
        assert_packed(desk)
        if not rough:
            looking = "plan checker"
            for name in event.plans if isinstance(event, ev.PlansChanged) else [getattr(event, "shuttle", None)]:
                if isinstance(event, ev.RideBooked | ev.PlansChanged) and name is not None:
                    found = breaches(moment(desk.world, desk.times, name, event.at), desk.times)
                    assert not found, found
            looking = "kernel == oracle"
            answers(desk, event)
        looking = "nothing"

    try:
        events, desk = live(town, look)
    except Exception as error:  # noqa: BLE001 (a crash is a catch too)
        where = traceback.extract_tb(error.__traceback__)[-1].name
        return ("crash" if looking == "nothing" else looking), f"{type(error).__name__} in {where}: {error}"
    violations = check(events, town.times, town.reroute)
    if violations:
        return f"invariant {violations[0].invariant}", str(violations[0])
    # kernels that are not compiled give numpy's integers, which the log would refuse
    told = [read(msgspec.json.encode(event, enc_hook=int)) for event in events]
    if fold(told).encoded() != desk.world.encoded():
        return "world == fold(log)", "the live world holds what no event told"
    if live(town)[0] != events:
        return "same day, same log", "the second log is another"
    return None


def caught_oddly(seed: int) -> Caught | None:
    """What is found wrong with one odd day."""
    looking = "nothing"

    def look(desk: Desk, _: ev.AnyEvent) -> None:
        nonlocal looking
        looking = "a timetable can be driven"
        assert_drivable(desk)
        looking = "nothing"

    try:
        town, events, _ = live_oddly(seed, look)
    except Exception as error:  # noqa: BLE001 (a crash is a catch too)
        return ("crash" if looking == "nothing" else looking), f"{type(error).__name__}: {error}"
    violations = check(events, town.times, town.reroute)
    return (f"invariant {violations[0].invariant}", str(violations[0])) if violations else None


if __name__ == "__main__":
    lived, catch = hunt(int(sys.argv[1]), float(sys.argv[2]))
    print(lived, *(" ".join(said.split()) for said in catch or ("", "")), sep="\t")
