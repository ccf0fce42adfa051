"""One day's riders twice: simulated, and live over HTTP, running free. The service rate should be the same.

    python -m tests.benchmarks.live_rate [SCENARIO] [--seed N] [--speed 60] [--start 07:00] [--until 24:00]

The live day is `naru demo`'s: a service with its own store, its worker, riders and drivers who call it by the clock, so
many times as fast as the world's. Riders who ask between `--start` and `--until` live both days; the live one goes on
for two hours more, till they are carried, and the figures are those of the two logs; who asks anew because an offer
was gone is still one attempt. The faster the clock, the more
of the town's time a call takes: for so many times as long a rider waits for an answer, or somebody else gets the place.
"""

from __future__ import annotations

import argparse
import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

from dispatch.core import kpi
from simulator.live_demo import attempts, live_demo
from simulator.lockstep import simulated
from simulator.scenario import load_scenario

FIGURES = (
    "attempts", "booked", "delivered", "service_rate", "wait_mean_s", "ride_to_direct_mean", "km_per_rider",
    "promises_broken",
)  # fmt: skip
SET_UP_S = 10
"""real seconds before the first rider asks: drivers are made known to the service"""
CARRIED_MS = 2 * 3_600_000


def main() -> None:
    """Live the day twice, and compare."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("scenario", nargs="?", default="pilot")
    options.add_argument("--seed", type=int, default=None)
    options.add_argument("--speed", type=float, default=60)
    options.add_argument("--start", default="07:00")
    options.add_argument("--until", default="24:00")
    options.add_argument("--port", type=int, default=8798)
    given = options.parse_args()
    scenario = load_scenario(given.scenario)
    if given.seed is not None:
        scenario = dataclasses.replace(scenario, seed=given.seed)
    first, last = (_ms(clock) for clock in (given.start, given.until))
    asking = tuple(one for one in attempts(scenario) if first <= one.made_at < last)
    scenario = dataclasses.replace(scenario, requests=asking)
    told = {"simulated": kpi.figures(simulated(scenario))}
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="naru-rate-") as folder:
        opens = first - round(SET_UP_S * 1000 * given.speed)
        lived = live_demo(
            scenario, Path(folder), lasts_s=(last + CARRIED_MS - opens) / 1000 / given.speed, speed=given.speed,
            port=given.port, start=f"{opens // 3_600_000:02}:{opens // 60_000 % 60:02}",
        )  # fmt: skip
    told["live"] = lived.kpis | {
        "attempts": len(asking), "service_rate": lived.kpis["delivered"] / len(asking)
    }  # fmt: skip
    print(
        f"{scenario.name}, seed {scenario.seed}, {given.start} to {given.until} at {given.speed:g} times the clock: "
        f"{len(asking)} attempts, {time.monotonic() - began:.0f} s"
    )
    print(
        f"violations of the live log {lived.kpis['violations_by_invariant']}, "
        f"problems that riders and drivers met {lived.kpis['extra']['problems']}"
    )
    for name in FIGURES:
        print(f"{name:<22}" + "".join(f"{_shown(figures[name]):>14} {kind}" for kind, figures in told.items()))
    points = 100 * (told["live"]["service_rate"] - told["simulated"]["service_rate"])
    print(f"the live service rate differs by {points:+.1f} points")


def _ms(clock: str) -> int:
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
