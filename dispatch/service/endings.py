"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

_AGAIN_S = 0.1


async def ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel tasks until each has ended, however; then, if the caller was cancelled meanwhile, end too.

    Once is not enough: a client's connection that breaks off while it is being cancelled may swallow the cancellation.
    """
    left = every = set(tasks)
    interrupted: asyncio.CancelledError | None = None
    while left := {task for task in left if not task.done()}:
        for task in left:
            task.cancel()
        try:
            await asyncio.wait(left, timeout=_AGAIN_S)
        except asyncio.CancelledError as error:
            interrupted = error
    for task in every:
        if not task.cancelled():
            task.exception()  # whoever ends a task wants to hear no more of it
    if interrupted is not None:
        raise interrupted
