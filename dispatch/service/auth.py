"""Who calls: bearer tokens (JWT, HS256) with a role, scoped to a zone."""

from __future__ import annotations

import hmac
import secrets
import time
from hashlib import sha256
from typing import Annotated, Literal, get_args

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from msgspec import Struct

from dispatch.service.live import Live, live_of
from dispatch.service.problems import Problem
from dispatch.service.settings import Keys

Role = Literal["rider", "driver", "operator", "planner"]
ROLES: tuple[Role, ...] = get_args(Role)
ISSUER = "naru"
AUDIENCE = "naru-api"
ALGORITHM = "HS256"
CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""of references that people read to each other: nothing that looks like something else"""


class Identity(Struct, frozen=True):
    """Whose token it is."""

    role: Role
    subject: str
    zone: str
    expires: int
    """seconds since 1970"""


def create_token(keys: Keys, role: Role, subject: str, zone: str, *, hours: float, now: float | None = None) -> str:
    """A signed token. Tokens live in real time, whatever clock riders are served by."""
    issued = int(time.time() if now is None else now)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": subject,
        "role": role,
        "zone": zone,
        "iat": issued,
        "exp": issued + round(hours * 3600),
        "jti": secrets.token_hex(8),
    }
    return jwt.encode(claims, keys.token, ALGORITHM)


def read_token(keys: Keys, token: str) -> Identity:
    """The identity that a token proves. Raises Problem `bad_token`."""
    for key in (keys.token, *keys.old_tokens):
        try:
            claims = jwt.decode(
                token,
                key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                options={"require": ["exp", "iat", "sub", "aud", "iss"]},
            )
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError):
            break
        role, zone = claims.get("role"), claims.get("zone")
        if role not in ROLES or not isinstance(zone, str):
            break
        return Identity(role, claims["sub"], zone, int(claims["exp"]))
    raise Problem("bad_token")


class Allowed(HTTPBearer):
    """A dependency that lets these roles in, and counts the person's calls.

    It is the security scheme itself, not a function that depends on it: what FastAPI does for each dependency of a call
    costs more than what is done here.
    """

    def __init__(self, *roles: Role) -> None:
        what = "A token of `naru token create`, or of a sign-in"
        super().__init__(auto_error=False, scheme_name="HTTPBearer", description=what)
        self._roles = roles

    async def __call__(self, request: Request) -> Identity:  # type: ignore[override]
        """Whose token it is. Raises Problem."""
        authorization = request.headers.get("authorization", "")
        if not authorization:
            raise Problem("no_token")
        live = await live_of(request)
        caller = identified(live, authorization)
        admit(live, caller, self._roles)
        return caller


def identified(live: Live, authorization: str) -> Identity:
    """Who calls, by the header of this name: a caller of this zone. Raises Problem."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem("no_token")
    identity: Identity | None = live.identities.get(token)
    if identity is None or identity.expires <= time.time():
        identity = read_token(live.keys, token)
        live.remember(token, identity)
    if identity.zone != live.area.name:
        raise Problem("wrong_zone")
    return identity


def admit(live: Live, caller: Identity, roles: tuple[Role, ...]) -> None:
    """Let these roles in, and count the person's call. Raises Problem."""
    if caller.role not in roles:
        raise Problem("wrong_role")
    live.persons.take(f"{caller.role}:{caller.subject}")


RiderCaller = Annotated[Identity, Depends(Allowed("rider"))]
RiderOrDesk = Annotated[Identity, Depends(Allowed("rider", "operator"))]
DriverCaller = Annotated[Identity, Depends(Allowed("driver"))]
OperatorCaller = Annotated[Identity, Depends(Allowed("operator"))]
StaffCaller = Annotated[Identity, Depends(Allowed("operator", "planner"))]


def sealed(keys: Keys, purpose: str, what: bytes) -> bytes:
    """What proves that these bytes are ours, for one purpose."""
    return hmac.new(keys.token, purpose.encode() + b"\0" + what, sha256).digest()


def boarding_code(keys: Keys, ride: str) -> str:
    """Four figures that a rider shows and a driver may enter; the same on every server."""
    return f"{int.from_bytes(sealed(keys, 'boarding', ride.encode())[:4], 'big') % 10_000:04}"


def reference(length: int = 8) -> str:
    """A new name that people can read to each other: 5 bits of chance a letter."""
    return "".join([CODE_ALPHABET[byte % 32] for byte in secrets.token_bytes(length)])
