"""Readers of public benchmark instances, and a check of solutions in doubles that shares no code with the optimiser.

Li & Lim (2001): pickup and delivery with time windows. Cordeau (2006) and Cordeau & Laporte (2003): dial-a-ride with
limits on ride time and route duration.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from routing.errors import InputError

TOLERANCE = 1e-7


@dataclass(frozen=True)
class Place:
    """One line of a file."""

    x: float
    y: float
    demand: int
    earliest: float
    latest: float
    service: float


@dataclass(frozen=True)
class Instance:
    """A static problem. Place 0 is where vehicles begin, `end` where they end."""

    name: str
    vehicles: int
    capacity: int
    places: tuple[Place, ...]
    requests: tuple[tuple[int, int], ...]
    """(pickup, drop-off) places"""
    end: int = 0
    longest_ride: float = math.inf
    """from the end of service at the pickup to its beginning at the drop-off"""
    longest_route: float = math.inf

    def distance(self, a: int, b: int) -> float:
        """Euclidean, in doubles; also the travel time."""
        return math.hypot(self.places[a].x - self.places[b].x, self.places[a].y - self.places[b].y)

    def length(self, routes: Sequence[Sequence[int]]) -> float:
        """Total distance of routes given without their depots."""
        legs = 0.0
        for route in routes:
            whole = [0, *route, self.end]
            legs += sum(self.distance(a, b) for a, b in itertools.pairwise(whole))
        return legs


def read(path: str | Path) -> Instance:
    """Read a file of either kind. Raises InputError if it is neither, broken off, or contradicts itself."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(error.strerror or "can't be read", file=path) from None
    except UnicodeDecodeError:
        raise InputError("is not text", file=path, expected="a Li & Lim or Cordeau instance") from None
    rows = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if not rows:
        raise InputError("is empty", file=path, expected="a Li & Lim or Cordeau instance")
    head = rows[0][1]
    if len(head) not in {3, 5}:
        raise InputError(
            f"{len(head)} numbers",
            file=path,
            line=rows[0][0],
            expected="3 (Li & Lim: vehicles, capacity, speed) or 5 (Cordeau: vehicles, riders, route, capacity, ride)",
        )
    numbers = _numbers(path, *rows[0])
    width = 9 if len(head) == 3 else 7
    table = []
    for line, words in rows[1:]:
        if len(words) != width:
            raise InputError(f"{len(words)} numbers", file=path, line=line, expected=str(width))
        table.append(_numbers(path, line, words))
        if table[-1][0] != len(table) - 1:
            raise InputError(f"place {words[0]}", file=path, line=line, expected=f"place {len(table) - 1}")
    instance = _li_lim(path, numbers, table) if len(head) == 3 else _cordeau(path, numbers, table)
    _check(path, instance)
    return instance


def _numbers(path: Path, line: int, words: list[str]) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = [math.nan]
    if not all(map(math.isfinite, numbers)):
        raise InputError("not a number", file=path, line=line, expected="finite numbers")
    return numbers


def _li_lim(path: Path, head: list[float], table: list[list[float]]) -> Instance:
    places = tuple(Place(r[1], r[2], int(r[3]), r[4], r[5], r[6]) for r in table)
    requests = []
    for number, row in enumerate(table[1:], 1):
        if row[8] > 0:
            other = int(row[8])
            if other >= len(table) or table[other][7] != number:
                raise InputError(f"place {number}: its drop-off {other} is missing or another's", file=path)
            requests.append((number, other))
        elif row[7] <= 0 or row[7] >= len(table) or table[int(row[7])][8] != number:
            raise InputError(f"place {number}: its pickup {row[7]:g} is missing or another's", file=path)
    return Instance(path.name, int(head[0]), int(head[1]), places, tuple(requests))


def _cordeau(path: Path, head: list[float], table: list[list[float]]) -> Instance:
    # the R files count customers, the a and b files requests, and those repeat the depot in their last line
    stated, rows = int(head[1]), len(table)
    n = {stated + 1: stated // 2, 2 * stated + 1: stated, 2 * stated + 2: stated}.get(rows, 0)
    if n < 1 or (rows == stated + 1 and stated % 2):
        raise InputError(f"{len(table)} places for {head[1]:g}", file=path, expected="as many as the first line says")
    places = tuple(Place(r[1], r[2], int(r[4]), r[5], r[6], r[3]) for r in table)
    requests = tuple((i, i + n) for i in range(1, n + 1))
    end = 2 * n + 1 if len(table) == 2 * n + 2 else 0
    return Instance(path.name, int(head[0]), int(head[3]), places, requests, end, head[4], head[2])


def _check(path: Path, instance: Instance) -> None:
    if not instance.requests:
        raise InputError("no requests", file=path)
    if instance.vehicles < 1 or instance.capacity < 1:
        raise InputError("no vehicles or no capacity", file=path, line=1)
    for number, place in enumerate(instance.places):
        if place.earliest > place.latest or place.service < 0:
            raise InputError(f"place {number}: window ends before it begins, or service below 0", file=path)
        if max(abs(place.x), abs(place.y), place.latest, place.service) > 100_000:
            raise InputError(f"place {number}: a number beyond 100,000", file=path)
    for pickup, dropoff in instance.requests:
        seats = instance.places[pickup].demand
        if seats < 0 or seats + instance.places[dropoff].demand != 0:
            raise InputError(f"pickup {pickup} and drop-off {dropoff}: demands don't match", file=path)
        if timetable(instance, [pickup, dropoff]) is None:
            raise InputError(f"infeasible: request {pickup} can't be carried even alone", file=path)


def timetable(instance: Instance, route: Sequence[int]) -> list[float] | None:
    """Begins of service along a route, depots included, keeping every bound; None if there are none.

    The least solution of the difference constraints, by Bellman & Ford.
    """
    whole = [0, *route, instance.end]
    places = [instance.places[p] for p in whole]
    load = 0
    for place in places:
        load += place.demand
        if load > instance.capacity:
            return None
    begins = [place.earliest for place in places]
    bounds = [  # (later, earlier, by at most)
        (k, whole.index(pickup, 1), instance.longest_ride + instance.places[pickup].service)
        for pickup, dropoff in instance.requests
        for k in range(1, len(whole) - 1)
        if whole[k] == dropoff and pickup in route and instance.longest_ride < math.inf
    ]
    if instance.longest_route < math.inf:
        bounds.append((len(whole) - 1, 0, instance.longest_route))
    for _ in range(len(whole) + len(bounds) + 2):
        moved = False
        for k in range(1, len(whole)):
            arrival = begins[k - 1] + places[k - 1].service + instance.distance(whole[k - 1], whole[k])
            if arrival > begins[k] + TOLERANCE / 100:
                begins[k], moved = arrival, True
        for later, earlier, most in bounds:
            if begins[later] - most > begins[earlier] + TOLERANCE / 100:
                begins[earlier], moved = begins[later] - most, True
        if any(b > p.latest + TOLERANCE for b, p in zip(begins, places, strict=True)):
            return None
        if not moved:
            return begins
    return None


def faults(instance: Instance, routes: Sequence[Sequence[int]]) -> list[str]:
    """What is wrong with a solution, in words; nothing if it is feasible."""
    found = []
    if len(routes) > instance.vehicles:
        found.append(f"{len(routes)} routes for {instance.vehicles} vehicles")
    visits = sorted(place for route in routes for place in route)
    if visits != sorted(place for request in instance.requests for place in request):
        found.append("not every place is visited just once")
    for number, route in enumerate(routes):
        position = {place: k for k, place in enumerate(route)}
        for pickup, dropoff in instance.requests:
            if (pickup in position) != (dropoff in position):
                found.append(f"route {number}: request {pickup} is split")
            elif pickup in position and position[pickup] > position[dropoff]:
                found.append(f"route {number}: request {pickup} is delivered before it is picked up")
        if timetable(instance, route) is None:
            found.append(f"route {number}: no timetable keeps windows, ride times, duration and capacity")
    return found
