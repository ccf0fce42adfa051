"""Buses by the timetable: the direct one that is there first; broken feeds are told by file and line."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest

from routing.errors import InputError
from routing.fixed_lines import FixedLines, read_fixed_lines
from simulator.scenario import load_scenario

NAURU = load_scenario("nauru").network
LAT, LON = float(NAURU.lat.mean()), float(NAURU.lon.mean())
STEP = 0.01
"""degrees, about 1.1 km"""
TUESDAY, SUNDAY = dt.date(2026, 3, 3), dt.date(2026, 3, 8)
FEED = {
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\n"
    + "".join(f"s{n},Stop {n},{LAT},{LON + n * STEP}\n" for n in range(4)),
    "routes.txt": "route_id,route_short_name,route_type\nr1,12,3\nr2,,3\n",
    "trips.txt": "route_id,service_id,trip_id\nr1,week,a\nr1,week,b\nr2,sun,c\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    "a,08:00:00,08:00:00,s0,1\na,,,s1,2\na,08:10:00,08:10:00,s3,3\n"
    "b,08:20:00,08:20:00,s0,1\nb,08:25:00,08:25:00,s3,2\n"
    "c,08:00:00,08:00:00,s3,1\nc,25:30:00,25:30:00,s0,2\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "week,1,1,1,1,1,0,0,20260101,20261231\nsun,0,0,0,0,0,0,1,20260101,20261231\n",
    "calendar_dates.txt": "service_id,date,exception_type\nweek,20260304,2\nweek,20260308,1\n",
}  # fmt: skip


def written(folder: Path, **changed: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name, text in {**FEED, **{f"{key}.txt": value for key, value in changed.items()}}.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def at(n: float) -> tuple[float, float]:
    return LAT, LON + n * STEP


def test_the_direct_bus_that_is_there_first(tmp_path: Path) -> None:
    """In its direction, on its days, after the walk to the stop; times left out are spread evenly."""
    lines = read_fixed_lines(written(tmp_path / "feed"), NAURU)
    found = lines.direct(at(0.1), at(2.9), TUESDAY, 7 * 3600 + 1800, 300)
    assert found is not None
    assert (found.route, found.board, found.alight, found.departs_s) == ("12", "Stop 0", "Stop 3", 8 * 3600)
    assert found.there_s == found.arrives_s + found.walk_s // 2
    late = lines.direct(at(0.1), at(2.9), TUESDAY, 8 * 3600 - 30, 300)  # the walk takes longer than that
    assert late is not None
    assert late.departs_s == 8 * 3600 + 1200
    between = lines.direct(at(1), at(3), TUESDAY, 7 * 3600 + 1800, 300)
    assert between is not None
    assert between.departs_s == 8 * 3600 + 300
    assert lines.direct(at(3), at(0), TUESDAY, 7 * 3600 + 1800, 300) is None
    assert lines.direct(at(0), at(3), dt.date(2026, 3, 4), 7 * 3600 + 1800, 300) is None  # left out that day
    assert lines.direct(at(0), at(3), SUNDAY, 7 * 3600 + 1800, 300) is not None  # added that day
    back = lines.direct(at(3), at(0), SUNDAY, 7 * 3600 + 1800, 300)
    assert back is not None
    assert (back.route, back.arrives_s) == ("r2", 25 * 3600 + 1800)
    assert lines.direct(at(0.5), at(3), TUESDAY, 7 * 3600 + 1800, 300) is None  # too far to walk
    assert lines.direct(at(0), at(3), TUESDAY, 5 * 3600, 300) is None  # nobody waits for three hours


def test_a_zip_archive_is_read_alike(tmp_path: Path) -> None:
    """And a trip of which only the frequency is known is left out; one that keeps its times is not."""
    with zipfile.ZipFile(tmp_path / "feed.zip", "w") as archive:
        for name, text in FEED.items():
            archive.writestr(name, "\ufeff" + text)
        archive.writestr("frequencies.txt", "trip_id,start_time,end_time,headway_secs\na,08:00:00,09:00:00,600\n")
    lines = read_fixed_lines(tmp_path / "feed.zip", NAURU)
    assert isinstance(lines, FixedLines)
    found = lines.direct(at(0), at(3), TUESDAY, 7 * 3600 + 1800, 300)
    assert found is not None
    assert found.departs_s == 8 * 3600 + 1200
    often = "trip_id,start_time,end_time,headway_secs,exact_times\na,07:45:00,07:50:00,180,1\n"
    exact = read_fixed_lines(written(tmp_path / "exact", frequencies=often), NAURU)
    departures = [exact.direct(at(0), at(3), TUESDAY, 7 * 3600 + s, 300) for s in (1800, 45 * 60 + 30, 49 * 60)]
    assert [None if bus is None else bus.departs_s // 60 for bus in departures] == [465, 468, 500]


@pytest.mark.parametrize(
    ("table", "old", "new", "told"),
    [
        ("stops", "s1,Stop 1", "s0,Stop 1", "stops.txt:3"),
        ("stops", f"{LAT},", "north,", "stops.txt:2"),
        ("stop_times", "a,08:00:00", "a,8 o'clock", "stop_times.txt:2"),
        ("stop_times", "b,08:25:00,08:25:00", "b,08:15:00,08:15:00", "stop_times.txt:6"),
        ("stop_times", "08:20:00,s0,1", "08:20:00,s9,1", "stop_times.txt:5"),
        ("stop_times", "c,25:30:00,25:30:00", "c,,", "stop_times.txt:8"),
        ("stop_times", "stop_sequence", "order", "stop_times.txt:1"),
        ("stop_times", "a,,,s1,2", "a,,,s1,2,9,9", "stop_times.txt"),
        ("trips", "r1,week,b", "r7,week,b", "trips.txt:3"),
        ("trips", "r2,sun,c", "r2,never,c", "trips.txt:4"),
        ("calendar", "20260101,20261231\nsun", "January,20261231\nsun", "calendar.txt:2"),
        ("calendar_dates", "20260304,2", "20260304,3", "calendar_dates.txt:2"),
    ],
)
def test_a_broken_table_is_told_by_file_and_line(tmp_path: Path, table: str, old: str, new: str, told: str) -> None:
    """One clear error, at the start."""
    assert old in FEED[f"{table}.txt"]
    folder = written(tmp_path / "feed", **{table: FEED[f"{table}.txt"].replace(old, new, 1)})
    with pytest.raises(InputError) as error:
        read_fixed_lines(folder, NAURU)
    assert told in str(error.value)


def test_a_feed_that_is_none(tmp_path: Path) -> None:
    """Missing, no archive, no calendar."""
    (tmp_path / "x.zip").write_text("hello")
    folder = written(tmp_path / "feed")
    for name in ("calendar.txt", "calendar_dates.txt"):
        (folder / name).unlink()
    for path in (tmp_path / "gone", tmp_path / "x.zip", folder):
        with pytest.raises(InputError):
            read_fixed_lines(path, NAURU)
