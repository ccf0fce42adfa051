"""`naru map …`: import a road map, make stop points for it, show it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from routing.errors import InputError

if TYPE_CHECKING:
    from routing.network import RoadNetwork
    from routing.stop_points import StopPoint

app = typer.Typer(
    help="Road maps: import from OpenStreetMap or CSV, stop points, show.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
MapName = Annotated[str, typer.Argument(metavar="MAP", help="a file that `naru map import` wrote, or a shipped map")]


@app.command("import")
def import_(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SRC",
            help="a .osm, .osm.gz, .osm.pbf or .graphml file; nodes.csv,edges.csv; bbox:W,S,E,N; or a place name",
        ),
    ],
    out: Annotated[Path, typer.Option(help="the map file to write (.npz)")],
    overpass: Annotated[
        str | None, typer.Option(envvar="NARU_OVERPASS_URL", help="Overpass server for places and boxes")
    ] = None,
    nominatim: Annotated[
        str | None, typer.Option(envvar="NARU_NOMINATIM_URL", help="Nominatim server for place names")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object on stdout")] = False,
) -> None:
    """Read or download a road map and keep its largest connected part."""
    from routing.import_map import import_map

    network = import_map(source, overpass_url=overpass, nominatim_url=nominatim)
    if network.cut:
        typer.echo(str(network.cut), err=True)
    network.save(out)
    figures = {
        "nodes": network.nodes,
        "edges": network.edges,
        "km": round(float(network.length_m.sum()) / 1000, 1),
        "cut_nodes": network.cut.nodes,
        "cut_edges": network.cut.edges,
        "cut_km": round(network.cut.km, 1),
        "credit": network.credit,
    }
    if as_json:
        typer.echo(json.dumps(figures, ensure_ascii=False))
    else:
        typer.echo(
            f"{out}: {network.nodes} nodes, {network.edges} directed edges, {figures['km']} km. {network.credit}"
        )


@app.command()
def stops(
    map_name: MapName,
    out: Annotated[Path, typer.Option(help="the CSV file of stop points to write")],
    osm: Annotated[Path | None, typer.Option(help="take the bus stops of this OpenStreetMap extract")] = None,
    gtfs: Annotated[Path | None, typer.Option(help="take the stops of this GTFS feed (folder, zip, stops.txt)")] = None,
    csv: Annotated[Path | None, typer.Option(help="take stop_id,lat,lon[,name] or stop_id,node_id")] = None,
    spacing: Annotated[float | None, typer.Option(help="generate: metres between stop points")] = None,
    count: Annotated[int | None, typer.Option(help="generate: so many, spread evenly")] = None,
    walk: Annotated[float | None, typer.Option(help="generate: no street farther than this walk, metres")] = None,
    at_nodes: Annotated[bool, typer.Option("--at-nodes", help="generate: at junctions, not at the kerb")] = False,
    seed: Annotated[int, typer.Option(help="generate: the same seed gives the same stop points")] = 1,
    limit: Annotated[float, typer.Option(help="farthest from a street, metres")] = 150.0,
    skip_far: Annotated[bool, typer.Option("--skip-far", help="leave out what is farther, and say how many")] = False,
) -> None:
    """Make stop points for a map, from a source or generated; each must lie at a street."""
    from routing.stop_points import coverage, write_csv

    network = open_map(map_name)
    found = _stops_from(
        network, osm=osm, gtfs=gtfs, csv=csv, spacing=spacing, count=count, walk=walk, at_nodes=at_nodes, seed=seed
    )
    if skip_far:
        near = _near_streets(network, found, limit)
        if len(near) < len(found):
            typer.echo(f"{len(found) - len(near)} stop points are farther than {limit:g} m from any street", err=True)
        found = near
    network.with_stops(found, limit_m=limit)
    write_csv(found, out, planar=network.planar)
    share = coverage(network, found, walk_m=400) if found else 0.0
    typer.echo(f"{out}: {len(found)} stop points; {share:.0%} of the streets are within a walk of 400 m of one")


@app.command()
def show(
    map_name: MapName,
    out: Annotated[Path, typer.Option(help="the HTML file to write")],
    stops: Annotated[Path | None, typer.Option(help="stop points to draw: CSV from `naru map stops`")] = None,
) -> None:
    """Draw a map as one HTML page that needs no network."""
    from routing.network_file import whole_file
    from routing.show import map_page
    from routing.stop_points import read_csv

    network = open_map(map_name)
    points = read_csv(stops, network) if stops else []
    page = map_page(network, points, title=Path(map_name).stem)
    with whole_file(out, "w", encoding="utf-8") as file:
        file.write(page)
    typer.echo(f"{out}: {len(page) / 1e3:.0f} kB, opens in any browser without a network")


def open_map(name: str) -> RoadNetwork:
    """A map by its file or, for a plain name, the shipped one. Raises InputError if there is neither."""
    from routing.network import RoadNetwork
    from routing.shipped import shipped_map, shipped_maps

    if name in shipped_maps():
        return shipped_map(name)
    if not Path(name).exists():
        expected = f"a file that `naru map import` wrote, or {' or '.join(shipped_maps())}"
        raise InputError("does not exist", file=name, expected=expected)
    return RoadNetwork.load(name)


def _stops_from(
    network: RoadNetwork,
    *,
    osm: Path | None,
    gtfs: Path | None,
    csv: Path | None,
    spacing: float | None,
    count: int | None,
    walk: float | None,
    at_nodes: bool,
    seed: int,
) -> list[StopPoint]:
    """The stop points of the one source that the options name."""
    from routing import stop_points

    generated = spacing is not None or count is not None or walk is not None
    if sum((osm is not None, gtfs is not None, csv is not None, generated)) != 1:
        raise InputError(
            "not one source of stop points", expected="one of --osm, --gtfs, --csv, or --spacing/--count/--walk"
        )
    if osm is not None:
        from routing.osm import bus_stops

        return bus_stops(osm)
    if gtfs is not None:
        return stop_points.read_gtfs(gtfs)
    if csv is not None:
        return stop_points.read_csv(csv, network)
    return stop_points.generate(network, spacing_m=spacing, count=count, walk_m=walk, at_nodes=at_nodes, seed=seed)


def _near_streets(network: RoadNetwork, found: list[StopPoint], limit_m: float) -> list[StopPoint]:
    from routing.snap import NO_STOPPING, EdgeIndex

    near = EdgeIndex(network, without=NO_STOPPING).within(
        [s.lat for s in found], [s.lon for s in found], limit_m=limit_m
    )
    return [stop for stop, ok in zip(found, near.tolist(), strict=True) if ok or stop.node is not None]
