"""An operator's morning in the console, by mouse and by keyboard alone; and what an operator does in the office."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.operators import NASTY, RTL, answered, console
from tests.browser.served import Service


def with_riders(service: Service) -> Any:
    """A shuttle with somebody aboard."""
    return next(shuttle for shuttle in service.state()["shuttles"] if shuttle["aboard"] and shuttle["state"] == "on")


def rides_on(service: Service, shuttle: str) -> set[str]:
    """Open rides of a shuttle."""
    return {ride["id"] for ride in service.state()["rides"]
            if ride["shuttle"] == shuttle and ride["state"] in ("booked", "aboard")}  # fmt: skip


def write(page: Page, words: str) -> None:
    """Type where the focus is, once it is in a field: a dialog takes it a moment after it has opened."""
    expect(page.locator("input:focus, textarea:focus")).to_have_count(1)
    page.keyboard.type(words)


def reach(page: Page, words: str) -> None:
    """Tab to what has this name, as somebody without a mouse does."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if words in page.evaluate(
            "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText)"
        ):
            return
    raise AssertionError(f"{words!r} is not reached by Tab")


def test_a_morning(morning: Service, watched: Open) -> None:
    """Trouble, out of service, riders recovered, a road closed and opened, a phone booking locked, back in time."""
    shuttle = with_riders(morning)
    name = shuttle["id"]
    affected = rides_on(morning, name)
    page = console(morning, watched)
    expect(page.locator("#shuttles [data-row]")).to_have_count(
        sum(one["state"] == "on" for one in morning.state()["shuttles"])
    )
    shot(page, "console-en")
    # a driver reports trouble: it is the first thing on the screen, and so is its answer
    words = f"Smoke from the engine {NASTY[0]}"
    morning.call(
        "POST", f"/v1/driver/shifts/{name}/trouble", {"kind": "other", "words": words}, token=morning.driver(name)
    )
    alert = page.locator(".alert.trouble")
    expect(alert).to_contain_text(words)
    alert.get_by_role("button", name="Take out of service").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Take out of service").click()
    expect(dialog).to_contain_text("A reason is needed.")
    dialog.get_by_role("button", name="Breakdown").click()
    dialog.get_by_role("button", name="Take out of service").click()
    expect(answered(page)).to_contain_text(f"{name} taken out of service")
    expect(page.locator(".alert.broken")).to_contain_text("out of service")
    after = {ride["id"]: ride for ride in morning.state()["rides"]}
    assert affected
    assert all(after[ride]["shuttle"] not in (name, None) for ride in affected), "somebody was left behind"
    shot(page, "console-breakdown")
    # its riders' stories tell it
    ride = min(affected)
    page.keyboard.press("/")
    page.get_by_role("combobox").fill(ride)
    page.keyboard.press("Enter")
    story = page.locator("#details .story")
    expect(story).to_contain_text("Moved to")
    expect(story).to_contain_text("went out of service")
    page.keyboard.press("Escape")
    # a road is closed by drawing over it, looked at first, and opened again
    page.get_by_role("button", name="Close a road").click()
    box = page.locator(".map-pane canvas").bounding_box()
    assert box is not None
    for share in (0.35, 0.5, 0.65):
        page.mouse.click(box["x"] + box["width"] * share, box["y"] + box["height"] * 0.62)
    expect(page.locator(".draw-bar")).to_contain_text(re.compile(r"3 points, crosses \d+ street sections"))
    shot(page, "console-drawing")
    page.get_by_role("button", name="Close these streets").click()
    dialog.get_by_label("Reason").fill("Burst pipe")
    dialog.get_by_role("button", name="Close these streets").click()
    expect(answered(page)).to_contain_text(re.compile(r"\d+ street sections closed"))
    assert morning.state()["closed_edges"] > 0
    shot(page, "console-closed")
    answered(page).get_by_role("button", name="Undo").click()
    expect(answered(page)).to_contain_text("undone")
    assert morning.state()["closed_edges"] == 0
    # grandmother calls
    page.get_by_role("button", name="Phone booking").click()
    dialog.get_by_label("Phone number").fill("+674 555 0199")
    dialog.get_by_label("Name").fill(f"{RTL} {NASTY[1]}")
    for label, stop in (("From stop point", "S004"), ("To stop point", "S020")):
        dialog.get_by_label(label).and_(page.get_by_role("combobox")).fill(stop)
        dialog.get_by_role("option", name=re.compile(stop)).click()
    dialog.get_by_role("button", name="Find rides").click()
    dialog.get_by_role("button", name="Book", exact=True).first.click()
    expect(dialog).to_contain_text("Booked. Tell the caller:")
    expect(dialog).to_contain_text(re.compile(r"Be at .+ from \d\d:\d\d"))
    dialog.get_by_role("button", name="Close").last.click()
    details = page.locator("#details")
    expect(details).to_contain_text(RTL)
    booked = details.get_by_role("heading", level=2).inner_text()
    # her ride is locked
    details.get_by_role("button", name="Lock to its shuttle").click()
    dialog.get_by_label("Reason").fill("Knows the driver")
    page.keyboard.press("Enter")
    expect(answered(page)).to_contain_text(f"{booked} locked")
    assert next(one for one in morning.state()["rides"] if one["id"] == booked)["locked"]
    expect(details).to_contain_text("by mina: Knows the driver")
    shot(page, "console-ride")
    assert axe(page) == []
    # back in time: nothing of this has happened yet, and nothing can be done
    page.get_by_role("button", name="Ten minutes back").click()
    expect(page.locator(".banner.past")).to_be_visible()
    expect(page.get_by_role("button", name="Phone booking")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("#shuttles")).to_contain_text(name)
    expect(page.get_by_role("tabpanel")).not_to_contain_text(booked)
    shot(page, "console-past")
    page.get_by_role("button", name="Back to now").click()
    expect(page.get_by_role("tabpanel")).to_contain_text(booked)
    page.get_by_role("tab", name="Log").click()
    page.get_by_role("button", name="Acts").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("by mina: Breakdown")
    assert page.evaluate("window.ran") is None


def test_a_morning_by_keyboard_alone(morning: Service, watched: Open) -> None:
    """The same without a mouse: letters, arrows, Tab, Enter."""
    shuttle = with_riders(morning)
    name = shuttle["id"]
    page = console(morning, watched)
    press = page.keyboard.press
    press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    morning.call("POST", f"/v1/driver/shifts/{name}/trouble", {"kind": "other", "words": "flat tyre"},
                 token=morning.driver(name))  # fmt: skip
    expect(page.locator(".alert.trouble")).to_contain_text("flat tyre")
    press("a")
    press("Enter")
    expect(page.locator("#details h2")).to_contain_text(name)
    press("x")
    write(page, "Flat tyre")
    press("Enter")
    expect(answered(page)).to_contain_text(f"{name} taken out of service")
    expect(page.get_by_role("dialog")).to_have_count(0)  # closing, it gives the focus back to where it came from
    # a road, under the cross in the middle of the map
    press("Escape")
    press("c")
    expect(page.locator("#map canvas:focus")).to_have_count(1)
    for count in range(1, 5):
        page.locator("#map canvas").focus()
        press(" ")
        expect(page.locator(".draw-bar")).to_contain_text(re.compile(rf"\b{count} points?"))
        press("ArrowRight")
        page.wait_for_timeout(400)  # the map glides
    for _ in range(14):
        if "crosses no street" not in page.locator(".draw-bar").inner_text():
            break
        press("ArrowDown")
        page.wait_for_timeout(400)
        press(" ")
    expect(page.locator(".draw-bar")).to_contain_text(re.compile(r"crosses \d+ street sections"))
    press("Enter")
    write(page, "Fallen tree")
    press("Enter")
    expect(answered(page)).to_contain_text("street sections closed")
    expect(page.get_by_role("dialog")).to_have_count(0)
    # by phone
    press("b")
    write(page, "+674 555 0123")
    press("Tab")
    write(page, "Teitu")
    for stop in ("S004", "S020"):
        press("Tab")
        write(page, stop)
        expect(page.get_by_role("option", name=re.compile(stop)).first).to_be_visible()
        press("Enter")
    reach(page, "Find rides")
    press("Enter")
    expect(page.get_by_role("button", name="Book", exact=True).first).to_be_focused()
    press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Booked.")
    reach(page, "Another booking")
    press("Enter")
    expect(page.get_by_label("Phone number")).to_be_focused()
    expect(page.get_by_label("Phone number")).to_have_value("")
    press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#details")).to_contain_text("Teitu")
    press("k")
    write(page, "Regular")
    press("Enter")
    expect(answered(page)).to_contain_text("locked")
    press("u")
    expect(answered(page)).to_contain_text("undone")
    press("{")
    expect(page.locator(".banner.past")).to_be_visible()
    press("0")
    expect(page.locator(".banner.past")).to_have_count(0)
    press("Escape")
    press("r")
    expect(page.locator("#tab-panel [data-row]").first).to_be_focused()
    press("ArrowDown")
    press("Enter")
    expect(page.locator("#details .story")).to_be_visible()
    state = morning.state()
    assert next(one for one in state["shuttles"] if one["id"] == name)["state"] == "broken"
    assert state["closed_edges"] > 0
    # the tree is cleared
    page.get_by_role("button", name="Open all closed roads").focus()
    press("Enter")
    write(page, "Cleared")
    press("Enter")
    expect(answered(page)).to_contain_text("street sections open again")
    expect(page.get_by_role("button", name="Open all closed roads")).to_have_count(0)
    assert morning.state()["closed_edges"] == 0


def test_complaints_shifts_and_stop_points(playground: Service, watched: Open) -> None:
    """What is not minute by minute: a complaint is answered, a stop point closed and opened, shifts are listed."""
    ride = playground.booked_by_phone("+674 555 0350", "Anabar")
    rider = playground.call("GET", f"/v1/operator/rides/{ride}")["ride"]["rider"]
    said = f"<b>Umbrella</b> {NASTY[0]}"
    playground.call("POST", f"/v1/rides/{ride}/complaints?rider={rider}", {"words": said})
    page = console(playground, watched, color_scheme="dark")
    page.keyboard.press("e")
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("li").filter(has_text=ride)).to_contain_text(said)
    shot(page, "console-office-dark")
    assert axe(page) == []
    dialog.locator("li").filter(has_text=ride).get_by_role("button", name="Answer").click()
    dialog.get_by_label("Answer to the rider").fill("It waits for you at the depot.")
    dialog.get_by_label("Reason").fill("found")
    shot(page, "console-answer-dark")
    page.keyboard.press("Enter")
    expect(answered(page)).to_contain_text(f"Complaint about {ride} answered")
    complaint = next(one for one in playground.call("GET", "/v1/operator/complaints") if one["ride"] == ride)
    assert (complaint["state"], complaint["answer"]) == ("answered", "It waits for you at the depot.")
    page.keyboard.press("e")
    dialog.get_by_role("button", name="Stop points").click()
    dialog.get_by_role("searchbox").fill("S017")
    dialog.get_by_role("listitem").get_by_role("button", name="Close").click()
    dialog.get_by_label("Reason").fill("burst pipe")
    page.keyboard.press("Enter")
    expect(answered(page)).to_contain_text("closed")
    closed = [one["id"] for one in playground.call("GET", "/v1/operator/stop-points")["stop_points"] if one["closed"]]
    assert closed == ["S017"]
    page.keyboard.press("u")
    expect(answered(page)).to_contain_text("undone")
    page.keyboard.press("e")
    dialog.get_by_role("button", name="Shifts").click()
    expect(dialog.get_by_role("listitem").first).to_contain_text("V1: ")
    shot(page, "console-shifts-dark")
    assert axe(page) == []
