"""Operators at the console: how they come in, what it answers, and words of theirs that it may only ever show."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Open
from tests.browser.served import Service

NASTY = (
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    "\"'><svg onload=window.ran=1>",
    "javascript:window.ran=1",
    "{{constructor.constructor('window.ran=1')()}}",
    "</textarea><b onmouseover=window.ran=1>",
)
RTL = "מרים שרון 👵🏽‍🦽"


def console(service: Service, watched: Open, *, name: str = "", **options: Any) -> Page:
    """The console, signed in by a key in its address."""
    page = watched(service, **options).page()
    token = service.token("operator", name) if name else service.operator
    page.goto(f"/console#key={token}")
    expect(page.get_by_role("heading", name=re.compile("nauru"))).to_be_visible()
    expect(page.locator("#shuttles [data-row]").first).to_be_visible()
    expect(page.locator(".map-pane canvas")).to_be_visible()
    assert "key=" not in page.url
    return page


def answered(page: Page) -> Locator:
    """What was done last, as the console tells it."""
    return page.locator(".done").last
