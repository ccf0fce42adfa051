"""The `naru` command: what it says, on which stream, and with which exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import typer

from routing.errors import InputError
from simulator import cli


def ride(*, seed: int = 1) -> None:
    """A command of one function."""
    typer.echo(f"seed {seed}")


@pytest.fixture
def plant(monkeypatch: pytest.MonkeyPatch):
    """Make `naru ride` run the given function or app."""

    def as_ride(target: object) -> None:
        module = ModuleType("planted")
        module.target = target  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "planted", module)
        monkeypatch.setitem(cli.COMMANDS, "ride", cli.Row("planted:target", "planted"))

    return as_ride


def raising(error: BaseException):
    def command() -> None:
        raise error

    return command


def test_a_function_is_a_command(plant, capsys: pytest.CaptureFixture[str]) -> None:
    """Options come from the signature; the figures go to stdout, nothing else does."""
    plant(ride)
    assert cli.main(["ride", "--seed", "7"]) == 0
    assert capsys.readouterr() == ("seed 7\n", "")


def test_an_app_is_a_command_with_commands(plant, capsys: pytest.CaptureFixture[str]) -> None:
    """Also when it has one only."""
    app = typer.Typer()
    app.command("go")(ride)
    plant(app)
    assert cli.main(["ride", "go"]) == 0
    assert capsys.readouterr().out == "seed 1\n"


def test_a_wrong_option_is_wrong_input(plant, capsys: pytest.CaptureFixture[str]) -> None:
    """Typer's own usage errors keep their exit code, and stdout stays empty."""
    plant(ride)
    assert cli.main(["ride", "--seeds", "7"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "naru ride" in err
    assert "--seeds" in err


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (InputError("negative", file="day.yaml", line=3, field="seed"), 2, "naru: day.yaml:3: seed: negative\n"),
        (PermissionError(errno.EACCES, "Permission denied", "out"), 2, "naru: out: Permission denied\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "naru: No space left on device\n"),
        (KeyboardInterrupt(), 1, "naru: interrupted\n"),
        (typer.Exit(1), 1, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_an_error_is_one_message(
    plant, capsys: pytest.CaptureFixture[str], error: BaseException, status: int, message: str
) -> None:
    """Exit code 2 for what a person can mend, 1 for the rest; no traceback."""
    plant(raising(error))
    assert cli.main(["ride"]) == status
    assert capsys.readouterr() == ("", message)


def test_a_defect_says_so(
    plant, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line that blames the right side and says where the traceback lies; with NARU_DEBUG it is shown."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("NARU_DEBUG", raising=False)
    plant(raising(KeyError("shift")))
    assert cli.main(["ride"]) == 1
    message = capsys.readouterr().err
    (written,) = tmp_path.iterdir()
    assert message == f"naru: a defect in Naru, not in your input: KeyError: 'shift' (traceback in {written})\n"
    assert "Traceback" in written.read_text(encoding="utf-8")

    monkeypatch.setenv("NARU_DEBUG", "1")
    assert cli.main(["ride"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_command_is_wrong_input(capsys: pytest.CaptureFixture[str]) -> None:
    """With the nearest one, where there is one."""
    assert cli.main(["simulat"]) == 2
    assert capsys.readouterr().err == "naru: no command 'simulat'; expected 'simulate'?\n"


def naru(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulator.cli", *arguments]
    return subprocess.run(command, check=False, text=True, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload,no-any-return]


def test_help_imports_nothing_heavy() -> None:
    """So it answers at once, whatever a command needs."""
    probe = "import sys; from simulator.cli import main; main(['--help']); print(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", probe], check=True, text=True, capture_output=True)
    assert all(f"  {name} " in done.stdout for name in cli.COMMANDS)
    assert {"numpy", "numba", "osmnx", "pandas", "typer", "rich"}.isdisjoint(done.stderr.split())


def test_a_reader_that_leaves_is_no_defect() -> None:
    """`naru --help | true`: silence, and no success claimed."""
    read, write = os.pipe()
    os.close(read)
    done = naru("--help", stdout=write)
    os.close(write)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_behind_stdout_is_said() -> None:
    """Also when the last words still sat in Python's buffer."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = naru("--help", stdout=full)
    assert (done.returncode, done.stderr) == (2, "naru: No space left on device\n")
