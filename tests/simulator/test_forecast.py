"""Forecasts by zone and hour: better than the last day where days are noise around a shape; scored on days left out."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest

from routing.errors import InputError
from simulator.cli import main
from simulator.forecast import deviance, forecast, naive, score
from simulator.history import read_history
from simulator.scenario import load_scenario
from simulator.simulate import day_of, desk_for, live, roads


def poisson_days(days: int, seed: int = 1) -> tuple[np.ndarray, list[bool]]:
    """Days around a shape, weekends half as busy."""
    rng = np.random.default_rng(seed)
    shape = np.outer(rng.uniform(0.2, 2, 5), rng.uniform(0.1, 3, 12))
    kinds = [day % 7 < 5 for day in range(days)]
    return np.stack([rng.poisson(shape * (1 if kind else 0.5)) for kind in kinds]).astype(float), kinds


def test_it_beats_the_last_day_on_days_left_out() -> None:
    """By a good deal, after one week and after four."""
    for days in (9, 30):
        found = score(*poisson_days(days + 7), held_out=7)
        assert found.better
        assert found.deviance < 0.8 * found.naive_deviance
        assert found.error < found.naive_error


def test_what_repeats_exactly_is_better_told_by_the_last_day() -> None:
    """Days that drift far every day: the forecast is left out."""
    counts = np.stack([np.full((2, 3), 4.0**day) for day in range(8)])
    assert not score(counts, [True] * 8, held_out=2).better


def test_the_forecast_by_hand() -> None:
    """Two days, strength 2: halfway between the cell's mean and the product of its margins' shares."""
    past = np.array([[[2.0, 0.0], [0.0, 0.0]], [[4.0, 2.0], [0.0, 0.0]]])
    told = forecast(past, [True, True], True, 2.0)
    assert told[0, 0] == pytest.approx((6 + 2 * 8 * 6 / 8 / 2) / 4)
    assert told[1, 0] == 0.02
    assert naive(past, [True, False], True)[0, 0] == 2.0
    assert deviance(np.array([[1.0]]), np.array([[1.0]])) == 0


def test_history_is_read_from_logs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Five days of Nauru: counted by zone and hour, forecast by the command; too few and doubled ones are refused."""
    logs = []
    for seed in range(1, 6):
        scenario = load_scenario("nauru", seed=seed, changes={"policy.reoptimise": "off"})
        times = roads(scenario)
        day = day_of(scenario, times)
        opened = msgspec.structs.replace(day.opened, date=f"2026-03-0{seed + 1}")
        live(
            msgspec.structs.replace(day, opened=opened),
            desk_for(scenario, times),
            scenario.network,
            tmp_path / str(seed),
        )
        logs.append(tmp_path / str(seed))
    zone = [place % 9 for place in range(len(opened.places))]
    counts, kinds = read_history(logs, zone)
    assert counts.sum(axis=(1, 2)).tolist() == [60] * 5
    assert kinds == [True] * 5
    assert main(["forecast", *map(str, logs), "--held-out", "1", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["better_than_naive"] == (told["score"]["deviance"] < told["score"]["naive_deviance"])
    with pytest.raises(InputError, match="too few"):
        read_history(logs[:4], zone)
    with pytest.raises(InputError, match="twice"):
        read_history([*logs, logs[0]], zone)
    with pytest.raises(InputError, match="other stop points"):
        read_history(logs, zone[1:])
    assert main(["forecast", *map(str, logs), "--held-out", "3"]) == 2
