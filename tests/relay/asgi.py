"""Talks to an ASGI application in this process: one request, or an open stream. No sockets."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

from pos import wire

WITHIN_S = 5.0
SECRET = "whsec_of_the_relay_tests"


class Answer:
    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.status, self.body = status, body
        self.headers = {name.decode(): value.decode() for name, value in headers}

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def _scope(method: str, target: str, headers: Mapping[str, str | bytes], client: str) -> dict[str, Any]:
    path, _, query = target.partition("?")
    raw = [(k.lower().encode(), v if isinstance(v, bytes) else v.encode("latin-1")) for k, v in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": raw,
        "client": (client, 50_000),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


class Client:
    def __init__(self, app: Any, address: str = "127.0.0.1") -> None:
        self.app, self.address = app, address

    async def ask(
        self,
        method: str,
        target: str,
        body: bytes | Iterable[bytes] = b"",
        headers: Mapping[str, str | bytes] | None = None,
        token: str = "",
    ) -> Answer:
        """One request to its end. A body that is not bytes is sent in parts, without a length."""
        given = dict(headers or {})
        if token:
            given["authorization"] = f"Bearer {token}"
        parts = iter([body] if isinstance(body, bytes) else body)
        if isinstance(body, bytes) and body:
            given.setdefault("content-length", str(len(body)))
        sent: list[dict[str, Any]] = []
        done = False

        async def receive() -> dict[str, Any]:
            nonlocal done
            part = next(parts, None)
            if part is not None:
                return {"type": "http.request", "body": part, "more_body": not isinstance(body, bytes)}
            if not done:
                done = True
                return {"type": "http.request", "body": b"", "more_body": False}
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async with asyncio.timeout(WITHIN_S):
            await self.app(_scope(method, target, given, self.address), receive, send)
        got = b"".join(m.get("body", b"") for m in sent[1:])
        return Answer(sent[0]["status"], list(sent[0]["headers"]), got)

    async def hook(self, path: str, content: Any, secret: str = SECRET, *, t: int, **headers: str) -> Answer:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return await self.ask("POST", path, body, {"stripe-signature": sign(body, t, secret), **headers})

    @asynccontextmanager
    async def stream(self, token: str, cursor: str | None = None) -> AsyncIterator[OpenStream]:
        headers = {"authorization": f"Bearer {token}"} | ({"last-event-id": cursor} if cursor is not None else {})
        stream = OpenStream(self.app, _scope("GET", "/v1/events", headers, self.address))
        try:
            yield stream
        finally:
            await stream.close()


class OpenStream:
    """The till's end of an event stream."""

    def __init__(self, app: Any, scope: dict[str, Any]) -> None:
        self._hung_up = asyncio.Event()
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._parser = wire.SseParser()
        self._frames: list[wire.Frame] = []
        self.raw = b""
        self.status = 0
        self.ended = False
        self._task = asyncio.create_task(app(scope, self._receive, self._sent.put))

    async def _receive(self) -> dict[str, Any]:
        await self._hung_up.wait()
        return {"type": "http.disconnect"}

    async def _message(self) -> None:
        """Take in one message from the relay, or fail after a while."""
        async with asyncio.timeout(WITHIN_S):
            message = await self._sent.get()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            return
        self.raw += message.get("body", b"")
        self._frames += self._parser.feed(message.get("body", b""))
        self.ended = not message.get("more_body", False)

    async def started(self) -> int:
        while not self.status:
            await self._message()
        return self.status

    async def frame(self) -> wire.Frame:
        while not self._frames:
            assert not self.ended, "the stream has ended"
            await self._message()
        return self._frames.pop(0)

    async def event(self) -> wire.Event:
        frame = await self.frame()
        assert frame.event == "message", frame
        event = wire.decode_event(frame.data)
        assert event is not None
        assert event.id == frame.id
        return event

    async def notice(self) -> wire.Notice:
        frame = await self.frame()
        assert frame.event == "epoch", frame
        return wire.decode_notice(frame.data)

    async def comment(self, text: bytes) -> None:
        """Wait until these bytes have come."""
        while text not in self.raw:
            await self._message()

    async def end(self) -> None:
        while not self.ended:
            await self._message()

    def quiet(self) -> bool:
        return not self._frames and self._sent.empty()

    async def close(self) -> None:
        self._hung_up.set()
        async with asyncio.timeout(WITHIN_S):
            await self._task


def sign(body: bytes, t: int, secret: str = SECRET) -> str:
    mac = hmac.new(secret.encode(), f"{t}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={t},v1={mac}"


def stripe_event(n: int | str, link: str = "cs_1", type_: str = "checkout.session.completed") -> dict[str, Any]:
    session = {"object": "checkout.session", "id": link, "client_reference_id": "o_1", "amount_total": 98400}
    return {"id": f"evt_{n}", "object": "event", "type": type_, "livemode": False, "data": {"object": session}}
