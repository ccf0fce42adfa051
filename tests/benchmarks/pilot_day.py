"""A whole day of the shipped pilot, warm: seconds, requests a second, peak memory: python -m tests.benchmarks.pilot_day

With re-optimisation and all that the scenario offers, then at the plain rule (insertion, answered at once).
"""

from __future__ import annotations

import time

from simulator.scenario import load_scenario
from simulator.simulate import simulate, warm

DAYS: dict[str, dict[str, str]] = {
    "all that the scenario offers": {},
    "answered at once": {"policy.queue": "off", "policy.later_s": "0", "policy.walk_m": "0", "policy.quotes": "1"},
    "insertion alone": {"policy.queue": "off", "policy.later_s": "0", "policy.walk_m": "0", "policy.quotes": "1",
                        "policy.reoptimise": "off"},
}  # fmt: skip


def main() -> None:
    """Live the days and print a row each."""
    warm()
    print(f"{'day':<30}{'served':>8}{'wait min':>9}{'seconds':>9}{'of CPU':>8}{'req/s':>8}{'peak MB':>9}")
    for name, changes in DAYS.items():
        scenario = load_scenario("pilot", changes=changes)
        wall, cpu = time.perf_counter(), time.process_time()
        kpis = simulate(scenario).kpis
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        print(
            f"{name:<30}{100 * kpis['service_rate']:>7.1f}%{kpis['wait_mean_s'] / 60:>9.1f}{wall:>9.1f}{cpu:>8.1f}"
            f"{kpis['requests_per_s']:>8.0f}{kpis['peak_rss_mb']:>9.0f}"
        )


if __name__ == "__main__":
    main()
