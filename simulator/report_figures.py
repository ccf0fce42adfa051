"""Figures as readers want them: under headings, in minutes and percent, each with its definition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import escape
from typing import Any, Final

from dispatch.core.money import money
from simulator.accounts import ALL_DEFINITIONS
from simulator.lab_page import section

GROUPS: Final = {
    "What became of the journeys asked for": (
        "attempts", "booked", "delivered", "cancelled", "no_show", "undelivered", "refused", "declined", "calls",
        "service_rate", "acceptance_rate", "extra.delivered_per_call", "extra.persons_delivered", "party_mean",
        "booked_ahead_share", "extra.alternatives_taken_share", "extra.queued", "extra.queued_booked_share",
        "extra.queue_wait_mean_s", "extra.cancelled_late", "extra.cancelled_queued", "extra.unanswered",
        "extra.later_days",
    ),
    "Waiting and riding": (
        "wait_mean_s", "wait_p95_s", "extra.wait_p50_s", "extra.wait_max_s", "last_call_wait_mean_s",
        "extra.refused_wait_mean_s", "extra.refused_wait_p95_s", "ride_mean_s",
        "direct_mean_s", "direct_km_mean", "ride_to_direct_mean", "ride_to_direct_p95", "extra.journey_mean_s",
        "extra.walk_mean_s", "extra.fares_total",
    ),
    "Promises": (
        "promises_broken", "extra.broken_by", "pickup_in_window_rate", "window_mean_s",
        "extra.pickup_told_error_mean_s", "extra.pickup_told_error_p95_s", "extra.promises_at_risk",
        "violations", "violations_by_invariant",
    ),
    "Shuttles": (
        "shuttle_hours", "vehicle_km", "empty_share", "km_per_rider", "riders_per_shuttle_hour", "pooling_rate",
        "occupancy_km", "extra.drive_hours", "extra.idle_share", "extra.breakdowns", "extra.stranded",
    ),
    "Money and carbon": (
        "extra.money.currency", "extra.money.cost_total", "extra.money.cost_per_rider", "extra.money.fare_per_rider",
        "extra.money.subsidy_per_rider", "extra.money.cost_recovery", "extra.co2.shuttles_kg", "extra.co2.g_per_rider",
        "extra.co2.car_g_per_rider", "extra.co2.taxi_g_per_rider",
    ),
    "The same journeys by other ways": (
        "extra.baselines.naru_mean_s", "extra.baselines.walk_mean_s", "extra.baselines.taxi_mean_s",
        "extra.baselines.taxi_fare_mean", "extra.baselines.bus_mean_s", "extra.baselines.bus_share",
        "extra.baselines.bus_asked_share", "extra.baselines.bus_transfers_mean", "extra.baselines.bus_walk_mean_s",
    ),
    "The run": ("decision_ms", "requests_per_s", "wall_s", "peak_rss_mb", "seed", "scenario", "version"),
}  # fmt: skip
"""Headings of the table of figures and the keys under each. Figures by hour and by constraint have their charts."""


_UNITS: Final = {"min": "분", "s": "초", "%": "%", "points": "%p"}


def told(key: str, value: Any, currency: str | None = None, language: str = "en") -> str:
    """A figure as a reader wants it: minutes, percent, km; – where there is none. Money has its sign if it is known."""
    name = key.rpartition(".")[2]
    match value:
        case None:
            return "–"
        case dict() if name == "decision_ms":
            return ", ".join(f"{what} {'–' if ms is None else f'{ms:.2f}'}" for what, ms in value.items()) + " ms"
        case dict():
            return ", ".join(f"{what} {count}" for what, count in value.items()) or "none"
        case str():
            return value
        case _ if name in ("seed", "requests_per_s", "wall_s"):
            return {"seed": f"{value}", "requests_per_s": f"{value:,.0f}", "wall_s": f"{value:.1f} s"}[name]
        case _ if name.endswith("_s"):
            return f"{value:.0f} s" if abs(value) < 60 else f"{value / 60:.1f} min"
        case _ if name.endswith(("_rate", "_share", "_per_call", "_recovery")):
            return f"{100 * value:.1f} %"
        case _ if name.startswith("ride_to_direct"):
            return f"{value:.2f} ×"
        case _ if name.endswith("_hours"):
            return f"{value:,.1f} h"
        case _ if name.startswith(("cost_", "fare_", "fares_", "subsidy_", "taxi_fare")):
            return f"{value:,.0f}" if currency is None else money(value, currency, language)
        case _ if name.endswith("_kg"):
            return f"{value:,.1f} kg"
        case _ if name.endswith("g_per_rider"):
            return f"{value:,.0f} g"
        case _ if name in ("vehicle_km", "km_per_rider", "direct_km_mean"):
            return f"{value:,.0f} km" if value >= 100 else f"{value:.1f} km"
        case int():
            return f"{value:,}"
        case _:
            return f"{value:,.2f}"


def said(kpis: Mapping[str, Any], key: str, language: str = "en") -> str:
    """A figure of a day as `told`, in its currency, in English or Korean."""
    words = told(key, look_up(kpis, key), look_up(kpis, "extra.money.currency"), language)
    return in_korean(words) if language == "ko" else words


def in_korean(figures: str) -> str:
    """The units behind figures, in Korean."""
    return re.sub(r"(?<=\d) (min|points|s|%)(?!\w)", lambda unit: _UNITS[unit[1]], figures)


def look_up(kpis: Mapping[str, Any], key: str) -> Any:
    """A figure by its dotted name; None where there is none."""
    value: Any = kpis
    for part in key.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def figures_table(kpis: Mapping[str, Any]) -> str:
    """All figures under their headings, each with its definition."""
    bodies = []
    for heading, keys in GROUPS.items():
        rows = "".join(
            f"<tr><th scope='row'><code>{escape(key.removeprefix('extra.'))}</code></th>"
            f'<td class="num">{escape(said(kpis, key))}</td><td>{escape(ALL_DEFINITIONS.get(key, ""))}</td></tr>'
            for key in keys
        )
        bodies.append(f'<tbody><tr class="group"><th colspan="3" scope="rowgroup">{heading}</th></tr>{rows}</tbody>')
    return section(
        "All figures",
        '<div class="wide"><table class="kpis"><thead><tr><th>key</th><th class="num">figure</th><th>definition</th>'
        f"</tr></thead>{''.join(bodies)}</table></div>",
    )
