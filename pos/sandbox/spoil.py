"""Carrying out one fault on one answer: the only code that spoils what the bank says over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from pos.sandbox.connections import Connections, HangUp
from pos.sandbox.records import Fault

HTML = b"<!DOCTYPE html><html><head><title>Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"


async def answer_through(
    fault: Fault | None,
    work: Callable[[], Awaitable[Response]],
    refuse: Callable[[str, dict[str, Any]], Response],
    connections: Connections,
) -> Response:
    """The answer of `work`, or what `fault` makes of it. `refuse` says "no" (429, 401) in the dialect's words.

    In order: wait or refuse before the work; work; wait; spoil the answer. Faults that change what the bank *does*
    are no business of this function: the work itself asks for them.
    """
    if fault is None:
        return await work()
    more = fault.more
    if fault.kind in ("rate_limited", "unauthorized"):
        await asyncio.sleep(more["delay_s"])
        return refuse(fault.kind, more)
    if more.get("before_work"):
        await asyncio.sleep(more["delay_s"])
        return await work() if fault.kind == "delay" else _spoiled(fault.kind, more, Response(), connections)
    response = await work()
    await asyncio.sleep(more["delay_s"])
    return _spoiled(fault.kind, more, response, connections)


def _spoiled(kind: str, more: dict[str, Any], response: Response, connections: Connections) -> Response:
    if kind == "drop":
        return HangUp(connections)
    if kind == "html":
        return Response(HTML, more["status"], media_type="text/html")
    if kind == "truncated":
        return _with_body(response, bytes(response.body)[: more["keep_bytes"]])
    if kind == "unknown_status":
        return _with_body(response, _reworded(bytes(response.body), more["word"]))
    if kind in _RETOLD:
        return _with_body(response, _retold(bytes(response.body), _RETOLD[kind]))
    return response


def _with_body(response: Response, body: bytes) -> Response:
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(body, response.status_code, headers)


def _reworded(body: bytes, word: str) -> bytes:
    """Every status of the answer becomes a word that nobody has documented."""
    return _retold(body, lambda name, value: word if name in ("status", "payment_status") and value else value)


def _retold(body: bytes, tell: Callable[[str, Any], Any]) -> bytes:
    """The answer with each of its fields told in another way: `tell` has a field's name and value."""
    try:
        said = json.loads(body)
    except ValueError:
        return body

    def retell(value: Any) -> Any:
        if isinstance(value, list):
            return [retell(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {name: retell(tell(name, item)) for name, item in value.items()}

    return json.dumps(retell(said)).encode()


def _twice(name: str, value: Any) -> Any:
    return [row for row in value for _ in range(2)] if name in _ROWS and isinstance(value, list) else value


def _without_fees(name: str, value: Any) -> Any:
    return None if name in ("balance_transaction", "fee", "tax") else value


def _without_references(name: str, value: Any) -> Any:
    if name in ("metadata", "notes"):
        return type(value)()
    return None if name in ("client_reference_id", "reference_id", "receipt", "order_receipt") else value


_ROWS = ("data", "items", "payment_links")
"""What the dialects call the rows of a list."""
_RETOLD: dict[str, Callable[[str, Any], Any]] = {
    "rows_twice": _twice,
    "without_fees": _without_fees,
    "without_references": _without_references,
}
