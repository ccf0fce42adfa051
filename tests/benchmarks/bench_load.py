"""How many bookings a second the service takes: open loop, client on the same machine, real insertion, `always`.

    python -m tests.benchmarks.bench_load [--rate 100] [--seconds 60] [--shuttles 100] [--days 1] [--viewers 0]

A booking is two calls by a signed-in rider, for quotes and for the first of them; each is sent when its moment has
come, however late the answers to others are, and its time counts from that moment. A hundred shuttles cannot carry the
6,000 rides of a minute at once, so one in twenty is to leave now and the others at any time until 23:00, or of so many
`--days`: nearly all can be had, and each is a promise on a plan that grows to a hundred visits. A driver whose shuttle
is booked for now tells two seconds later that it has left.

`--viewers` keep so many streams of the operators' live log open. Processor time is told beside: on a busy machine it
says more than the clock. The client speaks HTTP/1.1 itself, on connections that it keeps: a common client library takes
as much of the machine as the service.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import httpx
import uvloop

from dispatch.service.auth import create_token
from dispatch.service.settings import Keys
from simulator.streams import Stream

ZONE = """
name: load
date: 2026-03-03
network: {{map: coquimbo, box: [-29.985, -71.295, -29.865, -71.195], mean_kmh: 27}}
stops: {{count: 350, spacing_m: 230, at_nodes: on}}
vehicles: {{count: {shuttles}, capacity: 16, shifts: [[05:00, 23:59]]}}
requests: {{attempts: 0}}
policy: {{promise_window_s: 600, quotes: 3, walk_m: 0, queue: {{}}, later_s: 1800, horizon_s: 604800}}
"""
KEY = "load" * 16
RIDERS = 500
NOW_ONE_IN = 20
LEAVES_AFTER_S = 2
BEGINS_S, ENDS_S = 8 * 3600, 23 * 3600
"""of the first day: when the load begins; of each day: until when riders ask to leave"""
TOLD = ("naru_decision_ms{", "naru_commit_ms{", "naru_dispatcher_proposals", "naru_promises")


def fsync_p50_ms(folder: Path) -> float:
    """What one fsync costs on this disk."""
    took = []
    with (folder / "probe").open("wb") as file:
        for _ in range(200):
            file.write(b"x" * 500)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


class Connection(asyncio.Protocol):
    """One kept connection: a call at a time."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """More of the answer."""
        self._got += data
        head = self._got.find(b"\r\n\r\n")
        if head < 0 or self._answer is None:
            return
        headers = bytes(self._got[:head]).lower()
        at = headers.find(b"content-length:")
        length = int(headers[at + 15 :].split(b"\r\n", 1)[0])
        if len(self._got) >= head + 4 + length:
            body = bytes(self._got[head + 4 : head + 4 + length])
            self._got.clear()
            answer, self._answer = self._answer, None
            answer.set_result((int(headers[9:12]), body))

    def connection_lost(self, error: Exception | None) -> None:
        """Whoever waits hears of it; one that lay idle for long is not used again."""
        self._transport = None
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionError("closed"))

    @property
    def open(self) -> bool:
        """The service has not closed it."""
        return self._transport is not None

    async def call(self, request: bytes) -> tuple[int, bytes]:
        """(status, body)."""
        assert self._transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer


class Client:
    """Connections that are kept, as many as are needed at once."""

    def __init__(self, host: str, port: int) -> None:
        self._where = host, port
        self._head = f"Host: {host}\r\nContent-Type: application/json\r\n"
        self._idle: list[Connection] = []

    async def post(self, path: str, token: str, body: Any, more: str = "") -> tuple[int, bytes]:
        """(status, body) of a call."""
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\n{self._head}Authorization: Bearer {token}\r\n{more}"
        connection = self._idle.pop() if self._idle else None
        while connection is not None and not connection.open:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, *self._where)
        answer = await connection.call(f"{head}Content-Length: {len(data)}\r\n\r\n".encode() + data)
        self._idle.append(connection)
        return answer


@dataclass
class Load:
    """What is asked of the service."""

    rate: float
    seconds: float
    days: int
    viewers: int
    took: dict[str, list[float]] = field(default_factory=lambda: {"quote": [], "book": [], "leave": []})
    """ms of each call"""
    problems: Counter[int] = field(default_factory=Counter)
    """statuses of calls that failed"""
    answers: Counter[str] = field(default_factory=Counter)
    """what riders heard: booked, later only, gone …"""


def departure(stream: Stream, zero: dt.datetime, days: int) -> str | None:
    """When a rider asks to leave; None: at once."""
    if not stream.below(NOW_ONE_IN):
        return None
    day = stream.below(days)
    first = BEGINS_S + 600 if day == 0 else 5 * 3600
    return (zero + dt.timedelta(days=day, seconds=first + stream.below(ENDS_S - first))).isoformat()


async def run(load: Load, host: str, port: int, operator: str, service: int) -> tuple[float, float, float]:
    """Ask; (CPU seconds of the client, of the process that serves, how long it lasted)."""
    client = Client(host, port)
    async with httpx.AsyncClient(
        base_url=f"http://{host}:{port}", headers={"Authorization": f"Bearer {operator}"}, timeout=30
    ) as slow:
        stops = [f["id"] for f in (await slow.get("/v1/stop-points")).json()["features"]]
        clock = dt.datetime.fromisoformat((await slow.get("/v1/zone")).json()["now"])
        read_at, zero = time.perf_counter(), clock.replace(hour=0, minute=0, second=0, microsecond=0)
        keys, riders = Keys(KEY.encode(), KEY.encode()), []
        for n in range(RIDERS):
            asked = {"phone": f"+56900{n:05}", "reason": "load"}
            rider = (await slow.post("/v1/operator/riders", json=asked)).json()["rider"]
            riders.append(create_token(keys, "rider", rider, "load", hours=1))
        driver = create_token(keys, "driver", "d", "load", hours=1)
        (await slow.put("/v1/operator/drivers/d", json={"pin": "2468", "reason": "load"})).raise_for_status()
        shifts = {shift["vehicle"]: shift["id"] for shift in (await slow.get("/v1/operator/shifts")).json()}
        for shift in shifts.values():
            path, headers = f"/v1/driver/shifts/{shift}/start", {"Authorization": f"Bearer {driver}"}
            (await slow.post(path, headers=headers)).raise_for_status()

    async def call(kind: str, due: float, path: str, token: str, body: Any, more: str = "") -> Any:
        status, answer = await client.post(path, token, body, more)
        load.took[kind].append((time.perf_counter() - due) * 1000)
        if status < 400:
            return json.loads(answer)
        if status in (409, 410):  # the place was given to somebody else while the rider chose: an answer
            load.answers["gone"] += 1
        else:
            load.problems[status] += 1
        return None

    async def book(n: int, due: float) -> None:
        stream = Stream(1, "load", n)
        origin = stream.below(len(stops))
        goal = (origin + 1 + stream.below(len(stops) - 1)) % len(stops)
        journey: dict[str, Any] = {"from": {"stop": stops[origin]}, "to": {"stop": stops[goal]}}
        leaves = departure(stream, zero, load.days)
        if leaves is not None:
            journey["depart_after"] = leaves
        token = riders[n % RIDERS]
        quotes = await call("quote", due, "/v1/quotes", token, journey)
        if quotes is None:
            return
        load.answers[quotes["state"]] += 1
        if quotes["offers"]:
            take, now = {"quote": quotes["offers"][0]["quote"]}, time.perf_counter()
            ride = await call("book", now, "/v1/bookings", token, take, f"Idempotency-Key: b{n}\r\n")
            if ride is not None:
                load.answers["booked"] += 1
                if leaves is None:
                    await leave(n, shifts[ride["vehicle"]])

    async def leave(n: int, shift: str) -> None:
        await asyncio.sleep(LEAVES_AFTER_S)
        at = (clock + dt.timedelta(seconds=time.perf_counter() - read_at)).isoformat()
        told = {"events": [{"id": f"e{n}", "at": at, "kind": "departed"}]}
        await call("leave", time.perf_counter(), f"/v1/driver/shifts/{shift}/events", driver, told)

    async def view() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        head = f"GET /v1/operator/live HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {operator}\r\n\r\n"
        writer.write(head.encode())
        while await reader.read(262_144):
            pass
        load.answers["streams ended"] += 1

    watching = [asyncio.create_task(view()) for _ in range(load.viewers)]
    await asyncio.sleep(1)
    began, cpu, service_cpu = time.perf_counter(), time.process_time(), cpu_s(service)
    tasks = []
    for n in range(round(load.rate * load.seconds)):
        due = began + n / load.rate
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(book(n, due)))
    await asyncio.gather(*tasks)
    spent = time.process_time() - cpu, cpu_s(service) - service_cpu, time.perf_counter() - began
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return spent


def cpu_s(pid: int) -> float:
    """Processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Start the service, load it, tell."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rate", type=float, default=100)
    options.add_argument("--seconds", type=float, default=60)
    options.add_argument("--shuttles", type=int, default=100)
    options.add_argument("--days", type=int, default=1)
    options.add_argument("--viewers", type=int, default=0)
    options.add_argument("--port", type=int, default=8799)
    given = options.parse_args()
    settings = {"NARU_TOKEN_KEY": KEY, "NARU_VAULT_KEY": KEY, "NARU_CALLS_PER_MINUTE": "1000000",
                "NARU_CALLS_PER_MINUTE_ADDRESS": "1000000", "NARU_LOG_LEVEL": "error"}  # fmt: skip
    load = Load(given.rate, given.seconds, given.days, given.viewers)
    with tempfile.TemporaryDirectory(prefix="naru-load-") as folder:
        zone = Path(folder) / "load.yaml"
        zone.write_text(ZONE.format(shuttles=given.shuttles))
        env = {**os.environ, **settings, "NARU_DATA_DIR": f"{folder}/data"}
        serve = [sys.executable, "-m", "simulator.cli", "serve", str(zone), "--port", str(given.port),
                 "--start", "08:00"]  # fmt: skip
        service = subprocess.Popen(serve, env=env)
        try:
            url = f"http://127.0.0.1:{given.port}"
            until_ready(url)
            operator = create_token(Keys(KEY.encode(), KEY.encode()), "operator", "load", "load", hours=1)
            client_s, service_s, lasted = uvloop.run(run(load, "127.0.0.1", given.port, operator, service.pid))
            figures = httpx.get(f"{url}/metrics", headers={"Authorization": f"Bearer {operator}"}, timeout=30).text
        finally:
            service.terminate()
            service.wait(20)
        tell(load, given.shuttles, figures)
        calls = sum(map(len, load.took.values()))
        print(
            f"processor: service {service_s / calls * 1000:.2f} ms a call ({100 * service_s / lasted:.0f} % of a core)"
            f", client {client_s / calls * 1000:.2f} ms; load average {os.getloadavg()[0]:.1f}"
        )
        print(f"fsync p50 {fsync_p50_ms(Path(folder)):.2f} ms")


def until_ready(url: str) -> None:
    """Raises TimeoutError where the service does not come up: the first start compiles."""
    for _ in range(600):
        try:
            if httpx.get(f"{url}/ready").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)
    raise TimeoutError("the service is not ready after two minutes")


def tell(load: Load, shuttles: int, figures: str) -> None:
    """What riders met."""
    print(
        f"{load.rate:g} bookings/s for {load.seconds:g} s over {load.days} day(s), {shuttles} shuttles, "
        f"{load.viewers} viewers: errors {sum(load.problems.values())} {dict(load.problems)}, {dict(load.answers)}"
    )
    for kind, took in load.took.items():
        cuts = statistics.quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
        print(
            f"{kind:<6} {len(took)} calls  p50 {cuts[49]:.1f}  p95 {cuts[94]:.1f}  p99 {cuts[98]:.1f}  "
            f"max {max(took, default=0):.0f} ms"
        )
    print("service:", "; ".join(line for line in figures.splitlines() if line.startswith(TOLD)))


if __name__ == "__main__":
    main()
