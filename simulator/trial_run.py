"""Living a planned trial: its days simulated, or read from the logs of a service that kept the schedule."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from dispatch.core import events as ev
from dispatch.core.domain import Policy
from routing.errors import InputError
from simulator.days import Changes, Figures, Job, Progress, Rule, every_day, flat
from simulator.journeys import journeys, tally
from simulator.outputs import read_events, write_whole
from simulator.scenario import load_scenario
from simulator.trial import Switchback, Trial
from simulator.trial_plan import Block, Plan

RESULTS: Final = "results.json"


class Results(Struct, frozen=True):
    """What the days of a trial gave."""

    plan: str
    """hash of the plan that they were lived under"""
    source: str
    """simulated, or the field"""
    figures: dict[str, list[dict[str, Any] | None]] = field(default_factory=dict)
    """paired days: by arm, each day's figures"""
    blocks: list[list[tuple[str, dict[str, Any]]] | None] = field(default_factory=list)
    """switchback: by day, (arm, tally) of its blocks; None: the day is missing"""
    departures: list[str] = field(default_factory=list)
    """where the days departed from the plan"""


def run_simulated(
    trial: Trial, plan: Plan, *, processes: int = 1, cluster: str | None = None, folder: Path | None = None,
    progress: Progress | None = None,
) -> Results:  # fmt: skip
    """Simulate every planned day."""
    running: dict[str, Any] = {"processes": processes, "cluster": cluster, "folder": folder, "progress": progress}
    if isinstance(plan.words.design, Switchback):
        jobs = [
            switched_job(trial.scenario, plan.arms, seed, blocks)
            for seed, blocks in zip(plan.seeds, plan.schedule, strict=True)
        ]
        done = every_day(jobs, **running)
        days = [_labelled(blocks, day["windows"]) for blocks, day in zip(plan.schedule, done, strict=True)]
        return Results(plan.hash, "simulated", blocks=list(days))
    jobs = [Job(trial.scenario, changes, seed) for changes in plan.arms.values() for seed in plan.seeds]
    done = every_day(jobs, **running)
    by_arm = {arm: done[i * plan.days : (i + 1) * plan.days] for i, arm in enumerate(plan.arms)}
    return Results(plan.hash, "simulated", figures={arm: [_kept(day) for day in days] for arm, days in by_arm.items()})


def switched_job(scenario: str, arms: Mapping[str, Changes], seed: int, blocks: Sequence[Block]) -> Job:
    """A day whose policy is switched as its blocks say."""
    rules = [Rule(block.begin, arms[block.arm]) for before, block in pairwise(blocks) if before.arm != block.arm]
    windows = tuple((block.counted_from, block.end) for block in blocks)
    return Job(scenario, arms[blocks[0].arm], seed, tuple(rules), windows)


def read_field(trial: Trial, plan: Plan, logs: Sequence[Path]) -> Results:
    """Tallies from logs of days on which a service kept the schedule; a block under other rules is left out and told.

    Raises InputError for a design that no log can hold, and for logs of days that are not the plan's or come twice.
    """
    if not isinstance(plan.words.design, Switchback):
        raise InputError("paired days are lived in simulation only", file=trial.file, field="design.kind",
                         expected="switchback, for logs of a service")  # fmt: skip
    policies = {arm: load_scenario(trial.scenario, changes=dict(changes)).policy for arm, changes in plan.arms.items()}
    day_of = {date: i for i, date in enumerate(plan.dates)}
    blocks: list[list[tuple[str, dict[str, Any]]] | None] = [None] * plan.days
    departures = []
    for log in logs:
        events = list(read_events(log))
        opened = events[0] if events else None
        if not isinstance(opened, ev.DayOpened) or opened.date not in day_of:
            what = "is empty" if not isinstance(opened, ev.DayOpened) else f"is of {opened.date}"
            raise InputError(what, file=log, expected=f"a day from {plan.dates[0]} to {plan.dates[-1]}")
        i = day_of[opened.date]
        if blocks[i] is not None:
            raise InputError(f"{opened.date} is there twice", file=log, expected="one log a day")
        lived = list(journeys(events).values())
        day = []
        for block in plan.schedule[i]:
            if _kept_rules(events, block, policies[block.arm]):
                found = tally(lived, block.counted_from, block.end)
                day.append((block.arm, msgspec.to_builtins(found)))
            else:
                departures.append(f"{opened.date} from {_clock(block.begin)}: other rules than {block.arm!r}")
        blocks[i] = day
    missing = [date for date, i in day_of.items() if blocks[i] is None]
    departures += [f"{date}: no log" for date in missing]
    return Results(plan.hash, "the field", blocks=blocks, departures=departures)


def write_results(folder: Path, results: Results) -> Path:
    """Write results.json."""
    path = folder / RESULTS
    write_whole(path, json.dumps(msgspec.to_builtins(results), allow_nan=False).encode())
    return path


def read_results(folder: Path, plan: Plan) -> Results:
    """The results in a folder. Raises InputError if there are none, or those of another plan."""
    path = folder / RESULTS
    try:
        results = msgspec.json.decode(path.read_bytes(), type=Results)
    except FileNotFoundError:
        raise InputError("there are no results yet", file=path, expected="naru trial run, before report") from None
    except msgspec.MsgspecError as error:
        raise InputError(f"cannot be read ({error})", file=path, expected="the file as it was written") from None
    if results.plan != plan.hash:
        raise InputError("were taken under another plan", file=path, field="plan", expected=plan.hash)
    return results


def _labelled(blocks: Sequence[Block], windows: Sequence[Mapping[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    return [(block.arm, dict(window)) for block, window in zip(blocks, windows, strict=True)]


def _kept(day: Figures) -> dict[str, Any]:
    return flat(day)


def _kept_rules(events: Sequence[ev.Event], block: Block, policy: Policy) -> bool:
    """The arm's policy, and no other one, was in force throughout the block."""
    held: list[Policy] = []
    for event in events:
        if isinstance(event, ev.PolicyChanged):
            if event.at <= block.begin:
                held = [event.policy]
            elif event.at < block.end:
                held.append(event.policy)
    return bool(held) and all(_rules(one) == _rules(policy) for one in held)


def _rules(policy: Policy) -> Policy:
    return msgspec.structs.replace(policy, name="", version=0)


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}"
