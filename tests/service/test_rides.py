"""A rider's way through the API: sign in, ask, book once, follow, cancel, rate; and what is refused, in which words."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dispatch.core import events as ev
from dispatch.core import invariants
from tests.service.towns import local, served


def test_a_rider_books_once_and_cancels(tmp_path: Path) -> None:
    """Asked, booked, the same tap again, another body with the same key, given back."""

    async def story() -> None:
        async with served(tmp_path) as town:
            token = await town.rider()
            quotes = await town.call("POST", "/v1/quotes", town.journey(), token=token)
            assert quotes.status_code == 201
            told = quotes.json()
            assert told["state"] == "offered"
            offer = told["offers"][0]
            assert offer["pickup_from"] <= offer["expected_pickup"] <= offer["pickup_to"]
            take = {"quote": offer["quote"]}
            first = await town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="tap")
            again = await town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="tap")
            assert (first.status_code, again.status_code) == (201, 201)
            assert first.json()["id"] == again.json()["id"] == told["request"]
            assert again.headers["Idempotent-Replayed"] == "true"
            booked = [e for e in town.live.ledger.entries if isinstance(e.event, ev.RideBooked)]
            assert len(booked) == 1
            other = (await town.call("POST", "/v1/quotes", town.journey(1), token=token)).json()["offers"][0]["quote"]
            reused = await town.call("POST", "/v1/bookings", {"quote": other}, token=token, Idempotency_Key="tap")
            assert reused.json()["code"] == "key_reused"
            twice = await town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="tap-2")
            assert twice.json()["code"] == "already_answered"
            ride = first.json()
            assert ride["code"].isdigit()
            assert ride["vehicle"] is not None
            given_back = await town.call("POST", f"/v1/rides/{ride['id']}/cancel", {}, token=token)
            assert given_back.json()["state"] == "cancelled"
            assert invariants.check([e.event for e in town.live.ledger.entries]) == []

    asyncio.run(story())


def test_what_cannot_be_asked_is_said_in_words(tmp_path: Path) -> None:
    """Each with its stable code."""

    async def story() -> None:
        async with served(tmp_path) as town:
            token = await town.rider()
            away = {"lat": 10.0, "lon": 10.0}
            cases = [
                ({**town.journey(), "to": {"stop": "nowhere"}}, "unknown_stop"),
                ({**town.journey(), "to": away}, "outside_zone"),
                (town.journey(0, 0), "same_place"),
                (town.journey(depart_after=local(3600)), "time_past"),
                (town.journey(arrive_by=local(3600)), "time_past"),
                (town.journey(depart_after=local(30 * 86_400)), "time_beyond"),
                (town.journey(depart_after=local(9 * 3600), arrive_by=local(9 * 3600)), "two_times"),
                (town.journey(seats=7), "party_too_large"),
                (town.journey(seats=1, wheelchairs=2), "too_many_wheelchairs"),
                (town.journey(seats=0), "invalid"),
                ({**town.journey(), "hobby": 1}, "invalid"),
            ]
            for body, code in cases:
                answer = await town.call("POST", "/v1/quotes", body, token=token)
                assert answer.json()["code"] == code, (body, answer.text)
                assert answer.headers["content-type"] == "application/problem+json"
                assert len(answer.json()["title"]) > 10
            take = {"quote": "abc"}
            forged = await town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="k")
            assert forged.json()["code"] == "bad_quote"
            assert (await town.call("POST", "/v1/bookings", take, token=token)).json()["code"] == "key_missing"

    asyncio.run(story())


def test_a_quote_expires_and_the_request_has_its_answer(tmp_path: Path) -> None:
    """Nobody takes it: declined in time, and too late to book then."""

    async def story() -> None:
        async with served(tmp_path) as town:
            token = await town.rider()
            quotes = (await town.call("POST", "/v1/quotes", town.journey(), token=token)).json()
            for _ in range(20):
                await town.pass_time(6)
                await asyncio.sleep(0.05)
            ride = (await town.call("GET", f"/v1/rides/{quotes['request']}", token=token)).json()
            assert ride["state"] == "declined"
            take = {"quote": quotes["offers"][0]["quote"]}
            late = await town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="k")
            assert late.status_code == 410
            assert late.json()["code"] == "quote_expired"
            assert invariants.check([e.event for e in town.live.ledger.entries]) == []

    asyncio.run(story())


def test_nobody_sees_or_takes_what_is_anothers(tmp_path: Path) -> None:
    """Another's quote, ride, tracking, complaint: it does not exist."""

    async def story() -> None:
        async with served(tmp_path) as town:
            mine, other = await town.rider("+674 555 0001"), await town.rider("+674 555 0002")
            quotes = (await town.call("POST", "/v1/quotes", town.journey(), token=mine)).json()
            take = {"quote": quotes["offers"][0]["quote"]}
            stolen = await town.call("POST", "/v1/bookings", take, token=other, Idempotency_Key="k")
            assert stolen.json()["code"] == "not_your_quote"
            ride = (await town.call("POST", "/v1/bookings", take, token=mine, Idempotency_Key="k")).json()["id"]
            for method, path, body in (
                ("GET", f"/v1/rides/{ride}", None),
                ("GET", f"/v1/rides/{ride}/track", None),
                ("GET", f"/v1/rides/{ride}/live", None),
                ("POST", f"/v1/rides/{ride}/cancel", {}),
                ("POST", f"/v1/rides/{ride}/complaints", {"words": "x"}),
                ("POST", f"/v1/rides/{ride}/return", {}),
                ("PUT", f"/v1/rides/{ride}/rating", {"stars": 1}),
                ("PUT", f"/v1/rides/{ride}/payment", {"reference": "abcd"}),
            ):
                answer = await town.call(method, path, body, token=other)
                assert (answer.status_code, answer.json()["code"]) == (404, "no_such_ride"), path
            assert (await town.call("GET", "/v1/rides", token=other)).json() == []

    asyncio.run(story())


def test_my_data_can_be_had_and_deleted(tmp_path: Path) -> None:
    """The log stays whole, the name is gone, the booking is given back."""

    async def story() -> None:
        async with served(tmp_path) as town:
            token = await town.rider()
            await town.call("PUT", "/v1/me", {"name": "Aiko 🚌", "address": "Yaren", "age_group": "65+"}, token=token)
            ride = await town.booked(token)
            request = town.live.world.rides[ride["id"]].request
            assert (request.age, request.channel) == ("65+", "app")
            await town.call("POST", f"/v1/rides/{ride['id']}/complaints", {"words": "late"}, token=token)
            kept = (await town.call("GET", "/v1/me/export", token=token)).json()
            assert kept["kept"]["person"]["name"] == "Aiko 🚌"
            assert [r["id"] for r in kept["rides"]] == [ride["id"]]
            rider = request.rider or ""
            assert (await town.live.vault.standing(rider)) == ([], "65+")
            assert (await town.call("DELETE", "/v1/me", token=token)).status_code == 200
            assert await town.live.vault.standing(rider) is None
            assert not await town.live.redis.hexists(town.live.vault._key("ages"), rider)
            assert (await town.call("GET", "/v1/me", token=token)).json()["code"] == "no_such_rider"
            assert (await town.call("POST", "/v1/quotes", town.journey(), token=token)).json()[
                "code"
            ] == "no_such_rider"
            desk = town.token("operator")
            assert (await town.call("GET", "/v1/operator/complaints", token=desk)).json()[0]["words"] is None
            state = (await town.call("GET", f"/v1/operator/rides/{ride['id']}", token=desk)).json()
            assert state["ride"]["state"] == "cancelled"
            assert state["name"] is None
            log = (await town.call("GET", "/v1/operator/log/export", token=desk)).text
            assert "Aiko" not in log
            assert "555" not in log

    asyncio.run(story())


def test_sign_in_codes_are_for_one_time_and_few_tries(tmp_path: Path) -> None:
    """And in production they are told to nobody."""

    async def story() -> None:
        async with served(tmp_path, settings={"development": False}) as town:
            sent = await town.call("POST", "/v1/sign-in/code", {"phone": "+674 555 0001"})
            assert sent.json()["development_code"] is None
            assert "x-naru-development" not in sent.headers
        async with served(tmp_path) as town:
            phone = "+674 555 0003"
            code = (await town.call("POST", "/v1/sign-in/code", {"phone": phone})).json()["development_code"]
            wrong = f"{(int(code) + 1) % 10**6:06}"
            for _ in range(5):
                tried = await town.call("POST", "/v1/sign-in", {"phone": phone, "code": wrong})
                assert tried.json()["code"] == "wrong_code"
            tried = await town.call("POST", "/v1/sign-in", {"phone": phone, "code": code})
            assert tried.json()["code"] == "wrong_code"  # the right one, too late
            for _ in range(4):
                await town.call("POST", "/v1/sign-in/code", {"phone": phone})
            assert (await town.call("POST", "/v1/sign-in/code", {"phone": phone})).status_code == 429

    asyncio.run(story())


def test_a_ride_can_be_followed(tmp_path: Path) -> None:
    """The first frame comes at once; the stream ends with the ride."""

    async def story() -> None:
        async with served(tmp_path) as town:
            token = await town.rider()
            ride = await town.booked(token)

            async def lines() -> list[str]:
                # without a socket the whole answer comes at once, when the stream has ended
                path = f"/v1/rides/{ride['id']}/live"
                return (await town.call("GET", path, token=token)).text.splitlines()

            following = asyncio.create_task(lines())
            await asyncio.sleep(0.3)
            await town.call("POST", f"/v1/rides/{ride['id']}/cancel", {}, token=token)
            got = await asyncio.wait_for(following, 10)
            states = [line for line in got if line.startswith("data: ")]
            assert '"state":"booked"' in states[0]
            assert '"shuttle":{"lat":' in states[0]
            assert '"state":"cancelled"' in states[-1]
            assert '"shuttle":null' in states[-1]

    asyncio.run(story())
