"""A driver's round through the API: told late, twice and out of order, each fact counts once."""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
from pathlib import Path
from typing import Any

import pytest

from dispatch.core import events as ev
from dispatch.core import invariants
from tests.service.towns import Served, served, town

numbers = itertools.count()


async def tell(at_town: Served, token: str, shift: str, *events: dict[str, Any]) -> list[str]:
    """Outcomes of events that happen now."""
    now = at_town.live.moments.told(at_town.live.now).isoformat()
    told = [{"id": f"e{next(numbers)}", "at": now, **event} for event in events]
    answer = await at_town.call("POST", f"/v1/driver/shifts/{shift}/events", {"events": told}, token=token)
    assert answer.status_code == 200, answer.text
    return [outcome["outcome"] for outcome in answer.json()["outcomes"]]


async def manifest(at_town: Served, token: str, shift: str) -> Any:
    return (await at_town.call("GET", f"/v1/driver/shifts/{shift}/manifest", token=token)).json()


async def go_on_until(at_town: Served, moment: str) -> None:
    """Let the clock run to a moment that an answer named."""
    left = dt.datetime.fromisoformat(moment) - at_town.live.moments.told(at_town.live.now)
    await at_town.pass_time(max(0.0, left.total_seconds()))


def test_a_round(tmp_path: Path) -> None:
    """Depart, arrive, board, drive, alight; everything told twice."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            rider = await at_town.rider()
            await at_town.call("PUT", "/v1/me", {"name": "Aiko"}, token=rider)
            ride = await at_town.booked(rider)
            shift = at_town.live.world.rides[ride["id"]].shuttle
            assert shift is not None
            driver = await at_town.driver(shift)
            plan = await manifest(at_town, driver, shift)
            stop = plan["stops"][0]
            assert stop["boarding"][0]["name"] == "Aiko"
            assert stop["boarding"][0]["ride"] == ride["id"]
            assert stop["boarding"][0]["not_before"] == ride["pickup_from"]
            assert ride["pickup_to"] < stop["boarding"][0]["arrive_by"] <= ride["arrive_by"]
            legs = (await at_town.call("GET", f"/v1/driver/shifts/{shift}/way", token=driver)).json()["legs"]
            goals = [each["stop"]["id"] for each in plan["stops"][stop["here"] :]]
            assert [leg["to"]["id"] for leg in legs] == goals
            for leg in legs:
                assert leg["line"][-1] == pytest.approx([leg["to"]["lon"], leg["to"]["lat"]], abs=2e-4)
                assert sum(street["length_m"] for street in leg["streets"]) > 100
            assert all(before["line"][-1] == after["line"][0] for before, after in itertools.pairwise(legs))
            await go_on_until(at_town, stop["leave_at"])
            booked = (await at_town.call("GET", f"/v1/rides/{ride['id']}", token=rider)).json()
            assert booked["cancelling"] == "free"
            assert await tell(at_town, driver, shift, {"kind": "departed", "stop": stop["stop"]["id"]}) == ["counted"]
            booked = (await at_town.call("GET", f"/v1/rides/{ride['id']}", token=rider)).json()
            assert booked["cancelling"] == "missed"
            plan = await manifest(at_town, driver, shift)
            assert plan["drive"]["to"]["id"] == stop["stop"]["id"]
            assert len(plan["drive"]["line"]) == len(plan["drive"]["reach_s"]) > 1
            await go_on_until(at_town, plan["drive"]["arrive_at"])
            now = at_town.live.moments.told(at_town.live.now).isoformat()
            arrived = {"id": "arrive", "at": now, "kind": "arrived", "stop": stop["stop"]["id"]}
            path = f"/v1/driver/shifts/{shift}/events"
            first = await at_town.call("POST", path, {"events": [arrived, arrived]}, token=driver)
            again = await at_town.call("POST", path, {"events": [arrived]}, token=driver)
            assert again.json()["outcomes"][0]["outcome"] == "repeated"
            assert first.json()["outcomes"][0]["at"] == again.json()["outcomes"][0]["at"]
            arrivals = [e for e in at_town.live.ledger.entries if isinstance(e.event, ev.StopArrived)]
            assert len(arrivals) == 1
            await go_on_until(at_town, ride["pickup_from"])
            wrong = {"kind": "boarded", "ride": ride["id"], "code": f"{(int(ride['code']) + 1) % 10_000:04}"}
            assert await tell(at_town, driver, shift, wrong) == ["refused"]
            right = {"kind": "boarded", "ride": ride["id"], "code": ride["code"]}
            assert await tell(at_town, driver, shift, right) == ["counted"]
            assert await tell(at_town, driver, shift, right) == ["refused"]
            plan = await manifest(at_town, driver, shift)
            await go_on_until(at_town, plan["ready_at"])
            goal = plan["stops"][0]["stop"]["id"]
            assert await tell(at_town, driver, shift, {"kind": "departed", "stop": goal}) == ["counted"]
            plan = await manifest(at_town, driver, shift)
            await go_on_until(at_town, plan["drive"]["arrive_at"])
            # the arrival is lost: alighting implies it
            assert await tell(at_town, driver, shift, {"kind": "alighted", "ride": ride["id"]}) == ["counted"]
            late = await tell(at_town, driver, shift, {"kind": "arrived", "stop": goal})
            assert late == ["refused"]
            told = (await at_town.call("GET", f"/v1/rides/{ride['id']}", token=rider)).json()
            assert told["state"] == "delivered"
            assert (told["stars"], told["cancelling"]) == (None, None)
            rated = await at_town.call("PUT", f"/v1/rides/{ride['id']}/rating", {"stars": 5}, token=rider)
            assert rated.status_code == 200
            assert (await at_town.call("GET", f"/v1/rides/{ride['id']}", token=rider)).json()["stars"] == 5
            plan = await manifest(at_town, driver, shift)
            assert "Aiko" not in str(plan)
            assert invariants.check([e.event for e in at_town.live.ledger.entries], town()[2]) == []

    asyncio.run(story())


def test_a_rider_who_is_not_there(tmp_path: Path) -> None:
    """Awaited for the policy's grace, then a no-show; three of them and booking is closed for a while."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            rider = await at_town.rider()
            for n in range(3):
                ride = await at_town.booked(rider, key=f"k{n}")
                shift = at_town.live.world.rides[ride["id"]].shuttle
                assert shift is not None
                driver = await at_town.driver(shift)
                stop = (await manifest(at_town, driver, shift))["stops"][0]
                if not stop["here"]:
                    await go_on_until(at_town, stop["leave_at"])
                    await tell(at_town, driver, shift, {"kind": "departed"})
                    drive = (await manifest(at_town, driver, shift))["drive"]
                    await go_on_until(at_town, drive["arrive_at"])
                    await tell(at_town, driver, shift, {"kind": "arrived", "stop": stop["stop"]["id"]})
                await go_on_until(at_town, ride["pickup_from"])
                gone = {"kind": "not_there", "ride": ride["id"]}
                assert await tell(at_town, driver, shift, gone) == ["counted"]
                assert at_town.live.world.rides[ride["id"]].state == "booked"
                plan = await manifest(at_town, driver, shift)
                await go_on_until(at_town, plan["stops"][0]["boarding"][0]["awaited_until"])
                assert await tell(at_town, driver, shift, gone) == ["counted"]
                assert at_town.live.world.rides[ride["id"]].state == "no_show"
            again = await at_town.call("POST", "/v1/quotes", at_town.journey(), token=rider)
            assert again.json()["code"] == "suspended"
            assert invariants.check([e.event for e in at_town.live.ledger.entries], town()[2]) == []

    asyncio.run(story())


def test_each_of_two_missing_riders_is_awaited(tmp_path: Path) -> None:
    """That the shuttle has waited for one is no evidence against the other; both may be waited for at once."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            grace = at_town.live.world.policy.no_show_grace_s
            phones = [f"+674 555 000{n}" for n in range(3)]
            rides = [await at_town.booked(await at_town.rider(phone), key=f"k{phone[-1]}") for phone in phones]
            shift = at_town.live.world.rides[rides[0]["id"]].shuttle
            assert shift is not None
            for ride in rides:
                path, why = f"/v1/operator/rides/{ride['id']}", {"reason": "together"}
                if at_town.live.world.rides[ride["id"]].shuttle != shift:
                    to = {**why, "shuttle": shift}
                    await at_town.call("POST", f"{path}/assign", to, token=at_town.token("operator"))
                locked = await at_town.call("POST", f"{path}/lock", why, token=at_town.token("operator"))
                assert locked.json()["ride"]["shuttle"] == shift
            driver = await at_town.driver(shift)
            stop = (await manifest(at_town, driver, shift))["stops"][0]
            if not stop["here"]:
                await go_on_until(at_town, stop["leave_at"])
                await tell(at_town, driver, shift, {"kind": "departed"})
                await go_on_until(at_town, (await manifest(at_town, driver, shift))["drive"]["arrive_at"])
                await tell(at_town, driver, shift, {"kind": "arrived", "stop": stop["stop"]["id"]})
            await go_on_until(at_town, max(ride["pickup_from"] for ride in rides))

            async def gone(ride: dict[str, Any]) -> str:
                told = await tell(at_town, driver, shift, {"kind": "not_there", "ride": ride["id"]})
                assert told == ["counted"]
                return at_town.live.world.rides[ride["id"]].state

            first, second, third = rides
            assert await gone(first) == "booked"
            await at_town.pass_time(grace + 1)
            assert await gone(second) == "booked", "nobody has waited for them yet"
            assert await gone(first) == "no_show"
            await at_town.pass_time(20)
            assert await gone(third) == "booked"
            boarding = (await manifest(at_town, driver, shift))["stops"][0]["boarding"]
            awaited = {one["ride"]: dt.datetime.fromisoformat(one["awaited_until"]) for one in boarding}
            assert awaited[third["id"]] - awaited[second["id"]] == dt.timedelta(seconds=20)
            await at_town.pass_time(grace - 19)
            assert [await gone(second), await gone(third)] == ["no_show", "booked"]
            await at_town.pass_time(20)
            assert await gone(third) == "no_show"
            assert invariants.check([e.event for e in at_town.live.ledger.entries], town()[2]) == []

    asyncio.run(story())


def test_a_breakdown_finds_the_riders_another_shuttle(tmp_path: Path) -> None:
    """And another driver's shift is nobody else's."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            rider = await at_town.rider()
            ride = await at_town.booked(rider)
            shift = at_town.live.world.rides[ride["id"]].shuttle
            assert shift is not None
            driver = await at_town.driver(shift)
            broken = await at_town.call(
                "POST", f"/v1/driver/shifts/{shift}/trouble", {"kind": "breakdown"}, token=driver
            )
            assert broken.json()["shift"]["state"] == "broken"
            moved = at_town.live.world.rides[ride["id"]]
            assert moved.state == "booked"
            assert moved.shuttle not in (None, shift)
            alerts = (await at_town.call("GET", "/v1/operator/alerts", token=at_town.token("planner"))).json()
            assert {alert["kind"] for alert in alerts} >= {"broken", "trouble"}
            assert await tell(at_town, driver, shift, {"kind": "departed"}) == ["refused"]
        async with served(tmp_path) as at_town:  # the alerts are there after a restart too
            again = (await at_town.call("GET", "/v1/operator/alerts", token=at_town.token("planner"))).json()
            assert [a for a in again if a["kind"] == "trouble"] == [a for a in alerts if a["kind"] == "trouble"] != []

    asyncio.run(story())


def test_positions_may_come_late_twice_and_in_any_order(tmp_path: Path) -> None:
    """The newest one counts; one from the future does not."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            shift = next(iter(at_town.live.world.shuttles))
            driver = await at_town.driver(shift)
            told, now = at_town.live.moments.told, at_town.live.now
            stops = at_town.live.area.stops
            fixes = [{"at": told(now - ago).isoformat(), "lat": stops[n].lat, "lon": stops[n].lon}
                     for n, ago in enumerate((9_000, 1_000, 5_000))]  # fmt: skip
            path = f"/v1/driver/shifts/{shift}/positions"
            for batch in (fixes, fixes[:1], fixes[2:]):
                assert (await at_town.call("POST", path, {"positions": batch}, token=driver)).status_code == 202
            assert at_town.live.heard[shift].lat == stops[1].lat
            future = [{"at": told(now + 3_600_000).isoformat(), "lat": 0, "lon": 0}]
            answer = await at_town.call("POST", path, {"positions": future}, token=driver)
            assert answer.json()["code"] == "clock_wrong"

    asyncio.run(story())
