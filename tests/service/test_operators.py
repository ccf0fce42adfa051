"""An operator's morning through the API: every act is in the log with author and reason, and the log holds."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from dispatch.core import events as ev
from dispatch.core import invariants
from tests.service.towns import Served, local, served, town


def acts(at_town: Served) -> list[tuple[str, str, str]]:
    """(what, by whom, why) of the log."""
    found: list[tuple[str, str, str]] = []
    for entry in at_town.live.ledger.entries:
        match entry.event:
            case ev.ActTaken(act=act, author=author, reason=reason):
                found.append((act, author, reason))
            case ev.RoadClosed(author=author, reason=reason) | ev.PolicyChanged(author=author, reason=reason) if author:
                found.append((type(entry.event).__name__, author, reason))
    return found


def test_a_morning(tmp_path: Path) -> None:
    """Phone booking, assign, lock, close a road, new rules, pause, withdraw, message; then back in time."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token = at_town.token("operator", "mina")

            async def do(method: str, path: str, body: Any = None, status: int = 200, **headers: str) -> Any:
                answer = await at_town.call(method, path, body, token=token, **headers)
                assert answer.status_code == status, f"{path}: {answer.text}"
                return answer.json()

            why = {"reason": "rain"}
            asked = {**why, "phone": "+674 555 0007", "name": "Grandma"}
            rider = (await do("POST", "/v1/operator/riders", asked, 201))["rider"]
            quotes = await do("POST", f"/v1/quotes?rider={rider}", at_town.journey(), 201)
            take = {"quote": quotes["offers"][0]["quote"]}
            ride = (await do("POST", f"/v1/bookings?rider={rider}", take, 201, Idempotency_Key="k"))["id"]
            before = await do("GET", "/v1/operator/state")
            assert [line["id"] for line in before["rides"]] == [ride]
            assert at_town.live.world.rides[ride].request.channel == "phone"
            await at_town.pass_time(1)
            own = at_town.live.world.rides[ride].shuttle
            others = [name for name, s in at_town.live.world.shuttles.items() if name != own and s.shift.seats > 6]
            story = await do("POST", f"/v1/operator/rides/{ride}/assign", {**why, "shuttle": others[0]})
            assert story["ride"]["shuttle"] == others[0]
            assert story["name"] == "Grandma"
            assert [line["moved_to"] for line in story["story"] if line["moved_to"]] == [others[0]]
            assert (await do("POST", f"/v1/operator/rides/{ride}/lock", why))["ride"]["locked"] is True
            await do("POST", f"/v1/operator/rides/{ride}/lock", why, 409)
            # another one who has not seen that is told so first
            second = at_town.token("operator", "joon")
            stale = {**why, "seen": before["seq"]}
            for act in ("assign", "lock"):
                missed = await at_town.call("POST", f"/v1/operator/rides/{ride}/{act}", stale, token=second)
                assert missed.json()["code"] == "acted_meanwhile"
            way = await do("GET", f"/v1/operator/shuttles/{others[0]}/way")
            assert way["features"][0]["geometry"]["type"] == "LineString"
            await at_town.pass_time(60)
            meeting = await do("POST", "/v1/operator/roads/meeting", {"edges": [0, 1]})
            assert [feature["properties"]["edge"] for feature in meeting["features"]] == [0, 1]
            closed = await do("POST", "/v1/operator/roads/close", {**why, "edges": [0, 1]})
            assert closed["edges"] == [0, 1]
            lines = await do("GET", "/v1/operator/roads/closed")
            assert [feature["properties"]["edge"] for feature in lines["features"]] == [0, 1]
            rules = await do("PUT", "/v1/operator/policy", {**why, "changes": {"max_wait_s": 600}})
            assert rules["policy"]["max_wait_s"] == 600
            later = {**why, "changes": {"max_wait_s": 700}, "from_at": local(8 * 3600)}
            assert len((await do("PUT", "/v1/operator/policy", later))["coming"]) == 1
            for changes in ({"max_wait_s": -1}, {"nonsense": 1}, {"weights": {"delay": "x"}}, {"quotes": 9}):
                await do("PUT", "/v1/operator/policy", {**why, "changes": changes}, 422)
            await do("POST", "/v1/operator/pause", why)
            refused = await do("POST", f"/v1/quotes?rider={rider}", at_town.journey(1), 201)
            assert refused["state"] == "refused"
            assert refused["why"]["code"] == "paused"
            await do("POST", "/v1/operator/resume", why)
            state = await do("POST", f"/v1/operator/shuttles/{others[0]}/withdraw", why)
            moved = next(line for line in state["rides"] if line["id"] == ride)
            assert moved["shuttle"] not in (None, others[0])
            assert (await do("POST", "/v1/operator/messages", {**why, "words": "Hello"}, 202))["riders"] == 1
            await do("POST", "/v1/operator/roads/reopen", {**why, "edges": [0, 1]})
            then = await do("GET", f"/v1/operator/state?at={before['at'].replace('+', '%2B')}")
            assert then["rides"] == before["rides"]
            assert then["closed_edges"] == 0
            past = await do("GET", f"/v1/operator/roads/closed?at={before['at'].replace('+', '%2B')}")
            assert past["features"] == []
            assert await do("GET", "/v1/operator/kpis/before") == {"day": None, "so_far": None, "targets": {}}
            await do("GET", "/v1/operator/state?at=2001-01-01T00:00:00Z", None, 404)
            await at_town.pass_time(1900)
            for _ in range(20):
                await at_town.pass_time(1)
            assert at_town.live.world.policy.max_wait_s == 700
            kinds = [what for what, author, reason in acts(at_town) if (author, reason) == ("mina", "rain")]
            assert kinds == ["rider", "assign", "lock", "RoadClosed", "PolicyChanged", "policy", "pause", "resume",
                             "withdraw", "message", "PolicyChanged"]  # fmt: skip
            assert [what for what, *_ in acts(at_town)][:3] == ["rider", "book", "book"]
            events = [entry.event for entry in at_town.live.ledger.entries]
            assert invariants.check(events, town()[2]) == []
            log = (await at_town.call("GET", "/v1/operator/log/export", token=token)).content
            assert list(ev.read_log(log.splitlines(keepends=True))) == events

    asyncio.run(story())


def test_complaints_shifts_and_results(tmp_path: Path) -> None:
    """What is not minute by minute."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token, rider = at_town.token("operator", "mina"), await at_town.rider()
            ride = await at_town.booked(rider)
            said = await at_town.call("POST", f"/v1/rides/{ride['id']}/complaints", {"words": "cold"}, token=rider)
            assert said.status_code == 201
            path = f"/v1/operator/complaints/{said.json()['id']}/answer"
            await at_town.call("POST", path, {"words": "sorry"}, token=token)
            mine = (await at_town.call("GET", "/v1/complaints", token=rider)).json()
            assert (mine[0]["state"], mine[0]["answer"]) == ("answered", "sorry")
            more = {"vehicle": "spare", "start": local(8 * 3600), "end": local(10 * 3600), "seats": 8,
                    "at_stop": at_town.live.area.stops[0].id, "reason": "fair"}  # fmt: skip
            opened = await at_town.call("POST", "/v1/operator/shifts", more, token=token)
            assert opened.status_code == 201
            assert (await at_town.call("POST", "/v1/operator/shifts", more, token=token)).status_code == 409
            closed = await at_town.call("POST", "/v1/operator/shifts/spare/close", {"reason": "no"}, token=token)
            assert closed.status_code == 200
            folder = tmp_path / "results" / "monday"
            folder.mkdir(parents=True)
            (folder / "kpis.json").write_text(json.dumps({"attempts": 3}))
            (folder / "report.html").write_text("<p>fine</p>")
            planner = at_town.token("planner")
            results = (await at_town.call("GET", "/v1/operator/results", token=planner)).json()
            assert [(one["name"], one["kind"], one["kpis"], one["report"]) for one in results] == [
                ("monday", "day", {"attempts": 3}, True)
            ]
            page = await at_town.call("GET", "/v1/operator/results/monday/report", token=planner)
            assert page.text == "<p>fine</p>"
            assert page.headers["content-security-policy"].startswith("sandbox")
            url = (await at_town.call("POST", "/v1/operator/results/monday/link", token=planner)).json()["url"]
            framed = await at_town.call("GET", url)
            assert framed.text == "<p>fine</p>"
            assert "frame-ancestors 'self'" in framed.headers["content-security-policy"]
            assert framed.headers["x-frame-options"] == "SAMEORIGIN"
            for forged in (url.replace("monday", "tuesday"), url.replace("until=1", "until=9"), url[:-2] + "xx"):
                assert (await at_town.call("GET", forged)).status_code == 404
            for name in ("..", "%2e%2e", "tuesday"):
                gone = await at_town.call("GET", f"/v1/operator/results/{name}/report", token=planner)
                assert gone.status_code == 404

    asyncio.run(story())
