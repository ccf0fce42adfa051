"""Days side by side: the table, the page, and what is wrong with a folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from simulator.cli import main
from simulator.scenario import load_scenario
from simulator.simulate import simulate

QUICK = {"policy.reoptimise": "off", "requests.attempts": "30"}


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two output folders of the same people under other rules."""
    folder = tmp_path_factory.mktemp("days")
    for name, wait in (("short", "300"), ("long", "1200")):
        simulate(load_scenario("nauru", changes={**QUICK, "policy.max_wait_s": wait}), folder / name)
    return [str(folder / "short"), str(folder / "long")]


def test_days_stand_side_by_side(days: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A column each, named by its folder; and a page that fetches nothing."""
    page = tmp_path / "page.html"
    assert main(["compare", *days, "--out", str(page)]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["short", "long"]
    assert any(row.startswith("service_rate") and row.count("%") == 2 for row in rows)
    html = page.read_text("utf-8")
    assert "Simulated demand" in html
    assert "short에 견준 long: 운행된 비율" in html
    table = page.with_suffix(".csv").read_text().splitlines()
    assert table[0] == "figure,short,long"
    assert "attempts,30,30" in table
    assert "<svg" in html
    assert "http" not in html


def test_one_object_on_stdout(days: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All single figures of every run."""
    assert main(["compare", *days, "--out", str(tmp_path / "page.html"), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert runs["short"]["attempts"] == runs["long"]["attempts"] == 30
    assert "extra.wait_p50_s" in runs["long"]


def test_figures_are_counted_anew_without_kpis(days: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                               ) -> None:  # fmt: skip
    """A folder that holds a log only; folders of one name are told apart."""
    copy = tmp_path / "short"
    shutil.copytree(days[0], copy)
    (copy / "kpis.json").unlink()
    assert main(["compare", days[0], str(copy), "--out", str(tmp_path / "page.html"), "--json"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert len(runs) == 2
    first, second = runs.values()
    assert first["service_rate"] == second["service_rate"]


@pytest.mark.parametrize("folders", [["."], []])
def test_fewer_than_two_days_are_none_to_compare(folders: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong input, with a message."""
    assert main(["compare", *folders]) == 2
    assert capsys.readouterr().err


def test_a_folder_without_a_day_is_wrong_input(days: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
                                               ) -> None:  # fmt: skip
    """It says which."""
    assert main(["compare", days[0], str(tmp_path)]) == 2
    assert "no such log" in capsys.readouterr().err
