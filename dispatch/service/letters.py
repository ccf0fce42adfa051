"""Ways out of the house beside the signed webhook: e-mail by SMTP, text messages by a gateway's webhook, web push.

Each message has an id of its own for each way: it is the e-mail's Message-ID, and `id` and `Naru-Id` of a text message,
so that who gets one twice after a crash can tell.
"""

from __future__ import annotations

import asyncio
import json
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate

from dispatch.service.outbox import ATTEMPT_S, Channel, Deliver, Message, Resolve, post_signed
from dispatch.service.settings import Settings


def ways(settings: Settings) -> tuple[Channel, ...]:
    """What messages to riders go out by; where nothing is configured, they are only noted."""
    found: list[Channel] = []
    if settings.webhook_url is not None:
        found.append("webhook")
    if settings.sms_url is not None:
        found.append("sms")
    if settings.smtp_host is not None:
        found.append("email")
    if settings.vapid_private_key is not None:
        found.append("push")
    return tuple(found) or ("log",)


def to_phones(settings: Settings) -> tuple[Channel, ...]:
    """Those of them that reach a telephone: sign-in codes go there and nowhere else."""
    return tuple(way for way in ways(settings) if way in ("webhook", "sms")) or ("log",)


def to_sms(url: str, secret: str, resolve: Resolve) -> Deliver:
    """Channel that POSTs `{"id", "to", "text"}` to a gateway, signed as the webhook is."""

    async def deliver(message: Message) -> None:
        found = await resolve(message)
        if found is None or not found.get("phone"):
            return
        body = json.dumps({"id": message.id, "to": found["phone"], "text": found["text"]}, ensure_ascii=False)
        await asyncio.to_thread(post_signed, url, secret, body.encode(), message.id)

    return deliver


def to_email(settings: Settings, zone: str, resolve: Resolve) -> Deliver:
    """Channel that sends an e-mail to riders who gave an address; a sign-in code never goes that way."""

    async def deliver(message: Message) -> None:
        found = await resolve(message)
        if found is None or not found.get("email") or message.kind == "code":
            return
        letter = EmailMessage()
        letter["From"], letter["To"] = settings.smtp_from, found["email"]
        letter["Subject"] = found["subject"]
        letter["Date"] = formatdate(message.utc / 1000)
        letter["Message-ID"] = f"<{message.day}.{message.id}@{zone}.naru>"
        letter.set_content(found["text"])
        await asyncio.to_thread(_send, settings, letter)

    return deliver


def _send(settings: Settings, letter: EmailMessage) -> None:
    """Raises SMTPException or OSError where the server does not take it."""
    assert settings.smtp_host is not None
    tls = ssl.create_default_context()
    connect: Callable[[], smtplib.SMTP] = (
        (lambda: smtplib.SMTP_SSL(settings.smtp_host or "", settings.smtp_port, timeout=ATTEMPT_S - 1, context=tls))
        if settings.smtp_security == "tls"
        else (lambda: smtplib.SMTP(settings.smtp_host or "", settings.smtp_port, timeout=ATTEMPT_S - 1))
    )
    with connect() as server:
        if settings.smtp_security == "starttls":
            server.starttls(context=tls)
        if settings.smtp_user is not None and settings.smtp_password is not None:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(letter)
