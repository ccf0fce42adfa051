"""Serving a zone from the command line, and making tokens."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dispatch.service.auth import ROLES, Role, create_token
from dispatch.service.clocks import Clock, ScaledClock
from dispatch.service.endings import ended
from dispatch.service.pauses import keep_short
from dispatch.service.positions import warm
from dispatch.service.settings import Settings, read_keys, read_settings
from dispatch.service.worker import Worker
from dispatch.service.zone import Area
from routing.errors import InputError
from routing.travel_times import DriveTimes

if TYPE_CHECKING:
    from dispatch.service.live import Live

token = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@token.callback()
def about() -> None:
    """Tokens: what operators, planners and programs show to be let in."""


@token.command()
def create(
    role: Annotated[str, typer.Option(help="operator or planner; rider or driver for programs that act for one")],
    zone: Annotated[str, typer.Option(help="name of the zone")],
    subject: Annotated[str, typer.Option(help="who it is for: the author of their acts in the log")] = "",
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366, help="how long it holds")] = 12,
    data_dir: Annotated[Path | None, typer.Option(help="NARU_DATA_DIR")] = None,
) -> None:
    """Make a token and print it."""
    if role not in ROLES:
        raise InputError(f"{role!r} is no role", field="--role", expected=f"one of {', '.join(ROLES)}")
    named: Role = role
    keys = read_keys(read_settings(data_dir=data_dir))
    print(create_token(keys, named, subject or role, zone, hours=hours))


def serve(
    area: Area,
    settings: Settings,
    *,
    clock: Callable[[], Clock] = ScaledClock,
    prepare: Callable[[], None] = lambda: None,
    lockstep: str | None = None,
) -> None:
    """Serve a zone until interrupted, by a clock that is made when all else is there.

    The service answers at once, and is ready when `prepare` (compiling, in a thread) is done and the day has been read.
    With `lockstep`, the date of its day, the clock (a SteppedClock) and the timer are stepped over HTTP, and plans are
    improved within the timer's tick.
    Raises InputError where the port is taken or a key is too short, and what bringing the zone up raises.
    """
    import uvicorn

    from dispatch.service.app import create_app
    from dispatch.service.logs import set_up
    from dispatch.service.running import serving

    keys = read_keys(settings)
    set_up(settings.log_level)
    listener = _listen(settings)
    if settings.development:
        print(
            "naru: DEVELOPMENT MODE: sign-in codes are told to whoever asks. Never with real riders.", file=sys.stderr
        )
    errors: list[BaseException] = []

    def roads() -> DriveTimes:
        prepare()
        times = area.roads()
        warm(times)
        return times

    @asynccontextmanager
    async def prepared() -> AsyncIterator[Live]:
        times = await asyncio.to_thread(roads)
        worker = Worker() if lockstep is None else None
        async with serving(
            area, settings, keys, clock=clock(), times=times, worker=worker, rounds=lockstep is None, first_day=lockstep
        ) as live:
            short = asyncio.create_task(keep_short(lambda: live.dispatcher.day), name="pauses")
            try:
                yield live
            finally:
                await ended([short])

    def failed(error: BaseException) -> None:
        errors.append(error)
        server.should_exit = True

    config = uvicorn.Config(
        create_app(prepared, settings, failed=failed, stepped=lockstep is not None),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe is a setting of ours: NARU_TRUST_PROXY
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        h11_max_incomplete_event_size=64 * 1024,
    )
    server = uvicorn.Server(config)
    host, port = listener.getsockname()[:2]
    print(f"naru: {area.name} on http://{host}:{port} (its API: /docs)", file=sys.stderr)
    server.run(sockets=[listener])
    if errors:
        raise errors[0]


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except (OSError, OverflowError) as error:
        listener.close()
        what = f"{settings.host}:{settings.port} cannot be listened on ({getattr(error, 'strerror', error)})"
        raise InputError(what, field="--port", expected="a free port and an address of this machine") from None
    return listener
