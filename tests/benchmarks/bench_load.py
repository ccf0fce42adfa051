"""How many bookings a second the service takes: open loop, client on the same machine, real insertion, `always`.

    python -m tests.benchmarks.bench_load [--rate 100] [--seconds 60] [--shuttles 100] [--viewers 0]

A booking is two calls, for quotes and for one of them; each is sent when its moment has come, however late the answers
to others are, and its time counts from that moment. `--viewers` keep so many streams of the operators' live log open.
Processor time is told beside: on a busy machine it says more than the clock. The client speaks HTTP/1.1 itself, on
connections that it keeps: a common client library takes as much of the machine as the service.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import httpx
import uvloop

from simulator.streams import Stream

ZONE = """
name: load
date: 2026-03-03
network: {{map: coquimbo, box: [-29.985, -71.295, -29.865, -71.195], mean_kmh: 27}}
stops: {{count: 350, spacing_m: 230, at_nodes: on}}
vehicles: {{count: {shuttles}, capacity: 16, shifts: [[05:00, 23:59]]}}
requests: {{attempts: 0}}
policy: {{promise_window_s: 600, quotes: 3, walk_m: 0, queue: {{}}, later_s: 1800, horizon_s: 86400}}
"""
RIDERS = 200


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

    def __init__(self, host: str, port: int, token: str) -> None:
        self._where = host, port
        self._head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        self._idle: list[Connection] = []

    async def post(self, path: str, body: Any, more: str = "") -> tuple[int, bytes]:
        """(status, body) of a call."""
        data = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\n{self._head}{more}Content-Length: {len(data)}\r\n\r\n"
        connection = self._idle.pop() if self._idle else None
        while connection is not None and not connection.open:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, *self._where)
        answer = await connection.call(head.encode() + data)
        self._idle.append(connection)
        return answer


async def load(
    host: str, port: int, token: str, rate: float, seconds: float, viewers: int
) -> tuple[dict[str, list[float]], float]:
    """(ms of each call by kind, `errors` holds the statuses of those that failed; CPU seconds of the client)."""
    took: dict[str, list[float]] = {"quote": [], "book": [], "gone": [], "errors": []}
    client = Client(host, port, token)
    async with httpx.AsyncClient(
        base_url=f"http://{host}:{port}", headers={"Authorization": f"Bearer {token}"}
    ) as slow:
        stops = [f["id"] for f in (await slow.get("/v1/stop-points")).json()["features"]]
        riders = []
        for n in range(RIDERS):
            asked = {"phone": f"+56900{n:05}", "reason": "load"}
            riders.append((await slow.post("/v1/operator/riders", json=asked)).json()["rider"])

    async def call(kind: str, due: float, path: str, body: Any, more: str = "") -> Any:
        status, answer = await client.post(path, body, more)
        took[kind].append((time.perf_counter() - due) * 1000)
        if status >= 400:
            # 409, 410: the place was given to somebody else while the rider chose; an answer, not an error
            took["gone" if status in (409, 410) else "errors"].append(status)
            return None
        return json.loads(answer)

    async def book(n: int, due: float) -> None:
        stream = Stream(1, "load", n)
        origin = stream.below(len(stops))
        goal = (origin + 1 + stream.below(len(stops) - 1)) % len(stops)
        ends = {"from": {"stop": stops[origin]}, "to": {"stop": stops[goal]}}
        who = f"?rider={riders[n % RIDERS]}"
        quotes = await call("quote", due, f"/v1/quotes{who}", ends)
        if quotes is not None and quotes["offers"]:
            take, now = {"quote": quotes["offers"][0]["quote"]}, time.perf_counter()
            await call("book", now, f"/v1/bookings{who}", take, f"Idempotency-Key: b{n}\r\n")

    async def view() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        head = f"GET /v1/operator/live HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n"
        writer.write(head.encode())
        while await reader.read(65536):
            pass

    watching = [asyncio.create_task(view()) for _ in range(viewers)]
    await asyncio.sleep(1)
    began, cpu = time.perf_counter(), time.process_time()
    tasks = []
    for n in range(round(rate * seconds)):
        due = began + n / rate
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(book(n, due)))
    await asyncio.gather(*tasks)
    for task in watching:
        task.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return took, time.process_time() - cpu


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
    options.add_argument("--viewers", type=int, default=0)
    options.add_argument("--port", type=int, default=8799)
    given = options.parse_args()
    key = "load" * 16
    settings = {"NARU_TOKEN_KEY": key, "NARU_VAULT_KEY": key, "NARU_CALLS_PER_MINUTE": "1000000",
                "NARU_CALLS_PER_MINUTE_ADDRESS": "1000000", "NARU_LOG_LEVEL": "warning"}  # fmt: skip
    naru = [sys.executable, "-m", "simulator.cli"]
    with tempfile.TemporaryDirectory(prefix="naru-load-") as folder:
        zone = Path(folder) / "load.yaml"
        zone.write_text(ZONE.format(shuttles=given.shuttles))
        env = {**os.environ, **settings, "NARU_DATA_DIR": f"{folder}/data"}
        make = [*naru, "token", "create", "--role", "operator", "--zone", "load"]
        token = subprocess.run(make, env=env, check=True, capture_output=True, text=True).stdout.strip()
        serve = [*naru, "serve", str(zone), "--port", str(given.port), "--start", "08:00"]
        service = subprocess.Popen(serve, env=env)
        try:
            url = f"http://127.0.0.1:{given.port}"
            for _ in range(600):
                try:
                    if httpx.get(f"{url}/ready").status_code == 200:
                        break
                except httpx.TransportError:
                    time.sleep(0.2)
            before, began = cpu_s(service.pid), time.perf_counter()
            took, client_s = uvloop.run(load("127.0.0.1", given.port, token, given.rate, given.seconds, given.viewers))
            service_s, lasted = cpu_s(service.pid) - before, time.perf_counter() - began
        finally:
            service.terminate()
            service.wait(20)
        print(f"{given.rate:g} bookings/s for {given.seconds:g} s, {given.shuttles} shuttles, {given.viewers} viewers")
        print(f"errors {len(took['errors'])} {sorted(set(took['errors']))}, quotes gone {len(took['gone'])}")
        for kind in ("quote", "book"):
            cuts = statistics.quantiles(took[kind], n=100)
            print(f"{kind:<6} {len(took[kind])} calls  p50 {cuts[49]:.1f}  p95 {cuts[94]:.1f}  p99 {cuts[98]:.1f} ms")
        calls = len(took["quote"]) + len(took["book"])
        print(
            f"processor: service {service_s / calls * 1000:.2f} ms a call ({100 * service_s / lasted:.0f} % of a core)"
            f", client {client_s / calls * 1000:.2f} ms; load average {os.getloadavg()[0]:.1f}"
        )
        print(f"fsync p50 {fsync_p50_ms(Path(folder)):.2f} ms")


if __name__ == "__main__":
    main()
