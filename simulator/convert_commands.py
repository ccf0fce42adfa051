"""`naru convert`: other tools' data into a scenario's tables, and a scenario into other tools' files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from routing.errors import InputError

Source = Literal["tlc", "fleetpy", "matsim-plans", "matsim-vehicles", "matsim-network"]
Target = Literal["naru", "fleetpy", "matsim", "parquet"]


def convert(
    source: Annotated[str, typer.Argument(metavar="SRC", help="another tool's file; with --to a scenario, or a log")],
    out: Annotated[Path, typer.Option(help="the CSV to write, or with --to and matsim-network a folder")],
    come_from: Annotated[Source | None, typer.Option("--from", help="what SRC is")] = None,
    to: Annotated[Target | None, typer.Option("--to", help="write the scenario SRC as this")] = None,
    date: Annotated[str | None, typer.Option(help="of taxi trips: this date's; else the first one")] = None,
    network: Annotated[Path | None, typer.Option(help="of MATSim vehicles: their network.xml")] = None,
    mode: Annotated[str, typer.Option(help="of MATSim plans: the legs to take")] = "drt",
    crs: Annotated[str | None, typer.Option(help="of MATSim coordinates, into degrees: EPSG:5179")] = None,
    seed: Annotated[int | None, typer.Option(help="with --to: instead of the scenario's")] = None,
) -> None:
    """Taxi trips, FleetPy and MATSim files as requests, vehicles or streets of a scenario; or a scenario as theirs.

    With `--to parquet` SRC is a log, or the folder that holds it: its events as one table.
    """
    if (come_from is None) == (to is None):
        raise InputError("does not say which way", field="--from", expected="either --from or --to")
    written = _export(source, to, out, seed) if to is not None else _import(
        Path(source), str(come_from), out, date, network, mode, crs
    )  # fmt: skip
    for path in written:
        print(path)


def _import(
    path: Path, kind: str, out: Path, date: str | None, network: Path | None, mode: str, crs: str | None
) -> list[Path]:
    from simulator import convert_from as reading
    from simulator.outputs import csv_bytes, write_whole

    to_degrees = None if crs is None else reading.degrees_from(crs)
    made: dict[Path, reading.Made]
    if kind == "matsim-network":
        nodes, edges = reading.matsim_network(path, to_degrees)
        made = {out / "nodes.csv": nodes, out / "edges.csv": edges}
    elif kind == "matsim-vehicles":
        if network is None:
            raise InputError("is needed, as vehicles start on its links", field="--network", expected="a network.xml")
        made = {out: reading.matsim_vehicles(path, network)}
    elif kind == "matsim-plans":
        made = {out: reading.matsim_plans(path, mode, to_degrees)}
    elif kind == "fleetpy":
        made = {out: reading.fleetpy_requests(path)}
    else:
        made = {out: reading.taxi_trips(path, date)}
    for file, table in made.items():
        write_whole(file, csv_bytes(table.columns, table.rows))
        for note in table.notes:
            print(note, file=sys.stderr)
    return list(made)


def _export(name: str, to: str, out: Path, seed: int | None) -> list[Path]:
    if to == "parquet":
        from simulator.event_table import write_parquet
        from simulator.outputs import read_events

        write_parquet(out, read_events(Path(name)))
        return [out]
    from simulator.convert_to import FORMATS
    from simulator.scenario import load_scenario, requests_of
    from simulator.simulate import roads

    scenario = load_scenario(name, seed=seed)
    return FORMATS[to](scenario, requests_of(scenario, roads(scenario)), out)
