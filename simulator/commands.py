"""`naru simulate`, `demo`, `check`, `report`, `warm`: what a planner types."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from simulator.scenario import Scenario
    from simulator.simulate import Outcome, Progress

PILOT = "pilot"
COMPILES_AFTER_S = 1.5
"""kernels that are loaded from the cache are there by then"""

Json = Annotated[bool, typer.Option("--json", help="print one JSON object on stdout, nothing else")]


def simulate(
    scenario: Annotated[str, typer.Argument(metavar="S", help="a scenario file, or a shipped one: pilot")],
    seed: Annotated[int | None, typer.Option(help="instead of the file's seed")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for the log, tables, figures and report")] = None,
    as_json: Json = False,
) -> None:
    """Live a scenario's day: figures, and with --out the log, the tables and the report."""
    from simulator.scenario import load_scenario

    outcome = _live(load_scenario(scenario, seed=seed), out)
    if as_json:
        print(json.dumps(outcome.kpis, ensure_ascii=False, allow_nan=False))
    else:
        _tell(outcome, out)
    if outcome.violations:
        raise typer.Exit(1)


def demo(
    out: Annotated[Path, typer.Option(help="folder for the log, tables, figures and report")] = Path("naru-demo"),
    seed: Annotated[int | None, typer.Option(help="another day of the same town")] = None,
    lasts: Annotated[
        float | None, typer.Option("--for", min=1, help="seconds after it is ready; without it: until the day ends")
    ] = None,
    speed: Annotated[float, typer.Option(min=1, max=120, help="times as fast as the world's clock")] = 60,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="where it listens; 0: any free port")] = 8000,
    lockstep: Annotated[
        bool, typer.Option("--lockstep", help="step by step: the service must decide as the simulator does")
    ] = False,
    scenario: Annotated[str, typer.Option(help="another town than the pilot's: a file, or a shipped scenario")] = PILOT,
) -> None:
    """The pilot's day on a real city, live: eight shuttles, simulated riders and drivers calling the service over HTTP.

    From 07:00 on, 60 times as fast as the world's clock, until the day ends or Ctrl-C; then the figures, the report and
    the log. With --lockstep the whole day, as fast as the service answers, compared with the simulator's.
    """
    from simulator.live_demo import live_demo, lockstep_demo
    from simulator.scenario import load_scenario

    day, differs = load_scenario(scenario, seed=seed), None
    if lockstep:
        with compiling():
            outcome, differs = lockstep_demo(day, out, port)
    else:
        outcome = live_demo(day, out, lasts_s=lasts, speed=speed, port=port)
    _tell(outcome, out)
    if lockstep:
        print(f"\n{differs}" if differs else f"\n{len(outcome.events)} events, each as in the simulator's log")
    if outcome.violations or differs:
        raise typer.Exit(1)


def check(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="events.jsonl, or the output folder that holds it")],
    as_json: Json = False,
) -> None:
    """Judge a log: every promise, every invariant; and the roads, where map.npz lies beside it."""
    from dispatch.core import invariants
    from simulator.judge import day_and_times

    events, times, reroute = day_and_times(log)
    violations = invariants.check(events, times, reroute)
    if as_json:
        rows = [{"invariant": v.invariant, "line": v.seq, "at_ms": v.at, "what": v.what} for v in violations]
        print(json.dumps({"events": len(events), "violations": rows, "roads_judged": times is not None}))
    else:
        for violation in violations:
            print(violation)
        roads = "roads judged too" if times is not None else "roads not judged: no map.npz beside the log"
        print(f"{len(events)} events, {len(violations)} violations ({roads})")
    if violations:
        raise typer.Exit(1)


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="output folder of a day")],
) -> None:
    """Write the report of a day, one offline page, into its output folder."""
    from simulator.judge import network_beside
    from simulator.report import write_report

    print(write_report(folder, network_beside(folder)))


def warm() -> None:
    """Compile the kernels now, so that no later start waits for them."""
    with compiling():
        from simulator.simulate import warm as compile_all

        compile_all()


def _live(scenario: Scenario, out: Path | None) -> Outcome:
    from simulator import simulate as living

    for note in scenario.notes:
        print(note, file=sys.stderr)
    with compiling():
        living.warm()
    with progress_bar() as progress:
        try:
            outcome = living.simulate(scenario, out, progress)
        except KeyboardInterrupt:
            if out is not None:
                print(f"naru: what was done so far is in {out / 'events.jsonl'}", file=sys.stderr)
            raise
        if out is not None:
            from simulator.report import write_report

            progress("report", 0)
            write_report(out, scenario.network)
    return outcome


@contextmanager
def compiling() -> Iterator[None]:
    """Say so where the first start has to compile."""
    words = "naru: compiling the kernels, this once (up to a minute) …"
    timer = threading.Timer(COMPILES_AFTER_S, lambda: print(words, file=sys.stderr))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """A bar on a terminal's stderr; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _what, _share: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


def _tell(outcome: Outcome, out: Path | None) -> None:
    """The figures a planner asks for first."""
    for name, value in _rows(outcome.kpis):
        print(f"{name:<34}{value:>12}")
    for violation in outcome.violations[:10]:
        print(f"VIOLATION {violation}", file=sys.stderr)
    if out is not None:
        print(f"\nreport  {out / 'report.html'}\nlog     {out / 'events.jsonl'}")


def _rows(k: dict[str, Any]) -> list[tuple[str, str]]:
    def number(value: float | None, digits: int = 0, unit: str = "") -> str:
        return "–" if value is None else f"{value:,.{digits}f}{unit}"

    def share(value: float | None) -> str:
        return number(None if value is None else 100 * value, 1, " %")

    def minutes(value: float | None) -> str:
        return number(None if value is None else value / 60, 1, " min")

    return [
        ("attempts (simulated)", number(k["attempts"])),
        ("carried", number(k["delivered"])),
        ("service rate", share(k["service_rate"])),
        ("refused", number(k["refused"])),
        ("mean wait from the first request", minutes(k["wait_mean_s"])),
        ("95 of 100 waited at most", minutes(k["wait_p95_s"])),
        ("mean ride", minutes(k["ride_mean_s"])),
        ("ride ÷ direct ride", number(k["ride_to_direct_mean"], 2)),
        ("picked up in the promised window", share(k["pickup_in_window_rate"])),
        ("promises broken", number(k["promises_broken"])),
        ("shuttle-hours", number(k["shuttle_hours"], 1)),
        ("km driven a rider", number(k["km_per_rider"], 2)),
        ("empty km", share(k["empty_share"])),
        ("riders a shuttle-hour", number(k["riders_per_shuttle_hour"], 2)),
        ("shared with another booking", share(k["pooling_rate"])),
        ("violations", number(k["violations"])),
        ("requests a second", number(k["requests_per_s"])),
    ]
