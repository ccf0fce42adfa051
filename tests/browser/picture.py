"""`python -m tests.browser.picture`: the console on a simulated morning of the pilot's town, as the README shows it.

The day is lived over HTTP, thirty times as fast as the world's clock, from 07:00 on.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import expect, sync_playwright

from tests.browser.conftest import FLAGS

PICTURE = Path(__file__).parents[2] / "dispatch" / "console" / "console.png"
SPEED = 30
LIVED_S = 110
"""real seconds: until about 08:00"""


def main() -> None:
    """Live the morning and look at it."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "simulator.cli", "demo", "--for", "600", "--speed", str(SPEED), "--port", "0"]
        demo = subprocess.Popen(
            [*command, "--out", folder], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
        )
        try:
            assert demo.stderr is not None
            address = next(word for line in demo.stderr for word in line.split() if "/console#key=" in word)
            time.sleep(LIVED_S)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
                page = browser.new_page(viewport={"width": 1366, "height": 768}, locale="en-GB")
                page.goto(f"{address.split('#')[0]}?lang=en#{address.split('#')[1]}")
                expect(page.locator("#shuttles [data-row]").first).to_be_visible(timeout=20_000)
                page.locator("#shuttles [data-row]").nth(2).click()
                expect(page.locator("#details .timeline")).to_be_visible()
                page.wait_for_timeout(4_000)
                page.screenshot(path=PICTURE)
                browser.close()
        finally:
            demo.terminate()
            demo.wait(30)
    print(PICTURE)


if __name__ == "__main__":
    main()
