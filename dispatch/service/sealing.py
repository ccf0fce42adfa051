"""Bytes as text that may stand in a URL or a JSON string."""

from __future__ import annotations

import base64
import binascii


def to_text(content: bytes) -> str:
    """URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def from_text(text: str) -> bytes | None:
    """The inverse of `to_text`; None for what it did not write."""
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if to_text(content) == text else None
