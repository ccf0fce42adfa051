"""`naru demo --for S`: the service as anybody would start it, and a simulated day's riders and drivers calling it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routing.errors import InputError

if TYPE_CHECKING:
    from dispatch.core import events as ev
    from simulator.http_day import Day
    from simulator.scenario import Scenario
    from simulator.simulate import Outcome

START = "07:00"
NARU = (sys.executable, "-m", "simulator.cli")
READY_S = 180.0
"""the first start compiles the kernels"""
TELL_EVERY_S = 10.0
STOP_S = 15.0


def live_demo(scenario: Scenario, out: Path, *, lasts_s: float | None, speed: float, port: int) -> Outcome:
    """Serve the scenario's day from 07:00 on at `speed`, for so many real seconds or until it ends or Ctrl-C.

    Raises InputError where the port is taken, RuntimeError where the service does not come up.
    """
    key = secrets.token_hex(32)
    with (
        tempfile.TemporaryDirectory(prefix="naru-demo-") as folder,
        _service(scenario, folder, key, speed, port) as url,
    ):
        log, measured = asyncio.run(_lived(scenario, url, key, lasts_s))
    return _outcome(scenario, out, log, measured)


@contextmanager
def _service(scenario: Scenario, folder: str, key: str, speed: float, port: int) -> Iterator[str]:
    """The service in a process of its own; the value is its address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise InputError(f"port {port} is taken", field="--port", expected="a free one") from None
        port = probe.getsockname()[1]
    settings = {
        "NARU_TOKEN_KEY": key,
        "NARU_DEVELOPMENT": "true",
        "NARU_VAULT_KEY": key,
        "NARU_DATA_DIR": folder,
        "NARU_CALLS_PER_MINUTE": "6000",
        "NARU_CALLS_PER_MINUTE_ADDRESS": "60000",
        "NARU_TOKEN_HOURS": "48",
        "NARU_LOG_LEVEL": "warning",
    }
    command = [*NARU, "serve", str(scenario.file), "--port", str(port)]
    command += ["--start", START, "--speed", str(speed)]
    # in a session of its own: Ctrl-C is for us, who end the day before the service
    service = subprocess.Popen(command, env={**os.environ, **settings}, start_new_session=True)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        service.terminate()
        try:
            service.wait(STOP_S)
        except subprocess.TimeoutExpired:
            service.kill()
            service.wait()


async def _lived(scenario: Scenario, url: str, key: str, lasts_s: float | None) -> tuple[bytes, dict[str, Any]]:
    """Live the day; (its log, what was measured)."""
    from simulator.http_day import Day

    day = Day(
        url,
        _attempts(scenario),
        scenario.places.ids,
        scenario.riders,
        scenario.disturbances.breakdowns,
        scenario.seed,
        scenario.zero_utc,
    )
    try:
        zone = await _until_ready(day)
        day.operator.token = await asyncio.to_thread(_token, zone, key)
        print(f"naru: console {url}/console#key={day.operator.token}", file=sys.stderr)
        print(f"naru: riders {url}/rider, drivers {url}/driver, the API {url}/docs", file=sys.stderr)
        began = time.monotonic()
        living = asyncio.create_task(day.live())
        telling = asyncio.create_task(_tell(day))
        ended = asyncio.Event()
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, ended.set)
        waiting = asyncio.create_task(ended.wait())
        await asyncio.wait({living, waiting}, timeout=lasts_s, return_when=asyncio.FIRST_COMPLETED)
        if living.done():
            living.result()
        for task in (living, telling, waiting):
            task.cancel()
        await asyncio.gather(living, telling, waiting, return_exceptions=True)
        return await day.log(), {"wall_s": time.monotonic() - began, "problems": day.problems}
    finally:
        await day.close()


def _attempts(scenario: Scenario) -> Any:
    from simulator.demand import generate
    from simulator.demand_file import Demand
    from simulator.simulate import roads

    if not isinstance(scenario.requests, Demand):
        return scenario.requests
    hours, sources = scenario.service_hours, scenario.sources
    return generate(scenario.requests, scenario.places, roads(scenario), scenario.seed, hours, sources)


def _token(zone: str, key: str) -> str:
    """An operator's token, made as anybody would make one."""
    made = subprocess.run(
        [*NARU, "token", "create", "--role", "operator", "--zone", zone, "--subject", "demo", "--hours", "48"],
        env={**os.environ, "NARU_TOKEN_KEY": key, "NARU_VAULT_KEY": key},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()


async def _until_ready(day: Day) -> str:
    """Name of the zone, when it is ready. Raises RuntimeError."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionError):
            status, told = await day.operator.call("GET", "/ready")
            if status == 200:
                return str(told["zone"])
        await asyncio.sleep(0.2)
    raise RuntimeError(f"the service is not ready after {READY_S:.0f} s")


async def _tell(day: Day) -> None:
    """Figures as they come, on stderr."""
    while True:
        await asyncio.sleep(TELL_EVERY_S)
        k = await day.figures()
        wait = "–" if k["wait_mean_s"] is None else f"{k['wait_mean_s'] / 60:.1f} min"
        at = day.watch.now().astimezone(day.timezone).strftime("%H:%M")
        print(
            f"naru: {at}  asked {k['attempts']}  booked {k['booked']}  carried {k['delivered']}  wait {wait}  "
            f"promises broken {k['promises_broken']}",
            file=sys.stderr,
        )


def _outcome(scenario: Scenario, out: Path, log: bytes, measured: dict[str, Any]) -> Outcome:
    """Judge the day that was lived, and write its output folder."""
    from dispatch.core import events as ev
    from dispatch.core import invariants, kpi
    from simulator.judge import MAP
    from simulator.outputs import LogWriter, write_outputs
    from simulator.report import write_report
    from simulator.simulate import Outcome, roads

    events: list[ev.AnyEvent] = list(ev.read_log(log.splitlines(keepends=True)))
    with LogWriter(out) as writer:
        for event in events:
            writer.write(event)
    violations = invariants.check(events, roads(scenario))
    by_invariant: dict[str, int] = {}
    for violation in violations:
        by_invariant[violation.invariant] = by_invariant.get(violation.invariant, 0) + 1
    kpis = kpi.complete(kpi.figures(events), violations_by_invariant=by_invariant, wall_s=measured["wall_s"])
    kpis["extra"]["problems"] = measured["problems"]
    scenario.network.save(out / MAP)
    write_outputs(out, kpis, events=events, node_ids=[str(name) for name in scenario.network.node_ids])
    write_report(out, scenario.network)
    return Outcome(list(events), kpis, violations)
