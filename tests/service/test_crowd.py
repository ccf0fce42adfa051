"""When more comes than can be answered, who would wait for too long is told so at once, and offers are taken first."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from dispatch.service.limits import RECENT, Crowd
from dispatch.service.problems import Problem
from tests.service.towns import served


def test_the_wait_is_the_number_before_one_times_the_time_each_takes() -> None:
    """Ten milliseconds each: the hundred-and-first would wait for a second. Alone, nobody waits."""
    now = 0.0
    crowd = Crowd(lambda: now)
    for _ in range(10 * RECENT):  # one after the other, an hour apart: says nothing of a crowd
        crowd.enter(0.5)
        now += 3600
        crowd.leave()
    assert crowd.wait_s == 0
    for _ in range(2):
        crowd.enter(0.5)
    for _ in range(10 * RECENT):
        now += 0.01
        crowd.leave()
        crowd.enter(0.5)
    assert crowd.each_s == pytest.approx(0.01, rel=0.01)
    for _ in range(98):
        crowd.enter(2)
    assert crowd.wait_s == pytest.approx(1, rel=0.01)
    with pytest.raises(Problem) as told:
        crowd.enter(0.5)
    assert (told.value.code, told.value.headers["Retry-After"]) == ("busy", "2")
    crowd.enter(1.5)
    for _ in range(60):
        now += 0.01
        crowd.leave()
    crowd.enter(0.5)


def test_quotes_are_shed_before_bookings(tmp_path: Path) -> None:
    """A call that is turned away has touched nothing, and other people's calls are answered all the while."""

    async def story() -> None:
        async with served(tmp_path) as town:
            rider, crowd = await town.rider(), town.live.crowd
            offer = (await town.call("POST", "/v1/quotes", town.journey(), token=rider)).json()["offers"][0]["quote"]
            known = town.live.world.seq
            crowd.under_way, crowd.each_s = 100, 0.015
            shed = await town.call("POST", "/v1/quotes", town.journey(), token=rider)
            assert (shed.status_code, shed.json()["code"], shed.headers["retry-after"]) == (503, "busy", "3")
            assert town.live.world.seq == known
            booked = await town.call("POST", "/v1/bookings", {"quote": offer}, token=rider, Idempotency_Key="k")
            assert booked.status_code == 201
            crowd.each_s = 0.03
            again = await town.call("POST", "/v1/bookings", {"quote": offer}, token=rider, Idempotency_Key="k")
            assert again.json()["code"] == "busy"
            named = await town.live.vault.enrol("+6745550009")
            phoned = await town.call("POST", f"/v1/quotes?rider={named}", town.journey(), token=town.token("operator"))
            assert phoned.status_code == 201
            assert crowd.under_way == 100

    asyncio.run(story())
