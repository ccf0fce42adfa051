"""Rebalancing on tiny grids: who is sent where, who stays, and that a solver's mistakes send nobody."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from dispatch import solver
from dispatch.core import events as ev
from dispatch.core import rebalance
from dispatch.core.desk import Desk
from dispatch.core.domain import FixedCall, Policy, Rebalance, Reoptimise, Shift
from dispatch.core.invariants import check
from dispatch.core.reactions import Reactions
from dispatch.core.reoptimise import Assign
from tests.property.towns import live, town_of
from tests.worlds import drive_times, grid, ms, opened, request

WIDTH = 9
RULES = Rebalance(every_s=60, ahead_s=1800, learn_s=1800, reach_s=120, worth_s=900)
TIMES = drive_times(grid(WIDTH, 1))
"""one street of nine corners, a minute from each to the next"""


def zone(
    at: Sequence[int],
    *,
    assign: Assign = solver.min_cost_moves,
    calls: tuple[FixedCall, ...] = (),
    rules: Rebalance | None = RULES,
    divert: bool = True,
) -> tuple[Reactions, list[ev.Event]]:
    """Shuttles that stand at these corners, and what is written."""
    written: list[ev.Event] = []
    react = Reactions(Desk(TIMES), written.append, solver.OR_TOOLS._replace(assign=assign))
    react.record([opened(WIDTH), ev.PolicyChanged(0, Policy(reoptimise=Reoptimise(), rebalance=rules, divert=divert))])
    react.record([
        ev.ShiftOpened(0, Shift(f"v{n}", f"v{n}", node, 0, ms(7200), 4, calls=calls)) for n, node in enumerate(at)
    ])  # fmt: skip
    return react, written


def refuse(react: Reactions, corner: int, riders: int, at_s: float = 10) -> None:
    """So many ask there and are told no."""
    for n in range(riders):
        asked = request(f"{corner}-{at_s}-{n}", corner, (corner + 1) % WIDTH, depart_s=at_s)
        react.record([ev.RequestMade(ms(at_s), asked)])
        react.record(react.desk.refuse(asked.id, ms(at_s), react.desk.quote(asked.id, ms(at_s) + ms(99_999))))


def sent(written: Sequence[ev.Event]) -> list[tuple[str, int]]:
    return [(event.shuttle, event.place) for event in written if isinstance(event, ev.IdleSent)]


def test_every_place_is_near_the_middle_of_its_part() -> None:
    """By road, and no two middles are as near as that to each other."""
    parts = rebalance.parts_of(TIMES, ms(120))
    drive = TIMES.table[0][TIMES.place_nodes]
    assert all(drive[place, parts.centres[part]] <= ms(120) for place, part in enumerate(parts.part))
    assert all(drive[a, b] > ms(120) for a in parts.centres for b in parts.centres if a != b)


def test_a_shuttle_goes_where_riders_were_refused_and_the_nearer_one_goes() -> None:
    """Both stand where nobody asks; one is enough for few riders there."""
    react, written = zone([0, 4])
    refuse(react, 8, riders=1)
    react.tick(ms(60))
    assert sent(written) == [("v1", 8)]


def test_more_riders_bring_more_shuttles() -> None:
    """The second shuttle is worth the chance that two will ask."""
    react, written = zone([0, 4])
    refuse(react, 8, riders=9)
    react.tick(ms(60))
    assert sent(written) == [("v0", 8), ("v1", 8)]


def test_who_stands_there_already_stays_and_counts() -> None:
    """Neither is the one sent away nor another one sent to it."""
    react, written = zone([8, 0])
    refuse(react, 8, riders=1)
    react.tick(ms(60))
    assert not sent(written)


def test_nobody_is_sent_where_none_has_asked_lately() -> None:
    """What was asked for before `learn_s` is forgotten."""
    react, written = zone([0])
    refuse(react, 8, riders=5)
    react.tick(ms(10 + 1801))
    assert not sent(written)


def test_nobody_is_sent_twice_and_none_between_the_times() -> None:
    """Ticks within the same `every_s` move nobody; who is on the way stays on it."""
    react, written = zone([0])
    react.tick(ms(60))
    refuse(react, 8, riders=5, at_s=70)
    react.tick(ms(90))
    assert not sent(written)
    react.tick(ms(120))
    react.tick(ms(180))
    assert sent(written) == [("v0", 8)]


@pytest.mark.parametrize("rules", [None, Rebalance(worth_s=0)])
def test_off_is_off(rules: Rebalance | None) -> None:
    react, written = zone([0], rules=rules)
    refuse(react, 8, riders=9)
    react.tick(ms(600))
    assert not sent(written)


def test_a_break_that_must_begin_soon_keeps_the_shuttle() -> None:
    """8 minutes away and back do not go before a break at 10:00; they do before one at 30:00."""
    for begins, goes in ((600, 0), (1800, 1)):
        react, written = zone([0], calls=(FixedCall("break", ms(begins), ms(begins + 300), ms(300), 0),))
        refuse(react, 8, riders=9)
        react.tick(ms(60))
        assert len(sent(written)) == goes


def test_a_shuttle_with_calls_ahead_stays_where_it_may_not_be_diverted() -> None:
    """On its way it would count as on its way to the call."""
    react, written = zone([0], calls=(FixedCall("break", ms(3600), ms(4200), ms(300), 0),), divert=False)
    refuse(react, 8, riders=9)
    react.tick(ms(60))
    assert not sent(written)


def raises(*_: object) -> list[int]:
    raise RuntimeError("no")


@pytest.mark.parametrize(
    "assign",
    [raises, lambda *_: None, lambda *_: [], lambda *_: [99], lambda *_: [-2], lambda d, *_: [0] * (len(d) + 1)],
)
def test_whatever_the_solver_does_wrong_changes_only_a_counter(assign: Assign) -> None:
    """Raises, finds nothing, names places that are none, or another number of shuttles."""
    react, written = zone([0], assign=assign)
    refuse(react, 8, riders=9)
    before = len(written)
    react.tick(ms(60))
    assert [type(event) for event in written[before:]] == [ev.TimerTicked]
    assert react.unassigned == 1


def test_two_shuttles_for_one_place_are_refused() -> None:
    """One that wants one shuttle gets one."""
    assert rebalance.possible([0, -1], [[5], [5]], [1])
    assert not rebalance.possible([0, 0], [[5], [5]], [1])
    assert not rebalance.possible([0], [[rebalance.NOT_THERE]], [1])


def test_a_rider_on_the_way_is_fetched_at_the_next_corner() -> None:
    """The shuttle gives up the place where it was to wait."""
    react, written = zone([0])
    refuse(react, 8, riders=9)
    react.tick(ms(60))
    react.record([ev.DriveStarted(ms(60), "v0", 0, 8, "rebalance")])
    asked = request("near", 3, 1, depart_s=90)
    react.record([ev.RequestMade(ms(90), asked)])
    react.record(react.desk.accept(react.desk.quote("near", ms(90)).quotes[0], ms(90)))
    assert written[-2:] == [ev.ProgressMade(ms(90), "v0", 1, ms(120), 500_000), written[-1]]
    assert react.desk.world.shuttles["v0"].idle_goal is None


def test_a_closed_way_ends_the_drive() -> None:
    """Who can't get there waits where it is, and can be sent elsewhere."""
    network = grid(WIDTH, 1)
    react, _ = zone([0])
    react.desk.reroute = lambda closed, _: drive_times(network, closed=closed)
    refuse(react, 8, riders=9)
    react.tick(ms(60))
    react.record([ev.DriveStarted(ms(60), "v0", 0, 8, "rebalance")])
    ends = list(zip(network.edge_from.tolist(), network.edge_to.tolist(), strict=True))
    react.change_roads(ev.RoadClosed(ms(90), (ends.index((5, 6)),)), ms(90))
    shuttle = react.desk.world.shuttles["v0"]
    assert (shuttle.heading, shuttle.idle_goal, shuttle.node, shuttle.at) == (-1, None, 1, ms(120))
    assert not react.desk.late


@pytest.mark.parametrize("rough", [False, True])
def test_lived_days_keep_every_invariant_and_come_out_again(rough: bool) -> None:
    """Breaks, depots, closures and breakdowns included; the same town twice gives the same log."""
    moved = 0
    for seed in range(25):
        town = town_of(Random(seed), rough=rough, rebalance=True)
        events, _ = live(town)
        assert not check(events, town.times, town.reroute), seed
        moved += len(sent(events))
        if seed < 5:
            assert live(town)[0] == events
    assert moved > 20
