"""Trials: what is fixed in advance stays so; effects and intervals by hand; schedules balanced; bad files refused."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pytest

from routing.errors import InputError
from simulator.cli import main
from simulator.journeys import Tally, journeys, tally
from simulator.scenario import file_of, load_scenario
from simulator.simulate import simulate
from simulator.trial import read_trial
from simulator.trial_analysis import effect, needed, pair_tallies, power, significant, switchback_units
from simulator.trial_page import analyse
from simulator.trial_plan import make_schedule, plan_hash, read_plan
from simulator.trial_run import read_field, read_results, switched_job

HOUR = 3_600_000
TRIAL = """
question: Does a longer wait carry more?
scenario: quick.yaml
arms:
  short: {policy.max_wait_s: 240}
  long: {policy.max_wait_s: 1200}
metric: service_rate
guardrails:
  wait_mean_s: {worse_by: 60}
size: {effect: 0.1, pilot_days: 5}
"""
BACK = "design: {kind: switchback, block_s: 3600, burn_in_s: 900, hours: [06:00, 11:00], days: DAYS}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A trial on a quick, busy Nauru."""
    text = file_of("nauru").read_text("utf-8").replace("attempts: 60", "attempts: 70")
    text = text.replace("policy:\n", "policy:\n  reoptimise: off\n").replace("  queue: {max_wait_s: 1200}\n", "")
    (tmp_path / "quick.yaml").write_text(text.replace("  later_s: 1800\n", ""), encoding="utf-8")
    (tmp_path / "trial.yaml").write_text(TRIAL, encoding="utf-8")
    return tmp_path


def switchback(folder: Path, days: int) -> Path:
    (folder / "back.yaml").write_text(TRIAL + BACK.replace("DAYS", str(days)), encoding="utf-8")
    return folder / "back.yaml"


def test_an_effect_by_hand() -> None:
    """Differences 1, 2, 3: mean 2, standard error 0.577, interval ± 2.48; a guardrail holds if all of it does."""
    found = effect("wait_mean_s", [1, 2, 3], 10, 12, 0.05)
    assert found.band is not None
    assert found.band.low == pytest.approx(2 - 4.302653 * 0.5773503)
    assert found.verdict == "no difference shown"
    assert effect("wait_mean_s", [2.0, 2.1, 1.9], 10, 12, 0.05).verdict == "worse"
    assert effect("service_rate", [2.0, 2.1, 1.9], 10, 12, 0.05).verdict == "better"
    assert effect("wait_mean_s", [2.0, 2.1, 1.9], 10, 12, 0.05).guarded(3) == "kept"
    assert effect("wait_mean_s", [2.0, 2.1, 1.9], 10, 12, 0.05).guarded(1) == "broken"
    assert effect("wait_mean_s", [2.0, 2.1, 1.9], 10, 12, 0.05).guarded(2) == "not shown"
    assert effect("wait_mean_s", [2.0], 10, 12, 0.05).guarded(3) == "not shown"


def test_null_effects_are_found_five_times_in_a_hundred() -> None:
    """Student's test on normal units."""
    units = np.random.default_rng(1).normal(0, 1, (4000, 12))
    assert 0.04 <= significant(units, 0.05).mean() <= 0.06


def test_planned_power_is_reached() -> None:
    """Plans made on one sample of days find an effect on fresh days as often as they say."""
    rng = np.random.default_rng(2)
    pilot = rng.normal(0, 1, 400).tolist()
    n = needed(pilot, 0.6, 0.8, 0.05, 1, 365)
    assert n is not None
    assert power(pilot, 0.6, n, 0.05, 1) >= 0.8 > power(pilot, 0.6, n - 1, 0.05, 1)
    fresh = rng.normal(0.6, 1, (4000, n))
    assert abs(significant(fresh, 0.05).mean() - 0.8) < 0.05
    assert needed(pilot, 0.01, 0.8, 0.05, 1, 30) is None


def test_blocks_of_mirrored_days_are_compared() -> None:
    """The ratio of sums under each arm over both days, not the mean of ratios."""
    first = [("a", vars_of(attempts=10, delivered=5)), ("b", vars_of(attempts=20, delivered=18))]
    second = [("b", vars_of(attempts=10, delivered=8)), ("a", vars_of(attempts=20, delivered=12))]
    (units,) = switchback_units(pair_tallies([first, second], [(0, 1)], "a"), "service_rate")
    assert units == pytest.approx(26 / 30 - 17 / 30)
    assert pair_tallies([first, None], [(0, 1)], "a") == []


def vars_of(**counts: int) -> dict[str, float]:
    return dict(msgspec.to_builtins(Tally(**counts)))


def test_a_schedule_mirrors_its_days(folder: Path) -> None:
    """A week apart where it can be; each arm as long as the other at every hour; a burn-in after each switch."""
    trial = read_trial(switchback(folder, 18))
    schedule, pairs = make_schedule(trial, 18)
    assert pairs[:2] == ((0, 7), (1, 8))
    assert pairs[-2:] == ((14, 15), (16, 17))
    for i, j in pairs:
        for mine, theirs in zip(schedule[i], schedule[j], strict=True):
            assert (mine.begin, mine.end, mine.counted_from) == (theirs.begin, theirs.end, theirs.counted_from)
            assert {mine.arm, theirs.arm} == {"short", "long"}
    for blocks in schedule:
        assert blocks[0].begin == 6 * HOUR
        assert blocks[-1].end == 11 * HOUR
        for before, block in pairwise(blocks):
            assert before.end == block.begin
            burn_in = min(900_000, block.end - block.begin) if before.arm != block.arm else 0
            assert block.counted_from - block.begin == burn_in
    assert len({blocks[1].begin for blocks in schedule}) > 3
    assert make_schedule(trial, 18) == (schedule, pairs)


def test_a_trial_from_plan_to_report(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Paired days: the planted effect is found, the guardrail broken, and a change after the plan is told, not used."""
    file, out = str(folder / "trial.yaml"), str(folder / "out")
    assert main(["trial", "plan", file, "--out", out]) == 0
    plan = read_plan(folder / "out")
    assert plan.power >= 0.8
    assert plan.hash in capsys.readouterr().out
    assert main(["trial", "run", file, "--out", out]) == 0
    (folder / "trial.yaml").write_text(TRIAL.replace("worse_by: 60", "worse_by: 600"), encoding="utf-8")
    capsys.readouterr()
    assert main(["trial", "report", file, "--out", out, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (arm,) = told["arms"]
    assert arm["verdict"] == "better"
    assert arm["guardrails"]["wait_mean_s"][2] == "broken"
    assert told["changed_since_plan"] == ["guardrails"]
    html = (folder / "out" / "trial.html").read_text("utf-8")
    assert "Fixed in advance" in html
    assert "not used: guardrails" in html
    assert "http" not in html
    assert "primary,service_rate" in (folder / "out" / "effects.csv").read_text("utf-8")
    assert main(["trial", "plan", file, "--out", out]) == 2


def test_an_altered_plan_is_refused(folder: Path) -> None:
    """The hash holds it; results belong to one plan."""
    file, out = str(folder / "trial.yaml"), folder / "out"
    assert main(["trial", "report", file, "--out", str(out)]) == 2
    assert main(["trial", "plan", file, "--out", str(out)]) == 0
    plan = read_plan(out)
    assert plan_hash(plan) == plan.hash
    with pytest.raises(InputError, match="no results yet"):
        read_results(out, plan)
    text = (out / "plan.json").read_text("utf-8")
    (out / "plan.json").write_text(text.replace("Does a longer", "Does no longer"), encoding="utf-8")
    with pytest.raises(InputError, match="altered"):
        read_plan(out)


def test_a_service_that_kept_the_schedule_is_read(folder: Path) -> None:
    """Logs of switched days give the tallies of their blocks; other rules, missing and foreign days are told."""
    trial = read_trial(switchback(folder, 4))
    assert main(["trial", "plan", trial.file, "--out", str(folder / "out")]) == 0
    plan = read_plan(folder / "out")
    from dataclasses import replace

    from simulator.days import switched
    from simulator.simulate import day_of, desk_for, live, roads

    job = switched_job(trial.scenario, plan.arms, 1, plan.schedule[0])
    scenario = replace(load_scenario(job.scenario, changes=dict(job.changes)), date=plan.dates[0])
    times = roads(scenario)
    day = switched(day_of(scenario, times), job, times)
    outcome = live(day, desk_for(scenario, times), scenario.network, folder / "first")
    results = read_field(trial, plan, [folder / "first"])
    lived = list(journeys(outcome.events).values())
    first = plan.schedule[0][0]
    assert results.blocks[0] is not None
    assert results.blocks[0][0] == (first.arm, msgspec.to_builtins(tally(lived, first.counted_from, first.end)))
    assert results.departures == [f"{date}: no log" for date in plan.dates[1:]]
    assert analyse(plan, results)[0].ended == "unfinished"
    with pytest.raises(InputError, match="twice"):
        read_field(trial, plan, [folder / "first", folder / "first"])
    simulate(replace(load_scenario(trial.scenario), date="2031-01-01"), folder / "other")
    with pytest.raises(InputError, match="2031-01-01"):
        read_field(trial, plan, [folder / "other"])
    simulate(replace(load_scenario(trial.scenario), date=plan.dates[1]), folder / "unswitched")
    assert any("other rules" in text for text in read_field(trial, plan, [folder / "unswitched"]).departures)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("metric: service_rate", "metric: happiness", "happiness"),
        ("metric: service_rate", "metric: extra.by_hour", "by_hour"),
        ("wait_mean_s: {worse_by", "wait: {worse_by", "wait"),
        ("max_wait_s: 1200", "max_wait_s: 240", "differs in nothing"),
        ("  long: {policy.max_wait_s: 1200}\n", "", "one arm"),
        ("policy.max_wait_s: 1200", "policy.max_weight: 3", "max_weight"),
        ("policy.max_wait_s: 1200", "policy: missing.yaml", "missing"),
        ("quick.yaml", "gone.yaml", "gone"),
        ("pilot_days: 5", "pilot_days: 2", "pilot_days"),
        ("effect: 0.1", "effect: -1", "effect"),
        ("question: Does", "ask: Does", "ask"),
    ],
)
def test_bad_trials_are_wrong_input(
    folder: Path, old: str, new: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One message with the file, its line and the key."""
    assert old in TRIAL
    (folder / "trial.yaml").write_text(TRIAL.replace(old, new), encoding="utf-8")
    assert main(["trial", "plan", str(folder / "trial.yaml"), "--out", str(folder / "out")]) == 2
    message = capsys.readouterr().err
    assert what in message
    assert "trial.yaml" in message


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("metric: service_rate", "metric: km_per_rider", "no figure of a block"),
        ("burn_in_s: 900", "burn_in_s: 3600", "nothing of a block"),
        ("policy.max_wait_s: 240", "vehicles.0.count: 1", "cannot be switched"),
        ("  short:", "  none: {}\n  short:", "3 arms"),
        ("hours: [06:00, 11:00]", "hours: [11:00, 06:00]", "ends at 06:00"),
        ("block_s: 3600", "block_s: 14400", "fewer than two blocks"),
    ],
)
def test_bad_switchbacks_are_wrong_input(
    folder: Path, old: str, new: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be told of a block, or switched within a day."""
    path = switchback(folder, 4)
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    assert main(["trial", "plan", str(path), "--out", str(folder / "out")]) == 2
    assert what in capsys.readouterr().err
