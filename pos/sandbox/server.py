"""The bank as a process: its routes, its clock on every answer, its two background tasks, its `ready` line."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from email.utils import formatdate
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pos.domain.errors import BadInput, Broken
from pos.sandbox.accounts import DEFAULT_KEYS, Hook, replace_endpoints
from pos.sandbox.bank import Bank
from pos.sandbox.connections import Connections
from pos.sandbox.control import control_routes
from pos.sandbox.front import Front
from pos.sandbox.pages import Pages
from pos.sandbox.pagetext import font
from pos.sandbox.razorpay_api import RazorpayApi
from pos.sandbox.razorpay_dialect import RazorpayDialect
from pos.sandbox.records import Account
from pos.sandbox.stripe_api import StripeApi
from pos.sandbox.stripe_dialect import StripeDialect
from pos.sandbox.upi import UpiApp
from pos.sandbox.webhooks import Dispatcher

TICK_S = 0.1
LEAVE_WITHIN_S = 1
MOST_CONNECTIONS = 1000
ANY = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Options:
    """How the bank is to serve. `port` 0 picks one."""

    folder: Path
    host: str = "127.0.0.1"
    port: int = 0
    keys: tuple[str, ...] = DEFAULT_KEYS
    webhooks: tuple[Hook, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    public_url: str = ""
    log: Path | None = None


def open_bank(options: Options) -> Bank:
    """The bank of a folder, with the keys and the endpoints of the command line.

    Raises:
        BadInput: a key that is not a test key, or an endpoint that is no address or nobody's.
        Broken: the file cannot be used.
    """
    bank = Bank(options.folder, [StripeDialect(), RazorpayDialect()])
    accounts = bank.use_keys(options.keys)
    if options.webhooks:
        wanted = [(_listener(accounts, hook), hook) for hook in options.webhooks]
        bank.write_now(lambda tx: replace_endpoints(tx, wanted))
    bank.write_now(lambda tx: bank.set(tx, **options.settings))
    bank.forget_old_answers()
    return bank


def _listener(accounts: list[Account], hook: Hook) -> Account:
    """The first account that speaks the endpoint's dialect."""
    for account in accounts:
        if hook.dialect in (None, account.dialect):
            return account
    raise BadInput(f"No key of this command line speaks {hook.dialect}.", "Name one with --key.")


def build_app(
    bank: Bank, connections: Connections, broken: Callable[[BaseException], None], log: Path | None
) -> ASGIApp:
    """All routes of the bank, with its own Date and its log around them. `broken` hears of a dead background task."""
    front = Front(bank, [StripeApi(StripeDialect()), RazorpayApi(RazorpayDialect())], connections)
    pages = Pages(bank, connections)
    upi_app = UpiApp(bank)

    async def show_font(request: Request) -> Response:
        return font(request.path_params["name"])

    app = Starlette(
        routes=[
            Route("/v1/{rest:path}", front.answer, methods=ANY),
            Route("/c/pay/{link}", pages.show, methods=["GET"]),
            Route("/c/pay/{link}", pages.act, methods=["POST"]),
            Route("/c/assets/{name}", show_font, methods=["GET"]),
            Route("/i/{link}", pages.show, methods=["GET"]),
            Route("/i/{link}", pages.act, methods=["POST"]),
            Route("/q/{name}.svg", upi_app.image, methods=["GET"]),
            Route("/upi", upi_app.open, methods=["GET"]),
            Route("/", _welcome, methods=["GET"]),
            *control_routes(bank),
        ],
        lifespan=lambda _: _background(bank, broken),
    )
    return Outermost(app, bank, log)


async def _welcome(request: Request) -> Response:
    return PlainTextResponse("TEST: the bank in the box. No money moves. See docs/sandbox.md.\n")


@contextlib.asynccontextmanager
async def _background(bank: Bank, broken: Callable[[BaseException], None]) -> AsyncIterator[None]:
    """The ticker and the dispatcher, for as long as the bank serves. Without them it would lie by silence."""

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            broken(error)

    async with httpx.AsyncClient(follow_redirects=False, trust_env=False) as client:
        tasks = [asyncio.create_task(_tick(bank)), asyncio.create_task(Dispatcher(bank, client).run())]
        for task in tasks:
            task.add_done_callback(ended)
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _tick(bank: Bank) -> None:
    while True:
        if not await bank.tick():
            await asyncio.sleep(TICK_S)


class Outermost:
    """The bank's own clock in every Date header, and one line of log per answer (never a body, key or query)."""

    def __init__(self, app: ASGIApp, bank: Bank, log: Path | None) -> None:
        self._app = app
        self._bank = bank
        self._log = log.open("a", encoding="utf-8", buffering=1) if log else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            if self._log is not None:
                self._log.close()
            return
        answered = False

        async def dated(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                date = formatdate(self._bank.clock(), usegmt=True).encode()
                message["headers"] = [*message.get("headers", []), (b"date", date)]
                self._write(scope, message["status"])  # before it leaves: who has the answer finds its line
            await send(message)

        await self._app(scope, receive, dated)
        if not answered:
            self._write(scope, 0)

    def _write(self, scope: Scope, status: int) -> None:
        """Status 0: hung up without an answer."""
        if self._log is not None:
            agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
            line = {"at": round(time.time(), 3), "method": scope["method"], "path": scope["path"], "status": status}
            self._log.write(json.dumps({**line, "agent": agent.decode("latin-1")[:40]}) + "\n")


class _Server(uvicorn.Server):
    """Says when it is ready, and leaves quietly on SIGTERM with exit status 0."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def serve(options: Options, ready: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT. `ready` is called with the address once requests are answered.

    Raises:
        BadInput, Broken: see `open_bank`; or the address is taken.
    """
    listening = _listen(options.host, options.port)
    url = f"http://{_shown_host(options.host)}:{listening.getsockname()[1]}"
    bank = open_bank(options)
    bank.serve_at(options.public_url or url)
    connections = Connections()
    failures: list[BaseException] = []

    def broken(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    config = uvicorn.Config(
        build_app(bank, connections, broken, options.log),
        http=connections.protocol(),
        lifespan="on",
        log_config=None,
        access_log=False,
        date_header=False,
        server_header=False,
        timeout_graceful_shutdown=LEAVE_WITHIN_S,
        limit_concurrency=MOST_CONNECTIONS,
    )
    server = _Server(config, lambda: ready(url))
    try:
        asyncio.run(server.serve([listening]))
    finally:
        listening.close()
        bank.close()
    if failures:
        raise Broken(f"The bank stopped: {failures[0]}.", "Is the disk full? What it answered is kept.") from failures[
            0
        ]
    if not server.started:
        raise Broken("The bank did not start.", "Its log on standard error says why.")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named TCP: asyncio turns on TCP_NODELAY only then, and without it an answer waits 40 ms for an acknowledgement
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise BadInput(
            f"Cannot serve on {host}:{port}: {error.strerror}.", "Choose another --host or --port."
        ) from None
    return listening


def _shown_host(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
