"""Replay: a log's inputs make its decisions again; one altered byte is found; other rules meet the same people."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from dispatch.core import events as ev
from dispatch.core.domain import Policy
from routing.errors import InputError
from simulator import replay_policy
from simulator.cli import main
from simulator.journeys import journeys
from simulator.replay import Replayed, check_version, read_recorded, replay, roads_of
from simulator.scenario import load_scenario
from simulator.simulate import Outcome, live, simulate

HARD = {
    "requests.attempts": "90",
    "policy.rebalance": "{every_s: 60, learn_s: 3600}",
    "disturbances.travel_time_sigma": "0.25",
    "disturbances.breakdowns": "[{shuttle: V1, at: 08:00}]",
    "disturbances.speeds": "[{from: 07:30, to: 09:00, factor: 1.3}]",
    "disturbances.closures": "[{from: 07:45, to: 09:30, line: [[-0.5477, 166.91], [-0.53, 166.93]]}]",
    "riders.cancel_share": "0.15",
    "riders.no_show_share": "0.1",
    "riders.late_share": "0.3",
    "riders.decline_share": "0.05",
    "riders.retries": "{calls: 4}",
}
"""everything that can go otherwise than planned"""


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A hard day's output folder, and what happened on it."""
    folder = tmp_path_factory.mktemp("day")
    return folder, simulate(load_scenario("nauru", seed=3, changes=HARD), folder)


def altered(day: Path, folder: Path, *, line: int, old: str, new: str) -> Path:
    """A copy of the day whose line has other words."""
    lines = (day / "events.jsonl").read_text().splitlines(keepends=True)
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, new, 1)
    return beside(day, folder, "".join(lines).encode())


def beside(day: Path, folder: Path, log: bytes) -> Path:
    shutil.copy(day / "map.npz", folder)
    (folder / "events.jsonl").write_bytes(log)
    return folder


def again(folder: Path) -> Replayed:
    recorded = read_recorded(folder)
    return replay(recorded, roads_of(recorded)[1])


def test_a_hard_day_comes_out_again_to_the_byte(day: tuple[Path, Outcome]) -> None:
    """Breakdowns, closures, cancellations, no-shows, noise, retries, the queue and better plans included."""
    folder, outcome = day
    kinds = {type(event).__name__ for event in outcome.events}
    assert kinds >= {"RideCancelled", "NoShow", "ShuttleBrokeDown", "RoadClosed", "SpeedsChanged", "RideQueued",
                     "PlansChanged", "PositionReported", "RiderAwaited", "PromiseAtRisk", "IdleSent"}  # fmt: skip
    done = again(folder)
    assert done.difference is None
    assert done.whole
    assert done.events == len(outcome.events)
    assert done.decisions > 100


@pytest.mark.parametrize("kind", ["RideBooked", "RideRefused", "PlansChanged", "PromiseAtRisk", "RideQueued"])
def test_one_altered_decision_is_found_by_its_line(day: tuple[Path, Outcome], tmp_path: Path, kind: str) -> None:
    """Its time of day, by one millisecond."""
    folder, outcome = day
    lines = [n for n, event in enumerate(outcome.events, 1) if type(event).__name__ == kind]
    line = lines[len(lines) // 2]
    at = outcome.events[line - 1].at
    done = again(altered(folder, tmp_path, line=line, old=f'"at":{at}', new=f'"at":{at + 1}'))
    assert done.difference is not None
    assert done.difference.line == line
    assert f"line {line}: the log has" in str(done.difference)


def test_an_altered_promise_is_found(day: tuple[Path, Outcome], tmp_path: Path) -> None:
    """A rider was told another window than the desk decided."""
    folder, outcome = day
    line, booked = next((n, e) for n, e in enumerate(outcome.events, 1) if isinstance(e, ev.RideBooked))
    window = f'"pickup_to":{booked.promise.pickup_to}'
    done = again(altered(folder, tmp_path, line=line, old=window, new=f'"pickup_to":{booked.promise.pickup_to + 1}'))
    assert done.difference is not None
    assert done.difference.line == line


def test_a_decision_taken_out_is_found(day: tuple[Path, Outcome], tmp_path: Path) -> None:
    """Also where the lines were numbered anew."""
    folder, outcome = day
    gone = next(n for n, e in enumerate(outcome.events) if isinstance(e, ev.PlansChanged))
    zero = outcome.events[0].zero_utc  # type: ignore[attr-defined]
    rest = [event for n, event in enumerate(outcome.events) if n != gone]
    log = b"".join(ev.log_line(event, n, zero) for n, event in enumerate(rest, 1))
    done = again(beside(folder, tmp_path, log))
    assert done.difference is not None
    assert done.difference.line == gone + 1


def test_a_cut_log_replays_to_its_last_whole_event(day: tuple[Path, Outcome], tmp_path: Path) -> None:
    """Wherever it was cut, also in the middle of what one input set off."""
    folder, outcome = day
    log = (folder / "events.jsonl").read_bytes()
    for share in (0.31, 0.5, 0.77):
        done = again(beside(folder, tmp_path, log[: int(len(log) * share)]))
        assert done.difference is None
        assert not done.whole
        assert done.cut is not None
        assert 0 < done.events < len(outcome.events)


def test_a_log_of_another_map_is_refused(day: tuple[Path, Outcome], tmp_path: Path) -> None:
    """The streets beside it must be those of its day."""
    folder, _ = day
    log = (folder / "events.jsonl").read_bytes()
    beside(folder, tmp_path, log)
    load_scenario("nauru", changes={"stops.spacing_m": "600"}).network.save(tmp_path / "map.npz")
    with pytest.raises(InputError, match="not the one of its day"):
        roads_of(read_recorded(tmp_path))
    (tmp_path / "map.npz").unlink()
    with pytest.raises(InputError, match=r"no map\.npz"):
        roads_of(read_recorded(tmp_path))


def test_a_log_of_another_version_is_refused(day: tuple[Path, Outcome], tmp_path: Path) -> None:
    """Another version may have decided otherwise."""
    folder, _ = day
    other = altered(folder, tmp_path, line=1, old='"version":"', new='"version":"9.')
    with pytest.raises(InputError, match=r"written by Naru 9\..*expected"):
        check_version(read_recorded(other))


def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    """Missing, empty, or something else."""
    with pytest.raises(InputError, match="no such log"):
        read_recorded(tmp_path)
    (tmp_path / "events.jsonl").write_bytes(b"")
    with pytest.raises(InputError, match="is empty"):
        read_recorded(tmp_path)
    (tmp_path / "events.jsonl").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(InputError, match="line 1"):
        read_recorded(tmp_path)


def test_the_command_says_what_it_found(
    day: tuple[Path, Outcome], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 0 and 1, and one JSON object."""
    folder, outcome = day
    assert main(["replay", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["events"] == len(outcome.events)
    line, at = next((n, e.at) for n, e in enumerate(outcome.events, 1) if isinstance(e, ev.RideBooked))
    bad = altered(folder, tmp_path, line=line, old=f'"at":{at}', new=f'"at":{at + 1}')
    assert main(["replay", str(bad), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["difference"]["line"] == line


def test_the_same_policy_carries_the_same_people(tmp_path: Path) -> None:
    """Where nothing is left to assume, the day under its own rules is the day."""
    outcome = simulate(load_scenario("nauru"), tmp_path)
    recorded = read_recorded(tmp_path)
    network, desk = roads_of(recorded)
    day, people = replay_policy.same_people(recorded, network, load_scenario("nauru").policy)
    other = live(day, desk, network, people=people)
    assert other.events == outcome.events
    assert replay_policy.changes(recorded.events, other.events) == []


def test_other_rules_meet_the_same_people(day: tuple[Path, Outcome]) -> None:
    """Each attempt once, in both; differences add up, and each is told in a sentence."""
    folder, outcome = day
    recorded = read_recorded(folder)
    network, desk = roads_of(recorded)
    rules = Policy(name="strict", max_wait_s=300, reoptimise=None)
    lived, people = replay_policy.same_people(recorded, network, rules)
    other = live(lived, desk, network, people=people)
    before, after = journeys(outcome.events), journeys(other.events)
    assert before.keys() == after.keys()
    told = replay_policy.summary(recorded.events, other.events)
    gained, lost = told["carried_only_under_policy"], told["carried_only_in_log"]
    assert told["delivered_under_policy"] == told["delivered"] + gained - lost
    assert lost > 0
    changed = replay_policy.changes(recorded.events, other.events)
    assert len(changed) >= gained + lost
    carried = next(change for change in changed if change.after.end == "delivered" != change.before.end)
    assert "would have been carried at 0" in str(carried)


def test_walks_of_the_policy_are_tried(tmp_path: Path) -> None:
    """A log without walks, replayed under a policy that has them."""
    simulate(load_scenario("nauru", changes={"policy.walk_m": "0"}), tmp_path)
    recorded = read_recorded(tmp_path)
    network, _ = roads_of(recorded)
    lived, _ = replay_policy.same_people(recorded, network, Policy(walk_m=500))
    assert {len(request.origins) for _, request in lived.requests} > {1}
    same, _ = replay_policy.same_people(recorded, network, Policy(walk_m=0))
    assert {len(request.origins) for _, request in same.requests} == {1}


def test_the_command_writes_the_day_under_other_rules(
    day: tuple[Path, Outcome], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A whole output folder, and the differences rider by rider."""
    folder, _ = day
    rules = tmp_path / "rules.yaml"
    rules.write_text("name: strict\nmax_wait_s: 300\n", encoding="utf-8")
    out = tmp_path / "out"
    assert main(["replay", str(folder), "--policy", str(rules), "--out", str(out)]) == 0
    words = capsys.readouterr().out
    assert "Under 'strict'" in words
    assert "Assumed:" in words
    assert {"events.jsonl", "kpis.json", "report.html", "differences.csv"} <= {path.name for path in out.iterdir()}
    header, *rows = (out / "differences.csv").read_text().splitlines()
    assert header.startswith("attempt,asked_to_leave")
    assert rows
