"""Sweeps: cells over the same people, kept day by day, the same on any number of processes; sizing; bands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from routing.errors import InputError
from simulator import days as many
from simulator.bands import Band, band, paired, pareto
from simulator.cli import main
from simulator.days import Job, every_day, flat, grid, number
from simulator.sizing import cheapest, meets, read_knob, read_targets, size
from simulator.sweep import Cell, Prices, read_vary, sweep, write_sweep

QUICK = (("policy.reoptimise", "off"), ("requests.attempts", "20"))


def jobs(*waits: int, seeds: int = 2) -> list[Job]:
    return [
        Job("nauru", (*QUICK, ("policy.max_wait_s", str(wait))), seed) for wait in waits for seed in range(1, seeds + 1)
    ]


def test_a_mean_has_students_interval() -> None:
    """Of 1, 2, 3, 4: 2.5 ± 3.182 × 1.291 ÷ 2."""
    found = band([1, 2, None, 3, 4])
    assert found is not None
    assert found.days == 4
    assert found.mean == 2.5
    assert found.low == pytest.approx(2.5 - 3.1824463 * 1.2909944 / 2)
    assert band([7.0]) == Band(7.0, None, None, 1)
    assert band([None]) is None


def test_differences_are_paired() -> None:
    """Days that differ much, arms that differ by one every day: the difference is known exactly."""
    found = paired([11, 101, 1001], [10, 100, 1000])
    assert found == Band(1.0, 1.0, 1.0, 3)
    assert not found.says_nothing


def test_the_front_holds_what_nothing_beats() -> None:
    """Equal ones stay both."""
    assert pareto([(1, 1), (2, 0), (0, 2), (0, 1), (1, 1)]) == [True, True, True, False, True]


def test_values_are_split_outside_brackets() -> None:
    """A value may be a list or a mapping."""
    assert read_vary(["policy.walk_m=0,400", "riders.retries=off,{calls: 3, gap_s: [300, 500]}"]) == {
        "policy.walk_m": ["0", "400"],
        "riders.retries": ["off", "{calls: 3, gap_s: [300, 500]}"],
    }
    assert grid({"a": ["1", "2"], "b": ["x"]}) == [(("a", "1"), ("b", "x")), (("a", "2"), ("b", "x"))]
    assert grid({}) == [()]
    for text in ("policy.walk_m", "=1,2", "a=1,,2", "a=1,1"):
        with pytest.raises(InputError, match="--vary"):
            read_vary([text])


def test_two_processes_give_the_same_figures(tmp_path: Path) -> None:
    """To the last digit, in the order asked for; each day's file is whole."""
    todo = jobs(300, 900)
    alone = [flat(day) for day in every_day(todo)]
    both = every_day(todo, processes=2, folder=tmp_path)
    assert [flat(day) for day in both] == alone
    assert {path.name for path in tmp_path.iterdir()} == {f"{job.key}.json" for job in todo}


def test_what_is_done_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Interrupted after one day; a damaged file counts as none."""
    todo = jobs(300)
    lived = many.figures_of
    calls: list[int] = []

    def interrupted(job: Job) -> many.Figures:
        calls.append(job.seed)
        if job.seed == 2 and len(calls) < 3:
            raise KeyboardInterrupt
        return lived(job)

    monkeypatch.setattr(many, "figures_of", interrupted)
    with pytest.raises(KeyboardInterrupt):
        every_day(todo, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    every_day(todo, folder=tmp_path)
    assert calls == [1, 2, 2]
    next(tmp_path.iterdir()).write_text("{", encoding="utf-8")
    every_day(todo, folder=tmp_path)
    assert len(calls) == 4


def test_a_wrong_value_is_known_before_any_day(tmp_path: Path) -> None:
    """The second cell cannot be; nothing was spent on the first."""
    with pytest.raises(InputError, match=r"policy\.walk_m"):
        sweep("nauru", {"policy.walk_m": ["0", "far"]}, 1, folder=tmp_path)
    assert not (tmp_path / "days").exists()


def test_a_result_belongs_to_its_scenario(tmp_path: Path) -> None:
    """An edited file, another seed or other changes are other days."""
    path = tmp_path / "s.yaml"
    keys = set()
    for text in ("name: a\n", "name: b\n"):
        path.write_text(text, encoding="utf-8")
        many.file_fingerprint.cache_clear()
        keys |= {Job(str(path), changes, seed).key for changes in ((), QUICK) for seed in (1, 2)}
    many.file_fingerprint.cache_clear()
    assert len(keys) == 8


def test_a_sweep_is_written_as_tables_and_a_page(tmp_path: Path) -> None:
    """Parquet a day, CSV a cell, an offline page with the curve and the front."""
    cells = sweep("nauru", {**{k: [v] for k, v in QUICK}, "policy.max_wait_s": ["300", "1200"]}, 2)
    page = write_sweep(tmp_path, "nauru", cells, Prices())
    frame = pd.read_parquet(tmp_path / "days.parquet")
    assert frame["seed"].tolist() == [1, 2, 1, 2]
    assert frame["attempts"].tolist() == [20] * 4
    cells_csv = pd.read_csv(tmp_path / "cells.csv")
    assert cells_csv["policy.max_wait_s"].tolist() == [300, 1200]
    assert (cells_csv["service_rate_low"] <= cells_csv["service_rate"]).all()
    html = page.read_text("utf-8")
    assert "Service, wait and cost" in html
    assert "http" not in html


def test_the_command_sweeps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One key with two values: a curve on the page, one JSON object on stdout."""
    path = scenario(tmp_path)
    out = tmp_path / "out"
    assert (
        main(["sweep", path, "--vary", "policy.max_wait_s=300,900", "--seeds", "2", "--out", str(out), "--json"]) == 0
    )
    told = json.loads(capsys.readouterr().out)
    assert [cell["changes"] for cell in told["cells"]] == [{"policy.max_wait_s": "300"}, {"policy.max_wait_s": "900"}]
    assert told["cells"][0]["figures"]["service_rate"]["days"] == 2
    assert "service_rate along policy.max_wait_s" in (out / "sweep.html").read_text("utf-8")


@pytest.mark.parametrize(
    "options",
    [
        ["--vary", "policy.walk_m"],
        ["--vary", "policy.nothing=1,2"],
        ["--seeds", "0"],
        ["--jobs", "0"],
        ["--target", "service_rate"],
        ["--target", "service_rate=0.5", "--by", "vehicles.count"],
        ["--target", "service_rate=0.5", "--by", "vehicles.count=5..2"],
        ["--target", "service_rate=0.5", "--vary", "policy.walk_m=1,2"],
        ["--target", "no_figure=0.5", "--by", "vehicles.0.count=1..1", "--seeds", "1"],
        ["--prices", "much"],
        ["--cluster", "tcp://127.0.0.1:1", "--vary", "policy.walk_m=1,2"],
    ],
)
def test_wrong_words_are_wrong_input(
    tmp_path: Path, options: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One message, exit code 2."""
    monkeypatch.setattr(many, "SCHEDULER_S", 1)
    assert main(["sweep", scenario(tmp_path), *options]) == 2
    assert capsys.readouterr().err.strip()


def scenario(folder: Path) -> str:
    """Nauru, quick, as a file of its own."""
    from simulator.scenario import file_of

    text = file_of("nauru").read_text("utf-8").replace("attempts: 60", "attempts: 20")
    text = text.replace("policy:\n", "policy:\n  reoptimise: off\n")
    (folder / "quick.yaml").write_text(text, encoding="utf-8")
    return str(folder / "quick.yaml")


def test_the_fewest_shuttles_are_found(tmp_path: Path) -> None:
    """Bisection's answer meets the targets; one shuttle less does not."""
    path, knob = scenario(tmp_path), read_knob("vehicles.0.count=1..6")
    targets = read_targets("service_rate=0.95,wait_mean_s=420")
    found = size(path, knob, targets, 2)
    assert found.found is not None
    least = int(dict(found.found.changes)[knob.key])
    assert meets(found.found, targets)
    fewer = {int(dict(cell.changes)[knob.key]): cell for cell in found.tried}.get(least - 1)
    assert least == 1 or (fewer is not None and not meets(fewer, targets))
    assert cheapest([found]) == found
    assert size(path, knob, {"wait_mean_s": 1.0}, 1).found is None


def test_figures_are_looked_up_by_dotted_names() -> None:
    """A name that is none says so; a mean over nothing is None."""
    day = {"service_rate": 0.5, "extra": {"wait_p50_s": None, "by_hour": []}}
    assert number(day, "service_rate") == 0.5
    assert number(day, "extra.wait_p50_s") is None
    for name in ("nothing", "extra", "extra.by_hour", "service_rate.more"):
        with pytest.raises(InputError, match="no "):
            number(day, name)
    assert flat(day) == {"service_rate": 0.5, "extra.wait_p50_s": None}


def test_a_cell_is_named_by_what_was_changed() -> None:
    """As a table has it."""
    assert Cell((("policy.walk_m", "400"), ("vehicles.0.count", "3")), []).label == "walk_m 400, vehicles.0.count 3"
    assert Cell((), []).label == "as it is"


def test_the_same_figures_on_processes_and_on_a_cluster_whose_worker_dies() -> None:
    """The benchmark with two days of each policy: nothing is lost, nothing differs."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.bench_sweep", "2"], capture_output=True, text=True, timeout=400,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"10 days on Dask, worker \[\d+\] killed", done.stdout), done.stdout
    assert "10 days complete, the same figures everywhere: True" in done.stdout


def test_days_are_named_by_the_feeds_and_logs_they_read(tmp_path: Path) -> None:
    """A changed timetable in a folder makes other days: none of the old ones is taken for them."""
    scenario = tmp_path / "day.yaml"
    scenario.write_text(
        "network: {map: nauru}\nvehicles: {count: 1}\nrequests: {attempts: 0}\nbaselines: {gtfs: feed}\n"
    )
    (tmp_path / "feed").mkdir()
    (tmp_path / "feed" / "stops.txt").write_text("stop_id\n")
    before = many.file_fingerprint.__wrapped__(str(scenario))
    (tmp_path / "feed" / "stop_times.txt").write_text("trip_id\n")
    assert many.file_fingerprint.__wrapped__(str(scenario)) != before
