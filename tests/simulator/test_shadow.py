"""Shadow mode: another policy's answers to a day's calls, in the world as it really was, nothing acted on."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from time import sleep

import pytest
from fastapi.routing import APIRoute

from dispatch.core import events as ev
from dispatch.service.looking import router
from routing.errors import InputError
from simulator.cli import main
from simulator.replay import desk_on, read_recorded
from simulator.replay_policy import walker
from simulator.scenario import load_policy, load_scenario
from simulator.shadow import EXPORT, Shadow, Verdict, events_of, file_source, lines_of, rows, service_source, summary
from simulator.simulate import simulate

Town = Callable[..., Path]
BUSY = (
    "network: {nodes: nodes.csv, edges: edges.csv}\nvehicles: vehicles.csv\nstops: {count: 5, at_nodes: on}\n"
    "requests: {attempts: 60, origins: {base: 1}, hours: [08:00, 10:00]}\n"
    "policy: {max_wait_s: 600, journey_factor: 1.6, journey_extra_s: 300, fares: {base: 1000}}\n"
)


@pytest.fixture
def recorded(town: Town, tmp_path: Path) -> Path:
    """A busy morning's folder."""
    scenario = load_scenario(town(**{"day.yaml": BUSY}))
    simulate(scenario, tmp_path / "day")
    return tmp_path / "day"


def under(folder: Path, policy: str) -> Shadow:
    """The whole log beside a desk with this policy."""
    file = folder.parent / "other.yaml"
    file.write_text(policy)
    log = read_recorded(folder)
    network = load_scenario(folder.parent / "day.yaml").network
    shadow = Shadow(desk_on(network, log.opened), load_policy(file))
    for event in log.events:
        shadow.feed(event)
    shadow.close()
    return shadow


def test_the_same_policy_says_the_same(recorded: Path) -> None:
    """To every call: nothing differs, times and fares neither."""
    shadow = under(recorded, BUSY)
    told = summary(shadow.verdicts)
    assert told["calls"] == 60
    assert told["differ"] == 0
    assert told["neither"] > 0
    assert told["both_offered"] > 0
    assert told["pickup_change_mean_s"] == told["fare_change_mean"] == 0


def test_a_laxer_policy_offers_more_and_a_dearer_one_costs_more(recorded: Path) -> None:
    """Whoever had a ride would have one; some who had none would, later; the fare is the other's."""
    lax = summary(under(recorded, BUSY.replace("max_wait_s: 600", "max_wait_s: 3000").replace("300", "3000")).verdicts)
    assert lax["only_other"] > 0
    assert lax["only_really"] == 0
    strict = summary(under(recorded, BUSY.replace("max_wait_s: 600", "max_wait_s: 60")).verdicts)
    assert strict["only_really"] > 0
    assert strict["only_other"] == 0
    assert summary(under(recorded, BUSY.replace("base: 1000", "base: 1500")).verdicts)["fare_change_mean"] == 500


def test_nothing_is_acted_on(recorded: Path) -> None:
    """The shadow's world is the real one, event by event, whatever its policy says."""
    shadow = under(recorded, BUSY.replace("max_wait_s: 600", "max_wait_s: 3000"))
    real = desk_on(load_scenario(recorded.parent / "day.yaml").network, read_recorded(recorded).opened)
    for event in read_recorded(recorded).events:
        real.apply(event)
    shadows, reals = shadow._desk.world, real.world
    assert {name: s.plan for name, s in shadows.shuttles.items()} == {n: s.plan for n, s in reals.shuttles.items()}
    assert {name: r.state for name, r in shadows.rides.items()} == {n: r.state for n, r in reals.rides.items()}


def test_walks_of_the_other_policy_hold(recorded: Path) -> None:
    """With a longer walk allowed, a call has more stop points to choose from."""
    log = read_recorded(recorded)
    network = load_scenario(recorded.parent / "day.yaml").network
    shifts = tuple(e.shift for e in log.events if isinstance(e, ev.ShiftOpened))
    (recorded.parent / "walks.yaml").write_text("walk_m: 1400\n")
    walk = walker(log.opened, shifts, network, load_policy(recorded.parent / "walks.yaml"))
    first = next(e.request for e in log.events if isinstance(e, ev.RequestMade))
    assert len(first.origins) == 1
    assert len(walk(first).origins) > 1


def test_verdicts_in_words() -> None:
    """What was told, and what would have been, with why not."""
    hour = 3_600_000
    v = Verdict("7", 8 * hour, 8 * hour, "ride", 8 * hour + 300_000, "no", None, why="full")
    assert v.differs
    assert str(v).startswith(
        "7, called at 08:00 to leave at 08:00: was told a ride at 08:05; would have been told no ("
    )
    assert rows([v])[0][:7] == ("7", "08:00", "08:00", "ride", "08:05", "no", "")
    assert not Verdict("8", 0, 0, "ride", 60_000, "ride", 100_000).differs
    assert Verdict("8", 0, 0, "ride", 60_000, "ride", 120_000).differs


def test_a_growing_log_is_followed_to_the_end_of_its_day(recorded: Path, tmp_path: Path) -> None:
    """Lines cut in the middle are waited for; the day's last one ends it."""
    whole = (recorded / "events.jsonl").read_bytes()
    growing = tmp_path / "growing.jsonl"
    growing.write_bytes(whole[:1000])

    def grow() -> None:
        for begin in range(1000, len(whole), 50_000):
            sleep(0.02)
            with growing.open("ab") as file:
                file.write(whole[begin : begin + 50_000])

    writer = threading.Thread(target=grow)
    writer.start()
    source = file_source(growing)
    followed = list(events_of(source, lines_of(source, follow=True, every_s=0.01)))
    writer.join()
    assert followed == read_recorded(recorded).events
    cut = file_source(growing)
    growing.write_bytes(whole[:-5])
    assert len(list(events_of(cut, lines_of(cut)))) == len(followed) - 1


def test_the_command(recorded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One object with --json; a table of every call with --out; the limits said; wrong input is one message."""
    other = recorded.parent / "other.yaml"
    other.write_text("name: patient\nmax_wait_s: 3000\njourney_extra_s: 3000\n")
    assert main(["shadow", str(recorded), "--policy", str(other), "--out", str(recorded / "s"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["calls"] == 60
    assert told["whole_day"] is True
    assert (recorded / "s" / "shadow.csv").read_text().count("\n") == 61
    assert main(["shadow", str(recorded), "--policy", str(other)]) == 0
    out = capsys.readouterr().out
    assert "would only have been by 'patient'" in out
    assert "in the world as it really was" in out
    (recorded / "map.npz").unlink()
    assert main(["shadow", str(recorded), "--policy", str(other)]) == 2
    assert "no map.npz lies beside the log" in capsys.readouterr().err
    assert main(["shadow", str(recorded / "none"), "--policy", str(other)]) == 2
    broken = recorded / "broken.jsonl"
    broken.write_text('{"seq":1,"schema":1,"utc":0,"type":"Nonsense"}\n')
    assert main(["shadow", str(broken), "--policy", str(other)]) == 2
    with pytest.raises(InputError, match="not an event"):
        list(events_of(file_source(broken), lines_of(file_source(broken))))


def test_a_service_is_read_with_a_token(recorded: Path) -> None:
    """Only what is new is taken from each answer; a wrong token or no service is one message. The path is the API's."""
    whole = (recorded / "events.jsonl").read_bytes()
    served = [whole[:20_000], whole[:20_000], whole]

    class Service(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ok = self.path == EXPORT and self.headers["Authorization"] == "Bearer secret"
            self.send_response(200 if ok else 401)
            self.end_headers()
            if ok:
                self.wfile.write(served.pop(0))

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        source = service_source(url, "secret")
        assert list(events_of(source, lines_of(source, follow=True, every_s=0.01))) == read_recorded(recorded).events
        with pytest.raises(InputError, match="answers 401; expected an operator's token in NARU_TOKEN"):
            service_source(url, "wrong").read(0)
        server.shutdown()
    with pytest.raises(InputError, match="does not answer"):
        service_source(url, "secret").read(0)
    assert EXPORT in {route.path for route in router.routes if isinstance(route, APIRoute)}
