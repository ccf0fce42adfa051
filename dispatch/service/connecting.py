"""How a zone comes to its store: one server, or the node of a cluster that has the zone's slot.

All keys of a zone lie on one slot, so a zone talks to one node only, as if that were all there is. Which one it is, is
asked of the cluster's nodes whenever a connection is made; where the slot has moved, the connection is made anew.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import redis.asyncio as redis
from redis.asyncio.connection import SSLConnection, parse_url
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.crc import key_slot
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import MovedError, RedisError

CONNECTIONS: Final = 32
Address = tuple[str, int]


def connected(url: str, zone: str, *, timeout_s: float) -> redis.Redis:
    """A client for one zone's keys. Several addresses in the URL, with commas between, are nodes of one cluster.

    It asks nothing a second time by itself: that is decided by whoever knows that it is safe. Raises ValueError for a
    URL that is none.
    """
    first, nodes = _nodes(url)
    options: dict[str, Any] = {
        "max_connections": CONNECTIONS,
        "timeout": timeout_s,
        "socket_timeout": timeout_s,
        "socket_connect_timeout": timeout_s,
        "retry": Retry(NoBackoff(), 0),
    }
    if len(nodes) > 1:
        options["connection_class"] = _to_slot(key_slot(f"{{{zone}}}".encode()), nodes, parse_url(first))
        options |= {name: value for name, value in parse_url(first).items() if name != "connection_class"}
        return redis.Redis.from_pool(redis.BlockingConnectionPool(**options))
    return redis.Redis.from_pool(redis.BlockingConnectionPool.from_url(url, **options))


def _nodes(url: str) -> tuple[str, list[Address]]:
    """(URL of the first node, all nodes)."""
    parts = urlsplit(url)
    if "," not in parts.netloc:
        return url, []
    who, _, hosts = parts.netloc.rpartition("@")
    first, *others = hosts.split(",")
    one = parts._replace(netloc=f"{who}@{first}" if who else first).geturl()
    nodes = [urlsplit(f"//{host}") for host in (first, *others)]
    return one, [(node.hostname or "localhost", node.port or 6379) for node in nodes]


def _to_slot(slot: int, seeds: list[Address], options: Any) -> type[redis.Connection]:
    """The kind of connection that goes to whichever node has a slot."""
    base: type[redis.Connection] = options.get("connection_class", redis.Connection)
    known = {"username", "password"} | ({name for name in options if name.startswith("ssl")})
    asking = {name: options[name] for name in known if name in options} | {"ssl": issubclass(base, SSLConnection)}

    class ToSlot(base):  # type: ignore[misc,valid-type]
        """Asks the nodes each time it connects."""

        async def _connect(self) -> None:
            self.host, self.port = await _owner(slot, seeds, asking, self.socket_connect_timeout)
            await super()._connect()

        async def read_response(self, *args: Any, **kwargs: Any) -> Any:
            try:
                return await super().read_response(*args, **kwargs)
            except MovedError:
                await self.disconnect(nowait=True)
                raise

    return ToSlot


async def _owner(slot: int, seeds: list[Address], asking: dict[str, Any], timeout_s: float) -> Address:
    """The node that has a slot, as the first of the nodes has it that answers. Raises Unreachable."""
    patience: dict[str, Any] = {"socket_timeout": timeout_s, "socket_connect_timeout": timeout_s}
    for host, port in seeds:
        try:
            async with redis.Redis(host=host, port=port, retry=Retry(NoBackoff(), 0), **patience, **asking) as node:
                slots: Any = await node.execute_command("CLUSTER SLOTS")  # type: ignore[no-untyped-call]
        except (RedisError, OSError):
            continue
        for first, last, (owner, at, *_), *_ in slots:
            if first <= slot <= last:
                return (owner or b"").decode() or host, at
    raise Unreachable(f"no node of the cluster says who has slot {slot}")
