"""The page of a rider's own data: names and notes are only text, all can be taken and deleted, the phone is told."""

from __future__ import annotations

import json
import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.phones import CORPUS, ENGLISH, KOREAN, PHONE, Town, rider_page, sign_in
from tests.service.push_services import SUBSCRIPTION


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
