"""Which order is on a screen, so that it is looked at often; and a bell that wakes the prober."""

from __future__ import annotations

import asyncio


class Watching:
    """Told by screens, read by the prober. Lives on one event loop."""

    def __init__(self) -> None:
        self.order_id: str | None = None
        self._bell = asyncio.Event()

    def watch(self, order_id: str | None) -> None:
        """This order is on screen now (None: none is)."""
        self.order_id = order_id
        self.ring()

    def ring(self) -> None:
        """Something may be due sooner than was planned."""
        self._bell.set()

    async def wait(self, timeout_s: float) -> None:
        """Until somebody rings, at most `timeout_s`."""
        try:
            await asyncio.wait_for(self._bell.wait(), timeout_s)
        except TimeoutError:
            pass
        self._bell.clear()
