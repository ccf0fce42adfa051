"""`python -m tests.faults --dispatcher 100 --store 10`: 0 if nothing was lost, doubled or broken."""

from __future__ import annotations

import argparse
import asyncio
import sys

from tests.faults.kills import Outcome, run

MOST_TOLD = 20
"""faults of one town"""


def main() -> int:
    """Kill, judge, tell."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--dispatcher", type=int, default=100, help="kills of the dispatcher")
    parser.add_argument("--store", type=int, default=10, help="kills of the store")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcome = asyncio.run(run(arguments.dispatcher, arguments.store, arguments.seed, _Progress()))
    restarts = sorted(outcome.restart_s)
    print(
        f"killed: dispatcher {outcome.dispatcher}, store {outcome.store} (clock set back {outcome.set_back} times), "
        f"in {outcome.took_s:.0f} s\n"
        f"answers {outcome.counts['answers']} ({outcome.lost} lost on the way and asked for again), "
        f"booked {outcome.counts['RideBooked']}, delivered {outcome.counts['RiderAlighted']}, "
        f"events {sum(outcome.counts.values()) - outcome.counts['answers']}\n"
        f"kill to next answer: median {restarts[len(restarts) // 2] if restarts else 0:.2f} s\n"
        f"told too late, as nobody was there: {len(outcome.late)}\n"
        f"faults found: {len(outcome.found)}"
    )
    return 1 if outcome.found else 0


class _Progress:
    """Tells of each town when it has been judged: hours may lie ahead."""

    def __init__(self) -> None:
        self._told = 0

    def __call__(self, outcome: Outcome) -> None:
        for fault in outcome.found[self._told :][:MOST_TOLD]:
            print(fault, flush=True)
        self._told = len(outcome.found)
        print(f"  {outcome.dispatcher} + {outcome.store} kills, {self._told} faults", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
