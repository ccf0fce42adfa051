"""A driver's phone in a real browser: a round, minutes without connection, riders who do not come, trouble."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.phones import CORPUS, ENGLISH, KOREAN, PHONE, PIN, Town, driver_page, until_kept
from tests.browser.served import serving

AT_S003 = {"geolocation": {"latitude": -0.5368, "longitude": 166.9139}, "permissions": ["geolocation"]}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The island at 07:30. Tests leave nobody aboard; the last ones take a shuttle out and end a shift."""
    with serving(tmp_path_factory.mktemp("drivers"), "nauru", "--lockstep", "--start", "07:30") as service:
        yield Town(service)


def state_of(town: Town, ride: str) -> str:
    """A ride's state as operators see it."""
    state: str = town.service.call("GET", f"/v1/operator/rides/{ride}")["ride"]["state"]
    return state


def thumb(page: Page, name: str) -> None:
    """Press the large button."""
    page.locator(".foot .thumb").filter(has_text=name).click()


def test_minutes_without_connection(town: Town, watched: Open) -> None:
    """What is done offline is kept over a reload, shown as waiting, sent in order, and counted at its own time."""
    token = town.rider("Aiko")
    ride = town.booked(token)
    shift = town.shuttle(ride["id"])
    relay = town.relay()
    page = driver_page(watched(relay, **PHONE, **ENGLISH, **AT_S003), town, shift)
    expect(page.locator(".map[data-ready=true]")).to_be_visible()
    until_kept(page, "/driver")
    page.wait_for_function("() => JSON.parse(localStorage['naru.driver.shift']).way?.legs.length === 2")
    relay.cut()
    thumb(page, "Drive off")
    expect(page.locator(".notices")).to_contain_text("1 waiting to be sent")
    thumb(page, "I have arrived")
    page.get_by_role("button", name="Is in: Aiko").click()
    expect(page.locator(".next h1")).to_have_text("S030")
    expect(page.locator(".notices")).to_contain_text("3 waiting to be sent")
    shot(page, "driver-offline-en")
    assert axe(page) == []
    page.reload()
    expect(page.locator(".notices")).to_contain_text("3 waiting to be sent")
    expect(page.locator(".next h1")).to_have_text("S030")
    assert state_of(town, ride["id"]) == "booked"
    told = [event["at"] for event in page.evaluate("() => JSON.parse(localStorage['naru.driver.waiting']).events")]
    town.step(90)
    relay.mend()
    expect(page.locator(".notices")).not_to_contain_text("waiting", timeout=20_000)
    assert state_of(town, ride["id"]) == "aboard"
    story = town.service.call("GET", f"/v1/operator/rides/{ride['id']}")["story"]
    boarded = next(line for line in story if line["event"]["type"] == "RiderBoarded")
    # 90 s have passed since: the event has the driver's own time, not that of its coming
    assert abs((dt.datetime.fromisoformat(boarded["at"]) - dt.datetime.fromisoformat(told[2])).total_seconds()) < 1
    expect(page.locator(".news")).to_have_count(0)
    town.crew(shift).until("alighted", ride["id"])


def test_a_session_that_has_expired_keeps_what_was_done(town: Town, watched: Open) -> None:
    """Sign in again, and what waited is sent."""
    ride = town.booked(town.rider("Aiko"))
    shift = town.shuttle(ride["id"])
    page = driver_page(watched(town.service, **PHONE, **ENGLISH), town, shift)
    expect(page.locator(".next h1")).to_have_text("S003")
    page.evaluate(
        "() => { const kept = JSON.parse(localStorage['naru.driver.session']); kept.token = 'a.b.c';"
        " localStorage['naru.driver.session'] = JSON.stringify(kept) }"
    )
    page.reload()
    expect(page.get_by_text("Your sign-in has expired")).to_be_visible()
    page.locator("#driver").fill(town.driver(shift))
    page.locator("#pin").fill(PIN)
    page.locator("#pin").press("Enter")
    expect(page.locator(".next h1")).to_have_text("S003")
    thumb(page, "Drive off")
    expect(page.locator(".next-label")).to_have_text("Next stop")
    town.crew(shift).until("alighted", ride["id"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_large_enough_for_a_thumb(town: Town, watched: Open, scheme: str) -> None:
    """At 360 × 640, by day and at night: nothing cut off at the side, every button 48 px or more."""
    ride = town.booked(town.rider("Aiko", "note"), wheelchairs=1)
    phone = {**PHONE, "viewport": {"width": 360, "height": 640}, "color_scheme": scheme}
    shift = town.shuttle(ride["id"])
    page = driver_page(watched(town.service, **phone, **ENGLISH), town, shift)
    expect(page.locator(".person")).to_contain_text("1 wheelchair")
    thumb(page, "Drive off")
    shot(page, f"driver-small-{scheme}")
    assert axe(page) == []
    thumb(page, "I have arrived")
    expect(page.get_by_role("button", name="Is in: Aiko")).to_be_visible()
    shot(page, f"driver-small-here-{scheme}")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    small = page.evaluate(
        "() => [...document.querySelectorAll('main button, header button')].filter(one => one.offsetParent)"
        ".map(one => [one.textContent, one.offsetWidth, one.offsetHeight]).filter(([, w, h]) => w < 48 || h < 48)"
    )
    assert small == []
    assert axe(page) == []
    town.crew(shift).until("alighted", ride["id"])


def test_trouble_reaches_the_operators(town: Town, watched: Open) -> None:
    """A stop that cannot be reached, words, a breakdown: each an alert; without connection: call them."""
    token = town.rider(CORPUS[0], CORPUS[1])
    ride = town.booked(token)
    shift = town.shuttle(ride["id"])
    relay = town.relay()
    page = driver_page(watched(relay, **PHONE, **ENGLISH), town, shift)
    # whatever a rider calls themselves is only ever text
    expect(page.locator(".person-name")).to_have_text(CORPUS[0])
    expect(page.locator(".person-note")).to_have_text(CORPUS[1])
    expect(page.get_by_text("Location is off")).to_be_visible()
    expect(page.locator(".map[data-ready=true]")).to_be_visible()
    page.evaluate("async () => { await navigator.serviceWorker.ready }")
    page.get_by_role("button", name="Report trouble").click()
    relay.cut()
    page.get_by_role("button", name="I can't reach S003").click()
    expect(page.get_by_role("alert").filter(has_text="please call the operators")).to_be_visible()
    relay.mend()
    shot(page, "driver-trouble-en")
    assert axe(page) == []
    page.get_by_role("button", name="I can't reach S003").click()
    expect(page.get_by_text("The operators have been told.")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Report trouble").click()
    page.get_by_label("In your words").fill(CORPUS[2])
    page.get_by_role("button", name="Tell the operators").click()
    expect(page.get_by_text("The operators have been told.")).to_be_visible()
    page.get_by_role("button", name="Back").click()
    page.get_by_role("button", name="Report trouble").click()
    page.get_by_role("button", name="The shuttle is broken").click()
    expect(page.get_by_text("This cannot be undone here")).to_be_visible()
    page.get_by_role("button", name="Yes, out of service").click()
    page.get_by_role("button", name="Back").click()
    expect(page.get_by_role("heading", name="This shuttle is out of service")).to_be_visible()
    alerts = town.service.call("GET", "/v1/operator/alerts")
    assert {alert["kind"] for alert in alerts} >= {"broken", "trouble"}
    town.service.call("POST", f"/v1/rides/{ride['id']}/cancel", {}, token=token)


def test_a_round(town: Town, watched: Open) -> None:
    """Sign in, drive, arrive, board by code, a new rider on the way, no-show, alight, end; in Korean."""
    token = town.rider("김하나", "파란 우산을 쓰고 있어요")
    ride = town.booked(token, seats=2)
    shift = town.shuttle(ride["id"])
    opened = watched(town.service, **PHONE, **KOREAN, **AT_S003)
    page = opened.page()
    page.goto("/driver")
    page.locator("#driver").fill(town.driver(shift))
    page.locator("#pin").fill("0000")
    page.locator("#pin").press("Enter")
    expect(page.get_by_role("alert").filter(has_text="PIN이 맞지 않습니다")).to_be_visible()
    shot(page, "driver-sign-in-ko")
    assert axe(page) == []
    page.locator("#pin").fill(PIN)
    page.locator("#pin").press("Enter")
    page.locator(".shifts .button.primary").click()
    expect(page.locator(".next h1")).to_have_text("S003")
    expect(page.locator(".person")).to_contain_text("김하나")
    expect(page.locator(".person")).to_contain_text("2명")
    expect(page.locator(".person")).to_contain_text("파란 우산")
    expect(page.locator(".streets")).to_contain_text(re.compile(r"Ring Road|이름 없는 길 [\d.]+ k?m"))
    expect(page.locator(".map[data-ready=true]")).to_be_visible()
    shot(page, "driver-depart-ko")
    assert axe(page) == []
    thumb(page, "출발")
    expect(page.locator(".next-label")).to_have_text("다음 정류장")
    # what the driver does is no news; what others do is, until it has been seen
    expect(page.locator(".news")).to_have_count(0)
    late = town.rider("이두리")
    second = town.booked(late, "S003", "S031")
    assert town.shuttle(second["id"]) == shift
    expect(page.locator(".news")).to_contain_text("추가: 이두리")
    shot(page, "driver-news-ko")
    assert axe(page) == []
    page.reload()
    expect(page.locator(".news")).to_contain_text("추가: 이두리")
    page.get_by_role("button", name="확인했습니다").click()
    expect(page.locator(".news")).to_have_count(0)
    manifest = town.crew(shift).manifest()
    town.step_to(manifest["drive"]["arrive_at"])
    thumb(page, "도착했습니다")
    expect(page.locator(".next-label")).to_have_text("현재 정류장")
    town.step_to(ride["pickup_from"])
    page.reload()
    page.get_by_role("button", name="번호 · QR: 김하나").click()
    wrong = f"{(int(ride['code']) + 1) % 10_000:04}"
    page.locator("#boarding-code").fill(wrong)
    shot(page, "driver-code-ko")
    assert axe(page) == []
    page.get_by_role("dialog").get_by_role("button", name="탑승", exact=True).click()
    expect(page.locator(".news.bad")).to_contain_text("이 탑승의 번호가 아닙니다")
    page.get_by_role("button", name="닫기").click()
    expect(page.locator(".person").filter(has_text="김하나")).to_be_visible()
    page.get_by_role("button", name="번호 · QR: 김하나").click()
    page.locator("#boarding-code").fill(ride["code"])
    page.get_by_role("dialog").get_by_role("button", name="탑승", exact=True).click()
    expect(page.locator(".person").filter(has_text="김하나")).to_have_count(0)
    expect(page.locator(".chips")).to_contain_text("2명 탑승")
    assert state_of(town, ride["id"]) == "aboard"
    # a rider who is not there: only when the grace is over
    page.get_by_role("button", name="안 보임: 이두리").click()
    leave = page.get_by_role("button", name="두고 출발: 이두리")
    expect(leave).to_be_disabled()
    expect(leave).to_have_text(re.compile(r"\d+(분|초).*대기"))
    expect(page.get_by_text("더 기다린 뒤에 출발할 수 있습니다")).to_be_visible()
    shot(page, "driver-waits-ko")
    awaited = town.crew(shift).manifest()["stops"][0]["boarding"][0]["awaited_until"]
    town.step_to(awaited, beyond=1)
    page.reload()
    leave.click()
    page.get_by_role("button", name="네, 오지 않았습니다").click()
    expect(page.locator(".person")).to_contain_text("하차")
    expect(page.locator(".news")).to_have_count(0)
    assert state_of(town, second["id"]) == "no_show"
    page.get_by_role("button", name="메뉴").click()
    page.get_by_role("button", name="근무 종료").click()
    page.get_by_role("button", name="네, 끝냅니다").click()
    expect(page.get_by_role("alert").filter(has_text="아직 타고 있거나")).to_be_visible()
    page.get_by_role("button", name="계속 근무").click()
    # a break is planned for when nobody is aboard, given up, and taken at once when there is nothing to do
    page.get_by_role("button", name="메뉴").click()
    page.get_by_role("button", name="휴식하기").click()
    shot(page, "driver-break-ko")
    assert axe(page) == []
    page.get_by_role("button", name="15분").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert [stop["asked"] for stop in town.crew(shift).manifest()["stops"][:2]] == [False, True]
    page.get_by_role("button", name="메뉴").click()
    page.get_by_role("button", name="휴식하기").click()
    expect(page.get_by_text("쉬기로 되어 있습니다")).to_be_visible()
    page.get_by_role("button", name="쉬지 않고 계속 운행").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    thumb(page, "출발")
    town.step_to(town.crew(shift).manifest()["drive"]["arrive_at"])
    thumb(page, "도착했습니다")
    page.get_by_role("button", name="하차: 김하나").click()
    expect(page.get_by_role("heading", name="지금은 할 일이 없습니다")).to_be_visible()
    assert state_of(town, ride["id"]) == "delivered"
    shot(page, "driver-idle-ko")
    assert axe(page) == []
    page.get_by_role("button", name="메뉴").click()
    shot(page, "driver-menu-ko")
    assert axe(page) == []
    page.get_by_role("button", name="휴식하기").click()
    town.step(60)  # the dwell is over
    page.get_by_role("button", name="10분").click()
    expect(page.get_by_role("heading", name="까지 휴식")).to_be_visible()
    shot(page, "driver-rests-ko")
    assert axe(page) == []
    page.get_by_role("button", name="휴식 마치기").click()
    expect(page.get_by_role("heading", name="지금은 할 일이 없습니다")).to_be_visible()
    page.get_by_role("button", name="메뉴").click()
    page.get_by_role("button", name="근무 종료").click()
    page.get_by_role("button", name="네, 끝냅니다").click()
    expect(page.get_by_role("heading", name="어느 근무를 시작할까요?")).to_be_visible()
