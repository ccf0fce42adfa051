# ruff: noqa: E501 (source is quoted line by line)
"""Bugs planted one by one, each of which a property must catch: `python -m tests.mutants [days] [words…]`.

Each is one line of source changed in a copy of the packages; kernels run as plain Python there. Words choose those
whose name has one of them. Exit 1 if one is not caught, or if the line it changes is no longer there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 120.0
"""for one bug"""


class Mutant(NamedTuple):
    """One planted bug."""

    name: str
    file: str
    old: str
    new: str


CORE = "dispatch/core"
MUTANTS = [
    Mutant("nothing is wrong", "README.md", "", ""),
    # the road
    Mutant("a drive is a second shorter", "simulator/vehicles.py", 'Next(shuttle.at + left, "arrive")',
           'Next(shuttle.at + left - 1000, "arrive")'),
    Mutant("a shuttle may turn where it was before", f"{CORE}/timing.py", "heads, edge_ms, shuttle[SLICE], shuttle[NODE], "
           "shuttle[AT], shuttle[HEADING], now", "heads, edge_ms, shuttle[SLICE], shuttle[NODE], "
           "shuttle[AT], shuttle[HEADING], now - 60_000"),
    Mutant("a closed road is driven", f"{CORE}/desk.py", "self.reroute(frozenset(world.closed_edges), ",
           "self.reroute(frozenset(), "),
    Mutant("a shuttle leaves before all are in", f"{CORE}/fold.py",
           "    shuttle.at = shuttle.since = at + duration\n", "    shuttle.at = shuttle.since = at\n"),
    Mutant("a shuttle leaves yesterday", f"{CORE}/fold.py", "    if shuttle.heading < 0 and shuttle.at < now:\n",
           "    if False:\n"),
    # promises
    Mutant("boarding begins before the window", "simulator/vehicles.py", 'Next(max(begin, ready), "serve")',
           'Next(ready, "serve")'),
    Mutant("a promise is given beyond the limits", f"{CORE}/offers.py", "_second_after(allowed.dropoff_by), allowed",
           "_second_after(allowed.dropoff_by) + 60_000, allowed"),
    Mutant("riders at risk are not told", f"{CORE}/recovery.py", "            return list(told.values())\n",
           "            return []\n"),
    Mutant("others' latest times are not looked at", f"{CORE}/timing.py", "            if begin > visits[code, V_LATEST]:\n",
           "            if begin > visits[code, V_LATEST] + 600_000:\n"),
    Mutant("ride time is not looked at", f"{CORE}/timing.py", "begin - route[BEGIN, pair] > visits[code, V_RIDE]:",
           "begin - route[BEGIN, pair] > visits[code, V_RIDE] + 300_000:"),
    Mutant("ride time aboard is forgotten", f"{CORE}/pack.py", "by, longest = min(by, ride.boarded_at + longest), None",
           "longest = None"),
    Mutant("a queued rider has no answer", f"{CORE}/desk.py", "        if ride.until is None or ride.receipt is None or "
           "now < ride.until:\n", "        if True:\n"),
    Mutant("a missing rider is not waited for", "simulator/vehicles.py", "desk.world.policy.no_show_grace_s * 1000",
           "desk.world.policy.no_show_grace_s"),
    Mutant("the wait with riders aboard has no bound", f"{CORE}/timing.py",
           "too_long = waited - rules[WAIT_ABOARD]", "too_long = waited - NEVER"),
    # places
    Mutant("one rider too many", f"{CORE}/timing.py", "        if load > shuttle[SEATS] or ",
           "        if load > shuttle[SEATS] + 1 or "),
    Mutant("one rider too many fits an insertion", f"{CORE}/insertion.py", "        if load + seats > shuttle[SEATS] or ",
           "        if load + seats > shuttle[SEATS] + 1 or "),
    Mutant("who alights keeps the seat", f"{CORE}/fold.py", "    shuttle.aboard -= ride.request.seats\n",
           "    shuttle.aboard -= 1\n"),
    # plans
    Mutant("the drop-off is put before the pickup", f"{CORE}/fold.py", "(*visits[:i], code, *visits[i:j], code + 1, ",
           "(*visits[:i], code + 1, *visits[i:j], code, "),
    Mutant("a plan's version stays", f"{CORE}/desk.py", "version=shuttle.plan.version + 1,",
           "version=shuttle.plan.version,"),
    Mutant("a cancelled rider is still picked up", f"{CORE}/fold.py",
           "_without(shuttle.plan, 2 * ride.number, 2 * ride.number + 1)", "_without(shuttle.plan, 2 * ride.number + 1)"),
    Mutant("who was aboard a broken shuttle is left", f"{CORE}/recovery.py",
           '(ride := desk.world.ride_of(code)) is not None and ride.state == "aboard"',
           '(ride := desk.world.ride_of(code)) is not None and ride.state == "nowhere"'),
    Mutant("a lost booking is forgotten", f"{CORE}/fold.py", "            world.unplaced[ride.request.id] = None\n",
           "            pass\n"),
    Mutant("who is stranded twice is forgotten", f"{CORE}/fold.py", 'ride.state in ("booked", "stranded"):\n            ride.shuttle = None',
           'ride.state == "booked":\n            ride.shuttle = None'),
    Mutant("the queue waits for better plans to be due", f"{CORE}/world.py", "min(ROUND_MS, settings.every_s * 1000)",
           "settings.every_s * 1000"),
    Mutant("a rush hour is waited out step by step", f"{CORE}/timing.py", "return min(wanted, change) if waited else change",
           "return wanted"),
    Mutant("who leaves later is never there sooner", f"{CORE}/timing.py", "                route[BEGIN, k] = route[pushed, k]\n",
           "                pass\n"),
    Mutant("a broken timetable is not timed to its end", f"{CORE}/timing.py", "        if lowest == n and (passes == 1 ",
           "        if status != OK or lowest == n and (passes == 1 "),
    Mutant("a break is taken wherever it was sent idly", f"{CORE}/desk.py", "*self.turn(quote.shuttle, plan, now, quote.pickup.place if quote.after[0] == 0 else None)",
           "*(self.turn(quote.shuttle, plan, now, quote.pickup.place) if quote.after[0] == 0 else ())"),
    Mutant("a longer ride that was announced binds nobody", f"{CORE}/pack.py", "        if ride.late_pickup is None:\n            longest = None\n",
           "        longest = None\n"),
    Mutant("a shuttle is diverted without leave", f"{CORE}/insertion.py", "rules[DIVERT] == 0", "rules[DIVERT] == 7"),
    # the search
    Mutant("others' delay costs nothing", f"{CORE}/insertion.py", "w_delay * (delay + d_begin - now)",
           "w_delay * (d_begin - now)"),
    Mutant("an idle shuttle seems dearer than it is", f"{CORE}/fleet_insertion.py",
           "low += rules[W_DRIVE] * (drive + direct)", "low += 2 * rules[W_DRIVE] * (drive + direct)"),
    Mutant("to wake a shuttle pays nothing in a bound", f"{CORE}/insertion.py",
           "w_delay * (at + straight - now) - waking - spared\n", "w_delay * (at + straight - now) - spared\n"),
    Mutant("two detours seem longer than they are", f"{CORE}/insertion.py", "min(direct + from_d, from_p + behind)",
           "min(direct + from_d, from_p + to_d + from_d)"),
    Mutant("the last place of a plan is never tried", f"{CORE}/insertion.py", "    last = n - shuttle[TAIL]\n",
           "    last = max(n - shuttle[TAIL] - 1, 0)\n"),
    Mutant("the stops judged are not those quoted", f"{CORE}/desk.py", "ride, quote.pickup.place, quote.dropoff.place, "
           "quote.promise", "ride, quote.dropoff.place, quote.pickup.place, quote.promise"),
    # the state
    Mutant("the arrays miss a cancellation", f"{CORE}/desk.py", "        self._unwritten |= touched",
           "        self._unwritten |= touched if kind is not ev.RideCancelled else set()"),
    Mutant("the arrays miss a change of roads", f"{CORE}/desk.py", "        elif kind in _ROADS:\n",
           "        elif kind in _ROADS and world.seq % 2:\n"),
    Mutant("the desk changes the world without an event", f"{CORE}/desk.py", "        if ride.until is None or ride.receipt "
           "is None or now < ride.until:\n", "        ride.made_at = now\n        if ride.until is None or ride.receipt "
           "is None or now < ride.until:\n"),
]  # fmt: skip


def caught(mutant: Mutant, days: int) -> list[str]:
    """[days lived, property, what it said] of a copy with this bug; the last two empty if nothing was noticed."""
    with tempfile.TemporaryDirectory(prefix="naru-mutant-") as folder:
        for package in ("routing", "dispatch", "simulator", "tests"):
            shutil.copytree(ROOT / package, Path(folder, package), ignore=shutil.ignore_patterns("__pycache__", "maps"))
        if mutant.old:
            path = Path(folder, mutant.file)
            source = path.read_text()
            if mutant.old not in source:
                return ["0", "", "the line is no longer there"]
            path.write_text(source.replace(mutant.old, mutant.new))
        try:
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-m", "tests.mutants.hunt", str(days), str(SECONDS)],
                cwd=folder,
                env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"},
                capture_output=True,
                text=True,
                check=False,
                timeout=2 * SECONDS,
            )
        except subprocess.TimeoutExpired:
            return ["?", "endless", "a day does not end"]
    if done.returncode:
        return ["1", "crash", done.stderr.strip().splitlines()[-1]]
    return done.stdout.strip("\n").split("\t")


def main(days: int, words: list[str]) -> int:
    """Print the table; the exit code."""
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    survivors = 0
    print(f"{'planted':<45}{'caught by':<26}{'days':>5}  what it said")
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for mutant, (lived, by, said) in zip(chosen, pool.map(lambda m: caught(m, days), chosen), strict=True):
            healthy = bool(by) is bool(mutant.old)
            survivors += not healthy
            print(
                f"{mutant.name:<45}{by or '-':<26}{lived:>5}  {' '.join(said.split())[:110]}{'' if healthy else '  <== WRONG'}"
            )
            sys.stdout.flush()
    return 1 if survivors else 0


if __name__ == "__main__":
    amount = int(sys.argv[1]) if len(sys.argv) > 1 else 120
    sys.exit(main(amount, sys.argv[2:]))
