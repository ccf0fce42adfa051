"""Days that every dispatcher can be given: service, waits, kilometres, requests a second, and an outside judge's word.

    python -m tests.benchmarks.days [PEER_DIR ...] [--pilot DIR ...] [--days s1t,s2t] [--rules A,B] [--plain]
                                    [--policy 'rebalance: on' ...] [--beside 'reoptimise: …' ...]
                                    [--judge check_visits.py] [--json]

A PEER_DIR holds nodes.csv, edges.csv, requests_sN.csv and vehicles_sN[t].csv; a pilot DIR holds the same four tables
under their plain names. Several folders are the same day with other people (demand seeds): each is lived, and their
means told, for single days swing by a point. Rule A drops `max_ride_time_s`, rule B `latest_dropoff_s`. --plain:
insertion alone, answered at once. --policy: rules beside the defaults, as in a scenario. --beside: every day once more
by these rules, in turn: OR-Tools alone in place of the search is 'reoptimise: {iterations: 0, polish: 12}'. The judge
is a program of its own that reads visits, decisions and drives, and is not part of Naru.
`of the CPU`: requests a second of processor time, to compare on a busy machine; the clock's figure is beside it.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from simulator.scenario import load_scenario
from simulator.simulate import simulate, warm

DROPPED = {"A": "max_ride_time_s", "B": "latest_dropoff_s"}


class Day(NamedTuple):
    """Tables of one day; the judge wants those of the rule too."""

    name: str
    folder: Path
    requests: Path
    """with the columns of the rule only"""
    asked: Path
    """with all columns"""
    vehicles: Path
    rule: str


def days(args: argparse.Namespace, scratch: Path) -> Iterator[Day]:
    """The days asked for; requests of a rule are copied without the other rule's column."""
    for name, rule, peer in (
        (name, rule, peer) for name in args.days.split(",") for rule in args.rules.split(",") for peer in args.peer
    ):
        source = peer / f"requests_{name.rstrip('t')}.csv"
        copy = scratch / f"requests_{name}_{rule}.csv"
        with source.open(newline="") as given, copy.open("w", newline="") as out:
            rows = csv.DictReader(given)
            columns = [column for column in rows.fieldnames or () if column != DROPPED[rule]]
            writer = csv.DictWriter(out, columns, extrasaction="ignore")
            writer.writeheader()
            writer.writerows(rows)
        yield Day(f"{name} {rule}", peer, copy, source, peer / f"vehicles_{name}.csv", rule)
    for folder in args.pilot:
        requests = folder / "requests.csv"
        yield Day("pilot", folder, requests, requests, folder / "vehicles.csv", "A")


def live(day: Day, scratch: Path, policy: Sequence[str]) -> tuple[dict[str, Any], float, Path]:
    """(figures, seconds of processor time, output folder) of one day."""
    scenario = scratch / "day.yaml"
    scenario.write_text(
        f"network: {{nodes: {day.folder / 'nodes.csv'}, edges: {day.folder / 'edges.csv'}}}\n"
        f"vehicles: {day.vehicles}\nrequests: {day.requests}\npolicy: {{{', '.join(('name: day', *policy))}}}\n"
    )
    out = scratch / "out"
    loaded = load_scenario(scenario)
    began = time.process_time()
    outcome = simulate(loaded, out)
    return outcome.kpis, time.process_time() - began, out


def judged(judge: Path, day: Day, out: Path) -> str:
    """What an outside judge says of the tables."""
    # the judge looks at the columns of the rule only, and wants all of them
    tables = [str(path) for path in (day.folder, day.asked, day.vehicles, out / "visits.csv")]
    options = ["--rule", day.rule, "--decisions", str(out / "decisions.csv"), "--drives", str(out / "drives.csv")]
    done = subprocess.run([sys.executable, str(judge), *tables, *options], capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1) or not done.stdout:
        return "judge failed"
    verdict = json.loads(done.stdout)
    return "clean" if verdict["ok"] else "BROKEN " + str({k: v for k, v in verdict["broken"].items() if v})


def figures(kpis: dict[str, Any], cpu: float) -> dict[str, float]:
    """What is told of a day."""
    return {
        "served_percent": 100 * kpis["service_rate"],
        "wait_s": kpis["wait_mean_s"],
        "km_per_rider": kpis["km_per_rider"],
        "requests_per_s": kpis["requests_per_s"],
        "requests_per_cpu_s": kpis["attempts"] / cpu,
        "violations": kpis["violations"],
    }


def line(name: str, told: dict[str, float], verdict: str) -> str:
    """One row of the table."""
    return (
        f"{name:<22}{told['served_percent']:>7.2f}%{told['wait_s']:>8.1f}{told['km_per_rider']:>9.2f}"
        f"{told['requests_per_s']:>8.0f}{told['requests_per_cpu_s']:>12.0f}  {told['violations']:>10.0f}  {verdict}"
    )


def main() -> None:
    """Live the days and print a row each, and their means."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.days", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("peer", type=Path, nargs="*")
    parser.add_argument("--pilot", type=Path, nargs="*", default=[])
    parser.add_argument("--days", default="s1t,s2t")
    parser.add_argument("--rules", default="A,B")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--policy", nargs="*", default=[])
    parser.add_argument("--beside", nargs="*", default=[])
    parser.add_argument("--judge", type=Path)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    warm()
    say = sys.stderr if args.json else sys.stdout
    print(f"{'day':<22}{'served':>8}{'wait s':>8}{'km/rider':>9}{'req/s':>8}{'of the CPU':>12}  violations  judge",
          file=say)  # fmt: skip
    lived: dict[str, list[dict[str, Any]]] = defaultdict(list)
    policy = [*(["reoptimise: off"] if args.plain else []), *args.policy]
    ways = {"": policy} | ({" beside": args.beside} if args.beside else {})
    with tempfile.TemporaryDirectory() as folder:
        for day, other in ((day, other) for day in days(args, Path(folder)) for other in ways):
            kpis, cpu, out = live(day, Path(folder), ways[other])
            verdict = judged(args.judge, day, out) if args.judge else "not asked"
            told = figures(kpis, cpu)
            lived[day.name + other].append({"folder": day.folder.name, **told, "judge": verdict})
            print(line(f"{day.name}{other} {day.folder.name}", told, verdict), file=say, flush=True)
    means = {
        name: {"days": len(rows), **{key: fmean(row[key] for row in rows) for key in figures_of(rows[0])}}
        for name, rows in lived.items()
    }
    for name, mean in means.items():
        if mean["days"] > 1:
            print(line(f"{name} mean of {mean['days']}", mean, ""), file=say)
    if args.json:
        print(json.dumps({"policy": policy, "beside": args.beside, "days": lived, "means": means}))


def figures_of(row: dict[str, Any]) -> list[str]:
    """Keys of a day's row that are numbers."""
    return [key for key, value in row.items() if isinstance(value, int | float)]


if __name__ == "__main__":
    main()
