"""What a till lets whoever answers at its relay's address do to it: no more time and memory than a relay needs."""

from __future__ import annotations

import asyncio
import gzip
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from pos.domain.errors import Unreachable
from pos.sync import relay_client
from pos.sync.relay_client import RelayClient, TokenLocked
from pos.wire import Garbled
from tests.gateways.test_http import request_of, server

WHO = {"shop": "s41c0", "till": "t1", "epoch": "5be01c77a2f4"}
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json"
MIB = 1024 * 1024


@asynccontextmanager
async def answering(head: bytes, body: bytes) -> AsyncIterator[str]:
    """A server that gives one answer to everything."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(head + b"\r\n\r\n" + body)
        await writer.drain()

    async with server(serve) as url:
        yield url


async def test_a_packed_answer_is_not_unpacked() -> None:
    """Half a megabyte of it took more than one gigabyte of memory."""
    bomb = gzip.compress(json.dumps(WHO | {"more": "0" * 64 * MIB}).encode())
    assert len(bomb) < MIB / 8
    tracemalloc.start()
    try:
        head = OK + b"\r\nContent-Encoding: gzip\r\nContent-Length: %d" % len(bomb)
        async with answering(head, bomb) as url:
            client = RelayClient(url, "token")
            with pytest.raises(Unreachable, match="not our relay"):
                await client.whoami()
            await client.close()
        assert tracemalloc.get_traced_memory()[1] < 8 * MIB
    finally:
        tracemalloc.stop()


async def test_a_token_that_is_locked_away_is_read_as_soon_as_it_can_be() -> None:
    """The vault is opened in the window while the till runs; nothing is sent before."""
    heard, kept = [], [""]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await request_of(reader))
        body = json.dumps(WHO).encode()
        writer.write(OK + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()

    async with server(serve) as url:
        client = RelayClient(url, "", later=lambda: kept[0])
        with pytest.raises(TokenLocked):
            await client.whoami()
        with pytest.raises(TokenLocked):
            await anext(client.events(""))
        assert heard == []
        kept[0] = "till-token"
        assert (await client.whoami()).shop == WHO["shop"]
        await client.close()
    assert b"authorization: bearer till-token" in heard[0].lower()


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate", b"br", b"identity, gzip"])
async def test_an_answer_that_says_it_is_packed_is_not_our_relays(encoding: bytes) -> None:
    """Even one that could be read: ours packs nothing, so somebody stands in between."""
    async with answering(OK + b"\r\nContent-Encoding: " + encoding, json.dumps(WHO).encode()) as url:
        client = RelayClient(url, "token")
        with pytest.raises(Unreachable, match="not our relay"):
            await client.whoami()
        await client.close()


async def test_an_answer_without_end_is_cut_off() -> None:
    body = json.dumps(WHO).encode()
    padded = body + b" " * (relay_client.ANSWER_MAX_BYTES - len(body))
    async with answering(OK, padded) as url:
        client = RelayClient(url, "token")
        assert (await client.whoami()).shop == "s41c0"
        await client.close()
    async with answering(OK, padded + b" ") as url:
        client = RelayClient(url, "token")
        with pytest.raises(Unreachable, match="not our relay"):
            await client.whoami()
        await client.close()


async def test_an_answer_that_comes_byte_by_byte_ends_with_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte came in time, and the call took as long as somebody liked. Here the drops never end."""
    monkeypatch.setattr(relay_client, "CALL_TIMEOUT_S", 0.4)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(OK + b"\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.02)

    async with server(drip) as url:
        client = RelayClient(url, "token")
        async with asyncio.timeout(5):
            with pytest.raises(Unreachable, match="cannot be reached"):
                await client.whoami()
        await client.close()


async def test_a_proxy_that_cannot_be_used_is_told_when_the_relay_is_asked_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The client is made while a till is opened, and a till sells without a relay."""
    monkeypatch.setenv("all_proxy", "socks://127.0.0.1:1080/")
    client = RelayClient("https://relay.example", "token")
    with pytest.raises(Unreachable, match="all_proxy"):
        await client.whoami()
    with pytest.raises(Unreachable, match="all_proxy"):
        async for _ in client.events(""):
            pass
    await client.close()


@pytest.mark.parametrize("endless", [b"data: " + b"x" * 128 * 1024, b"data: x\n" * 300_000])
async def test_a_line_and_a_frame_of_the_stream_have_an_end(endless: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream"
    async with answering(head, endless) as url:
        client = RelayClient(url, "token")
        with pytest.raises(Garbled, match="without end"):
            async for _ in client.events(""):
                pass
        await client.close()
