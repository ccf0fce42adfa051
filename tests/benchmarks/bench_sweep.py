"""A sweep of five policies on one process, on two, and on a local Dask cluster one of whose workers is killed.

`python -m tests.benchmarks.bench_sweep [days of each, 100]`. All must give the same figures; Dask is left out where
`naru-transit[cluster]` is not installed.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from time import perf_counter

from simulator.days import Job, every_day, flat
from simulator.simulate import warm

WAITS = (300, 600, 900, 1200, 1500)


def main(days: int) -> int:
    """Print the times; 1 if the figures differ."""
    warm()
    jobs = [
        Job("nauru", (("policy.reoptimise", "off"), ("policy.max_wait_s", str(wait))), seed)
        for wait in WAITS
        for seed in range(1, days + 1)
    ]
    found = {}
    for processes in (1, 2):
        began = perf_counter()
        found[f"{processes} process{'es' * (processes > 1)}"] = every_day(jobs, processes=processes)
        print(f"{len(jobs)} days on {processes}: {perf_counter() - began:.1f} s", flush=True)
    try:
        from distributed import LocalCluster
    except ImportError:
        print("Dask is not installed: left out")
    else:
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            killed: list[int] = []

            def watch(done: int, of: int) -> None:
                if done >= of // 3 and not killed:
                    pid = next(iter(cluster.workers.values())).pid
                    killed.append(pid)
                    threading.Thread(target=os.kill, args=(pid, signal.SIGKILL)).start()

            began = perf_counter()
            found["Dask"] = every_day(jobs, cluster=cluster.scheduler_address, progress=watch)
            print(f"{len(jobs)} days on Dask, worker {killed} killed after a third: {perf_counter() - began:.1f} s")
    first, *others = ([flat(day) for day in figures] for figures in found.values())
    same = all(other == first for other in others)
    print(f"{len(first)} days complete, the same figures everywhere: {same}")
    return not same


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
