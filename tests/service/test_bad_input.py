"""What people and programs send wrongly, each with its stable code and a sentence; and what is wrong around us."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from dispatch.service import commands
from dispatch.service.embedded import Embedded
from dispatch.service.settings import Settings, read_keys, read_settings
from dispatch.service.views import offer_said
from routing.errors import InputError
from tests.service.test_drivers import go_on_until, manifest, tell
from tests.service.towns import Served, local, served, town


def told(answer: httpx.Response) -> str:
    """The code of a problem+json answer that a person can read, too."""
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.status_code == body["status"] < 500 or answer.status_code == 503
    assert body["type"] == f"/problems/{body['code']}"
    assert body["title"].endswith(".")
    assert len(body["title"].split()) > 3
    code: str = body["code"]
    return code


async def another_zones(at_town: Served, quote: dict[str, Any]) -> str:
    """The same offer as another zone of the installation would have made it."""
    live = at_town.live
    from dispatch.service.views import read_quote

    made = read_quote(live, quote["quote"])
    own = live.set_up.area
    try:
        live.set_up.area = replace(own, name="next-door")
        return offer_said(live, made, live.now).quote
    finally:
        live.set_up.area = own


def test_each_case_has_its_code(tmp_path: Path) -> None:
    """The table of the issue, case by case."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token, other = await at_town.rider(), await at_town.rider("+674 555 0002")
            stop = at_town.live.area.stops[0].id

            async def ask(**body: Any) -> str:
                return told(await at_town.call("POST", "/v1/quotes", {**at_town.journey(), **body}, token=token))

            async def take(quote: str, key: str, who: str = token) -> httpx.Response:
                return await at_town.call("POST", "/v1/bookings", {"quote": quote}, token=who, Idempotency_Key=key)

            assert await ask(to={"stop": "nowhere"}) == "unknown_stop"
            assert await ask(to={"lat": 50.0, "lon": 8.0}) == "outside_zone"
            assert await ask(to={"stop": stop}) == "same_place"
            assert await ask(depart_after=local(3600)) == "time_past"
            assert await ask(depart_after=local(9 * 86_400)) == "time_beyond"
            assert await ask(seats=7) == "party_too_large"
            assert await ask(seats=1, wheelchairs=2) == "too_many_wheelchairs"
            full = await at_town.call("POST", "/v1/quotes", at_town.journey(seats=6, wheelchairs=4), token=token)
            assert (
                full.json()["why"]["code"] == "full"
            )  # no shuttle has four places for wheelchairs: said in the answer

            quotes = (await at_town.call("POST", "/v1/quotes", at_town.journey(), token=token)).json()["offers"]
            quote = quotes[0]["quote"]
            assert told(await take("abc", "a")) == "bad_quote"
            assert told(await take(await another_zones(at_town, quotes[0]), "a")) == "bad_quote"
            assert told(await take(quote, "a", other)) == "not_your_quote"
            first, again = await asyncio.gather(take(quote, "tap"), take(quote, "tap"))  # a double tap
            assert first.json()["id"] == again.json()["id"]
            more = (await at_town.call("POST", "/v1/quotes", at_town.journey(1), token=token)).json()["offers"]
            assert told(await take(more[0]["quote"], "tap")) == "key_reused"
            await at_town.pass_time(400)
            assert told(await take(more[0]["quote"], "late")) == "quote_expired"

            ride = first.json()["id"]
            shift = at_town.live.world.rides[ride].shuttle
            assert shift is not None
            wrong = next(name for name in ("V1", "V2") if name != shift)
            mine, theirs = await at_town.driver(shift), await at_town.driver(wrong)
            stranger = {"id": "x1", "kind": "boarded", "ride": ride}
            assert await tell(at_town, theirs, wrong, stranger) == ["refused"]  # boarding on another shuttle
            assert await tell(at_town, mine, shift, {"kind": "boarded", "ride": "NOBODY"}) == ["refused"]
            assert await tell(at_town, mine, shift, {"kind": "arrived", "stop": "nowhere"}) == ["refused"]
            here = (await manifest(at_town, mine, shift))["stops"][0]
            if not here["here"]:
                await go_on_until(at_town, here["leave_at"])
                await tell(at_town, mine, shift, {"kind": "departed"})
                await go_on_until(at_town, (await manifest(at_town, mine, shift))["drive"]["arrive_at"])
            await go_on_until(at_town, first.json()["pickup_from"])
            assert await tell(at_town, mine, shift, {"kind": "boarded", "ride": ride}) == ["counted"]
            late = await at_town.call("POST", f"/v1/rides/{ride}/cancel", {}, token=token)
            assert told(late) == "too_late_to_cancel"  # after boarding
            moved = await at_town.call("PATCH", f"/v1/rides/{ride}", {"seats": 1}, token=token, Idempotency_Key="m")
            assert told(moved) == "too_late_to_change"

    asyncio.run(story())


def test_a_store_that_is_down_is_said_and_nothing_is_half_done(tmp_path: Path) -> None:
    """503 with Retry-After; when it is back the same call is done once."""

    async def story() -> None:
        async with (
            Embedded(tmp_path / "store") as store,
            served(tmp_path, settings={"redis_url": store.url or ""}) as at_town,
        ):
            token = await at_town.rider()
            quotes = (await at_town.call("POST", "/v1/quotes", at_town.journey(), token=token)).json()
            take = {"quote": quotes["offers"][0]["quote"]}
            os.kill(store.pid, signal.SIGSTOP)
            try:
                looks = [
                    f"/v1/operator{path}" for path in (f"/state?at={quote(local(7.5 * 3600))}", "/days", "/kpis/before")
                ]
                calls = [("GET", path, None, at_town.token("operator")) for path in looks]
                calls.append(("POST", "/v1/bookings", take, token))
                found = await asyncio.gather(
                    *(at_town.call(*call, token=who, Idempotency_Key="k") for *call, who in calls)
                )
            finally:
                os.kill(store.pid, signal.SIGCONT)
            for (_, path, *_), down in zip(calls, found, strict=True):
                assert told(down) in ("store_down", "starting", "not_leader"), path
                assert down.status_code == 503
                assert int(down.headers["retry-after"]) >= 1
            await at_town.live.dispatcher.until_ready(30)
            for _ in range(50):
                again = await at_town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="k")
                if again.status_code != 503:
                    break
                await asyncio.sleep(0.1)
            assert again.status_code == 201, again.text
            assert [ride.state for ride in at_town.live.world.rides.values()] == ["booked"]

    asyncio.run(story())


def test_a_map_that_is_not_that_of_the_log_is_not_served(tmp_path: Path) -> None:
    """The open day goes on with its own stop points, or not at all: ready says why."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            await at_town.booked(await at_town.rider())
        _, area, _ = town()
        fewer = replace(area.places, ids=area.places.ids[:-1], nodes=area.places.nodes[:-1], stops=area.stops[:-1])
        other = replace(area, places=fewer)
        with pytest.raises(TimeoutError, match="not those of the log of 2026-03-03"):
            async with served(tmp_path, zone=(other, other.roads()), ready_s=3):
                pass

    asyncio.run(story())


def test_settings_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message with the variable's name; a port that is taken; a key that is too short or not whole."""
    for name, value in (("NARU_PORT", "many"), ("NARU_COMING_DAYS", "30"), ("NARU_SMTP_SECURITY", "a little")):
        with monkeypatch.context() as patch:
            patch.setenv(name, value)
            with pytest.raises(InputError, match=name):
                read_settings()
    with pytest.raises(InputError, match="NARU_TOKEN_KEY"):
        read_keys(read_settings(data_dir=tmp_path, token_key="short"))
    (tmp_path / "token.key").write_text("half")
    with pytest.raises(InputError, match=r"token\.key"):
        read_keys(read_settings(data_dir=tmp_path))
    (tmp_path / "token.key").unlink()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = Settings(data_dir=tmp_path, port=taken.getsockname()[1])
        with pytest.raises(InputError, match="cannot be listened on"):
            commands.serve(town()[1], settings)
