"""`naru serve`: where a zone's file, which is a scenario, meets the service, which may not know scenarios."""

from __future__ import annotations

import datetime as dt
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from routing.errors import InputError

if TYPE_CHECKING:
    from dispatch.service.zone import Area
    from simulator.scenario import Scenario


def serve(
    zone: Annotated[str, typer.Argument(metavar="ZONE.yaml", help="a zone's file, or a shipped scenario: pilot")],
    host: Annotated[str | None, typer.Option(help="NARU_HOST")] = None,
    port: Annotated[int | None, typer.Option(help="NARU_PORT")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="NARU_DATA_DIR: the embedded store and keys")] = None,
    development: Annotated[
        bool | None, typer.Option("--development", help="sign-in codes are told in the answer: never with real riders")
    ] = None,
    start: Annotated[str | None, typer.Option(help="for demos: begin at this time of the file's date: 07:00")] = None,
    speed: Annotated[float, typer.Option(min=0.1, max=600, help="for demos: times as fast as the world's clock")] = 1.0,
    lockstep: Annotated[
        bool, typer.Option("--lockstep", help="for tests: the clock stands until POST /v1/clock steps it")
    ] = False,
) -> None:
    """Serve a zone: riders, drivers and operators over HTTP, until Ctrl-C."""
    from dispatch.service import commands
    from dispatch.service.clocks import Clock, ScaledClock, SteppedClock
    from dispatch.service.settings import read_settings
    from simulator.commands import compiling
    from simulator.scenario import load_scenario
    from simulator.simulate import warm

    settings = read_settings(host=host, port=port, data_dir=data_dir, development=development)
    scenario = load_scenario(zone)
    for note in scenario.notes:
        print(note, file=sys.stderr)
    begins = None if start is None else scenario.zero_utc + _ms(start)
    if lockstep and not settings.development:
        raise InputError("lockstep is for tests", field="--lockstep", expected="--development beside it")

    def clock() -> Clock:
        return SteppedClock(begins or scenario.zero_utc) if lockstep else ScaledClock(begins, speed)

    def prepare() -> None:
        with compiling():
            warm()

    commands.serve(
        area_of(scenario), settings, clock=clock, prepare=prepare, lockstep=scenario.date if lockstep else None
    )


def area_of(scenario: Scenario) -> Area:
    """What the service needs of a zone's file."""
    from dispatch.service.service_days import Calendar
    from dispatch.service.zone import Area
    from routing.fixed_lines import read_fixed_lines
    from simulator.simulate import fingerprint

    if not scenario.places.stops:
        raise InputError("has no stop points", file=scenario.file, field="stops", expected="some, as there are riders")
    return Area(
        name=re.sub(r"[^a-z0-9-]+", "-", scenario.name.lower()).strip("-") or "zone",
        places=scenario.places,
        shifts=scenario.every_shift,
        policy=scenario.policy,
        profile=scenario.profile,
        service_hours=None
        if scenario.service_hours is None
        else (scenario.service_hours.begin, scenario.service_hours.end),
        timezone=scenario.timezone,
        currency=scenario.currency,
        seed=scenario.seed,
        map=fingerprint(scenario.network),
        version=version("naru-transit"),
        calendar=Calendar(scenario.weekdays, scenario.holidays),
        fixed_lines=None if scenario.fixed_buses is None else read_fixed_lines(scenario.fixed_buses, scenario.network),
    )


def _ms(clock: str) -> int:
    try:
        at = dt.time.fromisoformat(clock)
    except ValueError:
        raise InputError(f"{clock!r} is no time of day", field="--start", expected="07:00") from None
    return (at.hour * 3600 + at.minute * 60 + at.second) * 1000
