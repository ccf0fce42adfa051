"""Calibration: numbers that made a day are found again from its totals; what cannot be reached is said."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from routing.errors import InputError
from simulator.calibrate import Knob, calibrate, fit_shape, read_hours, read_knob, solve
from simulator.cli import main
from simulator.scenario import load_scenario


def test_a_smooth_problem_is_solved_in_few_tries() -> None:
    """Two knobs, two totals, one of them a product of both."""
    tried = []

    def misfits(x: np.ndarray) -> np.ndarray:
        tried.append(x)
        return np.array([x[0] * x[1] / 12 - 1, (x[0] + x[1]) / 7 - 1])

    found = solve(misfits, [Knob("a", 0.5, 3.5), Knob("b", 3.6, 9)], np.array([1.0, 8.0]))
    assert np.abs(misfits(found)).max() < 0.02
    assert len(tried) < 15


def test_the_hourly_shape_fits(tmp_path: Path) -> None:
    """Bursts and refused short ways shift departures; the profile makes up for it."""
    path = tmp_path / "hours.csv"
    path.write_text("hour,count\n6,10\n7,40\n8,30\n9,12\n10,8\n", encoding="utf-8")
    hours = read_hours(path)
    fit = calibrate("nauru", {"asked.km_mean": 5.5}, [read_knob("requests.likely_km=2..40")], 1, hours=hours)
    for want, got in fit.hours.values():
        assert got == pytest.approx(want, abs=0.03)
    assert fit.met
    assert set(fit.changes) == {"requests.profile", "requests.likely_km"}


def test_totals_of_a_day_fit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Attempts from calls: one knob, and a scenario that can be run is written."""
    out = tmp_path / "fit"
    command = ["calibrate", "nauru", "--to", "calls=40", "--by", "requests.attempts=10..60", "--seeds", "1"]
    assert main([*command, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["changes"] == {"requests.attempts": "40"}
    fitted = load_scenario(out / "fitted.yaml")
    assert fitted.requests.attempts == 40  # type: ignore[union-attr]
    assert "calls" in (out / "calibration.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("hour,count\n", "no hour"),
        ("hour,count\n6,0\n", "no hour"),
        ("hour,count\n6,1\n6,2\n", "twice"),
        ("hour,count\n50,1\n", "47"),
        ("hour,count\n6,many\n", "many"),
        ("stunde,anzahl\n6,1\n", "hour"),
    ],
)
def test_hours_that_cannot_be_used_are_refused(tmp_path: Path, text: str, what: str) -> None:
    """Each with the file, the line and what was expected."""
    path = tmp_path / "hours.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=what):
        read_hours(path)


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--to", "calls"],
        ["--to", "calls=0"],
        ["--to", "calls=50", "--by", "requests.attempts=60..10"],
        ["--to", "calls=50", "--by", "requests.attempts=1..9", "--by", "policy.walk_m=0..9"],
        ["--to", "nothing=5"],
        ["--hours", "missing.csv"],
    ],
)
def test_wrong_words_are_wrong_input(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One message, exit code 2."""
    assert main(["calibrate", "nauru", "--seeds", "1", *options]) == 2
    assert capsys.readouterr().err.strip()


def test_a_shape_is_put_as_the_file_has_it() -> None:
    """A mapping of hours to weights, readable as a scenario's value."""
    put = fit_shape("nauru", {7: 1.0, 8: 1.0})
    assert put["requests.profile"].startswith("{7: ")
    load_scenario("nauru", changes=put)
