"""Compiled kernels belong to one state of the source."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from routing.kernels import source_key


def test_another_source_has_another_key(tmp_path: Path) -> None:
    """A change in a function that is called, or in a constant, changes the folder: numba itself would not see it."""
    core = tmp_path / "dispatch" / "core"
    core.mkdir(parents=True)
    (core / "fleet.py").write_text("N = 0\n")
    (core / "desk.py").write_text("")
    (core / "timing.py").write_text("from numba import njit\nfrom dispatch.core.fleet import N\n")
    keys = [source_key(tmp_path)]
    (core / "desk.py").write_text("# nothing that is compiled\n")
    keys.append(source_key(tmp_path))
    (core / "fleet.py").write_text("N = 1\n")
    keys.append(source_key(tmp_path))
    (core / "timing.py").write_text("from numba import njit\nfrom dispatch.core.fleet import N, M\n")
    keys.append(source_key(tmp_path))
    assert keys[0] == keys[1]
    assert len(set(keys)) == 3


def told(package: str, **env: str) -> str:
    """The folder that a package's import settles."""
    code = f"import sys, os, {package}; assert 'numba' not in sys.modules; print(os.environ['NUMBA_CACHE_DIR'])"
    plain = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    return subprocess.check_output([sys.executable, "-c", code], env={**plain, **env}, text=True)


def test_kernels_are_kept_in_the_users_cache(tmp_path: Path) -> None:
    """Whichever package comes first, it is settled before numba is imported; a home without room is no error."""
    for package in ("routing", "dispatch.core", "simulator"):
        assert told(package, XDG_CACHE_HOME=str(tmp_path)).startswith(str(tmp_path / "naru"))
    (tmp_path / "file").write_text("")
    folder = told("routing", XDG_CACHE_HOME=str(tmp_path / "file"), TMPDIR=str(tmp_path))
    assert folder.startswith(str(tmp_path / "naru-"))
