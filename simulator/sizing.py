"""How many shuttles it takes: the least of a number that meets targets, found by bisection.

More shuttles never serve a town worse in the mean, so the least number that meets every target lies between one that
does not and one that does; halving the way between them asks for few days. What was tried is kept and shown, so a
planner sees how steep the way is. Each number is tried on the same days.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from routing.errors import InputError
from simulator.bands import better
from simulator.days import Progress
from simulator.sweep import Cell, sweep

DEFAULT_BY: Final = "vehicles.0.count=1..40"


class Knob(NamedTuple):
    """A whole number of the scenario that is searched."""

    key: str
    least: int
    most: int


class Sizing(NamedTuple):
    """What one knob's search found."""

    knob: Knob
    tried: list[Cell]
    """in order of the knob's number"""
    found: Cell | None
    """the least that meets every target; None: not even the most does"""


def read_targets(text: str) -> dict[str, float]:
    """`service_rate=0.9,wait_mean_s=600` as numbers. Raises InputError."""
    targets: dict[str, float] = {}
    for part in text.split(","):
        key, _, value = part.partition("=")
        try:
            targets[key.strip()] = float(value)
        except ValueError:
            raise InputError(f"{part!r} is no target", field="--target", expected="service_rate=0.9,wait_mean_s=600"
                             ) from None  # fmt: skip
    return targets


def read_knob(text: str) -> Knob:
    """`vehicles.0.count=1..40`. Raises InputError."""
    match = re.fullmatch(r"\s*([\w.]+)\s*=\s*(\d+)\s*\.\.\s*(\d+)\s*", text)
    if match is None or int(match[2]) > int(match[3]):
        raise InputError(f"{text!r} names no range", field="--by", expected=DEFAULT_BY)
    return Knob(match[1], int(match[2]), int(match[3]))


def meets(cell: Cell, targets: Mapping[str, float]) -> bool:
    """The mean of the days is at least, or at most, as each target says."""
    bands = {metric: cell.band(metric) for metric in targets}
    return all(
        band is not None and better(metric) * band.mean >= better(metric) * targets[metric]
        for metric, band in bands.items()
    )


def size(
    scenario: str,
    knob: Knob,
    targets: Mapping[str, float],
    seeds: int,
    *,
    processes: int = 1,
    cluster: str | None = None,
    folder: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
    progress: Progress | None = None,
) -> Sizing:
    """The least number within the knob's range that meets every target."""
    tried: dict[int, Cell] = {}

    def fits(number: int) -> bool:
        if number not in tried:
            vary = {knob.key: [str(number)]}
            (tried[number],) = sweep(scenario, vary, seeds, processes=processes, cluster=cluster, folder=folder,
                                     progress=progress)  # fmt: skip
            verdict = "meets" if meets(tried[number], targets) else "misses"
            say(f"{knob.key} {number}: {verdict} {', '.join(f'{k} {v:g}' for k, v in targets.items())}")
        return meets(tried[number], targets)

    low, high = knob.least, knob.most
    best = None
    if fits(high):
        best = high
        while low < high:
            middle = (low + high) // 2
            if fits(middle):
                best = high = middle
            else:
                low = middle + 1
    return Sizing(knob, [tried[n] for n in sorted(tried)], None if best is None else tried[best])


def cheapest(sizings: Sequence[Sizing]) -> Sizing | None:
    """Of several knobs the one that meets the targets with the fewest shuttle-hours."""
    found = [(sizing.found.band("shuttle_hours"), i) for i, sizing in enumerate(sizings) if sizing.found is not None]
    hours = [(band.mean, i) for band, i in found if band is not None]
    return sizings[min(hours)[1]] if hours else None
