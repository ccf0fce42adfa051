"""A zone put together and kept running: store, dispatcher, vault; started in order, stopped in the other."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from dispatch.service.archive import LOGS
from dispatch.service.clocks import Clock, ScaledClock
from dispatch.service.connecting import connected
from dispatch.service.dispatcher import Dispatcher
from dispatch.service.embedded import Embedded
from dispatch.service.letters import to_email, to_sms, ways
from dispatch.service.live import Live
from dispatch.service.loans import to_zone
from dispatch.service.notices import Post, notices
from dispatch.service.outbox import Channels, to_log, to_webhook
from dispatch.service.outside import Outside
from dispatch.service.push import to_push
from dispatch.service.settings import Keys, Settings
from dispatch.service.stop_edits import SetUp
from dispatch.service.store import Store
from dispatch.service.vault import Vault
from dispatch.service.worker import Worker
from dispatch.service.zone import Area
from routing.travel_times import DriveTimes

STORE_S = 2.0
log = logging.getLogger("naru.service")


@asynccontextmanager
async def serving(
    area: Area,
    settings: Settings,
    keys: Keys,
    *,
    clock: Clock | None = None,
    times: DriveTimes | None = None,
    worker: Worker | None = None,
    rounds: bool = True,
    first_day: str | None = None,
    outside: Outside | None = None,
) -> AsyncIterator[Live]:
    """A zone being served, by the embedded store where no other is configured.

    With a `worker` plans are improved while riders are answered, without one within the timer's tick; the timer is
    stepped by the caller where `rounds` is False. `first_day`: that a new zone opens, where it is not the clock's.
    `outside`: by what push services are called, where it is not the internet.
    """
    async with AsyncExitStack() as stack:
        url = settings.redis_url
        if url is None:
            embedded = await stack.enter_async_context(Embedded(settings.data_dir))
            url = embedded.url
        client = connected(url, area.name, timeout_s=STORE_S)
        stack.push_async_callback(client.connection_pool.disconnect)
        stack.push_async_callback(client.aclose)
        channels: Channels = {"log": to_log, "zone": to_zone(url)}
        vault = Vault(client, area.name, keys.vault)
        post = Post(vault, ZoneInfo(area.timezone))
        if settings.webhook_url is not None:
            secret = _secret(settings.webhook_secret)
            channels = {**channels, "webhook": to_webhook(settings.webhook_url, secret, post.resolve)}
        if settings.sms_url is not None:
            channels = {**channels, "sms": to_sms(settings.sms_url, _secret(settings.sms_secret), post.resolve)}
        if settings.smtp_host is not None:
            channels = {**channels, "email": to_email(settings, area.name, post.resolve)}
        if (vapid := settings.vapid) is not None:
            calls = await stack.enter_async_context(outside or Outside())
            channels = {**channels, "push": to_push(area.name, vault, vapid, calls, post.resolve)}
        area = replace(area, coming_days=settings.coming_days)
        set_up = SetUp(area, client, area.roads() if times is None else times)
        store = Store(url, area.name)
        stack.push_async_callback(store.close)
        dispatcher = await stack.enter_async_context(
            Dispatcher(
                set_up.for_day(""),
                store,
                clock or ScaledClock(),
                notices=notices(ways(settings)),
                channels=channels,
                alone=settings.redis_url is None,
                rounds=rounds,
                first_day=first_day,
                archive=settings.data_dir / LOGS,
                worker=worker,
            )
        )
        log.info("serving", extra={"zone": area.name})
        yield Live(set_up, dispatcher, client, settings, keys)


def _secret(given: SecretStr | None) -> str:
    return "" if given is None else given.get_secret_value()
