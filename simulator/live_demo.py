"""`naru demo`: the service as anybody would start it, and a simulated day's riders and drivers calling it."""

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
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routing.errors import InputError

if TYPE_CHECKING:
    from dispatch.core import events as ev
    from simulator.attempts import Attempt
    from simulator.http_day import Day
    from simulator.lockstep import Difference
    from simulator.scenario import Scenario
    from simulator.simulate import Outcome

START = "07:00"
NARU = (sys.executable, "-m", "simulator.cli")
READY_S = 180.0
"""the first start compiles the kernels"""
TELL_EVERY_S = 10.0
STOP_S = 15.0


def live_demo(
    scenario: Scenario, out: Path, *, lasts_s: float | None, speed: float, port: int, start: str = START
) -> Outcome:
    """Serve the scenario's day from `start` on at `speed`, for so many real seconds or until it ends or Ctrl-C.

    Raises InputError where the port is taken, RuntimeError where the service does not come up.
    """
    options = ("--start", start, "--speed", str(speed))
    with _service(scenario, port, *options) as (url, key):
        log, measured = asyncio.run(_lived(scenario, url, key, lasts_s))
    return _outcome(scenario, out, log, measured)


def lockstep_demo(scenario: Scenario, out: Path, port: int) -> tuple[Outcome, Difference | None]:
    """The scenario's day simulated, then told to the service step by step; (what it made of it, how that differs).

    Raises InputError where the port is taken, RuntimeError where the service does not come up.
    """
    from simulator.lockstep import difference, simulated

    lived = simulated(scenario)
    with _service(scenario, port, "--lockstep") as (url, key):
        log, measured = asyncio.run(_stepped(scenario, url, key, lived))
    outcome = _outcome(scenario, out, log, measured)
    return outcome, difference(lived, outcome.events)


@contextmanager
def _service(scenario: Scenario, port: int, *options: str) -> Iterator[tuple[str, str]]:
    """The service in a process of its own; the value is its address and the key that signs its tokens."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise InputError(f"port {port} is taken", field="--port", expected="a free one") from None
        port = probe.getsockname()[1]
    key = secrets.token_hex(32)
    with tempfile.TemporaryDirectory(prefix="naru-demo-") as folder:
        settings = {
            "NARU_TOKEN_KEY": key,
            "NARU_DEVELOPMENT": "true",
            "NARU_VAULT_KEY": key,
            "NARU_DATA_DIR": folder,
            "NARU_CALLS_PER_MINUTE": "1000000",
            "NARU_CALLS_PER_MINUTE_ADDRESS": "1000000",
            "NARU_TOKEN_HOURS": "48",
            "NARU_LOG_LEVEL": "error",
        }
        if "--lockstep" in options:
            settings["NARU_COMING_DAYS"] = "0"  # a simulated day knows of no other
        command = [*NARU, "serve", str(scenario.file), "--port", str(port), *options]
        # in a session of its own: Ctrl-C is for us, who end the day before the service
        service = subprocess.Popen(command, env={**os.environ, **settings}, start_new_session=True)
        try:
            yield f"http://127.0.0.1:{port}", key
        finally:
            service.terminate()
            try:
                service.wait(STOP_S)
            except subprocess.TimeoutExpired:
                service.kill()
                service.wait()


async def _stepped(scenario: Scenario, url: str, key: str, lived: Sequence[ev.Event]) -> tuple[bytes, dict[str, Any]]:
    """Tell the service a simulated day; (its log, what was measured)."""
    from simulator.lockstep import tell

    day = _day(scenario, url)
    try:
        zone = await _until_ready(day)
        day.operator.token = await asyncio.to_thread(_token, zone, key)
        began = time.monotonic()
        await tell(day, lived)
        return await day.log(), {"wall_s": time.monotonic() - began, "problems": day.problems}
    finally:
        await day.close()


def _day(scenario: Scenario, url: str) -> Day:
    from simulator.http_day import Day

    return Day(
        url,
        attempts(scenario),
        scenario.places.ids,
        scenario.riders,
        scenario.disturbances.breakdowns,
        scenario.seed,
        scenario.zero_utc,
    )


async def _lived(scenario: Scenario, url: str, key: str, lasts_s: float | None) -> tuple[bytes, dict[str, Any]]:
    """Live the day; (its log, what was measured)."""
    day = _day(scenario, url)
    try:
        zone = await _until_ready(day)
        day.operator.token = await asyncio.to_thread(_token, zone, key)
        _welcome(url, day.operator.token, scenario.shifts[0].vehicle)
        began = time.monotonic()
        living = asyncio.create_task(day.live())
        telling = asyncio.create_task(_tell(day))
        ended = asyncio.Event()
        for stop in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError):
                asyncio.get_running_loop().add_signal_handler(stop, ended.set)
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


def attempts(scenario: Scenario) -> Sequence[Attempt]:
    """Who asks for what on the scenario's day. Raises InputError for demand that can't be made up."""
    from simulator.demand import generate
    from simulator.demand_file import Demand
    from simulator.simulate import roads

    if not isinstance(scenario.requests, Demand):
        return scenario.requests
    hours, sources = scenario.service_hours, scenario.sources
    return generate(scenario.requests, scenario.places, roads(scenario), scenario.seed, hours, sources)


def _token(zone: str, key: str) -> str:
    """An operator's token, made as anybody would make one."""
    from simulator.http_day import OPERATOR

    made = subprocess.run(
        [*NARU, "token", "create", "--role", "operator", "--zone", zone, "--subject", OPERATOR, "--hours", "48"],
        env={**os.environ, "NARU_TOKEN_KEY": key, "NARU_VAULT_KEY": key},
        check=True,
        capture_output=True,
        text=True,
    )
    return made.stdout.strip()


def _welcome(url: str, token: str, vehicle: str) -> None:
    """Where to look, and how to be let in."""
    from simulator.http_day import PIN

    print(
        f"naru: the service answers at {url} (its API: {url}/docs); the key in these links is for development\n"
        f"naru:   operators  {url}/console#key={token}\n"
        f"naru:   planners   {url}/planner#key={token}\n"
        f"naru:   riders     {url}/rider (any phone number; the code is shown)\n"
        f"naru:   drivers    {url}/driver (d-{vehicle}, PIN {PIN})",
        file=sys.stderr,
    )


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
