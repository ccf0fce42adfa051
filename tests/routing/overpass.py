"""A stand-in for Overpass and Nominatim on this machine, serving one small town."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

CORNERS = {1: (0.0, 0.0), 2: (0.0, 0.001), 3: (0.001, 0.001), 4: (0.001, 0.0), 5: (0.0, 0.002)}
WAYS: list[tuple[list[int], dict[str, str]]] = [
    ([1, 2, 3, 4, 1], {"highway": "residential", "name": "Ring"}),
    ([2, 4], {"highway": "primary", "name": "High Street", "maxspeed": "72", "oneway": "yes"}),
    ([2, 5], {"highway": "residential", "oneway": "yes"}),
]
AREA = {
    "type": "Polygon",
    "coordinates": [[[-0.01, -0.01], [0.01, -0.01], [0.01, 0.01], [-0.01, 0.01], [-0.01, -0.01]]],
}


class StandIn(ThreadingHTTPServer):
    """Listens on a free port of this machine. `status` and `elements` may be changed to make it ill."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.status = 200
        self.elements: list[dict[str, Any]] | None = [
            *({"type": "node", "id": i, "lat": lat, "lon": lon} for i, (lat, lon) in CORNERS.items()),
            *({"type": "way", "id": i, "nodes": nodes, "tags": tags} for i, (nodes, tags) in enumerate(WAYS)),
        ]
        self.queries: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class _Answers(BaseHTTPRequestHandler):
    server: StandIn

    def do_GET(self) -> None:
        """Nominatim: one town is known; of a second only a point."""
        query = parse_qs(urlsplit(self.path).query).get("q", [""])[0]
        self.server.queries.append(query)
        point = {"type": "Point", "coordinates": [0, 0]}
        shape = {"Testville": AREA, "Pointville": point}.get(query)
        place = {"geojson": shape, "lat": "0", "lon": "0", "boundingbox": ["-1", "1", "-1", "1"], "display_name": query}
        place |= {"place_rank": 16, "category": "boundary", "type": "city", "importance": 1, "addresstype": "city"}
        place |= {"osm_type": "relation", "osm_id": 1, "name": query}
        self._answer([place] if shape else [])

    def do_POST(self) -> None:
        """Overpass: the same streets whatever the box."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.queries.append(parse_qs(body)["data"][0])
        self._answer({"elements": self.server.elements} if self.server.elements is not None else "not a map")

    def _answer(self, content: Any) -> None:
        body = content.encode() if isinstance(content, str) else json.dumps(content).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Quiet."""
