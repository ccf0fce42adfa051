"""How many bookings a second the service takes: open loop, client on the same machine, real insertion, `always`.

    python tests/benchmarks/bench_load.py [--rate 100] [--seconds 60] [--shuttles 100] [--viewers 0]

A booking is two calls, for quotes and for one of them; each is sent when its moment has come, however late the answers
to others are, and its time counts from that moment. `--viewers` keep so many streams of the operators' live log open.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

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


async def load(url: str, token: str, rate: float, seconds: float, viewers: int) -> dict[str, list[float]]:
    """Milliseconds of each call by kind; `errors` holds the statuses of those that failed."""
    took: dict[str, list[float]] = {"quote": [], "book": [], "gone": [], "errors": []}
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=400)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30, headers=headers) as client:
        stops = [f["id"] for f in (await client.get("/v1/stop-points")).json()["features"]]
        riders = []
        for n in range(RIDERS):
            asked = {"phone": f"+56900{n:05}", "reason": "load"}
            riders.append((await client.post("/v1/operator/riders", json=asked)).json()["rider"])

        async def call(kind: str, due: float, path: str, body: Any, **more: str) -> Any:
            answer = await client.post(path, json=body, headers=more)
            took[kind].append((time.perf_counter() - due) * 1000)
            if answer.status_code >= 400:
                # 409, 410: the place was given to somebody else while the rider chose; an answer, not an error
                took["gone" if answer.status_code in (409, 410) else "errors"].append(answer.status_code)
                return None
            return answer.json()

        async def book(n: int, due: float) -> None:
            stream = Stream(1, "load", n)
            origin = stream.below(len(stops))
            goal = (origin + 1 + stream.below(len(stops) - 1)) % len(stops)
            ends = {"from": {"stop": stops[origin]}, "to": {"stop": stops[goal]}}
            who = f"?rider={riders[n % RIDERS]}"
            quotes = await call("quote", due, f"/v1/quotes{who}", ends)
            if quotes is not None and quotes["offers"]:
                take, now = {"quote": quotes["offers"][0]["quote"]}, time.perf_counter()
                await call("book", now, f"/v1/bookings{who}", take, **{"Idempotency-Key": f"b{n}"})

        async def view() -> None:
            async with client.stream("GET", "/v1/operator/live", timeout=None) as answer:
                async for _ in answer.aiter_raw():
                    pass

        watching = [asyncio.create_task(view()) for _ in range(viewers)]
        await asyncio.sleep(1)
        began = time.perf_counter()
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
    return took


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
            took = asyncio.run(load(url, token, given.rate, given.seconds, given.viewers))
        finally:
            service.terminate()
            service.wait(20)
        print(f"{given.rate:g} bookings/s for {given.seconds:g} s, {given.shuttles} shuttles, {given.viewers} viewers")
        print(f"errors {len(took['errors'])} {sorted(set(took['errors']))}, quotes gone {len(took['gone'])}")
        for kind in ("quote", "book"):
            cuts = statistics.quantiles(took[kind], n=100)
            print(f"{kind:<6} {len(took[kind])} calls  p50 {cuts[49]:.1f}  p95 {cuts[94]:.1f}  p99 {cuts[98]:.1f} ms")
        print(f"fsync p50 {fsync_p50_ms(Path(folder)):.2f} ms")


if __name__ == "__main__":
    main()
