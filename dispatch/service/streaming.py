"""Server-sent events, written once for all who watch."""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

KEEP_ALIVE = b": still here\n\n"
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


def frame(data: bytes, *, event: str, id: str | None = None) -> bytes:  # noqa: A002 - its name in the standard
    """One event. `data` is JSON on one line."""
    name = b"" if id is None else b"id: " + id.encode() + b"\n"
    return name + b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"


def stream(frames: AsyncIterator[bytes]) -> StreamingResponse:
    """The answer that keeps sending frames."""
    return StreamingResponse(frames, media_type="text/event-stream", headers=HEADERS)
