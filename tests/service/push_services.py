"""The other side of web push, of our own making: browsers that read what they are told, push services over real TLS."""

from __future__ import annotations

import asyncio
import datetime as dt
import http.server
import json
import ssl
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from dispatch.service.outside import Outside
from dispatch.service.vapid import base64url
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
