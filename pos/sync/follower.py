"""Other processes write too (`pos refund` beside a running till, a second till): their changes reach the screens.

While the database does not answer the screens are told that, once a second; what changed meanwhile comes afterwards.
"""

from __future__ import annotations

import asyncio

from pos.domain.errors import PosError
from pos.services.bus import OrderChanged, StatusChanged
from pos.services.context import Context
from pos.services.queries import Queries

PAUSE_S = 1.0
NEWEST = 2**62


class Follower:
    """Asks a counter that moves with every change; a row that this process announced already changes nothing."""

    def __init__(self, context: Context, queries: Queries) -> None:
        self._context = context
        self._queries = queries
        self._touch = NEWEST

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._tell()
            await asyncio.sleep(PAUSE_S)

    async def _tell(self) -> None:
        try:
            rows, self._touch = await self._queries.changed_since(self._touch)
        except PosError:
            rows = []  # the status says what is wrong
        for row in rows:
            self._context.bus.publish(OrderChanged(row))
        self._context.bus.publish(StatusChanged(await self._queries.status()))
