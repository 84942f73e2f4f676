"""A till that shares its database shows that it is alive: each write renews its lease, so one is made in idle times."""

from __future__ import annotations

import asyncio

from pos.domain.store_port import Tx
from pos.services.context import Context

PAUSE_S = 8.0
"""Well within the lease of 30 s (`pos.store.gate`)."""


class Presence:
    def __init__(self, context: Context) -> None:
        self._context = context

    async def run(self) -> None:
        """For ever; a refusal (another copy of this till is at work) is logged by the supervisor, and tried again."""
        while True:
            await self._context.store.write(_nothing)
            await asyncio.sleep(PAUSE_S)


def _nothing(_tx: Tx) -> None:
    """The gate before the write does the work."""
