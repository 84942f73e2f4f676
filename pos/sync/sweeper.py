"""Sweeps, every x minutes: one till of the shop reads the gateways' reports, by a lease in the shared database."""

from __future__ import annotations

import asyncio

from pos.services.context import Context
from pos.services.reconcile import Reconcile

LEASE_EXTRA_MS = 60_000
FIRST_AFTER_S = 2.0
ASK_AGAIN_S = 30.0


class Sweeper:
    def __init__(self, context: Context, reconcile: Reconcile) -> None:
        self._context = context
        self._reconcile = reconcile

    async def run(self) -> None:
        """For ever; the first sweep soon after the start, so that what happened while we were off is known."""
        await asyncio.sleep(min(FIRST_AFTER_S, self._pause_s()))
        while True:
            next_s = await self.tick(self._pause_s())
            await asyncio.sleep(next_s)

    def _pause_s(self) -> float:
        """As the settings have it now."""
        return self._context.shop.sync_every_minutes * 60

    async def tick(self, pause_s: float) -> float:
        """One round; returns after how many seconds the next is due.

        Where another process has the lease, soon: it may have ended, and its lease with it a little later.
        """
        if not await self._mine(pause_s):
            return min(pause_s, ASK_AGAIN_S)
        await self._reconcile.sweep_all()
        await self._reconcile.sweep_deep()
        return pause_s

    async def _mine(self, pause_s: float) -> bool:
        now, owner = self._context.now_ms(), self._context.owner
        lease_ms = int(pause_s * 1000) + LEASE_EXTRA_MS
        return await self._context.store.write(lambda tx: tx.sync.take_lease("sweep", owner, now, lease_ms))
