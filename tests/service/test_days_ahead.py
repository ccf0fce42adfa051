"""Days to come: booked today, taken over when the day turns; recurring rides, each made once, whatever happens."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

from dispatch.core import events as ev
from dispatch.core import invariants, kpi
from dispatch.core.carry import day_of
from dispatch.service.service_days import Calendar
from tests.service.test_changes import judged, states
from tests.service.towns import Served, local, served, town

DAY = 86_400


async def turn_the_day(at_town: Served) -> None:
    """Let the clock run to just after four in the next night."""
    left = at_town.live.moments.on_date(dt.date.fromisoformat(at_town.live.dispatcher.day), 28 * 3_600_000)
    day = at_town.live.dispatcher.day
    await at_town.pass_time((left - at_town.live.now) / 1000 + 1)
    for _ in range(100):
        await at_town.pass_time(30)
        if at_town.live.dispatcher.day != day and at_town.live.ledger.day == at_town.live.dispatcher.day:
            return
    raise AssertionError("the day does not turn")


def log_of(at_town: Served) -> list[Any]:
    return [entry.event for entry in at_town.live.ledger.entries]


def test_booked_for_a_later_day(tmp_path: Path) -> None:
    """The promise is the same after two nights, on the shuttle of that day; figures count it on its own day."""

    async def story() -> None:
        async with served(tmp_path, at="09:00") as at_town:
            token, desk = await at_town.rider(), at_town.token("operator")
            ride = await at_town.booked(token, depart_after=local(2 * DAY + 8 * 3600), seats=3)
            assert ride["pickup_from"].startswith("2026-03-05T08:")
            other = await at_town.booked(token, key="k2", depart_after=local(2 * DAY + 8 * 3600), seats=3)
            shuttle = at_town.live.world.rides[ride["id"]].shuttle
            assert shuttle is not None
            assert day_of(shuttle) == "2026-03-05"
            state = (await at_town.call("GET", "/v1/operator/state", token=desk)).json()
            assert state["rides"] == []
            assert all(day_of(one["id"]) is None for one in state["shuttles"])
            shifts = (await at_town.call("GET", "/v1/driver/shifts", token=await at_town.driver("V1"))).json()
            assert all(day_of(shift["id"]) is None for shift in shifts)
            beyond = await at_town.call(
                "POST", "/v1/quotes", at_town.journey(depart_after=local(8 * DAY + 9 * 3600)), token=token
            )
            assert beyond.json()["code"] == "time_beyond"
            # an operator's doings with the shifts of that day hold then, too
            spare = {"vehicle": "spare", "start": local(2 * DAY + 7 * 3600), "end": local(2 * DAY + 9 * 3600),
                     "seats": 8, "at_stop": at_town.live.area.stops[0].id, "reason": "fair"}  # fmt: skip
            opened = await at_town.call("POST", "/v1/operator/shifts", spare, token=desk)
            assert opened.json()["id"] == "spare@2026-03-05"
            used = {ride.shuttle for ride in at_town.live.world.rides.values()}
            free = next(name for name in (f"V{n}@2026-03-05" for n in (3, 2, 1)) if name not in used)
            closed = await at_town.call("POST", f"/v1/operator/shifts/{free}/close", {"reason": "ill"}, token=desk)
            assert closed.status_code == 200, closed.text
            await at_town.call("POST", "/v1/operator/pause", {"reason": "storm"}, token=desk)
            judged(at_town)
            first = log_of(at_town)
            for _ in range(2):
                await turn_the_day(at_town)
                assert states(at_town) == {ride["id"]: "booked", other["id"]: "booked"}
                judged(at_town)
            assert invariants.check([*first, ev.DayClosed(first[-1].at)], town()[2]) == []
            counted = kpi.figures([*first, ev.DayClosed(first[-1].at)])
            assert (counted["attempts"], counted["extra"]["later_days"]) == (0, 2)
            assert counted["shuttle_hours"] < 24
            told = (await at_town.call("GET", f"/v1/rides/{ride['id']}", token=token)).json()
            for part in ("pickup_from", "pickup_to", "arrive_by", "fare", "pickup", "dropoff"):
                assert told[part] == ride[part], part
            world = at_town.live.world
            assert world.rides[ride["id"]].shuttle == shuttle.partition("@")[0]
            assert world.paused
            assert "spare" in world.shuttles
            assert world.shuttles[free.partition("@")[0]].state == "closed"
            kpis = kpi.figures(log_of(at_town))
            assert kpis["attempts"] == 2
            sent = [e for e in log_of(at_town) if isinstance(e, ev.RideBooked)]
            assert {event.kind for event in sent} == {"carried"}

    asyncio.run(story())


def test_weekdays_and_holidays() -> None:
    """Sunday's shifts on a holiday that has them, none on one that is closed."""
    calendar = Calendar({"V2": frozenset(range(5))}, {"2026-03-04": "closed", "2026-03-05": "sunday"})
    days = [dt.date(2026, 3, day) for day in (3, 4, 5, 6, 7)]
    assert [calendar.works("V1", day) for day in days] == [True, False, True, True, True]
    assert [calendar.works("V2", day) for day in days] == [True, False, False, True, False]


def test_recurring_rides_are_made_once(tmp_path: Path) -> None:
    """Seven days ahead; over restarts and turns of the day; skipped, given back and changed ones are not made again."""

    async def of(at_town: Served, token: str, template: str) -> dict[str, str]:
        told = (await at_town.call("GET", f"/v1/recurring/{template}", token=token)).json()
        return {one["date"][-2:]: one["state"] for one in told["occurrences"]}

    async def story() -> None:
        async with served(tmp_path, at="09:00") as at_town:
            token, other = await at_town.rider(), await at_town.rider("+674 555 0002")
            weekdays = ["mon", "tue", "wed", "thu", "fri"]  # the town's day is a Tuesday
            ask = at_town.journey(weekdays=weekdays, depart_at="08:10", until="2026-03-12")
            begun = await at_town.call("POST", "/v1/recurring", ask, token=token)
            assert begun.status_code == 201, begun.text
            template = begun.json()["id"]
            assert [o["state"] for o in begun.json()["occurrences"]] == ["over", *["made"] * 5]
            assert len(states(at_town)) == 5
            for method, path, body in (
                ("GET", "", None), ("POST", "/skip", {"date": "2026-03-05"}), ("DELETE", "", None),
                ("POST", "/unskip", {"date": "2026-03-05"}),
            ):  # fmt: skip
                stranger = await at_town.call(method, f"/v1/recurring/{template}{path}", body, token=other)
                assert stranger.json()["code"] == "no_such_template"
            assert (await at_town.call("GET", "/v1/recurring", token=other)).json() == []
            wrong = [{**ask, "weekdays": []}, {**ask, "depart_at": "28:00"}, {**ask, "arrive_at": "09:00"},
                     {**ask, "until": "2026-13-01"}, {**ask, "weekdays": ["someday"]}]  # fmt: skip
            for body in wrong:
                assert (await at_town.call("POST", "/v1/recurring", body, token=token)).json()["code"] == "invalid"
            skipped = await at_town.call("POST", f"/v1/recurring/{template}/skip", {"date": "2026-03-05"}, token=token)
            assert skipped.status_code == 200
            saturday = await at_town.call("POST", f"/v1/recurring/{template}/skip", {"date": "2026-03-07"}, token=token)
            assert saturday.json()["code"] == "no_such_date"
            rides = {o["date"][-2:]: o["ride"] for o in begun.json()["occurrences"]}
            await at_town.call("POST", f"/v1/rides/{rides['06']}/cancel", {}, token=token)
            later = {"depart_after": local(6 * DAY + 8.5 * 3600)}
            path = f"/v1/rides/{rides['09']}"
            changed = await at_town.call("PATCH", path, later, token=token, Idempotency_Key="c")
            assert changed.status_code == 200, changed.text
            expected = {"03": "over", "04": "made", "05": "skipped", "06": "skipped", "09": "made", "10": "made"}
            assert await of(at_town, token, template) == expected
            made = sum(state == "booked" for state in states(at_town).values())
            await at_town.live.recurring.make_all(at_town.live)
            judged(at_town)
            log = (await at_town.call("GET", "/v1/operator/log/export", token=at_town.token("planner"))).text
            assert at_town.live.area.stops[0].id not in log.partition("\n")[2]
        async with served(tmp_path, at="09:30") as at_town:
            await at_town.live.recurring.make_all(at_town.live)
            assert sum(state == "booked" for state in states(at_town).values()) == made == 3
            await turn_the_day(at_town)
            assert (await of(at_town, token, template))["11"] == "to_be_made"  # it is farther than seven days ahead
            await at_town.pass_time(4.25 * 3600)
            for _ in range(40):
                await at_town.pass_time(0.1)
                await asyncio.sleep(0.1)
                if len(states(at_town)) == 4:
                    break
            expected = {"04": "made", "05": "skipped", "06": "skipped", "09": "made", "10": "made", "11": "made"}
            assert await of(at_town, token, template) == expected
            assert list(states(at_town).values()) == ["booked"] * 4
            judged(at_town)
            ended = await at_town.call("DELETE", f"/v1/recurring/{template}", token=token)
            assert ended.status_code == 200
            assert set(states(at_town).values()) == {"cancelled"}
            # a rider who is deleted leaves no template
            await at_town.call("POST", "/v1/recurring", ask, token=token)
            assert await at_town.live.redis.hlen("{nauru}:templates") == 1
            await at_town.call("DELETE", "/v1/me", token=token)
            assert await at_town.live.redis.hlen("{nauru}:templates") == 0
            assert set(states(at_town).values()) == {"cancelled"}

    asyncio.run(story())
