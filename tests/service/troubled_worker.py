"""A worker process that fails in the way that it is started with: `python -m tests.service.troubled_worker None`."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, NoReturn

from dispatch.core.domain import Reoptimise
from dispatch.core.reoptimise import Improvement, better_plans
from dispatch.service.worker import Question, main
from dispatch.solver import OR_TOOLS
from routing.travel_times import DriveTimes

LATE_S = 0.6
TROUBLES = ("late", "fails", "hangs", "None", "infeasible", "elsewhere", "dies", "garbled", "half fails")


def answer(asked: Question, times: DriveTimes) -> Any:
    """What the trouble is."""
    assert times.table.size
    longest = max(range(len(asked.names)), key=lambda row: len(asked.before[asked.names[row]][1]))
    visits = asked.before[asked.names[longest]][1]
    match sys.argv[1]:
        case "late":
            time.sleep(LATE_S)
            return Improvement({}, served=(), before=0, after=0)
        case "fails":
            raise RuntimeError("no solution found")
        case "hangs":
            time.sleep(3600)
        case "infeasible":  # everybody is dropped off before they are picked up
            return Improvement({longest: visits[::-1]}, served=(), before=2, after=1)
        case "elsewhere":  # a ride that nobody has asked for
            return Improvement({longest: (*visits, 9_998, 9_999)}, served=(), before=2, after=1)
        case "dies":
            os._exit(3)
        case "garbled":
            return _Torn()
        case "half fails":  # the search does what it should, the solver that it asks does not
            solvers = OR_TOOLS._replace(choose=lambda *_: _raise())
            settings = Reoptimise(iterations=0, choose=True)
            return better_plans(asked.fleet, times, asked.now, settings, solvers, seed=1)
    return None


class _Torn:
    """Raises where it is read back: as a garbled answer does."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_raise, ())


def _raise() -> NoReturn:
    raise ValueError("torn")


if __name__ == "__main__":
    main(answer)
