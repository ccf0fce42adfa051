"""Who calls: bearer tokens (JWT, HS256) with a role, scoped to a zone."""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Annotated, Literal, get_args

import jwt
from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from msgspec import Struct

from dispatch.service.live import live_of
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


_bearer = HTTPBearer(auto_error=False, description="A token of `naru token create`, or of a sign-in")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


def allow(*roles: Role) -> Callable[[Request, Credentials], Awaitable[Identity]]:
    """A dependency that lets these roles in, and counts the person's calls."""

    async def caller(request: Request, credentials: Credentials) -> Identity:
        if credentials is None:
            raise Problem("no_token")
        live = await live_of(request)
        identity = read_token(live.keys, credentials.credentials)
        if identity.zone != live.area.name:
            raise Problem("wrong_zone")
        if identity.role not in roles:
            raise Problem("wrong_role")
        live.persons.take(f"{identity.role}:{identity.subject}")
        return identity

    return caller


RiderCaller = Annotated[Identity, Depends(allow("rider"))]
RiderOrDesk = Annotated[Identity, Depends(allow("rider", "operator"))]
DriverCaller = Annotated[Identity, Depends(allow("driver"))]
OperatorCaller = Annotated[Identity, Depends(allow("operator"))]
StaffCaller = Annotated[Identity, Depends(allow("operator", "planner"))]


def sealed(keys: Keys, purpose: str, what: bytes) -> bytes:
    """What proves that these bytes are ours, for one purpose."""
    return hmac.new(keys.token, purpose.encode() + b"\0" + what, sha256).digest()


def boarding_code(keys: Keys, ride: str) -> str:
    """Four figures that a rider shows and a driver may enter; the same on every server."""
    return f"{int.from_bytes(sealed(keys, 'boarding', ride.encode())[:4], 'big') % 10_000:04}"


def reference(length: int = 8) -> str:
    """A new name that people can read to each other: 40 bits of chance."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(length))
