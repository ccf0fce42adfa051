"""Whatever an operator does is in the log with author and reason; what people write is not."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import msgspec

from dispatch.core import events as ev
from tests.service.test_changes import judged
from tests.service.test_drivers import go_on_until, manifest, tell
from tests.service.test_nobody_in import ROWS
from tests.service.test_trials import planned
from tests.service.towns import Served, local, served

OWN = "/v1/operator"
NEW_PIN = "97531"
NO_ACTS = {
    ("POST", "/v1/operator/roads/meeting"): "looks which streets a line meets",
    ("POST", "/v1/operator/results/{result}/link"): "makes an address for a report",
}
TO_ACT = {(method, path) for (method, path), who in ROWS.items() if "operator" in who and method != "GET"}


class Desk:
    """An operator, of whose every call the log has to tell."""

    def __init__(self, at_town: Served) -> None:
        self.at_town = at_town
        self.taken: set[tuple[str, str]] = set()
        self.token = at_town.token("operator", "mina")

    async def act(
        self,
        told: list[str],
        method: str,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        rider: str | None = None,
        **names: str,
    ) -> Any:
        """One call by a route's path. `told` are patterns of what the log then tells, by this operator and reason."""
        number, live = len(self.taken), self.at_town.live
        own, before, url = path.startswith("/v1/operator"), live.ledger.seq, path.format(**names)
        reason = f"reason {number}" if own else "by phone"
        if own and method == "DELETE":
            url += f"?reason={reason}"
        elif own:
            body = {**(body or {}), "reason": reason}
        else:
            url += f"?rider={rider}"
        answer = await self.at_town.call(method, url, body, token=self.token, Idempotency_Key=f"key-{live.ledger.seq}")
        assert answer.status_code < 300, f"{method} {url}: {answer.text}"
        new: list[Any] = [entry.event for entry in live.ledger.entries[before:]]
        acts = [event for event in new if getattr(event, "author", "")]
        assert {(event.author, event.reason) for event in acts} == {("mina", reason)}, f"{method} {path}"
        found = [_told(event) for event in acts]
        assert len(found) == len(told), f"{method} {path}: {found}"
        assert all(map(fnmatch, found, told)), f"{method} {path}: {found}"
        self.taken.add((method, path))
        return answer.json()


def _told(event: Any) -> str:
    if not isinstance(event, ev.ActTaken):
        return type(event).__name__
    return ":".join(filter(None, (event.act, event.about, event.made)))


def test_every_act_is_in_the_log(tmp_path: Path) -> None:
    """Each route that an operator may call and that changes something; a route without a step fails."""

    async def story() -> None:
        async with served(tmp_path) as at_town:
            desk = Desk(at_town)
            phone, name, words = "+674 555 0007", "Halmeoni", "umbrella lost"
            asked = {"phone": phone, "name": name}
            rider = (await desk.act(["rider:r*"], "POST", f"{OWN}/riders", asked))["rider"]
            ride, complaint = await for_a_rider(desk, rider, words)
            await on_the_road(desk, rider, ride, complaint, words)
            await in_the_zone(desk, rider, words, tmp_path)
            assert TO_ACT - set(NO_ACTS) - desk.taken == set(), "no step here takes these acts"
            log = (await at_town.call("GET", f"{OWN}/log/export", token=desk.token)).content
            for secret in (phone.replace(" ", ""), phone, name, words, NEW_PIN):
                assert secret.encode() not in log
            judged(at_town)
            told = [one for one in at_town.live.ledger.entries if isinstance(one.event, ev.ActTaken)]
            assert {one.event.about for one in told} >= {rider, complaint}  # type: ignore[union-attr]

    asyncio.run(story())


async def for_a_rider(desk: Desk, rider: str, words: str) -> tuple[str, str]:
    """What is done for a rider on the telephone; returns a ride that was driven, and what was complained of it."""
    act, at_town, whose = desk.act, desk.at_town, {"rider": rider}

    async def quotes(journey: dict[str, Any]) -> Any:
        return await act(["book"], "POST", "/v1/quotes", journey, **whose)

    first = await quotes(at_town.journey())
    ride = await act(["book"], "POST", "/v1/bookings", {"quote": first["offers"][0]["quote"]}, **whose)
    await act(
        ["book"], "POST", "/v1/rides/{ride}/return", {"depart_after": local(8.2 * 3600)}, ride=ride["id"], **whose
    )
    refused = (await quotes(at_town.journey(3)))["request"]
    await act(["decline"], "POST", "/v1/requests/{request}/decline", request=refused, **whose)
    refused = (await quotes(at_town.journey(4)))["request"]
    await act(["queue"], "POST", "/v1/requests/{request}/queue", request=refused, **whose)
    later = await quotes(at_town.journey(depart_after=local(9 * 3600)))
    later = await act(["book"], "POST", "/v1/bookings", {"quote": later["offers"][0]["quote"]}, **whose)
    later = await act(["change"], "PATCH", "/v1/rides/{ride}", {"seats": 2}, ride=later["id"], **whose)
    await act(["cancel"], "POST", "/v1/rides/{ride}/cancel", ride=later["id"], **whose)

    weekly = {**at_town.journey(5), "weekdays": ["sun"], "depart_at": "10:00"}
    made = (await act(["recurring:*:begun"], "POST", "/v1/recurring", weekly, **whose))["id"]
    one = {"template": made, **whose}
    sunday = {"date": "2026-03-08"}
    await act([f"recurring:{made}:not on 2026-03-08"], "POST", "/v1/recurring/{template}/skip", sunday, **one)
    await act([f"recurring:{made}:on 2026-03-08"], "POST", "/v1/recurring/{template}/unskip", sunday, **one)
    await act([f"recurring:{made}:ended"], "DELETE", "/v1/recurring/{template}", **one)

    await carry(at_town, ride["id"])
    his = {"ride": ride["id"], **whose}
    await act(["rate"], "PUT", "/v1/rides/{ride}/rating", {"stars": 2, "words": words}, **his)
    await act(["payment:cash-1"], "PUT", "/v1/rides/{ride}/payment", {"reference": "cash-1"}, **his)
    complaint = await act(["complaint:*"], "POST", "/v1/rides/{ride}/complaints", {"words": words}, **his)
    return ride["id"], complaint["id"]


async def on_the_road(desk: Desk, rider: str, driven: str, complaint: str, words: str) -> None:
    """Rides, shuttles and shifts."""
    act, at_town = desk.act, desk.at_town
    quotes = await act(["book"], "POST", "/v1/quotes", at_town.journey(depart_after=local(9 * 3600)), rider=rider)
    taken = {"quote": quotes["offers"][0]["quote"]}
    ride = {"ride": (await act(["book"], "POST", "/v1/bookings", taken, rider=rider))["id"]}
    of_ride, of_shuttle, of_shift = (
        f"{OWN}/{what}" for what in ("rides/{ride}", "shuttles/{shuttle}", "shifts/{shift}")
    )
    await act(["assign"], "POST", f"{of_ride}/assign", **ride)
    await act(["lock"], "POST", f"{of_ride}/lock", **ride)
    await act(["unlock"], "POST", f"{of_ride}/unlock", **ride)
    shuttle = {"shuttle": at_town.live.world.rides[ride["ride"]].shuttle or ""}
    await act(["clear", "assign"], "POST", f"{of_shuttle}/clear", **shuttle)
    await act(["withdraw"], "POST", f"{of_shuttle}/withdraw", **shuttle)
    await act(["restore"], "POST", f"{of_shuttle}/restore", **shuttle)
    await act(["cancel"], "POST", "/v1/rides/{ride}/cancel", rider=rider, **ride)
    await act(["forgive"], "POST", f"{of_ride}/forgive", **ride)
    paid = {"state": "refunded", "reference": "card-77"}
    await act(["payment:card-77:refunded"], "PUT", f"{of_ride}/payment", paid, ride=driven)
    said = {"words": words}
    answered = f"complaint:{complaint}:answered"
    await act([answered], "POST", f"{OWN}/complaints/{{complaint}}/answer", said, complaint=complaint)
    stop, hour = at_town.live.area.stops[0].id, 3600
    more = {"vehicle": "spare", "start": local(9 * hour), "end": local(10 * hour), "seats": 8, "at_stop": stop}
    await act(["open_shift"], "POST", f"{OWN}/shifts", more)
    await act(["change_shift"], "PUT", of_shift, {"end": local(9.5 * hour)}, shift="spare")
    loan = {"zone": "namdong", "start": local(9.1 * hour), "end": local(9.2 * hour), "at_stop": stop}
    await act(["lend"], "POST", f"{of_shift}/lend", loan, shift="spare")
    await act(["close_shift"], "POST", f"{of_shift}/close", shift="spare")


async def in_the_zone(desk: Desk, rider: str, words: str, folder: Path) -> None:
    """Rules, streets, stop points, trials, drivers."""
    act, stops = desk.act, desk.at_town.live.area.stops
    await act(["pause"], "POST", f"{OWN}/pause")
    await act(["resume"], "POST", f"{OWN}/resume")
    await act(["RoadClosed"], "POST", f"{OWN}/roads/close", {"edges": [0]})
    await act(["RoadReopened"], "POST", f"{OWN}/roads/reopen", {"edges": [0]})
    await act(["PolicyChanged"], "PUT", f"{OWN}/policy", {"changes": {"max_wait_s": 900}})
    tomorrow = local(86_400 + 9 * 3600)
    await act([f"policy:{tomorrow}"], "PUT", f"{OWN}/policy", {"changes": {"max_wait_s": 800}, "from_at": tomorrow})
    await act([f"message:{rider}"], "POST", f"{OWN}/messages", {"rider": rider, "words": words})
    market = {"stop": "market", "name": "M", "lat": stops[4].lat, "lon": stops[4].lon}
    await act(["edit_stop:market:add, from 2026-03-04 on"], "POST", f"{OWN}/stop-points", market)
    stop = {"stop": stops[1].id}
    renamed = f"edit_stop:{stops[1].id}:rename, from 2026-03-04 on"
    await act([renamed], "PUT", f"{OWN}/stop-points/{{stop}}", {"name": "N"}, **stop)
    await act(["close_stop"], "POST", f"{OWN}/stop-points/{{stop}}/close", **stop)
    await act(["open_stop"], "POST", f"{OWN}/stop-points/{{stop}}/open", **stop)
    trial = {"name": "waits", "plan": msgspec.json.decode(msgspec.json.encode(planned(folder)[1]))}
    await act(["trial:waits:begun"], "POST", f"{OWN}/trials", trial)
    await act(["trial:waits:stopped"], "POST", f"{OWN}/trials/{{trial}}/stop", trial="waits")
    await desk.at_town.pass_time(1)  # the file's rules come into force again
    of_driver = f"{OWN}/drivers/{{driver}}"
    await act(["driver:jun:new"], "PUT", of_driver, {"pin": NEW_PIN}, driver="jun")
    await act(["driver:jun:new PIN"], "PUT", of_driver, {"pin": NEW_PIN}, driver="jun")
    await act(["drop_driver:jun"], "DELETE", of_driver, driver="jun")


async def carry(at_town: Served, ride: str) -> None:
    """Somebody drives a ride, from the first stop to the last."""
    shift = at_town.live.world.rides[ride].shuttle
    assert shift is not None
    driver = await at_town.driver(shift)
    while at_town.live.world.rides[ride].state != "delivered":
        stop = (await manifest(at_town, driver, shift))["stops"][0]
        if not stop["here"]:
            await go_on_until(at_town, stop["leave_at"])
            assert await tell(at_town, driver, shift, {"kind": "departed"}) == ["counted"]
            await go_on_until(at_town, (await manifest(at_town, driver, shift))["drive"]["arrive_at"])
        await go_on_until(at_town, stop["begin_at"])
        kind, who = ("boarded", stop["boarding"]) if stop["boarding"] else ("alighted", stop["alighting"])
        assert await tell(at_town, driver, shift, {"kind": kind, "ride": who[0]["ride"]}) == ["counted"]
