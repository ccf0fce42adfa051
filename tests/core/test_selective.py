"""Selective acceptance: who takes too much of the shuttles' time at a busy hour is told so; nobody at a quiet one."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from dispatch.core import events as ev
from dispatch.core import selective
from dispatch.core.desk import Answer, Desk
from dispatch.core.domain import Policy, Queue, Selective, Shift
from dispatch.core.invariants import check
from dispatch.core.receipt import in_words
from tests.property.towns import live, town_of
from tests.worlds import drive_times, grid, ms, opened, request

WIDTH = 9
TIMES = drive_times(grid(WIDTH, 1))
"""one street of nine corners, a minute from each to the next"""
RULES = Selective(factor=2, learn_s=600)


def town(rules: Selective | None, riders: int) -> Desk:
    """One shuttle at the street's end; so many riders have asked lately, and were refused."""
    desk = Desk(TIMES)
    desk.apply(opened(WIDTH))
    desk.apply(ev.PolicyChanged(0, Policy(selective=rules, queue=Queue())))
    desk.apply(ev.ShiftOpened(0, Shift("v", "v", 0, 0, ms(7200), 4)))
    desk.apply(ev.ShiftOpened(0, Shift("later", "later", 0, ms(3600), ms(7200), 4)))
    for n in range(riders):
        desk.apply(ev.RequestMade(0, request(f"x{n}", 0, 1)))
        desk.apply(ev.QuoteDeclined(0, f"x{n}"))
    return desk


def ask(desk: Desk, origin: int, destination: int, at_s: float = 100, seats: int = 1) -> Answer:
    asked = request("r", origin, destination, depart_s=at_s, direct_s=60 * abs(destination - origin), seats=seats)
    desk.apply(ev.RequestMade(ms(at_s), asked))
    return desk.quote("r", ms(at_s))


def test_the_far_one_is_refused_at_a_busy_hour_and_the_receipt_says_why() -> None:
    """8 minutes of driving, the bonus for waking an idle shuttle taken off, where there is less than one for each."""
    desk = town(RULES, riders=10)
    answer = ask(desk, 0, 8)
    assert (answer.quotes, answer.later, answer.receipt.binding) == ((), (), "out_of_the_way")
    assert desk.refuse("r", ms(100), answer) == [ev.RideRefused(ms(100), "r", answer.receipt)]
    words = in_words(answer.receipt)
    assert "busy hour: a rule of the service" in words
    assert "taken 6 minutes" in words
    assert "no more than 2 are" in words


@pytest.mark.parametrize(
    ("rules", "riders", "destination", "seats"),
    [(None, 10, 8, 1), (RULES, 0, 8, 1), (RULES, 10, 2, 1), (RULES, 10, 8, 4)],
    ids=["off", "quiet hour", "near", "four share it"],
)
def test_others_are_carried(rules: Selective | None, riders: int, destination: int, seats: int) -> None:
    """Off by default; a quiet hour; a short way; a party shares what it takes."""
    assert ask(town(rules, riders), 0, destination, seats=seats).quotes


def test_whole_days_keep_every_invariant() -> None:
    """And some riders are refused for it."""
    refused = 0
    for seed in range(12):
        plain = town_of(Random(seed), rough=seed % 2 == 1)
        policy = msgspec.structs.replace(plain.day.policy, selective=Selective(0.5, 1800))
        chosen = type(plain)(plain.network, plain.times, msgspec.structs.replace(plain.day, policy=policy))
        events, _ = live(chosen)
        assert not check(events, plain.times, plain.reroute), seed
        refused += sum(isinstance(e, ev.RideRefused) and e.receipt.binding == selective.BINDING for e in events)
    assert refused > 5
