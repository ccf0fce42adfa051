"""A real browser: Debian's Chromium, driven by Playwright. Every page is watched; screenshots are kept in build/."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.phones import Town
from tests.browser.served import Service, live_a_while, serving, serving_again

ROOT = Path(__file__).parents[2]
SHOTS = ROOT / "build" / "screenshots"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
EXPECTED = re.compile(
    r"GL Driver Message|Failed to load resource|net::ERR_|WebGL"  # answers of the service that the page shows in words
)


expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for all tests."""
    chromium = shutil.which("chromium")
    assert chromium is not None, "tests/browser need Debian's chromium: apt-get install chromium fonts-noto-cjk"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield launched
        launched.close()


class Watched:
    """A browser context and what it did that it should not."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self.url = url
        self.wrong: list[str] = []
        self.context: BrowserContext = browser.new_context(
            base_url=url, **{"viewport": {"width": 1366, "height": 768}, "locale": "en-GB", **options}
        )
        self.context.set_default_timeout(15_000)
        self.context.on("request", self._asked)
        self.context.add_init_script(
            "addEventListener('securitypolicyviolation',"
            " e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI))"
        )
        self.context.on("console", lambda message: self._said(message.type, message.text))
        self.context.on("weberror", lambda error: self.wrong.append(f"error: {error.error}"))
        self.context.on("dialog", lambda dialog: (self.wrong.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", "blob:")):
            self.wrong.append(f"left the origin: {request.url}")

    def _said(self, kind: str, words: str) -> None:
        if kind == "error" and not EXPECTED.search(words):
            self.wrong.append(f"console: {words}")

    def page(self) -> Page:
        """A page that is watched."""
        return self.context.new_page()


Open = Callable[..., Watched]


@pytest.fixture
def watched(browser: Browser) -> Iterator[Open]:
    """Opens contexts; when the test is over, none may have left the origin, broken the policy or thrown."""
    opened: list[Watched] = []

    def make(service: Service, **options: Any) -> Watched:
        opened.append(Watched(browser, service.url, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.context.close()
    wrong = [line for one in opened for line in one.wrong]
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Service:
    """A morning on the island: some are aboard, some wait. Stopped there; others go on from it."""
    with serving(tmp_path_factory.mktemp("lived"), "nauru", "--lockstep", "--start", "07:30") as service:
        live_a_while(service, visits=3)
    return service


@pytest.fixture(scope="session")
def island(lived: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The island on that morning; its clock stands. Shared: tests change nothing on it that another one reads."""
    with serving_again(lived, tmp_path_factory.mktemp("island")) as service:
        yield service


@pytest.fixture
def morning(lived: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same morning for one test alone."""
    with serving_again(lived, tmp_path_factory.mktemp("morning")) as service:
        yield service


@pytest.fixture(scope="session")
def playground(lived: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The same morning for tests that add to it what no other test minds."""
    with serving_again(lived, tmp_path_factory.mktemp("playground")) as service:
        yield service


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The island at 07:30, for the riders of one file."""
    # a key of nobody: no message leaves while a phone is told
    push = {"NARU_VAPID_PRIVATE_KEY": "Bw" * 21 + "A", "NARU_VAPID_SUBJECT": "mailto:push@town.example"}
    with serving(tmp_path_factory.mktemp("riders"), "nauru", "--lockstep", "--start", "07:30", **push) as service:
        yield Town(service)


def shot(page: Page, name: str) -> None:
    """Keep a picture of the page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}.png")


AXE = ROOT / "dispatch" / "console" / "node_modules" / "axe-core" / "axe.min.js"


def axe(page: Page) -> list[str]:
    """Serious and critical violations of WCAG 2.2 A and AA that axe finds on the page as it is."""
    page.context.new_cdp_session(page).send("Page.setBypassCSP", {"enabled": True})
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(
        "() => axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    return [
        f"{rule['id']} ({rule['impact']}): {rule['help']}: {node['html'][:160]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"][:3]
    ]
