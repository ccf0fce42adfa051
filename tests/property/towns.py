"""Random small towns, and their days lived by the real desk in the real simulator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st

from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import Access, FixedCall, Policy, Queue, Rebalance, Reoptimise, RideRequest, Shift
from dispatch.core.reactions import Write
from routing.network import RoadNetwork
from routing.travel_times import DriveTimes
from simulator.disturbances import Breakdown, Closure, Disturbances, SpeedChange
from simulator.riders import Range, Riders
from simulator.run import Day, Simulation
from tests.worlds import drive_times, grid, ms, opened

ENDLESS = 5_000
"""events that no day of so few riders has"""


class Speeds(NamedTuple):
    """Of a day: what drives take, against the map, in each slice, and the slice of each quarter hour."""

    factors: tuple[float, ...]
    slices: tuple[int, ...]


ALL_DAY = Speeds((1.0,), (0,))


@dataclass(frozen=True)
class Town:
    """A network and the day to be lived on it."""

    network: RoadNetwork
    times: DriveTimes
    day: Day
    speeds: Speeds = ALL_DAY

    def reroute(self, closed: frozenset[int], factor: float) -> DriveTimes:
        """Driving times with these edges closed and all drives lengthened."""
        slices = [drive_times(self.network, closed=closed, factor=factor * slow) for slow in self.speeds.factors]
        return replace(
            slices[0],
            table=np.concatenate([times.table for times in slices]),
            edge_ms=np.concatenate([times.edge_ms for times in slices]),
            slices=np.array(self.speeds.slices, np.int64),
        )


@st.composite
def towns(draw: st.DrawFn, *, rough: bool = False) -> Town:
    """A town of 3 × 3 to 6 × 6 corners, 1 to 4 shuttles, up to 25 riders; `rough`: with all that can go wrong."""
    return town_of(draw(st.randoms(use_true_random=False)), rough=rough, rebalance=draw(st.booleans()))


def town_of(r: Random, *, rough: bool, rebalance: bool = False) -> Town:
    """The town that these random numbers make; `rebalance`: its idle shuttles are sent about, and often."""
    width, height = r.randint(3, 6), r.randint(3, 6)
    plain = grid(width, height)
    ends = zip(plain.edge_from.tolist(), plain.edge_to.tolist(), strict=True)
    network = grid(width, height, {end: r.choice((20, 45, 60, 61, 90)) for end in ends})
    times = drive_times(network)
    count = network.nodes
    policy = Policy(
        max_wait_s=r.choice((300, 900)),
        journey_factor=r.choice((1.2, 2.0)),
        journey_extra_s=r.choice((300, 900)),
        max_ride_factor=r.choice((None, 1.3)),
        max_ride_extra_s=60,
        promise_window_s=r.choice((None, 300)),
        dwell_stop_s=r.choice((0.0, 10.0)),
        dwell_rider_s=r.choice((0.0, 2.5)),
        wait_aboard_s=r.choice((0, 60, 300)),
        later_s=r.choice((0, 900)),
        quotes=r.choice((1, 3)),
        divert=r.random() < 0.7,
        no_show_grace_s=r.choice((30, 120)),
        reoptimise=r.choice((None, Reoptimise(30, 20))),
        queue=r.choice((None, Queue(600))),
        rebalance=Rebalance(60, 1800, 1800, 90, 900) if rebalance else None,
    )
    shifts = tuple(_shift(r, n, count) for n in range(r.randint(1, 4)))
    made_at, requests = 0, []
    for n in range(r.randint(1, 25)):
        made_at += ms(r.choice((0, 1, 20, 60, 200)))
        requests.append((made_at, _request(r, n, made_at, count, times)))
    riders = Riders(cancel_share=r.choice((0, 0.2)), decline_share=r.choice((0, 0.1)))
    trouble = Disturbances()
    if rough:
        riders = Riders(
            cancel_share=r.choice((0, 0.2)), no_show_share=r.choice((0, 0.2)), late_share=r.choice((0, 0.5)),
            late_s=Range(10, 200),
        )  # fmt: skip
        trouble = _trouble(r, network, shifts)
    day = Day(opened(count), policy, shifts, tuple(requests), riders, trouble, seed=r.randrange(1000))
    return Town(network, times, day)


def _shift(r: Random, n: int, nodes: int) -> Shift:
    start = ms(r.choice((0, 0, 600)))
    end = start + ms(r.choice((3600, 20_000)))
    calls = []
    if r.random() < 0.3:
        earliest = start + ms(r.randint(300, 1500))
        calls.append(FixedCall("break", earliest, earliest + ms(900), ms(300)))
    if r.random() < 0.2:
        earliest = start + ms(r.randint(2500, 2800))
        calls.append(FixedCall("timetable", earliest, earliest + ms(120), ms(20), r.randrange(nodes)))
    if r.random() < 0.2:
        calls.append(FixedCall("depot", 0, end, 0, r.randrange(nodes)))
    return Shift(
        f"s{n}", f"v{n}", r.randrange(nodes), start, end, seats=r.randint(1, 6), wheelchairs=r.randint(0, 1),
        calls=tuple(calls),
    )  # fmt: skip


def _request(r: Random, n: int, made_at: int, nodes: int, times: DriveTimes) -> RideRequest:
    origin, destination = r.sample(range(nodes), 2)
    direct = int(times.table[0, origin, destination])
    depart = made_at + (ms(r.randint(300, 1800)) if r.random() < 0.25 else 0)
    arrive_by = depart + direct + ms(r.randint(300, 1800)) if r.random() < 0.2 else None
    wait = ms(r.randint(60, 900))
    origins = [origin]
    if r.random() < 0.3:
        origins.append(r.choice([node for node in range(nodes) if node not in (origin, destination)]))
    return RideRequest(
        id=f"r{n}",
        origins=tuple(Access(place, ms(60 * k)) for k, place in enumerate(origins)),
        destinations=(Access(destination, ms(r.choice((0, 30)))),),
        direct=direct,
        direct_mm=0,
        depart_after=depart,
        arrive_by=arrive_by,
        latest_pickup=depart + wait if r.random() < 0.5 and arrive_by is None else None,
        latest_dropoff=depart + wait + round(direct * 1.5) if r.random() < 0.5 and arrive_by is None else None,
        max_ride=direct + ms(r.randint(0, 300)) if r.random() < 0.5 else None,
        seats=r.choice((1, 1, 1, 2, 3)),
        wheelchairs=int(r.random() < 0.15),
    )


def _trouble(r: Random, network: RoadNetwork, shifts: tuple[Shift, ...]) -> Disturbances:
    speeds, closures, breakdowns = [], [], []
    if r.random() < 0.4:
        speeds = [SpeedChange(ms(r.randint(60, 2000)), r.choice((0.8, 1.3, 2.0)))]
    if r.random() < 0.6:
        at = ms(r.randint(60, 2000))
        edges = tuple(sorted(r.sample(range(network.edges), 3)))
        closures = [Closure(at, at + ms(900) if r.random() < 0.5 else None, edges)]
    if r.random() < 0.5:
        shift = r.choice(shifts)
        breakdowns = [Breakdown(shift.start + ms(r.randint(60, 2000)), shift.id)]
    return Disturbances(r.choice((0.0, 0.3)), tuple(speeds), tuple(closures), tuple(breakdowns))


Look = Callable[[Desk, ev.AnyEvent], None]
"""called after each event, when the desk has folded it in"""
Lived = Callable[[Day, Desk, Write], Simulation]


def live(town: Town, look: Look | None = None, lived: Lived = Simulation) -> tuple[list[ev.AnyEvent], Desk]:
    """The log of the town's day, and the desk at its end. `lived`: how it is."""

    events: list[ev.AnyEvent] = []
    desk = Desk(town.times, reroute=town.reroute)

    def write(event: ev.Event) -> None:
        events.append(event)  # type: ignore[arg-type]
        if len(events) > ENDLESS:
            raise AssertionError(f"the day does not end: {events[-5:]}")
        if look is not None:
            look(desk, event)  # type: ignore[arg-type]

    lived(town.day, desk, write).run()
    return events, desk
