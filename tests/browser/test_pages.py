"""What holds of every page: its policy, no other origin, no serious fault for those who use it otherwise."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.served import Service

PAGES = ("/console", "/planner", "/driver", "/rider", "/rider/plain")


@pytest.mark.parametrize("address", PAGES)
def test_the_policy_of_a_page(island: Service, watched: Open, address: str) -> None:
    """A strict policy in the answer, and inline scripts that somebody managed to write do not run."""
    answer = island.answer("GET", address, token="")
    policy = answer.headers["content-security-policy"]
    for part in (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "geolocation=(self)" in answer.headers["permissions-policy"]
    assert "set-cookie" not in answer.headers
    opened = watched(island)
    page = opened.page()
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible()
    assert not opened.wrong
    ran, directive = page.evaluate(
        """async () => { const heard = new Promise(tell => addEventListener('securitypolicyviolation',
        event => tell(event.violatedDirective), {once: true}));
        const script = document.createElement('script'); script.textContent = 'window.ran = true';
        document.body.append(script); const button = document.createElement('button');
        document.body.append(button); button.setAttribute('onclick', 'window.ran = true'); button.click();
        return [window.ran === true, await heard] }"""
    )
    assert (ran, directive.startswith("script-src")) == (False, True)
    page.close()
    assert any("CSP script-src" in line for line in opened.wrong), "what the policy forbids is not noticed"
    opened.wrong.clear()


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_fault_before_anybody_signs_in(island: Service, watched: Open, address: str, scheme: str) -> None:
    """By axe, in both colour schemes."""
    page = watched(island, color_scheme=scheme).page()
    page.goto(address)
    expect(page.locator("h1").first).to_be_visible()
    assert axe(page) == []
    shot(page, f"first-{address.strip('/').replace('/', '-')}-{scheme}")


def test_no_other_site_can_act(island: Service) -> None:
    """There is no cookie that a browser would send along: a call without a token is nobody's, whatever its origin."""
    for origin in ("https://elsewhere.example", "null", island.url):
        call = island.answer("POST", "/v1/operator/pause", {"reason": "x"}, token="", Origin=origin)
        assert call.status_code == 401
        assert "access-control-allow-origin" not in call.headers
    asked = island.answer("OPTIONS", "/v1/operator/pause", token="", Origin="https://elsewhere.example",
                          Access_Control_Request_Method="POST")  # fmt: skip
    assert "access-control-allow-origin" not in asked.headers
