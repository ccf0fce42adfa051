"""`naru replay`, `compare`, `sweep`, `calibrate`, `forecast`: the living lab's bench, as a planner types it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from routing.errors import InputError
from simulator.commands import Json, compiling, progress_bar

if TYPE_CHECKING:
    from simulator.replay import Recorded
    from simulator.sweep import Cell, Prices

Scenario = Annotated[str, typer.Argument(metavar="S", help="a scenario file, or a shipped one: pilot")]
Seeds = Annotated[int, typer.Option(help="days of each: seeds 1 to K")]
Jobs = Annotated[int, typer.Option(help="processes on this machine")]
Cluster = Annotated[str | None, typer.Option(help="a Dask scheduler instead: tcp://host:8786 (naru-transit[cluster])")]

TOLD = 20
"""riders whose differences are told on the terminal; all are in differences.csv"""


def replay(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="events.jsonl, or the output folder that holds it")],
    policy: Annotated[Path | None, typer.Option(help="other rules for the same people: a policy or scenario")] = None,
    out: Annotated[Path | None, typer.Option(help="with --policy: folder for the day under them")] = None,
    as_json: Json = False,
) -> None:
    """Make a recorded day's decisions again, or let other rules decide for the same people."""
    from simulator import replay as replaying
    from simulator.simulate import warm

    recorded = replaying.read_recorded(log)
    with compiling():
        warm()
    if policy is not None:
        _replay_under(recorded, policy, out, as_json)
        return
    replaying.check_version(recorded)
    _, desk = replaying.roads_of(recorded)
    with progress_bar() as progress:
        done = replaying.replay(recorded, desk, lambda share: progress("replay", share))
    if as_json:
        found = done.difference
        line = None if found is None else {"line": found.line, "what": str(found)}
        print(json.dumps({"events": done.events, "decisions": done.decisions, "difference": line, "cut": done.cut,
                          "whole": done.whole}))  # fmt: skip
    else:
        print(f"{done.events} lines came out again to the byte, {done.decisions} of them decisions of the desk")
        if done.difference is not None:
            print(f"the first that did not: {done.difference}")
    if done.difference is None and not done.whole:
        cut = "" if done.cut is None else f"; {done.cut}"
        print(f"naru: the log ends in the middle of its day, after line {len(recorded.events)}{cut}", file=sys.stderr)
    if done.difference is not None:
        raise typer.Exit(1)


def _replay_under(recorded: Recorded, policy: Path, out: Path | None, as_json: bool) -> None:
    from simulator import replay as replaying
    from simulator import replay_policy as other
    from simulator.accounts import read_accounts
    from simulator.outputs import csv_bytes, write_whole
    from simulator.report import write_report
    from simulator.scenario import load_policy
    from simulator.simulate import live

    rules = load_policy(policy)
    network, desk = replaying.roads_of(recorded)
    log = recorded.path
    day, people = other.same_people(recorded, network, rules)
    with progress_bar() as progress:
        outcome = live(day, desk, network, out, progress, people=people, accounts=read_accounts(log))
    changed = other.changes(recorded.events, outcome.events)
    summary = other.summary(recorded.events, outcome.events)
    if out is not None:
        write_whole(out / "differences.csv", csv_bytes(other.HEADER, other.rows(changed)))
        write_report(out, network)
    if as_json:
        print(json.dumps({"policy": rules.name, **summary, "kpis": outcome.kpis}, ensure_ascii=False, allow_nan=False))
        return
    print(f"Under {rules.name!r} {summary['delivered_under_policy']} of {summary['attempts']} journeys would have been "
          f"carried; in the log {summary['delivered']} were.")  # fmt: skip
    print(f"{summary['carried_only_under_policy']} would have been carried who were not, "
          f"{summary['carried_only_in_log']} not who were.")  # fmt: skip
    if summary["wait_change_mean_s"] is not None:
        minutes = summary["wait_change_mean_s"] / 60
        than = "less" if minutes < 0 else "more"
        print(f"Who was carried both times would have waited {abs(minutes):.1f} min {than} on average.")
    ends = [change for change in changed if change.before.end != change.after.end]
    for change in (ends + [change for change in changed if change not in ends])[:TOLD]:
        print(f"  {change}")
    if len(changed) > TOLD:
        print(f"  … and {len(changed) - TOLD} riders more" + (f", in {out / 'differences.csv'}" if out else ""))
    print("Assumed: " + " ".join(other.ASSUMPTIONS))


def print_json(value: Any) -> None:
    """One object on stdout, nothing else."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))


def compare(
    folders: Annotated[list[Path], typer.Argument(metavar="DIR…", help="output folders of days")],
    out: Annotated[Path, typer.Option(help="the page to write")] = Path("comparison.html"),
    as_json: Json = False,
) -> None:
    """Days side by side: a table here, and one offline page."""
    from simulator import compare as comparing
    from simulator.days import flat
    from simulator.outputs import write_whole

    runs = comparing.read_runs(folders)
    write_whole(out, comparing.html(runs))
    write_whole(out.with_suffix(".csv"), comparing.csv(runs))
    if as_json:
        print_json({"page": str(out), "runs": {run.name: flat(run.kpis) for run in runs}})
    else:
        print(comparing.text(runs))
        print(f"\npage  {out}")


def sweep(
    scenario: Scenario,
    vary: Annotated[list[str], typer.Option(help="key=value,value,…: policy.walk_m=0,400 (may be repeated)")] = [],  # noqa: B006
    seeds: Seeds = 5,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    out: Annotated[Path | None, typer.Option(help="folder for each day's figures, tables and the page")] = None,
    target: Annotated[str | None, typer.Option(help="fewest that reach service_rate=0.9,wait_mean_s=600")] = None,
    by: Annotated[list[str], typer.Option(help="what --target searches: vehicles.0.count=1..40")] = [],  # noqa: B006
    prices: Annotated[str | None, typer.Option(help="of a shuttle-hour and a km; else the scenario's costs")] = None,
    as_json: Json = False,
) -> None:
    """Days over values of any field, the same people in each; or the fewest shuttles that reach a target."""
    from simulator import sizing
    from simulator import sweep as sweeping
    from simulator.simulate import warm

    positive(seeds, "--seeds")
    positive(jobs, "--jobs")
    priced = _prices(prices, scenario)
    with compiling():
        warm()
    running: dict[str, Any] = {"processes": jobs, "cluster": cluster, "folder": out}
    notes: list[str] = []
    if target is not None:
        if vary:
            raise InputError("--vary and --target ask for different things", field="--vary", expected="one of them")
        targets = sizing.read_targets(target)
        sizings = []
        for knob in [sizing.read_knob(text) for text in by or [sizing.DEFAULT_BY]]:
            with days_bar() as progress:
                sizings.append(
                    sizing.size(scenario, knob, targets, seeds, say=notes.append, progress=progress, **running)
                )
        best = sizing.cheapest(sizings)
        cells = [cell for found in sizings for cell in found.tried]
        wanted = ", ".join(f"{metric} {value:g}" for metric, value in targets.items())
        notes.append(f"Nothing tried reaches {wanted}." if best is None or best.found is None
                     else f"The fewest shuttle-hours that reach {wanted}: {best.found.label}.")  # fmt: skip
    else:
        with days_bar() as progress:
            cells = sweeping.sweep(scenario, sweeping.read_vary(vary), seeds, progress=progress, **running)
    page = None if out is None else sweeping.write_sweep(out, Path(scenario).stem, cells, priced, notes)
    if as_json:
        print_json({"cells": [_cell(cell) for cell in cells], "notes": notes, "page": page and str(page)})
    else:
        print(sweeping.text(cells))
        print("".join(f"\n{note}" for note in notes) + (f"\npage  {page}" if page else ""))


def _cell(cell: Cell) -> dict[str, Any]:
    import msgspec

    from simulator.days import flat

    bands = {metric: cell.band(metric) for metric in flat(cell.days[0])}
    return {"changes": dict(cell.changes), "figures": {k: msgspec.to_builtins(v) for k, v in bands.items()}}


def _prices(text: str | None, scenario: str) -> Prices:
    """Those named, else those of the scenario, else assumed ones."""
    from simulator.scenario import load_scenario
    from simulator.sweep import Prices

    if text is None:
        costs = load_scenario(scenario).accounts.costs
        return Prices() if costs is None else Prices(costs.shuttle_hour, costs.km, costs.day)
    try:
        hour, km = (float(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"{text!r} are no prices", field="--prices", expected="two numbers: 30000,500") from None
    return Prices(hour, km)


def positive(value: int, field: str) -> None:
    """Raises InputError for less than one."""
    if value < 1:
        raise InputError(f"{value} cannot be used", field=field, expected="1 or more")


@contextmanager
def days_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal's stderr, elsewhere a line for each tenth of the days."""
    if sys.stderr.isatty():
        with progress_bar() as progress:
            yield lambda done, of: progress(f"{done}/{of} days", done / max(of, 1))
        return
    told = -1

    def tell(done: int, of: int) -> None:
        nonlocal told
        tenth = 10 * done // max(of, 1)
        if of >= 20 and tenth > told:
            told = tenth
            print(f"naru: {done} of {of} days", file=sys.stderr)

    yield tell


def calibrate(
    scenario: Scenario,
    to: Annotated[str, typer.Option(help="totals: calls=735,last_call_wait_mean_s=762; asked.km_mean=6.2")] = "",
    by: Annotated[list[str], typer.Option(help="what is turned: policy.max_wait_s=600..2400 (may be repeated)")] = [],  # noqa: B006
    hours: Annotated[Path | None, typer.Option(help="CSV hour,count of departures asked for")] = None,
    seeds: Seeds = 3,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    out: Annotated[Path | None, typer.Option(help="folder for the page and the fitted scenario")] = None,
    as_json: Json = False,
) -> None:
    """Fit a scenario to totals that are known of a town, and show how well it fits."""
    import msgspec

    from simulator import calibrate as fitting
    from simulator.simulate import warm
    from simulator.sizing import read_targets

    positive(seeds, "--seeds")
    positive(jobs, "--jobs")
    wanted = read_targets(to) if to else {}
    if not wanted and hours is None:
        raise InputError("no total is known", field="--to", expected="--to calls=735, or --hours FILE")
    for metric, value in wanted.items():
        if value == 0:
            raise InputError(f"{metric} is to be 0", field="--to", expected="a total to fit to")
    shape = None if hours is None else fitting.read_hours(hours)
    knobs = [fitting.read_knob(text) for text in by]
    with compiling():
        warm()
    said: list[str] = []
    with days_bar() as progress:
        running: dict[str, Any] = {"processes": jobs, "cluster": cluster, "folder": out and out / "days"}
        fit = fitting.calibrate(
            scenario, wanted, knobs, seeds, hours=shape, say=said.append, progress=progress, **running
        )
    page = None if out is None else fitting.write_fit(out, scenario, fit, said)
    if as_json:
        reached = {metric: msgspec.to_builtins(band) for metric, band in fit.reached.items()}
        by_hour = {hour: got for hour, (_, got) in fit.hours.items()}
        print_json({"changes": fit.changes, "wanted": fit.wanted, "reached": reached, "tried": fit.tried,
                     "hours": by_hour, "page": page and str(page)})  # fmt: skip
        return
    from simulator.lab_charts import band_told

    for line in said:
        print(f"  {line}")
    for metric, value in fit.wanted.items():
        print(f"{metric:<32}wanted {value:g}, reached {band_told(metric, fit.reached[metric])}")
    for key, text in fit.changes.items():
        print(f"put     {key}: {text}")
    if not fit.met:
        print("Not every total is met within 5 %: turn something else, or allow it more.")
    if page is not None:
        print(f"page    {page}\nfitted  {page.parent / fitting.FITTED}")


def forecast(
    logs: Annotated[list[Path], typer.Argument(metavar="LOG…", help="logs of days gone by, map.npz beside the first")],
    held_out: Annotated[int, typer.Option(help="of the last days, forecast to be scored")] = 2,
    as_json: Json = False,
) -> None:
    """Attempts by part of town and hour of a working day, scored on days left out; told if better than a naive one."""
    import msgspec
    import numpy as np

    from simulator import forecast as telling
    from simulator.equity import zones
    from simulator.history import read_history
    from simulator.replay import network_of, read_recorded

    recorded = read_recorded(logs[0])
    nodes = np.array(recorded.opened.place_nodes, np.int64)
    counts, kinds = read_history(logs, zones(network_of(recorded), nodes).tolist())
    if not 1 <= held_out <= len(counts) - 4:
        raise InputError(f"{held_out} of {len(counts)} days cannot be left out", field="--held-out",
                         expected=f"1 to {len(counts) - 4}")  # fmt: skip
    scored = telling.score(counts, kinds, held_out)
    told = telling.forecast(counts, kinds, True, scored.strength) if scored.better else None
    if as_json:
        print_json({"score": msgspec.to_builtins(scored), "better_than_naive": scored.better,
                     "working_day": None if told is None else told.round(3).tolist()})  # fmt: skip
        return
    print(f"on {scored.days} days left out: deviance {scored.deviance:.3f} a zone and hour, naive "
          f"{scored.naive_deviance:.3f}; mean error {scored.error:.3f}, naive {scored.naive_error:.3f}")  # fmt: skip
    if told is None:
        print("The last day of the same kind forecasts better: use that.")
        return
    for hour in np.flatnonzero(told.sum(axis=0) > telling.LEAST * len(told) * 1.5).tolist():
        print(f"{hour:02}:00  " + " ".join(f"{value:6.2f}" for value in told[:, hour]))
