"""The import rule of the README's *Layout* and the habits of the house, read off the source; and that a breach is seen.

Names are compared by prefix: `from dispatch.core import desk` is `dispatch.core.desk`, which lies in `dispatch.core`.
Imports inside functions and under `TYPE_CHECKING` count too: a wrong arrow is one wherever it is drawn.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults import mutants as service_mutants
from tests.mutants import __main__ as core_mutants

ROOT = Path(__file__).parents[1]
OURS = ("routing", "dispatch", "simulator", "tests")

# (who, may import of ours): the longest prefix that fits a module decides. Every part may import itself.
ALLOWED = {
    "routing": (),
    "dispatch": (),  # the package's own __init__
    "dispatch.core": ("routing",),
    "dispatch.solver": ("routing", "dispatch.core"),
    "dispatch.service": ("routing", "dispatch.core", "dispatch.solver"),
    "simulator": ("routing", "dispatch.core", "dispatch.solver"),
    "simulator.cli": ("routing", "dispatch", "simulator"),  # the composition root
    # the second one: a zone's file is a scenario, which the service may not know, so somebody has to hand it over
    "simulator.live": ("routing", "dispatch", "simulator"),
}
ONLY_IN = {"ortools": "dispatch.solver", "osmium": "routing.osm", "osmnx": "routing.osmnx_maps"}
# The core computes: what asks the clock, the machine, chance or the outside world has no business there.
CORE_LIBRARIES = {"numpy", "numba", "msgspec"}
CORE_WITHOUT = {
    "asyncio", "glob", "http", "io", "logging", "multiprocessing", "os", "pathlib", "random", "secrets", "shutil",
    "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "uuid",
}  # fmt: skip
CORE_CALLS = re.compile(
    r"open|print|input|hash|(.+\.)?(now|utcnow|today|open|read_text|write_text)|(np|numpy)\.random\..+"
)

VAGUE = re.compile(r"(^|[/_])(utils?|helpers?|misc|common|managers?)([._/]|$)")
LARGEST_FILE_BYTES = 600_000
# In a form that does not match itself.
ELSEWHERE = re.compile(
    r"pypi\.(?=org)|python[h]osted\.(?=org)|registry\.(?=npmjs)|deb\.(?=debian)|/(?=(root|home|work|opt/wheels)/)"
)


def within(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def imports(tree: ast.Module, module: str, *, is_package: bool) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = module.split(".")[: len(module.split(".")) - node.level + is_package] if node.level else []
            yield from (".".join([*above, *filter(None, [node.module]), alias.name]) for alias in node.names)


def breaches(root: Path) -> list[str]:
    """Every import or call below `root` that the rule forbids, as `module: what`."""
    found = []
    for path in sorted(path for part in OURS[:-1] for path in (root / part).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        module = ".".join(parts[:-1] if is_package else parts)
        part = max((part for part in ALLOWED if within(module, part)), key=len)
        tree = ast.parse(path.read_text(encoding="utf-8"))
        in_core = within(module, "dispatch.core")
        for name in imports(tree, module, is_package=is_package):
            top = name.split(".")[0]
            if top in OURS:
                wrong = not any(within(name, allowed) for allowed in (part, *ALLOWED[part]))
            elif top in ONLY_IN:
                wrong = module != ONLY_IN[top]
            else:
                wrong = in_core and (top in CORE_WITHOUT or top not in CORE_LIBRARIES | sys.stdlib_module_names)
            if wrong:
                found.append(f"{module}: imports {name}")
        calls = [ast.unparse(node.func) for node in ast.walk(tree) if in_core and isinstance(node, ast.Call)]
        found += [f"{module}: calls {call}" for call in calls if CORE_CALLS.fullmatch(call)]
    return found


def untidy(root: Path, files: list[str]) -> list[str]:
    """Files whose name says nothing, that are too big for a repository, or that name a machine or a registry."""
    found = []
    for name in files:
        content = (root / name).read_bytes()
        if VAGUE.search(name):
            found.append(f"{name}: a name that says nothing")
        if len(content) > LARGEST_FILE_BYTES and not name.startswith("simulator/maps/"):
            found.append(f"{name}: {len(content):,} bytes")
        if b"\0" not in content and (elsewhere := ELSEWHERE.search(content.decode("utf-8", "replace"))):
            line = content.decode("utf-8", "replace")[: elsewhere.start()].count("\n") + 1
            found.append(f"{name}:{line}: names a machine or a registry")
    return found


def committed_files() -> list[str]:
    """What git has; in a tree without git, all but what make and the tools put there."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        return [name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    names = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.is_file()]
    return [name for name in names if not re.search(r"(^|/)(\.(?!ci/)|build/|dist/|__pycache__/)", name)]


def test_every_import_follows_the_rule() -> None:
    """The arrows of the README's table, and nothing impure in the core."""
    assert breaches(ROOT) == []


def test_every_committed_file_is_tidy() -> None:
    """Names say something, files are small, and none names a machine or a registry."""
    assert untidy(ROOT, committed_files()) == []


def test_every_planted_bug_has_its_line() -> None:
    """What changes a line must change the bug that is planted there, or that bug is never tried again."""
    planted = [(bug.name, ROOT / bug.file, bug.old) for bug in core_mutants.MUTANTS]
    planted += [(bug.name, ROOT / "dispatch/service" / bug.file, bug.old) for bug in service_mutants.MUTANTS]
    assert [name for name, file, old in planted if old not in file.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("path", "line", "seen"),
    [
        ("routing/snap.py", "import dispatch.core.domain", "imports dispatch.core.domain"),
        ("routing/snap.py", "from simulator import run", "imports simulator.run"),
        ("routing/snap.py", "import osmnx", "imports osmnx"),
        ("routing/snap.py", "def read():\n    from osmium import io", "imports osmium.io"),
        ("dispatch/core/desk.py", "from dispatch import solver", "imports dispatch.solver"),
        ("dispatch/core/desk.py", "from ..solver import solve", "imports dispatch.solver.solve"),
        ("dispatch/core/__init__.py", "from ..solver import solve", "imports dispatch.solver.solve"),
        ("dispatch/core/desk.py", "def late():\n    import simulator.run", "imports simulator.run"),
        ("dispatch/core/desk.py", "import pandas as pd", "imports pandas"),
        ("dispatch/core/desk.py", "from time import time", "imports time.time"),
        ("dispatch/core/desk.py", "import random", "imports random"),
        ("dispatch/core/desk.py", "import numpy as np\nnp.random.rand()", "calls np.random.rand"),
        ("dispatch/core/desk.py", "import datetime as dt\ndt.datetime.now()", "calls dt.datetime.now"),
        ("dispatch/core/desk.py", "open('log')", "calls open"),
        ("dispatch/core/desk.py", "hash('rider')", "calls hash"),
        (
            "dispatch/core/reoptimise.py",
            "from ortools.sat.python import cp_model",
            "imports ortools.sat.python.cp_model",
        ),
        ("dispatch/solver.py", "import simulator.run", "imports simulator.run"),
        ("dispatch/service/app.py", "from simulator.run import run", "imports simulator.run.run"),
        ("simulator/run.py", "from dispatch.service import app", "imports dispatch.service.app"),
        ("simulator/run.py", "import tests.worlds", "imports tests.worlds"),
    ],
)
def test_a_breach_is_seen(tmp_path: Path, path: str, line: str, seen: str) -> None:
    """One planted line in a tree of one file."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(line, encoding="utf-8")
    assert [breach.split(": ")[1] for breach in breaches(tmp_path)] == [seen]


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("routing/osm.py", "import osmium, routing.network"),
        ("routing/osmnx_maps.py", "import osmnx, routing.osm"),
        (
            "dispatch/core/desk.py",
            "import math, numpy, numba, msgspec\nfrom routing import travel_times\nfrom . import domain",
        ),
        ("dispatch/core/__init__.py", "from .domain import Plan"),
        ("dispatch/solver.py", "from ortools.sat.python import cp_model\nfrom dispatch.core import domain"),
        ("simulator/run.py", "from dispatch.core import desk\nfrom dispatch import solver\nimport time, random"),
        ("simulator/cli.py", "from dispatch.service import app"),
        ("simulator/live.py", "from dispatch.service import commands"),
    ],
)
def test_what_the_rule_allows_passes(tmp_path: Path, path: str, line: str) -> None:
    """The checker does not cry wolf."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(line, encoding="utf-8")
    assert breaches(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "content", "seen"),
    [
        ("routing/utils.py", b"", "a name that says nothing"),
        ("tests/helpers/fleet.py", b"", "a name that says nothing"),
        ("simulator/day.csv", b"0" * (LARGEST_FILE_BYTES + 1), "600,001 bytes"),
        ("requirements.lock", b"six\n# from https://pypi." + b"org/simple", "names a machine or a registry"),
        ("Makefile", b"PYTHON = /ro" + b"ot/python", "names a machine or a registry"),
    ],
)
def test_an_untidy_file_is_seen(tmp_path: Path, name: str, content: bytes, seen: str) -> None:
    """One planted file of each sort; a map may be big."""
    for place in (name, "simulator/maps/town.npz"):
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / place).write_bytes(content if place == name else b"\0" * (LARGEST_FILE_BYTES + 1))
    assert [line.rsplit(": ", 1)[1] for line in untidy(tmp_path, [name, "simulator/maps/town.npz"])] == [seen]
