"""Money as people write it. Amounts are in the currency's smallest unit: won, cents."""

from __future__ import annotations

from typing import Final

_DECIMALS: Final = {
    **dict.fromkeys(
        (
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""where they are not two (ISO 4217)"""
_SIGNS: Final = {
    "AUD": "A$", "BRL": "R$", "CAD": "CA$", "CNY": "CN¥", "EUR": "€", "GBP": "£", "INR": "₹", "JPY": "¥", "KRW": "₩",
    "NZD": "NZ$", "TWD": "NT$", "USD": "$", "VND": "₫",
}  # fmt: skip


def money(amount: float, currency: str, language: str = "en") -> str:
    """`₩1,800`, `A$3.00`, `CHF 3.00`; in Korean `1,800원`."""
    decimals = _DECIMALS.get(currency, 2)
    number = f"{abs(amount) / 10**decimals:,.{decimals}f}"
    minus = "−" if amount < 0 and float(number.replace(",", "")) else ""
    if currency == "KRW" and language == "ko":
        return f"{minus}{number}원"
    return f"{minus}{_SIGNS.get(currency, f'{currency} ')}{number}"
