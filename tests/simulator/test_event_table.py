"""The events' Parquet table: exactly its schema, everything of the log in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from dispatch.core import events as ev
from simulator.cli import main
from simulator.event_table import COLUMNS, rows
from simulator.scenario import load_scenario
from simulator.simulate import simulate

Town = Callable[..., Path]
README = Path(__file__).parents[2] / "simulator" / "README.md"


@pytest.fixture
def day(town: Town, tmp_path: Path) -> list[ev.Event]:
    """Two riders, simulated into `day`."""
    return simulate(load_scenario(town("policy: {fares: {base: 900}}\n")), tmp_path / "day").events


def test_the_file_has_exactly_the_schema(day: list[ev.Event], tmp_path: Path) -> None:
    """Names, types and order of the columns, a row a line of the log; the README's table says the same."""
    assert main(["convert", str(tmp_path / "day"), "--to", "parquet", "--out", str(tmp_path / "e.parquet")]) == 0
    table = pq.read_table(tmp_path / "e.parquet")
    assert [(field.name, str(field.type)) for field in table.schema] == [(c.name, c.type) for c in COLUMNS]
    assert table.num_rows == len(day)
    for column in COLUMNS:
        assert f"| `{column.name}` | {column.type} | {column.meaning} |" in README.read_text()


def test_rows_hold_what_the_events_say(day: list[ev.Event]) -> None:
    """Boardings know their attempt and vehicle, bookings their stop points, promise and fare; JSON is the event."""
    told = rows(day)
    booked = next(row for row in told if row["type"] == "RideBooked" and row["request"] == "1")
    assert (booked["place"], booked["to_place"], booked["fare"]) == ("n1", "n3", 900)
    assert booked["pickup_from_ms"] <= booked["pickup_at_ms"] <= booked["pickup_to_ms"]
    boarded = next(row for row in told if row["type"] == "RiderBoarded" and row["request"] == "1")
    assert (boarded["vehicle"], boarded["attempt"], boarded["persons"]) == ("A", "1", 1)
    assert boarded["depart_after_ms"] == 60_000
    assert sum(row["driven_m"] or 0 for row in told) == pytest.approx(
        sum(getattr(event, "driven_mm", 0) for event in day) / 1000
    )
    assert '"type":"RiderBoarded"' in boarded["json"]
    assert [row["seq"] for row in told] == list(range(1, len(day) + 1))


def test_a_log_that_cannot_be_read_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No log, no table."""
    assert main(["convert", str(tmp_path), "--to", "parquet", "--out", str(tmp_path / "e.parquet")]) == 2
    assert "no such log" in capsys.readouterr().err
    assert not (tmp_path / "e.parquet").exists()
