"""Road networks through osmnx: GraphML files, and downloads by place name or bounding box from an Overpass server."""

from __future__ import annotations

import contextlib
import os
import socket
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from routing.errors import InputError
from routing.osm import CREDIT, is_drivable
from routing.speeds import class_kmh, posted_kmh
from routing.streets import Street, StreetList, length_m

if TYPE_CHECKING:
    from collections.abc import Iterator

    import networkx as nx

    from routing.network import RoadNetwork
    from routing.streets import Point

OVERPASS_VARIABLE = "NARU_OVERPASS_URL"
NOMINATIM_VARIABLE = "NARU_NOMINATIM_URL"
TIMEOUT_S = 180.0


def read_graphml(path: str | Path) -> RoadNetwork:
    """A street network that osmnx saved. Its own speeds (`travel_time`, else `speed_kph`) are kept where it has them.

    Raises InputError if the file is missing, damaged, not from osmnx or has no street that can be driven.
    """
    import networkx as nx
    import osmnx

    path = Path(path)
    expected = "a GraphML file that osmnx saved"
    if not path.is_file():
        raise InputError("does not exist", file=path, expected=expected)
    try:
        graph = osmnx.load_graphml(path)
        if osmnx.projection.is_projected(graph.graph["crs"]):
            graph = osmnx.projection.project_graph(graph, to_latlong=True)
        return from_osmnx(graph)
    except InputError as error:
        raise InputError(error.what, file=path, expected=error.expected) from None
    except (SyntaxError, ValueError, KeyError, TypeError, AttributeError, OSError, nx.NetworkXException) as error:
        # an XML error is a SyntaxError; the others are what osmnx lets through where its attributes are absent
        raise InputError(f"cannot be read as GraphML ({type(error).__name__})", file=path, expected=expected) from error


def download_place(
    place: str, *, overpass_url: str | None = None, nominatim_url: str | None = None, timeout_s: float = TIMEOUT_S
) -> RoadNetwork:
    """The streets of a named place, as Nominatim knows it.

    The servers default to the environment's NARU_OVERPASS_URL and NARU_NOMINATIM_URL, else to osmnx's.
    Raises InputError if the place is unknown, has no drivable street, or a server cannot be reached or refuses.
    """
    import osmnx

    with _servers(overpass_url, nominatim_url, timeout_s, what=f"the place {place!r}"):
        area = osmnx.geocoder.geocode_to_gdf(place).union_all()
        return from_osmnx(osmnx.graph_from_polygon(area, network_type="drive", retain_all=True))


def download_box(
    *,
    west: float,
    south: float,
    east: float,
    north: float,
    overpass_url: str | None = None,
    timeout_s: float = TIMEOUT_S,
) -> RoadNetwork:
    """The streets in a box of degrees. Raises InputError as `download_place`, and for a box that is none."""
    import osmnx

    box = f"bbox:{west:g},{south:g},{east:g},{north:g}"
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(
            f"{box} is no box", expected="bbox:west,south,east,north in degrees, west < east, south < north"
        )
    with _servers(overpass_url, None, timeout_s, what=box):
        return from_osmnx(osmnx.graph_from_bbox((west, south, east, north), network_type="drive", retain_all=True))


def from_osmnx(graph: nx.MultiDiGraph) -> RoadNetwork:
    """The largest strongly connected part of an unprojected osmnx graph. Raises InputError if none can be driven."""
    at: dict[Any, Point] = {
        node: (round(float(data["y"]), 7), round(float(data["x"]), 7)) for node, data in graph.nodes(data=True)
    }
    found = StreetList(credit=CREDIT)
    for u, v, data in graph.edges(data=True):
        tags = {key: _first(value) for key, value in data.items() if isinstance(value, str | list)}
        if "highway" in tags and not is_drivable(tags):
            continue
        inner = data["geometry"].coords[1:-1] if "geometry" in data else ()
        line = (at[u], *((round(lat, 7), round(lon, 7)) for lon, lat, *_ in inner), at[v])
        metres = float(data["length"]) if "length" in data else length_m(line)
        road = tags.get("highway", "road")
        kmh = posted_kmh(_joined(data.get("maxspeed"))) or class_kmh(road)
        if float(data.get("travel_time") or 0) > 0 and metres > 0:
            kmh = metres / float(data["travel_time"]) * 3.6
        elif float(data.get("speed_kph") or 0) > 0:
            kmh = float(data["speed_kph"])
        name = tags.get("name") or tags.get("ref") or ""
        found.streets.append(Street(str(u), str(v), line, metres, kmh, road, name, forward=True, backward=False))
    return found.network()


def _first(value: str | list[Any]) -> str:
    """Where osmnx merged ways it keeps lists of their tags: the first one stands for all."""
    return value if isinstance(value, str) else str(value[0]) if value else ""


def _joined(value: Any) -> str:
    return ";".join(str(part) for part in value) if isinstance(value, list) else str(value or "")


@contextlib.contextmanager
def _servers(overpass_url: str | None, nominatim_url: str | None, timeout_s: float, *, what: str) -> Iterator[None]:
    """osmnx set to our servers and its errors made ours; all its settings are put back after.

    osmnx has no parameters for these, waits for minutes on a busy server, and pins the server's address for the whole
    process by replacing `socket.getaddrinfo`.
    """
    import osmnx
    import requests

    settings = osmnx.settings
    overpass = overpass_url or os.environ.get(OVERPASS_VARIABLE)
    nominatim = nominatim_url or os.environ.get(NOMINATIM_VARIABLE)
    ours: dict[str, Any] = {
        "use_cache": False,
        "requests_timeout": timeout_s,
        "requests_kwargs": {"hooks": {"response": _refuse_errors}},
        "overpass_rate_limit": overpass is None,
    }
    if overpass:
        ours["overpass_url"] = overpass.rstrip("/").removesuffix("/interpreter")
    if nominatim:
        ours["nominatim_url"] = nominatim
    before = {name: getattr(settings, name) for name in ours}
    lookup = socket.getaddrinfo
    for name, value in ours.items():
        setattr(settings, name, value)
    try:
        if overpass is None:  # osmnx would sleep a minute before it notices that nobody is there
            requests.get(f"{settings.overpass_url}/status", timeout=20)
        yield
    except requests.RequestException as error:
        server = _host(error.request.url if error.request is not None else None)
        trouble = "does not answer in time" if isinstance(error, requests.Timeout) else "cannot be reached"
        raise InputError(
            f"{what}: {server} {trouble}",
            expected=f"a running Overpass and Nominatim server ({OVERPASS_VARIABLE}, {NOMINATIM_VARIABLE})",
        ) from error
    except osmnx._errors.InsufficientResponseError as error:
        if "geocode" in str(error) or "Nominatim" in str(error):
            raise InputError(f"{what} is not known", expected="a place that Nominatim finds") from error
        raise InputError(f"{what}: no street that can be driven", expected="an area with drivable roads") from error
    except (osmnx._errors.ResponseStatusCodeError, ValueError, TypeError, KeyError) as error:
        # osmnx answers an unknown shape of place with a TypeError and an empty area with a ValueError
        if "geocode" in str(error):
            raise InputError(f"{what} is not known as an area", expected="a place with a boundary") from error
        raise InputError(f"{what}: no usable answer ({error})", expected="streets in Overpass JSON") from error
    finally:
        socket.getaddrinfo = lookup
        for name, value in before.items():
            setattr(settings, name, value)


def _refuse_errors(response: Any, *_: Any, **__: Any) -> None:
    """A response hook: say at once what osmnx would wait for and try again without end."""
    if response.status_code >= 400:
        raise InputError(
            f"{_host(response.url)} answers {response.status_code} {response.reason}",
            expected=f"a server that is not overloaded, or another one ({OVERPASS_VARIABLE})",
        )


def _host(url: str | bytes | None) -> str:
    return urllib.parse.urlsplit(str(url or "")).netloc or "the server"
