"""Something shown that is read anew after changes: once for many of them, and after what somebody waits for."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pos.ui.flow import Flow

WAIT_S = 0.04
SHARE = 10
"""Times as long as the last reading took, at least, it is left alone: while hundreds of orders change each second."""
WAIT_MAX_S = 2.0


class Soon:
    """`read` is awaited and its answer given to `show`; what comes while that is due is in it."""

    def __init__(self, flow: Flow, read: Callable[[], Coroutine[Any, Any, Any]], show: Callable[[Any], None]) -> None:
        self._flow = flow
        self._read = read
        self._show = show
        self._due = False
        self._took_s = 0.0

    def want(self) -> None:
        if not self._due:
            self._due = True
            self._flow.start(self._later(), self._show)

    async def _later(self) -> Any:
        import asyncio  # not needed for the first paint

        try:
            await asyncio.sleep(min(WAIT_MAX_S, max(WAIT_S, SHARE * self._took_s)))
        finally:
            self._due = False
        began = time.monotonic()
        found = await self._read()
        self._took_s = time.monotonic() - began
        return found
