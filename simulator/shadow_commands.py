"""`naru shadow`: a live or recorded day also decided by another policy, nothing acted on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dispatch.core import events as ev
from routing.errors import InputError
from simulator.commands import Json, compiling
from simulator.lab_commands import TOLD, print_json

if TYPE_CHECKING:
    from dispatch.core.domain import Policy
    from routing.network import RoadNetwork
    from simulator.shadow import Shadow, Verdict

TABLE = "shadow.csv"


def shadow(
    log: Annotated[str, typer.Argument(metavar="LOG", help="a log or its folder, or a running service's address")],
    policy: Annotated[Path, typer.Option(help="the other rules: a policy or a scenario")],
    zone: Annotated[str | None, typer.Option(help="the zone's file, where no map.npz lies beside the log")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="go on as the log grows, to the end of its day")] = False,
    lasts: Annotated[float | None, typer.Option("--for", min=0, help="with --follow: no longer than so many s")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for shadow.csv: every call")] = None,
    as_json: Json = False,
) -> None:
    """What another policy would have said to each call of a day, in the world as it really was. Nothing is acted on.

    A service is read with the operator's token in NARU_TOKEN.
    """
    from simulator import shadow as shadowing
    from simulator.scenario import load_policy
    from simulator.simulate import warm

    rules = load_policy(policy)
    is_service = log.startswith(("http://", "https://"))
    if is_service:
        source = shadowing.service_source(log, os.environ.get("NARU_TOKEN", ""))
    else:
        source = shadowing.file_source(Path(log))
    with compiling():
        warm()
    until = None if lasts is None else monotonic() + lasts
    events = shadowing.events_of(source, shadowing.lines_of(source, follow=follow, until=until))
    opened = next(events, None)
    if not isinstance(opened, ev.DayOpened):
        raise InputError("does not begin with a day", file=source.name, line=1, expected="DayOpened as its first line")
    network = _network(None if is_service else Path(log), zone, opened, source.name)
    done = False
    beside, rest = _beside(opened, events, network, rules)
    try:
        for event in rest:
            for verdict in beside.feed(event):
                if follow and verdict.differs and not as_json:
                    print(verdict, flush=True)
            done = isinstance(event, ev.DayClosed)
    except KeyboardInterrupt:
        if not follow:
            raise
    beside.close()
    _tell(beside.verdicts, rules.name, out, whole=done, as_json=as_json, told=not follow)


def _beside(
    opened: ev.DayOpened, events: Iterator[ev.AnyEvent], network: RoadNetwork, rules: Policy
) -> tuple[Shadow, Iterator[ev.AnyEvent]]:
    """The shadow's desk, and the events it is to be fed. Shifts are read ahead: their depots are no stop points."""
    from itertools import chain

    from simulator import shadow as shadowing
    from simulator.replay import desk_on
    from simulator.replay_policy import walker

    head: list[ev.AnyEvent] = [opened]
    policies: list[Policy] = []
    for event in events:
        head.append(event)
        if isinstance(event, ev.PolicyChanged):
            policies.append(event.policy)
        if isinstance(event, ev.RequestMade):
            break
    shifts = tuple(event.shift for event in head if isinstance(event, ev.ShiftOpened))
    desk = desk_on(network, opened)
    same = policies and (policies[-1].walk_m, policies[-1].stop_choices) == (rules.walk_m, rules.stop_choices)
    if same:
        return shadowing.Shadow(desk, rules), chain(head, events)
    return shadowing.Shadow(desk, rules, walker(opened, shifts, network, rules)), chain(head, events)


def _network(log: Path | None, zone: str | None, opened: ev.DayOpened, name: str) -> RoadNetwork:
    """The streets of the day. Raises InputError where they are not there, or are those of another day."""
    from simulator.judge import network_beside
    from simulator.scenario import load_scenario
    from simulator.simulate import fingerprint

    network = load_scenario(zone).network if zone is not None else network_beside(log) if log is not None else None
    if network is None:
        raise InputError(
            "no map.npz lies beside the log", file=name, expected="--zone: the file that the service serves"
        )
    if fingerprint(network) != opened.map:
        raise InputError("these are not the streets of the day", file=name, expected=f"map {opened.map}")
    return network


def _tell(verdicts: Sequence[Verdict], name: str, out: Path | None, *, whole: bool, as_json: bool, told: bool) -> None:
    from simulator import shadow as shadowing
    from simulator.outputs import csv_bytes, write_whole

    summary: dict[str, Any] = {"policy": name, "whole_day": whole, **shadowing.summary(verdicts)}
    if out is not None:
        write_whole(out / TABLE, csv_bytes(shadowing.HEADER, shadowing.rows(verdicts)))
    if as_json:
        print_json(summary)
        return
    differing = [verdict for verdict in verdicts if verdict.differs]
    if told:
        for verdict in differing[:TOLD]:
            print(f"  {verdict}")
        if len(differing) > TOLD:
            print(f"  … and {len(differing) - TOLD} more" + (f", in {out / TABLE}" if out else ""))
    print(f"Of {summary['calls']} calls {summary['both_offered']} were offered a ride by both, {summary['only_other']} "
          f"would only have been by {name!r}, {summary['only_really']} only were in truth, {summary['neither']} by "
          "neither.")  # fmt: skip
    change = summary["pickup_change_mean_s"]
    if change is not None:
        print(f"Where both offered one, {name!r} told a pickup {abs(change) / 60:.1f} min "
              f"{'earlier' if change < 0 else 'later'} on average.")  # fmt: skip
    if not whole:
        print("The day is not over: these are its calls so far.")
    print("Read with care: " + " ".join(shadowing.LIMITS))
