"""`naru map …` as a person calls it: files in, files out, one message for what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from routing.network import RoadNetwork
from simulator.cli import main
from tests.routing.extracts import osm_xml, real_extract

Naru = Callable[..., tuple[int, str, str]]


@pytest.fixture
def naru(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Naru:
    """Runs `naru map` with some words in an empty folder: (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> tuple[int, str, str]:
        status = main(["map", *(str(word) for word in words)])
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return run


def test_a_real_extract_from_import_to_page(naru: Naru) -> None:
    """Import says what was cut, stop points are found and checked, the page holds both."""
    status, out, err = naru("import", real_extract("Helsinki.osm.pbf"), "--out", "town.npz")
    assert status == 0
    assert "180 nodes, 347 directed edges" in out
    assert "© OpenStreetMap contributors" in out
    assert err.startswith("cut 38 nodes, 45 edges")
    status, out, err = naru(
        "stops", "town.npz", "--osm", real_extract("Helsinki.osm.pbf"), "--skip-far", "--out", "stops.csv"
    )
    assert (status, "91 stop points" in out) == (0, True)
    assert "1 stop points are farther than 150 m" in err
    assert naru("show", "town.npz", "--stops", "stops.csv", "--out", "town.html")[0] == 0
    assert "Hakaniemi" in Path("town.html").read_text(encoding="utf-8")


def test_json_is_one_object_and_nothing_else(naru: Naru) -> None:
    """What was cut is in the object too."""
    status, out, _ = naru("import", real_extract("Helsinki.osm.pbf"), "--out", "town.npz", "--json")
    assert status == 0
    figures = json.loads(out)
    assert (figures["nodes"], figures["cut_nodes"]) == (180, 38)


def test_a_csv_pair_is_imported(naru: Naru) -> None:
    """Two files with a comma between them; the map file loads as the same network."""
    Path("n.csv").write_text("node_id,lat,lon\na,1,1\nb,1,1.001\n")
    Path("e.csv").write_text("from_node,to_node,length_m,travel_time_s\na,b,111,9\nb,a,111,9\n")
    assert naru("import", "n.csv,e.csv", "--out", "town.npz")[0] == 0
    assert RoadNetwork.load("town.npz").time_ms.tolist() == [9000, 9000]


def test_shipped_maps_are_known_by_name(naru: Naru) -> None:
    """Stop points and page of a shipped town without any file."""
    status, out, _ = naru("stops", "nauru", "--walk", "400", "--out", "stops.csv")
    assert status == 0
    assert "100% of the streets" in out
    assert naru("show", "nauru", "--stops", "stops.csv", "--out", "nauru.html")[0] == 0
    assert sorted(path.name for path in Path().iterdir()) == ["nauru.html", "stops.csv"]


WRONG = {
    "import": [
        (("gone.osm.pbf",), "gone.osm.pbf: does not exist"),
        (("gone.xml",), "gone.xml: does not exist; expected a .osm"),
        (("words.txt",), "words.txt: is no kind of map"),
        (("words.npz",), "words.npz: is damaged or not a map"),
        (("one.csv",), "1 CSV files; expected two"),
        (("one.csv,gone.csv",), "one.csv:1: node_id: column node_id is missing"),
        (("bbox:1,2,3",), "no box; expected bbox:west,south,east,north"),
        (("bbox:3,3,1,1",), "no box"),
        (("  ",), "no map is named"),
        (("paths.osm",), "paths.osm: no street that can be driven"),
        (("town.osm", "--out", "no/folder.npz"), "no/folder.npz: cannot be written"),
    ],
    "stops": [
        (
            ("atlantis", "--count", "3"),
            "atlantis: does not exist; expected a file that `naru map import` wrote, or coquimbo",
        ),
        (("nauru",), "not one source of stop points"),
        (("nauru", "--count", "3", "--gtfs", "x"), "not one source of stop points"),
        (("nauru", "--count", "-3"), "count: -3"),
        (("nauru", "--csv", "far.csv"), "stop point 'church' at (10.000000, 10.000000) is farther than 150 m"),
        (("nauru", "--csv", "swapped.csv"), "swapped.csv:2: lat: 166.9 is no latitude; lat and lon look swapped"),
    ],
    "show": [
        (("words.npz",), "words.npz: is damaged or not a map"),
        (("nauru", "--stops", "gone.csv"), "gone.csv: cannot be read"),
        (("nauru", "--out", "no/folder.html"), "no/folder.html: cannot be written"),
    ],
}


@pytest.mark.parametrize(
    ("command", "words", "message"),
    [(command, *case) for command, cases in WRONG.items() for case in cases],
    ids=[f"{command} {' '.join(words)}" for command, cases in WRONG.items() for words, _ in cases],
)
def test_wrong_input_is_one_message_and_no_file(naru: Naru, command: str, words: tuple[str, ...], message: str) -> None:
    """Exit code 2, one line on stderr, nothing on stdout, nothing written."""
    Path("words.txt").write_text("hello")
    Path("words.npz").write_text("hello")
    Path("one.csv").write_text("hello")
    Path("far.csv").write_text("stop_id,lat,lon\nchurch,10,10\n")
    Path("swapped.csv").write_text("stop_id,lat,lon\ns,166.9,-0.5\n")
    nodes = {1: (0.0, 0.0), 2: (0.0, 0.001)}
    Path("paths.osm").write_text(osm_xml(nodes, [([1, 2], "highway=footway")]))
    Path("town.osm").write_text(osm_xml(nodes, [([1, 2], "highway=residential")]))
    before = sorted(path.name for path in Path().iterdir())
    status, out, err = naru(command, *words, *(() if "--out" in words else ("--out", "result")))
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in Path().iterdir()) == before
