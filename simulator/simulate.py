"""From a scenario to a day's log, figures and report."""

from __future__ import annotations

import gc
import hashlib
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from dispatch.core import events as ev
from dispatch.core import invariants, kpi
from dispatch.core.desk import Desk
from dispatch.core.invariants.rules import Violation
from dispatch.core.openings import as_if_all_went_on
from dispatch.core.places import direct
from routing.network import RoadNetwork
from routing.travel_times import DriveTimes, drive_times
from simulator.accounts import Accounts, write_accounts
from simulator.baselines import further_figures
from simulator.choice import other_ways
from simulator.disturbances import late_drivers, with_breakdowns
from simulator.judge import MAP, rerouting
from simulator.outputs import LogWriter, write_outputs
from simulator.run import Day, People, Simulation
from simulator.scenario import Scenario, requests_of

Progress = Callable[[str, float], None]
"""(what is being done, share of it done)"""


def roads(scenario: Scenario) -> DriveTimes:
    """Driving times of the scenario's town."""
    return drive_times(scenario.network, scenario.places.nodes, profile=scenario.profile)


def desk_for(scenario: Scenario, times: DriveTimes) -> Desk:
    """A desk whose roads can be closed and slowed."""
    return Desk(times, reroute=rerouting(scenario.network, scenario.places.nodes, scenario.profile))


def day_of(scenario: Scenario, times: DriveTimes) -> Day:
    """What the scenario's day starts from. Raises InputError if its demand can't be made up."""
    opened = ev.DayOpened(
        at=min([0, *(shift.start for shift in scenario.shifts)]),
        zero_utc=scenario.zero_utc,
        date=scenario.date,
        timezone=scenario.timezone,
        places=scenario.places.ids,
        place_nodes=tuple(scenario.places.nodes.tolist()),
        map=fingerprint(scenario.network),
        scenario=scenario.name,
        seed=scenario.seed,
        version=version("naru-transit"),
        profile=tuple((step.from_s, step.speed_factor, step.classes) for step in scenario.profile),
    )
    requests, choice = requests_of(scenario, times), scenario.riders.choice
    ways = {}
    if choice is not None:
        asked = [request for _, request in requests]
        ways = other_ways(asked, opened, scenario.network, scenario.accounts.baselines, choice)
    return Day(
        opened=opened,
        policy=scenario.policy,
        shifts=late_drivers(scenario.disturbances, scenario.seed, scenario.shifts),
        requests=requests,
        riders=scenario.riders,
        disturbances=with_breakdowns(scenario.disturbances, scenario.seed, scenario.shifts),
        seed=scenario.seed,
        ways=ways,
    )


def fingerprint(network: RoadNetwork) -> str:
    """Short hash of the streets and their times."""
    digest = hashlib.sha256()
    for array in (network.edge_from, network.edge_to, network.time_ms):
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Outcome:
    """A simulated day."""

    events: list[ev.Event]
    kpis: dict[str, Any]
    violations: list[Violation]


def simulate(scenario: Scenario, folder: Path | None = None, progress: Progress | None = None) -> Outcome:
    """Live the scenario's day, judge it and, given a folder, write the output folder there (without the report).

    Raises InputError for demand that can't be made up, OSError with the path where the folder can't be written.
    An interruption leaves the log of what happened so far in the folder.
    """
    began = perf_counter()
    if progress is not None:
        progress("roads", 0)
    times = roads(scenario)
    return live(
        day_of(scenario, times), desk_for(scenario, times), scenario.network, folder, progress,
        accounts=scenario.accounts, began=began,
    )  # fmt: skip


def live(
    day: Day,
    desk: Desk,
    network: RoadNetwork,
    folder: Path | None = None,
    progress: Progress | None = None,
    *,
    people: People | None = None,
    accounts: Accounts | None = None,
    began: float | None = None,
) -> Outcome:
    """The day lived with this desk on these streets, judged and written as `simulate` does.

    `people` None: they act as the day's habits and seed have it. `accounts`: prices and baselines.
    `began`: when the run did, by `perf_counter`.
    """
    began = perf_counter() if began is None else began
    say = progress or (lambda _what, _share: None)
    times = desk.times
    last = day.requests[-1][0] if day.requests else 1
    first = day.requests[0][0] if day.requests else 0
    events: list[Any] = []
    log = LogWriter(folder) if folder is not None else None
    began_log = perf_counter()
    try:

        def write(event: ev.Event) -> None:
            events.append(event)
            if log is not None:
                log.write(event)

        def at(now: int) -> None:
            say("day", (now - first) / max(last - first, 1))

        simulation = Simulation(day, desk, write, at, people)
        with _rare_collection():
            simulation.run()
    except SystemError as error:
        cause: BaseException | None = error
        while isinstance(cause, SystemError):  # Ctrl-C within a compiled kernel comes out wrapped in these
            cause = cause.__cause__
        if isinstance(cause, KeyboardInterrupt):
            raise cause from None
        raise
    finally:
        if log is not None:
            log.close()
    log_s = perf_counter() - began_log
    say("judging", 0)
    violations = invariants.check(events, times, desk.reroute)
    by_invariant: dict[str, int] = {}
    for violation in violations:
        by_invariant[violation.invariant] = by_invariant.get(violation.invariant, 0) + 1
    kpis = kpi.complete(
        kpi.figures(events),
        violations_by_invariant=by_invariant,
        decision_ms=simulation.measured.decision_ms,
        log_s=log_s,
        wall_s=perf_counter() - began,
        peak_rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
    accounts = accounts or Accounts()
    kpis["extra"] |= further_figures(events, kpis, network, accounts)
    if folder is not None:
        network.save(folder / MAP)
        write_accounts(folder, accounts)
        write_outputs(folder, kpis, events=events, node_ids=[str(name) for name in network.node_ids])
    return Outcome(events, kpis, violations)


@contextmanager
def _rare_collection() -> Iterator[None]:
    """Python's collector of cycles seldom looks: a day makes hardly any, and to look at all of it took a seventh."""
    usual = gc.get_threshold()
    gc.set_threshold(100_000, 50, 1000)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def warm() -> None:
    """Compile every kernel, or load it from the cache: a day of one request on two streets."""
    from simulator.warm import tiny_day

    day, times = tiny_day()
    direct(times, *np.array([[0], [1], [0]]))
    desk = Desk(times)
    Simulation(day, desk, lambda _event: None).run()
    as_if_all_went_on(desk.fleet, times, 0, 0)  # nobody was late on that day …
    desk.waypoint(day.shifts[0].id, 0)  # … and nobody was sent elsewhere on the way
