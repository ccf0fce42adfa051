"""`python -m tests.browser.bare`: `pip install .` of clean sources on a path without node; the pages must be there."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
NODE = ("node", "npm", "npx", "corepack")


def main() -> None:
    """Install and look."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "src").mkdir()
        (folder / "bin").mkdir()
        sources = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], check=True, capture_output=True).stdout
        subprocess.run(["tar", "x", "-C", folder / "src"], input=sources, check=True)
        for place in os.environ["PATH"].split(os.pathsep):
            for program in Path(place).glob("*") if Path(place).is_dir() else ():
                link = folder / "bin" / program.name
                if not program.name.startswith(NODE) and not link.is_symlink():
                    link.symlink_to(program.resolve())
        python = folder / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        path = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{folder / 'bin'}"}
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", folder / "src"], env=path, check=True)
        found = sorted(folder.glob("venv/lib/python*/site-packages/dispatch/console/dist/*.html"))
        print("\n".join(page.name for page in found))
        assert [page.stem for page in found] == ["driver", "operator", "plain", "planner", "rider"], "pages are missing"
        assert not list(folder.glob("venv/lib/python*/site-packages/dispatch/console/src"))


if __name__ == "__main__":
    main()
