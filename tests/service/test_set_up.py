"""Set-up while the service runs: stop points, shifts, shuttles lent to the zone next door; every act in the log."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from dispatch.core import events as ev
from dispatch.core import invariants
from dispatch.service.embedded import Embedded
from tests.service.test_changes import judged, states
from tests.service.test_days_ahead import turn_the_day
from tests.service.towns import Served, local, served, town


async def act(at_town: Served, method: str, path: str, body: Any = None, status: int = 200) -> Any:
    """An operator's call."""
    answer = await at_town.call(method, f"/v1/operator{path}", body, token=at_town.token("operator", "mina"))
    assert answer.status_code == status, f"{path}: {answer.text}"
    return answer.json()


def test_a_stop_point_is_closed_and_its_bookings_are_seen_to(tmp_path: Path) -> None:
    """Moved to the next one within the promise; asked for, it names the nearest open one; still closed tomorrow."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token, why = await at_town.rider(), {"reason": "burst pipe"}
            stops = at_town.live.area.stops
            ride = await at_town.booked(token, goal=20, depart_after=local(9 * 3600))
            stop = ride["pickup"]["id"]
            quotes = (await at_town.call("POST", "/v1/quotes", at_town.journey(), token=token)).json()
            closed = await act(at_town, "POST", f"/stop-points/{stop}/close", why)
            await act(at_town, "POST", f"/stop-points/{stop}/close", why, 409)
            assert list(closed["moved"]) == [ride["id"]], closed
            new = (await at_town.call("GET", f"/v1/rides/{closed['moved'][ride['id']]}", token=token)).json()
            assert new["state"] == "booked"
            assert new["pickup"]["id"] != stop
            assert new["pickup_to"] <= ride["pickup_to"]
            assert new["arrive_by"] <= ride["arrive_by"]
            gone = await at_town.call("POST", "/v1/quotes", at_town.journey(), token=token)
            assert gone.json()["code"] == "stop_closed"
            assert "the nearest open one is" in gone.json()["fields"][0]
            for offer in quotes["offers"]:
                if offer["pickup"]["id"] == stop:
                    taken = {"quote": offer["quote"]}
                    late = await at_town.call("POST", "/v1/bookings", taken, token=token, Idempotency_Key="late")
                    assert late.json()["code"] == "stop_closed"
            beside = {"from": {"lat": stops[0].lat, "lon": stops[0].lon}, "to": {"stop": stops[20].id}}
            there = (await at_town.call("POST", "/v1/quotes", beside, token=token)).json()
            assert all(offer["pickup"]["id"] != stop for offer in there["offers"])
            judged(at_town)
            await turn_the_day(at_town)
            points = (await act(at_town, "GET", "/stop-points"))["stop_points"]
            assert [point["id"] for point in points if point["closed"]] == [stop]
            await act(at_town, "POST", f"/stop-points/{stop}/open", why)
            judged(at_town)

    asyncio.run(story())


def test_stop_points_are_edited_from_the_next_day_on(tmp_path: Path) -> None:
    """Added, moved, renamed: today's stay as they are, over restarts; bookings for later days go on."""

    async def story() -> None:
        async with served(tmp_path, at="09:00") as at_town:
            token, why = await at_town.rider(), {"reason": "citizens asked"}
            stops = at_town.live.area.stops
            ride = await at_town.booked(token, depart_after=local(86_400 + 9 * 3600))
            mid = {"lat": stops[4].lat, "lon": stops[4].lon}
            await act(at_town, "POST", "/stop-points", {**why, "stop": "market", "name": "Market", **mid}, 201)
            await act(at_town, "POST", "/stop-points", {**why, "stop": "market", "name": "Market", **mid}, 409)
            await act(at_town, "PUT", f"/stop-points/{stops[1].id}", {**why, "name": "Old Mill"})
            told = await act(at_town, "PUT", f"/stop-points/{stops[2].id}", {**why, **mid})
            assert [edit["kind"] for edit in told["coming"]] == ["add", "rename", "move"]
            assert all(edit["from_day"] == "2026-03-04" for edit in told["coming"])
            sea = {**why, "stop": "sea", "name": "Sea", "lat": stops[0].lat + 1, "lon": stops[0].lon}
            assert (await act(at_town, "POST", "/stop-points", sea, 422))["code"] == "off_the_streets"
            await act(at_town, "PUT", "/stop-points/nowhere", {**why, "name": "x"}, 422)
            to_market = {**at_town.journey(), "to": {"stop": "market"}}
            early = await at_town.call("POST", "/v1/quotes", to_market, token=token)
            assert early.json()["code"] == "unknown_stop"
        async with served(tmp_path, at="09:30") as at_town:
            assert len(at_town.live.area.stops) == len(stops)
            await turn_the_day(at_town)
            new = {stop.id: stop for stop in at_town.live.area.stops}
            assert new["market"].name == "Market"
            assert new[stops[1].id].name == "Old Mill"
            assert new[stops[2].id].lat == stops[4].lat
            assert states(at_town) == {ride["id"]: "booked"}
            to_market = {**at_town.journey(depart_after=local(86_400 + 9 * 3600)), "to": {"stop": "market"}}
            quotes = (await at_town.call("POST", "/v1/quotes", to_market, token=token)).json()
            assert quotes["state"] == "offered", quotes
            points = (await at_town.call("GET", "/v1/stop-points")).json()["features"]
            assert "market" in [point["id"] for point in points]
            judged(at_town)
        async with served(tmp_path, at="09:30") as at_town:  # the open day is read again as it was opened
            assert "market" in at_town.live.area.places.number

    asyncio.run(story())


def test_shifts_end_earlier_and_shuttles_are_cleared_and_come_back(tmp_path: Path) -> None:
    """Never under the riders' feet."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token, why = await at_town.rider(), {"reason": "service"}
            ride = await at_town.booked(token, depart_after=local(9 * 3600))
            own = at_town.live.world.rides[ride["id"]].shuttle
            soon = {**why, "end": local(8 * 3600)}
            assert (await act(at_town, "PUT", f"/shifts/{own}", soon, 409))["code"] == "still_planned"
            await at_town.call("PUT", "/v1/operator/policy", {**why, "changes": {"walk_m": 0}})
            cleared = await act(at_town, "POST", f"/shuttles/{own}/clear", why)
            assert cleared == {"moved": [ride["id"]], "left": []}
            ended = await act(at_town, "PUT", f"/shifts/{own}", soon)
            assert ended["end"].endswith("08:00:00+12:00")
            await act(at_town, "PUT", f"/shifts/{own}", {**why, "end": local(3600)}, 422)
            await act(at_town, "PUT", f"/shifts/{own}", {**why, "end": local(10 * 3600)})
            other = at_town.live.world.rides[ride["id"]].shuttle
            assert other not in (None, own)
            await act(at_town, "POST", f"/shuttles/{other}/withdraw", why)
            back = await act(at_town, "POST", f"/shuttles/{other}/restore", why, 201)
            assert (back["vehicle"], back["state"]) == (other, "on")
            assert back["id"] != other
            await act(at_town, "POST", f"/shuttles/{other}/restore", why, 409)
            judged(at_town)
            acts = [e.event.act for e in at_town.live.ledger.entries if isinstance(e.event, ev.ActTaken)]
            assert acts == ["clear", "assign", "change_shift", "change_shift", "withdraw", "restore"]

    asyncio.run(story())


def test_a_shuttle_is_lent_by_the_hour(tmp_path: Path) -> None:
    """Two zones on one store: it works in one at a time, and what would overlap is refused."""
    _, area, times = town()
    namdong = replace(area, name="namdong")

    async def story() -> None:
        async with AsyncExitStack() as stack:
            store = await stack.enter_async_context(Embedded(tmp_path / "store"))
            on = {"redis_url": store.url}
            songdo = await stack.enter_async_context(served(tmp_path, at="07:00", settings=on))
            other = await stack.enter_async_context(served(tmp_path, at="07:00", settings=on, zone=(namdong, times)))
            assert (await other.call("GET", "/v1/operator/state", token=songdo.token("operator"))).status_code == 403
            loan = {"zone": "namdong", "start": local(8 * 3600), "end": local(10 * 3600),
                    "at_stop": area.stops[3].id, "reason": "factory shift"}  # fmt: skip
            for wrong in ({"zone": "nauru"}, {"end": local(13 * 3600)}, {"start": local(5 * 3600)}):
                refused = await act(songdo, "POST", "/shifts/V1/lend", {**loan, **wrong}, 422)
                assert refused["code"] == "lent_outside"
            lent = await act(songdo, "POST", "/shifts/V1/lend", loan, 201)
            assert (await act(songdo, "POST", "/shifts/V1/lend", loan, 409))["code"] == "lent_out"
            mine = {"vehicle": "V1", "start": local(9 * 3600), "end": local(11 * 3600), "seats": 8,
                    "at_stop": area.stops[0].id, "reason": "more"}  # fmt: skip
            assert (await act(songdo, "POST", "/shifts", mine, 409))["code"] == "lent_out"
            assert (await act(songdo, "PUT", "/shifts/V1", {"end": local(9 * 3600), "reason": "x"}, 409))[
                "code"
            ] == "lent_out"
            for _ in range(100):
                await asyncio.sleep(0.1)
                if "nauru::V1" in other.live.world.shuttles:
                    break
            there = other.live.world.shuttles["nauru::V1"].shift
            here = sorted((s.shift.start, s.shift.end) for n, s in songdo.live.world.shuttles.items()
                          if s.shift.vehicle == "V1" and "@" not in n)  # fmt: skip
            hour = 3_600_000
            assert here == [(6 * hour, 8 * hour), (10 * hour, 12 * hour)]
            assert (there.start, there.end) == (8 * hour, 10 * hour)
            token = other.token("operator")
            longer = {"end": local(11 * 3600), "reason": "x"}
            more = await other.call("PUT", "/v1/operator/shifts/nauru::V1", longer, token=token)
            assert more.json()["code"] in ("lent_out", "wrong_zone")
            told = await act(songdo, "GET", "/loans")
            assert [(one["id"], one["state"]) for one in told] == [(lent["id"], "lent")]
            for zone in (songdo, other):
                log = [entry.event for entry in zone.live.ledger.entries]
                assert invariants.check(log, zone.live.dispatcher.zone.times) == []

    asyncio.run(story())
