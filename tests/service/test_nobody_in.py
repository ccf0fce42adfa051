"""Who gets in: every route × no token, expired, another audience, alg=none, foreign keys, another zone, each role.

And another rider or driver. A route without a row here fails the test.
"""

from __future__ import annotations

import asyncio
import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest

from dispatch.service.auth import ROLES
from tests.service.towns import KEYS, served

ANYBODY = frozenset[str]()
RIDERS = frozenset({"rider", "operator"})
STAFF = frozenset({"operator", "planner"})
R, D, O = frozenset({"rider"}), frozenset({"driver"}), frozenset({"operator"})  # noqa: E741

ROWS: dict[tuple[str, str], frozenset[str]] = {
    ("GET", "/health"): ANYBODY,
    ("GET", "/ready"): ANYBODY,
    ("GET", "/docs"): ANYBODY,
    ("GET", "/"): ANYBODY,
    ("GET", "/console"): ANYBODY,
    ("GET", "/planner"): ANYBODY,
    ("GET", "/driver"): ANYBODY,
    ("GET", "/rider"): ANYBODY,
    ("GET", "/rider/plain"): ANYBODY,
    ("GET", "/pages/{path:path}"): ANYBODY,
    ("GET", "/openapi.json"): ANYBODY,
    ("GET", "/v1/zone"): ANYBODY,
    ("GET", "/v1/stop-points"): ANYBODY,
    ("GET", "/v1/roads"): ANYBODY,
    ("GET", "/v1/push-key"): ANYBODY,
    ("POST", "/v1/sign-in/code"): ANYBODY,
    ("POST", "/v1/sign-in"): ANYBODY,
    ("POST", "/v1/driver/sign-in"): ANYBODY,
    ("GET", "/v1/reports/{result}"): ANYBODY,
    ("POST", "/v1/sign-in/development"): ANYBODY,
    ("GET", "/metrics"): STAFF,
    ("GET", "/v1/me"): R,
    ("PUT", "/v1/me"): R,
    ("DELETE", "/v1/me"): R,
    ("GET", "/v1/me/export"): R,
    ("GET", "/v1/me/push-subscriptions"): R,
    ("POST", "/v1/me/push-subscriptions"): R,
    ("DELETE", "/v1/me/push-subscriptions/{device}"): R,
    ("POST", "/v1/quotes"): RIDERS,
    ("POST", "/v1/bookings"): RIDERS,
    ("POST", "/v1/requests/{request}/queue"): RIDERS,
    ("POST", "/v1/requests/{request}/decline"): RIDERS,
    ("GET", "/v1/rides"): RIDERS,
    ("GET", "/v1/rides/{ride}"): RIDERS,
    ("GET", "/v1/rides/{ride}/live"): RIDERS,
    ("GET", "/v1/rides/{ride}/track"): RIDERS,
    ("POST", "/v1/rides/{ride}/cancel"): RIDERS,
    ("POST", "/v1/rides/{ride}/return"): RIDERS,
    ("PUT", "/v1/rides/{ride}/rating"): RIDERS,
    ("POST", "/v1/rides/{ride}/complaints"): RIDERS,
    ("PUT", "/v1/rides/{ride}/payment"): RIDERS,
    ("GET", "/v1/complaints"): RIDERS,
    ("PATCH", "/v1/rides/{ride}"): RIDERS,
    ("GET", "/v1/terms"): RIDERS,
    ("GET", "/v1/recurring"): RIDERS,
    ("POST", "/v1/recurring"): RIDERS,
    ("GET", "/v1/recurring/{template}"): RIDERS,
    ("DELETE", "/v1/recurring/{template}"): RIDERS,
    ("POST", "/v1/recurring/{template}/skip"): RIDERS,
    ("POST", "/v1/recurring/{template}/unskip"): RIDERS,
    ("GET", "/v1/driver/shifts"): D,
    ("POST", "/v1/driver/shifts/{shift}/start"): D,
    ("POST", "/v1/driver/shifts/{shift}/end"): D,
    ("GET", "/v1/driver/shifts/{shift}/manifest"): D,
    ("GET", "/v1/driver/shifts/{shift}/way"): D,
    ("GET", "/v1/driver/shifts/{shift}/live"): D,
    ("POST", "/v1/driver/shifts/{shift}/positions"): D,
    ("POST", "/v1/driver/shifts/{shift}/events"): D,
    ("POST", "/v1/driver/shifts/{shift}/trouble"): D,
    ("POST", "/v1/driver/shifts/{shift}/break"): D,
    ("DELETE", "/v1/driver/shifts/{shift}/break"): D,
    ("POST", "/v1/driver/shifts/{shift}/break/end"): D,
    ("GET", "/v1/operator/state"): STAFF,
    ("GET", "/v1/operator/days"): STAFF,
    ("GET", "/v1/operator/live"): STAFF,
    ("GET", "/v1/operator/alerts"): STAFF,
    ("GET", "/v1/operator/kpis"): STAFF,
    ("GET", "/v1/operator/kpis/before"): STAFF,
    ("GET", "/v1/operator/shuttles/{shuttle}/way"): STAFF,
    ("POST", "/v1/operator/roads/meeting"): O,
    ("POST", "/v1/operator/results/{result}/link"): STAFF,
    ("GET", "/v1/operator/log"): STAFF,
    ("GET", "/v1/operator/log/export"): STAFF,
    ("GET", "/v1/operator/rides/{ride}"): O,
    ("POST", "/v1/operator/rides/{ride}/assign"): O,
    ("POST", "/v1/operator/rides/{ride}/lock"): O,
    ("POST", "/v1/operator/rides/{ride}/unlock"): O,
    ("PUT", "/v1/operator/rides/{ride}/payment"): O,
    ("POST", "/v1/operator/shuttles/{shuttle}/withdraw"): O,
    ("POST", "/v1/operator/pause"): O,
    ("POST", "/v1/operator/resume"): O,
    ("POST", "/v1/operator/roads/close"): O,
    ("POST", "/v1/operator/roads/reopen"): O,
    ("GET", "/v1/operator/roads/closed"): STAFF,
    ("GET", "/v1/operator/policy"): STAFF,
    ("PUT", "/v1/operator/policy"): O,
    ("POST", "/v1/operator/messages"): O,
    ("GET", "/v1/operator/complaints"): O,
    ("POST", "/v1/operator/complaints/{complaint}/answer"): O,
    ("POST", "/v1/operator/riders"): O,
    ("GET", "/v1/operator/drivers"): O,
    ("PUT", "/v1/operator/drivers/{driver}"): O,
    ("DELETE", "/v1/operator/drivers/{driver}"): O,
    ("GET", "/v1/operator/shifts"): STAFF,
    ("POST", "/v1/operator/shifts"): O,
    ("PUT", "/v1/operator/shifts/{shift}"): O,
    ("POST", "/v1/operator/shifts/{shift}/close"): O,
    ("POST", "/v1/operator/shifts/{shift}/lend"): O,
    ("GET", "/v1/operator/loans"): STAFF,
    ("GET", "/v1/operator/stop-points"): STAFF,
    ("POST", "/v1/operator/stop-points"): O,
    ("PUT", "/v1/operator/stop-points/{stop}"): O,
    ("POST", "/v1/operator/stop-points/{stop}/close"): O,
    ("POST", "/v1/operator/stop-points/{stop}/open"): O,
    ("GET", "/v1/operator/trials"): STAFF,
    ("POST", "/v1/operator/trials"): STAFF,
    ("POST", "/v1/operator/trials/{trial}/stop"): STAFF,
    ("POST", "/v1/operator/shuttles/{shuttle}/clear"): O,
    ("POST", "/v1/operator/shuttles/{shuttle}/restore"): O,
    ("POST", "/v1/operator/rides/{ride}/forgive"): O,
    ("GET", "/v1/operator/rides/{ride}/spoken"): O,
    ("GET", "/v1/operator/results"): STAFF,
    ("GET", "/v1/operator/results/{result}/report"): STAFF,
}
OWN = frozenset({"{ride}", "{request}", "{shift}"})


def routes(app: Any) -> set[tuple[str, str]]:
    """All that can be called, however it came in; a route that is not in the description is found too."""
    found, left = set(), list(app.routes)
    while left:
        route = left.pop()
        if hasattr(route, "original_router"):
            left += route.original_router.routes
        elif hasattr(route, "routes"):
            left += route.routes
        else:
            found |= {(method, route.path) for method in route.methods - {"HEAD"}}
    described = {(method.upper(), path) for path, row in app.openapi()["paths"].items() for method in row}
    assert described <= found, "a route is included in a way that this test does not know"
    return found


def unsigned(claims: dict[str, Any]) -> str:
    """alg=none, by hand."""

    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'typ': 'JWT'})}.{part(claims)}."


def wrong_tokens(role: str) -> dict[str, str | None]:
    """Tokens that let nobody in, whatever the role they claim."""
    now = int(time.time())
    good = {"iss": "naru", "aud": "naru-api", "sub": "x", "role": role, "zone": "nauru", "iat": now, "exp": now + 99}
    key = KEYS.token
    return {
        "no token": None,
        "nonsense": "abc.def.ghi",
        "expired": jwt.encode({**good, "exp": now - 1}, key, "HS256"),
        "no end": jwt.encode({k: v for k, v in good.items() if k != "exp"}, key, "HS256"),
        "other audience": jwt.encode({**good, "aud": "else"}, key, "HS256"),
        "other issuer": jwt.encode({**good, "iss": "else"}, key, "HS256"),
        "alg=none": unsigned(good),
        "other key": jwt.encode(good, b"x" * 32, "HS256"),
        "other algorithm": jwt.encode(good, KEYS.token * 2, "HS512"),
        "no such role": jwt.encode({**good, "role": "root"}, key, "HS256"),
        "role of another kind": jwt.encode({**good, "role": ["operator"]}, key, "HS256"),
    }


def test_nobody_gets_in_where_they_may_not(tmp_path: Path) -> None:
    """The whole matrix, on a town in which the rides and shifts that are asked for exist."""

    async def story() -> None:
        async with served(tmp_path) as town:
            assert routes(town.app) == set(ROWS), "a route without a row, or a row without a route"
            mine = await town.rider("+674 555 0001")
            ride = (await town.booked(mine))["id"]
            shift = next(iter(town.live.world.shuttles))
            await town.driver(shift)
            names = {
                "ride": ride, "request": ride, "shift": shift, "shuttle": shift, "driver": "d-x", "complaint": "C1",
                "result": "r1", "template": "T1", "stop": "S000", "trial": "t1", "device": "d1",
            }  # fmt: skip
            wrong: list[str] = []
            for (method, path), allowed in ROWS.items():
                if allowed == ANYBODY:
                    continue
                url = path.format(**names)
                for what, token in wrong_tokens(next(iter(allowed))).items():
                    answer = await town.call(method, url, token=token)
                    if answer.status_code != 401 or "www-authenticate" not in answer.headers:
                        wrong.append(f"{method} {path}: {what}: {answer.status_code}")
                for role in ROLES:
                    other = await town.call(method, url, token=town.token(role, zone="elsewhere"))
                    if other.json()["code"] != "wrong_zone":
                        wrong.append(f"{method} {path}: {role} of another zone: {other.status_code}")
                    if role not in allowed:
                        answer = await town.call(method, url, token=town.token(role))
                        if answer.json()["code"] != "wrong_role":
                            wrong.append(f"{method} {path}: {role}: {answer.status_code}")
            assert not wrong, "\n".join(wrong)

    asyncio.run(story())


@pytest.mark.parametrize("role", ["rider", "driver"])
def test_a_rider_or_driver_meets_nothing_of_anothers(tmp_path: Path, role: str) -> None:
    """With a good token of one's own: whatever belongs to another does not exist."""

    async def story() -> None:
        async with served(tmp_path) as town:
            mine = await town.rider("+674 555 0001")
            ride = (await town.booked(mine))["id"]
            shift = next(iter(town.live.world.shuttles))
            await town.driver(shift)
            stranger = await town.rider("+674 555 0009") if role == "rider" else town.token("driver", "d-stranger")
            bodies: dict[str, Any] = {
                "rating": {"stars": 3}, "complaints": {"words": "x"}, "payment": {"reference": "abcd"}, "return": {},
                "events": {"events": [{"id": "1", "at": "2026-03-03T00:00:00Z", "kind": "departed"}]},
                "positions": {"positions": [{"at": "2026-03-03T00:00:00Z", "lat": 0, "lon": 0}]},
                "trouble": {"kind": "breakdown"}, "{ride}": {"seats": 2},
            }  # fmt: skip
            for (method, path), allowed in ROWS.items():
                if role in allowed and any(name in path for name in OWN):
                    url = path.format(ride=ride, request=ride, shift=shift)
                    answer = await town.call(method, url, bodies.get(path.rsplit("/", 1)[-1]), token=stranger)
                    assert answer.status_code == 404, f"{method} {path}: {answer.status_code} {answer.text}"

    asyncio.run(story())


def test_a_rider_may_not_name_another(tmp_path: Path) -> None:
    """`?rider=` is the operators'; they may not name who does not exist."""

    async def story() -> None:
        async with served(tmp_path) as town:
            await town.rider("+674 555 0001")
            other = await town.rider("+674 555 0002")
            named = await town.live.vault.rider_of("+6745550001")
            assert named is not None
            for method, path in (("GET", "/v1/rides"), ("POST", "/v1/quotes")):
                answer = await town.call(method, f"{path}?rider={named}", town.journey(), token=other)
                assert answer.json()["code"] == "wrong_role"
            desk = town.token("operator")
            assert (await town.call("GET", "/v1/rides", token=desk)).json()["code"] == "no_such_rider"
            assert (await town.call("GET", "/v1/rides?rider=r0", token=desk)).json()["code"] == "no_such_rider"
            assert (await town.call("GET", f"/v1/rides?rider={named}", token=desk)).status_code == 200

    asyncio.run(story())
