"""Messages that leave the house: written in the commit that causes them, delivered at least once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from msgspec import Struct

Channel = Literal["log", "webhook", "email", "sms"]


class Message(Struct, frozen=True, omit_defaults=True):
    """One notification. Holds no address: `to` is a rider's, driver's or operator's id, resolved when delivered."""

    channel: Channel
    to: str
    kind: str
    """what it says: `booked`, `at_risk`, `code` …"""
    about: str = ""
    """request or shuttle that it is about"""
    values: dict[str, str | int | None] = {}
    """what the text is made of; no personal data that outlives the delivery"""
    id: str = ""
    """given by the dispatcher at the commit; a receiver sees it again if the message is delivered twice"""


Deliver = Callable[[Message], Awaitable[None]]
"""Returns when the message has been taken; any exception means: again, later."""
Channels = Mapping[Channel, Deliver]
