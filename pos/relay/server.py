"""The relay as a process: uvicorn with deadlines of its own, one lock per folder, gone within 2 s of SIGTERM.

Nothing here knows a route. uvicorn has no deadline for headers and no limit for their size: `guarded` adds both.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pos.domain.errors import BadInput, Broken
from pos.relay import database
from pos.relay.app import Relay
from pos.relay.core import Core, make_gates
from pos.relay.doors import find_doors
from pos.relay.hub import Hub
from pos.relay.log_sqlite import SqliteLog
from pos.relay.settings import Limits, Settings
from pos.relay.tenants import Tenants

BACKLOG = 2048  # connections the system may hold before we take them
KEEP_ALIVE_S = 20
LEAVE_WITHIN_S = 1  # for requests under way after SIGTERM
PRUNE_EVERY_S = 3600.0


class GuardedProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline for headers, one for the body, and a bound on both counts and sizes."""

    limits: Limits
    _deadline: asyncio.TimerHandle | None = None
    _in_headers = True
    _header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            transport.abort()
        else:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        between_requests = self._deadline is None and (self.cycle is None or self.cycle.response_complete)
        if between_requests:
            self._expect_headers()
        super().data_received(data)
        if self._in_headers:
            self._header_bytes += len(data)
            if self._header_bytes > self.limits.headers_bytes:
                self.transport.abort()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["state"]["abort"] = self.transport.abort

    def on_headers_complete(self) -> None:
        self._arm(self.limits.body_within_s)
        self._in_headers = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._disarm()
        super().on_message_complete()

    def _expect_headers(self) -> None:
        self._in_headers, self._header_bytes = True, 0
        self._arm(self.limits.headers_within_s)

    def _arm(self, within_s: float) -> None:
        self._disarm()
        self._deadline = self.loop.call_later(within_s, self.transport.abort)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def guarded(limits: Limits) -> type[GuardedProtocol]:
    """With these limits: uvicorn wants a class and not an object."""
    return type("Guarded", (GuardedProtocol,), {"limits": limits})


class Server(uvicorn.Server):
    """Tells when it is ready and when it leaves; ends with status 0 after SIGTERM."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_leave: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready, self._on_leave = on_ready, on_leave

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._on_leave()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """As uvicorn's, but the signal is not raised again: leaving when asked to is no failure."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(
    settings: Settings, host: str, port: int, on_ready: Callable[[str], None], *, new_epoch: bool = False
) -> None:
    """Serve until SIGTERM or Ctrl-C. `on_ready` gets the address.

    Raises:
        BadInput: the address cannot be used.
        Broken: the folder is in use by another relay, or its files cannot be opened.
    """
    with _only_one(settings.data), _listen(host, port) as listening:
        asyncio.run(_serve(settings, listening, on_ready, new_epoch))


async def _serve(
    settings: Settings, listening: socket.socket, on_ready: Callable[[str], None], new_epoch: bool
) -> None:
    core, log = open_core(settings)
    if new_epoch:
        await log.renew_epochs()
    address = listening.getsockname()
    shown = f"[{address[0]}]" if ":" in address[0] else address[0]
    server = Server(_config(Relay(core), settings), lambda: on_ready(f"http://{shown}:{address[1]}"), core.hub.close)
    chores = [asyncio.create_task(_watch_tenants(core)), asyncio.create_task(_prune(core))]
    try:
        await server.serve(sockets=[listening])
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await close_core(core)


def open_core(settings: Settings) -> tuple[Core, SqliteLog]:
    """Open the folder's files, inside a running loop. Raises Broken."""
    limits = settings.limits
    log = SqliteLog(settings.data, limits.writes_queued)
    gates = make_gates(limits, settings.hint_again_s)
    hub = Hub(limits.streams_per_till, settings.heartbeat_s, settings.send_within_s)
    core = Core(settings, Tenants(settings.data), log, find_doors(), hub, gates)
    for name, read in {
        "streams": lambda: float(len(core.hub)),
        "writes_queued": lambda: float(log.writer.queued),
        "commits_total": lambda: float(log.writer.batches),
        "writes_total": lambda: float(log.writer.jobs),
        "contradictions_total": lambda: float(log.contradictions),
    }.items():
        core.metrics.watch(name, read)
    return core, log


async def close_core(core: Core) -> None:
    core.hub.close()
    await core.log.close()
    core.tenants.close()


def _config(app: Any, settings: Settings) -> uvicorn.Config:
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # below that it reports every broken request
    return uvicorn.Config(
        app,
        http=guarded(settings.limits),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=LEAVE_WITHIN_S,
    )


async def _watch_tenants(core: Core) -> None:
    """What the command line wrote beside us takes effect on open streams too, within half a second."""
    while True:
        await asyncio.sleep(core.settings.tenants_check_s)
        try:
            core.tenants.refresh()
        except Broken:
            core.metrics.add("refused_total", 'reason="tenants_not_read"')  # healthy again at the next look, or not
        core.hub.keep_only(core.tenants.tills())


async def _prune(core: Core) -> None:
    while True:
        now_ms = core.now_ms()
        try:
            await core.log.prune(now_ms - int(core.settings.retention_s * 1000), now_ms)
        except Broken:
            core.metrics.add("refused_total", 'reason="prune"')  # the next hour tries again
        await asyncio.sleep(PRUNE_EVERY_S)


@contextlib.contextmanager
def _listen(host: str, port: int) -> Iterator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # WORKAROUND: asyncio sets TCP_NODELAY only where the protocol is named, `socket.create_server` does not name it,
    # and every answer then waits 40 ms for a delayed acknowledgement (cpython Lib/asyncio/base_events._set_nodelay).
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        try:
            if os.name == "posix":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((host, port))
            listening.listen(BACKLOG)
        except (OSError, OverflowError) as error:
            raise BadInput(f"The relay cannot listen on {host} port {port}.", str(error)) from error
        yield listening


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two relays on one log would give the same number twice."""
    database.prepare_folder(folder)
    with (folder / "relay.lock").open("a") as file:
        if not _lock(file):
            raise Broken("Another relay is running on this folder.", f"Stop it, or give another --data than {folder}.")
        yield


def _lock(file: IO[str]) -> bool:
    if os.name != "posix":
        return True  # one relay per folder is the owner's care there
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
