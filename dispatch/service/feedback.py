"""After a ride: stars, complaints and their answers, payments by reference. Words lie in the vault; counts do not."""

from __future__ import annotations

import json
from typing import Any, Literal

from dispatch.service.live import Live
from dispatch.service.models import ComplaintSaid
from dispatch.service.problems import Problem

Payment = Literal["none", "due", "paid", "refunded"]


async def rate(live: Live, rider: str, ride: str, stars: int, words: str | None) -> None:
    """Keep a rating; the words with the rider's own things."""
    redis: Any = live.redis
    await redis.hset(_key(live, "ratings"), ride, stars)
    if words is not None:
        await live.vault.put(rider, f"rating:{ride}", {"stars": stars, "words": words})


async def ratings(live: Live) -> dict[str, int]:
    """Stars of each rated ride."""
    redis: Any = live.redis
    return {str(ride, "ascii"): int(stars) for ride, stars in (await redis.hgetall(_key(live, "ratings"))).items()}


async def complain(live: Live, rider: str, ride: str, name: str, words: str) -> ComplaintSaid:
    """Keep a complaint under a name of its own."""
    at = live.moments.zero_utc + live.now
    kept = {"ride": ride, "rider": rider, "utc": at, "state": "open"}
    await live.vault.put(rider, f"complaint:{name}", {"words": words, "answer": None})
    redis: Any = live.redis
    await redis.hset(_key(live, "complaints"), name, json.dumps(kept))
    return await _said(live, name, kept)


async def complaints(live: Live) -> list[tuple[str, ComplaintSaid]]:
    """(rider, complaint), latest first."""
    redis: Any = live.redis
    found = [
        (str(name, "ascii"), json.loads(kept)) for name, kept in (await redis.hgetall(_key(live, "complaints"))).items()
    ]
    found.sort(key=lambda pair: (-pair[1]["utc"], pair[0]))
    return [(kept["rider"], await _said(live, name, kept)) for name, kept in found]


async def about(live: Live, name: str) -> tuple[str, str]:
    """(rider, ride) of a complaint. Raises Problem `no_such_complaint`."""
    kept = await _kept(live, name)
    return kept["rider"], kept["ride"]


async def answer(live: Live, name: str, words: str) -> ComplaintSaid:
    """Answer a complaint. Raises Problem `no_such_complaint`."""
    kept = {**await _kept(live, name), "state": "answered"}
    written = await live.vault.get(kept["rider"], f"complaint:{name}")
    if written is not None:
        await live.vault.put(kept["rider"], f"complaint:{name}", {**written, "answer": words})
    redis: Any = live.redis
    await redis.hset(_key(live, "complaints"), name, json.dumps(kept))
    return await _said(live, name, kept)


async def _kept(live: Live, name: str) -> dict[str, Any]:
    redis: Any = live.redis
    found = await redis.hget(_key(live, "complaints"), name)
    if found is None:
        raise Problem("no_such_complaint")
    kept: dict[str, Any] = json.loads(found)
    return kept


async def _said(live: Live, name: str, kept: dict[str, Any]) -> ComplaintSaid:
    written = await live.vault.get(kept["rider"], f"complaint:{name}") or {}
    return ComplaintSaid(
        id=name,
        ride=kept["ride"],
        at=live.moments.told(kept["utc"] - live.moments.zero_utc),
        state=kept["state"],
        words=written.get("words"),
        answer=written.get("answer"),
    )


async def pay(live: Live, ride: str, state: Payment, reference: str) -> None:
    """Tie a payment's reference and state to a ride."""
    redis: Any = live.redis
    await redis.hset(_key(live, "payments"), ride, json.dumps({"state": state, "reference": reference}))


async def of_ride(live: Live, ride: str) -> tuple[Payment, int | None]:
    """State of a ride's payment, and the stars that its rider gave."""
    redis: Any = live.redis
    async with redis.pipeline(transaction=False) as pipe:
        pipe.hget(_key(live, "payments"), ride)
        pipe.hget(_key(live, "ratings"), ride)
        found, stars = await pipe.execute()
    state: Payment = "none" if found is None else json.loads(found)["state"]
    return state, None if stars is None else int(stars)


def _key(live: Live, what: str) -> str:
    return f"{{{live.area.name}}}:{what}"
