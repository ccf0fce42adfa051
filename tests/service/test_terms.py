"""What missing a ride costs, and when; and what is said of ways that are faster than a shuttle."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dispatch.core.domain import Fares
from routing.fixed_lines import read_fixed_lines
from tests.service.test_changes import judged
from tests.service.test_drivers import go_on_until, manifest, tell
from tests.service.towns import Served, served, town

NO_SHOW, LATE = 500, 300


async def with_fees(at_town: Served) -> None:
    """Rules under which rides that are missed cost something."""
    fares = {"base": 200, "base_km": 5, "per_km": 50, "no_show": NO_SHOW, "late_cancel": LATE}
    asked = {"changes": {"fares": fares}, "reason": "season"}
    answer = await at_town.call("PUT", "/v1/operator/policy", asked, token=at_town.token("operator"))
    assert answer.json()["policy"]["fares"] == fares
    assert at_town.live.world.policy.fares == Fares(**fares)


async def comes(at_town: Served, ride: dict[str, Any]) -> tuple[str, str]:
    """(driver's token, shift) of a shuttle that has set out for the ride."""
    shift = at_town.live.world.rides[ride["id"]].shuttle
    assert shift is not None
    driver = await at_town.driver(shift)
    stop = (await manifest(at_town, driver, shift))["stops"][0]
    assert not stop["here"], "the test needs a shuttle that has to drive to the rider"
    await go_on_until(at_town, stop["leave_at"])
    assert await tell(at_town, driver, shift, {"kind": "departed"}) == ["counted"]
    return driver, shift


def test_what_missing_a_ride_costs(tmp_path: Path) -> None:
    """Nothing while the shuttle has not set out; then the fee of the rules, until an operator forgives it."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            await with_fees(at_town)
            rider, desk = await at_town.rider(), at_town.token("operator")

            async def stands(ride: dict[str, Any]) -> tuple[str, int]:
                told = (await at_town.call("GET", f"/v1/rides/{ride['id']}", token=rider)).json()
                return told["payment"], (await at_town.call("GET", "/v1/terms", token=rider)).json()["missed"]

            terms = (await at_town.call("GET", "/v1/terms", token=rider)).json()
            assert (terms["no_show_fee"], terms["late_cancel_fee"], terms["missed"]) == (NO_SHOW, LATE, 0)
            assert "then it costs A$3.00, and a ride that is missed A$5.00" in terms["words"]
            early = await at_town.booked(rider, origin=5, key="early")
            await at_town.call("POST", f"/v1/rides/{early['id']}/cancel", {}, token=rider)
            assert await stands(early) == ("none", 0)

            late = await at_town.booked(rider, origin=5, key="late")
            assert (await stands(late))[0] == "none"
            await comes(at_town, late)
            for _ in range(2):  # a double tap costs once
                gone = await at_town.call("POST", f"/v1/rides/{late['id']}/cancel", {}, token=rider)
                assert gone.status_code == 200
            assert await stands(late) == ("due", 1)
            forgiven = await at_town.call(
                "POST", f"/v1/operator/rides/{late['id']}/forgive", {"reason": "ambulance"}, token=desk
            )
            assert forgiven.status_code == 200
            assert await stands(late) == ("none", 0)

            missed = await at_town.booked(rider, origin=8, key="missed")
            driver, shift = await comes(at_town, missed)
            await go_on_until(at_town, (await manifest(at_town, driver, shift))["drive"]["arrive_at"])
            await go_on_until(at_town, missed["pickup_from"])
            gone = {"kind": "not_there", "ride": missed["id"]}
            assert await tell(at_town, driver, shift, gone) == ["counted"]
            assert await stands(missed) == ("none", 0), "the grace is not over"
            boarding = (await manifest(at_town, driver, shift))["stops"][0]["boarding"][0]
            await go_on_until(at_town, boarding["awaited_until"])
            assert await tell(at_town, driver, shift, gone) == ["counted"]
            assert await stands(missed) == ("due", 1)
            paid = {"state": "paid", "reference": "card-1234", "reason": "at the counter"}
            await at_town.call("PUT", f"/v1/operator/rides/{missed['id']}/payment", paid, token=desk)
            assert await stands(missed) == ("paid", 1)
            judged(at_town)

    asyncio.run(story())


@pytest.mark.parametrize(("leaves", "told"), [("07:32:00", "bus"), ("09:29:00", None)])
def test_a_bus_that_is_there_first_is_said(tmp_path: Path, leaves: str, told: str | None) -> None:
    """With its line, stops and times; one that is there later than the shuttle is not."""
    _, area, times = town()
    origin, goal = area.stops[0], area.stops[20]
    there = (dt.datetime.strptime(leaves, "%H:%M:%S") + dt.timedelta(seconds=60)).strftime("%H:%M:%S")  # noqa: DTZ007
    feed = tmp_path / "feed"
    feed.mkdir()
    for name, text in {
        "stops": "stop_id,stop_name,stop_lat,stop_lon\n"
        + "".join(f"{n},Pier {n},{stop.lat},{stop.lon}\n" for n, stop in enumerate((origin, goal))),
        "routes": "route_id,route_short_name,route_type\nr,7,3\n",
        "trips": "route_id,service_id,trip_id\nr,week,a\n",
        "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
        f"a,{leaves},{leaves},0,1\na,{there},{there},1,2\n",
        "calendar": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "week,1,1,1,1,1,1,1,20260101,20261231\n",
    }.items():
        (feed / f"{name}.txt").write_text(text, encoding="utf-8")
    with_buses = replace(area, fixed_lines=read_fixed_lines(feed, area.network))

    async def story() -> None:
        async with served(tmp_path, zone=(with_buses, times)) as at_town:
            quotes = await at_town.call("POST", "/v1/quotes", at_town.journey(0, 20), token=await at_town.rider())
            hint = quotes.json()["hint"]
            assert quotes.json()["state"] == "offered"
            if told is None:
                assert hint is None or hint["kind"] != "bus"
                return
            assert (hint["kind"], hint["line"], hint["board_at"]) == ("bus", "7", "Pier 0")
            assert hint["departs_at"].endswith("T07:32:00+12:00")
            assert hint["arrives_at"].startswith("2026-03-03T07:33")
            assert hint["takes_s"] < 300
            assert "Bus 7 goes there directly: 07:32 from Pier 0 to Pier 1" in hint["words"]

    asyncio.run(story())
