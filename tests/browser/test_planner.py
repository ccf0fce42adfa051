"""The planner's shelf: what lies in the results folder, its reports, days side by side."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import expect

from tests.browser.conftest import Open, axe, shot
from tests.browser.served import Service

HOSTILE = "<img src=x onerror=window.ran=1>"


def result(folder: Path, name: str, page: str, **kpis: float) -> None:
    """An output folder, as `naru simulate --out` leaves one."""
    made = folder / "results" / name
    made.mkdir(parents=True)
    (made / "kpis.json").write_text(json.dumps(kpis))
    (made / page).write_text(
        "<!doctype html><title>r</title><h1>Report</h1><p id=said></p><script>"
        f"document.getElementById('said').textContent = 'drawn for {name.split('<', maxsplit=1)[0]}';"
        "try { document.title = parent.document.title + localStorage.length } catch { document.title = 'alone' };"
        "fetch('/v1/zone').then(() => document.title += ' reached', () => 0)</script>"
    )


def test_days_side_by_side(island: Service, watched: Open) -> None:
    """The shelf, two days' figures, their reports, which run their own scripts and reach nothing."""
    result(island.folder, "monday", "report.html", attempts=735, delivered=500, service_rate=0.68, wait_mean_s=900.0)
    result(island.folder, "tuesday", "report.html", attempts=735, delivered=540, service_rate=0.7347, wait_mean_s=960.0)
    result(island.folder, HOSTILE.replace("/", ""), "trial.html")
    opened = watched(island)
    page = opened.page()
    page.goto(f"/planner#key={island.token('planner', 'noa')}")
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(page.get_by_role("row", name=re.compile("monday"))).to_contain_text("68.0%")
    expect(page.get_by_role("row", name=re.compile("onerror"))).to_contain_text("trial")
    assert page.evaluate("window.ran") is None
    for name in ("monday", "tuesday"):
        page.get_by_role("checkbox", name=re.compile(name)).check()
    side = page.get_by_role("region", name=re.compile("Side by side"))
    expect(side.get_by_role("row", name=re.compile("Service rate"))).to_contain_text("73.5%")
    expect(side.locator("td.best").first).to_contain_text("540")
    assert axe(page) == []
    shot(page, "planner-side-by-side")
    page.get_by_role("button", name="Reports").click()
    expect(page.locator("iframe")).to_have_count(2)
    inside = page.frame_locator("iframe[title='Report of monday']")
    expect(inside.locator("#said")).to_have_text("drawn for monday")
    page.wait_for_timeout(300)
    frame = next(one for one in page.frames if "/v1/reports/monday" in one.url)
    assert frame.evaluate("document.title") == "alone"
    shot(page, "planner-reports")
    # what the reports tried to reach was refused, and noticed
    refused = [line for line in opened.wrong if "/v1/zone" in line]
    assert refused
    opened.wrong[:] = [line for line in opened.wrong if line not in refused]
