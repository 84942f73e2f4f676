"""Keeps the loops running: one that ends or fails is started again, later and later, and never takes another down."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Mapping

from pos.domain.errors import PosError

BACKOFF_FIRST_S, BACKOFF_MAX_S = 0.5, 30.0
CALM_AFTER_S = 60.0

log = logging.getLogger("pos.sync")
Loop = Callable[[], Awaitable[None]]


class Supervisor:
    """`parts`: loops by name, each for ever until it fails or is cancelled."""

    def __init__(self, parts: Mapping[str, Loop], *, only: str = "") -> None:
        self._parts = {name: loop for name, loop in parts.items() if not only or name == only}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, loop in self._parts.items():
                group.create_task(self._keep(name, loop), name=f"sync-{name}")

    async def _keep(self, name: str, loop: Loop) -> None:
        failures = 0
        while True:
            started = asyncio.get_running_loop().time()
            try:
                await loop()
                log.info("%s ended and is started again", name)
            except PosError as error:
                log.warning("%s: %s", name, error)
            except Exception:  # the loop edge: one broken loop must not stop the others
                log.exception("%s failed", name)
            calm = asyncio.get_running_loop().time() - started > CALM_AFTER_S
            failures = 1 if calm else failures + 1
            pause = min(BACKOFF_MAX_S, BACKOFF_FIRST_S * 2 ** min(failures - 1, 10))
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - noise, not a secret
