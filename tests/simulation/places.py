"""The places of a simulation: the shop's database, the bank, the network between them, the relay.

The database commits exactly what the till's own would (it is the till's own, without its threads); the bank is the
sandbox, asked in this process. Only network and relay are models: they may lose, delay, repeat and swap.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import httpx
from starlette.types import ASGIApp, Message

from pos.domain.errors import Unreachable
from pos.domain.store_port import Tx
from pos.gateways.razorpay import envelope as razorpay_envelope
from pos.gateways.stripe import envelope as stripe_envelope
from pos.sandbox.bank import Bank
from pos.sandbox.connections import Connections
from pos.store.engine import Database
from pos.store.gate import Gate
from pos.sync.relay_client import Beat, Who
from pos.wire import Cursor, Event, Notice, Refs, at, tag_of

T = TypeVar("T")
ENVELOPES = {"stripe": stripe_envelope, "razorpay": razorpay_envelope}
HANG_S = 30.0
"""Longer than anybody waits for an answer."""


class Crash(BaseException):
    """The till's process is gone in the middle of what it did. No code of ours may catch it."""


class Process:
    """One life of a till's process: counts down to the place where it ends."""

    def __init__(self) -> None:
        self.dead = False
        self.ends_in: dict[str, int] = {}
        """Place (before_commit, after_commit, before_call, after_call) -> how many more may pass."""

    def passes(self, place: str) -> None:
        """Raises Crash when the process is over, or ends here."""
        if not self.dead and place in self.ends_in:
            self.ends_in[place] -= 1
            self.dead = self.ends_in[place] < 0
        if self.dead:
            raise Crash(place)


class InlineDatabase(Database):
    """The till's database without its threads: a write is made when it is asked for, and answered a moment later."""

    def __init__(self, engine: Any, till: str, process: Process, rng: random.Random) -> None:
        self._engine = engine
        self._till = till
        self._gate = Gate(till)
        self._reading = {"reader": True}
        self.trouble = None
        self._process = process
        self._rng = rng
        self.commits = 0
        self.before_commit = lambda: process.passes("before_commit")
        self.after_commit = lambda: process.passes("after_commit")
        self.in_write: Callable[[Tx], None] | None = None
        """Looks at every transaction just before it is committed."""

    async def write(self, fn: Callable[[Tx], T]) -> T:
        result = self.write_now(fn)
        await asyncio.sleep(self._rng.uniform(0.0, 0.02))
        self._process.passes("alive")
        return result

    def write_now(self, fn: Callable[[Tx], T]) -> T:
        self._process.passes("alive")

        def looked_at(tx: Tx) -> T:
            result = fn(tx)
            if self.in_write is not None:
                self.in_write(tx)
            return result

        return self._transact(looked_at)

    async def read(self, fn: Callable[[Tx], T]) -> T:
        self._process.passes("alive")
        result = self.read_now(fn)
        await asyncio.sleep(self._rng.uniform(0.0, 0.002))
        self._process.passes("alive")
        return result

    def close(self) -> None:
        """The engine is the simulation's."""


class InlineBank(Bank):
    """The sandbox's bank without its thread."""

    async def run(self, fn: Callable[[Any], T]) -> T:
        return self._store.write(fn)

    async def read(self, fn: Callable[[Any], T]) -> T:
        return self._store.read(fn)


class HangingUp(Connections):
    """Remembers who was hung up on, by the address that the network gave the request."""

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[Any] = set()

    def hang_up(self, client: Any) -> None:
        self.gone.add(tuple(client))


class Network:
    """Between the tills and the bank. What goes wrong is drawn from the seed, while `trouble` says so."""

    def __init__(self, app: ASGIApp, connections: HangingUp, rng: random.Random, hits: Counter[str]) -> None:
        self._app = app
        self._connections = connections
        self._rng = rng
        self._hits = hits
        self.trouble = 0.0
        """How often something goes wrong with a request, 0 to 1."""
        self.cut: set[str] = set()
        """Tills whose line is down."""
        self._numbers = 0
        self._at_work: set[asyncio.Task[httpx.Response]] = set()

    async def carry(self, request: httpx.Request, till: str, process: Process) -> httpx.Response:
        process.passes("before_call")
        await asyncio.sleep(self._rng.uniform(0.01, 0.3))
        what = self._what_goes_wrong(till)
        if what == "refused":
            raise httpx.ConnectError("refused", request=request)
        await _saw(request, "http11.send_request_headers.started")
        if what == "lost_before":
            await asyncio.sleep(self._rng.choice((0.1, HANG_S)))
            raise httpx.ReadError("cut", request=request)
        if what == "slow":
            await asyncio.sleep(self._rng.uniform(1.0, 15.0))
        response = await self._work(request)
        process.passes("after_call")
        if what == "lost_after":
            await asyncio.sleep(self._rng.choice((0.1, HANG_S)))
            raise httpx.ReadError("cut", request=request)
        await asyncio.sleep(self._rng.uniform(0.01, 12.0 if what == "late" else 0.3))
        process.passes("alive")
        return response

    def _what_goes_wrong(self, till: str) -> str:
        if till in self.cut:
            what = self._rng.choice(("refused", "lost_before"))
        elif self._rng.random() < self.trouble:
            what = self._rng.choice(("refused", "lost_before", "lost_after", "lost_after", "slow", "late"))
        else:
            return ""
        self._hits[f"network {what}"] += 1
        return what

    async def _work(self, request: httpx.Request) -> httpx.Response:
        """The bank goes on working when the till has given up waiting."""
        task = asyncio.get_running_loop().create_task(self._ask_bank(request))
        self._at_work.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[httpx.Response]) -> None:
        self._at_work.discard(task)
        if not task.cancelled():
            task.exception()  # heard, if by nobody else

    async def _ask_bank(self, request: httpx.Request) -> httpx.Response:
        self._numbers += 1
        client = ("127.0.0.1", self._numbers)
        body = await request.aread()
        parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[Message] = []

        async def receive() -> Message:
            return parts.pop() if parts else {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await self._app(_scope(request, client), receive, send)
        if client in self._connections.gone:
            self._hits["bank hung up"] += 1
            raise httpx.RemoteProtocolError("hung up", request=request)
        content = b"".join(message.get("body", b"") for message in sent[1:])
        return httpx.Response(sent[0]["status"], headers=sent[0]["headers"], stream=_Body(content), request=request)


class _Body(httpx.AsyncByteStream):
    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


async def _saw(request: httpx.Request, event: str) -> None:
    trace = request.extensions.get("trace")
    if trace is not None:
        await trace(event, {})


def _scope(request: httpx.Request, client: tuple[str, int]) -> dict[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": client,
        "server": ("127.0.0.1", 80),
    }


class Line(httpx.AsyncBaseTransport):
    """One till's way into the network."""

    def __init__(self, network: Network, till: str, process: Process) -> None:
        self._network = network
        self._till = till
        self._process = process

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return await self._network.carry(request, self._till, self._process)


class Relay(httpx.AsyncBaseTransport):
    """Takes the bank's webhooks and tells the tills, in whatever order and as often as it likes, or never.

    As an HTTP server it is what the bank's dispatcher posts to; `events` is the stream that a till reads.
    """

    def __init__(self, rng: random.Random, hits: Counter[str], now_ms: Callable[[], int]) -> None:
        self._rng = rng
        self._hits = hits
        self._now_ms = now_ms
        self._log: list[Event] = []
        self._epoch = "epoch0"
        self._news = asyncio.Event()
        self.trouble = 0.0
        self._late: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        gateway = request.url.path.rpartition("/")[2]
        said = ENVELOPES[gateway].read_webhook(await request.aread(), tuple(request.headers.raw))
        refs = Refs(said.refs.link, said.refs.payment, said.refs.refund, said.refs.reference)
        if self._rng.random() >= self.trouble:
            self._store(gateway, said.event, said.type, refs)
            return httpx.Response(200, request=request)
        what = self._rng.choice(("lost", "twice", "late", "refused"))
        self._hits[f"webhook {what}"] += 1
        if what == "twice":
            self._store(gateway, said.event, said.type, refs)
            self._store(gateway, said.event + "x", said.type, refs)
        if what == "late":
            task = asyncio.get_running_loop().create_task(self._later(gateway, said.event, said.type, refs))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        return httpx.Response(503 if what == "refused" else 200, request=request)

    async def _later(self, gateway: str, event: str, type_: str, refs: Refs) -> None:
        await asyncio.sleep(self._rng.uniform(1.0, 600.0))
        self._store(gateway, event, type_, refs)

    def _store(self, gateway: str, event: str, type_: str, refs: Refs) -> None:
        seq, now = len(self._log) + 1, self._now_ms()
        tag = tag_of(seq, "webhook", gateway, event, type_, refs, now)
        place = Cursor(self._epoch, seq, tag)
        made = Event(
            id=str(place), kind="webhook", gateway=gateway, event=event, type=type_, refs=refs, received_at=at(now)
        )
        self._log.append(made)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    def forget(self) -> None:
        """The relay lost its disk: another epoch begins, and what it had is gone."""
        self._epoch = f"epoch{int(self._epoch[5:]) + 1}"
        self._log.clear()
        self._hits["relay forgot"] += 1
        self._wake()

    async def events(self, cursor: str) -> AsyncIterator[Event | Notice | Beat]:
        epoch, done = self._epoch, 0
        origin = str(Cursor.origin(epoch))
        if not cursor.startswith(epoch + ":"):
            yield Notice(epoch=epoch, cursor=origin, reason="epoch" if cursor else "first")
        else:
            done = Cursor.parse(cursor).seq
        while True:
            while epoch == self._epoch and done < len(self._log):
                event = self._log[done]
                if self._rng.random() < self.trouble / 4:
                    self._hits["relay cut"] += 1
                    raise Unreachable("The relay cannot be reached.", "Later.")
                yield event
                done += 1
            if epoch != self._epoch:
                return
            news = self._news
            await news.wait()


class TillsRelay:
    """`pos.sync.relay_client.RelayClient` over the simulated relay."""

    def __init__(self, relay: Relay) -> None:
        self._relay = relay

    async def whoami(self) -> Who:
        return Who("shop_sim", "till", "epoch0")

    async def put_link(self, token: str, body: dict[str, Any]) -> None:
        return None

    async def events(self, cursor: str) -> AsyncIterator[Event | Notice | Beat]:
        async with contextlib.aclosing(self._relay.events(cursor)) as told:
            async for said in told:
                yield said

    async def close(self) -> None:
        return None
