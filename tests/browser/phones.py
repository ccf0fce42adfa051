"""Riders and drivers with telephones in a town whose clock is stepped; and what they do beside the page under test."""

from __future__ import annotations

import datetime as dt
import itertools
import re
import secrets
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Page

from tests.browser.relay import Relay
from tests.browser.served import Service

if TYPE_CHECKING:
    from tests.browser.conftest import Watched

PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
KOREAN, ENGLISH = {"locale": "ko-KR"}, {"locale": "en-GB"}
PIN = "2468"
CORPUS = (
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "javascript:alert(1)",
    "{{constructor.constructor('alert(1)')()}}",
    "<svg/onload=alert(1)>",
    "'; DROP TABLE riders; --",
    "مرحبا \u202eabc\u202c",
    "👩🏽‍🦽 Zoë 김하나",
)
"""names and notes that a page may only ever show as text"""
_phones = itertools.count(10_000_000)
_keys = itertools.count()


class Town:
    """The island, its clock stepped by the tests; riders and drivers as the API knows them."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self._drivers: dict[str, str] = {}

    def now(self) -> dt.datetime:
        """The service's time."""
        return dt.datetime.fromisoformat(self.service.call("GET", "/v1/zone", token="")["now"])

    def step(self, seconds: float, *, tick: bool = False) -> None:
        """Let time pass."""
        to = self.now() + dt.timedelta(seconds=seconds)
        self.service.call("POST", "/v1/clock", {"to": to.isoformat(), "tick": tick})

    def step_to(self, moment: str, *, beyond: float = 0) -> None:
        """Let time pass until a moment that an answer named."""
        left = (dt.datetime.fromisoformat(moment) - self.now()).total_seconds() + beyond
        if left > 0:
            self.step(left)

    def rules(self, **changes: Any) -> dict[str, Any]:
        """Change rules; those that were in force."""
        before = self.service.call("GET", "/v1/operator/policy")["policy"]
        self.service.call("PUT", "/v1/operator/policy", {"changes": changes, "reason": "test"})
        return {name: before.get(name) for name in changes}

    # riders

    def rider(self, name: str | None = None, note: str | None = None) -> str:
        """A rider's token."""
        phone = f"010{next(_phones)}"
        code = self.service.call("POST", "/v1/sign-in/code", {"phone": phone}, token="")["development_code"]
        token: str = self.service.call("POST", "/v1/sign-in", {"phone": phone, "code": code}, token="")["access_token"]
        if name is not None:
            self.service.call("PUT", "/v1/me", {"name": name, "note": note}, token=token)
        return token

    def relay(self) -> Relay:
        """A connection of its own for a phone, that can be cut."""
        return Relay(self.service.port)

    def booked(self, token: str, origin: str = "S003", goal: str = "S030", **more: Any) -> Any:
        """A ride, booked."""
        journey = {"from": {"stop": origin}, "to": {"stop": goal}, **more}
        answer = self.service.call("POST", "/v1/quotes", journey, token=token)
        take = {"quote": answer["offers"][0]["quote"]}
        return self.service.call("POST", "/v1/bookings", take, token=token, Idempotency_Key=secrets.token_hex(8))

    def shuttle(self, ride: str) -> str:
        """The shift that carries a ride."""
        shift: str = self.service.call("GET", f"/v1/operator/rides/{ride}")["ride"]["shuttle"]
        return shift

    # drivers

    def driver(self, shift: str) -> str:
        """Name of the driver who works a shift, with the PIN that all have."""
        if shift not in self._drivers:
            name = f"d-{shift}"
            vehicle = next(
                one["vehicle"] for one in self.service.call("GET", "/v1/operator/shifts") if one["id"] == shift
            )
            self.service.call(
                "PUT", f"/v1/operator/drivers/{name}", {"pin": PIN, "vehicle": vehicle, "reason": "set up"}
            )
            self._drivers[shift] = name
        return self._drivers[shift]

    def crew(self, shift: str) -> Crew:
        """A driver at work, without a page."""
        return Crew(self, shift, self.driver(shift))


class Crew:
    """A driver who does what is to be done, through the API."""

    def __init__(self, town: Town, shift: str, driver: str) -> None:
        self._town, self._path = town, f"/v1/driver/shifts/{shift}"
        call = town.service.call
        self.token: str = call("POST", "/v1/driver/sign-in", {"driver": driver, "pin": PIN}, token="")["access_token"]
        call("POST", f"{self._path}/start", token=self.token)

    def manifest(self) -> Any:
        """What is to be done."""
        return self._town.service.call("GET", f"{self._path}/manifest", token=self.token)

    def tell(self, kind: str, **what: Any) -> None:
        """Something happened now."""
        event = {"id": f"e{next(_keys)}", "at": self._town.now().isoformat(), "kind": kind, **what}
        said = self._town.service.call("POST", f"{self._path}/events", {"events": [event]}, token=self.token)
        assert said["outcomes"][0]["outcome"] == "counted", said["outcomes"]

    def until(self, kind: str, ride: str) -> None:
        """Drive the round until this rider has boarded, or alighted; time passes as the timetable has it."""
        for _ in range(40):
            said = self.manifest()
            stop = said["stops"][0]
            if stop["here"]:
                who = stop["alighting"][0] if stop["alighting"] else stop["boarding"][0]
                does = "alighted" if stop["alighting"] else "boarded"
                if does == "boarded":
                    self._town.step_to(who["not_before"])
                self.tell(does, ride=who["ride"])
                if (does, who["ride"]) == (kind, ride):
                    return
            elif said["drive"] is None:
                self._town.step_to(stop["leave_at"])
                self.tell("departed", stop=stop["stop"]["id"])
            else:
                self._town.step_to(said["drive"]["arrive_at"])
                self.tell("arrived", stop=stop["stop"]["id"])
        raise AssertionError(f"{ride} never {kind}")


# on the page


def rider_page(opened: Watched, path: str = "/rider") -> Page:
    """A rider's page, ready to be used."""
    page = opened.page()
    page.goto(path)
    page.locator("form button.primary").first.wait_for()
    return page


def sign_in(page: Page) -> None:
    """Sign in as a new rider, with the code that development mode shows."""
    page.locator("#phone").fill(f"010-{next(_phones)}")
    page.locator("#phone").press("Enter")
    page.locator("#code").wait_for()
    shown = page.locator("form .note.warn").inner_text()
    found = re.search(r"\d{6}", shown)
    assert found is not None
    page.locator("#code").fill(found[0])
    page.locator("#code").press("Enter")


def choose(page: Page, end: str, stop: str) -> None:
    """Choose one end of the journey by its name."""
    page.locator(f".end.{end}").click()
    page.get_by_role("searchbox").fill(stop)
    page.locator(".found button").first.click()


def ask(page: Page, origin: str = "S003", goal: str = "S030") -> None:
    """Ask for a journey."""
    choose(page, "from", origin)
    choose(page, "to", goal)
    page.locator("form button.primary.big").click()


def ride_of(page: Page) -> str:
    """The ride that the page shows."""
    page.wait_for_url(re.compile(r"#/ride/"), wait_until="commit")
    return page.url.rsplit("/", 1)[1]


def driver_page(opened: Watched, town: Town, shift: str) -> Page:
    """A driver's page with the shift begun."""
    page = opened.page()
    page.goto("/driver")
    page.locator("#driver").fill(town.driver(shift))
    page.locator("#pin").fill(PIN)
    page.locator("#pin").press("Enter")
    page.locator(".shifts .button.primary:not([disabled])").first.click()
    page.locator(".work").wait_for()
    return page


def until_kept(page: Page, scope: str) -> None:
    """Wait until the page's service worker has kept the page and the map."""
    parts = [f"{scope},", "stop-points", "roads", "gl-worker"]
    for _ in range(150):
        kept = page.evaluate(
            "async scope => (await (await caches.open('naru-' + scope)).keys()).map(one => one.url + ',').join('')",
            scope,
        )
        if all(part in kept for part in parts):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"the service worker of {scope} has kept only {kept}")
