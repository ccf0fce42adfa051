"""The `naru` command: the composition root, the one module that may know every part.

Nothing heavy is imported before a command is chosen: `naru --help` answers from the table below, and typer, numpy or
osmnx are loaded only by the commands that use them. Whatever goes wrong under a command ends here, as one message on
stderr and an exit code; a command that has said itself what failed raises `typer.Exit(1)`.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from typing import Final, NamedTuple

from routing.errors import InputError

DONE: Final = 0
FAILED: Final = 1
WRONG_INPUT: Final = 2

_INTERRUPTED: Final = 130  # typer's exit code after Ctrl-C


class Row(NamedTuple):
    target: str  # "module:attribute", a function or a typer.Typer that has commands of its own
    help: str


COMMANDS: Final = {
    "demo": Row("simulator.commands:demo", "a day of the pilot on a real city: progress, figures, report"),
    "simulate": Row("simulator.commands:simulate", "simulate a scenario's day (a file, or a shipped one: pilot)"),
    "check": Row("simulator.commands:check", "judge the log of a day: every promise, every invariant"),
    "report": Row("simulator.commands:report", "write the report of a day from its output folder"),
    "replay": Row("simulator.lab_commands:replay", "make a log's decisions again, or decide by another policy"),
    "shadow": Row("simulator.shadow_commands:shadow", "a live or recorded day also put to another policy"),
    "convert": Row("simulator.convert_commands:convert", "taxi trips, FleetPy and MATSim, in and out"),
    "compare": Row("simulator.lab_commands:compare", "days side by side: a table and one offline page"),
    "sweep": Row("simulator.lab_commands:sweep", "days over values of any field; the fewest shuttles for a target"),
    "serve": Row("simulator.live:serve", "the live service: riders, drivers and operators over HTTP"),
    "token": Row("dispatch.service.commands:token", "tokens for operators, planners and programs"),
    "log": Row("dispatch.service.archive:log_app", "the log of a served day, as a file: naru log export"),
    "backup": Row("dispatch.service.archive:backup_command", "everything of a served zone, of one moment, to a file"),
    "restore": Row("dispatch.service.archive:restore_command", "a backup into a store that does not know the zone"),
    "calibrate": Row("simulator.lab_commands:calibrate", "fit a scenario to totals known of a town, the fit shown"),
    "forecast": Row("simulator.lab_commands:forecast", "attempts by part of town and hour, from logs of days gone by"),
    "trial": Row(
        "simulator.trial_commands:app", "plan, run and report a trial: arms, metric, guardrails fixed in advance"
    ),
    "map": Row("routing.commands:app", "road maps: import from OpenStreetMap, stop points, show"),
    "warm": Row("simulator.commands:warm", "compile the kernels now, so that no later start waits for them"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that `argv` names; the value is the exit code of the process."""
    name, *arguments = (sys.argv[1:] if argv is None else argv) or ["--help"]
    try:
        status = _run(name, arguments)
        sys.stdout.flush()  # a full disk behind stdout is to be met here, not after the last line of Python
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last place that can say something
        if os.environ.get("NARU_DEBUG"):
            traceback.print_exc()
        status = _explain(error)
        try:
            sys.stdout.flush()
        except OSError:  # said already; Python would try once more on its way out, and complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _run(name: str, arguments: list[str]) -> int:
    if name in ("--help", "-h"):
        print(_overview())
        return DONE
    if name == "--version":
        from importlib.metadata import version

        print(f"naru {version('naru-transit')}")
        return DONE
    if name not in COMMANDS:
        near = difflib.get_close_matches(name, COMMANDS, n=1)
        raise InputError(f"no command {name!r}", expected=f"{near[0]!r}?" if near else f"one of {', '.join(COMMANDS)}")
    return _run_command(name, arguments)


def _overview() -> str:
    rows = "\n".join(f"  {name:<10}{row.help}" for name, row in COMMANDS.items())
    return (
        "Usage: naru COMMAND …\n\n"
        "Naru runs demand-responsive transit: first in simulation, with the core that answers real riders.\n\n"
        f"Commands (naru COMMAND --help tells more):\n{rows}\n\n"
        "Options:\n  --help, -h\n  --version\n\n"
        "Exit codes: 0 done, 1 failed, 2 wrong input. NARU_DEBUG=1 shows where a failure comes from."
    )


def _run_command(name: str, arguments: list[str]) -> int:
    import typer

    module, attribute = COMMANDS[name].target.split(":")
    target = getattr(importlib.import_module(module), attribute)
    if not isinstance(target, typer.Typer):
        # Plain text: in rich's markup the brackets of a docstring would be taken for styles.
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(name)(target)
        command = typer.main.get_command(app)
    else:
        command = typer.main.get_group(target)
    try:
        command(args=arguments, prog_name=f"naru {name}")
    except SystemExit as end:  # how typer ends, well or not; of a usage error it has told
        if end.code == _INTERRUPTED:
            raise KeyboardInterrupt from end
        return end.code if isinstance(end.code, int) else FAILED
    return DONE


def _explain(error: BaseException) -> int:
    """Say on one line what went wrong and whose it is to mend; the value is the exit code."""
    match error:
        case InputError():
            return _say(str(error), WRONG_INPUT)
        case KeyboardInterrupt():
            return _say("interrupted", FAILED)
        case BrokenPipeError():  # the reader of stdout has left (`naru … | head`): nobody is there to be told
            return FAILED
        case OSError() if error.filename is not None or error.errno in (errno.ENOSPC, errno.EDQUOT):
            # A file or folder that someone named and that cannot be read or written, or a full disk.
            place = "" if error.filename is None else f"{error.filename}: "
            return _say(f"{place}{error.strerror or error}", WRONG_INPUT)
    with tempfile.NamedTemporaryFile("w", prefix="naru-defect-", suffix=".txt", delete=False, encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    what = " ".join(traceback.format_exception_only(error)[-1].split())
    return _say(f"a defect in Naru, not in your input: {what} (traceback in {file.name})", FAILED)


def _say(message: str, status: int) -> int:
    print(f"naru: {message}", file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main())
