"""The static benchmark on instances made by hand: its readers, its solver, and the check that trusts neither."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from routing.errors import InputError
from tests.benchmarks import static
from tests.benchmarks.instances import faults, read, timetable

LI_LIM = """2\t10\t1
0\t0\t0\t0\t0\t100\t0\t0\t0
1\t3\t4\t5\t0\t50\t1\t0\t2
2\t6\t8\t-5\t0\t60\t1\t1\t0
3\t-3\t4\t5\t0\t50\t1\t0\t4
4\t-6\t8\t-5\t0\t60\t1\t3\t0
"""
CORDEAU = """1 2 60 2 12
0 0 0 0 0 0 100
1 3 4 1 1 0 100
2 6 8 1 1 0 100
3 9 12 1 -1 30 100
4 12 16 1 -1 0 100
"""


def write(folder: Path, text: str, name: str = "instance.txt") -> Path:
    """Put an instance into a file."""
    path = folder / name
    path.write_text(text)
    return path


def test_two_requests_on_opposite_sides_take_one_vehicle(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fewest vehicles first: one goes round, though two would drive no more; depots are left out of the route."""
    path = write(tmp_path, LI_LIM)
    assert static.main([str(path), "--seconds", "1", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["feasible"]
    assert result["vehicles"] == 1
    assert sorted(result["routes"][0]) == [1, 2, 3, 4]
    assert result["distance"] == pytest.approx(read(path).length(result["routes"]), abs=1e-12)
    assert result["seconds"] < 5


@pytest.mark.parametrize("text", [LI_LIM, CORDEAU])
def test_the_peer_gets_the_same_instance(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    """OR-Tools' plan is checked like ours, and on two requests is as good."""
    path = write(tmp_path, text)
    assert static.main([str(path), "--seconds", "0.3", "--peer", "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)["results"]
    assert result["peer"]["feasible"]
    assert result["peer"]["vehicles"] == result["vehicles"]
    assert result["peer"]["distance"] == pytest.approx(result["distance"])


def test_a_pickup_waits_for_a_drop_off_s_window_rather_than_the_rider_aboard(tmp_path: Path) -> None:
    """Drop-off 3 opens at 30, the ride may last 12: the pickup begins no sooner than 17."""
    instance = read(write(tmp_path, CORDEAU))
    begins = timetable(instance, [1, 3, 2, 4])
    assert begins is not None
    assert begins[1] == pytest.approx(30 - 12 - 1)
    solution = static.solve(instance, 0.3, 1)
    assert faults(instance, solution.routes) == []


def test_a_route_s_duration_counts_from_a_late_departure(tmp_path: Path) -> None:
    """Leaving as late as can be, the route lasts 44: a limit of 44 can be kept, one of 43 can't."""
    instance = read(write(tmp_path, CORDEAU.replace("2 60 2", "2 44 2")))
    tight = read(write(tmp_path, CORDEAU.replace("2 60 2", "2 43 2")))
    assert timetable(instance, [1, 2, 3, 4]) is not None
    assert timetable(tight, [1, 2, 3, 4]) is None


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ([[1, 2], [3]], "just once"),
        ([[2, 1], [3, 4]], "before it is picked up"),
        ([[1, 4], [3, 2]], "split"),
        ([[1, 2], [3, 4], []], "3 routes"),
    ],
)
def test_the_check_sees_what_is_wrong(tmp_path: Path, routes: list[list[int]], said: str) -> None:
    """A place left out, a pair turned round or split, more routes than vehicles."""
    assert any(said in fault for fault in faults(read(write(tmp_path, LI_LIM)), routes))


def test_the_check_sees_windows_capacity_and_rides(tmp_path: Path) -> None:
    """Each bound alone makes a route impossible."""
    assert faults(read(write(tmp_path, LI_LIM)), [[1, 2], [3, 4]]) == []
    late = write(tmp_path, LI_LIM.replace("0\t60\t1\t1\t0", "0\t9\t1\t1\t0").replace("0\t50\t1\t0\t2", "0\t5\t1\t0\t2"))
    with pytest.raises(InputError, match="even alone"):
        read(late)
    full = read(write(tmp_path, LI_LIM.replace("2\t10\t1", "2\t5\t1")))
    assert any("timetable" in fault for fault in faults(full, [[1, 3, 2, 4]]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("hello world\n", "expected 3"),
        (LI_LIM[: LI_LIM.index("3\t-3")], None),
        (LI_LIM[:-12], "numbers"),
        (LI_LIM[: LI_LIM.index("4\t-6")], "missing"),
        (LI_LIM.replace("3\t4\t5", "3\tnan\t5"), "finite"),
        (CORDEAU[: CORDEAU.index("4 12")], "as many as the first line says"),
        (CORDEAU.replace("2 60 2 12", "2 60 2 3"), "even alone"),
        (CORDEAU.replace("1 2 60", "0 2 60"), "vehicles"),
        (LI_LIM.replace("2\t10\t1", "1\t10\t1").replace("0\t50\t", "0\t6\t"), "no plan was found"),
    ],
)
def test_bad_instances_end_with_one_message_and_exit_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str | None
) -> None:
    """Broken off, of another kind, impossible: said in one line, and never called feasible."""
    path = write(tmp_path, text)
    code = static.main([str(path), "--seconds", "0.2", "--json"])
    out, err = capsys.readouterr()
    if said is None:  # broken off where it still makes sense
        assert code == 0
        return
    assert code == 2
    assert out == ""
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_a_missing_file_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    """The file's name is in it."""
    assert static.main(["nowhere.txt"]) == 2
    assert "nowhere.txt" in capsys.readouterr().err
