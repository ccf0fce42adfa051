"""`naru replay`, `compare`, `sweep`, `calibrate`, `trial`: the living lab's bench, as a planner types it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulator.commands import Json, compiling, progress_bar

if TYPE_CHECKING:
    from simulator.replay import Recorded

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
    from simulator.outputs import csv_bytes, write_whole
    from simulator.report import write_report
    from simulator.scenario import load_policy
    from simulator.simulate import live

    rules = load_policy(policy)
    network, desk = replaying.roads_of(recorded)
    day, people = other.same_people(recorded, network, rules)
    with progress_bar() as progress:
        outcome = live(day, desk, network, out, progress, people=people)
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


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, allow_nan=False))
