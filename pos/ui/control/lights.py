"""The lights in the bar: read behind what is waited for, once for many changes. What each means stands in a service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from pos.domain.errors import Broken
from pos.ui.control.soon import Soon
from pos.words.shell import Banner

if TYPE_CHECKING:
    from pos.services.views import StatusView
    from pos.ui.flow import Flow
    from pos.ui.views.topbar import TopBar


class LightControl(QObject):
    """`books_changed(test_mode)` when another status says so than the one before."""

    books_changed = Signal(bool)

    def __init__(self, flow: Flow, top: TopBar, *, test_mode: bool) -> None:
        super().__init__()
        self._flow = flow
        self._top = top
        self._test_mode = test_mode
        self._soon = Soon(flow, self._status, self.show)
        self._problem = ""

    def read(self) -> None:
        self._flow.start(self._status(), self.show)

    def read_soon(self) -> None:
        self._soon.want()

    async def _status(self) -> StatusView:
        return await self._flow.counter.till.queries.status()

    def show(self, status: StatusView) -> None:
        self._top.show_status(status)
        self._say(status)
        if status.test_mode != self._test_mode:  # the first gateway decided which books these are
            self._test_mode = status.test_mode
            self.books_changed.emit(status.test_mode)

    def _say(self, status: StatusView) -> None:
        """Once when it comes and once when it is over; the light stays for as long as it lasts."""
        if status.problem == self._problem:
            return
        self._problem = status.problem
        if status.problem:
            self._flow.failed.emit(Broken(status.problem, status.problem_hint))
        else:
            self._flow.noted.emit(Banner.BOOKS_BACK)
