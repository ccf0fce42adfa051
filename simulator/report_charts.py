"""Small charts as SVG text: no library, no script, colours by class so that the page's light and dark both apply."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from simulator.report_day import Day, Span

WIDTH = 760
LEFT = 52
RIGHT = 10
HOUR_MS = 3_600_000
LOADS = ("standing", "driving empty", "1 person aboard", "2 persons", "3–4 persons", "5 or more")
"""What a shuttle on shift does, from least to most use."""
GANTT_ROWS = 60


def load_class(span: Span) -> int:
    """Index into `LOADS`."""
    if span.load == 0:
        return int(span.driving)
    return 2 if span.load == 1 else 3 if span.load == 2 else 4 if span.load <= 4 else 5


def clock(ms: int) -> str:
    """Time of the service day, 08:05; past midnight 24:10."""
    minutes = ms // 60_000
    return f"{minutes // 60:02}:{minutes % 60:02}"


def legend(entries: Sequence[tuple[str, str]]) -> str:
    """Swatches: (class, words)."""
    keys = "".join(f'<span><i class="sw {css}"></i>{escape(words)}</span>' for css, words in entries)
    return f'<p class="legend">{keys}</p>'


def attempts_by_hour(rows: Sequence[Mapping[str, int]]) -> str:
    """Stacked columns: what became of the journeys asked for in each hour."""
    frame = _Hours([row["hour"] for row in rows], height=230)
    top = _nice(max((row["attempts"] for row in rows), default=1))
    scale = frame.plot / top
    parts = [frame.grid(top)]
    for i, row in enumerate(rows):
        x, width = frame.x(i) + frame.step * 0.12, frame.step * 0.76
        other = row["booked"] - row["delivered"]
        y = float(frame.base)
        for css, count, words in (
            ("c-delivered", row["delivered"], "delivered"),
            ("c-other", other, "booked, but cancelled, not shown up or not delivered"),
            ("c-declined", row["declined"], "declined by the rider"),
            ("c-refused", row["refused"], "refused"),
        ):
            if count:
                y -= count * scale
                parts.append(
                    f'<rect class="{css}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{count * scale:.1f}">'
                    f"<title>{row['hour']}:00–{row['hour'] + 1}:00: {count} {words}</title></rect>"
                )
        if row["queued"]:
            parts.append(
                f'<path class="c-queued" d="M{x:.1f} {frame.base - row["queued"] * scale:.1f}h{width:.1f}">'
                f"<title>{row['queued']} were queued</title></path>"
            )
        parts.append(f'<text class="n" x="{x + width / 2:.1f}" y="{y - 5:.1f}">{row["attempts"] or ""}</text>')
    return frame.svg("Journeys asked for by hour, by what became of them", parts, columns=True)


def waits_by_hour(hours: Sequence[int], waits_ms: Mapping[int, Sequence[int]], mean_s: float | None) -> str:
    """A bar from the 10th to the 90th percentile of the waits of each hour, a dot at their mean, in minutes."""
    frame = _Hours(hours, height=200)
    spread = {hour: sorted(waits_ms[hour]) for hour in hours if waits_ms.get(hour)}
    top = _nice(max((_at(waits, 0.9) / 60_000 for waits in spread.values()), default=1))
    scale = frame.plot / top
    parts = [frame.grid(top, unit=" min")]
    if mean_s is not None:
        y = frame.base - mean_s / 60 * scale
        parts.append(f'<path class="mean" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
    for i, hour in enumerate(hours):
        if hour not in spread:
            continue
        waits, x = spread[hour], frame.x(i) + frame.step / 2
        low, high, mean = (
            frame.base - max(0.0, v) / 60_000 * scale
            for v in (_at(waits, 0.1), _at(waits, 0.9), sum(waits) / len(waits))
        )
        parts.append(
            f"<g><title>{hour}:00–{hour + 1}:00: {len(waits)} riders, mean {sum(waits) / len(waits) / 60_000:.1f} min, "
            f"eight of ten between {_at(waits, 0.1) / 60_000:.1f} and {_at(waits, 0.9) / 60_000:.1f} min</title>"
            f'<line class="spread" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
            f'<circle class="dot" cx="{x:.1f}" cy="{mean:.1f}" r="4"/></g>'
        )
    return frame.svg("Waits by hour of the departure asked for", parts, columns=True)


def occupancy(day: Day, slot_ms: int = 600_000) -> str:
    """Stacked areas: shuttles on shift by what they do, averaged over slots of ten minutes."""
    first, last = day.clocks()
    slots = max(1, (last - first) * HOUR_MS // slot_ms)
    time = [[0] * slots for _ in LOADS]
    for span in day.spans:
        row = time[load_class(span)]
        start, end = span.start - first * HOUR_MS, span.end - first * HOUR_MS
        for slot in range(max(0, start // slot_ms), min(slots, -(-end // slot_ms))):
            row[slot] += min(end, (slot + 1) * slot_ms) - max(start, slot * slot_ms)
    frame = _Hours(range(first, last), height=210)
    most = max((sum(row[slot] for row in time) for slot in range(slots)), default=0) / slot_ms
    top = _nice(most)
    scale = frame.plot / top / slot_ms
    parts = [frame.grid(top)]
    below = [0] * slots
    step = frame.step * slot_ms / HOUR_MS
    for css in reversed(range(len(LOADS))):  # the fullest at the bottom
        above = [b + t for b, t in zip(below, time[css], strict=True)]
        there = "".join(f"V{frame.base - v * scale:.1f}H{LEFT + (i + 1) * step:.1f}" for i, v in enumerate(above))
        back = "".join(f"V{frame.base - below[i] * scale:.1f}H{LEFT + i * step:.1f}" for i in reversed(range(slots)))
        if any(time[css]):
            parts.append(f'<path class="load{css}" d="M{LEFT} {frame.base}{there}{back}Z"/>')
        below = above
    return frame.svg("Shuttles on shift over the day, by what they do", parts)


def gantt(day: Day) -> str:
    """One line a shift: driving, standing, and how many are aboard."""
    first, last = day.clocks()
    rows = sorted(day.shifts.values(), key=lambda shift: (_counted(shift.vehicle), shift.start))[:GANTT_ROWS]
    vehicles = list(dict.fromkeys(shift.vehicle for shift in rows))
    line = {shift.id: vehicles.index(shift.vehicle) for shift in rows}
    pitch = 22 if len(vehicles) <= 16 else 12
    height = pitch * len(vehicles) + 30
    frame = _Hours(range(first, last), height=height, top=4, left=84)
    strokes: dict[int, list[str]] = {}
    for span in day.spans:
        if span.shuttle in line:
            y = 4 + pitch * (line[span.shuttle] + 0.5)
            x, width = frame.at(span.start), (span.end - span.start) / HOUR_MS * frame.step
            strokes.setdefault(load_class(span), []).append(f"M{x:.1f} {y:g}h{max(width, 0.1):.1f}")
    parts = [frame.verticals()]
    for i, vehicle in enumerate(vehicles):
        y = 4 + pitch * (i + 0.5)
        words = vehicle if len(vehicle) <= 11 else vehicle[:10] + "…"
        parts.append(f'<text class="row" x="{frame.left - 8}" y="{y + 4:g}">{escape(words)}</text>')
    bar = pitch * 0.64
    for css in sorted(strokes):
        width = bar * (0.28 if css == 0 else 0.5 if css == 1 else 1)
        parts.append(f'<path class="load{css} stroke" stroke-width="{width:.1f}" d="{"".join(strokes[css])}"/>')
    return frame.svg("Each shuttle's day", parts)


class _Hours:
    """The frame of a chart over hours of the day: hour labels below, gridlines behind."""

    def __init__(self, hours: Sequence[int], height: int, top: int = 22, left: int = LEFT) -> None:
        self.hours = list(hours)
        self.left = left
        self.height = height
        self.base = height - 24
        self.plot = self.base - top
        self.step = (WIDTH - left - RIGHT) / max(1, len(self.hours))

    def x(self, i: int) -> float:
        """Left edge of the i-th hour."""
        return self.left + i * self.step

    def at(self, ms: int) -> float:
        """Position of a moment."""
        return self.left + (ms / HOUR_MS - self.hours[0]) * self.step

    def grid(self, top: float, unit: str = "") -> str:
        lines = []
        for share in (0, 0.5, 1):
            y = self.base - share * self.plot
            value = top * share
            lines.append(
                f'<line class="grid" x1="{self.left}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
                f'<text class="axis" style="text-anchor:end" x="{self.left - 6}" y="{y + 4:.1f}">{value:g}'
                f"{unit if share == 1 else ''}</text>"
            )
        return "".join(lines)

    def verticals(self) -> str:
        return "".join(
            f'<line class="grid" x1="{self.x(i):.1f}" x2="{self.x(i):.1f}" y1="0" y2="{self.base}"/>'
            for i in range(len(self.hours) + 1)
        )

    def svg(self, label: str, parts: Sequence[str], *, columns: bool = False) -> str:
        """The chart; hours are labelled under the middle of their columns, or where they begin."""
        aside = self.step / 2 if columns else 0
        every = 1 if len(self.hours) <= 12 else 2 if len(self.hours) <= 26 else 6
        hours = "".join(
            f'<text class="hour" x="{self.x(i) + aside:.1f}" y="{self.height - 6}">{hour}:00</text>'
            for i, hour in enumerate(self.hours)
            if hour % every == 0
        )
        return (
            f'<svg class="chart" viewBox="0 0 {WIDTH} {self.height}" role="img" aria-label="{escape(label)}">'
            f"{''.join(parts)}{hours}</svg>"
        )


def _counted(name: str) -> list[tuple[bool, int, str]]:
    """A sort key by which V2 comes before V10."""
    return [
        (not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", name) if part
    ]


def _nice(top: float) -> float:
    """The next round number, so that a half of it is round too."""
    size = 1.0
    while True:
        for factor in (1, 2, 4, 6, 8):
            if factor * size >= top:
                return factor * size
        size *= 10


def _at(ascending: Sequence[float], share: float) -> float:
    return ascending[round(share * (len(ascending) - 1))]
