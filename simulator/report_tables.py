"""The report's tables as CSV beside it: figures with their definitions, hours, groups, stop points, refusals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from simulator.accounts import ALL_DEFINITIONS
from simulator.outputs import Row, csv_bytes, write_whole
from simulator.report_day import Day, stop_uses
from simulator.report_figures import look_up

FIGURES: Final = "figures.csv"
HOURS: Final = "hours.csv"
GROUPS: Final = "groups.csv"
STOPS: Final = "stops.csv"
REFUSALS: Final = "refusals.csv"


def write_tables(folder: Path, day: Day, kpis: Mapping[str, Any]) -> None:
    """Write them. Raises OSError with the path."""
    figures = [(key.removeprefix("extra."), _plain(look_up(kpis, key)), words) for key, words in ALL_DEFINITIONS.items()
               if not isinstance(look_up(kpis, key), dict | list)]  # fmt: skip
    write_whole(folder / FIGURES, csv_bytes(("key", "figure", "definition"), figures))
    _write_rows(folder / HOURS, look_up(kpis, "extra.by_hour") or ())
    _write_rows(folder / GROUPS, look_up(kpis, "extra.groups") or ())
    names = day.opened.places
    stops = [
        (names[use.place], str(use.boardings), str(use.alightings), str(use.refusals), _plain(use.wait_mean_s))
        for use in stop_uses(day)
    ]
    write_whole(folder / STOPS, csv_bytes(("place", "boardings", "alightings", "refusals", "wait_mean_s"), stops))
    refused = [(names[use.place], reason, str(count)) for use in stop_uses(day) for reason, count in use.reasons]
    write_whole(folder / REFUSALS, csv_bytes(("place", "reason", "attempts"), refused))


def _write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        path.unlink(missing_ok=True)
        return
    lines: list[Row] = [tuple(_plain(value) for value in row.values()) for row in rows]
    write_whole(path, csv_bytes(tuple(rows[0]), lines))


def _plain(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
