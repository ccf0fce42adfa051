"""Draws the home-screen icons from `public/icon.svg`: run when it changes. Needs Playwright and a Chromium."""

from __future__ import annotations

import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

PUBLIC = Path(__file__).resolve().parent / "public"
ICONS = {"icon-192.png": (192, 1.0), "icon-512.png": (512, 1.0), "icon-maskable-512.png": (512, 0.7)}
"""name: (pixels, share of the width that the drawing takes: a maskable icon may be cut round)"""
GROUND = "#0b4f6c"


def main() -> None:
    """Write all of them."""
    drawing = (PUBLIC / "icon.svg").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for name, (pixels, share) in ICONS.items():
            page = browser.new_page(viewport={"width": pixels, "height": pixels})
            ground = GROUND if share < 1 else "transparent"
            style = f"margin:0;height:100vh;display:grid;place-items:center;background:{ground}"
            page.set_content(f'<body style="{style}">{drawing}</body>')
            size = f"{round(pixels * share)}px"
            page.eval_on_selector("svg", "(svg, size) => { svg.style.width = svg.style.height = size }", size)
            page.screenshot(path=str(PUBLIC / name), omit_background=True)
        browser.close()


if __name__ == "__main__":
    main()
