"""The report of a day: one HTML file that opens anywhere, offline, made from an output folder.

Everything in it is read off the log (`report_day`), the KPI object and, for the map, the road network. Nothing is
fetched: charts are SVG written here, style and script stand inside. Whatever a person named is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dispatch.core import events as ev
from dispatch.core.kpi import ANSWER_MS, DEFINITIONS, complete, figures
from routing.errors import InputError
from simulator import report_charts as charts
from simulator.outputs import LOG, REPORT, drives, read_events, read_kpis, write_whole
from simulator.report_charts import clock
from simulator.report_day import Call, Day, read_day, stop_uses

if TYPE_CHECKING:
    from dispatch.core.domain import Receipt
    from routing.network import RoadNetwork

OSM_CREDIT: Final = "© OpenStreetMap contributors, ODbL 1.0"

GROUPS: Final = {
    "What became of the journeys asked for": (
        "attempts", "booked", "delivered", "cancelled", "no_show", "undelivered", "refused", "declined", "calls",
        "service_rate", "acceptance_rate", "extra.delivered_per_call", "extra.persons_delivered", "party_mean",
        "booked_ahead_share", "extra.alternatives_taken_share", "extra.queued", "extra.queued_booked_share",
        "extra.queue_wait_mean_s", "extra.cancelled_late", "extra.cancelled_queued", "extra.unanswered",
    ),
    "Waiting and riding": (
        "wait_mean_s", "wait_p95_s", "extra.wait_p50_s", "extra.wait_max_s", "last_call_wait_mean_s", "ride_mean_s",
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
    "The run": ("decision_ms", "requests_per_s", "wall_s", "peak_rss_mb", "seed", "scenario", "version"),
}  # fmt: skip
"""Headings of the table of figures and the keys under each. Figures by hour and by constraint have their charts."""


def write_report(folder: str | Path, network: RoadNetwork | None = None) -> Path:
    """Write `report.html` into an output folder from the files in it; the value is its path.

    `network` is the one that the day was driven on, stop points included; None: the report has no map. Without
    `kpis.json` the figures are counted anew from the log. Raises InputError for a folder that holds no readable day,
    OSError with the path where the report cannot be written.
    """
    folder = Path(folder)
    events = list(read_events(folder))
    folder = folder if folder.is_dir() else folder.parent
    try:
        page = report_html(events, read_kpis(folder), network)
    except (KeyError, IndexError) as error:
        raise InputError(
            f"an event names something that the log has not introduced: {error}",
            file=folder / LOG, expected="a log that `naru check` finds clean",
        ) from None  # fmt: skip
    path = folder / REPORT
    write_whole(path, page.encode("utf-8", "replace"))
    return path


def report_html(
    events: Sequence[ev.Event], kpis: Mapping[str, Any] | None = None, network: RoadNetwork | None = None
) -> str:
    """The whole page. `kpis` None: counted from the events, with nothing about the run that made them."""
    day = read_day(events)
    if day is None:
        raise InputError("the log does not begin with a day", expected="DayOpened as its first line")
    counted = complete(figures(events)) if kpis is None else kpis
    name = day.opened.scenario
    sections = (
        _header(day, counted),
        _tiles(counted),
        _journeys(counted),
        _waits(day, counted),
        _map(day, network, drives(events)),
        _occupancy(day, counted),
        _gantt(day),
        _refusals(counted),
        _receipts(day),
        _table(counted),
        _footer(day, network),
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(name)} – Naru, report of a day</title><style>{_asset('report.css')}</style></head>\n"
        f"<body><main>{''.join(sections)}</main><script>{_asset('report.js')}</script></body></html>\n"
    )


def _asset(name: str) -> str:
    return files("simulator").joinpath(name).read_text("utf-8")


# Sections, in the order of the page


def _header(day: Day, kpis: Mapping[str, Any]) -> str:
    opened = day.opened
    cut = (
        ""
        if day.whole
        else f'<p class="notice">The log ends at {clock(day.until)}: this day was not brought to its end. '
        "Every figure is as far as it goes.</p>"
    )
    return (
        '<header><p class="eyebrow">Naru · report of a day</p>'
        f"<h1>{escape(opened.scenario)}</h1>"
        f'<p class="dek">{_summary(kpis)}</p>'
        f'<p class="notice"><strong>Simulated demand.</strong> The riders, their journeys and the drives below were '
        "computed for the scenario; nothing here was observed on a street.</p>"
        f"{cut}"
        f'<p class="facts">Service day {escape(opened.date)}, {escape(opened.timezone)} · '
        f"{len({shift.vehicle for shift in day.shifts.values()})} shuttles in {len(day.shifts)} shifts · "
        f"{len(opened.places):,} stop points · seed {opened.seed}</p></header>"
    )


def _summary(kpis: Mapping[str, Any]) -> str:
    attempts, delivered = kpis["attempts"], kpis["delivered"]
    if not attempts:
        return "Nobody asked for a ride on this day."
    if not delivered:
        return f"{attempts:,} journeys were asked for; none was carried out."
    wait, ride = told("wait_mean_s", kpis["wait_mean_s"]), told("ride_mean_s", kpis["ride_mean_s"])
    kept = "every promise was kept" if not kpis["promises_broken"] else f"{kpis['promises_broken']:,} promises broke"
    return (
        f"Of {attempts:,} journeys asked for, {delivered:,} were carried out, "
        f"{told('service_rate', kpis['service_rate'])}. Riders waited {wait} and rode {ride} on average; {kept}."
    )


def _tiles(kpis: Mapping[str, Any]) -> str:
    violations = kpis.get("violations")
    judged = "log not judged" if violations is None else f"{violations:,} broken invariants in the log"
    tiles = (
        (
            "Carried",
            told("service_rate", kpis["service_rate"]),
            f"{kpis['delivered']:,} of {kpis['attempts']:,} journeys",
        ),
        (
            "Wait",
            told("wait_mean_s", kpis["wait_mean_s"]),
            f"mean; 19 of 20 within {told('wait_p95_s', kpis['wait_p95_s'])}",
        ),
        (
            "Ride",
            told("ride_to_direct_mean", kpis["ride_to_direct_mean"]),
            f"the direct drive; {told('ride_mean_s', kpis['ride_mean_s'])} on average",
        ),
        (
            "Driven",
            told("km_per_rider", kpis["km_per_rider"]),
            f"a person carried; {told('empty_share', kpis['empty_share'])} of all km empty",
        ),
        ("Promises broken", f"{kpis['promises_broken']:,}", judged),
    )
    cells = "".join(
        f"<div><dt>{title}</dt><dd><b>{escape(value)}</b><span>{escape(words)}</span></dd></div>"
        for title, value, words in tiles
    )
    return f'<dl class="tiles">{cells}</dl>'


def _journeys(kpis: Mapping[str, Any]) -> str:
    rows = _by_hour(kpis)
    if not rows:
        return ""
    busiest = max(rows, key=lambda row: row["attempts"])
    entries = [("c-delivered", "delivered")]
    if any(row["booked"] > row["delivered"] for row in rows):
        entries.append(("c-other", "booked, but cancelled, not shown up or not delivered"))
    if any(row["declined"] for row in rows):
        entries.append(("c-declined", "declined by the rider"))
    entries.append(("c-refused", "refused"))
    if any(row["queued"] for row in rows):
        entries.append(("c-queued", "queued first: as many as the dashed mark is high"))
    return _figure(
        "Journeys asked for",
        f"The busiest hour was {busiest['hour']}:00: {busiest['attempts']} journeys asked for, {busiest['delivered']} "
        "delivered. Each is counted once, in the hour of the departure first asked for, however often the rider "
        "called.",
        charts.legend(entries) + _wide(charts.attempts_by_hour(rows)) + _hours_table(rows),
    )


def _waits(day: Day, kpis: Mapping[str, Any]) -> str:
    hours = [row["hour"] for row in _by_hour(kpis)]
    waits: dict[int, list[int]] = {}
    for call in day.delivered:
        assert call.wait is not None
        waits.setdefault(call.depart // charts.HOUR_MS, []).append(call.wait)
    if not waits:
        return ""
    return _figure(
        "Waits by hour",
        "From the departure asked for in the first request to boarding; a queue, a retry or an alternative never "
        "resets it. Dot: mean of the hour. Bar: eight of ten riders. Dashed: the mean of the day, "
        f"{told('wait_mean_s', kpis['wait_mean_s'])}.",
        _wide(charts.waits_by_hour(hours, waits, kpis["wait_mean_s"])),
    )


def _map(day: Day, network: RoadNetwork | None, driven: Iterable[Any]) -> str:
    if network is None:
        return _section("Map", "<p>This report was made without the road network of the day, so it has no map.</p>")
    from simulator.report_map import draw_map, wait_bounds

    uses = stop_uses(day)
    drawing = draw_map(network, day.opened.places, day.opened.place_nodes, uses, list(driven))
    low, middle, high = wait_bounds(uses)
    entries = (
        ("wait0", f"mean wait under {low} min"),
        ("wait1", f"{low}–{middle}"),
        ("wait2", f"{middle}–{high}"),
        ("wait3", f"{high} min or more"),
        ("only-out", "only alightings"),
        ("unused", "not used"),
    )
    layers = "".join(
        f'<label><input type="checkbox" checked data-layer="{layer}"> {words}</label>'
        for layer, words in (("loads", "streets driven"), ("stops", "stop points"), ("refusals", "refusals"))
    )
    credit = f'<span class="credit">{escape(network.credit)}</span>' if network.credit else ""
    return _figure(
        "Where",
        "Circles are stop points, the larger the more riders boarded there. A line is the wider the more often "
        "shuttles drove along it. A cross marks where riders asked who were refused, the larger the more of them.",
        f'{charts.legend(entries)}<div class="tools">{layers}'
        '<span><button type="button" data-zoom="1" aria-label="Zoom in">+</button>'
        '<button type="button" data-zoom="-1" aria-label="Zoom out">−</button></span></div>'
        f'<div class="mapbox">{drawing}{credit}</div>',
    )


def _occupancy(day: Day, kpis: Mapping[str, Any]) -> str:
    if not day.spans:
        return ""
    mean = kpis["occupancy_km"]
    words = "" if mean is None else f"Averaged over all km driven, {mean:.2f} persons were aboard. "
    return _figure(
        "Occupancy over the day",
        f"{words}Shuttles on shift, averaged over ten minutes, by what they do and how many persons are aboard.",
        _loads_legend() + _wide(charts.occupancy(day)),
    )


def _gantt(day: Day) -> str:
    if not day.spans:
        return ""
    hidden = len(day.shifts) - charts.GANTT_ROWS
    more = f" The first {charts.GANTT_ROWS} of {len(day.shifts)} shifts are shown." if hidden > 0 else ""
    return _figure(
        "The shuttles' day",
        f"One line a shuttle. Thick: persons aboard. Half: driving empty. Thin: standing.{more}",
        _loads_legend() + _wide(charts.gantt(day)),
    )


def _refusals(kpis: Mapping[str, Any]) -> str:
    by = (kpis.get("extra") or {}).get("refused_by") or {}
    if not by:
        return _section("Refusals", "<p>Nobody was refused.</p>")
    total, most = sum(by.values()), max(by.values())
    rows = "".join(
        f"<tr><td>{escape(_reason(binding))}</td>"
        f'<td class="num">{count:,}</td><td class="bar"><i style="width:{100 * count / most:.1f}%"></i></td></tr>'
        for binding, count in by.items()
    )
    return _section(
        "Why riders were refused",
        f"<p>{total:,} journeys were refused. Each is counted under the constraint that bound the shuttle which came "
        f'nearest to carrying the rider.</p><table class="reasons"><tbody>{rows}</tbody></table>',
    )


def _receipts(day: Day) -> str:
    examples = [*_refused_examples(day), *_carried_examples(day)]
    if not examples:
        return ""
    told_ones = "".join(f"<li><h3>{title}</h3><p>{words}</p></li>" for title, words in examples)
    return _section(
        "Single journeys, told",
        "<p>Every answer has a receipt. These were picked by rule, not by hand: for each of the commonest reasons the "
        "refusal in the middle of the day's list, the median wait, the longest one.</p>"
        f'<ol class="told">{told_ones}</ol>',
    )


def _table(kpis: Mapping[str, Any]) -> str:
    bodies = []
    for heading, keys in GROUPS.items():
        rows = "".join(
            f"<tr><th scope='row'><code>{escape(key.removeprefix('extra.'))}</code></th>"
            f'<td class="num">{escape(told(key, value))}</td><td>{escape(DEFINITIONS.get(key, ""))}</td></tr>'
            for key in keys
            for value in [_look_up(kpis, key)]
        )
        bodies.append(f'<tbody><tr class="group"><th colspan="3" scope="rowgroup">{heading}</th></tr>{rows}</tbody>')
    return _section(
        "All figures",
        '<div class="wide"><table class="kpis"><thead><tr><th>key</th><th class="num">figure</th><th>definition</th>'
        f"</tr></thead>{''.join(bodies)}</table></div>",
    )


def _footer(day: Day, network: RoadNetwork | None) -> str:
    if network is None:
        credit = f"Map data, where the roads came from OpenStreetMap: {OSM_CREDIT}"
    else:
        credit = f"Map data: {network.credit}" if network.credit else "Map data: the scenario's own road network"
    opened = day.opened
    return (
        f"<footer><p>{escape(credit)}.</p><p>Made by Naru {escape(opened.version)} from events.jsonl · scenario "
        f"{escape(opened.scenario)}, seed {opened.seed} · map {escape(opened.map)}</p></footer>"
    )


# Parts of sections


def _section(title: str, content: str) -> str:
    return f"<section><h2>{title}</h2>{content}</section>"


def _figure(title: str, caption: str, content: str) -> str:
    return f"<section><h2>{title}</h2><figure><figcaption>{escape(caption)}</figcaption>{content}</figure></section>"


def _wide(chart: str) -> str:
    return f'<div class="wide">{chart}</div>'


def _loads_legend() -> str:
    return charts.legend([(f"load{i}", words) for i, words in enumerate(charts.LOADS)])


def _by_hour(kpis: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((kpis.get("extra") or {}).get("by_hour") or [])


def _hours_table(rows: Sequence[Mapping[str, Any]]) -> str:
    keys = ("attempts", "delivered", "booked", "declined", "refused", "queued")
    body = "".join(
        f"<tr><th scope='row'>{row['hour']}:00</th>{''.join(f'<td>{row[key]}</td>' for key in keys)}"
        f"<td>{told('wait_mean_s', row['wait_mean_s'])}</td></tr>"
        for row in rows
    )
    head = "".join(f"<th>{key}</th>" for key in ("hour", *keys, "mean wait"))
    return (
        '<details><summary>The same as a table</summary><div class="wide"><table class="hours">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></details>"
    )


def _look_up(kpis: Mapping[str, Any], key: str) -> Any:
    group, _, name = key.rpartition(".")
    return ((kpis.get(group) or {}) if group else kpis).get(name)


def told(key: str, value: Any) -> str:
    """A figure as a reader wants it: minutes, percent, km; – where there is none."""
    name = key.removeprefix("extra.")
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
        case _ if name.endswith(("_rate", "_share", "_per_call")):
            return f"{100 * value:.1f} %"
        case _ if name.startswith("ride_to_direct"):
            return f"{value:.2f} ×"
        case _ if name.endswith("_hours"):
            return f"{value:,.1f} h"
        case _ if name in ("vehicle_km", "km_per_rider", "direct_km_mean"):
            return f"{value:,.0f} km" if value >= 100 else f"{value:.1f} km"
        case int():
            return f"{value:,}"
        case _:
            return f"{value:,.2f}"


# Receipts in words

CAUSES: Final = {
    "off_shift": ("it was off shift", ""),
    "out_of_reach": ("driving there straight, it would have come too late", "by"),
    "full": ("it had no free place", ""),
    "pickup_late": ("with the riders it had already, it would have come too late", "by"),
    "dropoff_late": ("it would have arrived after the latest time", "by"),
    "others_promises": ("it would have broken another rider's promise", "by"),
}
"""What kept one shuttle from carrying a rider, and the word before by how much."""


def _reason(binding: str) -> str:
    """A binding constraint in plain words."""
    from dispatch.core.receipt import SENTENCES

    return SENTENCES.get(binding) or binding.replace("_", " ").capitalize()


def _in_words(receipt: Receipt) -> str:
    from dispatch.core.receipt import in_words

    return in_words(receipt)


def _refused_examples(day: Day, most: int = 4) -> list[tuple[str, str]]:
    by: dict[str, list[Call]] = {}
    for call in day.refused:
        by.setdefault(_receipt(call).binding or "unknown", []).append(call)
    commonest = sorted(by.items(), key=lambda item: (-len(item[1]), item[0]))[:most]
    return [("Refused", _tell_refused(day, calls[len(calls) // 2])) for _, calls in commonest]


def _carried_examples(day: Day) -> list[tuple[str, str]]:
    carried = sorted(day.delivered, key=lambda call: (call.wait or 0, call.asked, call.request.id))
    if not carried:
        return []
    examples = [("Carried, the median wait", carried[len(carried) // 2]), ("Carried, the longest wait", carried[-1])]
    from_queue = [call for call in carried if call.queued and call.queued.until - call.queued.at > ANSWER_MS]
    if from_queue:
        examples.append(("Carried from the queue", from_queue[len(from_queue) // 2]))
    return [(title, _tell_carried(day, call)) for title, call in examples]


def _receipt(call: Call) -> Receipt:
    answer = call.queued or call.refused  # why it was queued tells more than that the time in the queue is over
    assert answer is not None
    return answer.receipt


def _asked(day: Day, call: Call) -> str:
    request, places = call.request, day.opened.places
    where = ""
    if request.origins and request.destinations:
        origin, destination = places[request.origins[0].place], places[request.destinations[0].place]
        where = f" from {escape(origin)} to {escape(destination)}"
    party = f" for {request.seats} persons" if request.seats > 1 else ""
    leave = f", to leave at {clock(request.depart_after)}" if request.depart_after > call.asked else ""
    return (
        f"At {clock(call.asked)} request <b>{escape(request.id)}</b>, a ride{where}{party}{leave}: "
        f"{request.direct_mm / 1e6:.1f} km, {request.direct / 60_000:.0f} min by direct drive."
    )


def _tell_refused(day: Day, call: Call) -> str:
    receipt = _receipt(call)
    words = [_asked(day, call), escape(_in_words(receipt)) or escape(_reason(receipt.binding or "unknown"))]
    if receipt.causes:
        nearest = receipt.causes[0]
        what, by = CAUSES.get(nearest.constraint, (nearest.constraint.replace("_", " "), "by"))
        short = f" {by} {told('short_s', nearest.short_ms / 1000)}" if by and nearest.short_ms else ""
        words.append(f"Nearest to carrying was shuttle {escape(nearest.shuttle)}: {escape(what)}{short}.")
    if receipt.nearest_pickup_at is not None and receipt.relax is None:
        words.append(f"The earliest pickup that would have worked: {clock(receipt.nearest_pickup_at)}.")
    if call.queued and call.queued.until - call.queued.at > ANSWER_MS:
        words.append(f"The rider was queued until {clock(call.queued.until)}, in vain.")
    if call.refused and call.refused.alternatives:
        offered = "; ".join(f"{clock(pickup)}, arriving {clock(by)}" for pickup, by in call.refused.alternatives)
        words.append(f"Offered instead: pickup {offered}.")
    return " ".join(words)


def _tell_carried(day: Day, call: Call) -> str:
    booking = call.booked
    assert booking is not None
    assert call.boarded is not None
    assert call.alighted is not None
    assert call.wait is not None
    promise, ride = booking.promise, call.alighted - call.boarded
    queued = f" No shuttle could be had at once; booked from the queue at {clock(booking.at)}." if call.queued else ""
    if booking.kind != "soonest":
        queued += " The rider took a later ride than asked for." if booking.kind == "later" else " The shortest walk."
    return (
        f"{_asked(day, call)}{queued} Promised: pickup between {clock(promise.pickup_from)} and "
        f"{clock(promise.pickup_to)}, arrival by {clock(promise.dropoff_by)}. Boarded at {clock(call.boarded)} after "
        f"{call.wait / 60_000:.1f} min, alighted at {clock(call.alighted)}: {ride / 60_000:.1f} min aboard."
    )


def summary_json(kpis: Mapping[str, Any]) -> str:
    """The KPI object on one line, as `--json` prints it."""
    return json.dumps(kpis, ensure_ascii=False, allow_nan=False)
