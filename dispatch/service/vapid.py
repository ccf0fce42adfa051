"""Who sends web pushes: the installation's key pair, by which push services know it (VAPID, RFC 8292)."""

from __future__ import annotations

import base64
import re
import time
from typing import Final
from urllib.parse import urlsplit

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

CURVE: Final = ec.SECP256R1()
HOLDS_S: Final = 43_200
"""of each push's token; push services take none that holds for more than a day"""
KEY_BYTES: Final = 32
A_KEY = "must be a private key on the curve P-256: PEM, or its 32 bytes in base64url"
# Apple refuses who cannot be reached: a name without a dot, localhost.
SUBJECT = re.compile(
    r"(mailto:[^\s@<>,;:/]{1,64}@|https://)([a-z0-9-]{1,63}\.)+[a-z][a-z0-9-]{0,62}(?<!\.localhost)(?<!\.local)"
    r"(?<!\.invalid)(/[!-~]*)?",
    re.ASCII | re.IGNORECASE,
)
A_SUBJECT = "must be where push services reach the operator: mailto:push@town.example, or an https address"


class Vapid:
    """The key pair, and whom push services turn to when something is wrong with what it sends."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._key = key
        self._subject = subject

    @property
    def public_key(self) -> str:
        """What a browser subscribes with (`applicationServerKey`): an uncompressed point in base64url."""
        return base64url(self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    def authorization(self, endpoint: str) -> str:
        """The header of this name for a push to this endpoint."""
        parts = urlsplit(endpoint)
        claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(time.time()) + HOLDS_S, "sub": self._subject}
        return f"vapid t={jwt.encode(claims, self._key, 'ES256')}, k={self.public_key}"


def read_private_key(text: str) -> ec.EllipticCurvePrivateKey:
    """A key as PEM (line ends may be written `\\n`), or as its number in base64url. Raises ValueError."""
    try:
        if "-----BEGIN" in text:
            key = load_pem_private_key(text.replace("\\n", "\n").encode(), None)
            if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1):
                return key
        else:
            number = from_base64url(text.strip())
            if len(number) == KEY_BYTES:
                return ec.derive_private_key(int.from_bytes(number, "big"), CURVE)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        pass
    raise ValueError(A_KEY)


def read_subject(text: str) -> str:
    """Where the operator is reached. Raises ValueError."""
    if SUBJECT.fullmatch(text) is None:
        raise ValueError(A_SUBJECT)
    return text


def base64url(content: bytes) -> str:
    """Without padding, as the web has it."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """With padding or without. Raises ValueError."""
    bare = text.rstrip("=")
    if re.fullmatch(r"[A-Za-z0-9_-]*", bare, re.ASCII) is None:
        raise ValueError("is not base64url")
    return base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4))
