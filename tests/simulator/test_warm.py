"""What `naru warm` compiles is all that a day needs: no rider waits for a compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DAY = """
network: {map: nauru}
stops: {spacing_m: 400}
vehicles: {count: 1, capacity: 4, shifts: [[07:00, 09:00]]}
requests: {attempts: 60, hours: [07:00, 09:00]}
"""
LIVED = """
import sys
from numba.core.dispatcher import Dispatcher
from simulator.scenario import load_scenario
from simulator.simulate import simulate, warm

def compiled():
    modules = [m for name, m in sys.modules.items() if name.split(".")[0] in ("routing", "dispatch", "simulator")]
    kernels = {k for m in modules for k in vars(m).values() if isinstance(k, Dispatcher)}
    return {f"{k.py_func.__module__}.{k.py_func.__name__}": len(k.signatures) for k in kernels}

warm()
before = compiled()
refused = simulate(load_scenario(sys.argv[1])).kpis["refused"]
assert refused, "a day without a refusal shows little"
print(sorted(name for name, n in compiled().items() if n > before.get(name, 0)))
"""


def test_a_day_compiles_nothing_after_warming(tmp_path: Path) -> None:
    """Signatures of every kernel before and after a day with refusals, in a process of its own."""
    day = tmp_path / "day.yaml"
    day.write_text(DAY)
    done = subprocess.run(
        [sys.executable, "-c", LIVED, str(day)], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
