"""What a council asks next: what a rider cost, what else there was, and who fared how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

from simulator.lab_page import section, table
from simulator.report_figures import look_up, told

WAYS: Final = (("naru", "as carried"), ("walk", "on foot"), ("taxi", "by taxi"), ("bus", "by the fixed buses"))


def instead(kpis: Mapping[str, Any]) -> str:
    """Door-to-door times of the same journeys, and grams of CO₂, side by side; empty where nothing was counted."""
    times = [(words, look_up(kpis, f"extra.baselines.{key}_mean_s")) for key, words in WAYS]
    if all(seconds is None for _, seconds in times):
        return ""
    grams = {"naru": "g", "taxi": "taxi_g"}
    most = max(seconds for _, seconds in times if seconds is not None) or 1
    rows = []
    for (key, words), (_, seconds) in zip(WAYS, times, strict=True):
        if seconds is None:
            continue
        co2 = look_up(kpis, f"extra.co2.{grams[key]}_per_rider") if key in grams else 0 if key == "walk" else None
        rows.append(
            f"<tr><td>{escape(words)}</td><td class='num'>{told('x_s', seconds)}</td>"
            f'<td class="bar"><i style="width:{100 * seconds / most:.1f}%"></i></td>'
            f"<td class='num'>{'–' if co2 is None else f'{co2:,.0f} g'}</td></tr>"
        )
    car = look_up(kpis, "extra.co2.car_g_per_rider")
    share = look_up(kpis, "extra.baselines.bus_share")
    bus = (
        ""
        if share is None
        else f" Buses could have taken {told('bus_share', share)} of them, directly or with one change."
    )
    by_car = "" if car is None else f" Each in a car of its own: {car:,.0f} g a rider."
    return section(
        "The same journeys by other ways",
        f"<p>Mean time from door to door of the journeys that were carried out, and CO₂ a rider.{bus}{by_car}</p>"
        "<table class='reasons'><thead><tr><th></th><th class='num'>door to door</th><th></th><th class='num'>CO₂</th>"
        f"</tr></thead><tbody>{''.join(rows)}</tbody></table>",
    )


KINDS: Final = {
    "part of town": "Part of town", "age": "Age group", "channel": "Way of booking", "wheelchair": "Wheelchair",
    "ahead": "When it was booked",
}  # fmt: skip
GROUPS: Final = {
    ("wheelchair", "yes"): "with one", ("wheelchair", "no"): "without",
    ("ahead", "yes"): "ahead", ("ahead", "no"): "for at once",
}  # fmt: skip


def who(kpis: Mapping[str, Any]) -> str:
    """Figures by group of riders; empty where there is one group only."""
    rows: Sequence[Mapping[str, Any]] = look_up(kpis, "extra.groups") or ()
    if not rows:
        return ""
    head = ["", "asked", "carried", "share", "mean wait", "refused", "tried for", "walk"]
    groups: dict[str, list[list[str]]] = {}
    for row in rows:
        kind, group = str(row["kind"]), str(row["group"])
        groups.setdefault(KINDS.get(kind, kind), []).append([
            GROUPS.get((kind, group), group), f"{row['attempts']:,}", f"{row['delivered']:,}",
            told("share_rate", row["share"]), told("wait_mean_s", row["wait_mean_s"]), f"{row['refused']:,}",
            told("refused_wait_mean_s", row["refused_wait_mean_s"]), told("walk_mean_s", row["walk_mean_s"]),
        ])  # fmt: skip
    return section(
        "Who fared how",
        "<p>Part of town is where the journey begins: nine parts with about as many stop points each. Groups of a few "
        "riders swing from day to day.</p>" + table(head, groups),
    )
