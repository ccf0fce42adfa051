"""The report's map: streets, how often shuttles drove along them, stop points and where riders were refused."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from simulator.outputs import Drive
from simulator.report_day import StopUse

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from routing.network import RoadNetwork

SIZE = 1000
"""units of the drawing's longer side"""
MARGIN_M = 400.0
WAIT_STEPS_MIN = (1, 2, 3, 4, 5, 8, 10, 15, 20)
"""widths of the classes of mean wait, minutes"""
LOAD_CLASSES = 6
MAX_STREETS = 40_000
"""background streets drawn; on larger maps only those that were driven"""


def draw_map(
    network: RoadNetwork,
    places: Sequence[str],
    place_nodes: Sequence[int],
    stops: Sequence[StopUse],
    drives: Sequence[Drive],
) -> str:
    """One SVG. `places` are the stop points' ids; `drives` are laid along the fastest ways of the open network."""
    import numpy as np

    view = _View(network, np.asarray(place_nodes, np.int64))
    passages, carried = edge_loads(network, place_nodes, drives)
    parts = [_background(network, view), _street_loads(network, view, passages)]
    parts.append(_street_loads(network, view, carried, persons=True))
    parts += [_stop_points(view, places, place_nodes, stops), view.scale_bar()]
    return (
        f'<svg class="map" id="map" viewBox="0 0 {view.width:.0f} {view.height:.0f}" role="img" '
        f'aria-label="Map of the streets driven, stop points and refusals">{"".join(parts)}</svg>'
    )


def edge_loads(
    network: RoadNetwork, place_nodes: Sequence[int], drives: Sequence[Drive]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(E,) how often each edge was driven, and (E,) persons carried along it.

    Every drive is laid along the fastest way towards its place.
    """
    import numpy as np
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    passages, carried = np.zeros(network.edges, np.int64), np.zeros(network.edges, np.int64)
    order = np.lexsort((network.time_ms, network.edge_to, network.edge_from))
    pairs = network.edge_from[order].astype(np.int64) * network.nodes + network.edge_to[order]
    first = np.concatenate(([True], pairs[1:] != pairs[:-1])) if len(pairs) else np.zeros(0, np.bool_)
    fastest = order[first]  # of parallel streets
    edge_of = dict(zip(pairs[first].tolist(), fastest.tolist(), strict=True))
    against = csr_array(
        (network.time_ms[fastest].astype(np.float64), (network.edge_to[fastest], network.edge_from[fastest])),
        shape=(network.nodes, network.nodes),
    )
    towards: dict[int, list[Drive]] = {}
    for drive in drives:
        towards.setdefault(place_nodes[drive.place], []).append(drive)
    goals = sorted(towards)
    for begin in range(0, len(goals), 64):
        chunk = goals[begin : begin + 64]
        _, after = dijkstra(against, indices=chunk, return_predecessors=True)
        for goal, next_node in zip(chunk, after, strict=True):
            step = next_node.tolist()
            for drive in towards[goal]:
                node = drive.from_node
                while node not in (drive.to_node, goal) and step[node] >= 0:
                    edge = edge_of[node * network.nodes + step[node]]
                    passages[edge] += 1
                    carried[edge] += drive.aboard
                    node = step[node]
    return passages, carried


class _View:
    """From local metres to drawing units: north up, the day's places with a margin around them."""

    def __init__(self, network: RoadNetwork, nodes: NDArray[np.int64]) -> None:
        x, y = network.xy
        at = nodes if len(nodes) else slice(None)
        self.west, self.east = float(x[at].min()) - MARGIN_M, float(x[at].max()) + MARGIN_M
        self.south, self.north = float(y[at].min()) - MARGIN_M, float(y[at].max()) + MARGIN_M
        self.scale = SIZE / max(self.east - self.west, self.north - self.south)
        self.width = (self.east - self.west) * self.scale
        self.height = (self.north - self.south) * self.scale
        self.x = (x - self.west) * self.scale
        self.y = (self.north - y) * self.scale

    def seen(self, network: RoadNetwork) -> NDArray[np.bool_]:
        """(E,) edges with an end in view."""
        inside = (self.x >= 0) & (self.x <= self.width) & (self.y >= 0) & (self.y <= self.height)
        shown: NDArray[np.bool_] = inside[network.edge_from] | inside[network.edge_to]
        return shown

    def line(self, network: RoadNetwork, edge: int) -> list[tuple[int, int]]:
        """An edge in tenths of drawing units, without points that lie (nearly) on the line of their neighbours."""
        lat, lon = network.line(edge)
        x, y = network.project(lat, lon)
        points = zip(
            ((x - self.west) * self.scale * 10).round().astype(int).tolist(),
            ((self.north - y) * self.scale * 10).round().astype(int).tolist(),
            strict=True,
        )
        return _thinned(list(points))

    def scale_bar(self) -> str:
        """A bar of a round length, bottom left."""
        metres = (self.east - self.west) / 5
        length = 10 ** math.floor(math.log10(metres))
        length *= next(factor for factor in (5, 2, 1) if factor * length <= metres)
        words = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
        y = self.height - 8
        return (
            f'<g class="scale"><path d="M16 {y - 5:.1f}v5h{length * self.scale:.1f}v-5"/>'
            f'<text x="22" y="{y - 6:.1f}">{words}</text></g>'
        )


def _thinned(points: list[tuple[int, int]], tolerance: float = 4.0) -> list[tuple[int, int]]:
    """Douglas and Peucker's line, in tenths of units."""
    if len(points) < 3:
        return points
    (x0, y0), (x1, y1) = points[0], points[-1]
    dx, dy = x1 - x0, y1 - y0
    length = math.hypot(dx, dy)

    def off(point: tuple[int, int]) -> float:
        x, y = point[0] - x0, point[1] - y0
        return abs(x * dy - y * dx) / length if length else math.hypot(x, y)

    farthest = max(range(1, len(points) - 1), key=lambda i: off(points[i]))
    if off(points[farthest]) <= tolerance:
        return [points[0], points[-1]]
    return _thinned(points[: farthest + 1], tolerance)[:-1] + _thinned(points[farthest:], tolerance)


def _path(lines: Sequence[Sequence[tuple[int, int]]]) -> str:
    """Relative moves in tenths of units: short, as the drawing is scaled by a tenth."""
    text = []
    here = (0, 0)
    for line in lines:
        for i, (x, y) in enumerate(line):
            dx, dy = x - here[0], y - here[1]
            if i and not dx and not dy:
                continue
            text.append(f"{'l' if i else 'm'}{dx}{'' if dy < 0 else ' '}{dy}")
            here = (x, y)
    return "".join(text)


def _drawn(css: str, lines: Sequence[Sequence[tuple[int, int]]], title: str = "") -> str:
    if not lines:
        return ""
    told = f"<title>{escape(title)}</title>" if title else ""
    return f'<path class="{css}" transform="scale(.1)" d="M0 0{_path(lines)}">{told}</path>'


def _one_way_each(network: RoadNetwork, edges: Sequence[int]) -> list[int]:
    """Of edges that join the same two nodes, only the first."""
    seen: set[tuple[int, int]] = set()
    kept = []
    for edge in edges:
        u, v = int(network.edge_from[edge]), int(network.edge_to[edge])
        ends = (min(u, v), max(u, v))
        if ends not in seen:
            seen.add(ends)
            kept.append(edge)
    return kept


def _background(network: RoadNetwork, view: _View) -> str:
    import numpy as np

    shown = _one_way_each(network, np.flatnonzero(view.seen(network)).tolist())
    if len(shown) > MAX_STREETS:
        return ""
    return _drawn("street", [view.line(network, edge) for edge in shown])


def _street_loads(network: RoadNetwork, view: _View, passages: NDArray[np.int64], *, persons: bool = False) -> str:
    """Widths in classes, scaled to the busiest street; both directions together. Persons are hidden at first."""
    import numpy as np

    total: dict[tuple[int, int], int] = {}
    edge_of: dict[tuple[int, int], int] = {}
    for edge in np.flatnonzero(passages).tolist():
        u, v = int(network.edge_from[edge]), int(network.edge_to[edge])
        ends = (min(u, v), max(u, v))
        total[ends] = total.get(ends, 0) + int(passages[edge])
        edge_of.setdefault(ends, edge)
    most = max(total.values(), default=1)
    classes: list[list[list[tuple[int, int]]]] = [[] for _ in range(LOAD_CLASSES)]
    for ends, count in total.items():
        rank = min(LOAD_CLASSES - 1, int(LOAD_CLASSES * math.sqrt(count / most)))
        classes[rank].append(view.line(network, edge_of[ends]))
    parts = []
    for rank, lines in enumerate(classes):
        low = max(1, math.ceil(most * (rank / LOAD_CLASSES) ** 2))
        high = most if rank == LOAD_CLASSES - 1 else math.ceil(most * ((rank + 1) / LOAD_CLASSES) ** 2) - 1
        words = f"{low}" if low >= high else f"{low}–{high}"
        what = "persons carried" if persons else "drives"
        parts.append(_drawn(f"{'carried' if persons else 'driven'} w{rank}", lines, f"{words} {what} along here"))
    hidden = ' style="display:none"' if persons else ""
    return f'<g id="{"carried" if persons else "loads"}"{hidden}>{"".join(parts)}</g>'


def wait_bounds(stops: Sequence[StopUse]) -> tuple[int, int, int]:
    """Bounds of the four classes of mean wait, minutes: round ones, the last near the longest fifth of this day."""
    waits = sorted(stop.wait_mean_s for stop in stops if stop.wait_mean_s is not None)
    long = waits[len(waits) * 4 // 5] / 60 if waits else 15
    step = min(WAIT_STEPS_MIN, key=lambda width: abs(3 * width - long))
    return step, 2 * step, 3 * step


def _stop_points(view: _View, places: Sequence[str], place_nodes: Sequence[int], stops: Sequence[StopUse]) -> str:
    most = max((stop.boardings for stop in stops), default=0) or 1
    room = min(1.0, math.sqrt(800 / max(1, len(stops))))
    bounds = wait_bounds(stops)
    dots, marks = [], []
    for stop in sorted(stops, key=lambda stop: -stop.boardings):  # small ones on top
        node = place_nodes[stop.place]
        x, y = float(view.x[node]), float(view.y[node])
        if stop.wait_mean_s is None:
            css, radius = "unused" if not stop.alightings else "only-out", 2.0
        else:
            css, radius = (
                f"wait{sum(stop.wait_mean_s >= 60 * bound for bound in bounds)}",
                room * (2.5 + 9 * math.sqrt(stop.boardings / most)),
            )
        dots.append(
            f'<circle class="{css}" cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}">'
            f"<title>{escape(_use(places[stop.place], stop))}</title></circle>"
        )
        if stop.refusals:
            arm = room * (1.2 + 1.4 * math.sqrt(stop.refusals))
            across = 2 * arm
            marks.append(
                f"M{x - arm:.1f} {y - arm:.1f}l{across:.1f} {across:.1f}m0 {-across:.1f}l{-across:.1f} {across:.1f}"
            )
    crosses = "".join(marks)
    return (
        f'<g id="stops">{"".join(dots)}</g>'
        f'<g id="refusals"><path class="halo" d="{crosses}"/><path class="cross" d="{crosses}"/></g>'
    )


def _use(name: str, stop: StopUse) -> str:
    words = f"{name}: {stop.boardings} boardings, {stop.alightings} alightings"
    if stop.wait_mean_s is not None:
        words += f", mean wait {stop.wait_mean_s / 60:.1f} min"
    if not stop.refusals:
        return words
    why = "; ".join(f"{count}: {reason.replace('_', ' ')}" for reason, count in stop.reasons)
    return f"{words}, {stop.refusals} refused ({why})"
