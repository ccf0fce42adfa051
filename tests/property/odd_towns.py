"""Random small towns with all that real ones have at once: rules at their ends, rush hours, new rules, operators."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any

from msgspec import structs

from dispatch.core import events as ev
from dispatch.core import operating
from dispatch.core.breaks import drop_break, end_break, plan_break
from dispatch.core.changes import change
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy, Queue, Reoptimise, RideRequest, Selective, Weights
from simulator.clock import CHANGE
from simulator.riders import Range, Retries
from simulator.run import Simulation
from tests.property.towns import ALL_DAY, Look, Speeds, Town, live, town_of
from tests.worlds import ms


def live_oddly(seed: int, look: Look | None = None) -> tuple[Town, list[ev.AnyEvent], Desk]:
    """An odd town, the log of its day, and the desk at its end."""
    r = Random(seed)
    town = odd_town(r)
    acts = tuple((ms(r.randint(30, 3000)), r.randrange(10**9)) for _ in range(r.choice((0, 6, 12))))
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
    """A day on which operators and drivers act, at random: what cannot be done is not."""

    def __init__(self, *args: Any, acts: tuple[tuple[int, int], ...]) -> None:
        super().__init__(*args)
        for at, seed in acts:
            self._agenda.add(at, CHANGE, Random(seed))

    def _step(self, now: int, kind: int, what: object) -> None:
        if not isinstance(what, Random):
            super()._step(now, kind, what)
            return
        with suppress(ValueError):
            self._act(what, now)
        self._react.settle(now)

    def _call(self, now: int, request: RideRequest) -> None:
        """Who asks is offered open stop points only, as by the service."""
        closed = self.desk.world.closed_places
        origins = tuple(access for access in request.origins if access.place not in closed)
        goals = tuple(access for access in request.destinations if access.place not in closed)
        if origins and goals:
            super()._call(now, structs.replace(request, origins=origins, destinations=goals))

    def _act(self, r: Random, now: int) -> None:
        """What somebody could press now, on any ride, shuttle or stop point there is."""
        world, react, desk = self.desk.world, self._react, self.desk
        ride = world.rides[r.choice(sorted(world.rides))] if world.rides else None
        shuttle = world.shuttles[r.choice(sorted(world.shuttles))]
        name, place = shuttle.shift.id, r.randrange(len(desk.times.place_nodes))
        match r.choice(ACTS):
            case "assign" if ride is not None:
                self._take(ev.ActTaken(now, "assign", "op", "", ride.request.id, name))
            case "move" if ride is not None:
                self._take(ev.ActTaken(now, "assign", "op", "", ride.request.id))
            case "cancel" if ride is not None and ride.state in ("queued", "booked"):
                self._take(ev.ActTaken(now, "cancel", "op", "", ride.request.id))
            case "lock" if ride is not None and ride.state in ("booked", "stranded"):
                self._take(ev.ActTaken(now, "unlock" if ride.locked else "lock", "op", "", ride.request.id))
            case "change" if ride is not None:
                later = max(ride.request.depart_after, now) + ms(r.choice((0, 300)))
                wish = structs.replace(
                    ride.request, id=f"{ride.request.id}c{now}", depart_after=later, latest_pickup=None,
                    latest_dropoff=None, arrive_by=None,
                )  # fmt: skip
                change(react, ev.RequestMade(now, wish, ride.request.id), now)
            case "withdraw" if shuttle.state == "on":
                react.record([ev.ActTaken(now, "withdraw", "op", "", None, name)])
                react.break_down(name, now)
            case "close_shift" if shuttle.state == "on" and not shuttle.aboard:
                if all(world.ride_of(code) is None for code in shuttle.plan.visits):
                    self._take(ev.ActTaken(now, "close_shift", "op", "", None, name))
            case "pause":
                self._take(ev.ActTaken(now, "resume" if world.paused else "pause", "op"))
            case "stop":
                self._stop(place, now)
            case "break" if shuttle.state == "on":
                act = r.choice((plan_break, plan_break, end_break, drop_break))
                length = (ms(r.choice((300, 900))),) if act is plan_break else ()
                react.record(act(desk, name, *length, now, "driver"))  # type: ignore[operator]

    def _take(self, act: ev.ActTaken) -> None:
        self._react.record([act, *operating.follow(self.desk, act, act.at)])

    def _stop(self, place: int, now: int) -> None:
        """A stop point is closed, and who is booked there is told; or it is opened again."""
        world = self.desk.world
        if place in world.closed_places:
            self._take(ev.ActTaken(now, "open_stop", "op", place=place))
            return
        closed = ev.ActTaken(now, "close_stop", "op", place=place)
        self._react.record([closed])
        self._react.record(operating.follow(self.desk, closed, now))
        for ride in list(world.rides.values()):
            if ride.state == "booked" and place in (ride.pickup, ride.dropoff) and ride.late_dropoff is None:
                self._take(ev.ActTaken(now, "tell", "op", "", ride.request.id))


ACTS = ("assign", "move", "cancel", "lock", "change", "withdraw", "close_shift", "pause", "stop", "break", "break")
