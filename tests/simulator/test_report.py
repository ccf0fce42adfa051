"""The report: one offline page that tells what the log tells, whatever people named their things."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dispatch.core.domain import Receipt, Shift
from dispatch.core.events import DayClosed, Event, RideQueued, RiderBoarded, RideRefused, ShiftOpened, ShuttleBrokeDown
from dispatch.core.kpi import complete, figures
from routing.errors import InputError
from routing.network import RoadNetwork, read_csv
from simulator.accounts import ALL_DEFINITIONS as DEFINITIONS
from simulator.outputs import Drive, drives, write_outputs
from simulator.report import report_html, write_report
from simulator.report_charts import load_class
from simulator.report_day import Day, read_day, stop_uses
from simulator.report_figures import told
from simulator.report_map import edge_loads, wait_bounds
from tests.days import A, B, C, asked, booked, long_day, opened, s, small_day, write_log

VOID = {"meta", "input", "img", "br", "hr", "link"}


class Page(HTMLParser):
    """Tags and text of a page; fails where an end tag does not close what was opened last."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)


@pytest.fixture
def grid(tmp_path: Path) -> RoadNetwork:
    """Nodes n0 … n15 in rows of four, 1 km and 100 s apart."""
    return grid_network(tmp_path)


def grid_network(folder: Path, side: int = 4) -> RoadNetwork:
    nodes = [f"n{i},{1000 * (i % side)},{1000 * (i // side)}" for i in range(side * side)]
    edges = []
    for i in range(side * side):
        edges += [f"n{i},n{i + 1},1000,100", f"n{i + 1},n{i},1000,100"] if i % side < side - 1 else []
        edges += [f"n{i},n{i + side},1000,100", f"n{i + side},n{i},1000,100"] if i // side < side - 1 else []
    (folder / "nodes.csv").write_text("\n".join(["node_id,x_m,y_m", *nodes]))
    (folder / "edges.csv").write_text("\n".join(["from_node,to_node,length_m,travel_time_s", *edges]))
    return read_csv(folder / "nodes.csv", folder / "edges.csv")


def the_day(events: list[Event]) -> Day:
    day = read_day(events)
    assert day is not None
    return day


def test_page_needs_nothing_from_anywhere(grid: RoadNetwork) -> None:
    """No address, no link, no font, no picture: the file alone is the report."""
    html = report_html(small_day(), network=grid)
    assert not re.search(r"https?:|//\w|url\(|@import|srcset", html)
    page = Page(html)
    assert not {"link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "xlink:href"} & {name for name, _ in page.attributes}


def test_page_says_that_demand_is_simulated() -> None:
    """The first screen says what a reader must not mistake."""
    assert "Simulated demand." in Page(report_html(small_day())).text


def test_every_figure_stands_with_its_definition() -> None:
    """Each key of the KPI object that is a single figure has a row, and the words that define it."""
    text = Page(report_html(small_day())).text
    by_chart = {"extra", "extra.refused_by", "extra.by_hour", "extra.by_distance", "extra.groups"}
    for key in set(DEFINITIONS) - by_chart:
        assert re.search(rf"\b{key.removeprefix('extra.')}\b", text), key
        assert " ".join(DEFINITIONS[key].split()) in text, key


def test_summary_in_words() -> None:
    """The first sentence has the figures of the day."""
    text = Page(report_html(small_day())).text
    assert "Of 8 journeys asked for, 2 were carried out, 25.0 %. Riders waited 2.2 min" in text
    assert "1 promises broke" in text


def test_names_are_escaped_everywhere(grid: RoadNetwork) -> None:
    """Scenario, place, vehicle and request ids, constraints and shuttles can hold anything."""
    evil = "<img src=x onerror=alert(1)>\"'&</script><script>"
    receipt = Receipt(1, 0, evil, relax=evil)
    day = [
        *opened(scenario=evil, places=(evil, evil + "B", evil + "C"), timezone=evil, date=evil, version=evil, map=evil),
        ShiftOpened(0, Shift(evil, evil, 11, 0, s(3600), 8)),
        asked(0, evil),
        booked(0, evil, (0, 600), 900, pickup_at=0, shuttle=evil),
        RiderBoarded(s(60), evil, evil),
        asked(100, evil + "r"),
        RideRefused(s(100), evil + "r", receipt),
        DayClosed(s(3600)),
    ]
    page = Page(report_html(day, network=replace(grid, credit=evil)))
    assert page.tags["img"] == 0
    assert page.tags["script"] == 1
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert evil.split('"', maxsplit=1)[0] in page.text


def test_ids_on_the_page_are_unique(grid: RoadNetwork) -> None:
    """The script finds what it looks for."""
    ids = [value for name, value in Page(report_html(small_day(), network=grid)).attributes if name == "id"]
    assert sorted(ids) == ["carried", "loads", "map", "refusals", "stops"]


def test_credit_of_the_map(grid: RoadNetwork) -> None:
    """Who made the map stands on it and under the page; OpenStreetMap also where the map itself is missing."""
    credit = "© OpenStreetMap contributors (ODbL 1.0)"
    assert Page(report_html(small_day(), network=replace(grid, credit=credit))).text.count(credit) == 2
    assert "© OpenStreetMap contributors, ODbL 1.0" in Page(report_html(small_day())).text


def test_a_day_cut_off_says_so() -> None:
    """Figures of half a day are never shown as those of a whole one."""
    words = "this day was not brought to its end"
    assert words in Page(report_html(small_day()[:20])).text
    assert words not in Page(report_html(small_day())).text


@pytest.mark.parametrize("events", [opened(), opened()[:1], [*opened(), DayClosed(s(3600))]])
def test_a_day_on_which_nothing_happened(events: list[Event], grid: RoadNetwork) -> None:
    """No request, no shift, no drive: a short report, no error."""
    text = Page(report_html(events, network=grid)).text
    assert "Nobody asked for a ride on this day." in text
    assert "Nobody was refused." in text


def test_report_of_a_folder(tmp_path: Path) -> None:
    """From the files alone; the same files give the same page; kpis.json is believed where it lies."""
    write_log(tmp_path, small_day())
    path = write_report(tmp_path)
    assert path == tmp_path / "report.html"
    first = path.read_bytes()
    assert "log not judged" in Page(first.decode()).text
    assert write_report(tmp_path / "events.jsonl").read_bytes() == first
    write_outputs(tmp_path, complete(figures(small_day()), violations_by_invariant={"road": 2}))
    assert "2 broken invariants in the log" in Page(write_report(tmp_path).read_text()).text
    assert not list(tmp_path.glob("*.part"))


def test_a_folder_without_a_day_is_wrong_input(tmp_path: Path) -> None:
    """No log, an empty one, one that begins in the middle, one that names what it never introduced."""
    with pytest.raises(InputError, match="no such log"):
        write_report(tmp_path)
    for events, message in (
        ([], "does not begin with a day"),
        ([DayClosed(0)], "does not begin with a day"),
        ([*opened(), RiderBoarded(0, "s1", "nobody")], "nobody"),
        ([*opened(), asked(0, "r", origin=99), RideRefused(0, "r", Receipt(1, 0))], "not introduced"),
    ):
        write_log(tmp_path, events)
        with pytest.raises(InputError, match=message):
            write_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]


def test_a_report_that_cannot_be_written_names_its_path(tmp_path: Path) -> None:
    """A full disk is an OSError with the file; the old report stays."""
    write_log(tmp_path, small_day())
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "report.html.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left.*report\.html'"):
        write_report(tmp_path)
    assert (tmp_path / "report.html").read_text() == "old"


def test_a_pilot_like_day_stays_small(tmp_path: Path) -> None:
    """735 attempts and a map of 10,000 nodes come to less than 1.5 MB."""
    network = grid_network(tmp_path, side=100)
    html = report_html(long_day(735, range(0, 10_000, 29)), network=network)
    Page(html)
    assert len(html.encode()) < 1_500_000


def test_spans_fill_the_shift() -> None:
    """Each shuttle's spans join from the shift's start to its end, with who was aboard when."""
    spans = the_day(small_day()).spans
    assert [(span.start // 1000, span.end // 1000, span.load, span.driving) for span in spans] == [
        (0, 100, 0, False), (100, 200, 0, True), (200, 300, 2, True), (300, 310, 2, False), (310, 320, 3, False),
        (320, 520, 3, True), (520, 525, 1, False), (525, 600, 0, False), (600, 1000, 0, True), (1000, 3600, 0, False),
    ]  # fmt: skip
    assert [load_class(span) for span in spans] == [0, 1, 3, 3, 4, 4, 2, 0, 1, 0]


def test_broken_shuttle_stands_nowhere() -> None:
    """From its breakdown on, a shuttle is not shown as standing by."""
    spans = the_day([*small_day()[:8], ShuttleBrokeDown(s(150), "s1", 5, 0), DayClosed(s(3600))]).spans
    assert [(span.start // 1000, span.end // 1000, span.driving) for span in spans] == [
        (0, 100, False),
        (100, 150, True),
    ]


def test_use_of_stop_points() -> None:
    """Boardings, alightings and waits of who was carried; refusals of attempts that ended so, r3 and queued r6."""
    uses = stop_uses(the_day(small_day()))
    assert [(u.place, u.boardings, u.alightings, u.refusals, u.wait_mean_s) for u in uses] == [
        (A, 1, 0, 2, 100), (B, 1, 0, 0, 160), (C, 0, 2, 0, None),
    ]  # fmt: skip
    assert uses[A].reasons == (("pickup_late", 2),)


def test_persons_are_carried_along_streets(grid: RoadNetwork) -> None:
    """Two drives along a street, one empty and one with three persons: three are carried there."""
    drive = Drive("s1", "v1", 0, 0, s(300), 3, 0, "r", 3)
    passages, carried = edge_loads(grid, [3], [drive, drive._replace(aboard=0)])
    assert set(passages[passages > 0].tolist()) == {2}
    assert set(carried[carried > 0].tolist()) == {3}


def test_drives_are_laid_along_the_streets(grid: RoadNetwork) -> None:
    """A drive from n0 to n3 passes three streets; one that turned at n1 only the first of them."""
    drive = Drive("s1", "v1", 0, 0, s(300), 3, 0, "r", 1)
    turned = drive._replace(to_node=1)
    passages = edge_loads(grid, [3], [drive, turned])[0]
    ways = {(int(grid.edge_from[e]), int(grid.edge_to[e])): int(n) for e, n in enumerate(passages) if n}
    assert ways == {(0, 1): 2, (1, 2): 1, (2, 3): 1}


def test_drives_of_a_day_cover_the_way_they_took(grid: RoadNetwork) -> None:
    """The streets passed are as long as the grid says: n11–n10, n10–n11, n11–(n12), (n12)–n10."""
    passages = edge_loads(grid, (10, 11, 12), list(drives(small_day())))[0]
    assert int(passages.sum()) == 1 + 1 + 4 + 3


def test_classes_of_waits_fit_the_day(grid: RoadNetwork) -> None:
    """Bounds are round minutes, so that a day of long waits is not all of one colour; the legend has the same."""
    assert "mean wait under 1 min 1–2 2–3 3 min or more" in Page(report_html(small_day(), network=grid)).text
    uses = stop_uses(the_day(small_day()))
    assert wait_bounds([]) == (5, 10, 15)
    assert wait_bounds(uses) == (1, 2, 3)
    assert wait_bounds([replace(use, wait_mean_s=40 * 60.0) for use in uses]) == (15, 30, 45)


def test_refusals_from_the_queue_tell_why_they_were_queued() -> None:
    """That the time in the queue ran out is no reason; what bound the shuttles when the rider asked is."""
    day = [
        *opened(),
        asked(0, "q"),
        RideQueued(0, "q", s(1800), Receipt(1, 1, "full")),
        RideRefused(s(1800), "q", Receipt(1, 0, "past")),
    ]
    text = Page(report_html(day)).text
    assert figures(day)["extra"]["refused_by"] == {"full": 1}
    assert "have no free place for this party" in text
    assert "queued until 00:30, in vain" in text


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("wait_mean_s", 732.0, "12.2 min"),
        ("wait_mean_s", 59.4, "59 s"),
        ("wait_mean_s", None, "–"),
        ("service_rate", 0.7151, "71.5 %"),
        ("ride_to_direct_mean", 1.4, "1.40 ×"),
        ("vehicle_km", 2735.1, "2,735 km"),
        ("km_per_rider", 5.2, "5.2 km"),
        ("shuttle_hours", 105.0, "105.0 h"),
        ("attempts", 10000, "10,000"),
        ("seed", 10000, "10000"),
        ("requests_per_s", 1050.6, "1,051"),
        ("extra.broken_by", {}, "none"),
        ("violations_by_invariant", {"road": 2}, "road 2"),
        ("decision_ms", {"p50": 0.4, "p99": None}, "p50 0.40, p99 – ms"),
    ],
)
def test_figures_are_told_with_their_units(key: str, value: object, words: str) -> None:
    """Minutes, percent and km instead of seconds and shares."""
    assert told(key, value) == words
