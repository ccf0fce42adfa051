"""The bench's pages: one offline HTML in the style of a day's report, charts as SVG inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.metadata import version
from importlib.resources import files

SIMULATED = (
    '<p class="notice"><strong>Simulated demand.</strong> The riders and their journeys were computed; nothing here '
    "was observed on a street.</p>"
)


def page(
    title: str, eyebrow: str, summary: str, sections: Sequence[str], *, simulated: bool = True, korean: str = ""
) -> bytes:
    """A whole page. `summary` and the sections are HTML, the rest is text; `korean`: the summary once more."""
    again = f'<p class="dek" lang="ko">{escape(korean)}</p>' if korean else ""
    css = files("simulator").joinpath("report.css").read_text("utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)} – Naru, {escape(eyebrow)}</title><style>{css}</style></head>\n"
        f'<body><main><header><p class="eyebrow">Naru · {escape(eyebrow)}</p><h1>{escape(title)}</h1>'
        f'<p class="dek">{summary}</p>{again}{SIMULATED if simulated else ""}</header>{"".join(sections)}'
        f"<footer><p>Made by Naru {escape(version('naru-transit'))}. Intervals hold 95 of 100 times, for means of days."
        "</p></footer></main></body></html>\n"
    ).encode("utf-8", "replace")


def section(title: str, content: str) -> str:
    """A part of the page under a heading."""
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def figure(title: str, caption: str, chart: str) -> str:
    """A chart under a heading, with what it shows in words."""
    return section(title, f'<figure><figcaption>{escape(caption)}</figcaption><div class="wide">{chart}</div></figure>')


def table(head: Sequence[str], rows: Sequence[Sequence[str]] | Mapping[str, Sequence[Sequence[str]]]) -> str:
    """A table of texts; all columns but the first are figures. A mapping has rows under headings."""
    top = "".join(f"<th{_css(i)}>{escape(cell)}</th>" for i, cell in enumerate(head))
    bodies = [_body(rows)] if not isinstance(rows, Mapping) else [
        _body(part, f'<tr class="group"><th colspan="{len(head)}" scope="rowgroup">{escape(heading)}</th></tr>')
        for heading, part in rows.items()
    ]  # fmt: skip
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead>{"".join(bodies)}</table></div>'


def _body(rows: Sequence[Sequence[str]], heading: str = "") -> str:
    cells = ("".join(f"<td{_css(i)}>{escape(cell)}</td>" for i, cell in enumerate(row)) for row in rows)
    return f"<tbody>{heading}{''.join(f'<tr>{row}</tr>' for row in cells)}</tbody>"


def facts(pairs: Mapping[str, str]) -> str:
    """Names and what they are."""
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in pairs.items()
    )
    return f"<table>{rows}</table>"


def paragraphs(lines: Sequence[str]) -> str:
    """Each line a paragraph."""
    return "".join(f"<p>{escape(line)}</p>" for line in lines)


def _css(column: int) -> str:
    return ' class="num"' if column else ""
