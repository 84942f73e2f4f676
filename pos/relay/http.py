"""The little of HTTP that the hot paths need over raw ASGI: read a bounded body, answer, know who asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from pos.domain.errors import BadInput, PosError

Headers = list[tuple[bytes, bytes]]

JSON: Headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]


class Refusal(PosError):
    """An answer that ends a request, decided deep inside: status and, for 429 and 503, when to come again."""

    def __init__(self, status: int, title: str, retry_after_s: float = 0.0) -> None:
        super().__init__(title)
        self.status, self.retry_after_s = status, retry_after_s


class Gone(PosError):
    """Whoever sent the request has hung up; there is nobody to answer."""


def header(scope: Scope, name: bytes) -> bytes | None:
    """The last value of a header; None if it is absent."""
    found = None
    for key, value in scope["headers"]:
        if key == name:
            found = value
    return found


def address(scope: Scope) -> str:
    """The peer's address, as uvicorn gives it (behind a proxy on this machine: the forwarded one)."""
    client = scope.get("client")
    return client[0] if client else ""


async def read_body(scope: Scope, receive: Receive, limit: int, within_s: float) -> bytes:
    """The whole body.

    Raises:
        Refusal: 413 over `limit` bytes (announced or counted), 408 too slow, 415 encoded.
        Gone: hung up.
    """
    if header(scope, b"content-encoding") not in (None, b"identity"):
        raise Refusal(415, "Send the body as it is, without content-encoding.")
    length = header(scope, b"content-length")
    if length is not None and not length.isdigit():
        raise Refusal(400, "Content-Length is no number.")
    if length is not None and (len(length) > 12 or int(length) > limit):
        raise Refusal(413, f"The body is larger than {limit} bytes.")
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        body: bytes = message.get("body", b"")
        _check_size(body, limit)
        return body
    try:
        async with asyncio.timeout(within_s):
            return await _read_parts(message, receive, limit)
    except TimeoutError as error:
        raise Refusal(408, f"The body did not come within {within_s:g} s.") from error


async def _read_parts(message: Any, receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        _check_size(body, limit)
        if not message.get("more_body"):
            return bytes(body)
        message = await receive()
    raise Gone("Hung up in the middle of the body.")


def _check_size(body: bytes | bytearray, limit: int) -> None:
    if len(body) > limit:
        raise Refusal(413, f"The body is larger than {limit} bytes.")


async def answer(send: Send, status: int, body: bytes, headers: Iterable[tuple[bytes, bytes]] = JSON) -> None:
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [*headers, (b"content-length", b"%d" % len(body))],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})


async def answer_json(send: Send, status: int, content: object) -> None:
    await answer(send, status, msgspec.json.encode(content))


async def refuse(send: Send, status: int, title: str, retry_after_s: float = 0.0) -> None:
    """One shape for every no: {"error": title}."""
    later = [(b"retry-after", b"%d" % max(1, round(retry_after_s)))] if status in (429, 503) else []
    await answer(send, status, msgspec.json.encode({"error": title}), [*JSON, *later])


def decode(body: bytes, shape: msgspec.json.Decoder[Any]) -> Any:
    """Raises BadInput with msgspec's own words, which name the field."""
    try:
        return shape.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("The body is not what it must be.", str(error)) from error
