"""The window as a stage: shows a named scene of a real till and keeps its picture. For stories and documents."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from pos.ui import shots

if TYPE_CHECKING:
    from pathlib import Path

    from PySide6.QtWidgets import QWidget

    from pos.services.views import DayView
    from pos.ui.main_window import MainWindow

log = logging.getLogger(__name__)
SETTLE_S = 10.0
QUIET_TURNS = 3
TURN_S = 0.05


class WindowStage:
    """`scene` names begin with the number of the picture they correspond to: 02-pay, 03-reconcile, 08-double."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        self._window = window
        self._folder = folder

    async def scene(self, name: str, order_id: str = "", day: DayView | None = None) -> None:
        """Bring the window to this scene and write `<name>.png`; at the latest after `SETTLE_S`, as it stands then."""
        if day is not None:
            self._window.closing.show(day)
        try:
            await self._go(name[:2], order_id)
            await self.settle()
        except TimeoutError:
            log.warning("%s: the window did not come to rest", name)
        shown: QWidget = self._window
        if name.startswith("04") and self._window.display is not None:
            shown = self._window.display
        shots.take(shown, self._folder, name)

    async def settle(self) -> None:
        """Until no task of the window runs and what it changed is painted."""
        async with asyncio.timeout(SETTLE_S):
            for _ in range(QUIET_TURNS):
                await self._window.kit.tasks.quiet()
                await asyncio.sleep(TURN_S)

    async def _go(self, number: str, order_id: str) -> None:
        window, flow = self._window, self._window.flow
        if number in ("05", "08"):
            flow.go("orders")
            await self.settle()
            window.history.load(order_id)
        elif number == "03":
            flow.go("reconcile")
        elif number == "10":
            flow.go("sell")
            flow.next_customer()
            if not window.selling.tray_open:
                window.selling.toggle_tray()
            window.selling.read_tray()
        else:
            flow.go("sell")
            if order_id:
                flow.counter.open(order_id)
            else:
                flow.next_customer()
        if number == "04" and window.display is None:
            window.toggle_display()
