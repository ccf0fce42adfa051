"""Messages leave the house by e-mail and text message, each at least once with an id, in the rider's language."""

from __future__ import annotations

import asyncio
import http.server
import json
import re
import threading
from pathlib import Path
from typing import Any

from dispatch.service.notices import WORDS
from tests.service.towns import served

GOT: list[dict[str, Any]] = []


class Gateway(http.server.BaseHTTPRequestHandler):
    """A text message gateway that is busy at first."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        GOT.append({**body, "header": self.headers["Naru-Id"], "signed": self.headers["Naru-Signature"]})
        self.send_response(503 if len(GOT) == 1 else 200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Quiet."""


async def mail_server(mails: list[str]) -> asyncio.Server:
    """The least of SMTP that a client needs."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            word = line.split()[0].upper() if line.split() else b""
            if word == b"DATA":
                writer.write(b"354 go on\r\n")
                mails.append((await reader.readuntil(b"\r\n.\r\n")).decode())
            elif word == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"250 ok\r\n")
        writer.close()

    return await asyncio.start_server(talk, "127.0.0.1", 0)


def test_words_are_there_in_both_languages() -> None:
    """The same messages, with the same values."""
    for kind, words in WORDS["en"].items():
        assert set(re.findall(r"{\w+}", words)) == set(re.findall(r"{\w+}", WORDS["ko"][kind])), kind


def test_by_mail_and_by_text_message(tmp_path: Path) -> None:
    """A gateway that is busy is asked again with the same id; a code never goes by mail."""
    gateway = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    mails: list[str] = []

    async def story() -> None:
        server = await mail_server(mails)
        settings = {
            "sms_url": f"http://127.0.0.1:{gateway.server_port}/sms", "sms_secret": "s" * 32,
            "smtp_host": "127.0.0.1", "smtp_port": server.sockets[0].getsockname()[1], "smtp_security": "none",
            "smtp_from": "naru@town.example",
        }  # fmt: skip
        async with server, served(tmp_path, settings=settings) as town:
            token = await town.rider()
            for _ in range(100):  # the code is written in the language that the rider had when it left
                if not GOT:
                    await asyncio.sleep(0.1)
            bad = {"email": "no address"}
            assert (await town.call("PUT", "/v1/me", bad, token=token)).status_code == 422
            me = {"email": "aiko@town.example", "language": "ko"}
            assert (await town.call("PUT", "/v1/me", me, token=token)).status_code == 200
            ride = await town.booked(token)
            for _ in range(100):
                await asyncio.sleep(0.1)
                if mails and len(GOT) >= 3:
                    break
            code, again, booked = GOT[:3] if GOT[0]["id"] == GOT[1]["id"] else (GOT[0], GOT[2], GOT[1])
            assert code["id"] == again["id"] == code["header"]
            assert code["text"].startswith("Your code is")
            assert code["to"] == "+6745550001"
            assert booked["text"].startswith(f"탑승 {ride['id']} 예약")
            assert booked["signed"].startswith("t=")
            assert len(mails) == 1
            assert "To: aiko@town.example" in mails[0]
            assert "Message-ID: <2026-03-03." in mails[0]

    try:
        asyncio.run(story())
    finally:
        gateway.shutdown()
        gateway.server_close()
