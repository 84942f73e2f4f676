"""The request log that judges are counted by: who has an answer in hand finds its line written."""

from __future__ import annotations

import asyncio
import contextlib
import json
from pathlib import Path

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pos.sandbox.bank import Bank
from pos.sandbox.server import Outermost

SCOPE: Scope = {"type": "http", "method": "GET", "path": "/v1/payments", "headers": [(b"user-agent", b"Judge/1.0")]}


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 401, "headers": []})
    await send({"type": "http.response.body", "body": b"no"})


async def _hang_up(scope: Scope, receive: Receive, send: Send) -> None:
    """A drill that leaves without a word."""


def _run(app: ASGIApp, log: Path, send: Send) -> None:
    """One request, then the end of the server's life, which closes the log."""

    async def life() -> None:
        with contextlib.closing(Bank(log.parent, [])) as bank:
            outermost = Outermost(app, bank, log)
            await outermost(SCOPE, _nothing, send)
            await outermost({"type": "lifespan"}, _nothing, send)

    asyncio.run(life())


def _lines(log: Path) -> list[tuple[str, int]]:
    return [(line["agent"], line["status"]) for line in map(json.loads, log.read_text().splitlines())]


def test_the_line_is_written_before_the_answer_leaves(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    seen: list[list[tuple[str, int]]] = []

    async def send(message: Message) -> None:
        seen.append(_lines(log))

    _run(_answer, log, send)
    assert seen == [[("Judge/1.0", 401)]] * 2
    assert _lines(log) == [("Judge/1.0", 401)]


def test_hanging_up_without_an_answer_has_its_line_too(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"

    async def send(message: Message) -> None:
        raise AssertionError("nothing was to be sent")

    _run(_hang_up, log, send)
    assert _lines(log) == [("Judge/1.0", 0)]
