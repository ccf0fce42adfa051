"""Trouble at the console: a restart, a cut connection, two operators on a ride, haste, hostile words, an old key."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Open, shot
from tests.browser.operators import NASTY, RTL, answered, console
from tests.browser.served import Service


def test_a_restart_and_a_cut_connection(playground: Service, watched: Open) -> None:
    """The page says so, goes on by itself, and has what happened meanwhile."""
    page = console(playground, watched)
    status = page.locator(".bar .state")
    expect(status).to_have_text("Live")
    page.context.set_offline(True)
    expect(status).to_contain_text("Connection lost", timeout=20_000)
    shot(page, "console-lost")
    meanwhile = playground.booked_by_phone("+674 555 0777", "Meanwhile")
    page.context.set_offline(False)
    expect(status).to_have_text("Live", timeout=30_000)
    expect(page.get_by_role("tabpanel")).to_contain_text(meanwhile)
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(f"{meanwhile} booked")
    before = playground.state()
    playground.stop()
    expect(status).to_contain_text("Connection lost", timeout=20_000)
    playground.start()
    expect(status).to_have_text("Live", timeout=60_000)
    expect(page.locator(".banner.bad")).to_have_count(0)
    page.get_by_role("tab", name="Rides").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(meanwhile)
    after = playground.state()
    assert [ride["id"] for ride in after["rides"]] == [ride["id"] for ride in before["rides"]]


def test_two_operators_on_one_ride(playground: Service, watched: Open) -> None:
    """Whoever comes second sees what the first did, before anything else is done."""
    ride = playground.booked_by_phone("+674 555 0300", "Eigamoiya")
    first, second = console(playground, watched), console(playground, watched, name="joon")
    for page in (first, second):
        page.keyboard.press("/")
        page.get_by_role("combobox").fill(ride)
        page.keyboard.press("Enter")
        expect(page.locator("#details .story")).to_contain_text("booked")
        page.keyboard.press("k")
        page.get_by_label("Reason").fill("First come" if page is first else "Second")
    first.keyboard.press("Enter")
    expect(answered(first)).to_contain_text("locked")
    second.keyboard.press("Enter")
    dialog = second.get_by_role("dialog")
    expect(dialog).to_contain_text("Another operator has acted on this in the meantime.")
    expect(dialog).to_contain_text("locked by mina: First come")
    shot(second, "console-two-operators")
    second.keyboard.press("Escape")
    expect(second.locator("#details")).to_contain_text("locked by mina: First come")


AS_IT_HIDES = """act => new MutationObserver((_, seen) => {
    if (document.querySelector('dialog[open]') !== null) return;
    seen.disconnect();
    if (act === 'key') document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'b', bubbles: true }));
    else document.querySelector('[aria-keyshortcuts=b]').click();
}).observe(document, { subtree: true, childList: true, attributeFilter: ['open'] })"""
"""Ask for a booking as soon as no dialog is to be seen: earlier than any person, before the browser's next task."""


@pytest.mark.parametrize("act", ["key", "click"])
def test_escape_and_on_at_once(island: Service, watched: Open, act: str) -> None:
    """Nothing that follows Escape is lost, and the end of the last dialog is not that of the next."""
    page = console(island, watched)
    phone = page.get_by_label("Phone number")
    for letter in ("?", "/", "p", "b"):
        page.keyboard.press(letter)
        expect(page.locator("dialog :focus")).to_have_count(1)
        page.keyboard.type("12")
        page.evaluate(AS_IT_HIDES, act)
        page.keyboard.press("Escape")
        expect(phone).to_be_focused()
        page.keyboard.type("+674")
        expect(phone).to_have_value("+674")
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_an_answer_later_than_the_next_dialog(island: Service, watched: Open) -> None:
    """An act that is done when another dialog is open does not close that one."""
    page = console(island, watched)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/v1/operator/messages", hold)
    page.keyboard.press("w")
    page.get_by_label("Words").fill("Road works")
    page.get_by_label("Reason").fill("delay")
    with page.expect_request("**/v1/operator/messages"):
        page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.get_by_label("Phone number").fill("+674")
    held[0].fulfill(json={"riders": 3})
    expect(answered(page)).to_contain_text("3 riders")
    expect(page.get_by_label("Phone number")).to_have_value("+674")


def test_words_of_all_kinds(playground: Service, watched: Open) -> None:
    """Names and words from elsewhere are text and nothing else; what is too long is refused in words."""
    names = ("".join(NASTY[:2]), "".join(NASTY[2:4]), NASTY[4], RTL)
    rides = [playground.booked_by_phone(f"+674 555 04{n:02}", name) for n, name in enumerate(names)]
    page = console(playground, watched)
    for ride, name in zip(rides, names, strict=True):
        page.keyboard.press("/")
        page.get_by_role("combobox").fill(ride)
        page.keyboard.press("Enter")
        expect(page.locator("#details .card")).to_contain_text(name)
        page.keyboard.press("Escape")
    for text in NASTY:
        playground.call("POST", "/v1/operator/messages", {"reason": text, "words": text})
    page.get_by_role("tab", name="Log").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(NASTY[-1])
    assert page.evaluate("window.ran") is None
    assert page.locator("main img, main script, main svg[onload]").count() == 0
    # ten thousand characters
    page.keyboard.press("w")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Words").evaluate("field => field.removeAttribute('maxlength')")
    dialog.get_by_label("Words").fill("x" * 10_000)
    dialog.get_by_label("Reason").fill("long")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("must be no longer than 2000")


def test_an_expired_session_loses_nothing(island: Service, watched: Open) -> None:
    """The page says so and asks to sign in again; a key that is none is told."""
    page = console(island, watched)
    page.evaluate(
        "() => { const kept = JSON.parse(sessionStorage['naru.console.session']);"
        " kept.token = kept.token.slice(0, -4) + 'xxxx';"
        " sessionStorage['naru.console.session'] = JSON.stringify(kept) }"
    )
    page.reload()
    expect(page.get_by_role("heading", name="Operator's console")).to_be_visible()
    expect(page.locator(".note.warn")).to_contain_text("expired")
    page.get_by_label("Key", exact=True).fill("nonsense")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not an operator's key")
    page.get_by_label("Key", exact=True).fill(island.operator)
    page.keyboard.press("Enter")
    expect(page.locator("#shuttles [data-row]").first).to_be_visible()
