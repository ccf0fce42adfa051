"""A place that is given back goes to the next in the queue at the next tick, half a minute later at most."""

from __future__ import annotations

from dispatch import solver
from dispatch.core import events as ev
from dispatch.core.desk import Desk
from dispatch.core.domain import Policy, Queue, Reoptimise, Shift
from dispatch.core.reactions import Reactions, answer
from tests.worlds import drive_times, grid, ms, opened, request


def test_a_cancelled_place_goes_to_who_waited_first() -> None:
    """One place on one shuttle; two wait for it. Nobody is booked before it is free, and then the first one is."""
    written: list[ev.Event] = []
    react = Reactions(Desk(drive_times(grid(9, 1))), written.append, solver.OR_TOOLS)
    policy = Policy(max_wait_s=300, journey_extra_s=300, reoptimise=Reoptimise(30, 20), queue=Queue(1800))
    react.record([opened(9), ev.PolicyChanged(0, policy), ev.ShiftOpened(0, Shift("v", "v", 0, 0, ms(7200), 1))])
    for n, name in enumerate(("has it", "first", "second")):
        asked = request(name, 1, 8, depart_s=n, direct_s=420)
        react.record([ev.RequestMade(ms(n), asked)])
        react.record(answer(react.desk, asked, ms(n), lambda *_: 0))
    states = {name: ride.state for name, ride in react.desk.world.rides.items()}
    assert states == {"has it": "booked", "first": "queued", "second": "queued"}
    assert react.tick(ms(30)) == []
    react.cancel("has it", ms(40))
    assert react.tick(ms(60)) == ["first"]
    assert [(e.request, e.at) for e in written if isinstance(e, ev.RideBooked)] == [("has it", 0), ("first", ms(60))]
