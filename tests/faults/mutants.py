"""Bugs planted in the service one by one, each of which a test must catch: `python -m tests.faults.mutants [words…]`.

Each is one line changed in a copy of `dispatch/service`; everything else is the tree itself. Words choose those whose
name has one of them. Exit 1 if one is not caught, or if the line it changes is no longer there.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.faults.kills import kill_store

ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    "test_store.py", "test_dispatcher.py", "test_leading.py", "test_clocks.py", "test_outbox.py", "test_next_day.py",
    "test_lockstep.py", "test_worker.py",
)  # fmt: skip
SECONDS = 300.0


class Mutant(NamedTuple):
    """One planted bug."""

    name: str
    file: str
    old: str
    new: str


MUTANTS = [
    Mutant("nothing is wrong", "__init__.py", "", ""),
    # the store
    Mutant("the fence is not checked", "commit.lua", "if fence ~= ARGV[1] then", "if false then"),
    Mutant("keys are not looked at in the store", "commit.lua", "if redis.call('HEXISTS', KEYS[4], ARGV[k]) == 1 then",
           "if false then"),
    Mutant("a batch sent again is another one", "commit.lua", "if token == ARGV[4] then", "if false then"),
    Mutant("a decision on another world is committed", "commit.lua", "if not next_day and (", "if false and ("),
    Mutant("keys are not kept", "commit.lua", "redis.call('HSET', KEYS[4], ARGV[k], ARGV[k + 1])", "local _ = 0"),
    Mutant("the outbox is forgotten", "commit.lua", "redis.call('XADD', KEYS[5], '*', 'm', ARGV[k])", "local _ = 0"),
    Mutant("a lease of others is no hindrance", "lead.lua", "left > 0 and left <= lease then", "false then"),
    Mutant("a lease from before the clock was set back holds", "lead.lua", " and left <= lease then", " then"),
    Mutant("who takes over has the same fence", "lead.lua", "redis.call('INCR', KEYS[2])",
           "tonumber(redis.call('GET', KEYS[2]) or redis.call('INCR', KEYS[2]))"),
    Mutant("a lease lost is renewed", "lead.lua", "then return {'LOST'} end", "then return {'LEADS', ARGV[3]} end"),
    Mutant("a snapshot is kept by who does not lead", "store.py",
           "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end", ""),
    Mutant("a hole in the log is read over", "store.py", "if lines[-1][0] != after + len(lines):", "if False:"),
    Mutant("a server that loses seconds will do", "store.py", '"appendfsync": "always", ', ""),
    Mutant("the embedded server syncs each second", "embedded.py", "appendfsync always", "appendfsync everysec"),
    Mutant("a server that died stays dead", "embedded.py", "            self.restarts += 1\n",
           "            self.restarts += 1\n            continue\n"),
    Mutant("a restored zone has its old fence", "archive.py", "header.fence + 1", "header.fence"),
    # the dispatcher
    Mutant("answered before it is committed", "term.py", "            await self._send(batch)\n",
           "            self.sending = asyncio.ensure_future(self._send(batch))\n"),
    Mutant("a key is no key", "dispatcher.py", "if key is not None and key in term.keys:",
           "if key is not None and '' in term.keys:"),
    Mutant("the same key with another body will do", "term.py", "if kept.digest != digest:", "if False:"),
    Mutant("half a decision stays", "dispatcher.py", "                term.spoil()\n", "                pass\n"),
    Mutant("who waits when a term ends waits for ever", "dispatcher.py", "        term.fail(self._why)\n", ""),
    Mutant("the timer comes when it comes", "dispatcher.py", "        self._on_time()\n        commit = ",
           "        commit = "),
    Mutant("time runs back with the clock", "dispatcher.py", "self._ahead = max(0, ", "self._ahead = min(0, "),
    Mutant("endangered promises are not looked after", "commits.py", "        reactions.settle(now)\n",
           "        pass\n"),
    Mutant("the day never ends", "service_days.py", "if now < DAY_ENDS:", "if now < 10 * DAY_ENDS:"),
    Mutant("riders carried over are told again", "dispatcher.py", ", told=ev.RideRefused)", ")"),
    Mutant("followers miss what was between", "tail.py", "self._events[seq + 1 - first :]",
           "self._events[seq + 2 - first :]"),
    # messages and plans
    Mutant("a message that fails is dropped", "outbox.py", "            await asyncio.sleep(pause)\n",
           "            return await self._store.delivered([entry])\n"),
    Mutant("a message leaves before it is taken", "outbox.py", "        pause = FIRST_PAUSE_S\n",
           "        pause = FIRST_PAUSE_S\n        await self._store.delivered([entry])\n"),
    Mutant("stale plans are proposed", "worker.py", "        fresh = all(", "        fresh = True or all("),
    Mutant("a worker that hangs is waited for", "worker.py", "asyncio.timeout(self.hangs_s)", "asyncio.timeout(None)"),
    Mutant("a worker's nonsense is proposed", "worker.py", 'raise WorkerFailed("plans of', 'print("plans of'),
    Mutant("locked rides are given to the search", "worker.py", "queued, locked(world), refusal(",
           "queued, (), refusal("),
]  # fmt: skip


def caught(mutant: Mutant) -> str:
    """Name of the first test that fails on a tree with this bug; empty: none does."""
    with tempfile.TemporaryDirectory(prefix="naru-mutant-") as name:
        folder = Path(name)
        for package in ("routing", "simulator", "tests"):
            (folder / package).symlink_to(ROOT / package)
        (folder / "dispatch").mkdir()
        for part in (ROOT / "dispatch").iterdir():
            if part.name not in ("service", "__pycache__"):
                (folder / "dispatch" / part.name).symlink_to(part)
        service = folder / "dispatch" / "service"
        shutil.copytree(ROOT / "dispatch" / "service", service, ignore=shutil.ignore_patterns("__pycache__"))
        if mutant.old:
            path = service / mutant.file
            source = path.read_text()
            if source.count(mutant.old) != 1:
                return "the line is no longer there"
            path.write_text(source.replace(mutant.old, mutant.new))
        shutil.copy(ROOT / "pyproject.toml", folder)
        tests = [f"tests/service/{test}" for test in TESTS]
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-x", "-q", "--tb=no", "-p", "no:cacheprovider", *tests],
                cwd=folder,
                env={**os.environ, "PYTHONPATH": name, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": name},
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired:
            return "a test that does not end"
        finally:
            for socket in folder.glob("naru-*/**/valkey.sock"):
                kill_store(socket)  # of a test that was killed
    failed = re.search(r"^(?:FAILED|ERROR) \S+?(?:::(\S+))?(?: |$)", done.stdout, re.MULTILINE)
    if failed is not None:
        return failed[1] or "it can't be imported"
    return "" if done.returncode == 0 else done.stdout[-200:]


def main(words: list[str]) -> int:
    """Print the table; the exit code."""
    chosen = [m for m in MUTANTS if not words or any(word in m.name for word in words)]
    survivors = 0
    print(f"{'planted':<52}caught by")
    for mutant in chosen:
        by = caught(mutant)
        healthy = bool(by) is bool(mutant.old) and "no longer there" not in by and "imported" not in by
        survivors += not healthy
        print(f"{mutant.name:<52}{by or '-'}{'' if healthy else '  <== WRONG'}", flush=True)
    print(f"{len(chosen)} planted, {survivors} wrong")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
