"""Riders' devices that are told by web push: a browser subscribes, and is told from then on."""

from __future__ import annotations

import datetime as dt
import time
from typing import Annotated, Any, Final

from cryptography.hazmat.primitives.asymmetric import ec
from fastapi import APIRouter
from pydantic import AfterValidator, Field, StringConstraints

from dispatch.service import outside
from dispatch.service.auth import RiderCaller
from dispatch.service.live import Live
from dispatch.service.models import Ask, Done, Id, Said
from dispatch.service.problems import Problem, answers
from dispatch.service.sign_in import LiveZone
from dispatch.service.vapid import CURVE, from_base64url

MOST_DEVICES: Final = 10
"""of one rider: with one more, that which subscribed first is told no longer"""
AUTH_BYTES: Final = 16

router = APIRouter(prefix="/v1", tags=["rider"])


def _endpoint(text: str) -> str:
    if outside.URL.fullmatch(text) is None:
        raise ValueError("must be the https address of a push service, by its name and without a port")
    return text


def _point(text: str) -> str:
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(CURVE, from_base64url(text))
    except ValueError:
        raise ValueError("must be a public key on the curve P-256, in base64url") from None
    return text


def _secret(text: str) -> str:
    if len(from_base64url(text)) != AUTH_BYTES:
        raise ValueError(f"must be {AUTH_BYTES} bytes in base64url")
    return text


class PushKeysAsk(Ask):
    """What messages to this browser are encrypted for."""

    p256dh: Annotated[str, StringConstraints(max_length=100), AfterValidator(_point)]
    auth: Annotated[str, StringConstraints(max_length=40), AfterValidator(_secret)]


class PushSubscriptionAsk(Ask):
    """A browser's `PushSubscription`, as its `toJSON()` writes it."""

    endpoint: Annotated[str, StringConstraints(max_length=2000), AfterValidator(_endpoint)]
    keys: PushKeysAsk
    expirationTime: Annotated[float | None, Field(ge=0, le=1e15)] = None  # noqa: N815 - the browsers' name
    """not needed: the push service says when a device is gone"""


class PushSubscriptionSaid(Said):
    """A device that is told."""

    id: str
    endpoint: str
    since: dt.datetime


class PushKeySaid(Said):
    """With what a browser subscribes."""

    public_key: str = Field(description="`applicationServerKey` of `pushManager.subscribe`, in base64url")


@router.get("/push-key", responses=answers("no_push"))
async def push_key(live: LiveZone) -> PushKeySaid:
    """The key that a browser subscribes with; 404 where the service sends nothing to browsers."""
    vapid = live.settings.vapid
    if vapid is None:
        raise Problem("no_push")
    return PushKeySaid(public_key=vapid.public_key)


@router.post("/me/push-subscriptions", status_code=201, responses=answers("no_push", "no_such_rider"))
async def subscribe(ask: PushSubscriptionAsk, caller: RiderCaller, live: LiveZone) -> PushSubscriptionSaid:
    """Tell this device of rides from now on, beside the other ways. Once more with the same endpoint: the last counts.

    A device that another rider had subscribed is told of this one's rides only. Of more than ten the oldest is dropped.
    """
    if live.settings.vapid is None:
        raise Problem("no_push")
    device = {"endpoint": ask.endpoint, "p256dh": ask.keys.p256dh, "auth": ask.keys.auth, "since": time.time()}
    name = await live.vault.put_device(caller.subject, device)
    if name is None:
        raise Problem("no_such_rider")
    for older in (await _devices(live, caller.subject))[MOST_DEVICES:]:
        await live.vault.drop_device(caller.subject, older.id)
    return _said(live, name, device)


@router.get("/me/push-subscriptions", responses=answers())
async def subscriptions(caller: RiderCaller, live: LiveZone) -> list[PushSubscriptionSaid]:
    """The rider's devices that are told, the latest first."""
    return await _devices(live, caller.subject)


@router.delete("/me/push-subscriptions/{device}", responses=answers("no_such_device"))
async def unsubscribe(device: Id, caller: RiderCaller, live: LiveZone) -> Done:
    """Tell this device no longer."""
    if not await live.vault.drop_device(caller.subject, device):
        raise Problem("no_such_device")
    return Done()


async def _devices(live: Live, rider: str) -> list[PushSubscriptionSaid]:
    found = [_said(live, name, device) for name, device in (await live.vault.devices(rider)).items()]
    return sorted(found, key=lambda device: (device.since, device.id), reverse=True)


def _said(live: Live, name: str, device: dict[str, Any]) -> PushSubscriptionSaid:
    since = dt.datetime.fromtimestamp(device["since"], live.moments.timezone)
    return PushSubscriptionSaid(id=name, endpoint=device["endpoint"], since=since)
