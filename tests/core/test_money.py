"""Amounts in the smallest unit, as people write them."""

from __future__ import annotations

import pytest

from dispatch.core.money import money


@pytest.mark.parametrize(
    ("amount", "currency", "language", "words"),
    [
        (1800, "KRW", "en", "₩1,800"),
        (1800, "KRW", "ko", "1,800원"),
        (-8401.4, "KRW", "en", "−₩8,401"),
        (-0.2, "KRW", "ko", "0원"),
        (350, "AUD", "en", "A$3.50"),
        (350, "AUD", "ko", "A$3.50"),
        (123_456_789, "EUR", "en", "€1,234,567.89"),
        (1500, "KWD", "en", "KWD 1.500"),
        (5, "CHF", "en", "CHF 0.05"),
    ],
)
def test_money_as_people_write_it(amount: float, currency: str, language: str, words: str) -> None:
    assert money(amount, currency, language) == words
