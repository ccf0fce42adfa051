"""Days side by side: the same figures of any output folders, as a table and as one offline page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from dispatch.core.kpi import complete, figures
from routing.errors import InputError
from simulator import lab_charts as charts
from simulator.accounts import ALL_DEFINITIONS
from simulator.days import flat
from simulator.lab_page import facts, figure, page, section, table
from simulator.outputs import csv_bytes, read_events, read_kpis
from simulator.report_figures import GROUPS, look_up, said, told

FIRST: Final = (
    "attempts", "delivered", "calls", "service_rate", "extra.delivered_per_call", "refused", "wait_mean_s",
    "wait_p95_s", "last_call_wait_mean_s", "ride_to_direct_mean", "pickup_in_window_rate", "promises_broken",
    "shuttle_hours", "vehicle_km", "km_per_rider", "empty_share", "riders_per_shuttle_hour", "pooling_rate",
    "violations",
)  # fmt: skip
"""What a planner looks at first; the page has all."""
CHARTED: Final = ("service_rate", "wait_mean_s", "wait_p95_s", "ride_to_direct_mean", "km_per_rider", "empty_share")


KOREAN: Final = {
    "service_rate": "운행된 비율", "wait_mean_s": "평균 대기", "ride_to_direct_mean": "직행 대비 승차 시간",
    "km_per_rider": "1인당 주행 거리", "extra.money.cost_per_rider": "1인당 비용",
}  # fmt: skip
"""what the Korean summary tells"""


class Run(NamedTuple):
    """One output folder."""

    name: str
    kpis: Mapping[str, Any]


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs in these folders. Raises InputError for a folder that holds none."""
    if len(folders) < 2:
        raise InputError("there is one run only", expected="two output folders or more")
    runs = []
    for folder in folders:
        kpis = read_kpis(folder) if folder.is_dir() else None
        runs.append(Run(folder.name or str(folder), complete(figures(read_events(folder))) if kpis is None else kpis))
    names = [run.name for run in runs]
    if len(set(names)) < len(names):  # then by their whole paths
        runs = [Run(str(folder), run.kpis) for folder, run in zip(folders, runs, strict=True)]
    return runs


def table_rows(runs: Sequence[Run], keys: Sequence[str]) -> list[list[str]]:
    """One row a figure, one column a run."""
    return [[key.removeprefix("extra."), *(_said(key, look_up(run.kpis, key)) for run in runs)] for key in keys]


def text(runs: Sequence[Run]) -> str:
    """The table as plain text."""
    rows = [["", *(run.name for run in runs)], *table_rows(runs, FIRST)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def csv(runs: Sequence[Run]) -> bytes:
    """Every single figure of every run: a row a figure, a column a run."""
    known = [flat(run.kpis) for run in runs]
    keys = sorted({key for figures in known for key in figures})
    cells = [[figures.get(key) for figures in known] for key in keys]
    rows = [(key, *("" if v is None else f"{v:.6g}" for v in values)) for key, values in zip(keys, cells, strict=True)]
    return csv_bytes(("figure", *(run.name for run in runs)), rows)


def html(runs: Sequence[Run]) -> bytes:
    """The page."""
    base = runs[0]
    sections = [
        section("Figures", table(["", *(run.name for run in runs)], table_rows(runs, FIRST))),
        *(
            figure(key, ALL_DEFINITIONS.get(key, ""), charts.bars(key, [(run.name, _point(run, key)) for run in runs]))
            for key in CHARTED
            if any(look_up(run.kpis, key) is not None for run in runs)
        ),
        _hours(
            "Service by hour", "Delivered ÷ attempts, by the hour of the departure first asked for.", runs, _service
        ),
        _hours("Mean wait by hour", "From the departure first asked for to boarding.", runs, _wait),
        *(
            section(heading, table(["", *(run.name for run in runs)], table_rows(runs, keys)))
            for heading, keys in GROUPS.items()
        ),
        section("What is compared", facts({run.name: _what(run) for run in runs})),
    ]
    words, korean = _summary(base, runs[1:]), _korean(base, runs[1:])
    return page(" · ".join(run.name for run in runs[:4]), "comparison of days", words, sections, korean=korean)


def _said(key: str, value: Any) -> str:
    try:
        return told(key, value)
    except (TypeError, ValueError, KeyError):  # a figure of another version
        return str(value)


def _point(run: Run, key: str) -> float | None:
    value = look_up(run.kpis, key)
    return float(value) if isinstance(value, int | float) else None


def _service(row: Mapping[str, Any]) -> float | None:
    return row["delivered"] / row["attempts"] if row["attempts"] else None


def _wait(row: Mapping[str, Any]) -> float | None:
    wait = row["wait_mean_s"]
    return None if wait is None else wait / 60


def _hours(title: str, caption: str, runs: Sequence[Run], value: Any) -> str:
    lines = []
    for run in runs:
        rows = look_up(run.kpis, "extra.by_hour") or []
        lines.append((run.name, {row["hour"]: found for row in rows if (found := value(row)) is not None}))
    metric = "service_rate" if value is _service else "minutes"
    legend = charts.line_legend([name for name, _ in lines])
    return figure(title, caption, legend + charts.by_hour(lines, metric))


def _summary(base: Run, others: Sequence[Run]) -> str:
    from html import escape

    sentences = []
    for run in others:
        parts = []
        for key, words in (
            ("service_rate", "carried"),
            ("wait_mean_s", "mean wait"),
            ("km_per_rider", "driven a rider"),
            ("extra.money.cost_per_rider", "cost a rider"),
        ):
            a, b = look_up(base.kpis, key), look_up(run.kpis, key)
            if isinstance(a, int | float) and isinstance(b, int | float):
                parts.append(f"{words} {said(run.kpis, key)} ({charts.difference_told(key, b - a)})")
        sentences.append(f"<b>{escape(run.name)}</b> against <b>{escape(base.name)}</b>: {escape('; '.join(parts))}.")
    return " ".join(sentences)


def _korean(base: Run, others: Sequence[Run]) -> str:
    """The summary in Korean: carried, waited, driven, what a rider cost."""
    sentences = []
    for run in others:
        parts = []
        for key, words in KOREAN.items():
            a, b = look_up(base.kpis, key), look_up(run.kpis, key)
            if isinstance(a, int | float) and isinstance(b, int | float):
                before, after = said(base.kpis, key, "ko"), said(run.kpis, key, "ko")
                rise = "변화 없음" if before == after else "증가" if b > a else "감소"
                parts.append(f"{words} {before} → {after} ({rise})")
        sentences.append(f"{base.name}에 견준 {run.name}: {', '.join(parts)}.")
    return " ".join(sentences)


def _what(run: Run) -> str:
    k = run.kpis
    return f"scenario {k.get('scenario')}, seed {k.get('seed')}, Naru {k.get('version')}"
