"""The key pair that signs web push: read in every form in which it is written, or refused in one sentence."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dispatch.service.settings import read_settings
from dispatch.service.vapid import from_base64url
from routing.errors import InputError
from tests.service.push_services import CURVE, PRIVATE_KEY, VAPID


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
