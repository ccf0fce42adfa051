"""Figures for Prometheus, in its text format. Routes by their template; nothing about persons."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from dispatch.service.live import Live

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Calls:
    """How many calls, how long they took."""

    def __init__(self) -> None:
        self.count: Counter[tuple[str, str, int]] = Counter()
        self.seconds: Counter[str] = Counter()
        self.within: dict[str, list[int]] = {}

    def note(self, method: str, route: str, status: int, seconds: float) -> None:
        """One call that has been answered."""
        self.count[method, route, status] += 1
        self.seconds[route] += seconds  # type: ignore[assignment]
        within = self.within.setdefault(route, [0] * (len(BUCKETS_S) + 1))
        for i, bound in enumerate((*BUCKETS_S, float("inf"))):
            within[i] += seconds <= bound


def text(live: Live, calls: Calls) -> str:
    """All figures."""
    return "\n".join([*_calls(calls), *_zone(live), ""])


def _calls(calls: Calls) -> Iterator[str]:
    yield from _head("naru_http_requests_total", "counter", "calls answered")
    for (method, route, status), n in sorted(calls.count.items()):
        yield f'naru_http_requests_total{{method="{method}",route="{route}",status="{status}"}} {n}'
    yield from _head("naru_http_request_seconds", "histogram", "from the call to the answer's first byte")
    for route, within in sorted(calls.within.items()):
        for bound, n in zip((*map(str, BUCKETS_S), "+Inf"), within, strict=True):
            yield f'naru_http_request_seconds_bucket{{route="{route}",le="{bound}"}} {n}'
        yield f'naru_http_request_seconds_sum{{route="{route}"}} {calls.seconds[route]:.6f}'
        yield f'naru_http_request_seconds_count{{route="{route}"}} {within[-1]}'


def _zone(live: Live) -> Iterator[str]:
    dispatcher, world = live.dispatcher, live.world
    yield from _one("naru_ready", "gauge", "1: decides for its zone", int(dispatcher.ready))
    for name, value in msgspec.structs.asdict(dispatcher.counters).items():
        yield from _one(f"naru_dispatcher_{name}_total", "counter", name.replace("_", " "), value)
    for name, value in msgspec.structs.asdict(dispatcher.outbox.counts).items():
        yield from _one(f"naru_messages_{name}", "gauge", f"messages {name.replace('_', ' ')}", value)
    yield from _quantiles("naru_decision_ms", "from a call for quotes or a booking to its answer", live.decisions_ms)
    yield from _quantiles("naru_commit_ms", "from a batch to the store's acknowledgement", dispatcher.commit_ms)
    states = Counter(ride.state for ride in world.rides.values())
    yield from _head("naru_rides", "gauge", "rides of the open day by state")
    for state, n in sorted(states.items()):
        yield f'naru_rides{{state="{state}"}} {n}'
    open_ = [ride for ride in world.rides.values() if ride.promise is not None]
    broken = sum(ride.late_dropoff is not None for ride in open_)
    yield from _one("naru_promises", "gauge", "promises given today", len(open_))
    yield from _one("naru_promises_at_risk", "gauge", "of them, endangered by a fact at some time", broken)
    yield from _one("naru_queue", "gauge", "requests waiting for a place", len(world.queue))
    on = sum(shuttle.state == "on" for shuttle in world.shuttles.values())
    yield from _one("naru_shuttles_on", "gauge", "shuttles that take part", on)
    yield from _one("naru_log_lines", "gauge", "of the open day", live.ledger.seq)
    yield from _one("naru_streams", "gauge", "open streams", live.ledger.viewers)


def _one(name: str, kind: str, help_: str, value: float) -> Iterator[str]:
    yield from _head(name, kind, help_)
    yield f"{name} {value}"


def _quantiles(name: str, help_: str, values: Iterable[float]) -> Iterator[str]:
    found = list(values)
    yield from _head(name, "summary", help_)
    if len(found) > 1:
        cuts = statistics.quantiles(found, n=100, method="inclusive")
        for share in (50, 95, 99):
            yield f'{name}{{quantile="0.{share}"}} {cuts[share - 1]:.3f}'
    yield f"{name}_sum {sum(found):.3f}"
    yield f"{name}_count {len(found)}"


def _head(name: str, kind: str, help_: str) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} {kind}"
