"""The commands as a planner runs them: processes of their own, their words, their files."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.cli import main

NARU = [sys.executable, "-m", "simulator.cli"]
WAIT_S = 240
"""a process may have to compile"""


def naru(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*NARU, *words], env={**os.environ, **env}, capture_output=True, text=True, timeout=WAIT_S, check=False
    )


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A day on Nauru, with --out."""
    folder = tmp_path_factory.mktemp("day")
    done = naru("simulate", "nauru", "--seed", "2", "--out", str(folder), PYTHONHASHSEED="1")
    assert done.returncode == 0, done.stderr
    assert "service rate" in done.stdout
    return folder


def test_the_output_folder_is_whole(day: Path) -> None:
    """Log, figures, tables, map and report; a row a booking and end."""
    names = {"events.jsonl", "kpis.json", "visits.csv", "decisions.csv", "drives.csv", "map.npz", "report.html"}
    names |= {"accounts.json", "figures.csv", "hours.csv", "groups.csv", "stops.csv", "refusals.csv"}
    assert {path.name for path in day.iterdir()} == names
    kpis = json.loads((day / "kpis.json").read_text())
    with (day / "visits.csv").open() as table:
        assert sum(1 for _ in csv.DictReader(table)) == 2 * kpis["delivered"]
    assert (kpis["violations"], kpis["promises_broken"]) == (0, 0)


def test_the_same_day_again_is_the_same_log_to_the_byte(day: Path, tmp_path: Path) -> None:
    """From another process and with another hash seed; --json prints one object and nothing else."""
    done = naru("simulate", "nauru", "--seed", "2", "--out", str(tmp_path), "--json", PYTHONHASHSEED="7")
    assert json.loads(done.stdout)["violations"] == 0
    assert (tmp_path / "events.jsonl").read_bytes() == (day / "events.jsonl").read_bytes()


def test_another_seed_is_another_day(day: Path, tmp_path: Path) -> None:
    """Else the test above could not fail."""
    assert main(["simulate", "nauru", "--seed", "3", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "events.jsonl").read_bytes() != (day / "events.jsonl").read_bytes()


def test_check_finds_a_changed_line(day: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clean log is said to be clean, roads judged; a boarding made earlier is found."""
    assert main(["check", str(day)]) == 0
    assert "0 violations (roads judged too)" in capsys.readouterr().out
    lines = (day / "events.jsonl").read_text().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if "RiderAlighted" in line)
    lines[at] = lines[at].replace("RiderAlighted", "RiderBoarded")
    (tmp_path / "events.jsonl").write_text("".join(lines))
    assert main(["check", str(tmp_path), "--json"]) == 1
    assert at + 1 in {row["line"] for row in json.loads(capsys.readouterr().out)["violations"]}


def test_an_interrupted_day_keeps_what_was_done(tmp_path: Path) -> None:
    """Ctrl-C in the middle: the log up to the last whole event lies there, and the message says so."""
    process = subprocess.Popen([*NARU, "simulate", "pilot", "--out", str(tmp_path)], stderr=subprocess.PIPE, text=True)
    until = time.monotonic() + WAIT_S
    while not any(tmp_path.glob("events.jsonl.part")) and time.monotonic() < until:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=WAIT_S)[1]
    assert process.returncode == 1
    assert "what was done so far" in said
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines()
    assert len(lines) > 1
    assert all(json.loads(line)["seq"] == number for number, line in enumerate(lines, 1))
    assert not (tmp_path / "kpis.json").exists()


def test_a_folder_that_cannot_be_written_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file stands where the folder should be made: exit 2, the path named, no traceback."""
    (tmp_path / "file").write_text("")
    assert main(["simulate", "nauru", "--out", str(tmp_path / "file" / "out")]) == 2
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("words", "said"),
    [(("simulate", "nowhere"), "nowhere"), (("check", "/nowhere"), "/nowhere"), (("report", "/nowhere"), "/nowhere")],
)
def test_wrong_words_are_one_message(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not there is named; exit 2."""
    assert main(words) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert said in lines[0]
