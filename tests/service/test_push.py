"""Web push: riders' devices are told, encrypted for each, by a push service that the test plays over real TLS."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.server
import json
import logging
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from dispatch.service import logs
from dispatch.service.outbox import GivenUp, Message, Undeliverable
from dispatch.service.outside import Outside, Unreachable, is_outside
from dispatch.service.push import MOST_BYTES, MOST_WAITING, MOST_WAITING_OF_ONE, letter, to_push
from dispatch.service.push_routes import MOST_DEVICES
from dispatch.service.settings import read_settings
from dispatch.service.vapid import Vapid, base64url, from_base64url, read_private_key
from routing.errors import InputError
from tests.service.stores import Post, dispatching, embedded, run, until
from tests.service.towns import Served, served

CURVE = ec.SECP256R1()
PRIVATE_KEY = base64url(bytes(range(1, 33)))
VAPID = {"vapid_private_key": PRIVATE_KEY, "vapid_subject": "mailto:push@town.example"}
HOST = "push.town.example"


class Browser:
    """A browser's side of RFC 8291, of our own making: the keys it subscribes with, and how it reads a message."""

    def __init__(self, name: str, key: ec.EllipticCurvePrivateKey | None = None, auth: bytes = b"a" * 16) -> None:
        self.key = key or ec.generate_private_key(CURVE)
        self.auth = auth
        self.point = self.key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.path = f"/wpush/v2/{name}"

    def subscription(self, **other: Any) -> dict[str, Any]:
        """As `PushSubscription.toJSON()` has it."""
        keys = {"p256dh": base64url(self.point), "auth": base64url(self.auth)}
        return {"endpoint": f"https://{HOST}{self.path}", "expirationTime": None, "keys": keys, **other}

    def read(self, body: bytes) -> bytes:
        """Decrypt: salt, record size, key id, one record."""
        salt, sender, sealed = body[:16], body[21 : 21 + body[20]], body[21 + body[20] :]
        shared = self.key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(CURVE, sender))

        def derived(length: int, salt: bytes, secret: bytes, info: bytes) -> bytes:
            return HKDF(hashes.SHA256(), length, salt, info).derive(secret)

        secret = derived(32, self.auth, shared, b"WebPush: info\0" + self.point + sender)
        key = derived(16, salt, secret, b"Content-Encoding: aes128gcm\0")
        nonce = derived(12, salt, secret, b"Content-Encoding: nonce\0")
        padded = AESGCM(key).decrypt(nonce, sealed, None).rstrip(b"\0")
        assert padded[-1:] == b"\x02"
        return padded[:-1]


SUBSCRIPTION = Browser("fuzzed", ec.derive_private_key(7, CURVE)).subscription()


def test_the_browser_reads_the_example_of_the_rfc() -> None:
    """RFC 8291, section 5: what it reads of ours it does not read by our own rules."""
    key = ec.derive_private_key(
        int.from_bytes(from_base64url("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big"), CURVE
    )
    body = from_base64url(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7"
        "A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    browser = Browser("rfc", key, from_base64url("BTBZMqHH6r4Tts7J_aSIgg"))
    assert browser.read(body) == b"When I grow up, I want to be a watermelon"


class PushService:
    """A push service: an https server that keeps what it is given, and answers as it is told to."""

    def __init__(self, folder: Path) -> None:
        self.got: list[tuple[str, dict[str, str], bytes]] = []
        self.answers: dict[str, list[int]] = {}
        """by path, what is answered first; then 201"""
        certificate = _certificate(folder)
        server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_tls.load_cert_chain(certificate)
        self.tls = ssl.create_default_context(cafile=str(certificate))
        service = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"  # it would keep connections

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                left = service.answers.get(self.path, [])
                self.send_response(left.pop(0) if left else 201)
                self.send_header("Location", f"https://127.0.0.1:{service.server.server_port}/inside")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.socket = server_tls.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def outside(self, tls: ssl.SSLContext | None = None) -> Outside:
        """The way to it: whatever host is asked for is here."""

        async def here(_: str) -> list[tuple[str, int]]:
            return [("127.0.0.1", self.server.server_port)]

        return Outside(here, tls or self.tls)

    def read(self, browser: Browser) -> list[dict[str, Any]]:
        """What this browser was told."""
        return [json.loads(browser.read(body)) for path, _, body in self.got if path == browser.path]


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(CURVE)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / "push.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


@pytest.fixture
def service(tmp_path: Path) -> Iterator[PushService]:
    """One for a test."""
    running = PushService(tmp_path)
    yield running
    running.server.shutdown()
    running.server.server_close()


def story(folder: Path, service: PushService, told: Callable[[Served], Awaitable[None]]) -> None:
    """Lived in a town that has keys."""

    async def live() -> None:
        async with asyncio.timeout(40), served(folder / "town", settings=VAPID, outside=service.outside()) as town:
            await told(town)

    asyncio.run(live())


async def subscribed(town: Served, token: str, browser: Browser) -> str:
    """The device's id."""
    answer = await town.call("POST", "/v1/me/push-subscriptions", browser.subscription(), token=token)
    assert answer.status_code == 201, answer.text
    device: str = answer.json()["id"]
    return device


async def devices(town: Served, token: str) -> list[str]:
    """Of a rider, as listed."""
    return [one["id"] for one in (await town.call("GET", "/v1/me/push-subscriptions", token=token)).json()]


def test_each_device_is_told_at_least_once(tmp_path: Path, service: PushService) -> None:
    """Signed as RFC 8292 has it, in the rider's language; who was busy gets it again, with the same id and topic."""
    phone, tablet = Browser("phone"), Browser("tablet")
    service.answers[phone.path] = [503, 307]

    async def told(town: Served) -> None:
        token = await town.rider()
        await town.call("PUT", "/v1/me", {"language": "ko"}, token=token)
        await subscribed(town, token, phone)
        await subscribed(town, token, tablet)
        ride = await town.booked(token)
        await until(lambda: len(service.got) == 4)
        await asyncio.sleep(0.2)
        assert len(service.read(tablet)) == 1  # it has taken it: only the phone is told again
        times = service.read(phone)
        assert len(times) == 3
        assert len({one["id"] for one in times} | {one["id"] for one in service.read(tablet)}) == 1
        assert times[0]["ride"] == ride["id"]
        assert times[0]["kind"] == "booked"
        assert times[0]["title"] == "셔틀 탑승 안내"
        assert times[0]["body"].startswith(f"탑승 {ride['id']} 예약")
        headers = [headers for _, headers, _ in service.got]
        topics = {one["topic"] for one in headers}
        assert len(topics) == 1
        assert len(from_base64url(topics.pop())) == 24
        public = (await town.call("GET", "/v1/push-key")).json()["public_key"]
        for one in headers:
            assert one["host"] == HOST
            assert one["content-encoding"] == "aes128gcm"
            assert int(one["ttl"]) > 0
            scheme, _, rest = one["authorization"].partition(" ")
            signed = dict(part.strip().split("=", 1) for part in rest.split(","))
            key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_base64url(signed["k"]))
            claims = jwt.decode(signed["t"], key, algorithms=["ES256"], audience=f"https://{HOST}")
            assert (scheme, signed["k"], claims["sub"]) == ("vapid", public, VAPID["vapid_subject"])
            assert 0 < claims["exp"] - dt.datetime.now(dt.UTC).timestamp() < 86_400
        # a code is not told to devices; the words of an operator are, as far as a push holds them
        words = {"words": "가" * 2000, "reason": "storm"}
        assert (await town.call("POST", "/v1/operator/messages", words, token=town.token("operator"))).is_success
        await until(lambda: len(service.read(tablet)) == 2)
        assert service.read(tablet)[1]["body"].startswith("가" * 1000)
        assert service.read(tablet)[1]["body"].endswith("…")

    story(tmp_path, service, told)
    assert {path for path, *_ in service.got} == {phone.path, tablet.path}
    assert {one["kind"] for browser in (phone, tablet) for one in service.read(browser)} == {"booked", "words"}


@pytest.mark.parametrize("status", [404, 410])
def test_a_device_that_is_gone_is_forgotten(tmp_path: Path, service: PushService, status: int) -> None:
    """And not asked again; the other one stays."""
    gone, stays = Browser("gone"), Browser("stays")
    service.answers[gone.path] = [status]

    async def told(town: Served) -> None:
        token = await town.rider()
        await subscribed(town, token, gone)
        kept = await subscribed(town, token, stays)
        await town.booked(token)
        await until(lambda: len(service.got) == 2)
        for _ in range(100):
            if await devices(town, token) == [kept]:
                break
            await asyncio.sleep(0.02)
        assert await devices(town, token) == [kept]
        await town.booked(token, "k2", origin=3)
        await until(lambda: len(service.read(stays)) == 2)
        assert len(service.read(gone)) == 1
        assert town.live.dispatcher.outbox.counts.failed == 0

    story(tmp_path, service, told)


def test_a_device_is_a_riders_own_and_goes_with_them(tmp_path: Path, service: PushService) -> None:
    """Listed, exported, taken off, deleted with all else; passed on to another rider it is that one's only."""
    phone = Browser("phone")

    async def told(town: Served) -> None:
        first, second = await town.rider(), await town.rider("+674 555 0002")
        device = await subscribed(town, first, phone)
        assert await subscribed(town, first, phone) == device  # the same one again
        kept = (await town.call("GET", "/v1/me/export", token=first)).json()["kept"]
        assert kept[f"device:{device}"]["endpoint"] == phone.subscription()["endpoint"]
        path = f"/v1/me/push-subscriptions/{device}"
        assert (await town.call("DELETE", path, token=second)).json()["code"] == "no_such_device"
        assert await devices(town, first) == [device]
        # the phone is passed on
        assert await subscribed(town, second, phone) == device
        assert await devices(town, first) == []
        await town.booked(first)
        ride = await town.booked(second, "k2", origin=3)
        await until(lambda: len(service.got) == 1)
        assert service.read(phone)[0]["ride"] == ride["id"]
        # and taken off, and put on again, and deleted with its rider
        assert (await town.call("DELETE", path, token=second)).json() == {"done": True}
        assert (await town.call("DELETE", path, token=second)).status_code == 404
        await subscribed(town, second, phone)
        redis: Any = town.live.redis
        assert await redis.hlen("{nauru}:vault:devices") == 1
        assert (await town.call("DELETE", "/v1/me", token=second)).is_success
        assert await redis.hlen("{nauru}:vault:devices") == 0
        assert (await town.call("GET", "/v1/me/push-subscriptions", token=second)).json() == []
        put = await town.call("POST", "/v1/me/push-subscriptions", phone.subscription(), token=second)
        assert put.json()["code"] == "no_such_rider"
        await asyncio.sleep(0.3)
        assert len(service.got) == 1
        # of many only the latest
        many = [await subscribed(town, first, Browser(f"b{n}")) for n in range(MOST_DEVICES + 2)]
        assert await devices(town, first) == many[:1:-1]

    story(tmp_path, service, told)


OTHER_CURVE = ec.generate_private_key(ec.SECP384R1()).public_key()
BAD: list[tuple[str, dict[str, Any]]] = [
    ("endpoint", {"endpoint": endpoint})
    for endpoint in (
        "", "http://push.town.example/x", "https://push/x", "https://localhost/x", "https://127.0.0.1/x",
        "https://2130706433/x", "https://0x7f.1/x", "https://[::1]/x", "https://[::ffff:10.0.0.1]/x",
        "https://push.town.example:6379/x", "https://user@push.town.example/x", "https://push.town.example/x#y",
        "https://push.town.example\\@127.0.0.1/x", "https://push.town.example/ x", "https://push.town.example/\r\nA: b",
        "https://push.town.example." + "a" * 250 + "/x", "https://푸시.example/x", "ftp://push.town.example/x",
        "https://push.town.example/" + "x" * 2000, "//push.town.example/x", "https://push..example/", 7, None,
    )
] + [
    ("keys.p256dh", {"keys": {"p256dh": p256dh, "auth": "YWFhYWFhYWFhYWFhYWFhYQ"}})
    for p256dh in (
        "", "AAAA", "B" + "A" * 86, "!" * 87, SUBSCRIPTION["keys"]["p256dh"][:-4], "가" * 87,
        base64url(OTHER_CURVE.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))[:100],
    )
] + [
    ("keys.auth", {"keys": {**SUBSCRIPTION["keys"], "auth": auth}}) for auth in ("", "YQ", "=" * 20, "a" * 24, "a" * 21)
] + [("keys", {"keys": None}), ("expirationTime", {"expirationTime": -1}), ("", {"more": 1})]  # fmt: skip


def test_a_subscription_that_is_none_is_refused(tmp_path: Path, service: PushService) -> None:
    """With what was wrong, and never with what was sent; without keys there are none at all."""

    async def told(town: Served) -> None:
        token = await town.rider()
        for field, part in BAD:
            bad = {**SUBSCRIPTION, **part}
            answer = await town.call("POST", "/v1/me/push-subscriptions", bad, token=token)
            problem = answer.json()
            assert (answer.status_code, problem["code"]) == (422, "invalid"), part
            assert any(one.startswith(f"body.{field}".rstrip(".")) for one in problem["fields"]), (part, problem)
        assert await devices(town, token) == []
        good = {**SUBSCRIPTION, "endpoint": "https://push.town.example:443/x?y=%7B"}
        assert (await town.call("POST", "/v1/me/push-subscriptions", good, token=token)).status_code == 201

    story(tmp_path, service, told)

    async def without() -> None:
        async with served(tmp_path / "bare") as town:
            token = await town.rider()
            assert (await town.call("GET", "/v1/push-key")).json()["code"] == "no_push"
            answer = await town.call("POST", "/v1/me/push-subscriptions", SUBSCRIPTION, token=token)
            assert (answer.status_code, answer.json()["code"]) == (404, "no_push")

    asyncio.run(without())


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("9.9.9.9", True), ("2620:fe::9", True), ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.1", False),
        ("172.16.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1", False),
        ("fe80::1%eth0", False), ("fd00::1", False), ("ff02::1", False), ("::ffff:127.0.0.1", False),
        ("127.255.255.255", False), ("172.31.255.255", False), ("fdff::ffff", False), ("::ffff:9.9.9.9", False),
        ("64:ff9b::7f00:1", False), ("2002:7f00:1::1", False), ("2001:0:7f00::1", False),
    ],
)  # fmt: skip
def test_what_is_outside(address: str, outside: bool) -> None:
    """Nothing that leads to this machine or its network, by whatever detour it is written."""
    assert is_outside(address) is outside


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "10.0.0.7", "169.254.169.254"])
def test_a_name_that_means_the_house_is_not_called(
    service: PushService, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    """Nor one that means it a moment later: a name is looked up once, and the connection goes to what was looked at."""
    lookups: list[str] = []
    real = socket.getaddrinfo

    def looked_up(host: str, port: int, *more: Any, **named: Any) -> Any:
        if host != HOST:
            return real(host, port, *more, **named)
        lookups.append(host)
        family = socket.AF_INET6 if ":" in inside else socket.AF_INET
        return [(family, socket.SOCK_STREAM, 6, "", (inside, port))]

    async def test() -> None:
        async with Outside(tls=service.tls) as outside:
            with pytest.raises(Unreachable):
                await outside.post(f"https://{HOST}/x", b"", {})
            assert service.got == []
            if inside == "127.0.0.1":  # that it would have been called, were it not for its address
                monkeypatch.setattr("dispatch.service.outside.is_outside", lambda _: True)
                assert await outside.post(f"https://{HOST}/x", b"", {}) == 201
                assert lookups == [HOST, HOST]

    monkeypatch.setattr("dispatch.service.outside.PORT", service.server.server_port)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    asyncio.run(test())


def test_only_the_hosts_own_certificate_counts(service: PushService) -> None:
    """Of another name, or signed by nobody who is believed."""

    async def test() -> None:
        async with service.outside() as outside:
            assert await outside.post(f"https://{HOST}/x", b"1", {}) == 201
            with pytest.raises(Unreachable):
                await outside.post("https://else.town.example/x", b"2", {})
        async with service.outside(ssl.create_default_context()) as outside:
            with pytest.raises(Unreachable):
                await outside.post(f"https://{HOST}/x", b"3", {})

    asyncio.run(test())
    assert [body for *_, body in service.got] == [b"1"]


def test_no_device_is_named_in_the_logs(service: PushService, capsys: pytest.CaptureFixture[str]) -> None:
    """Its address is a key to it: not even a library that is talkative tells it."""
    root = logging.getLogger()
    before = root.handlers, root.level
    logs.set_up("debug")

    async def test() -> None:
        async with service.outside() as outside:
            assert await outside.post(f"https://{HOST}/secret", b"1", {}) == 201
        logging.getLogger("naru.service").info("done")

    try:
        asyncio.run(test())
    finally:
        root.handlers, _ = before
        root.setLevel(before[1])
    said = capsys.readouterr().err
    assert "done" in said
    assert "secret" not in said


class Kept:
    """A vault in which everybody has one device."""

    async def devices(self, _: str) -> dict[str, dict[str, str]]:
        """It."""
        return {"d": {"endpoint": SUBSCRIPTION["endpoint"], **SUBSCRIPTION["keys"]}}


def test_devices_that_never_answer_hold_few_messages() -> None:
    """Of one rider, and of all: beyond that a message is given up at once, until one was taken."""

    class Dead:
        status = 500

        async def post(self, *_: Any) -> int:
            return self.status

    async def test() -> None:
        async def resolve(_: Message) -> dict[str, str]:
            return {"subject": "s", "text": "t"}

        dead, vapid = Dead(), Vapid(read_private_key(PRIVATE_KEY), "mailto:a@b.example")
        deliver = to_push("z", Kept(), vapid, dead, resolve)  # type: ignore[arg-type]

        async def outcome(n: int, rider: str) -> str:
            try:
                await deliver(Message("push", rider, "booked", id=f"1-{n}"))
            except Undeliverable as error:
                return type(error).__name__
            return "taken"

        assert {await outcome(n, "r") for n in range(MOST_WAITING_OF_ONE)} == {"Undeliverable"}
        assert await outcome(3, "r") == "Undeliverable"  # again
        assert await outcome(99, "r") == "GivenUp"
        others = [await outcome(100 + n, f"r{n}") for n in range(MOST_WAITING - MOST_WAITING_OF_ONE)]
        assert set(others) == {"Undeliverable"}
        assert await outcome(999, "late") == "GivenUp"
        dead.status = 201
        assert await outcome(3, "r") == "taken"
        dead.status = 500
        assert await outcome(999, "late") == "Undeliverable"

    asyncio.run(test())


def test_one_way_that_hangs_or_gives_up_delays_no_other() -> None:
    """More pushes than are under way at once hang, one is given up; what goes another way leaves."""
    tried: list[str] = []

    async def push(message: Message) -> None:
        tried.append(message.id)
        if message.kind == "hopeless":
            raise GivenUp("never")
        await asyncio.sleep(60)

    async def test() -> None:
        async with embedded() as started:
            post = Post()
            async with dispatching(started, channels={"log": post, "push": push}) as dispatcher:
                first = [Message("push", "r", "hopeless")]
                await dispatcher.submit(lambda *_: [], messages=lambda *_: first)
                await until(lambda: dispatcher.outbox.counts.given_up == 1)
                many = [Message("push", "r", "hangs") for _ in range(40)]
                await dispatcher.submit(lambda *_: [], messages=lambda *_: [*many, Message("log", "r", "code")])
                await until(lambda: len(post.taken) == 1)
                assert len(tried) == 1 + 16

    run(test)


def test_words_are_cut_where_a_push_cannot_hold_them() -> None:
    """Whatever they are made of."""
    for words in ("가" * 2000, "\x01" * 2000, '"' * 4000, "x" * 3000, ""):
        body = letter(Message("push", "r", "words", id="1-1"), {"subject": "s", "text": words})
        assert len(body) <= MOST_BYTES
        told = json.loads(body)["body"]
        assert told == words or (words.startswith(told[:-1]) and told[-1] == "…" and len(body) > 0.8 * MOST_BYTES)


def pem(curve: ec.EllipticCurve = CURVE) -> str:
    """A new key as openssl writes it."""
    key = ec.generate_private_key(curve)
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


def test_keys_are_read_or_refused_in_one_sentence() -> None:
    """As PEM, in one line too, or as base64url; what cannot be used names its variable, and does not repeat it."""
    good = [PRIVATE_KEY, pem(), pem().strip().replace("\n", "\\n")]
    for key in good:
        for subject in ("mailto:push@town.example", "https://town.example/contact"):
            found = read_settings(vapid_private_key=key, vapid_subject=subject).vapid
            assert found is not None
            assert len(from_base64url(found.public_key)) == 65
    assert read_settings().vapid is None
    subject = VAPID["vapid_subject"]
    cut = pem().replace("=", "", 1)[:-60]
    for key in ("", "abc", "A" * 43, "!" * 43, "_" * 43, PRIVATE_KEY * 2, cut, pem(ec.SECP384R1()), "-----BEGIN"):
        with pytest.raises(
            InputError, match=r"^NARU_VAPID_PRIVATE_KEY: must be a private key on the curve P-256"
        ) as no:
            read_settings(vapid_private_key=key, vapid_subject=subject)
        assert not key or key not in str(no.value)
    for wrong in ("", "push@town.example", "mailto:push@localhost", "https://localhost", "mailto:push@push.local",
                  "http://town.example", "mailto:a b@town.example", "https://town.example/\r\n"):  # fmt: skip
        with pytest.raises(InputError, match=r"^NARU_VAPID_SUBJECT: must be where push services reach the operator"):
            read_settings(vapid_private_key=PRIVATE_KEY, vapid_subject=wrong)
    for alone in ({"vapid_subject": subject}, {"vapid_private_key": PRIVATE_KEY}):
        with pytest.raises(InputError, match=r"^NARU_VAPID_SUBJECT: goes with NARU_VAPID_PRIVATE_KEY"):
            read_settings(**alone)
