"""What a town calls most, answered without the framework: a rider asks for quotes, and takes one.

What the framework does for a call (dependencies, routing, its own validation of what we made ourselves) takes longer
than all that we do. So these two calls come straight to the functions that the routes have too. Whatever is unusual
about one, a body that is not valid, an operator's call, a query, goes on to the framework, which has the words for it.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.service import rides
from dispatch.service.auth import admit, identified
from dispatch.service.callers import KEY, For
from dispatch.service.live import Live
from dispatch.service.models import BookingAsk, JourneyAsk
from dispatch.service.problems import Problem

Headers = dict[bytes, bytes]
Answered = tuple[BaseModel, Response]
Answer = Callable[[Live, For, BaseModel, Headers], Awaitable[Answered]]
_key = re.compile(KEY)


async def _quotes(live: Live, who: For, asked: BaseModel, _: Headers) -> Answered:
    assert isinstance(asked, JourneyAsk)
    return await rides.quotes(asked, who, live), Response()


async def _book(live: Live, who: For, asked: BaseModel, headers: Headers) -> Answered:
    assert isinstance(asked, BookingAsk)
    key, response = headers.get(b"idempotency-key"), Response()
    return await rides.book(asked, who, live, response, None if key is None else key.decode("latin-1")), response


CALLS: dict[str, tuple[type[BaseModel], Answer, float]] = {
    "/v1/quotes": (JourneyAsk, _quotes, 1.0),
    "/v1/bookings": (BookingAsk, _book, 2.0),
}
"""path: (what is asked, who answers, for how many seconds at most it may wait): who has an offer comes first"""
_routes = {route.path: route for route in rides.router.routes if isinstance(route, APIRoute) and route.path in CALLS}


class Direct:
    """ASGI middleware right before the framework."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = CALLS.get(scope.get("path", "")) if scope["type"] == "http" and scope["method"] == "POST" else None
        live: Live | None = None if call is None else getattr(scope["app"].state, "live", None)
        if call is None or live is None or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        kind, answer, patience_s = call
        live.crowd.enter(patience_s)
        try:
            await self._answer(kind, answer, live, scope, receive, send)
        finally:
            live.crowd.leave()

    async def _answer(
        self, kind: type[BaseModel], answer: Answer, live: Live, scope: Scope, receive: Receive, send: Send
    ) -> None:
        headers = dict(scope["headers"])
        body = await _body(receive)
        asked = _read(kind, headers, body)
        caller = None if asked is None else identified(live, headers.get(b"authorization", b"").decode("latin-1"))
        if asked is None or caller is None or caller.role != "rider":
            await self._app(scope, _again(body, receive), send)
            return
        admit(live, caller, ("rider",))
        who = For(caller.role, caller.subject, caller.zone, caller.expires, caller.subject)
        try:
            said, more = await answer(live, who, asked, headers)
        except RedisError:
            raise Problem("store_down") from None
        content = said.model_dump_json().encode()
        scope["route"] = _routes[scope["path"]]  # figures go by it
        replayed = more.headers.get("idempotent-replayed")
        told = [(b"content-length", b"%d" % len(content)), (b"content-type", b"application/json")]
        if replayed is not None:
            told.append((b"idempotent-replayed", replayed.encode()))
        await send({"type": "http.response.start", "status": 201, "headers": told})
        await send({"type": "http.response.body", "body": content})


def _read(kind: type[BaseModel], headers: Headers, body: bytes) -> BaseModel | None:
    """What is asked; None: the framework shall say what is wrong with it."""
    key = headers.get(b"idempotency-key")
    if key is not None and not _key.fullmatch(key.decode("latin-1")):
        return None
    try:
        return kind.model_validate_json(body)
    except (ValidationError, ValueError):
        return None


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        try:
            message = await receive()
        except HTTPException:  # more came than was announced
            raise Problem("too_large") from None
        if message["type"] == "http.disconnect":
            raise Problem("bad_request")
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _again(body: bytes, receive: Receive) -> Receive:
    """The call's body once more, and then what else comes."""
    told = False

    async def replayed() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
