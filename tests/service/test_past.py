"""Any past moment: of the open day, of the day before that lies in the store, of days whose logs have left it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

from dispatch.core import events as ev
from dispatch.core import kpi
from dispatch.service.archive import LOGS, move_out, moved_to
from dispatch.service.past import Past
from tests.service.test_days_ahead import turn_the_day
from tests.service.towns import Served, served


async def ask(at_town: Served, path: str, status: int = 200) -> Any:
    answer = await at_town.call("GET", f"/v1/operator{path}", token=at_town.token("operator", "mina"))
    assert answer.status_code == status, f"{path}: {answer.text}"
    return answer.json()


async def do(at_town: Served, method: str, path: str, body: dict[str, Any]) -> Any:
    asked = {**body, "reason": "test"}
    answer = await at_town.call(method, f"/v1/operator{path}", asked, token=at_town.token("operator", "mina"))
    assert answer.status_code < 300, answer.text
    return answer.json()


def then(state: dict[str, Any]) -> str:
    return f"at={quote(state['at'])}"


async def moved_out(at_town: Served) -> list[str]:
    """Let days that are over leave the store, as the dispatcher does each minute."""
    live = at_town.live
    return await move_out(live.dispatcher.store, live.settings.data_dir / LOGS, live.dispatcher.day)


def test_days_that_are_over_can_be_looked_at(tmp_path: Path) -> None:
    """In the store, then in a file, over a restart: the state, streets, log, figures, names of then."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            first, rider = at_town.live.dispatcher.day, await at_town.rider()
            stop = at_town.live.area.stops[0]
            ride = await at_town.booked(rider)
            await at_town.pass_time(5)
            early = await ask(at_town, "/state")
            await at_town.pass_time(5)
            await do(at_town, "POST", "/roads/close", {"edges": [0, 1]})
            await do(at_town, "POST", "/pause", {})
            await do(at_town, "PUT", f"/stop-points/{stop.id}", {"name": "Renamed"})
            await at_town.pass_time(5)
            late = await ask(at_town, "/state")
            assert [line["state"] for line in late["rides"]] == ["booked"]
            await at_town.pass_time(5)
            await at_town.call("POST", f"/v1/rides/{ride['id']}/cancel", {}, token=rider)
            ended = await ask(at_town, "/state")
            assert [line["state"] for line in ended["rides"]] == ["cancelled"]
            assert await ask(at_town, f"/state?{then(ended)}") == ended
            before = (await ask(at_town, "/days"))[-1]
            assert (before["day"], before["ends"]) == (first, None)
            await ask(at_town, "/state?at=1999-12-31T00:00:00Z", 404)
            await ask(at_town, "/log?day=1999-12-31", 404)

            async def as_it_was() -> None:
                for state in (early, late, ended):
                    assert await ask(at_town, f"/state?{then(state)}") == state
                assert late["rides"][0]["pickup"]["name"] != "Renamed"
                closed = await ask(at_town, f"/roads/closed?{then(late)}")
                assert [one["properties"]["edge"] for one in closed["features"]] == [0, 1]
                assert (await ask(at_town, f"/roads/closed?{then(early)}"))["features"] == []
                lines = await ask(at_town, f"/log?day={first}&limit=1000")
                assert lines[0]["event"]["type"] == "DayOpened"
                assert lines[-1]["event"]["type"] == "DayClosed"
                some = await ask(at_town, f"/log?day={first}&after=3&limit=2")
                assert [line["id"] for line in some] == [f"{first}:4", f"{first}:5"]
                exported = await at_town.call(
                    "GET", f"/v1/operator/log/export?day={first}", token=at_town.token("planner")
                )
                events = list(ev.read_log(exported.content.splitlines(keepends=True)))
                assert [line["seq"] for line in lines] == [*range(1, len(events) + 1)]
                told = await ask(at_town, f"/kpis?day={first}")
                assert told["attempts"] == kpi.figures(events)["attempts"] == 1
                known = await ask(at_town, "/days")
                assert known[0]["day"] == first
                assert [day["ends"] for day in known[:-1]] == [day["begins"] for day in known[1:]]

            await turn_the_day(at_town)
            assert at_town.live.area.stops[0].name == "Renamed"
            await as_it_was()
            await turn_the_day(at_town)
            assert await moved_out(at_town) == [first]
            at_town.live.past = Past()
            await as_it_was()
            assert len(await ask(at_town, "/days")) == 3
            # between two days: the last that is known of the one before
            second = (await ask(at_town, "/days"))[1]
            turned = await ask(at_town, f"/state?at={quote(second['begins'])}")
            assert (turned["day"], turned["rides"]) == (second["day"], [])
        async with served(tmp_path, at="09:30") as at_town:
            await as_it_was()
            path = moved_to(tmp_path / LOGS, "nauru", first)
            path.write_bytes(path.read_bytes()[:-400] + b"\n")
            at_town.live.past = Past()
            assert (await ask(at_town, f"/state?{then(late)}", 409))["code"] == "log_unreadable"
            assert (await ask(at_town, f"/log?day={first}", 409))["code"] == "log_unreadable"
            path.unlink()
            at_town.live.past = Past()
            assert (await ask(at_town, f"/state?{then(late)}", 404))["code"] == "no_such_moment"

    asyncio.run(story())
