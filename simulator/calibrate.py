"""Fitting a scenario to totals that are known of a town: how many call, how they spread over the day, how far they go.

Totals are figures of a day (`calls`, `extra.delivered_per_call`, `last_call_wait_mean_s`, …) or of what is asked for
(`asked.km_mean`). As many numbers of the scenario are turned, within bounds, until the mean over the
same few days fits: Gauss-Newton on relative misfits with Broyden's update of the Jacobian between days (Nocedal and
Wright, Numerical Optimization, 2nd ed. 2006, §10.3 and §11.1), damped where a step does not help. The hourly shape is
fitted first, by the ratio of what is wanted to what came out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from routing.errors import InputError
from simulator import lab_charts as charts
from simulator.bands import Band, band
from simulator.days import Figures, Job, Progress, every_day, is_data_folder, loaded, number, roads_of
from simulator.lab_page import figure, page, paragraphs, section, table
from simulator.outputs import csv_bytes, write_whole

Ints = NDArray[np.int64]

CLOSE: Final = 0.02
"""relative misfit at which a total counts as met"""
STEPS: Final = 12
SHAPE_ROUNDS: Final = 3
SAMPLE: Final = 3000
"""attempts by which the shape and the lengths of demand are judged, so that not the luck of a few is fitted"""
HOUR_MS: Final = 3_600_000
PAGE: Final = "calibration.html"
FITTED: Final = "fitted.yaml"


class Knob(NamedTuple):
    """A number of the scenario that may be turned."""

    key: str
    low: float
    high: float

    @property
    def whole(self) -> bool:
        """Turned in whole numbers: both bounds are."""
        return float(self.low).is_integer() and float(self.high).is_integer() and self.high - self.low >= 2

    def text(self, value: float) -> str:
        """As the scenario has it."""
        return str(round(value)) if self.whole else f"{value:.5g}"


class Fit(NamedTuple):
    """What came of a calibration."""

    changes: dict[str, str]
    wanted: dict[str, float]
    reached: dict[str, Band | None]
    hours: dict[int, tuple[float, float]]
    """share of the departures by hour: (wanted, reached); wanted is 0 in all where no shape was given"""
    tried: int
    """settings of the knobs"""

    @property
    def met(self) -> bool:
        """Every total is within five percent."""
        return all(abs(self.misfit(metric)) <= 0.05 for metric in self.wanted)

    def misfit(self, metric: str) -> float:
        """Relative; 0 is met exactly."""
        found = self.reached[metric]
        return float("nan") if found is None else found.mean / self.wanted[metric] - 1


def read_knob(text: str) -> Knob:
    """`policy.max_wait_s=600..2400`. Raises InputError."""
    key, _, bounds = text.partition("=")
    try:
        low, high = (float(part) for part in bounds.split(".."))
        if not low < high:
            raise ValueError
    except ValueError:
        raise InputError(f"{text!r} names no range", field="--by", expected="policy.max_wait_s=600..2400") from None
    return Knob(key.strip(), low, high)


def read_hours(path: Path) -> dict[int, float]:
    """`hour,count` of departures asked for. Raises InputError for hours missing a number, or without any demand."""
    from routing.csv_table import read_table

    table_ = read_table(path, required=("hour", "count"))
    hours: dict[int, float] = {}
    for row in table_:
        hour = row.integer("hour", low=0, high=47)
        if hour in hours:
            raise row.error("hour", f"{hour} stands twice", expected="each hour once")
        hours[hour] = row.number("count", low=0)
    if sum(hours.values()) <= 0:
        raise InputError("no hour has any demand", file=path, field="count", expected="a count above 0")
    return hours


def calibrate(
    scenario: str,
    wanted: Mapping[str, float],
    knobs: Sequence[Knob],
    seeds: int,
    *,
    hours: Mapping[int, float] | None = None,
    processes: int = 1,
    cluster: str | None = None,
    folder: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Fit:
    """Fit the scenario. Raises InputError where there are more knobs than totals, or totals that are no figures."""
    if len(knobs) > len(wanted):
        raise InputError(f"{len(knobs)} numbers are to be turned by {len(wanted)} totals", field="--by",
                         expected="no more than there are totals under --to")  # fmt: skip
    shape = fit_shape(scenario, hours) if hours else {}
    running: dict[str, Any] = {"processes": processes, "cluster": cluster, "folder": folder, "progress": progress}
    known: dict[tuple[str, ...], list[Figures]] = {}

    def changes(turned: NDArray[np.float64]) -> dict[str, str]:
        return {**shape, **{knob.key: knob.text(value) for knob, value in zip(knobs, turned, strict=True)}}

    def days(turned: NDArray[np.float64]) -> list[Figures]:
        put = changes(turned)
        key = tuple(put.values())
        if key not in known:
            known[key] = _days(scenario, put, seeds, wanted, running)
            reached = ", ".join(f"{m} {b.mean:.5g}" for m, b in _bands(known[key], wanted).items() if b is not None)
            turns = ", ".join(f"{knob.key} {put[knob.key]}" for knob in knobs)
            say(f"{turns or 'as it is'}: {reached}")
        return known[key]

    def misfits(turned: NDArray[np.float64]) -> NDArray[np.float64]:
        bands = _bands(days(turned), wanted)
        return np.array([3.0 if (b := bands[m]) is None else b.mean / wanted[m] - 1 for m in wanted])

    turned = solve(misfits, knobs, _start(scenario, knobs)) if knobs else np.zeros(0)
    put = changes(turned)
    reached_hours = _hourly(scenario, put)
    total = sum(hours.values()) if hours else 0
    compared = {
        hour: ((hours or {}).get(hour, 0) / total if total else 0.0, reached_hours.get(hour, 0.0))
        for hour in sorted({*(hours or {}), *reached_hours})
    }
    return Fit(put, dict(wanted), _bands(days(turned), wanted), compared, len(known))


def solve(
    misfits: Callable[[NDArray[np.float64]], NDArray[np.float64]], knobs: Sequence[Knob], start: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The setting of the knobs with the least sum of squared misfits that was found."""
    low, high = np.array([k.low for k in knobs]), np.array([k.high for k in knobs])
    span = high - low
    at = np.clip(start, low, high)
    here = misfits(at)
    jacobian = np.empty((len(here), len(knobs)))
    for i in range(len(knobs)):
        aside = at.copy()
        aside[i] += 0.15 * span[i] if at[i] + 0.15 * span[i] <= high[i] else -0.15 * span[i]
        jacobian[:, i] = (misfits(aside) - here) / (aside[i] - at[i]) * span[i]
    damping = 1e-3
    for _ in range(STEPS):
        if np.abs(here).max() <= CLOSE:
            break
        normal = jacobian.T @ jacobian + damping * np.eye(len(knobs))
        step = np.linalg.solve(normal, -jacobian.T @ here)
        largest = np.abs(step).max()
        step *= min(1.0, 0.3 / largest) if largest > 0 else 1.0
        there = np.clip(at + step * span, low, high)
        moved = (there - at) / span
        if np.abs(moved).max() < 1e-4:
            break
        new = misfits(there)
        jacobian += np.outer(new - here - jacobian @ moved, moved) / (moved @ moved)
        if new @ new < here @ here:
            at, here, damping = there, new, damping / 3
        else:
            damping = max(damping, 1e-2) * 4
    return at


def fit_shape(scenario: str, hours: Mapping[int, float]) -> dict[str, str]:
    """`requests.profile` whose departures spread over the day as `hours` do (bursts and short ways shift them)."""
    total = sum(hours.values())
    weights = {hour: count / total for hour, count in hours.items() if count}
    for _ in range(SHAPE_ROUNDS):
        reached = _hourly(scenario, _profile(weights))
        weights = {
            hour: weight * (hours[hour] / total) / reached[hour] if reached.get(hour) else weight
            for hour, weight in weights.items()
        }
    return _profile(weights)


def write_fit(folder: Path, scenario: str, fit: Fit, said: Sequence[str]) -> Path:
    """The page, the hourly shape as CSV, and the scenario with the fitted values in it; returns the page's path."""
    write_whole(folder / FITTED, fitted_yaml(scenario, fit).encode())
    rows = [(str(hour), f"{want:.6g}", f"{got:.6g}") for hour, (want, got) in fit.hours.items()]
    write_whole(folder / "hours.csv", csv_bytes(("hour", "wanted", "reached"), rows))
    write_whole(folder / PAGE, html(Path(scenario).stem, fit, said))
    return folder / PAGE


def fitted_yaml(scenario: str, fit: Fit) -> str:
    """The scenario's file with the fitted values; the files it names are named from everywhere."""
    import yaml

    from simulator.scenario import file_of
    from simulator.yaml_lines import read_yaml

    document = read_yaml(file_of(scenario)).replaced(fit.changes)

    def absolute(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: absolute(item) for key, item in value.items()}
        if isinstance(value, list):
            return [absolute(item) for item in value]
        if (
            isinstance(value, str)
            and value
            and ((document.file.parent / value).is_file() or is_data_folder(document.file.parent / value))
        ):
            return str((document.file.parent / value).resolve())
        return value

    head = f"# {document.file.name}, fitted by `naru calibrate`: {', '.join(fit.changes)}\n"
    return head + yaml.safe_dump(absolute(document.data), sort_keys=False, allow_unicode=True)


def html(name: str, fit: Fit, said: Sequence[str]) -> bytes:
    """The page: what was wanted, what came out, and what was turned."""
    rows = [
        [metric, f"{want:,.4g}", charts.band_told(metric, fit.reached[metric]), f"{100 * fit.misfit(metric):+.1f} %"]
        for metric, want in fit.wanted.items()
    ]
    lines = [("reached", {hour: 100 * got for hour, (_, got) in fit.hours.items()})]
    if any(want for want, _ in fit.hours.values()):
        lines.insert(0, ("wanted", {hour: 100 * want for hour, (want, _) in fit.hours.items()}))
    legend = charts.line_legend([label for label, _ in lines])
    sections = [
        section("Totals", table(["", "wanted", "reached", "misfit"], rows)),
        figure(
            "Departures by hour", "Share of all departures asked for, percent.", legend + charts.by_hour(lines, "%")
        ),
        section("Put into the scenario", table(["key", "value"], [[k, v[:120]] for k, v in fit.changes.items()])),
        section("What was tried", paragraphs(said)),
    ]
    words = (
        f"{fit.tried} settings were simulated. A fit shows that the scenario can look like the town, not that it is it."
    )
    return page(name, "calibration", words, sections)


def _profile(weights: Mapping[int, float]) -> dict[str, str]:
    return {"requests.profile": json.dumps({hour: round(weight, 5) for hour, weight in sorted(weights.items())}
                                           ).replace('"', "")}  # fmt: skip


def _days(scenario: str, put: dict[str, str], seeds: int, wanted: Mapping[str, float], running: dict[str, Any]
          ) -> list[Figures]:  # fmt: skip
    """Figures of each day; none is simulated where all totals are of what is asked for."""
    of_demand = asked(scenario, put) if any(metric.startswith("asked.") for metric in wanted) else {}
    if all(metric.startswith("asked.") for metric in wanted):
        return [{"asked": of_demand}]
    days = every_day([Job(scenario, tuple(put.items()), seed) for seed in range(1, seeds + 1)], **running)
    return [{**day, "asked": of_demand} for day in days]


def asked(scenario: str, put: Mapping[str, str]) -> dict[str, float | None]:
    """Figures of what is asked for, before anybody answers: km_mean and direct_s_mean of unshared drives."""
    departs, ms, mm = _demand(scenario, put)
    if not len(departs):
        return {"km_mean": None, "direct_s_mean": None}
    return {"km_mean": float(mm.mean() / 1e6), "direct_s_mean": float(ms.mean() / 1000)}


def _hourly(scenario: str, put: Mapping[str, str]) -> dict[int, float]:
    """Share of the departures asked for in each hour."""
    count = Counter((_demand(scenario, put)[0] // HOUR_MS).tolist())
    return {hour: n / count.total() for hour, n in sorted(count.items())}


def _demand(scenario: str, put: Mapping[str, str]) -> tuple[Ints, Ints, Ints]:
    """(departures, direct ms, direct mm) of a large sample of the scenario's demand; of recorded demand, all of it."""
    from dispatch.core.places import direct
    from simulator.demand import generate
    from simulator.demand_file import Demand

    made = loaded(scenario, tuple(put.items()))
    times, attempts = roads_of(made), made.requests
    if isinstance(attempts, Demand):
        demand = msgspec.structs.replace(attempts, attempts=SAMPLE)
        attempts = tuple(generate(demand, made.places, times, made.seed, made.service_hours, made.sources))
    ends = np.array([(a.depart_after, a.origin.place, a.destination.place) for a in attempts], np.int64).reshape(-1, 3)
    return ends[:, 0], *direct(times, ends[:, 1], ends[:, 2], ends[:, 0])


def _bands(days: Sequence[Figures], wanted: Mapping[str, float]) -> dict[str, Band | None]:
    return {metric: band([number(day, metric) for day in days]) for metric in wanted}


def _start(scenario: str, knobs: Sequence[Knob]) -> NDArray[np.float64]:
    """What the scenario's file has now, or the middle of the bounds."""
    from simulator.scenario import file_of
    from simulator.yaml_lines import read_yaml

    data: Any = read_yaml(file_of(scenario)).data
    out = []
    for knob in knobs:
        value = data
        for part in knob.key.split("."):
            if isinstance(value, list):
                value = value[int(part)] if part.isdigit() and int(part) < len(value) else None
            else:
                value = value.get(part) if isinstance(value, dict) else None
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        out.append(float(value) if is_number else (knob.low + knob.high) / 2)
    return np.array(out)
