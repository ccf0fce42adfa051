"""The report of a day: one HTML file that opens anywhere, offline, made from an output folder.

Everything in it is read off the log (`report_day`), the KPI object and, for the map, the road network. Nothing is
fetched: charts are SVG written here, style and script stand inside. Whatever a person named is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dispatch.core import events as ev
from dispatch.core.kpi import complete, figures
from routing.errors import InputError
from simulator import report_charts as charts
from simulator.accounts import read_accounts
from simulator.baselines import further_figures
from simulator.lab_page import section
from simulator.outputs import LOG, REPORT, drives, read_events, read_kpis, write_whole
from simulator.report_charts import clock
from simulator.report_day import Day, read_day, stop_uses
from simulator.report_figures import figures_table, told
from simulator.report_lab import instead, who
from simulator.report_receipts import reason, receipts
from simulator.report_summary import summary
from simulator.report_tables import write_tables

if TYPE_CHECKING:
    from routing.network import RoadNetwork

OSM_CREDIT: Final = "© OpenStreetMap contributors, ODbL 1.0"


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
        kpis = _counted(events, folder, network)
        page = report_html(events, kpis, network)
    except (KeyError, IndexError) as error:
        raise InputError(
            f"an event names something that the log has not introduced: {error}",
            file=folder / LOG, expected="a log that `naru check` finds clean",
        ) from None  # fmt: skip
    path = folder / REPORT
    day = read_day(events)
    assert day is not None
    write_whole(path, page.encode("utf-8", "replace"))
    write_tables(folder, day, kpis)
    return path


def _counted(events: Sequence[ev.Event], folder: Path, network: RoadNetwork | None) -> Mapping[str, Any]:
    """`kpis.json`; where there is none, the figures counted anew."""
    kept = read_kpis(folder)
    if kept is not None:
        return kept
    kpis = complete(figures(events))
    if network is not None:
        kpis["extra"] |= further_figures(events, kpis, network, read_accounts(folder))
    return kpis


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
        who(counted),
        instead(counted),
        receipts(day),
        figures_table(counted),
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
        f'<p class="dek">{escape(summary(kpis, "en"))}</p><p class="dek" lang="ko">{escape(summary(kpis, "ko"))}</p>'
        f'<p class="notice"><strong>Simulated demand.</strong> The riders, their journeys and the drives below were '
        "computed for the scenario; nothing here was observed on a street.</p>"
        f"{cut}"
        f'<p class="facts">Service day {escape(opened.date)}, {escape(opened.timezone)} · '
        f"{len({shift.vehicle for shift in day.shifts.values()})} shuttles in {len(day.shifts)} shifts · "
        f"{len(opened.places):,} stop points · seed {opened.seed}</p></header>"
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
        return section("Map", "<p>This report was made without the road network of the day, so it has no map.</p>")
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
        f'<label><input type="checkbox"{shown} data-layer="{layer}"> {words}</label>'
        for layer, words, shown in (
            ("loads", "streets driven", " checked"),
            ("carried", "persons carried along them", ""),
            ("stops", "stop points", " checked"),
            ("refusals", "unmet: refusals", " checked"),
        )
    )
    credit = f'<span class="credit">{escape(network.credit)}</span>' if network.credit else ""
    return _figure(
        "Where",
        "Circles are stop points, the larger the more riders boarded there. A line is the wider the more often "
        "shuttles drove along it (or, in the second layer, the more persons were carried). A cross marks where riders "
        "asked who were refused, the larger the more of them; the stop point under it tells why.",
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
        return section("Refusals", "<p>Nobody was refused.</p>")
    total, most = sum(by.values()), max(by.values())
    rows = "".join(
        f"<tr><td>{escape(reason(binding))}</td>"
        f'<td class="num">{count:,}</td><td class="bar"><i style="width:{100 * count / most:.1f}%"></i></td></tr>'
        for binding, count in by.items()
    )
    return section(
        "Why riders were refused",
        f"<p>{total:,} journeys were refused. Each is counted under the constraint that bound the shuttle which came "
        f'nearest to carrying the rider.</p><table class="reasons"><tbody>{rows}</tbody></table>',
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
