"""Trials: a question with arms, a primary metric, guardrails and a design, all fixed before the first day.

A trial's file is read here; `trial_plan` makes it into a plan with a hash and a schedule, `trial_run` lives it or reads
the logs of the days that did, `trial_analysis` gives effects and intervals, `trial_page` tells them.
"""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct, field

from routing.errors import InputError
from simulator.accounts import ALL_DEFINITIONS
from simulator.days import Changes
from simulator.journeys import TALLIED
from simulator.scenario import file_of, load_policy, load_scenario
from simulator.words import Words, check_window
from simulator.yaml_lines import Document, clock, read_yaml

EQUITY: Final = (
    "equity.least_zone_service_rate", "equity.zone_service_gap_share", "equity.most_zone_wait_s",
    "equity.wheelchair_service_rate", "equity.ahead_service_rate", "equity.least_age_service_rate",
    "equity.age_service_gap_share", "equity.least_channel_service_rate",
)  # fmt: skip
NOT_METRICS: Final = (
    "violations_by_invariant", "decision_ms", "requests_per_s", "wall_s", "peak_rss_mb", "seed", "scenario", "version",
    "extra", "extra.broken_by", "extra.refused_by", "extra.by_hour", "extra.by_distance", "extra.groups",
)  # fmt: skip


class Guardrail(Words, frozen=True):
    """A figure that no arm may worsen by more than this, in the figure's own unit."""

    worse_by: Annotated[float, Meta(ge=0)]


class PairedDays(Words, frozen=True, tag_field="kind", tag="paired_days"):
    """Every arm lives the same simulated days."""

    days: Annotated[int, Meta(ge=2, le=10_000)] | None = None
    """None: as many as the power analysis asks for"""


class Switchback(Words, frozen=True, tag_field="kind", tag="switchback"):
    """One arm after the other in blocks of time, for the field: riders share the shuttles."""

    days: Annotated[int, Meta(ge=2, le=10_000)] | None = None
    block_s: Annotated[int, Meta(ge=600, le=86_400)] = 7200
    burn_in_s: Annotated[int, Meta(ge=0, le=43_200)] = 1800
    """after each switch; who departs within it is not counted"""
    hours: tuple[str | float, str | float] | None = None
    """in which arms take turns, 06:00 or seconds; None: the scenario's service hours"""
    first_day: str | None = None
    """date of the first day; None: the scenario's"""

    def __post_init__(self) -> None:
        if self.hours is not None:
            check_window(*map(clock, self.hours))


class Size(Words, frozen=True):
    """What the power analysis is to find days for."""

    effect: Annotated[float, Meta(gt=0)]
    """the least effect on the metric worth finding, in its own unit"""
    power: Annotated[float, Meta(gt=0.05, lt=1)] = 0.8
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05
    pilot_days: Annotated[int, Meta(ge=5, le=5000)] = 30
    """simulated beforehand to learn how days differ; none of them is a day of the trial"""
    most_days: Annotated[int, Meta(ge=2, le=10_000)] = 365


class Stopping(Words, frozen=True):
    """When results may be looked at: `looks` times, evenly over the days, each at alpha ÷ looks (Bonferroni)."""

    looks: Annotated[int, Meta(ge=1, le=20)] = 1


class TrialFile(Words, frozen=True):
    """The words of a trial's file."""

    question: str
    scenario: str
    arms: dict[str, dict[str, Any]]
    """changes to the scenario by arm; the first is the one compared against"""
    metric: str
    size: Size
    design: PairedDays | Switchback = field(default_factory=PairedDays)
    guardrails: dict[str, Guardrail] = field(default_factory=dict)
    stopping: Stopping = Stopping()
    seed: Annotated[int, Meta(ge=0, le=2**53)] = 1


class Trial(Struct, frozen=True):
    """A trial whose scenario and arms are known to be usable."""

    file: str
    words: TrialFile
    scenario: str
    """path, or the name of a shipped one"""
    arms: dict[str, Changes]

    @property
    def base(self) -> str:
        """The arm that the others are compared against."""
        return next(iter(self.arms))


def read_trial(path: str | Path) -> Trial:
    """A trial from its file, or a shipped one by its name.

    Raises InputError for words that cannot be used, metrics that are unknown, arms that differ in nothing.
    """
    document = read_yaml(path_of(path))
    words = document.read(TrialFile)
    scenario = _scenario(words, document)
    arms = {name: _changes(name, changes, document) for name, changes in words.arms.items()}
    if len(arms) < 2:
        raise document.error(("arms",), "has one arm", "two or more, the first to compare against")
    for path_, metric in ((("metric",), words.metric), *((("guardrails", name), name) for name in words.guardrails)):
        check_metric(metric, words, document, path_)
    design, days = words.design, words.design.days
    if isinstance(design, Switchback) and design.burn_in_s >= design.block_s:
        raise document.error(
            ("design", "burn_in_s"), f"{design.burn_in_s} s leaves nothing of a block", "less than block_s"
        )
    if days is not None and words.stopping.looks * 2 > days:
        raise document.error(("stopping", "looks"), f"{words.stopping.looks} looks at {days} days", "two days a look")
    _check_arms(words, arms, scenario, document)
    return Trial(str(document.file), words, scenario, arms)


def path_of(path: str | Path) -> Path:
    """The file that a path or the name of a shipped trial means."""
    path, folder = Path(path), Path(str(files("simulator") / "scenarios" / "stories"))
    shipped = folder / f"{path}.yaml"
    return shipped if not path.is_file() and len(path.parts) == 1 and shipped.is_file() else path


def check_metric(metric: str, words: TrialFile, document: Document, path: tuple[str | int, ...]) -> None:
    """Raises InputError for a metric that no day has, or that a block of a day cannot have."""
    if isinstance(words.design, Switchback):
        if metric not in TALLIED:
            raise document.error(path, f"{metric!r} is no figure of a block of a day", f"one of {', '.join(TALLIED)}")
    elif metric in NOT_METRICS or (metric not in ALL_DEFINITIONS and metric not in EQUITY):
        raise document.error(path, f"{metric!r} is no figure of a day", "a key of kpis.json, such as service_rate")


def _scenario(words: TrialFile, document: Document) -> str:
    """The scenario's path, taken from the trial's folder, or its shipped name."""
    beside = document.file.parent / words.scenario
    if beside.is_file():
        return str(beside)
    try:
        file_of(words.scenario)
        if "/" in words.scenario or words.scenario.endswith((".yaml", ".yml")):
            raise InputError(f"there is no file {words.scenario!r}")
    except InputError as error:
        raise document.error(("scenario",), error.what, error.expected or "a scenario file") from None
    return words.scenario


def _changes(name: str, changes: dict[str, Any], document: Document) -> Changes:
    """An arm's changes; `policy: FILE` puts a whole policy there. Values are written as JSON, which YAML reads."""
    out = []
    for key, value in changes.items():
        if key == "policy" and isinstance(value, str):
            beside = document.file.parent / value
            try:
                policy = load_policy(beside if beside.is_file() else value)
            except InputError as error:
                raise document.error(("arms", name, key), str(error), error.expected) from None
            out.append((key, msgspec.json.encode(policy).decode()))
        else:
            out.append((str(key), json.dumps(value)))
    return tuple(out)


def _check_arms(words: TrialFile, arms: dict[str, Changes], scenario: str, document: Document) -> None:
    """Raises InputError where an arm cannot be loaded, differs in nothing, or changes what cannot be switched."""
    seen: dict[str, str] = {}
    for name, changes in arms.items():
        try:
            loaded = load_scenario(scenario, changes=dict(changes))
        except InputError as error:
            raise document.error(("arms", name), str(error), error.expected) from None
        rules = msgspec.json.encode(msgspec.structs.replace(loaded.policy, name="", version=0)).decode()
        what = rules + json.dumps([[k, v] for k, v in changes if not k.startswith("policy")])
        if what in seen:
            raise document.error(("arms", name), f"differs in nothing from {seen[what]!r}", "another rule or fleet")
        seen[what] = name
        if isinstance(words.design, Switchback):
            other = next((key for key, _ in changes if key.split(".")[0] != "policy"), None)
            if other is not None:
                raise document.error(("arms", name, other), "cannot be switched within a day", "rules under `policy`")
    if isinstance(words.design, Switchback) and len(arms) != 2:
        raise document.error(("arms",), f"a switchback of {len(arms)} arms", "two arms")
