"""A rider's phone in a real browser: says from where to where, books, waits, boards, rates; is refused."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.phones import ENGLISH, KOREAN, PHONE, Town, ask, choose, ride_of, rider_page, sign_in


def test_books_waits_boards_and_rates(town: Town, watched: Open) -> None:
    """From the first tap to the stars, in Korean; a double tap books once."""
    opened = watched(town.service, **PHONE, **KOREAN)
    page = rider_page(opened)
    expect(page.locator(".map[data-ready=true]")).to_be_visible()
    choose(page, "from", "S003")
    choose(page, "to", "s030")
    page.get_by_role("button", name="인원 하나 더하기").click()
    shot(page, "rider-ask-ko")
    assert axe(page) == []
    page.get_by_role("button", name="셔틀 찾기").click()
    expect(page.get_by_role("dialog")).to_contain_text("로그인")
    shot(page, "rider-sign-in-ko")
    assert axe(page) == []
    sign_in(page)
    offer = page.locator(".offer").first
    expect(offer).to_contain_text("가장 빨리")
    expect(offer).to_contain_text(re.compile(r"AU\$\d\.\d\d"))
    assert re.search(r"오전 \d{1,2}:\d\d – \d{1,2}:\d\d", offer.inner_text())
    shot(page, "rider-offers-ko")
    assert axe(page) == []
    calls: list[str] = []
    page.on("request", lambda sent: calls.append(sent.headers["idempotency-key"]) if "/bookings" in sent.url else None)
    offer.get_by_role("button").dblclick()
    ride = ride_of(page)
    assert len(set(calls)) == 1
    expect(page.get_by_role("heading", level=1)).to_contain_text("오전")
    said = town.service.call("GET", f"/v1/operator/rides/{ride}")["ride"]
    assert said["state"] == "booked"
    rides = page.evaluate(
        "async () => (await (await fetch('/v1/rides', {headers: {Authorization: 'Bearer '"
        " + JSON.parse(localStorage['naru.rider.session']).token}})).json()).map(ride => [ride.id, ride.code])"
    )
    assert [one for one, _ in rides] == [ride]
    expect(page.locator(".pass-code")).to_have_text(rides[0][1])
    expect(page.get_by_role("img", name=f"탑승 번호 {rides[0][1]}의 QR 코드")).to_be_visible()
    expect(page.locator(".mark.shuttle")).to_be_visible()
    shot(page, "rider-waits-ko")
    assert axe(page) == []
    crew = town.crew(town.shuttle(ride))
    crew.until("boarded", ride)
    expect(page.get_by_role("heading", name="탑승 중입니다")).to_be_visible()
    expect(page.locator(".pass")).to_have_count(0)
    shot(page, "rider-aboard-ko")
    crew.until("alighted", ride)
    expect(page.get_by_role("heading", name="도착했습니다")).to_be_visible()
    page.locator(".stars label").nth(3).click()
    page.get_by_label("덧붙일 말씀").fill("기사님이 친절했어요 🚌")
    page.get_by_role("button", name="보내기").click()
    expect(page.get_by_text("별 4개를 주셨습니다")).to_be_visible()
    page.get_by_role("button", name="불편했던 점 알리기").click()
    page.get_by_label("무슨 일이 있었나요?").fill("우산을 두고 내렸어요")
    page.get_by_role("button", name="보내기").click()
    expect(page.get_by_text("아직 답이 없습니다")).to_be_visible()
    complaint = next(one for one in town.service.call("GET", "/v1/operator/complaints") if one["ride"] == ride)
    assert complaint["words"] == "우산을 두고 내렸어요"
    answer = {"words": "찾았습니다", "reason": "test"}
    town.service.call("POST", f"/v1/operator/complaints/{complaint['id']}/answer", answer)
    page.reload()
    expect(page.get_by_text("찾았습니다")).to_be_visible()
    expect(page.get_by_text("별 4개를 주셨습니다")).to_be_visible()
    shot(page, "rider-after-ko")
    assert axe(page) == []
    page.get_by_role("link", name="내 탑승").click()
    expect(page.locator(".rides .badge")).to_have_text("완료")
    # the way back, and what cancelling means before the shuttle is on its way
    page.locator(".rides a").first.click()
    page.get_by_role("button", name="돌아가는 셔틀").click()
    page.locator(".offer").first.get_by_role("button").click()
    back = ride_of(page)
    page.get_by_role("button", name="예약 취소").click()
    expect(page.get_by_role("dialog")).to_contain_text("지금은 그냥 취소할 수 있습니다")
    page.get_by_role("button", name="네, 취소합니다").click()
    expect(page.get_by_role("heading", name="취소된 탑승입니다")).to_be_visible()
    assert town.service.call("GET", f"/v1/operator/rides/{back}")["ride"]["state"] == "cancelled"


def test_a_refused_rider_sees_why_and_takes_what_works(town: Town, watched: Open) -> None:
    """Not at that time: why, a later one to take, or the queue, which tells when there is a place."""
    before = town.rules(max_wait_s=0)
    try:
        page = rider_page(watched(town.service, **PHONE, **ENGLISH))
        ask(page, "S050", "S020")
        sign_in(page)
        expect(page.get_by_role("heading", name="Not at that time, but a little later")).to_be_visible()
        why = page.get_by_role("region", name="Why not now?")
        expect(why).to_contain_text(re.compile("No shuttle can be at your stop in time|too late"))
        expect(why).to_contain_text(re.compile(r"\d shuttles are on the road"))
        expect(page.locator(".offer")).to_contain_text("A little later")
        expect(page.locator(".offer")).to_contain_text("later than you asked for: sooner there is no place")
        shot(page, "rider-later-en")
        assert axe(page) == []
        page.get_by_role("button", name="Rather wait in line").click()
        waiting = ride_of(page)
        expect(page.get_by_role("heading", name="You are in line")).to_be_visible()
        expect(page.get_by_text("You need do nothing")).to_be_visible()
        shot(page, "rider-in-line-en")
        # nothing later is offered: the nearest time is a button
        before |= town.rules(later_s=0)
        page.get_by_role("button", name="Leave the line").click()
        page.get_by_role("dialog").get_by_role("button", name="Leave the line").click()
        expect(page.get_by_role("heading", name="This search is over")).to_be_visible()
        assert town.service.call("GET", f"/v1/operator/rides/{waiting}")["ride"]["state"] == "declined"
        page.get_by_role("link", name="New ride").click()
        page.locator("form button.primary.big").click()
        second = ride_of(page)
        expect(page.get_by_role("heading", name="You are in line")).to_be_visible()
        expect(page.get_by_role("heading", name="The nearest time that would work")).to_be_visible()
        shot(page, "rider-nearest-en")
        assert axe(page) == []
        page.get_by_role("button", name="한국어").click()
        expect(page.get_by_role("heading", name="순서를 기다리는 중입니다")).to_be_visible()
        expect(page.get_by_role("region", name="왜 지금은 안 되나요?")).to_be_visible()
        shot(page, "rider-nearest-ko")
        town.rules(max_wait_s=300)
        page.get_by_role("button", name=re.compile("오전 .*에 타기")).click()
        page.locator(".offer").first.get_by_role("button").click()
        expect(page.locator(".pass")).to_be_visible()
        assert town.service.call("GET", f"/v1/operator/rides/{second}")["ride"]["state"] == "declined"
    finally:
        town.rules(**before)


def test_who_waits_in_line_is_told_when_there_is_a_place(town: Town, watched: Open) -> None:
    """The page goes from the queue to the boarding code by itself."""
    before = town.rules(max_wait_s=0, later_s=0)
    try:
        page = rider_page(watched(town.service, **PHONE, **ENGLISH))
        ask(page, "S040", "S010")
        sign_in(page)
        expect(page.get_by_role("heading", name="You are in line")).to_be_visible()
        town.rules(**before)
        town.step(30 - town.now().second % 30, tick=True)
        expect(page.locator(".pass")).to_be_visible()
        expect(page.get_by_text("Your shuttle comes")).to_be_visible()
    finally:
        town.rules(**before)


@pytest.mark.parametrize("place", ["refused", "outside", "inside"])
def test_where_i_am(town: Town, watched: Open, place: str) -> None:
    """The phone may not tell: what to do. It tells a place that is too far away: said. Else it is the start."""
    points = {"outside": {"latitude": 35.0, "longitude": 129.0}, "inside": {"latitude": -0.5305, "longitude": 166.9113}}
    allowed = {} if place == "refused" else {"geolocation": points[place], "permissions": ["geolocation"]}
    page = rider_page(watched(town.service, **PHONE, **KOREAN, **allowed))
    page.locator(".end.from").click()
    page.get_by_role("button", name="현재 위치").click()
    if place == "inside":
        expect(page.locator(".end.from")).to_contain_text("현재 위치")
        expect(page.locator(".end.from")).to_contain_text("S004 근처")
        return
    words = {"refused": "휴대폰 설정에서", "outside": "운행 지역 밖에 계십니다"}[place]
    expect(page.get_by_role("alert").filter(has_text=words)).to_be_visible()
    # the way out that the sentence names
    page.get_by_role("searchbox").fill("S004")
    page.locator(".found button").first.click()
    expect(page.locator(".end.from")).to_contain_text("S004")


def test_places_on_the_map(town: Town, watched: Open) -> None:
    """A tap is the start, the next one the goal; a place outside the zone is refused in words."""
    page = rider_page(watched(town.service, **PHONE, **ENGLISH))
    expect(page.locator(".map[data-ready=true]")).to_be_visible()
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.locator(".map canvas").click(position={"x": 20, "y": box["height"] / 2})
    expect(page.locator(".end.from")).to_contain_text("Place on the map")
    page.locator(".end.to").click()
    page.get_by_role("button", name="On the map", exact=True).click()
    page.locator("dialog .map[data-ready=true]").wait_for()
    page.locator("dialog .map canvas").click(position={"x": 180, "y": 200})
    shot(page, "rider-map-en")
    assert axe(page) == []
    page.get_by_role("button", name="Use this place").click()
    expect(page.locator(".end.to")).not_to_contain_text("Where do you go")
    page.get_by_role("button", name="Swap start and goal").click()
    page.get_by_role("button", name="Find a ride").click()
    sign_in(page)
    expect(page.get_by_text("lies outside the zone")).to_be_visible()


def test_without_a_map(town: Town, watched: Open) -> None:
    """The plain page by keyboard alone: asks, signs in, books, cancels."""
    page = watched(town.service, **ENGLISH).page()
    page.goto("/rider/plain")
    expect(page.get_by_role("heading", name="Where to?")).to_be_visible()
    start, goal = page.get_by_role("group", name="From", exact=True), page.get_by_role("group", name="To", exact=True)
    start.get_by_label("Part of the name").fill("s003")
    expect(start.get_by_role("status")).to_have_text("1 stop")
    start.get_by_label("Stop", exact=True).select_option("S003")
    goal.get_by_label("Stop", exact=True).select_option("S030")
    shot(page, "plain-ask-en")
    assert axe(page) == []
    page.get_by_role("button", name="Find a ride").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sign in")).to_be_focused()
    assert axe(page) == []
    sign_in(page)
    expect(page.get_by_role("heading", name="A ride for you")).to_be_focused()
    assert axe(page) == []
    page.get_by_role("button", name="Book this ride").first.press("Enter")
    expect(page.locator(".pass-code")).to_be_visible()
    ride = ride_of(page)
    assert page.locator("canvas").count() == 0
    shot(page, "plain-ride-en")
    assert axe(page) == []
    page.get_by_role("button", name="Cancel the ride").press("Enter")
    page.get_by_role("button", name="Yes, cancel").press("Enter")
    expect(page.get_by_role("heading", name="This ride was cancelled")).to_be_visible()
    assert town.service.call("GET", f"/v1/operator/rides/{ride}")["ride"]["state"] == "cancelled"
    page.get_by_role("button", name="한국어").press("Enter")
    expect(page.get_by_role("heading", name="취소된 탑승입니다")).to_be_visible()
    for tab in ("내 탑승", "내 정보"):
        page.get_by_role("link", name=tab).press("Enter")
        expect(page.get_by_role("heading", level=1).last).to_be_visible()
        assert axe(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["ko", "en"])
def test_small_phones(town: Town, watched: Open, scheme: str, language: str) -> None:
    """At 360 × 640 nothing is cut off at the side, every target is large, and the search is on the first screen."""
    locale = {"ko": KOREAN, "en": ENGLISH}[language]
    phone = {**PHONE, "viewport": {"width": 360, "height": 640}, "color_scheme": scheme}
    page = rider_page(watched(town.service, **phone, **locale))
    choose(page, "from", "S003")
    choose(page, "to", "S030")
    button = page.locator("form button.primary.big").bounding_box()
    assert button is not None
    assert button["y"] + button["height"] < 640
    shot(page, f"rider-small-{language}-{scheme}")
    assert page.evaluate("() => document.documentElement.scrollWidth") == 360
    small = page.evaluate(
        "() => [...document.querySelectorAll('main button, main a, nav a, header a, header button')]"
        ".filter(one => !one.closest('.maplibregl-ctrl-attrib') && one.offsetParent)"
        ".map(one => [one.textContent, one.offsetWidth, one.offsetHeight]).filter(([, w, h]) => w < 48 || h < 48)"
    )
    assert small == []
    assert axe(page) == []
