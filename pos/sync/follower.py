"""Other processes write too (`pos refund` beside a running till, a second till): their changes reach the screens.

While the database does not answer the screens are told that, once a second; what changed meanwhile comes afterwards.
"""

from __future__ import annotations

import asyncio

from pos.domain.errors import PosError
from pos.services.bus import Event, OrderChanged, StatusChanged
from pos.services.context import Context
from pos.services.queries import Queries

PAUSE_S = 1.0
NEWEST = 2**62
AT_ONCE = 50
"""Rows told in one turn of the loop."""


class Follower:
    """Asks a counter that moves with every change. What this process announced itself is not read and told again."""

    def __init__(self, context: Context, queries: Queries) -> None:
        self._context = context
        self._queries = queries
        self._touch = NEWEST
        self._told: dict[str, int] = {}

    async def run(self) -> None:
        """For ever."""
        stop = self._context.bus.subscribe(self.heard)
        try:
            while True:
                await self.tell()
                await asyncio.sleep(PAUSE_S)
        finally:
            stop()

    def heard(self, event: Event) -> None:
        """What this process says of an order need not be looked up."""
        if isinstance(event, OrderChanged):
            self._told[event.row.order_id] = event.row.version

    async def tell(self) -> None:
        """One look; `run` looks for ever."""
        told, self._told = self._told, {}
        try:
            rows, self._touch = await self._queries.changed_since(self._touch, told)
        except PosError:
            self._told = told | self._told
            rows = []  # the status says what is wrong
        for number, row in enumerate(rows, 1):
            self._context.bus.publish(OrderChanged(row))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)  # the window paints between them
        self._context.bus.publish(StatusChanged(await self._queries.status()))
