"""Random small towns with all that real ones have at once: rules at their ends, rush hours, new rules, operators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from msgspec import structs

from dispatch.core import events as ev
from dispatch.core import operating
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy, Queue, Reoptimise, Selective, Weights
from dispatch.core.world import World
from simulator.clock import CHANGE
from simulator.riders import Range, Retries
from simulator.run import Simulation
from tests.property.towns import ALL_DAY, Look, Speeds, Town, live, town_of
from tests.worlds import ms


def live_oddly(seed: int, look: Look | None = None) -> tuple[Town, list[ev.AnyEvent], Desk]:
    """An odd town, the log of its day, and the desk at its end."""
    r = Random(seed)
    town = odd_town(r)
    acts = tuple((ms(r.randint(30, 3000)), r.randrange(10**9)) for _ in range(r.choice((0, 0, 6))))
    return town, *live(town, look, partial(Operated, acts=acts))


def odd_town(r: Random) -> Town:
    """What `town_of` makes, with other rules, and perhaps speeds by time of day, calls again, rules that change."""
    town = town_of(r, rough=r.random() < 0.5, rebalance=r.random() < 0.3)
    policy = _rules(r, town.day.policy)
    speeds = ALL_DAY
    if r.random() < 0.4:
        slices = r.choice((2, 3))
        factors = [1.0, *(r.choice((0.6, 0.8, 1.3, 2.0)) for _ in range(slices - 1))]
        speeds = Speeds(tuple(factors), tuple(r.randrange(slices) for _ in range(r.randint(2, 8))))
    day = structs.replace(town.day, policy=policy)
    if r.random() < 0.3:
        day = structs.replace(day, riders=structs.replace(day.riders, retries=Retries(3, Range(30, 200), 1200, 0.9)))
    if r.random() < 0.3:
        other = structs.replace(
            policy, name="other", version=2, max_wait_s=600, weights=Weights(), wait_aboard_s=r.choice((0, 30, 300)),
            dwell_stop_s=r.choice((policy.dwell_stop_s, 20.0)), divert=r.random() < 0.5,
        )  # fmt: skip
        day = structs.replace(day, rules=(ev.PolicyChanged(ms(r.randint(60, 2500)), other),))
    town = replace(town, day=day, speeds=speeds)
    return replace(town, times=town.reroute(frozenset(), 1.0))


def _rules(r: Random, policy: Policy) -> Policy:
    return structs.replace(
        policy,
        early_s=r.choice((0, 60, 300)),
        stop_choices=r.choice((1, 4)),
        walk_m=r.choice((0.0, 800.0)),
        quotes=r.choice((1, 2, 3)),
        later_s=r.choice((0, 0, 900, 2400)),
        promise_window_s=r.choice((None, 0, 120, 600)),
        weights=Weights(
            r.choice((1.0, 0.0, 1.0)), r.choice((0.8, 0.0, 3.0)), r.choice((150.0, 0.0, 600.0)),
            r.choice((None, None, 0.0, 600.0)),
        ),
        reoptimise=r.choice((None, Reoptimise(30, 20), Reoptimise(30, 60, choose=True, polish=2), Reoptimise(120, 5))),
        selective=r.choice((None, None, None, Selective(1.5, 600))),
        horizon_s=r.choice((7 * 86_400, 1200)),
        no_show_grace_s=r.choice((0, 30, 120)),
        queue=r.choice((None, Queue(600), Queue(0))),
        dwell_stop_s=r.choice((0.0, 10.0, 37.3)),
        dwell_rider_s=r.choice((0.0, 2.5)),
    )  # fmt: skip


class Operated(Simulation):
    """A day on which operators act, at random: what cannot be done is not."""

    def __init__(self, *args: Any, acts: tuple[tuple[int, int], ...]) -> None:
        super().__init__(*args)
        for at, seed in acts:
            self._agenda.add(at, CHANGE, Random(seed))

    def _step(self, now: int, kind: int, what: object) -> None:
        if not isinstance(what, Random):
            super()._step(now, kind, what)
            return
        for act in _act(what, self.desk.world, now):
            try:
                follows = operating.follow(self.desk, act, now)
            except ValueError:
                continue
            self._react.record([act, *follows])
        self._react.tick(now)
        self._react.settle(now)


def _act(r: Random, world: World, now: int) -> Iterator[ev.ActTaken]:
    """What an operator could press now, on any ride or shuttle there is."""
    ride = world.rides[r.choice(sorted(world.rides))] if world.rides else None
    shuttle = world.shuttles[r.choice(sorted(world.shuttles))]
    match r.choice(("assign", "move", "cancel", "lock", "withdraw", "close_shift", "pause")):
        case "assign" if ride is not None:
            yield ev.ActTaken(now, "assign", "op", "", ride.request.id, shuttle.shift.id)
        case "move" if ride is not None:
            yield ev.ActTaken(now, "assign", "op", "", ride.request.id)
        case "cancel" if ride is not None and ride.state in ("queued", "booked"):
            yield ev.ActTaken(now, "cancel", "op", "", ride.request.id)
        case "lock" if ride is not None and ride.state in ("booked", "stranded"):
            yield ev.ActTaken(now, "unlock" if ride.locked else "lock", "op", "", ride.request.id)
        case "withdraw" if shuttle.state == "on":
            yield ev.ActTaken(now, "withdraw", "op", "", None, shuttle.shift.id)
        case "close_shift" if shuttle.state == "on" and not shuttle.aboard:
            if all(world.ride_of(code) is None for code in shuttle.plan.visits):
                yield ev.ActTaken(now, "close_shift", "op", "", None, shuttle.shift.id)
        case "pause":
            yield ev.ActTaken(now, "resume" if world.paused else "pause", "op")
        case _:
            return
