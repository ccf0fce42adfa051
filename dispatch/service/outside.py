"""Calls to addresses that strangers named: by https, on its own port, and never to a host inside the house.

A name is looked up here, and the connection goes to the very address that was looked at, so that a name which means
something else a moment later leads nowhere. The certificate must be the name's. Redirects are not followed, no proxy of
the environment is asked, and of an answer only its status is read.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Self

import httpx

CALL_S: Final = 8.0
CONNECT_S: Final = 3.0
LOOKUPS: Final = 4
"""names looked up at once: who answers for a name may take their time, and only such calls wait for it"""
PORT: Final = 443
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
URL = re.compile(
    rf"https://(?=[^/:]{{4,253}}(?:[/:]|$))(?P<host>(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?)"
    rf"(?::{PORT})?(?:/[a-z0-9._~:/?&=%+,;@!$'()*-]*)?",
    re.ASCII | re.IGNORECASE,
)
"""a host by its name (no address, no bare word), no user, no port but its own, no fragment"""

Reach = Callable[[str], Awaitable[Sequence[tuple[str, int]]]]
"""(address, port) pairs at which a host may be called; none: it is nowhere outside. Raises OSError."""


class Unreachable(Exception):  # noqa: N818
    """A host has no address outside the house, or none that answers."""


class Outside:
    """POSTs to hosts of the internet; closed when it is left."""

    def __init__(self, reach: Reach | None = None, tls: ssl.SSLContext | None = None) -> None:
        """Who gives `reach` answers for where that leads; `tls` for whose certificates are believed."""
        self._lookups = ThreadPoolExecutor(LOOKUPS, thread_name_prefix="lookup")
        self._reach = reach or self._looked_up
        self._client = httpx.AsyncClient(
            verify=tls or ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(CALL_S, connect=CONNECT_S),
            # a connection is kept for an address, but its certificate was looked at for one name only
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """The status of the answer. Raises Unreachable, TimeoutError, OSError or httpx.HTTPError."""
        named = URL.fullmatch(url)
        if named is None:
            raise Unreachable("not an address that may be called")
        host = named["host"]
        async with asyncio.timeout(CALL_S):
            for address, port in await self._reach(host):
                at = httpx.URL(url).copy_with(host=address, port=port)
                try:
                    async with self._client.stream(
                        "POST", at, content=body, headers={**headers, "Host": host}, extensions={"sni_hostname": host}
                    ) as answer:
                        return answer.status_code
                except (httpx.ConnectError, httpx.ConnectTimeout):
                    continue
        raise Unreachable("no address outside the house, or none that answers")

    async def _looked_up(self, host: str) -> Sequence[tuple[str, int]]:
        def look() -> list[str]:
            found = socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            return [str(address[0]) for *_, address in found]

        found = await asyncio.get_running_loop().run_in_executor(self._lookups, look)
        return [(address, PORT) for address in found if is_outside(address)]


def is_outside(address: str) -> bool:
    """Is it an address of the internet? Not of this machine, its network, a tunnel into either, nor of many at once."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # with a scope: link-local
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        unicast = ip in _GLOBAL_UNICAST and ip.sixtofour is None and ip.teredo is None
        return unicast and ip.is_global
    return ip.is_global and not ip.is_multicast


_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
