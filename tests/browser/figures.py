"""`python -m tests.browser.figures`: first paint of the console on a city, 200 shuttles, a map of 50,000 edges.

The service tells the state; for the last two its answers are made larger on the way to the browser.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route, expect, sync_playwright

from tests.browser.conftest import FLAGS
from tests.browser.served import Service, serving

PAN = """async () => { const canvas = document.querySelector('#map canvas'); canvas.focus(); let frames = 0;
const until = performance.now() + 4000; let last = performance.now(), longest = 0;
const key = setInterval(() => canvas.dispatchEvent(new KeyboardEvent('keydown',
  {key: 'ArrowRight', keyCode: 39, bubbles: true})), 400);
while (performance.now() < until) { await new Promise(requestAnimationFrame); frames++;
  longest = Math.max(longest, performance.now() - last); last = performance.now() }
clearInterval(key); return [frames / 4, longest] }"""
PAN_S = 4


def main() -> None:
    """Measure and tell."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder), "pilot", "--lockstep", "--start", "07:30") as service,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        page = _open(browser, service)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        seen = page.evaluate("performance.now()")
        print(f"pilot city: first contentful paint {paint:.0f} ms, shuttles and map on the screen by {seen:.0f} ms")
        print("panning, pilot city: {:.0f} frames a second, longest {:.0f} ms".format(*page.evaluate(PAN)))
        page = _open(browser, service, shuttles=200)
        print("panning, 200 shuttles: {:.0f} frames a second, longest {:.0f} ms".format(*page.evaluate(PAN)))
        page = _open(browser, service, edges=50_000)
        spent = -_processor_s()
        frames, longest = page.evaluate(PAN)
        spent = (spent + _processor_s()) / (frames * PAN_S)
        print(f"panning, 50,000 edges: {frames:.0f} frames a second, longest {longest:.0f} ms, ", end="")
        print(f"{spent * 1000:.0f} ms of processor time a frame")
        browser.close()


def _open(browser: Browser, service: Service, *, shuttles: int = 0, edges: int = 0) -> Page:
    page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
    if shuttles:
        page.route("**/v1/operator/state", lambda route: _state(route, shuttles))
        page.route("**/v1/operator/live", lambda route: route.abort())
    if edges:
        page.route("**/v1/roads", lambda route: _roads(route, service, edges))
    page.goto(f"{service.url}/console#key={service.operator}")
    expect(page.locator("#shuttles [data-row]").first).to_be_visible(timeout=60_000)
    expect(page.locator(".map-pane canvas")).to_be_visible(timeout=60_000)
    if shuttles:
        expect(page.locator("#shuttles [data-row]")).to_have_count(shuttles, timeout=60_000)
    if shuttles or edges:
        page.wait_for_timeout(5_000)  # tiles are cut
    return page


def _processor_s() -> float:
    """Processor time of the browser so far: that of all its processes, children of ours."""
    times: dict[int, tuple[int, int, str]] = {}
    for one in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = one.read_text().partition("(")[2].rpartition(")")
            words = rest.split()
            times[int(one.parent.name)] = int(words[1]), int(words[11]) + int(words[12]), name
    ours, before = {os.getpid()}, 0
    while len(ours) > before:
        before = len(ours)
        ours |= {child for child, (parent, _, _) in times.items() if parent in ours}
    ticks = sum(spent for one, (_, spent, name) in times.items() if one in ours and "chrom" in name)
    return ticks / os.sysconf("SC_CLK_TCK")


def _state(route: Route, count: int) -> None:
    state: Any = route.fetch().json()
    chance = random.Random(1)
    one = state["shuttles"][0]
    state["shuttles"] = [
        {**one, "id": f"S{n}", "vehicle": f"S{n}", "state": "on", "aboard": n % 9, "shift_start": state["log_from"],
         "lat": one["lat"] + chance.uniform(-0.05, 0.05), "lon": one["lon"] + chance.uniform(-0.03, 0.03)}
        for n in range(count)
    ]  # fmt: skip
    route.fulfill(json=state)


def _roads(route: Route, service: Service, edges: int) -> None:
    zone = service.call("GET", "/v1/zone", token="")
    chance = random.Random(1)
    lines = []
    for _ in range(edges):
        lon, lat = chance.uniform(zone["west"], zone["east"]), chance.uniform(zone["south"], zone["north"])
        lines.append([[lon, lat], [lon + chance.uniform(-0.001, 0.001), lat + chance.uniform(-0.001, 0.001)]])
    drawn = {"type": "Feature", "properties": {"class": "residential"},
             "geometry": {"type": "MultiLineString", "coordinates": lines}}  # fmt: skip
    route.fulfill(
        body=json.dumps({"type": "FeatureCollection", "features": [drawn]}), content_type="application/geo+json"
    )


if __name__ == "__main__":
    main()
