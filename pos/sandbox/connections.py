"""Hanging up on a caller: the open connections by peer, for the fault that loses an answer.

ASGI has no word for it, so the server's protocol class writes down its transports here.
"""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol


class Connections:
    """Peer address -> transport."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        """The server's own HTTP/1.1 protocol, telling this registry of each connection."""
        opened = self._open

        class Noted(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                super().connection_made(transport)
                if self.client is not None:
                    opened[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    opened.pop(self.client, None)
                super().connection_lost(exc)

        return Noted

    def hang_up(self, client: Any) -> None:
        """Close without a word, as a cut line would."""
        transport = self._open.get(tuple(client)) if client else None
        if transport is not None:
            transport.abort()


class HangUp(Response):
    """Instead of an answer, the connection is gone."""

    def __init__(self, connections: Connections) -> None:
        super().__init__()
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._connections.hang_up(scope.get("client"))
        while (await receive())["type"] != "http.disconnect":
            pass  # ends: the transport was aborted, and the server reports that once
