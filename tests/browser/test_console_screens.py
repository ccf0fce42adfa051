"""The console's screens: in Korean, without serious faults for whoever sees or hears badly, on a laptop, on a wall."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.operators import console
from tests.browser.served import Service


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_korean_and_without_serious_faults(island: Service, watched: Open, scheme: str) -> None:
    """The key screens in Korean, and axe on each."""
    page = console(island, watched, locale="ko-KR", color_scheme=scheme)
    expect(page.locator(".bar .state")).to_have_text("실시간")
    assert page.locator("html").get_attribute("lang") == "ko"
    screens = {
        "start": "Escape", "help": "?", "search": "/", "booking": "b", "rules": "o", "message": "w", "pause": "p",
    }  # fmt: skip
    if scheme == "dark":
        screens = {"start": "Escape", "booking": "b"}
    for name, key in screens.items():
        page.keyboard.press(key)
        if key != "Escape":
            expect(page.get_by_role("dialog")).to_be_visible()
        if name == "rules":
            expect(page.get_by_role("dialog").locator("table")).to_be_visible()
        assert axe(page) == [], name
        shot(page, f"console-ko-{scheme}-{name}")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)
    page.locator("#shuttles [data-row]").first.click()
    expect(page.locator("#details .timeline")).to_be_visible()
    assert axe(page) == []
    shot(page, f"console-ko-{scheme}-shuttle")
    page.locator("#details .visit:not(:disabled)").first.click()
    expect(page.locator("#details .story li").first).to_be_visible()
    assert axe(page) == []
    for tab in ("대기열", "거절", "기록"):
        page.keyboard.press("Escape")
        page.get_by_role("tab", name=re.compile(tab)).click()
        assert axe(page) == []
    untold = page.evaluate("document.body.innerText").splitlines()
    english = {"Live", "Alerts", "Shuttles", "Rides", "Queue", "Refused", "Rules", "Search"}
    assert not english & {line.strip() for line in untold}


OVER = """() => { const all = document.documentElement;
    return [all.scrollWidth - innerWidth, all.scrollHeight - innerHeight] }"""


def test_on_a_wall_and_on_a_laptop(island: Service, watched: Open) -> None:
    """Nothing runs out of the window at 1366 × 768; a wall screen has larger type."""
    sizes = {}
    for wide, high in ((1366, 768), (2560, 1440)):
        page = console(island, watched, viewport={"width": wide, "height": high})
        assert page.evaluate(OVER) == [0, 0], (wide, high)
        page.context.set_offline(True)
        expect(page.locator(".bar .state")).to_contain_text("Connection lost", timeout=20_000)
        assert page.evaluate(OVER) == [0, 0], (wide, high)
        shot(page, f"console-{wide}-lost")
        page.context.set_offline(False)
        expect(page.locator(".bar .state")).to_have_text("Live", timeout=30_000)
        for part in (".right", ".left", ".bar", ".strip"):
            assert page.locator(part).evaluate("one => one.scrollWidth <= one.clientWidth + 1"), (part, wide)
        sizes[wide] = page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)")
        shot(page, f"console-{wide}")
    assert sizes[2560] > sizes[1366]
