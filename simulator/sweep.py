"""Sweeps: a scenario's days over values of any of its fields, the same seeds for each, with bands and what they cost.

A cell is one combination of values. All cells live the same days (seeds 1 to K): differences are paired.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from routing.errors import InputError
from simulator import lab_charts as charts
from simulator.bands import Band, band, better, paired, pareto
from simulator.days import Changes, Figures, Job, Progress, every_day, flat, grid, number
from simulator.lab_page import figure, page, paragraphs, section, table
from simulator.outputs import csv_bytes, write_whole

if TYPE_CHECKING:
    import pandas as pd

DAYS: Final = "days"
"""folder with one file a day"""
RESULTS, CELLS, PAGE = "days.parquet", "cells.csv", "sweep.html"
TOLD: Final = (
    "service_rate", "wait_mean_s", "wait_p95_s", "ride_to_direct_mean", "km_per_rider", "shuttle_hours",
    "promises_broken", "equity.least_zone_service_rate",
)  # fmt: skip
CURVES: Final = ("service_rate", "wait_mean_s", "ride_to_direct_mean", "km_per_rider")


class Prices(NamedTuple):
    """What an hour and a km of a shuttle cost; assumed unless the planner names them."""

    hour: float = 30_000
    km: float = 500
    day: float = 0


class Cell(NamedTuple):
    """One combination of values, and its days in order of the seeds."""

    changes: Changes
    days: list[Figures]

    @property
    def label(self) -> str:
        """As a table names it."""
        return ", ".join(f"{key.removeprefix('policy.')} {value}" for key, value in self.changes) or "as it is"

    def values(self, metric: str) -> list[float | None]:
        """A figure, day by day."""
        return [number(day, metric) for day in self.days]

    def band(self, metric: str) -> Band | None:
        """Its mean and interval."""
        return band(self.values(metric))


def read_vary(texts: Sequence[str]) -> dict[str, list[str]]:
    """`policy.x=1,2` as {"policy.x": ["1", "2"]}; commas within brackets belong to a value. Raises InputError."""
    vary: dict[str, list[str]] = {}
    for text in texts:
        key, equals, values = text.partition("=")
        parts = split_values(values)
        if not equals or not key.strip() or not all(parts):
            raise InputError(
                f"{text!r} names no values", field="--vary", expected="a key and values: policy.walk_m=0,400"
            )
        if len(set(parts)) < len(parts) or key in vary:
            raise InputError(f"{text!r} names something twice", field="--vary", expected="each key and value once")
        vary[key.strip()] = parts
    return vary


def split_values(text: str) -> list[str]:
    """A list's values; commas within brackets or quotes belong to a value."""
    parts, depth, quote = [""], 0, ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'":
            quote = char
        depth += (char in "[{") - (char in "]}")
        if char == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def sweep(
    scenario: str,
    vary: Mapping[str, Sequence[str]],
    seeds: int,
    *,
    processes: int = 1,
    cluster: str | None = None,
    folder: Path | None = None,
    progress: Progress | None = None,
) -> list[Cell]:
    """Every cell's days, seeds 1 to `seeds`. Raises InputError before any day is spent if a cell cannot be."""
    cells = grid(vary)
    jobs = [Job(scenario, changes, seed) for changes in cells for seed in range(1, seeds + 1)]
    kept = None if folder is None else folder / DAYS
    done = every_day(jobs, processes=processes, cluster=cluster, folder=kept, progress=progress)
    return [Cell(changes, done[i * seeds : (i + 1) * seeds]) for i, changes in enumerate(cells)]


def frame(cells: Sequence[Cell]) -> pd.DataFrame:
    """One row a day: the values varied, the seed, every figure."""
    import pandas as pd

    rows = [
        {**dict(cell.changes), "seed": seed, **flat(day)}
        for cell in cells
        for seed, day in enumerate(cell.days, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def write_sweep(folder: Path, name: str, cells: Sequence[Cell], prices: Prices, notes: Sequence[str] = ()) -> Path:
    """Parquet of the days, CSV of the cells, and the page, whose path is the value."""
    import io

    table_of_days = io.BytesIO()
    frame(cells).to_parquet(table_of_days, index=False)
    write_whole(folder / RESULTS, table_of_days.getvalue())
    metrics = sorted(flat(cells[0].days[0]))
    header = [*(key for key, _ in cells[0].changes), "days"]
    rows = []
    for cell in cells:
        row = [*(value for _, value in cell.changes), str(len(cell.days))]
        for metric in metrics:
            found = cell.band(metric)
            row += ["", "", ""] if found is None else [_plain(found.mean), _plain(found.low), _plain(found.high)]
        rows.append(tuple(row))
    for metric in metrics:
        header += [metric, f"{metric}_low", f"{metric}_high"]
    write_whole(folder / CELLS, csv_bytes(tuple(header), rows))
    write_whole(folder / PAGE, html(name, cells, prices, notes))
    return folder / PAGE


def html(name: str, cells: Sequence[Cell], prices: Prices, notes: Sequence[str] = ()) -> bytes:
    """The page of a sweep."""
    base, *others = cells
    days = len(base.days)
    rows = [[cell.label, *(charts.band_told(metric, cell.band(metric)) for metric in TOLD)] for cell in cells]
    sections = [section("What was tried", table(["", *map(_short, TOLD)], rows))]
    sections += _curves(cells)
    for metric in CURVES[:2] if others else ():
        differences = [(cell.label, paired(cell.values(metric), base.values(metric))) for cell in others]
        sections.append(
            figure(
                f"{_short(metric)}: against {base.label}",
                f"Differences of the same {days} days, the same people on each (paired by seed). A bar that meets the "
                "dashed line is no difference that this many days can show.",
                charts.intervals(metric, differences, zero=True),
            )
        )
    sections.append(_front(cells, prices))
    if notes:
        sections.append(section("Notes", paragraphs(notes)))
    words = f"{len(cells)} ways to run it, {days} simulated day{'s' * (days > 1)} each, the same people in all."
    return page(name, "sweep", words, sections)


def text(cells: Sequence[Cell]) -> str:
    """The cells as a plain table."""
    rows = [["", *map(_short, TOLD)]]
    rows += [[cell.label, *(charts.band_told(metric, cell.band(metric)) for metric in TOLD)] for cell in cells]
    out = []
    for cell, row in zip(cells, rows[1:], strict=True):
        out.append(cell.label)
        out += [f"  {name:<26}{said}" for name, said in zip(rows[0][1:], row[1:], strict=True)]
    return "\n".join(out)


def cost(cell: Cell, prices: Prices) -> float | None:
    """Mean cost of a day: shuttle-hours and km at their prices."""
    hours, km = cell.band("shuttle_hours"), cell.band("vehicle_km")
    return None if hours is None or km is None else hours.mean * prices.hour + km.mean * prices.km + prices.day


def _curves(cells: Sequence[Cell]) -> list[str]:
    """A curve a figure where one key with numbers is varied."""
    keys = [key for key, _ in cells[0].changes]
    try:
        xs = [float(dict(cell.changes)[keys[0]]) for cell in cells]
    except (ValueError, IndexError):
        return []
    if len(keys) != 1 or len(cells) < 2:
        return []
    caption = "Mean of the days, with the interval that holds it 95 of 100 times."
    return [
        figure(f"{_short(metric)} along {keys[0]}", caption,
               charts.curve(metric, keys[0], xs, [cell.band(metric) for cell in cells]))
        for metric in CURVES
    ]  # fmt: skip


def _front(cells: Sequence[Cell], prices: Prices) -> str:
    """Service, wait and cost together."""
    known = []
    for cell in cells:
        rate, wait, price = cell.band("service_rate"), cell.band("wait_mean_s"), cost(cell, prices)
        if rate is not None and wait is not None and price is not None:
            known.append((cell, rate.mean, wait.mean, price))
    on = pareto([(better("service_rate") * rate, -wait, -price) for _, rate, wait, price in known])
    points = [
        charts.Point(cell.label, rate, wait, front) for (cell, rate, wait, _), front in zip(known, on, strict=True)
    ]
    rows = [
        [cell.label + (" ●" if front else ""), f"{100 * rate:.1f} %", f"{wait / 60:.1f} min", f"{price:,.0f}"]
        for (cell, rate, wait, price), front in sorted(zip(known, on, strict=True), key=lambda row: -row[0][1])
    ]
    return figure(
        "Service, wait and cost",
        "Filled: on the Pareto front, where nothing tried is at least as good in service, wait and cost and better in "
        f"one. Cost of a day at {prices.hour:,.0f} a shuttle-hour and {prices.km:,.0f} a km, assumed unless named.",
        charts.scatter(points, "service_rate", "wait_mean_s")
        + table(["", "carried", "mean wait", "cost of a day"], rows),
    )


def _short(metric: str) -> str:
    return metric.rpartition(".")[2]


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:.6g}"
