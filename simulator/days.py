"""Many simulated days: each a job that any process on any machine can do, its result kept whole.

A day is fixed by its scenario, the changes to it and its seed. Two policies with the same seed meet the same people
(common random numbers), so comparisons are paired by seed. Results are written one file a day as they come; what an
interrupted run has written is not simulated again.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from routing.errors import InputError
from simulator.outputs import write_whole

if TYPE_CHECKING:
    from routing.travel_times import DriveTimes
    from simulator.run import Day
    from simulator.scenario import Scenario

Changes = tuple[tuple[str, str], ...]
"""dotted keys of the scenario and the YAML values put there"""
Figures = dict[str, Any]
Progress = Callable[[int, int], None]
"""(days done, of how many)"""
DEATHS: Final = 3
"""workers that may die before a sweep gives up"""
SCHEDULER_S: Final = 20
"""until a scheduler that does not answer is taken to be none"""


class Rule(Struct, frozen=True):
    """From `at` (ms) on the day is run by the policy of the scenario with these changes."""

    at: int
    changes: Changes


class Job(Struct, frozen=True):
    """One day to be simulated."""

    scenario: str
    changes: Changes
    seed: int
    rules: tuple[Rule, ...] = ()
    """of a day whose policy is switched"""
    windows: tuple[tuple[int, int], ...] = ()
    """(from, to): attempts that depart within each are counted by themselves"""

    @property
    def key(self) -> str:
        """Names its result: of the same scenario, changes, seed and version."""
        from importlib.metadata import version

        said = json.dumps([file_fingerprint(self.scenario), msgspec.to_builtins(self), version("naru-transit")])
        return hashlib.sha256(said.encode()).hexdigest()[:24]


def figures_of(job: Job) -> Figures:
    """Simulate the day; its KPI object, `equity`, and under `windows` the tallies of `simulator.journeys`.

    Raises InputError as `load_scenario` and `simulate` do.
    """
    from dataclasses import replace

    from simulator.equity import equity
    from simulator.journeys import journeys, tally
    from simulator.simulate import day_of, desk_for, live

    scenario = replace(loaded(job.scenario, job.changes), seed=job.seed)
    times = roads_of(scenario)
    day = switched(day_of(scenario, times), job, times) if job.rules else day_of(scenario, times)
    outcome = live(day, desk_for(scenario, times), scenario.network, accounts=scenario.accounts)
    lived = list(journeys(outcome.events).values())
    figures = {**outcome.kpis, "equity": equity(lived, scenario.network, scenario.places.nodes)}
    if job.windows:
        figures["windows"] = [msgspec.to_builtins(tally(lived, *window)) for window in job.windows]
    return figures


def every_day(
    jobs: Sequence[Job],
    *,
    processes: int = 1,
    cluster: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> list[Figures]:
    """The figures of all jobs, in their order.

    `processes` on this machine, or on the Dask cluster whose scheduler is at `cluster`. `folder`: where each day's
    figures are kept and found again. A worker that dies loses its day only, which is simulated again. Raises InputError
    for what a scenario cannot be; whatever was done by then is kept.
    """
    keys = [job.key for job in jobs]
    done: dict[str, Figures] = {}
    if folder is not None:
        done = {key: found for key in dict.fromkeys(keys) if (found := _kept(folder, key)) is not None}
    first = {key: job for key, job in reversed(list(zip(keys, jobs, strict=True))) if key not in done}
    left = {key: first[key] for key in dict.fromkeys(keys) if key in first}
    tell = progress or (lambda _done, _of: None)
    of = len(done) + len(left)
    tell(len(done), of)
    _check(list(left.values()))
    for key, figures in _figures(left, processes, cluster):
        done[key] = figures
        if folder is not None:
            write_whole(folder / f"{key}.json", json.dumps(figures, allow_nan=False).encode())
        tell(len(done), of)
    return [done[key] for key in keys]


def grid(vary: Mapping[str, Sequence[str]]) -> list[Changes]:
    """Every combination of the values, the last key varying fastest."""
    return [tuple(zip(vary, values, strict=True)) for values in itertools.product(*vary.values())]


def number(figures: Figures, metric: str) -> float | None:
    """A figure by its dotted name; None: a mean over nothing. Raises InputError if there is no such number."""
    value: Any = figures
    for part in [metric] if metric in figures else metric.split("."):
        if not isinstance(value, dict) or part not in value:
            raise InputError(f"no figure {metric!r}", field=metric, expected="a number of the KPI object, or equity.…")
        value = value[part]
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise InputError(f"{metric!r} is no single number", field=metric, expected="a number such as service_rate")
    return value


def flat(figures: Mapping[str, Any], prefix: str = "") -> dict[str, float | None]:
    """All single numbers by their dotted names; what differs from machine to machine or day to day is left out."""
    out: dict[str, float | None] = {}
    for key, value in figures.items():
        if key in _NOT_FIGURES:
            continue
        if isinstance(value, dict):
            out |= flat(value, f"{prefix}{key}.")
        elif value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
            out[prefix + key] = value
    return out


_NOT_FIGURES: Final = frozenset({
    "decision_ms", "requests_per_s", "wall_s", "peak_rss_mb", "seed", "violations_by_invariant", "refused_by",
    "broken_by",
})  # fmt: skip


def _check(jobs: Sequence[Job]) -> None:
    """Load one day of every change here, so that a wrong value is known before any day is spent."""
    for scenario, changes in {
        (job.scenario, changes): None
        for job in jobs
        for changes in (job.changes, *(rule.changes for rule in job.rules))
    }:
        loaded(scenario, changes)


def _figures(jobs: Mapping[str, Job], processes: int, cluster: str | None) -> Iterator[tuple[str, Figures]]:
    if not jobs:
        return
    if cluster is not None:
        yield from _on_cluster(jobs, cluster)
    elif processes > 1 and len(jobs) > 1:
        yield from _on_processes(jobs, processes)
    else:
        for key, job in jobs.items():
            yield key, figures_of(job)


def _on_processes(jobs: Mapping[str, Job], processes: int) -> Iterator[tuple[str, Figures]]:
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from concurrent.futures.process import BrokenProcessPool

    from simulator.simulate import warm

    warm()  # once, so that all read the compiled kernels from one cache
    left, deaths = dict(jobs), 0
    context = multiprocessing.get_context("spawn")  # threads of numba and of the roads do not survive a fork
    while left:
        with ProcessPoolExecutor(min(processes, len(left)), mp_context=context) as pool:
            under_way = {pool.submit(figures_of, job): key for key, job in left.items()}
            try:
                for future in as_completed(under_way):
                    key = under_way[future]
                    figures = future.result()
                    del left[key]
                    yield key, figures
            except BrokenProcessPool:
                deaths += 1
                if deaths > DEATHS:
                    raise InputError(
                        f"{deaths} worker processes have died; {len(left)} days are left",
                        expected="memory enough for --jobs of them; what was done is kept",
                    ) from None
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def _on_cluster(jobs: Mapping[str, Job], cluster: str) -> Iterator[tuple[str, Figures]]:
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise InputError("Dask is not installed", field="--cluster", expected="pip install 'naru-transit[cluster]'"
                         ) from None  # fmt: skip
    try:
        client = Client(cluster, timeout=SCHEDULER_S)
    except (OSError, ValueError, TimeoutError) as error:
        raise InputError(f"no scheduler answers at {cluster!r} ({error})", field="--cluster",
                         expected="the address of a Dask scheduler: tcp://host:8786") from None  # fmt: skip
    with client:
        # names of our own: the same day asked for in another sweep is no longer there to be had
        under_way = {client.submit(figures_of, job, pure=False, retries=DEATHS): key for key, job in jobs.items()}
        for future in as_completed(under_way):
            yield under_way[future], future.result()
            future.release()


def _kept(folder: Path, key: str) -> Figures | None:
    try:
        kept = json.loads((folder / f"{key}.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return kept if isinstance(kept, dict) else None


@lru_cache(maxsize=64)
def loaded(name: str, changes: Changes) -> Scenario:
    """The scenario with these changes, kept for its other days."""
    from simulator.scenario import load_scenario

    return load_scenario(name, changes=dict(changes))


def switched(day: Day, job: Job, times: DriveTimes) -> Day:
    """The day with its policy switched by the job's rules; each call has the stop points of the rules it meets."""
    from dataclasses import replace

    from dispatch.core.events import PolicyChanged
    from simulator.scenario import requests_of

    requests, rules = list(day.requests), []
    for rule in sorted(job.rules, key=lambda rule: rule.at):
        other = replace(loaded(job.scenario, rule.changes), seed=job.seed)
        under = dict(enumerate(requests_of(other, times)))
        requests = [under[i] if at >= rule.at else (at, request) for i, (at, request) in enumerate(requests)]
        rules.append(PolicyChanged(rule.at, other.policy, reason="schedule of a trial"))
    return msgspec.structs.replace(day, requests=tuple(requests), rules=tuple(rules))


_TIMES: Final[dict[str, DriveTimes]] = {}
_MOST_TIMES = 8


def roads_of(scenario: Scenario) -> DriveTimes:
    """Driving times of the town, kept for the next day on the same streets and stop points."""
    from simulator.simulate import fingerprint, roads

    nodes = hashlib.sha256(scenario.places.nodes.tobytes()).hexdigest()
    key = f"{fingerprint(scenario.network)} {nodes} {scenario.profile}"
    if key not in _TIMES:
        while len(_TIMES) >= _MOST_TIMES:
            del _TIMES[next(iter(_TIMES))]
        _TIMES[key] = roads(scenario)
    return _TIMES[key]


@lru_cache(maxsize=64)
def file_fingerprint(name: str) -> str:
    """A scenario's file, and every file that it names, as one fingerprint."""
    from simulator.scenario import file_of
    from simulator.yaml_lines import read_yaml

    path = file_of(name)
    document = read_yaml(path)
    digest = hashlib.sha256(path.read_bytes())
    for text in _texts(document.data):
        file = path.parent / text
        if not 0 < len(text) < 200:
            continue
        inside = sorted(file.iterdir()) if file.is_dir() and is_data_folder(file) else [file]  # a feed, a recorded day
        for part in inside:
            if part.is_file():
                digest.update(part.read_bytes())
    return digest.hexdigest()


def is_data_folder(folder: Path) -> bool:
    """Whether a folder is one that a scenario may name: a GTFS feed, or a day's output."""
    return (folder / "stops.txt").is_file() or (folder / "events.jsonl").is_file()


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
