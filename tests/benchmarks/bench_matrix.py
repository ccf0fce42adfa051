"""Stop-to-stop matrices and whole tables of driving times on the shipped city, against scipy in the same run.

python -m tests.benchmarks.bench_matrix [STOPS …]        (default: 300 2000)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from routing.shipped import shipped_map
from routing.stop_points import generate
from routing.travel_times import drive_times, matrix
from tests.routing.towns import scipy_times


def best_of(work: Callable[[], Any], *, runs: int) -> tuple[float, Any]:
    """(seconds of the fastest run, its result)."""
    fastest, result = float("inf"), None
    for _ in range(runs):
        begin = time.perf_counter()
        result = work()
        fastest = min(fastest, time.perf_counter() - begin)
    return fastest, result


def main(counts: list[int]) -> None:
    """Print one line a number of stop points."""
    begin = time.perf_counter()
    city = shipped_map("coquimbo")
    print(f"coquimbo loaded in {time.perf_counter() - begin:.2f} s: {city.nodes} nodes, {city.edges} edges")
    for count in counts:
        network, places = city.with_stops(generate(city, count=count))
        order_s, _ = best_of(lambda network=network: network.reversed_hierarchy, runs=1)  # type: ignore[misc]
        matrix_s, square = best_of(lambda: matrix(network, places), runs=3)  # noqa: B023
        table_s, times = best_of(lambda: drive_times(network, places), runs=3)  # noqa: B023
        scipy_s, plain = best_of(lambda: scipy_times(network, places), runs=1)  # noqa: B023
        assert np.array_equal(times.table[0], plain)
        assert np.array_equal(square, plain[places])
        print(
            f"{count} stop points on {network.nodes} nodes: order once {order_s:.2f} s; "
            f"matrix {matrix_s:.3f} s, {scipy_s / matrix_s:.1f} times as fast as scipy's {scipy_s:.2f} s; "
            f"all nodes to all stop points {table_s:.2f} s, {scipy_s / table_s:.1f} times"
        )


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [300, 2000])
