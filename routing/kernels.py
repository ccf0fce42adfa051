"""Where compiled kernels are kept: in the user's cache, in a folder of their own for each state of the source.

numba looks only at the file of the function it has kept, not at those of the functions that are compiled into it: after
an update it would go on with old code in new arrays. So the folder's name is a hash of the source.
"""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

PACKAGES = ("routing", "dispatch/core", "simulator")
"""where functions are compiled"""
_NAMES = re.compile(rb"^from ((?:routing|dispatch|simulator)[\w.]*) import", re.MULTILINE)


def source_key(root: Path) -> str:
    """Hash of the files below `root` with compiled functions in them, and of those that they take names from."""
    files = [file for package in PACKAGES for file in (root / package).glob("*.py") if b"njit" in file.read_bytes()]
    named = {root / f"{m.decode().replace('.', '/')}.py" for file in files for m in _NAMES.findall(file.read_bytes())}
    digest = hashlib.sha256()
    for file in sorted({*files, *filter(Path.is_file, named)}):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def keep_kernels() -> None:
    """Tell numba where to keep what it compiles, unless NUMBA_CACHE_DIR says so already. Before numba is imported."""
    if os.environ.get("NUMBA_CACHE_DIR"):
        return
    key = source_key(Path(__file__).parent.parent)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    for cache in (home / "naru", Path(tempfile.gettempdir()) / f"naru-{os.getuid()}"):
        try:
            (cache / key).mkdir(parents=True, exist_ok=True)
        except OSError:  # a home that can't be written: the next place will do
            continue
        os.environ["NUMBA_CACHE_DIR"] = str(cache / key)
        return
