"""Who follows the log: every line in order, each stream woken by what it is about, over the turn of the day."""

from __future__ import annotations

import asyncio

from dispatch.core import events as ev
from dispatch.service.ledger import Entry, Ledger
from tests.worlds import request

NOW = 0.01
"""seconds: what has come has come"""


def lines(ledger: Ledger, *events: ev.AnyEvent, day: str = "2026-03-03") -> None:
    first = ledger.seq + 1 if ledger.day == day else 1
    for seq, event in enumerate(events, first):
        ledger.add(Entry(day, seq, event))


def test_a_viewer_of_the_log_gets_every_line_once_and_in_order() -> None:
    """Also those of the day before that it had not read when the day turned; and hears of the end."""

    async def story() -> None:
        ledger = Ledger()
        lines(ledger, ev.TimerTicked(0))
        viewer = ledger.watch()
        assert await viewer.next(NOW) == []
        lines(ledger, ev.TimerTicked(1), ev.TimerTicked(2))
        lines(ledger, ev.TimerTicked(0), day="2026-03-04")
        got = await viewer.next(NOW)
        assert got is not None
        assert [entry.id for entry in got] == ["2026-03-03:2", "2026-03-03:3", "2026-03-04:1"]
        assert await viewer.next(NOW) == []
        lines(ledger, ev.TimerTicked(5), day="2026-03-04")
        assert [entry.seq for entry in await viewer.next(NOW) or ()] == [2]
        ledger.close()
        assert await viewer.next(NOW) is None
        assert await ledger.watch().next(NOW) is None
        ledger.leave(viewer)

    asyncio.run(story())


def test_a_stream_is_woken_by_what_it_is_about() -> None:
    """Its ride, its shuttle, also through a change of plans or a ride on it that is cancelled; and by closed roads."""

    async def story() -> None:
        ledger = Ledger()
        mine, theirs, driver = ledger.watch("mine"), ledger.watch("theirs", "A"), ledger.watch("B")
        about_all = ev.RoadClosed(9, (1,))

        async def woken(*events: ev.AnyEvent) -> str:
            lines(ledger, *events)
            found = [await viewer.next(NOW) for viewer in (mine, theirs, driver)]
            return "".join(name for name, entries in zip("mtd", found, strict=True) if entries)

        assert await woken(ev.RequestMade(0, request("mine", 1, 2))) == "m"
        assert await woken(ev.RequestMade(1, request("other", 1, 2))) == ""
        assert await woken(ev.DriveStarted(2, "A", 0, 1, "")) == "t"
        assert await woken(ev.PlansChanged(3, {"A": (0, 1), "B": ()}, "better")) == "td"
        assert await woken(ev.RideCancelled(4, "mine")) == "mt"  # it was on A since the plans changed
        assert await woken(about_all) == "mtd"
        ledger.attend(theirs, "theirs", "B")
        assert await woken(ev.DriveStarted(10, "A", 0, 1, "")) == ""
        assert await woken(ev.DriveStarted(11, "B", 0, 1, "")) == "td"
        assert ledger.viewers == 3
        for viewer in (mine, theirs, driver):
            ledger.leave(viewer)
        assert ledger.viewers == 0

    asyncio.run(story())
