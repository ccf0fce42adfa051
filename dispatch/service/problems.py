"""Everything that can go wrong in a call, as problem+json (RFC 9457): a stable code, and a sentence for a person.

No answer repeats what was sent, so an input that cannot be written (NaN, lone surrogates, ten megabytes) cannot make
the answer fail either.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from starlette.exceptions import HTTPException

from dispatch.service.decisions import Refused
from dispatch.service.store import NotLeader, StoreDown

MEDIA_TYPE = "application/problem+json"

CODES: Mapping[str, tuple[int, str]] = {
    # the call itself
    "bad_request": (400, "The request could not be read. It must be JSON in UTF-8, as the API's description says."),
    "invalid": (422, "Something in the request cannot be used."),
    "too_large": (413, "The request is larger than anything this service takes."),
    "unsupported_type": (415, "The request must have the content type application/json."),
    "not_found": (404, "There is nothing here."),
    "method_not_allowed": (405, "That cannot be done here."),
    "too_many_calls": (429, "Too many calls. Please wait a moment and try again."),
    # who calls
    "no_token": (401, "Please sign in first."),
    "bad_token": (401, "The sign-in is not valid, or has expired. Please sign in again."),
    "wrong_role": (403, "This is not open to you."),
    "wrong_zone": (403, "You are signed in for another zone."),
    "wrong_code": (401, "That code is not right, or has expired."),
    "wrong_pin": (401, "Driver and PIN do not fit together."),
    # riders
    "unknown_stop": (422, "There is no such stop point."),
    "outside_zone": (422, "That place lies outside the zone: no stop point is within a walk."),
    "same_place": (422, "Start and goal have the same stop point: the way is a walk."),
    "time_past": (422, "That time has passed."),
    "time_beyond": (422, "That is farther ahead than rides can be booked."),
    "two_times": (422, "Name a departure or an arrival, not both."),
    "party_too_large": (422, "The party is larger than one booking may be."),
    "too_many_wheelchairs": (422, "There are more wheelchairs than people."),
    "no_such_request": (404, "There is no such request of yours."),
    "no_such_ride": (404, "There is no such ride of yours."),
    "bad_quote": (422, "That is not an offer of this service."),
    "not_your_quote": (403, "That offer was made to somebody else."),
    "quote_expired": (410, "The offer has expired. Please ask again: the new one is a moment away."),
    "quote_gone": (409, "The place was given to somebody else just now. Please ask again: other ways will be shown."),
    "already_answered": (409, "That request has its answer already."),
    "key_missing": (400, "The header Idempotency-Key is missing: it keeps a double tap from booking twice."),
    "key_reused": (422, "That Idempotency-Key was used for another call."),
    "too_late_to_cancel": (409, "The ride can no longer be cancelled: it has begun or is over."),
    "not_yet_over": (409, "That can be said once the ride is over."),
    "not_aboard": (409, "The shuttle is only shown while the ride is ahead or under way."),
    "no_such_rider": (404, "There is no such rider."),
    "stop_closed": (422, "That stop point is closed just now."),
    "too_late_to_change": (409, "The ride can no longer be changed: it has begun, is over or was never booked."),
    "change_not_possible": (409, "The ride cannot be changed so. It stays as it was booked."),
    "back_before": (422, "The way back begins before the way there."),
    "no_service": (422, "There is no service on that day."),
    "too_many_templates": (409, "That is more recurring rides than one rider may have."),
    "no_such_date": (422, "The recurring ride does not fall on that date."),
    "no_such_template": (404, "There is no such recurring ride of yours."),
    "no_push": (404, "This service sends no messages to browsers."),
    "no_such_device": (404, "There is no such device of yours."),
    "suspended": (403, "Booking is closed for you for a while, because rides were missed without a word."),
    # drivers
    "no_such_shift": (404, "There is no such shift of yours."),
    "no_such_driver": (404, "There is no such driver."),
    "shift_not_open": (409, "The shift is over, or the shuttle is out of service."),
    "shift_taken": (409, "Somebody else works that shift."),
    "still_aboard": (409, "Riders are still aboard, or still to be picked up."),
    "not_driving": (409, "The shuttle is not driving."),
    "already_driving": (409, "The shuttle is driving already."),
    "nowhere_to_go": (409, "There is nowhere to drive to."),
    "not_there": (409, "The shuttle does not stand at that rider's stop point."),
    "not_on_your_plan": (409, "That ride is not on this shuttle's plan."),
    "wrong_boarding_code": (409, "That is not the code of this ride."),
    "too_early": (409, "The rider was promised a later time."),
    "no_break_now": (409, "There is no room for a break soon: riders are aboard, or were promised to be fetched."),
    "break_planned": (409, "A break is planned already."),
    "clock_wrong": (422, "The time of the event lies too far from the service's own."),
    # operators
    "no_such_shuttle": (404, "There is no such shuttle."),
    "still_planned": (409, "The shuttle's plan reaches beyond that time: move its rides off it first."),
    "lent_out": (409, "The shuttle is lent to or from another zone at that time."),
    "lent_outside": (422, "A shuttle can be lent to another zone for hours of its own shift that are still to come."),
    "no_such_edge": (422, "There is no such street on this map."),
    "no_street_there": (422, "No street lies there."),
    "not_possible": (409, "The shuttle cannot carry that ride and keep all promises."),
    "acted_meanwhile": (409, "Another operator has acted on this in the meantime. Look at what was done, then decide."),
    "ride_not_open": (409, "The ride is over, or was never booked."),
    "nothing_to_change": (409, "It is so already."),
    "no_such_trial": (404, "There is no such trial."),
    "trial_known": (409, "A trial of that name is known already."),
    "trial_overlaps": (409, "Another trial's schedule lies in those days."),
    "plan_unreadable": (422, "That is not the plan of a switchback, as `naru trial plan` writes it."),
    "plan_altered": (422, "The plan was altered after it was written: its hash does not fit."),
    "stop_known": (409, "There is such a stop point already."),
    "off_the_streets": (422, "No street lies near that place."),
    "no_such_moment": (404, "The log does not reach back to that moment."),
    "no_such_day": (404, "No log of that day is known."),
    "log_unreadable": (409, "The log of that day cannot be read."),
    "other_map": (409, "That day was served on another map, or with stop points that the zone's file has no more."),
    "no_such_result": (404, "There is no such result."),
    "no_such_complaint": (404, "There is no such complaint."),
    "paused": (409, "The zone is paused: no new rides are taken just now."),
    # the service
    "store_down": (503, "The service cannot keep anything just now. Nothing was done; please try again in a moment."),
    "not_leader": (503, "Another server is answering for this zone. Please try again in a moment."),
    "busy": (503, "Too many people ask at the same moment. Please try again in a few seconds."),
    "starting": (503, "The service is starting. Please try again in a moment."),
    "defect": (500, "Something is wrong in the service itself; it has been noted."),
}
"""code: (status, what it says)"""

_log = logging.getLogger("naru.service")


class ProblemDetail(BaseModel):
    """problem+json as every error of this API is answered."""

    type: str = Field(description="`/problems/` and the code", examples=["/problems/quote_expired"])
    code: str = Field(description="stable; branch on this")
    title: str = Field(description="a sentence for a person")
    status: int
    fields: list[str] | None = Field(default=None, description="which parts of the request, and what was expected")
    why: dict[str, Any] | None = Field(
        default=None, description="of a change that is not possible: its receipt, a `Why`"
    )
    instance: str | None = Field(default=None, description="number of the defect in the service's log")


class Problem(Exception):  # noqa: N818 - the name RFC 9457 gives it
    """Ends a call with one of `CODES`. `fields` are parts of the API's own words, never of what was sent."""

    def __init__(
        self,
        code: str,
        *,
        fields: list[str] | None = None,
        title: str | None = None,
        headers: Mapping[str, str] | None = None,
        why: dict[str, Any] | None = None,
        instance: str | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.status, self.title = CODES[code]
        self.title = title or self.title
        self.fields = fields
        self.why = why
        self.instance = instance
        self.headers = dict(headers or {})
        if self.status == 401:
            self.headers.setdefault("WWW-Authenticate", "Bearer")
        elif self.status in (429, 503):
            self.headers.setdefault("Retry-After", "2")

    def response(self) -> JSONResponse:
        """The answer."""
        detail = ProblemDetail(
            type=f"/problems/{self.code}",
            code=self.code,
            title=self.title,
            status=self.status,
            fields=self.fields,
            why=self.why,
            instance=self.instance,
        )
        body = detail.model_dump(exclude_none=True)
        return JSONResponse(body, self.status, headers=self.headers, media_type=MEDIA_TYPE)


def refuse(code: str) -> Refused:
    """The problem of this code, raised from within a decision."""
    return Refused(code, CODES[code][1])


def answers(*codes: str, frames: str | None = None) -> dict[int | str, dict[str, Any]]:
    """For a route's OpenAPI: these problems, and those that all have; `frames`: what its stream is made of."""
    by_status: dict[int, list[str]] = {}
    for code in ("bad_request", "invalid", "too_large", "too_many_calls", "store_down", *codes):
        by_status.setdefault(CODES[code][0], []).append(code)
    found: dict[int | str, dict[str, Any]] = {
        status: {
            "description": ", ".join(names),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetail"}}},
        }
        for status, names in sorted(by_status.items())
    }
    if frames is not None:
        found[200] = {"description": f"server-sent events, each a `{frames}`", "content": {"text/event-stream": {}}}
    return found


def install(app: FastAPI) -> None:
    """Every way out of the app that is not an answer becomes a problem."""

    async def problem(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return error.response()

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        found = [_field(one) for one in error.errors()[:10]]
        if any(one.get("type") == "json_invalid" for one in error.errors()):
            return Problem("bad_request").response()
        return Problem("invalid", fields=found).response()

    async def http(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        codes = {400: "bad_request", 404: "not_found", 405: "method_not_allowed", 413: "too_large"}
        code = codes.get(error.status_code, "bad_request" if error.status_code < 500 else "defect")
        return Problem(code, headers=error.headers).response()

    async def defect(request: Request, error: Exception) -> JSONResponse:
        number = secrets.token_hex(6)
        _log.error("defect", exc_info=error, extra={"defect": number, "route": _route(request)})
        return Problem("defect", instance=number).response()

    async def away(_: Request, error: Exception) -> JSONResponse:
        return Problem("not_leader" if isinstance(error, NotLeader) else "store_down").response()

    app.add_exception_handler(Problem, problem)
    for kind in (RedisError, StoreDown, NotLeader):
        app.add_exception_handler(kind, away)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, defect)


def _route(request: Request) -> str:
    route = request.scope.get("route")
    return getattr(route, "path", "?")


_EXPECTED = {
    "missing": "is missing",
    "extra_forbidden": "holds a field that is not known",
    "string_unicode": "must be text that UTF-8 can hold",
    "finite_number": "must be a finite number",
}


def _field(error: Mapping[str, Any]) -> str:
    """`body.seats: must be at most 6`: where, in our own words, and what was expected; never what was sent."""
    kind = str(error.get("type", ""))
    path = [part for part in error.get("loc", ()) if isinstance(part, str | int)]
    if kind == "extra_forbidden" or (kind.startswith("string") and path and path[-1] == "[key]"):
        path = path[:-1]
    where = ".".join(str(part) if _ours(part) else "…" for part in path)
    context = error.get("ctx") or {}
    limits = {"greater_than_equal": "ge", "less_than_equal": "le", "greater_than": "gt", "less_than": "lt"}
    if kind in limits:
        sign = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}[limits[kind]]
        return f"{where}: must be {sign} {context.get(limits[kind])}"
    if kind == "literal_error":
        return f"{where}: must be {context.get('expected')}"
    if kind in ("string_too_long", "too_long"):
        return f"{where}: must be no longer than {context.get('max_length')}"
    if kind in ("string_too_short", "too_short"):
        return f"{where}: must be no shorter than {context.get('min_length')}"
    if kind == "value_error":
        return f"{where}: {context.get('error')}"
    return f"{where}: {_EXPECTED.get(kind, kind.replace('_', ' '))}"


def _ours(part: str | int) -> bool:
    """A part of a path that is a name of the API's own (or an index), not a key that was sent."""
    return isinstance(part, int) or (part.isidentifier() and part.isascii() and len(part) <= 40)
