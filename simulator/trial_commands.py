"""`naru trial plan`, `run`, `report`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from simulator.commands import Json, compiling
from simulator.lab_commands import Cluster, Jobs, days_bar, positive, print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="A question, fixed in advance and answered.")
TrialPath = Annotated[str, typer.Argument(metavar="T", help="a trial's file, or a shipped one by its name")]
TrialOut = Annotated[Path | None, typer.Option(help="folder of plan, days and report; NAME-trial by default")]


@app.command("plan")
def trial_plan(file: TrialPath, out: TrialOut = None, jobs: Jobs = 1, cluster: Cluster = None, as_json: Json = False
               ) -> None:  # fmt: skip
    """Simulate pilot days, find how many days it takes, and write the plan with its hash and schedule."""
    from simulator import trial_plan as planning
    from simulator.simulate import warm
    from simulator.trial import read_trial

    positive(jobs, "--jobs")
    asked = read_trial(file)
    folder = _trial_folder(asked.file, out)
    with compiling():
        warm()
    with days_bar() as progress:
        plan = planning.make_plan(asked, processes=jobs, cluster=cluster, folder=folder / "days", progress=progress)
    path = planning.write_plan(folder, plan)
    if as_json:
        print_json({"plan": str(path), "hash": plan.hash, "days": plan.days, "power": plan.power,
                     "pilot_sd": plan.pilot_sd, "power_by_days": plan.power_by_days})  # fmt: skip
        return
    effect = plan.words.size.effect
    print(f"{plan.words.question}\n{plan.days} days: power {100 * plan.power:.0f} % to find an effect of {effect:g} on "
          f"{plan.words.metric}")  # fmt: skip
    for days, power in plan.power_by_days:
        print(f"  {days:>5} days  {100 * power:>3.0f} %")
    print(f"plan  {path}\nhash  {plan.hash}")


@app.command("run")
def trial_run(
    file: TrialPath,
    out: TrialOut = None,
    jobs: Jobs = 1,
    cluster: Cluster = None,
    logs: Annotated[list[Path], typer.Option(help="a field day's log or folder, instead of simulating")] = [],  # noqa: B006
) -> None:
    """Simulate the planned days, or read the logs of the days on which a service kept the schedule."""
    from simulator import trial_plan as planning
    from simulator import trial_run as running
    from simulator.simulate import warm
    from simulator.trial import read_trial

    positive(jobs, "--jobs")
    asked = read_trial(file)
    folder = _trial_folder(asked.file, out)
    plan = planning.read_plan(folder)
    for change in planning.changed_since(plan, asked):
        print(f"naru: changed since the plan, which stays as it is: {change}", file=sys.stderr)
    if logs:
        results = running.read_field(asked, plan, logs)
    else:
        with compiling():
            warm()
        with days_bar() as progress:
            results = running.run_simulated(asked, plan, processes=jobs, cluster=cluster, folder=folder / "days",
                                            progress=progress)  # fmt: skip
    print(running.write_results(folder, results))


@app.command("report")
def trial_report(file: TrialPath, out: TrialOut = None, as_json: Json = False) -> None:
    """Effect, interval, guardrails, and what was fixed in advance: here, as a page and as a table."""
    from simulator import trial_page as telling
    from simulator import trial_plan as planning
    from simulator import trial_run as running
    from simulator.outputs import csv_bytes, write_whole
    from simulator.trial import read_trial

    asked = read_trial(file)
    folder = _trial_folder(asked.file, out)
    plan = planning.read_plan(folder)
    results = running.read_results(folder, plan)
    changed = planning.changed_since(plan, asked)
    found = telling.analyse(plan, results)
    write_whole(folder / telling.PAGE, telling.html(Path(asked.file).stem, plan, results, found, changed))
    write_whole(folder / "effects.csv", csv_bytes(telling.HEADER, telling.rows(found)))
    if as_json:
        print_json(telling.as_json(plan, results, found, changed))
        return
    print(plan.words.question)
    for one in found:
        print(telling.sentence(plan, one))
        for name, (_, margin, kept) in one.guardrails.items():
            print(f"  guardrail {name}, worse by at most {margin:g}: {kept}")
    print(f"page  {folder / telling.PAGE}")


def _trial_folder(file: str, out: Path | None) -> Path:
    return Path(f"{Path(file).stem}-trial") if out is None else out
