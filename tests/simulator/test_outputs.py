"""The output folder: whole files or none, and tables that say what the log says."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from dispatch.core.domain import Shift
from dispatch.core.events import (
    DayClosed,
    DriveStarted,
    ProgressMade,
    RiderAlighted,
    RiderBoarded,
    RiderStranded,
    ShiftOpened,
    ShuttleBrokeDown,
    StopArrived,
    read_log,
)
from dispatch.core.kpi import complete, figures
from routing.errors import InputError
from simulator import outputs
from simulator.outputs import LogWriter, decisions_rows, drives_rows, read_events, read_kpis, visits_rows, write_outputs
from tests.days import KM, A, B, C, asked, booked, opened, s, small_day, write_log

NODES = [f"n{i}" for i in range(20)]


def test_visits_are_boardings_and_alightings() -> None:
    """One row a booking and end, at the vehicle of the shift and the stop points of the booking."""
    assert list(visits_rows(small_day())) == [
        ("v1", "r1", "pickup", "200", "A"),
        ("v1", "r2b", "pickup", "310", "B"),
        ("v1", "r1", "dropoff", "520", "C"),
        ("v1", "r2b", "dropoff", "525", "C"),
    ]


def test_decisions_are_the_last_answers() -> None:
    """One row a call; declining and queueing in vain are no bookings."""
    assert list(decisions_rows(small_day())) == [
        ("r1", "100", "100", "booked"),
        ("r2", "150", "150", "refused"),
        ("r2b", "180", "180", "booked"),
        ("r3", "400", "400", "refused"),
        ("r4", "420", "425", "refused"),
        ("r5", "430", "430", "booked"),
        ("r6", "440", "440", "refused"),
        ("r7", "450", "450", "booked"),
        ("r8", "460", "460", "booked"),
    ]


def test_drives_join_without_gaps() -> None:
    """Each drive leaves the node at which the one before ended."""
    assert list(drives_rows(small_day(), NODES)) == [
        ("v1", "100", "n11", "200", "n10", "r1"),
        ("v1", "200", "n10", "300", "n11", "r2b"),
        ("v1", "320", "n11", "520", "n12", "r1"),
        ("v1", "600", "n12", "1000", "n10", "r7"),
    ]


def test_nodes_without_names_are_called_by_their_place_or_number() -> None:
    """On a CSV network places are nodes, so the log alone can name them; a turn elsewhere has its number."""
    day = [*opened(), DriveStarted(0, "s1", 11, A, "r"), ProgressMade(0, "s1", 5, s(40), KM),
           DriveStarted(0, "s1", 5, C, "q"), StopArrived(s(90), "s1", C, KM)]  # fmt: skip
    assert [row[2:5:2] for row in drives_rows(day)] == [("B", "#5"), ("#5", "C")]


def test_a_turn_ends_a_drive_where_the_shuttle_can_turn() -> None:
    """Told at 10 s to go elsewhere, it reaches the next node at 40.5 s, and leaves from there."""
    day = [
        *opened(),
        DriveStarted(0, "s1", 11, A, "r"),
        ProgressMade(s(10), "s1", 5, s(40.5), KM),
        DriveStarted(s(10), "s1", 5, C, "q"),
        StopArrived(s(90), "s1", C, KM),
    ]
    assert list(drives_rows(day, NODES)) == [
        ("v1", "0", "n11", "40.500", "n5", "r"),
        ("v1", "40.500", "n5", "90", "n12", "q"),
    ]
    assert figures(day)["extra"]["drive_hours"] == pytest.approx(90 / 3600, abs=1e-6)


def test_a_turn_at_the_very_node_it_stands_at_is_no_drive() -> None:
    """A goal given up before the shuttle moved leaves no row of no length."""
    day = [
        *opened(),
        DriveStarted(s(10), "s1", 11, A, "r"),
        ProgressMade(s(10), "s1", 11, s(10), 0),
        DriveStarted(s(10), "s1", 11, C, "q"),
        StopArrived(s(90), "s1", C, KM),
    ]
    assert list(drives_rows(day, NODES)) == [("v1", "10", "n11", "90", "n12", "q")]


def test_breakdown_on_the_way() -> None:
    """The drive ends where the shuttle stands; the rider's pickup stays the first one, the drop-off is the other's."""
    day = [
        *opened(), ShiftOpened(0, Shift("s2", "v2", 11, 0, s(3600), 8)),
        asked(0, "r"), booked(0, "r", (0, 600), 3000, pickup_at=0),
        RiderBoarded(0, "s1", "r"), DriveStarted(0, "s1", 10, C, "r"), ShuttleBrokeDown(s(100), "s1", 6, KM),
        RiderStranded(s(100), "s1", "r", A), RiderBoarded(s(400), "s2", "r"), RiderAlighted(s(700), "s2", "r"),
    ]  # fmt: skip
    assert list(drives_rows(day, NODES)) == [("v1", "0", "n10", "100", "n6", "r")]
    assert list(visits_rows(day)) == [("v1", "r", "pickup", "0", "A"), ("v2", "r", "dropoff", "700", "C")]


def test_folder_holds_the_agreed_files(tmp_path: Path) -> None:
    """The log as written line by line is the log of the contract, and the tables have its columns."""
    folder = tmp_path / "not" / "there"
    with LogWriter(folder) as log:
        for event in small_day():
            log.write(event)
    kpis = complete(figures(small_day()))
    write_outputs(folder, kpis, node_ids=NODES)
    assert (folder / "events.jsonl").read_bytes() == write_log(tmp_path / "other", small_day()).read_bytes()
    assert list(read_events(folder)) == small_day()
    assert read_kpis(folder) == kpis
    heads = {path.name: path.read_text().splitlines()[0] for path in folder.glob("*.csv")}
    assert heads == {
        "visits.csv": "vehicle_id,request_id,kind,time_s,place",
        "decisions.csv": "request_id,asked_s,decided_s,decision",
        "drives.csv": "vehicle_id,depart_s,from_node,arrive_s,to_node,purpose",
    }
    assert sorted(path.name for path in folder.iterdir()) == [
        "decisions.csv", "drives.csv", "events.jsonl", "kpis.json", "visits.csv",
    ]  # fmt: skip


def test_names_with_commas_stay_one_cell(tmp_path: Path) -> None:
    """Ids are whatever a file of requests had."""
    name = 'a,"b"\nc'
    day = [*opened(), asked(0, name), booked(0, name, (0, 600), 900, pickup_at=0), RiderBoarded(0, "s1", name)]
    write_outputs(tmp_path, {}, events=day)
    with (tmp_path / "visits.csv").open(newline="") as file:
        assert next(csv.DictReader(file))["request_id"] == name


def test_times_are_whole_seconds_or_milliseconds() -> None:
    """No time is rounded away, and whole ones read as such."""
    assert [outputs.seconds(ms) for ms in (0, 90_000_000, 1500, 7, -500)] == ["0", "90000", "1.500", "0.007", "-0.500"]


def test_interrupted_day_keeps_what_happened(tmp_path: Path) -> None:
    """Ctrl-C in the middle leaves a log that is read like any other, as far as it goes."""
    day = small_day()
    log = LogWriter(tmp_path)

    def interrupted() -> None:
        with log:
            for event in day[:10]:
                log.write(event)
            log._file.write(b'{"seq":11,"sch')  # in the middle of a line
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(read_events(tmp_path)) == day[:10]
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]
    assert figures(read_events(tmp_path))["attempts"] == 2


def test_interrupted_before_anything_happened(tmp_path: Path) -> None:
    """A log without a line is not kept, and an earlier day stays as it was."""
    write_log(tmp_path, small_day())
    with pytest.raises(KeyboardInterrupt), LogWriter(tmp_path):
        raise KeyboardInterrupt
    assert list(read_events(tmp_path)) == small_day()
    assert [path.name for path in tmp_path.iterdir()] == ["events.jsonl"]


def test_new_day_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    """Figures of yesterday never lie beside the log of today."""
    write_log(tmp_path, small_day())
    write_outputs(tmp_path, {"attempts": 8})
    (tmp_path / "notes.txt").write_text("mine")
    with LogWriter(tmp_path) as log:
        log.write(opened()[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.jsonl", "notes.txt"]


def test_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    """The error names the file that could not be written, and no part of it stays."""
    (tmp_path / "events.jsonl.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left.*events\.jsonl'"), LogWriter(tmp_path) as log:
        log.write(opened()[0])
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "visits.csv.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left.*visits\.csv'"):
        write_outputs(tmp_path, {}, events=small_day())
    assert list(tmp_path.iterdir()) == []


def test_disk_full_when_what_is_left_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that the file has taken but the disk has not: the error at closing names the file, too."""
    monkeypatch.setattr(outputs, "LINES_AT_ONCE", 1)
    (tmp_path / "events.jsonl.part").symlink_to("/dev/full")
    log = LogWriter(tmp_path)
    log.write(opened()[0])
    with pytest.raises(OSError, match=r"No space left.*events\.jsonl'"):
        log.close()
    assert list(tmp_path.iterdir()) == []


def test_disk_full_in_the_middle_of_a_day(tmp_path: Path) -> None:
    """The event that no longer fits says so at once, not at the end of the day."""
    (tmp_path / "events.jsonl.part").symlink_to("/dev/full")
    log = LogWriter(tmp_path)
    enough = 100_000

    written = 0

    def fill() -> None:
        nonlocal written
        for _ in range(enough):
            log.write(DayClosed(0))
            written += 1

    with pytest.raises(OSError, match="No space left"):
        fill()
    assert written < enough
    log.close()
    assert list(tmp_path.iterdir()) == []


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    """An output folder that cannot be made is an OSError with its path."""
    (tmp_path / "out").write_text("")
    with pytest.raises(OSError, match="out"):
        LogWriter(tmp_path / "out")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such log"),
        (b"not json\n", "line 1: not an event"),
        (b'{"seq":2,"schema":1,"utc":0,"type":"DayClosed","at":0}\n', "line 1: seq 2; expected 1"),
        (b'{"seq":1,"schema":99,"utc":0,"type":"DayClosed","at":0}\n', "schema 99"),
        (b"\xff\xfe\n", "line 1: not an event"),
    ],
)
def test_damaged_log_is_wrong_input(tmp_path: Path, content: bytes | None, message: str) -> None:
    """The message names the log's file and line."""
    if content is not None:
        (tmp_path / "events.jsonl").write_bytes(content)
    with pytest.raises(InputError, match=message) as raised:
        list(read_events(tmp_path))
    assert "events.jsonl" in str(raised.value)


def test_damaged_kpis_are_wrong_input(tmp_path: Path) -> None:
    """No kpis.json is no error, one that cannot be read is."""
    assert read_kpis(tmp_path) is None
    for content in ("{", "[1]"):
        (tmp_path / "kpis.json").write_text(content)
        with pytest.raises(InputError, match=r"kpis\.json"):
            read_kpis(tmp_path)


def test_kpis_hold_no_nan(tmp_path: Path) -> None:
    """kpis.json is JSON that every program reads."""
    with pytest.raises(ValueError, match="JSON"):
        write_outputs(tmp_path, {"wait_mean_s": float("nan")}, events=[])
    assert not (tmp_path / "kpis.json").exists()
    write_outputs(tmp_path, {"scenario": "코킴보"}, events=[])
    assert json.loads((tmp_path / "kpis.json").read_bytes())["scenario"] == "코킴보"


def test_log_of_the_writer_is_gapless() -> None:
    """Lines written by hand in the tests and the reader agree."""
    lines = io.BytesIO(b'{"seq":1,"schema":1,"utc":0,"type":"DayClosed","at":5}\n')
    assert list(read_log(lines)) == [DayClosed(5)]


def test_shuttle_at_the_place_already_has_no_drive() -> None:
    """An arrival without a drive before it writes no row."""
    assert list(drives_rows([*opened(), StopArrived(s(5), "s1", B, 0)], NODES)) == []
