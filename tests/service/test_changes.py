"""A booking changed: in one step, or not at all; the way back with the way there; terms of rides that are missed."""

from __future__ import annotations

import asyncio
from pathlib import Path

from dispatch.core import events as ev
from dispatch.core import invariants
from simulator.replay import Recorded, desk_on, replay
from tests.service.towns import Served, local, served, town


def judged(at_town: Served) -> None:
    """The log so far is clean, and its decisions are made again to the byte."""
    events = [entry.event for entry in at_town.live.ledger.entries]
    assert invariants.check(events, at_town.live.dispatcher.zone.times) == []
    opened = events[0]
    assert isinstance(opened, ev.DayOpened)
    again = replay(Recorded(Path("log"), events), desk_on(town()[1].network, opened))
    assert again.difference is None, str(again.difference)
    assert again.events == len(events)


def states(at_town: Served) -> dict[str, str]:
    return {name: ride.state for name, ride in at_town.live.world.rides.items()}


def test_a_booking_is_changed_in_one_step(tmp_path: Path) -> None:
    """Another time, party and place; the same tap again; what cannot be stays as it was, and says why."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token, other = await at_town.rider(), await at_town.rider("+674 555 0002")
            ride = await at_town.booked(token)
            path = f"/v1/rides/{ride['id']}"
            ask = {"depart_after": local(8.5 * 3600), "seats": 2}
            assert (await at_town.call("PATCH", path, ask, token=token)).json()["code"] == "key_missing"
            assert (await at_town.call("PATCH", path, ask, token=other, Idempotency_Key="c")).status_code == 404
            assert (await at_town.call("PATCH", path, {}, token=token, Idempotency_Key="c")).status_code == 422
            changed = await at_town.call("PATCH", path, ask, token=token, Idempotency_Key="c")
            assert changed.status_code == 200, changed.text
            told = changed.json()
            assert (told["state"], told["seats"], told["instead_of"]) == ("booked", 2, ride["id"])
            assert told["pickup_from"] >= "2026-03-03T08:30"
            again = await at_town.call("PATCH", path, ask, token=token, Idempotency_Key="c")
            assert (again.json()["id"], again.headers["Idempotent-Replayed"]) == (told["id"], "true")
            assert states(at_town) == {ride["id"]: "cancelled", told["id"]: "booked"}
            before = (await at_town.call("GET", path, token=token)).json()
            assert before["changed_to"] == told["id"]
            late = await at_town.call("PATCH", path, {"seats": 1}, token=token, Idempotency_Key="d")
            assert late.json()["code"] == "too_late_to_change"
            path = f"/v1/rides/{told['id']}"
            # nobody works at three in the night
            never = {"depart_after": local(27 * 3600)}
            refused = await at_town.call("PATCH", path, never, token=token, Idempotency_Key="e")
            assert (refused.status_code, refused.json()["code"]) == (409, "change_not_possible")
            assert refused.json()["why"]["code"] is not None
            still = (await at_town.call("GET", path, token=token)).json()
            assert {**still, "expected_pickup": 0, "expected_arrival": 0} == {
                **told, "expected_pickup": 0, "expected_arrival": 0
            }  # fmt: skip
            for body, code in (
                ({"from": {"stop": "nowhere"}}, "unknown_stop"), ({"depart_after": local(3600)}, "time_past"),
                ({"seats": 7}, "party_too_large"), ({"wheelchairs": 5}, "too_many_wheelchairs"),
                ({"depart_after": local(9 * 3600), "arrive_by": local(9 * 3600)}, "two_times"),
                ({"to": {"stop": at_town.live.area.stops[0].id}}, "same_place"),
            ):  # fmt: skip
                answer = await at_town.call("PATCH", path, body, token=token, Idempotency_Key=code)
                assert answer.json()["code"] == code, answer.text
            stops = at_town.live.area.stops
            moved = {"to": {"stop": stops[5].id}, "arrive_by": local(9.5 * 3600)}
            changed = await at_town.call("PATCH", path, moved, token=token, Idempotency_Key="f")
            assert changed.json()["dropoff"]["id"] == stops[5].id
            judged(at_town)
            desk = at_town.token("operator")
            kpis = (await at_town.call("GET", "/v1/operator/kpis", token=desk)).json()
            assert (kpis["attempts"], kpis["cancelled"]) == (1, 0)
            ride = changed.json()
            for language, there in (("en", "is booked"), ("ko", "예약되었습니다")):
                path = f"/v1/operator/rides/{ride['id']}/spoken?language={language}"
                words = (await at_town.call("GET", path, token=desk)).json()["words"]
                assert there in words
                assert " ".join(ride["code"]) in words
            terms = (await at_town.call("GET", "/v1/terms", token=token)).json()
            assert (terms["missed"], terms["suspended_until"]) == (0, None)

    asyncio.run(story())


def test_the_seat_that_a_change_gives_back_counts(tmp_path: Path) -> None:
    """A full shuttle's rider moves by a few minutes: their own seats are free for it."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token = await at_town.rider()
            rides = []
            for n in range(12):
                quotes = (await at_town.call("POST", "/v1/quotes", at_town.journey(seats=6), token=token)).json()
                if quotes["state"] != "offered":
                    break
                take = {"quote": quotes["offers"][0]["quote"]}
                answer = await at_town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key=f"k{n}")
                rides.append(answer.json()["id"])
            assert rides
            full = (await at_town.call("POST", "/v1/quotes", at_town.journey(seats=6), token=token)).json()
            assert full["state"] != "offered"
            ask = {"depart_after": local(7.5 * 3600 + 60)}
            changed = await at_town.call("PATCH", f"/v1/rides/{rides[-1]}", ask, token=token, Idempotency_Key="c")
            assert changed.status_code == 200, changed.text
            judged(at_town)

    asyncio.run(story())


def test_the_way_back_is_booked_with_the_way_there(tmp_path: Path) -> None:
    """Both, or neither."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            token = await at_town.rider()
            asked = at_town.journey(return_after=local(9.5 * 3600))
            quotes = (await at_town.call("POST", "/v1/quotes", asked, token=token)).json()
            there, back = quotes["offers"][0], quotes["back"]["offers"][0]
            assert back["pickup"]["id"] == there["dropoff"]["id"]
            assert back["pickup_from"] >= "2026-03-03T09:30"
            take = {"quote": there["quote"], "back": back["quote"]}
            same = {"quote": there["quote"], "back": there["quote"]}
            twice = await at_town.call("POST", "/v1/bookings", same, token=token, Idempotency_Key="x")
            assert twice.json()["code"] == "bad_quote"
            booked = await at_town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="k")
            assert booked.status_code == 201, booked.text
            assert booked.json()["back"]["state"] == "booked"
            assert set(states(at_town).values()) == {"booked"}
            # the way there is given to somebody else meanwhile: the way back is not booked alone
            quotes = (await at_town.call("POST", "/v1/quotes", asked, token=token)).json()
            take = {"quote": quotes["offers"][0]["quote"], "back": quotes["back"]["offers"][0]["quote"]}
            await at_town.call("POST", f"/v1/requests/{quotes['back']['request']}/decline", token=token)
            neither = await at_town.call("POST", "/v1/bookings", take, token=token, Idempotency_Key="k2")
            assert neither.json()["code"] == "quote_expired"
            assert states(at_town)[quotes["request"]] == "asked"
            early = at_town.journey(depart_after=local(9 * 3600), return_after=local(8 * 3600))
            assert (await at_town.call("POST", "/v1/quotes", early, token=token)).json()["code"] == "back_before"
            judged(at_town)

    asyncio.run(story())
