"""The demo and the README's first ride, as anybody would run them: processes, a socket, the commands as printed."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from dispatch.core import events as ev
from dispatch.core.places import End
from simulator.attempts import Attempt
from simulator.http_day import SIGN_IN_TRIES, Api, sign_rider_in
from simulator.lockstep import difference

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "dispatch" / "service" / "README.md"
NARU = (sys.executable, "-m", "simulator.cli")
ENV = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def naru(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    """A command, to its end."""
    return subprocess.run([*NARU, *arguments], env=ENV, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload,no-any-return]


def test_a_live_day_is_judged_clean_and_replays_to_the_byte(tmp_path: Path) -> None:
    """`naru demo --for` on the island: through HTTP, with figures, the pages' addresses and a key, exit code 0."""
    demo = naru("demo", "--for", "12", "--scenario", "nauru", "--port", "0", "--out", str(tmp_path / "day"))
    assert demo.returncode == 0, demo.stderr
    assert re.search(r"operators  http://127\.0\.0\.1:\d+/console#key=ey\S+", demo.stderr)
    assert re.search(r"asked \d+ {2}booked \d+", demo.stderr)
    assert re.search(r"attempts \(simulated\) +[1-9]", demo.stdout)
    assert f"log     {tmp_path / 'day' / 'events.jsonl'}" in demo.stdout
    check = naru("check", str(tmp_path / "day"))
    assert (check.returncode, " 0 violations (roads judged too)" in check.stdout) == (0, True), check.stdout
    replay = naru("replay", str(tmp_path / "day"))
    assert replay.returncode == 0, replay.stderr
    log = (tmp_path / "day" / "events.jsonl").read_bytes()
    lines = len(log.splitlines())
    assert f"{lines} lines came out again to the byte" in replay.stdout
    assert b'"PlansProposed"' in log or b'"improves":false' in log  # improved beside, not within the tick


def test_step_by_step_the_service_decides_as_the_simulator(tmp_path: Path) -> None:
    """`naru demo --lockstep`: over HTTP, the same requests, the same decisions, all day long."""
    demo = naru(
        "demo", "--lockstep", "--scenario", "nauru", "--seed", "2", "--port", "0", "--out", str(tmp_path / "day")
    )
    assert demo.returncode == 0, demo.stderr + demo.stdout
    assert re.search(r"\d{3,} events, each as in the simulator's log", demo.stdout)


def test_a_decision_that_is_another_is_found() -> None:
    """Names may differ, nothing else; where one log is longer, that is a difference too."""
    request = ev.RequestMade(5, _request("1"))
    ours = ev.RequestMade(5, _request("ABC"))
    assert difference([request, ev.QuoteDeclined(6, "1")], [ours, ev.QuoteDeclined(6, "ABC")]) is None
    found = difference([request, ev.QuoteDeclined(6, "1")], [ours, ev.QuoteDeclined(7, "ABC")])
    assert found is not None
    assert found.line == 2
    assert difference([request], [ours, ev.QuoteDeclined(6, "ABC")]) is not None
    assert difference([request, ev.QuoteDeclined(6, "1")], [ours]) is not None


def _request(name: str) -> object:
    from dispatch.core.domain import Access, RideRequest

    return RideRequest(name, (Access(1),), (Access(2),), 1, 1, 5)


def _blocks() -> tuple[str, str]:
    """The README's line that starts a zone, and its lines of curl."""
    text = README.read_text()
    part = text[text.index("### A first ride") :]
    serve = re.search(r"```console\n(.*?)```", part, re.DOTALL)
    curl = re.search(r"```sh\n(.*?)```", part, re.DOTALL)
    assert serve is not None
    assert curl is not None
    return serve[1].strip(), curl[1]


@contextmanager
def _serving(command: str, folder: str, port: int) -> Iterator[str]:
    """The zone, ready."""
    service = subprocess.Popen(
        ["bash", "-c", f"exec {command}"], cwd=folder, env={**ENV, "NARU_PORT": str(port)}, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            assert service.poll() is None
            try:
                with urllib.request.urlopen(f"{url}/ready", timeout=5):
                    break
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.1)
        yield url
    finally:
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) in (0, -signal.SIGTERM)


def test_the_readmes_first_ride_works_as_printed() -> None:
    """Sign-in, quote, booking, and what the operator sees: line by line, but for the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve, curl = _blocks()
    assert serve.startswith("naru serve")
    assert "http://localhost:8000" in curl
    with tempfile.TemporaryDirectory(prefix="naru-") as folder, _serving(serve, folder, port):
        script = "set -eu\n" + curl.replace("localhost:8000", f"localhost:{port}")
        done = subprocess.run(
            ["bash", "-c", script], cwd=folder, env=ENV, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, done.stderr
        assert '"state":"booked"' in done.stdout
        assert '"rides":[{' in done.stdout


def test_calls_hear_that_it_is_starting_and_failures_end_it() -> None:
    """While kernels compile it answers; a data folder that another service has ends it with one sentence."""
    serve, _ = _blocks()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory(prefix="naru-") as folder, _serving(serve, folder, port):
        other = naru("serve", "nauru", "--port", "0", cwd=folder, timeout=120)
        assert other.returncode == 2
        assert "another Naru works on this data folder" in other.stderr
        assert "Traceback" not in other.stderr


def test_lockstep_is_for_development_only() -> None:
    """A zone with riders has a clock of its own."""
    done = naru("serve", "nauru", "--lockstep", "--port", "0")
    assert done.returncode == 2
    assert "--development" in done.stderr


def test_a_rider_whose_sign_in_was_answered_to_nobody_asks_for_another_code() -> None:
    """The answer was lost, the code is spent: the second code is good. Who is never let in is told of."""
    asyncio.run(_signs_in(wrong=1))
    with pytest.raises(ConnectionError, match="wrong_code"):
        asyncio.run(_signs_in(wrong=SIGN_IN_TRIES))


async def _signs_in(wrong: int) -> None:
    codes: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/sign-in/code":
            codes.append(str(len(codes)))
            return httpx.Response(202, json={"development_code": codes[-1]})
        if request.url.path == "/v1/sign-in":
            assert json.loads(request.content)["code"] == codes[-1]
            if len(codes) <= wrong:
                return httpx.Response(401, json={"code": "wrong_code"})
            return httpx.Response(200, json={"access_token": "token"})
        assert request.headers["Authorization"] == "Bearer token"
        return httpx.Response(200, json={})

    attempt = Attempt(id="1", made_at=0, origin=End(0, 0.0, 0.0), destination=End(1, 0.0, 0.1), depart_after=0)
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://town") as client:
        await sign_rider_in(Api(client), attempt)
