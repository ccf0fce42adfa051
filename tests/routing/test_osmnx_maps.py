"""GraphML from osmnx, and downloads from a stand-in that speaks Overpass and Nominatim."""

import socket
from collections.abc import Iterator
from pathlib import Path

import osmnx
import pytest

from routing.errors import InputError
from routing.import_map import import_map
from routing.network import RoadNetwork
from routing.osmnx_maps import download_box, download_place, from_osmnx, read_graphml
from tests.routing.overpass import StandIn

BOX = {"west": -0.01, "south": -0.01, "east": 0.01, "north": 0.01}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A running stand-in, which the environment names as both servers."""
    stand_in = StandIn()
    monkeypatch.setenv("NARU_OVERPASS_URL", stand_in.url)
    monkeypatch.setenv("NARU_NOMINATIM_URL", stand_in.url)
    monkeypatch.setattr("time.sleep", lambda _: None)  # osmnx waits a second before each place name
    yield stand_in
    stand_in.shutdown()
    stand_in.server_close()


def is_the_town(network: RoadNetwork) -> bool:
    """The stand-in's ring with its shortcut; the one-way dead end is cut."""
    names = {network.names[i] for i in network.name}
    one_way = network.edges_between(network.index["4"], network.index["2"])
    fast = network.edges_between(network.index["2"], network.index["4"])
    kmh = max(network.length_m[e] / network.time_ms[e] * 3600 for e in fast)
    return names == {"Ring", "High Street"} and len(fast) == len(one_way) + 1 and kmh == pytest.approx(72, rel=0.01)


def test_a_box_is_downloaded(server: StandIn) -> None:
    """Streets, names, one-ways and speeds arrive; Overpass was asked for streets to drive; the dead end is cut."""
    network = download_box(**BOX)
    assert is_the_town(network)
    assert network.cut.nodes == 1
    assert '["highway"]' in server.queries[0]
    assert "OpenStreetMap" in network.credit


def test_a_place_is_found_and_downloaded(server: StandIn) -> None:
    """Nominatim is asked for the name, Overpass for its area; the command's two forms lead to the same."""
    assert is_the_town(download_place("Testville"))
    assert server.queries[0] == "Testville"
    assert is_the_town(import_map("Testville"))
    assert is_the_town(import_map("bbox:-0.01,-0.01,0.01,0.01"))


@pytest.mark.parametrize("suffix", ["", "/", "/interpreter"])
def test_the_server_may_be_named_as_people_name_it(
    server: StandIn, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """With or without the last part of its address, as an argument instead of the environment."""
    monkeypatch.delenv("NARU_OVERPASS_URL")
    assert is_the_town(download_box(**BOX, overpass_url=server.url + suffix))


@pytest.mark.parametrize(
    ("place", "message"),
    [("Atlantis", "the place 'Atlantis' is not known"), ("Pointville", "'Pointville' is not known as an area")],
)
@pytest.mark.usefixtures("server")
def test_unknown_places_are_said(place: str, message: str) -> None:
    """A name that nobody knows, or that is only a point on the map."""
    with pytest.raises(InputError, match=message):
        download_place(place)


@pytest.mark.parametrize("status", [400, 429, 500, 504])
def test_a_server_that_refuses_is_said_at_once(server: StandIn, status: int) -> None:
    """osmnx alone would wait a minute and ask again, for ever."""
    server.status = status
    with pytest.raises(InputError, match=f"127.0.0.1:\\d+ answers {status}"):
        download_box(**BOX)


def test_an_area_without_streets_is_said(server: StandIn) -> None:
    """Overpass answers, with nothing."""
    server.elements = []
    with pytest.raises(InputError, match="no street that can be driven"):
        download_box(**BOX)


def test_an_answer_that_is_no_map_is_said(server: StandIn) -> None:
    """A proxy's login page, say."""
    server.elements = None
    with pytest.raises(InputError, match=r"no street that can be driven|no usable answer"):
        download_box(**BOX)


@pytest.mark.usefixtures("server")
def test_a_server_that_is_down_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody listens on the port: one message, for Overpass and for Nominatim."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(InputError, match=r"bbox:.*127.0.0.1:\d+ cannot be reached; expected a running Overpass"):
        download_box(**BOX, overpass_url=url)
    monkeypatch.setenv("NARU_NOMINATIM_URL", url)
    with pytest.raises(InputError, match=r"'Testville': 127.0.0.1:\d+ cannot be reached"):
        download_place("Testville")


def test_osmnx_is_left_as_it_was(server: StandIn) -> None:
    """Its settings, and the name look-up that it replaces, are put back, after a failure too."""
    before = (osmnx.settings.overpass_url, osmnx.settings.requests_timeout, socket.getaddrinfo)
    download_box(**BOX)
    server.status = 500
    with pytest.raises(InputError):
        download_box(**BOX)
    assert before == (osmnx.settings.overpass_url, osmnx.settings.requests_timeout, socket.getaddrinfo)


@pytest.mark.parametrize("box", [(5, 5, 1, 1), (-200, 0, 1, 1), (0, 0, 0, 0), (0, 91, 1, 92), (float("nan"), 0, 1, 1)])
def test_a_box_that_is_none_is_refused(box: tuple[float, float, float, float]) -> None:
    """West beyond east, off the earth, without size, not a number: no server is asked."""
    west, south, east, north = box
    with pytest.raises(InputError, match="is no box"):
        download_box(west=west, south=south, east=east, north=north)


def test_graphml_gives_the_same_network(server: StandIn, tmp_path: Path) -> None:
    """What osmnx saved is read as if it were downloaded now, projected or not, simplified or not."""
    osmnx.settings.overpass_url, before = server.url, osmnx.settings.overpass_url
    osmnx.settings.use_cache = osmnx.settings.overpass_rate_limit = False
    try:
        box = tuple(BOX.values())
        graphs = {
            simplify: osmnx.graph_from_bbox(box, network_type="drive", simplify=simplify) for simplify in (True, False)
        }
    finally:
        osmnx.settings.overpass_url = before
        osmnx.settings.use_cache = osmnx.settings.overpass_rate_limit = True
    simple = graphs[True]
    for name, graph in {"plain": simple, "projected": osmnx.projection.project_graph(simple)}.items():
        osmnx.save_graphml(graph, tmp_path / f"{name}.graphml")
        assert is_the_town(read_graphml(tmp_path / f"{name}.graphml"))
    timed = osmnx.routing.add_edge_travel_times(osmnx.routing.add_edge_speeds(simple, fallback=20))
    for u, v, key in timed.edges:
        timed.edges[u, v, key]["travel_time"] = 7.5
    osmnx.save_graphml(timed, tmp_path / "timed.graphml")
    assert set(read_graphml(tmp_path / "timed.graphml").time_ms.tolist()) == {7500}
    assert from_osmnx(graphs[False]).nodes == 4


@pytest.mark.parametrize("content", [None, b"", b"words", b"<graphml/>", b"<graphml><graph", b"PK\x03\x04"])
def test_damaged_graphml_is_one_message(tmp_path: Path, content: bytes | None) -> None:
    """Missing, empty, cut short or something else."""
    if content is not None:
        (tmp_path / "town.graphml").write_bytes(content)
    with pytest.raises(InputError, match=r"town\.graphml: .*expected a GraphML file that osmnx saved"):
        read_graphml(tmp_path / "town.graphml")


def test_graphml_from_elsewhere_is_one_message(tmp_path: Path) -> None:
    """A graph that is no street network lacks what osmnx writes."""
    import networkx as nx

    nx.write_graphml(nx.path_graph(3), tmp_path / "town.graphml")
    with pytest.raises(InputError, match=r"town\.graphml: .*expected"):
        read_graphml(tmp_path / "town.graphml")
