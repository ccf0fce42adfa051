"""A scenario's streets, people and shuttles as other tools read them: FleetPy, MATSim, Naru's own CSV."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

from dispatch.core.domain import NEVER, RideRequest
from simulator.outputs import csv_bytes, write_whole

if TYPE_CHECKING:
    from simulator.scenario import Scenario

Requests = Sequence[tuple[int, RideRequest]]
DAY_S: Final = 86_400


def to_naru(scenario: Scenario, requests: Requests, folder: Path) -> list[Path]:
    """requests.csv and vehicles.csv, at the stop points nearest to the riders' places."""
    places = scenario.places
    rows = []
    for at, request in requests:
        ends = [places.stops[access[0].place] for access in (request.origins, request.destinations)]
        points = [f"{value:.6f}" for stop in ends for value in (stop.lat, stop.lon)]
        limits = (request.arrive_by, request.latest_pickup, request.latest_dropoff, request.max_ride)
        party = str(request.seats), str(request.wheelchairs)
        rows.append((request.id, _s(at), *points, *party, _s(request.depart_after), *map(_s, limits),
                     request.rider or "", request.age or "", request.channel or ""))  # fmt: skip
    columns = ("request_id", "request_time_s", "origin_lat", "origin_lon", "destination_lat", "destination_lon",
               "passengers", "wheelchairs", "depart_after_s", "arrive_by_s", "latest_pickup_s", "latest_dropoff_s",
               "max_ride_time_s", "rider_id", "age_group", "channel")  # fmt: skip
    network = scenario.network
    shifts = [
        (shift.vehicle, f"{network.lat[shift.node]:.6f}", f"{network.lon[shift.node]:.6f}", str(shift.seats),
         str(shift.wheelchairs), _s(shift.start), "" if shift.end >= NEVER else _s(shift.end))
        for shift in scenario.shifts
    ]  # fmt: skip
    vehicles = ("vehicle_id", "start_lat", "start_lon", "capacity", "wheelchair_places", "shift_start_s", "shift_end_s")
    return _written(folder, {
        "requests.csv": csv_bytes(columns, rows), "vehicles.csv": csv_bytes(vehicles, shifts),
    })  # fmt: skip


def to_fleetpy(scenario: Scenario, requests: Requests, folder: Path) -> list[Path]:
    """FleetPy's nodes.csv and edges.csv of a network, and a demand file between its node indices."""
    network, nodes = scenario.network, scenario.places.nodes
    x, y = network.xy
    node_rows = [(str(i), "False", f"{x[i]:.3f}", f"{y[i]:.3f}") for i in range(network.nodes)]
    edge_rows = [
        (str(network.edge_from[e]), str(network.edge_to[e]), f"{network.length_m[e]:.3f}",
         f"{network.time_ms[e] / 1000:.3f}")
        for e in range(network.edges)
    ]  # fmt: skip
    asked = [
        (request.id, _s(at), str(nodes[request.origins[0].place]), str(nodes[request.destinations[0].place]),
         str(request.seats), _s(request.depart_after), _s(request.latest_pickup))
        for at, request in requests
    ]  # fmt: skip
    columns = (
        "request_id",
        "rq_time",
        "start",
        "end",
        "number_passenger",
        "earliest_pickup_time",
        "latest_pickup_time",
    )
    return _written(folder, {
        "nodes.csv": csv_bytes(("node_index", "is_stop_only", "pos_x", "pos_y"), node_rows),
        "edges.csv": csv_bytes(("from_node", "to_node", "distance", "travel_time"), edge_rows),
        "requests.csv": csv_bytes(columns, asked),
    })  # fmt: skip


def to_matsim(scenario: Scenario, requests: Requests, folder: Path) -> list[Path]:
    """network.xml, plans.xml (a DRT leg an attempt) and vehicles.xml (dvrp), in local metres."""
    network, nodes = scenario.network, scenario.places.nodes
    x, y = network.xy
    links = [
        _tag("link", {"id": e, "from": network.edge_from[e], "to": network.edge_to[e],
                      "length": f"{network.length_m[e]:.3f}", "capacity": 1000, "permlanes": 1, "modes": "car",
                      "freespeed": f"{1000 * max(network.length_m[e], 0.001) / network.time_ms[e]:.6f}"})
        for e in range(network.edges)
    ]  # fmt: skip
    node_tags = [_tag("node", {"id": i, "x": f"{x[i]:.3f}", "y": f"{y[i]:.3f}"}) for i in range(network.nodes)]
    streets = _document("network", "network_v2.dtd", [
        "<nodes>", *node_tags, "</nodes>", "<links>", *links, "</links>",
    ])  # fmt: skip
    people = []
    for _, request in requests:
        ends = [int(nodes[access[0].place]) for access in (request.origins, request.destinations)]
        where = [{"x": f"{x[node]:.3f}", "y": f"{y[node]:.3f}"} for node in ends]
        people += [
            f"<person id={quoteattr(request.id)}><plan selected=\"yes\">",
            _tag("activity", {"type": "origin", **where[0], "end_time": _hms(request.depart_after)}),
            '<leg mode="drt"/>', _tag("activity", {"type": "destination", **where[1]}), "</plan></person>",
        ]  # fmt: skip
    into = {int(node): e for e, node in reversed(list(enumerate(network.edge_to.tolist())))}
    fleet = [
        _tag("vehicle", {"id": shift.id, "start_link": into[shift.node], "t_0": _s(shift.start),
                         "t_1": DAY_S if shift.end >= NEVER else _s(shift.end), "capacity": shift.seats})
        for shift in scenario.shifts
    ]  # fmt: skip
    return _written(folder, {
        "network.xml": streets,
        "plans.xml": _document("population", "population_v6.dtd", people),
        "vehicles.xml": _document("vehicles", "dvrp_vehicles_v1.dtd", fleet),
    })  # fmt: skip


FORMATS: Final[Mapping[str, Callable[[Scenario, Requests, Path], list[Path]]]] = {
    "naru": to_naru, "fleetpy": to_fleetpy, "matsim": to_matsim,
}  # fmt: skip


def _s(ms: int | None) -> str:
    return "" if ms is None else f"{ms / 1000:.10g}"


def _hms(ms: int) -> str:
    seconds = ms // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _tag(name: str, attributes: Mapping[str, object]) -> str:
    return f"<{name} {' '.join(f'{key}={quoteattr(str(value))}' for key, value in attributes.items())}/>"


def _document(root: str, dtd: str, lines: Iterable[str]) -> bytes:
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE {root} SYSTEM "{dtd}">\n<{root}>\n'
    return (head + "\n".join(lines) + f"\n</{root}>\n").encode()


def _written(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    for name, content in files.items():
        write_whole(folder / name, content)
    return [folder / name for name in files]
