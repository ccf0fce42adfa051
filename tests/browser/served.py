"""A zone served by `naru serve` in a process of its own, called as anybody would call it."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

READY_S = 300.0
"""the first start compiles the kernels"""
STOP_S = 15.0
PIN = "2468"
JOURNEYS = (
    ("S004", "S020"), ("S010", "S030"), ("S025", "S002"), ("S033", "S012"), ("S015", "S001"), ("S008", "S028"),
    ("S002", "S030"), ("S003", "S030"), ("S006", "S020"), ("S012", "S033"),
)  # fmt: skip


class Service:
    """The process, which can be stopped and started again on the same data; and the API as staff call it."""

    def __init__(self, folder: Path, zone: str, *options: str, key: str = "", **settings: str) -> None:
        self.zone = zone
        self.folder = folder
        self.key = key or secrets.token_hex(32)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = options
        self._settings = settings
        self._process: subprocess.Popen[bytes] | None = None
        self._client = httpx.Client(base_url=self.url, timeout=20)
        self.operator = ""

    def start(self) -> None:
        """Start it, and return when it decides."""
        settings = {
            "NARU_TOKEN_KEY": self.key,
            "NARU_VAULT_KEY": self.key,
            "NARU_DATA_DIR": str(self.folder / "data"),
            "NARU_RESULTS_DIR": str(self.folder / "results"),
            "NARU_CALLS_PER_MINUTE": "100000",
            "NARU_CALLS_PER_MINUTE_ADDRESS": "100000",
            "NARU_CODES_PER_HOUR": "1000",
            "NARU_LOG_LEVEL": "error",
            **self._settings,
        }
        command = [sys.executable, "-m", "simulator.cli", "serve", self.zone, "--development", "--port", str(self.port)]
        with (self.folder / "service.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self.options],
                env={**os.environ, **settings},
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=self.folder,
            )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "service.log").read_text()
            with contextlib.suppress(httpx.TransportError):
                if self._client.get("/ready").status_code == 200:
                    break
            time.sleep(0.3)
        else:
            raise TimeoutError((self.folder / "service.log").read_text())
        self.operator = self.token("operator", "mina")

    def stop(self) -> None:
        """As an operator's host would: asked to end, killed if it does not."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """For good."""
        self.stop()
        self._client.close()

    def token(self, role: str, subject: str) -> str:
        """Staff's token, as development mode gives it."""
        token: str = self.call("POST", "/v1/sign-in/development", {"role": role, "subject": subject}, token="")[
            "access_token"
        ]
        return token

    def answer(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """One call, as the operator unless another token is given."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with_token = self.operator if token is None else token
        if with_token:
            sent["Authorization"] = f"Bearer {with_token}"
        return self._client.request(method, path, json=body, headers=sent)

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Any:
        """The answer of a call that must succeed."""
        answer = self.answer(method, path, body, token=token, **headers)
        assert answer.status_code < 400, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    def state(self) -> Any:
        """The zone's state."""
        return self.call("GET", "/v1/operator/state")

    def booked_by_phone(self, phone: str, name: str, journeys: Sequence[tuple[str, str]] = ()) -> str:
        """A ride booked by the desk, on the first of these journeys that can be had just now; its id."""
        asked = {"reason": "call", "phone": phone, "name": name}
        rider = self.call("POST", "/v1/operator/riders", asked)["rider"]
        for origin, goal in (*journeys, *JOURNEYS):
            journey = {"from": {"stop": origin}, "to": {"stop": goal}}
            for offer in self.call("POST", f"/v1/quotes?rider={rider}", journey)["offers"]:
                take, key = {"quote": offer["quote"]}, secrets.token_hex(8)
                answer = self.answer("POST", f"/v1/bookings?rider={rider}", take, Idempotency_Key=key)
                if answer.status_code == 201:
                    ride: str = answer.json()["id"]
                    return ride
        raise AssertionError("no ride can be had")

    def pass_time(self, since: str, seconds: float) -> None:
        """Let the clock of a service started with --lockstep stand so long after a moment."""
        to = dt.datetime.fromisoformat(since) + dt.timedelta(seconds=seconds)
        self.call("POST", "/v1/clock", {"to": to.isoformat(), "tick": True})

    def driver(self, shift: str) -> str:
        """A driver's token for a shift of a morning that was lived."""
        asked = {"driver": f"d-{shift}", "pin": PIN}
        token: str = self.call("POST", "/v1/driver/sign-in", asked, token="")["access_token"]
        return token


@contextmanager
def serving(folder: Path, zone: str, *options: str, key: str = "", **settings: str) -> Iterator[Service]:
    """A service that runs until the block ends."""
    service = Service(folder, zone, *options, key=key, **settings)
    try:
        service.start()
        yield service
    finally:
        service.close()


@contextmanager
def serving_again(stopped: Service, folder: Path) -> Iterator[Service]:
    """A service that goes on from where another one was stopped, on a copy of its data."""
    shutil.copytree(stopped.folder / "data", folder / "data", ignore=shutil.ignore_patterns("*.sock"))
    with serving(folder, stopped.zone, *stopped.options, key=stopped.key) as service:
        yield service


def live_a_while(service: Service, visits: int) -> None:
    """A morning of a service started with --lockstep: riders book, drivers begin, and so many visits are driven."""
    for shuttle in service.state()["shuttles"]:
        path = f"/v1/operator/drivers/d-{shuttle['id']}"
        service.call("PUT", path, {"pin": PIN, "vehicle": shuttle["vehicle"], "reason": "set up"})
        if dt.datetime.fromisoformat(shuttle["shift_start"]) <= dt.datetime.fromisoformat(service.state()["at"]):
            token = service.driver(shuttle["id"])
            service.call("POST", f"/v1/driver/shifts/{shuttle['id']}/start", token=token)
    for number, journey in enumerate(JOURNEYS[:6]):
        service.booked_by_phone(f"+674 555 10{number:02}", f"Rider {number}", [journey])
        service.pass_time(service.state()["at"], 20)
    for number in range(visits):
        plans = [(shuttle["plan"][0], shuttle["id"]) for shuttle in service.state()["shuttles"] if shuttle["plan"]]
        visit, shuttle = min(plans, key=lambda one: dt.datetime.fromisoformat(one[0]["begin_at"]))
        service.pass_time(visit["begin_at"], 1)
        event = {"id": f"morning-{number}", "at": service.state()["at"], "ride": visit["ride"]}
        event["kind"] = "boarded" if visit["kind"] == "pickup" else "alighted"
        path = f"/v1/driver/shifts/{shuttle}/events"
        told = service.call("POST", path, {"events": [event]}, token=service.driver(shuttle))
        assert told["outcomes"][0]["outcome"] == "counted", told
