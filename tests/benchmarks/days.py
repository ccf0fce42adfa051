"""Days that every dispatcher can be given: service, waits, kilometres, requests a second, and an outside judge's word.

    python -m tests.benchmarks.days PEER_DIR [--pilot DIR ...] [--days s1t,s2t] [--rules A,B] [--plain]
                                    [--judge check_visits.py]

PEER_DIR holds nodes.csv, edges.csv, requests_sN.csv and vehicles_sN[t].csv; a pilot DIR holds the same four tables
under their plain names. Rule A drops `max_ride_time_s`, rule B `latest_dropoff_s`. --plain: insertion alone, answered
at once. The judge is a program of its own that reads visits, decisions and drives, and is not part of Naru.
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
from collections.abc import Iterator
from pathlib import Path
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
    for name in args.days.split(",") if args.peer else ():
        for rule in args.rules.split(","):
            source = args.peer / f"requests_{name.rstrip('t')}.csv"
            copy = scratch / f"requests_{name}_{rule}.csv"
            with source.open(newline="") as given, copy.open("w", newline="") as out:
                rows = csv.DictReader(given)
                columns = [column for column in rows.fieldnames or () if column != DROPPED[rule]]
                writer = csv.DictWriter(out, columns, extrasaction="ignore")
                writer.writeheader()
                writer.writerows(rows)
            yield Day(f"{name} {rule}", args.peer, copy, source, args.peer / f"vehicles_{name}.csv", rule)
    for folder in args.pilot:
        requests = folder / "requests.csv"
        yield Day(folder.name, folder, requests, requests, folder / "vehicles.csv", "A")


def live(day: Day, scratch: Path, plain: bool) -> tuple[dict[str, Any], float, Path]:
    """(figures, seconds of processor time, output folder) of one day."""
    scenario = scratch / "day.yaml"
    policy = "policy: {reoptimise: off}\n" if plain else ""
    scenario.write_text(
        f"network: {{nodes: {day.folder / 'nodes.csv'}, edges: {day.folder / 'edges.csv'}}}\n"
        f"vehicles: {day.vehicles}\nrequests: {day.requests}\n{policy}"
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


def main() -> None:
    """Live the days and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.days", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("peer", type=Path, nargs="?")
    parser.add_argument("--pilot", type=Path, nargs="*", default=[])
    parser.add_argument("--days", default="s1t,s2t")
    parser.add_argument("--rules", default="A,B")
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--judge", type=Path)
    args = parser.parse_args()
    warm()
    print(f"{'day':<10}{'served':>8}{'wait s':>8}{'km/rider':>9}{'req/s':>8}{'of the CPU':>12}  violations  judge")
    with tempfile.TemporaryDirectory() as folder:
        for day in days(args, Path(folder)):
            kpis, cpu, out = live(day, Path(folder), args.plain)
            verdict = judged(args.judge, day, out) if args.judge else "not asked"
            service = 100 * kpis["service_rate"]
            print(
                f"{day.name:<10}{service:>7.2f}%{kpis['wait_mean_s']:>8.1f}{kpis['km_per_rider']:>9.2f}"
                f"{kpis['requests_per_s']:>8.0f}{kpis['attempts'] / cpu:>12.0f}  {kpis['violations']:>10}  {verdict}",
                flush=True,
            )


if __name__ == "__main__":
    main()
