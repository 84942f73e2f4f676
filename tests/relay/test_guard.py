"""The server's guard over real sockets: slow and endless requests are closed, everybody else is served."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from pos.relay.app import Relay
from pos.relay.core import Core
from pos.relay.server import Server, _config, _listen, close_core, open_core
from pos.relay.settings import Limits, Settings
from tests.relay.asgi import sign, stripe_event
from tests.relay.conftest import Shop, add_shop

WITHIN_S = 5.0
QUICK = Limits(headers_within_s=0.3, body_within_s=0.5, connections=60)


@dataclass
class Serving:
    port: int
    core: Core
    shop: Shop
    server: Server

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def send(self, *parts: bytes) -> bytes:
        """Everything that comes back until the relay closes the connection."""
        reader, writer = await self.connect()
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            async with asyncio.timeout(WITHIN_S):
                return await reader.read()
        except ConnectionError:
            return b""
        finally:
            writer.close()

    async def health(self) -> bytes:
        return await self.send(b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")


@pytest.fixture
async def serving(settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[Serving]:
    settings = replace(settings, limits=getattr(request, "param", QUICK), heartbeat_s=0.05)
    core, _ = open_core(settings)
    shop = add_shop(core, "Café")
    ready = asyncio.Event()
    server = Server(_config(Relay(core), settings), ready.set, core.hub.close)
    with _listen("127.0.0.1", 0) as listening:
        running = asyncio.create_task(server._serve([listening]))
        async with asyncio.timeout(WITHIN_S):
            await ready.wait()
        yield Serving(listening.getsockname()[1], core, shop, server)
        server.should_exit = True
        async with asyncio.timeout(WITHIN_S):
            await running
    await close_core(core)


async def test_a_silent_connection_is_closed(serving: Serving) -> None:
    began = time.monotonic()
    assert await serving.send() == b""
    assert time.monotonic() - began < 2


async def test_half_a_header_is_closed(serving: Serving) -> None:
    assert await serving.send(b"POST /hooks/a/b/c HTTP/1.1\r\nhost: x\r\nx-slow: ") == b""


async def test_a_header_that_drips_is_closed_all_the_same(serving: Serving) -> None:
    reader, writer = await serving.connect()
    writer.write(b"GET /healthz HTTP/1.1\r\n")

    async def drip() -> None:
        while not writer.is_closing():
            writer.write(b"x-a: b\r\n")
            await asyncio.sleep(0.02)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(WITHIN_S):
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass
    dripping.cancel()
    writer.close()


async def test_bare_line_ends_keep_nobody_alive(serving: Serving) -> None:
    reader, writer = await serving.connect()
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    await reader.readuntil(b'{"ok":true}')

    async def drip() -> None:
        while not writer.is_closing():
            writer.write(b"\r\n")
            await asyncio.sleep(0.05)

    dripping = asyncio.create_task(drip())
    async with asyncio.timeout(WITHIN_S):
        try:
            assert await reader.read() == b""
        except ConnectionError:
            pass
    dripping.cancel()
    writer.close()


async def test_a_slow_body_is_closed(serving: Serving) -> None:
    head = f"POST {serving.shop.hook} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n".encode()
    began = time.monotonic()
    got = await serving.send(head, b"x")
    assert time.monotonic() - began < 2
    assert b" 200 " not in got


@pytest.mark.parametrize("serving", [replace(QUICK, headers_within_s=60.0)], indirect=True)
@pytest.mark.parametrize("endless", [b"x-a: " + b"a" * 200_000, b"x-a: b\r\n" * 20_000])
async def test_endless_headers_are_closed(serving: Serving, endless: bytes) -> None:
    assert b" 200 " not in await serving.send(b"GET /healthz HTTP/1.1\r\n", endless)


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /hooks/a/b/c HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /hooks/a/b/c HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n",
        b"POST /hooks/a/b/c HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused(serving: Serving, request_: bytes) -> None:
    answer = await serving.send(request_)
    assert not answer.startswith((b"HTTP/1.1 2", b"HTTP/1.1 5"))


async def test_health_answers_while_slow_ones_hang(serving: Serving) -> None:
    slow = [await serving.connect() for _ in range(50)]
    for _, writer in slow:
        writer.write(b"POST /hooks/a/b/c HTTP/1.1\r\nx-slow: ")
    began = time.monotonic()
    assert b'{"ok":true}' in await serving.health()
    assert time.monotonic() - began < 1
    async with asyncio.timeout(WITHIN_S):
        await asyncio.gather(*(reader.read() for reader, _ in slow), return_exceptions=True)
    for _, writer in slow:
        writer.close()


async def test_more_connections_than_the_limit_are_dropped(serving: Serving) -> None:
    held = [await serving.connect() for _ in range(QUICK.connections)]
    assert await serving.health() == b""
    for _, writer in held:
        writer.close()
    async with asyncio.timeout(WITHIN_S):
        while b'{"ok":true}' not in await serving.health():
            await asyncio.sleep(0.01)


async def test_a_stream_outlives_every_deadline(serving: Serving) -> None:
    """It is the request that has a deadline, not the answer."""
    reader, writer = await serving.connect()
    writer.write(f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {serving.shop.token}\r\n\r\n".encode())
    async with asyncio.timeout(WITHIN_S):
        for _ in range(20):
            await reader.readuntil(b": heartbeat")
    writer.close()


async def test_a_connection_serves_one_hook_after_the_other(serving: Serving) -> None:
    reader, writer = await serving.connect()
    for n in range(5):
        body = json.dumps(stripe_event(n)).encode()
        head = f"POST {serving.shop.hook} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n"
        signed = f"stripe-signature: {sign(body, int(time.time()))}\r\n\r\n"
        writer.write((head + signed).encode() + body)
        async with asyncio.timeout(WITHIN_S):
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(2)
    writer.close()
    assert len(await serving.core.log.page(serving.shop.id, 0, 10)) == 5


async def test_answers_do_not_wait_for_delayed_acknowledgements(serving: Serving) -> None:
    _, writer = await serving.connect()
    async with asyncio.timeout(WITHIN_S):
        while not serving.server.server_state.connections:
            await asyncio.sleep(0.01)
    (connection,) = serving.server.server_state.connections
    peer = connection.transport.get_extra_info("socket")
    assert peer.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()


async def test_a_till_that_hangs_up_leaves_nothing_behind(serving: Serving) -> None:
    reader, writer = await serving.connect()
    writer.write(f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {serving.shop.token}\r\n\r\n".encode())
    await reader.readuntil(b": heartbeat")
    assert len(serving.core.hub) == 1
    writer.transport.abort()
    async with asyncio.timeout(WITHIN_S):
        while len(serving.core.hub):
            await asyncio.sleep(0.01)


async def test_a_till_that_does_not_read_is_dropped(serving: Serving) -> None:
    """Its buffers fill, the push does not get through within its time, and the connection goes."""
    serving.core.hub._send_within_s = 0.2
    _, writer = await serving.connect()
    writer.transport.pause_reading()
    writer.write(f"GET /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {serving.shop.token}\r\n\r\n".encode())
    async with asyncio.timeout(WITHIN_S):
        while not len(serving.core.hub):
            await asyncio.sleep(0.01)
    feed = next(iter(serving.core.hub._feeds.values()))
    feed.ring.append((1, b": " + b"x" * 20_000_000 + b"\n\n"))
    feed.head = 1
    for stream in feed.streams:
        stream.wake()
    async with asyncio.timeout(WITHIN_S):
        while len(serving.core.hub):
            await asyncio.sleep(0.01)
    assert serving.core.metrics.count("refused_total", 'reason="does_not_read"') == 1
    assert not serving.server.server_state.connections, "nothing waits for a flush that will not come"
    writer.close()
