"""Settings that a command or an editor wrote reach the running till."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from pos.domain.errors import PosError

PAUSE_S = 2.0

log = logging.getLogger("pos.sync")


class SettingsWatcher:
    """Looks whether the file was written; what cannot work is said once and changes nothing."""

    def __init__(self, reload: Callable[[], Awaitable[bool]]) -> None:
        self._reload = reload
        self._said = ""

    async def run(self) -> None:
        """For ever."""
        while True:
            await asyncio.sleep(PAUSE_S)
            await self.tick()

    async def tick(self) -> None:
        try:
            if await self._reload():
                log.info("the settings were written: gateways are enrolled anew")
            self._said = ""
        except PosError as error:
            if str(error) != self._said:
                self._said = str(error)
                log.warning("the settings were written, and cannot be followed: %s", error)
