"""A rider's phone in a real browser: books, waits, boards, rates; is refused; loses session and connection."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.phones import CORPUS, ENGLISH, KOREAN, PHONE, Town, ask, choose, rider_page, sign_in, until_kept
from tests.browser.served import serving
from tests.service.push_services import SUBSCRIPTION


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The island at 07:30."""
    # a key of nobody: no message leaves while this phone is told
    push = {"NARU_VAPID_PRIVATE_KEY": "Bw" * 21 + "A", "NARU_VAPID_SUBJECT": "mailto:push@town.example"}
    with serving(tmp_path_factory.mktemp("riders"), "nauru", "--lockstep", "--start", "07:30", **push) as service:
        yield Town(service)


def ride_of(page: Page) -> str:
    """The ride that the page shows."""
    page.wait_for_url(re.compile(r"#/ride/"), wait_until="commit")
    return page.url.rsplit("/", 1)[1]


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


def test_names_notes_and_words_are_only_ever_text(town: Town, watched: Open) -> None:
    """Scripts, right-to-left marks, emoji and ten thousand characters, kept and shown as they are."""
    page = rider_page(watched(town.service, **PHONE, **ENGLISH))
    page.get_by_role("link", name="My data").click()
    page.get_by_role("button", name="Sign in").click()
    sign_in(page)
    page.get_by_label("Name").wait_for()
    for words in CORPUS:
        page.get_by_label("Name").fill(words)
        page.get_by_label("Note for drivers").fill(words)
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved", exact=True)).to_be_visible()
        page.reload()
        expect(page.get_by_label("Name")).to_have_value(words)
    page.get_by_label("Note for drivers").fill("나" * 10_000)
    assert len(page.get_by_label("Note for drivers").input_value()) == 300
    expect(page.get_by_text("0 characters left")).to_be_visible()
    page.evaluate("() => document.getElementById('note').removeAttribute('maxlength')")
    page.get_by_label("Note for drivers").fill("나" * 10_000)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").filter(has_text="cannot be used")).to_be_visible()
    shot(page, "rider-me-en")
    assert axe(page) == []


def test_my_data_is_mine_to_take_and_to_delete(town: Town, watched: Open) -> None:
    """A file with everything; then nothing is left, and the sign-in is over."""
    page = rider_page(watched(town.service, **PHONE, **KOREAN, accept_downloads=True))
    page.get_by_role("link", name="내 정보").click()
    page.get_by_role("button", name="로그인").click()
    sign_in(page)
    page.get_by_label("이름").fill("김하나")
    page.get_by_role("button", name="저장").click()
    expect(page.get_by_text("저장했습니다")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="내 정보 모두 받기").click()
    taken = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert taken["kept"]["person"]["name"] == "김하나"
    page.get_by_role("button", name="내 정보 삭제").click()
    expect(page.get_by_role("dialog")).to_contain_text("되돌릴 수 없습니다")
    page.get_by_role("button", name="네, 모두 삭제합니다").click()
    expect(page.get_by_text("정보를 모두 삭제했습니다.")).to_be_visible()
    expect(page.get_by_role("button", name="로그인")).to_be_visible()
    assert page.evaluate("() => localStorage.getItem('naru.rider.session')") is None


# A browser without connection to its maker's push service gets no subscription: this one is made here.
SUBSCRIBED = """
const made = {
  endpoint: "https://push.town.example/one", unsubscribe: async () => (localStorage.removeItem("made"), true),
  toJSON: () => ({endpoint: "https://push.town.example/one", expirationTime: null, keys: KEYS}),
};
PushManager.prototype.getSubscription = async () => localStorage.getItem("made") === null ? null : made;
PushManager.prototype.subscribe = async ({applicationServerKey}) => {
  if (localStorage.getItem("away") !== null) throw new DOMException("push service error", "AbortError");
  if ((localStorage.getItem("made") ?? applicationServerKey) !== applicationServerKey)
    throw new DOMException("made with another key", "InvalidStateError");
  localStorage.setItem("made", applicationServerKey);
  return made;
};
"""


def test_is_told_while_the_page_is_closed(town: Town, watched: Open) -> None:
    """The phone is told from the switch on, until it is off; a message is shown once, and leads to its ride."""
    opened = watched(town.service, **PHONE, **KOREAN, permissions=["notifications"])
    opened.context.add_init_script(SUBSCRIBED.replace("KEYS", json.dumps(SUBSCRIPTION["keys"])))
    page = rider_page(opened)
    page.get_by_role("link", name="내 정보").click()
    page.get_by_role("button", name="로그인").click()
    sign_in(page)
    switch = page.get_by_label("이 휴대전화로 알림 받기")
    expect(switch).not_to_be_checked()
    page.evaluate("() => localStorage.setItem('away', '')")
    switch.click()
    expect(page.get_by_text("휴대전화의 알림 서비스에 지금 연결할 수 없습니다")).to_be_visible()
    expect(switch).not_to_be_checked()
    page.evaluate("() => localStorage.removeItem('away')")
    switch.click()
    expect(switch).to_be_checked()
    assert [one["endpoint"] for one in _devices(town, page)] == ["https://push.town.example/one"]
    shot(page, "rider-told-ko")
    assert axe(page) == []
    worker = opened.context.new_cdp_session(page)
    registered: list[str] = []
    worker.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda said: registered.extend(one["registrationId"] for one in said["registrations"]),
    )
    worker.send("ServiceWorker.enable")
    for _ in range(100):
        if registered:
            break
        page.wait_for_timeout(50)
    message = {"id": "3-7", "kind": "booked", "ride": "R1", "title": "셔틀 탑승 안내", "body": "예약: 08:10"}
    for _ in range(2):  # at least once
        push = {"origin": town.service.url, "registrationId": registered[0], "data": json.dumps(message)}
        worker.send("ServiceWorker.deliverPushMessage", push)
    page.wait_for_function("async () => (await (await navigator.serviceWorker.ready).getNotifications()).length === 1")
    shown = page.evaluate(
        "async () => (await (await navigator.serviceWorker.ready).getNotifications())"
        ".map(one => [one.title, one.body, one.tag, one.data.ride])"
    )
    assert shown == [["셔틀 탑승 안내", "예약: 08:10", "3-7", "R1"]]
    # a tap on it; only a real one may bring the page to the front
    opened.context.service_workers[0].evaluate("address => show(address).catch(() => null)", "/rider#/ride/R1")
    page.wait_for_url(re.compile("#/ride/R1$"), wait_until="commit")
    page.go_back()
    expect(switch).to_be_checked()
    switch.click()
    expect(switch).not_to_be_checked()
    assert _devices(town, page) == []
    page.evaluate("() => localStorage.setItem('made', 'the key of before')")
    switch.click()
    expect(switch).to_be_checked()
    assert len(page.evaluate("() => localStorage.getItem('made')")) == 87
    page.get_by_role("button", name="로그아웃").click()
    expect(page.get_by_role("button", name="로그인")).to_be_visible()
    assert page.evaluate("() => localStorage.getItem('made')") is None


def _devices(town: Town, page: Page) -> list[dict[str, str]]:
    token = page.evaluate("() => JSON.parse(localStorage['naru.rider.session']).token")
    devices: list[dict[str, str]] = town.service.call("GET", "/v1/me/push-subscriptions", token=token)
    return devices


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
