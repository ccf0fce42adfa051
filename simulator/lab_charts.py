"""Charts of the bench as SVG text, in the frame and colours of the day's report."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from simulator.bands import Band
from simulator.report_charts import LEFT, RIGHT, WIDTH
from simulator.report_figures import told


class Point(NamedTuple):
    """One cell of a chart."""

    label: str
    x: float
    y: float
    marked: bool = False


def curve(metric: str, along: str, xs: Sequence[float], bands: Sequence[Band | None], height: int = 220) -> str:
    """A figure along a varied value, with its confidence band."""
    pairs = sorted(zip(xs, bands, strict=True), key=lambda pair: pair[0])
    known = [(x, possible(metric, band)) for x, band in pairs if band is not None]
    if not known:
        return ""
    lows = [band.mean if band.low is None else band.low for _, band in known]
    highs = [band.mean if band.high is None else band.high for _, band in known]
    frame = _Frame((known[0][0], known[-1][0]), (min(lows), max(highs)), height)
    there = [f"{frame.x(x):.1f} {frame.y(high):.1f}" for (x, _), high in zip(known, highs, strict=True)]
    back = [f"{frame.x(x):.1f} {frame.y(low):.1f}" for (x, _), low in zip(known, lows, strict=True)]
    line = "L".join(f"{frame.x(x):.1f} {frame.y(band.mean):.1f}" for x, band in known)
    parts = [
        f'<path class="c-other" fill-opacity=".45" d="M{"L".join(there + back[::-1])}Z"/>',
        f'<path fill="none" style="stroke:var(--delivered);stroke-width:2" d="M{line}"/>',
    ]
    for x, band in known:
        parts.append(
            f"<g><title>{escape(along)} {x:g}: {escape(band_told(metric, band))}</title>"
            f'<circle class="dot" cx="{frame.x(x):.1f}" cy="{frame.y(band.mean):.1f}" r="4"/></g>'
        )
    return frame.svg(f"{metric} along {along}", parts, metric, [x for x, _ in known], along)


def intervals(metric: str, rows: Sequence[tuple[str, Band | None]], *, zero: bool = False) -> str:
    """One line a cell: its mean and its interval. `zero`: differences, with a line where there is none."""
    rows = rows if zero else [(label, band and possible(metric, band)) for label, band in rows]
    known = [band for _, band in rows if band is not None]
    if not known:
        return ""
    lows = [band.mean if band.low is None else band.low for band in known] + [0.0] * zero
    highs = [band.mean if band.high is None else band.high for band in known] + [0.0] * zero
    left, pitch = 210, 26
    low, high = _room(min(lows), max(highs))
    scale = (WIDTH - left - 90) / (high - low)
    parts = []
    if zero:
        at = left + (0 - low) * scale
        parts.append(f'<path class="mean" d="M{at:.1f} 0V{pitch * len(rows)}"/>')
    for i, (label, band) in enumerate(rows):
        y = pitch * (i + 0.5)
        words = label if len(label) <= 30 else label[:29] + "…"
        parts.append(
            f'<text class="row" x="{left - 10}" y="{y + 4:g}"><title>{escape(label)}</title>{escape(words)}</text>'
        )
        if band is None:
            continue
        x = left + (band.mean - low) * scale
        if band.low is not None and band.high is not None:
            x1, x2 = left + (band.low - low) * scale, left + (band.high - low) * scale
            parts.append(f'<line class="spread" x1="{x1:.1f}" x2="{x2:.1f}" y1="{y}" y2="{y}"/>')
        value = difference_told(metric, band.mean) if zero else told(metric, band.mean)
        parts.append(
            f'<g><title>{escape(value)}</title><circle class="dot" cx="{x:.1f}" cy="{y}" r="4"/></g>'
            f'<text class="n" style="text-anchor:start" x="{WIDTH - 82}" y="{y + 4:g}">{escape(value)}</text>'
        )
    return _svg(f"{metric} by cell", parts, pitch * len(rows) + 6)


def bars(metric: str, rows: Sequence[tuple[str, float | None]]) -> str:
    """One bar a run, from zero."""
    known = [value for _, value in rows if value is not None]
    if not known:
        return ""
    left, pitch, most = 210, 26, max(*known, 0) or 1
    parts = []
    for i, (label, value) in enumerate(rows):
        y = pitch * (i + 0.5)
        words = label if len(label) <= 30 else label[:29] + "…"
        width = max(0.0, value or 0) / most * (WIDTH - left - 90)
        parts.append(
            f'<text class="row" x="{left - 10}" y="{y + 4:g}"><title>{escape(label)}</title>{escape(words)}</text>'
            f'<rect class="c-delivered" x="{left}" y="{y - 7:g}" width="{width:.1f}" height="14"/>'
            f'<text class="n" style="text-anchor:start" x="{left + width + 8:.1f}" y="{y + 4:g}">'
            f"{escape(told(metric, value))}</text>"
        )
    return _svg(f"{metric} by run", parts, pitch * len(rows) + 6)


def possible(metric: str, band: Band) -> Band:
    """The band within what the figure can be: nothing below zero, no share above one."""
    if band.low is None or band.high is None:
        return band
    most = 1.0 if metric.endswith(("_rate", "_share", "_per_call")) else math.inf
    return Band(band.mean, max(0.0, band.low), min(most, band.high), band.days)


def scatter(points: Sequence[Point], x_metric: str, y_metric: str, height: int = 300) -> str:
    """Cells by two figures; marked ones are on the Pareto front."""
    if not points:
        return ""
    frame = _Frame((min(p.x for p in points), max(p.x for p in points)),
                   (min(p.y for p in points), max(p.y for p in points)), height)  # fmt: skip
    front = sorted((p for p in points if p.marked), key=lambda p: p.x)
    parts = []
    if len(front) > 1:
        line = "L".join(f"{frame.x(p.x):.1f} {frame.y(p.y):.1f}" for p in front)
        parts.append(f'<path class="mean" fill="none" d="M{line}"/>')
    for p in points:
        css = "c-delivered" if p.marked else "c-declined"
        parts.append(
            f"<g><title>{escape(p.label)}: {escape(told(x_metric, p.x))}, {escape(told(y_metric, p.y))}</title>"
            f'<circle class="{css}" cx="{frame.x(p.x):.1f}" cy="{frame.y(p.y):.1f}" r="{6 if p.marked else 4}"/></g>'
        )
    return frame.svg(f"{y_metric} by {x_metric}", parts, y_metric, [frame.x0, (frame.x0 + frame.x1) / 2, frame.x1],
                     x_metric, told_x=True)  # fmt: skip


LINES = ("delivered", "refused", "l4", "w1", "w3", "other", "muted", "ink")
"""colours of lines, by the names that the style gives them"""


def by_hour(runs: Sequence[tuple[str, Mapping[int, float]]], metric: str, height: int = 230) -> str:
    """One line a run over the hours of the day."""
    hours = sorted({hour for _, row in runs for hour in row})
    values = [value for _, row in runs for value in row.values()]
    if not hours:
        return ""
    frame = _Frame((hours[0], hours[-1]), (min(values), max(values)), height)
    parts = []
    for i, (label, row) in enumerate(runs):
        line = "L".join(f"{frame.x(hour):.1f} {frame.y(row[hour]):.1f}" for hour in hours if hour in row)
        style = f"stroke:var(--{LINES[i % len(LINES)]});stroke-width:2"
        parts.append(f'<path fill="none" style="{style}" d="M{line}"><title>{escape(label)}</title></path>')
    return frame.svg(f"{metric} by hour", parts, metric, [float(hour) for hour in hours], "hour of the day")


def line_legend(labels: Sequence[str]) -> str:
    """Which line is whose."""
    keys = "".join(
        f'<span><i class="sw" style="background:var(--{LINES[i % len(LINES)]})"></i>{escape(label)}</span>'
        for i, label in enumerate(labels)
    )
    return f'<p class="legend">{keys}</p>'


def band_told(metric: str, band: Band | None) -> str:
    """A mean and its interval as a reader wants it."""
    if band is None:
        return "–"
    band = possible(metric, band)
    if band.low is None or band.high is None:
        return f"{told(metric, band.mean)} (one day)"
    return f"{told(metric, band.mean)} ({told(metric, band.low)} to {told(metric, band.high)})"


def difference_told(metric: str, value: float) -> str:
    """A difference with its sign; of shares, in points."""
    name = metric.rpartition(".")[2]
    sign = "+" if value >= 0 else "−"
    if name.endswith(("_rate", "_share", "_per_call")):
        return f"{sign}{abs(100 * value):.1f} points"
    return f"{sign}{told(metric, abs(float(value)))}"


class _Frame:
    """Axes of two numbers."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float], height: int) -> None:
        self.x0, self.x1 = _room(*x)
        self.y0, self.y1 = _room(*y)
        self.height = height
        self.base = height - 40

    def x(self, value: float) -> float:
        return LEFT + 24 + (value - self.x0) / (self.x1 - self.x0) * (WIDTH - LEFT - 24 - RIGHT)

    def y(self, value: float) -> float:
        return self.base - (value - self.y0) / (self.y1 - self.y0) * (self.base - 14)

    def svg(self, label: str, parts: Sequence[str], metric: str, marks: Sequence[float], along: str, *,
            told_x: bool = False) -> str:  # fmt: skip
        grid = "".join(
            f'<line class="grid" x1="{LEFT + 24}" x2="{WIDTH - RIGHT}" y1="{self.y(v):.1f}" y2="{self.y(v):.1f}"/>'
            f'<text class="axis" style="text-anchor:end" x="{LEFT + 18}" y="{self.y(v) + 4:.1f}">'
            f"{escape(told(metric, float(v)))}</text>"
            for v in (self.y0, (self.y0 + self.y1) / 2, self.y1)
        )
        every = max(1, len(marks) // 12)
        ticks = "".join(
            f'<text class="hour" x="{self.x(v):.1f}" y="{self.base + 16}">'
            f"{escape(told(along, float(v))) if told_x else f'{v:g}'}</text>"
            for v in marks[::every]
        )
        name = f'<text class="hour" x="{(LEFT + WIDTH) / 2}" y="{self.height - 6}">{escape(along)}</text>'
        return _svg(label, [grid, *parts, ticks, name], self.height)


def _svg(label: str, parts: Sequence[str], height: int) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _room(low: float, high: float) -> tuple[float, float]:
    """A little air around the values; something where they are all alike."""
    air = (high - low) * 0.06 or max(abs(high), 1) * 0.05
    return low - air, high + air
