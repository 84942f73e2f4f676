"""Other processes write too (`pos refund` beside a running till, a second till): their changes reach the screens."""

from __future__ import annotations

import asyncio

from pos.services.bus import OrderChanged, StatusChanged
from pos.services.context import Context
from pos.services.queries import Queries

PAUSE_S = 1.0


class Follower:
    """Asks a counter that moves with every change; a row that this process announced already changes nothing."""

    def __init__(self, context: Context, queries: Queries) -> None:
        self._context = context
        self._queries = queries

    async def run(self) -> None:
        """For ever."""
        _, touch = await self._queries.changed_since(2**62)
        while True:
            await asyncio.sleep(PAUSE_S)
            rows, touch = await self._queries.changed_since(touch)
            for row in rows:
                self._context.bus.publish(OrderChanged(row))
            self._context.bus.publish(StatusChanged(await self._queries.status()))
