"""Breaks that drivers take on the day: where nobody is aboard and every promise is kept, and plans go round them."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

from dispatch.core import events as ev
from tests.service.test_changes import judged
from tests.service.test_drivers import go_on_until, manifest, tell
from tests.service.towns import Served, served


async def ask(at_town: Served, driver: str, shift: str, minutes: int, name: str = "b1") -> Any:
    """The answer to a driver who asks for a break."""
    asked = {"id": name, "minutes": minutes}
    return await at_town.call("POST", f"/v1/driver/shifts/{shift}/break", asked, token=driver)


async def stands(at_town: Served, shift: str) -> Any:
    """A shuttle as operators see it."""
    state = await at_town.call("GET", "/v1/operator/state", token=at_town.token("operator"))
    return next(one for one in state.json()["shuttles"] if one["id"] == shift)


def moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_an_idle_driver_has_a_break_at_once(tmp_path: Path) -> None:
    """Asked for twice with one id it is one break; operators see it; rides meanwhile wait or go elsewhere."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            shifts = list(at_town.live.world.shuttles)
            shift = next(name for name in shifts if "@" not in name)
            driver, now = await at_town.driver(shift), at_town.live.moments.told(at_town.live.now)
            first = await ask(at_town, driver, shift, 30)
            assert first.status_code == 200, first.text
            assert moment(first.json()["ready_at"]) - now == dt.timedelta(minutes=30)
            assert (await ask(at_town, driver, shift, 30)).json()["ready_at"] == first.json()["ready_at"]
            assert (await ask(at_town, driver, shift, 20)).json()["code"] == "key_reused"
            for wrong in (4, 61):
                assert (await ask(at_town, driver, shift, wrong, "b2")).status_code == 422
            assert moment((await stands(at_town, shift))["break_until"]) - now == dt.timedelta(minutes=30)
            begun = [e.event for e in at_town.live.ledger.entries if isinstance(e.event, ev.BreakPlanned | ev.CallMade)]
            assert [type(event).__name__ for event in begun] == ["BreakPlanned", "CallMade"]
            assert begun[0].author == f"driver:d-{shift}"  # type: ignore[union-attr]
            token = await at_town.rider()
            for number in range(4):
                ride = await at_town.booked(token, key=f"k{number}", origin=number)
                if at_town.live.world.rides[ride["id"]].shuttle == shift:
                    assert moment(ride["expected_pickup"]) >= now + dt.timedelta(minutes=30)
            judged(at_town)
            await at_town.pass_time(1801)
            assert (await stands(at_town, shift))["break_until"] is None

    asyncio.run(story())


def test_a_break_that_has_begun_is_ended_early(tmp_path: Path) -> None:
    """Its shuttle is ready at once, for everybody to see, and the log tells who ended it; another day replays it."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            shift = next(name for name in at_town.live.world.shuttles if "@" not in name)
            driver, end = await at_town.driver(shift), f"/v1/driver/shifts/{shift}/break/end"
            none = await at_town.call("POST", end, token=driver)
            assert (none.status_code, none.json()["code"]) == (409, "nothing_to_change")
            assert (await ask(at_town, driver, shift, 60)).json()["may_end_break"]
            await at_town.pass_time(300)
            said = (await at_town.call("POST", end, token=driver)).json()
            assert (said["ready_at"], said["may_end_break"]) == (said["now"], False)
            assert (await stands(at_town, shift))["break_until"] is None
            assert (await at_town.call("POST", end, token=driver)).json()["code"] == "nothing_to_change"
            ended = [e.event for e in at_town.live.ledger.entries if isinstance(e.event, ev.BreakEnded)]
            assert [event.author for event in ended] == [f"driver:d-{shift}"]
            assert (await ask(at_town, driver, shift, 20, "b2")).status_code == 200
            judged(at_town)

    asyncio.run(story())


def test_a_break_waits_until_nobody_is_aboard(tmp_path: Path) -> None:
    """It is planned after the ride, stays where it is while rides come and plans are improved, and then begins."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            rider = await at_town.rider()
            ride = await at_town.booked(rider)
            shift = at_town.live.world.rides[ride["id"]].shuttle
            assert shift is not None
            driver = await at_town.driver(shift)
            before = (await ask(at_town, driver, shift, 60, "b0")).json()["stops"]
            assert [stop["fixed"] for stop in before] == [None, None, "break"], (
                "who was promised to be fetched is first"
            )
            await at_town.call("DELETE", f"/v1/driver/shifts/{shift}/break", token=driver)
            stop = (await manifest(at_town, driver, shift))["stops"][0]
            if not stop["here"]:
                await go_on_until(at_town, stop["leave_at"])
                await tell(at_town, driver, shift, {"kind": "departed"})
                await go_on_until(at_town, (await manifest(at_town, driver, shift))["drive"]["arrive_at"])
            await go_on_until(at_town, ride["pickup_from"])
            assert await tell(at_town, driver, shift, {"kind": "boarded", "ride": ride["id"]}) == ["counted"]
            planned = (await ask(at_town, driver, shift, 15)).json()
            assert [(stop["fixed"], stop["asked"]) for stop in planned["stops"]] == [(None, False), ("break", True)]
            assert (await ask(at_town, driver, shift, 15, "b2")).json()["code"] == "break_planned"
            early = await tell(at_town, driver, shift, {"kind": "call"})
            assert early == ["refused"], "somebody is aboard"
            latest = moment(planned["stops"][1]["begin_at"]) + dt.timedelta(minutes=30)
            for number in range(1, 5):
                await at_town.booked(rider, key=f"more{number}", origin=number)
            await at_town.pass_time(31)  # plans are improved
            told = (await manifest(at_town, driver, shift))["stops"]
            breaks = [stop for stop in told if stop["fixed"] == "break"]
            assert len(breaks) == 1
            assert moment(breaks[0]["begin_at"]) <= latest
            assert breaks[0]["aboard_after"] == 0
            gone = await at_town.call("DELETE", f"/v1/driver/shifts/{shift}/break", token=driver)
            assert [stop for stop in gone.json()["stops"] if stop["fixed"] == "break"] == []
            again = await at_town.call("DELETE", f"/v1/driver/shifts/{shift}/break", token=driver)
            assert again.json()["code"] == "nothing_to_change"
            assert (await ask(at_town, driver, shift, 10, "b3")).status_code == 200
            for _ in range(40):
                told = await manifest(at_town, driver, shift)
                stop = told["stops"][0]
                if stop["fixed"] == "break":
                    break
                if told["drive"] is not None:
                    await go_on_until(at_town, told["drive"]["arrive_at"])
                elif not stop["here"]:
                    await go_on_until(at_town, max(stop["leave_at"], told["ready_at"], key=moment))
                    assert await tell(at_town, driver, shift, {"kind": "departed"}) == ["counted"]
                    continue
                await go_on_until(at_town, stop["begin_at"])
                for who in stop["order"]:
                    kind = {"board": "boarded", "alight": "alighted"}[who["does"]]
                    await tell(at_town, driver, shift, {"kind": kind, "ride": who["ride"]})
                    await go_on_until(at_town, (await manifest(at_town, driver, shift))["ready_at"])
            await go_on_until(at_town, stop["begin_at"])
            assert await tell(at_town, driver, shift, {"kind": "call"}) == ["counted"]
            assert (await stands(at_town, shift))["break_until"] is not None
            judged(at_town)

    asyncio.run(story())


def test_no_break_beyond_the_shift(tmp_path: Path) -> None:
    """Where there is no room for it, it is refused, and why."""

    async def story() -> None:
        async with served(tmp_path, at="11:20") as at_town:
            shift = next(n for n, s in at_town.live.world.shuttles.items() if s.shift.end == 12 * 3_600_000)
            driver = await at_town.driver(shift)
            refused = await ask(at_town, driver, shift, 45)
            assert (refused.status_code, refused.json()["code"]) == (409, "no_break_now")
            assert (await ask(at_town, driver, shift, 20)).status_code == 200

    asyncio.run(story())
