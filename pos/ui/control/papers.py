"""Print what is shown, keep it as a file, put a link on the clipboard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QGuiApplication

from pos.words.shell import Banner

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from pos.services.views import DayView, OrderView
    from pos.ui.flow import Flow
    from pos.ui.paper import Paper
    from pos.ui.shop import Shop


class PaperControl(QObject):
    """`subject` and `day` say what is on screen now."""

    receipt_read = Signal(object)
    note_read = Signal(object)

    def __init__(
        self,
        flow: Flow,
        paper: Paper,
        shop: Shop,
        subject: Callable[[], OrderView | None],
        day: Callable[[], DayView | None],
    ) -> None:
        super().__init__()
        self._flow = flow
        self._paper = paper
        self._shop = shop
        self._subject = subject
        self._day = day

    @property
    def link(self) -> str:
        """The link whose code is on screen."""
        view = self._flow.counter.view
        shown = self._flow.page == "sell" and not self._flow.overlay and view is not None
        return view.attempt.link_url if shown and view and view.attempt and view.attempt.qr_text else ""

    @property
    def has_receipt(self) -> bool:
        view = self._subject()
        return view is not None and "receipt" in view.may and not self._flow.overlay

    @property
    def printable(self) -> bool:
        if self._flow.page == "reconcile":
            return self._day() is not None
        return self.has_receipt or bool(self.link)

    def print_shown(self) -> None:
        till, view, day = self._flow.counter.till, self._subject(), self._day()
        if self._flow.page == "reconcile" and day is not None:
            self._start(self._paper.print_day(day))
        elif self.link and view is not None:
            self._start(self._paper.save_code(view, self._shop.name))
        elif view is not None:
            self._start(self._paper.print_receipt(till, view.order_id))

    def show_receipt(self) -> None:
        view = self._subject()
        if view is not None:
            self._flow.start(self._flow.counter.till.queries.receipt(view.order_id), self.receipt_read.emit)

    def print_note(self, lines: list[str]) -> None:
        """A credit note that was just written: one for the customer, and it is shown."""
        self.note_read.emit(lines)
        self._start(self._paper.print_note(lines))

    @property
    def has_note(self) -> bool:
        view = self._subject()
        return view is not None and bool(view.notes) and not self._flow.overlay

    def show_note(self) -> None:
        """The last credit note of the order on screen."""
        view = self._subject()
        if view is not None and view.notes:
            self._flow.start(self._flow.counter.till.returns.paper(view.notes[-1]), self.note_read.emit)

    def save_receipt(self) -> None:
        view = self._subject()
        if view is not None:
            self._start(self._paper.save_receipt(self._flow.counter.till, view))

    def save_evidence(self) -> None:
        view = self._subject()
        if view is not None:
            self._start(self._paper.save_evidence(self._flow.counter.till, view))

    def export_day(self) -> None:
        day = self._day()
        if day is not None:
            self._start(self._paper.export_day(day))

    def copy_link(self) -> None:
        QGuiApplication.clipboard().setText(self.link)
        self._flow.noted.emit(Banner.COPIED)

    def _start(self, work: Coroutine[Any, Any, str]) -> None:
        def done(path: str) -> None:
            if path:
                self._flow.noted.emit(Banner.SAVED.format(path=path))

        self._flow.start(work, done)
