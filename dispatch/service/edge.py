"""The edge of the service: how large and of which kind a call may be, how often, and what every answer carries."""

from __future__ import annotations

import logging
import time

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.service.metrics import Calls
from dispatch.service.problems import Problem

BODY_BYTES = 256 * 1024
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
CSP = b"default-src 'none'; frame-ancestors 'none'"
_log = logging.getLogger("naru.calls")


class Edge:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, calls: Calls, *, development: bool, trust_proxy: bool) -> None:
        self._app = app
        self._calls = calls
        self._extra = [
            *HEADERS,
            *([(b"x-naru-development", b"sign-in codes are told to anyone")] if development else []),
        ]
        self._trust_proxy = trust_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 0
        got = 0

        async def limited() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > BODY_BYTES:
                raise HTTPException(413)  # the one kind of error that a body's reader lets through
            return message

        async def answered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                names = {name for name, _ in headers}
                headers += [pair for pair in self._extra if pair[0] not in names]
                if b"content-security-policy" not in names:
                    headers.append((b"content-security-policy", CSP))
                if b"cache-control" not in names:
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
                self._note(scope, status, time.perf_counter() - began)
            await send(message)

        try:
            self._check(scope)
            await self._app(scope, limited, answered)
        except Problem as problem:
            await problem.response()(scope, receive, answered)

    def _check(self, scope: Scope) -> None:
        """Raises Problem for what need not be read."""
        headers = {name.lower(): value for name, value in scope["headers"]}
        live = getattr(scope["app"].state, "live", None) if "app" in scope else None
        if live is not None:
            live.addresses.take(self._address(scope, headers))
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or len(length) > 15:
            raise Problem("bad_request")
        if int(length) > BODY_BYTES:
            raise Problem("too_large", headers={"Connection": "close"})
        has_body = int(length) > 0 or b"transfer-encoding" in headers
        kind = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
        if has_body and scope["method"] in ("POST", "PUT", "PATCH", "DELETE") and kind != b"application/json":
            raise Problem("unsupported_type")

    def _address(self, scope: Scope, headers: dict[bytes, bytes]) -> str:
        if self._trust_proxy and b"x-forwarded-for" in headers:
            return headers[b"x-forwarded-for"].rsplit(b",", 1)[-1].strip().decode("latin-1")[:64]
        client = scope.get("client")
        return "local" if client is None else str(client[0])

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "unknown")
        self._calls.note(scope["method"] if scope["method"] in _METHODS else "other", route, status, seconds)
        said = {"route": route, "method": scope["method"][:10], "status": status, "ms": round(seconds * 1000, 1)}
        _log.log(logging.WARNING if status >= 500 else logging.DEBUG, "answered", extra=said)


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
