"""Cost of growth: time a request and memory by the number of shuttles, as a table and a picture.

    python -m tests.benchmarks.scale [--shuttles 50,100,500,1000,2000] [--minutes 20] [--out build]

A square town of 40 × 40 corners whose demand grows with the fleet, six riders an hour for each shuttle; each size is
lived in a process of its own, with re-optimisation and without. Writes `scale.html` and `scale.csv` into --out.
Milliseconds are of the processor, so that a busy machine says nearly the same: the whole day's work over its requests.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random
from typing import Any

SIDE, STREET_M, STREET_S = 40, 250, 30
A_SHUTTLE_HOUR = 6.0
"""riders"""


def write_town(folder: Path, shuttles: int, minutes: int) -> Path:
    """The scenario of one size; the same numbers every time."""
    r = Random(shuttles)

    def table(name: str, header: str, rows: list[tuple[object, ...]]) -> None:
        (folder / name).write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n")

    nodes = range(SIDE * SIDE)
    table("nodes.csv", "node_id,x_m,y_m", [(n, n % SIDE * STREET_M, n // SIDE * STREET_M) for n in nodes])
    ends = [(n, n + 1) for n in nodes if n % SIDE < SIDE - 1] + [(n, n + SIDE) for n in nodes if n < SIDE * (SIDE - 1)]
    both = [(u, v, STREET_M, STREET_S) for pair in ends for u, v in (pair, pair[::-1])]
    table("edges.csv", "from_node,to_node,length_m,travel_time_s", both)
    table("vehicles.csv", "vehicle_id,start_node,capacity", [(v, r.randrange(SIDE**2), 8) for v in range(shuttles)])
    times = sorted(r.randrange(minutes * 60) for _ in range(round(shuttles * A_SHUTTLE_HOUR * minutes / 60)))
    pairs = [r.sample(nodes, 2) for _ in times]
    rows = [(i, at, o, d, at + 600) for i, (at, (o, d)) in enumerate(zip(times, pairs, strict=True))]
    table("requests.csv", "request_id,request_time_s,origin_node,destination_node,latest_pickup_s", rows)
    scenario = folder / "day.yaml"
    scenario.write_text(
        "network: {nodes: nodes.csv, edges: edges.csv}\nvehicles: vehicles.csv\nrequests: requests.csv\n"
    )
    return scenario


def live(scenario: Path, reoptimise: str) -> dict[str, Any]:
    """One size's day: what it took of the processor and of memory."""
    import resource
    import time

    from simulator.run import Simulation
    from simulator.scenario import load_scenario
    from simulator.simulate import day_of, desk_for, roads, warm

    warm()
    loaded = load_scenario(scenario, changes={"policy.reoptimise": reoptimise})
    times = roads(loaded)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    simulation = Simulation(day_of(loaded, times), desk_for(loaded, times), lambda _: None)
    began = time.process_time()
    world = simulation.run()
    cpu = time.process_time() - began
    answers = sorted(simulation.measured.decision_ms)
    return {
        "requests": len(answers),
        "answer_p50_ms": answers[len(answers) // 2],
        "answer_p99_ms": answers[len(answers) * 99 // 100],
        "day_ms_per_request": 1000 * cpu / len(answers),
        "carried_percent": 100 * sum(ride.state == "delivered" for ride in world.rides.values()) / len(answers),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "memory_day_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before,
    }


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """One offline page: milliseconds and megabytes over shuttles."""
    from simulator.bands import Band
    from simulator.lab_charts import curve
    from simulator.lab_page import figure, page

    parts = []
    for reoptimise, how in (("off", "by insertion alone"), ("on", "with re-optimisation")):
        ours = [row for row in rows if row["reoptimise"] == reoptimise]
        xs = [float(row["shuttles"]) for row in ours]
        for key, title in (("answer_p50_ms", "Milliseconds until an answer, median"),
                           ("day_ms_per_request", "Milliseconds of the processor a request, the whole day's work"),
                           ("memory_mb", "Memory, MB")):  # fmt: skip
            bands = [Band(row[key], None, None, 1) for row in ours]
            parts.append(figure(f"{title}, {how}", "Along the number of shuttles.", curve(key, "shuttles", xs, bands)))
    path.write_bytes(page("Cost of growth", "Naru", "<p>One day of each size, demand in proportion.</p>", parts))


def main() -> None:
    """Live each size in a process of its own and print a row each."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scale", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("--shuttles", default="50,100,500,1000,2000")
    parser.add_argument("--minutes", type=int, default=20)
    parser.add_argument("--out", type=Path, default=Path("build"))
    parser.add_argument("--one", nargs=2, metavar=("SCENARIO", "REOPTIMISE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(live(Path(args.one[0]), args.one[1])))
        return
    rows: list[dict[str, Any]] = []
    for shuttles in map(int, args.shuttles.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            scenario = write_town(Path(folder), shuttles, args.minutes)
            for reoptimise in ("off", "on"):
                command = [sys.executable, "-m", "tests.benchmarks.scale", "--one", str(scenario), reoptimise]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                row = {"shuttles": shuttles, "reoptimise": reoptimise, **json.loads(done.stdout)}
                if not rows:
                    print("".join(f"{key:>20}" for key in row))
                rows.append(row)
                print("".join(f"{v:>20.3f}" if isinstance(v, float) else f"{v:>20}" for v in row.values()), flush=True)
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "scale.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    draw(rows, args.out / "scale.html")
    print(f"{args.out / 'scale.html'} and scale.csv")


if __name__ == "__main__":
    main()
