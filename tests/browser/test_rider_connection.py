"""A rider's phone loses its session or its connection, and nothing with it."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.phones import ENGLISH, PHONE, Town, ask, choose, ride_of, rider_page, sign_in, until_kept


def test_a_session_that_has_expired_loses_nothing(town: Town, watched: Open) -> None:
    """The journey stays, the sign-in is asked for again, and the search goes on after it."""
    page = rider_page(watched(town.service, **PHONE, **ENGLISH))
    kept = {"token": "a.b.c", "role": "rider", "subject": "R", "expires": 4_000_000_000_000}
    page.evaluate("kept => localStorage.setItem('naru.rider.session', kept)", json.dumps(kept))
    page.reload()
    choose(page, "from", "S003")
    choose(page, "to", "S030")
    page.get_by_role("button", name="People: one more").click()
    page.get_by_role("button", name="Find a ride").click()
    expect(page.get_by_text("Your sign-in has expired")).to_be_visible()
    expect(page.locator(".end.to")).to_contain_text("S030")
    shot(page, "rider-expired-en")
    page.locator("#phone").fill("12")
    page.locator("#phone").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Please type your phone number")).to_be_visible()
    sign_in(page)
    expect(page.locator(".offer")).not_to_have_count(0)
    # offers that nobody takes run out, and are asked for again with a tap
    town.step(120)
    page.reload()
    expect(page.get_by_text("These offers have run out.")).to_be_visible()
    page.get_by_role("button", name="Search again").click()
    expect(page.get_by_text("Held for you for")).to_be_visible()


def test_the_service_restarts_and_the_connection_is_cut(town: Town, watched: Open) -> None:
    """The ride stays on the screen, with its code; a booking sent into the void is sent once more and counts once."""
    relay = town.relay()
    page = rider_page(watched(relay, **PHONE, **ENGLISH))
    ask(page, "S012", "S040")
    sign_in(page)
    expect(page.locator(".offer").first).to_be_visible()
    until_kept(page, "/rider")
    relay.cut()
    page.locator(".offer").first.get_by_role("button").click()
    expect(page.get_by_text("No connection to the service")).to_be_visible()
    relay.mend()
    page.locator(".offer").first.get_by_role("button").click()
    ride = ride_of(page)
    code = page.locator(".pass-code").inner_text()
    town.service.stop()
    expect(page.get_by_text("Connection lost: this is what was known last")).to_be_visible()
    expect(page.locator(".pass-code")).to_have_text(code)
    shot(page, "rider-lost-en")
    assert axe(page) == []
    page.reload()
    expect(page.locator(".pass-code")).to_have_text(code)
    town.service.start()
    expect(page.get_by_text("Connection lost")).to_have_count(0, timeout=30_000)
    crew = town.crew(town.shuttle(ride))
    crew.until("boarded", ride)
    expect(page.get_by_role("heading", name="You are aboard")).to_be_visible()
    crew.until("alighted", ride)


def test_from_the_home_screen_and_without_connection(town: Town, watched: Open) -> None:
    """A manifest with icons that are there; the page opens without any connection, stop points and all."""
    relay = town.relay()
    page = rider_page(watched(relay, **PHONE, **ENGLISH))
    link = page.locator("link[rel=manifest]").get_attribute("href")
    assert link is not None
    manifest = town.service.call("GET", link, token="")
    assert (manifest["start_url"], manifest["display"]) == ("/rider", "standalone")
    for icon in manifest["icons"]:
        assert town.service.answer("GET", icon["src"], token="").headers["content-type"] == icon["type"]
    expect(page.locator(".map[data-ready=true]")).to_be_visible()
    until_kept(page, "/rider")
    relay.cut()
    page.goto("/rider")
    choose(page, "from", "S003")
    expect(page.get_by_role("status").filter(has_text="No connection")).to_be_visible()
