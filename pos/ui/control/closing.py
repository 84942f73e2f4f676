"""The page of the day: read the reports, take the proposed actions, close."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from pos.domain.matching import Action
from pos.services.views import Resolution
from pos.words.pay import Refund

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pos.services.api import TillApi
    from pos.services.views import DayView, ExceptionView
    from pos.ui.flow import Flow
    from pos.ui.views.day import DayPanel
    from pos.ui.views.totals import TotalsPanel

AT_ONCE = {
    Action.REFUND: Refund.SECOND_PAYMENT,
    Action.RETRY_REFUND: Refund.ONCE_MORE,
    Action.ACCEPT: Refund.GOOD_WILL,
    Action.ASK: "",
}
"""Steps of one key, with the reason that the journal keeps."""


class DayControl(QObject):
    """`investigated(order_id)` when an order is to be looked at; `collected(order_id)` when its rest is to be paid."""

    investigated = Signal(str)
    collected = Signal(str)
    changed = Signal()

    def __init__(self, flow: Flow, panel: DayPanel, totals: TotalsPanel) -> None:
        super().__init__()
        self._flow = flow
        self._panel = panel
        self._totals = totals
        self.reading = False
        panel.acted.connect(self._act)
        panel.opened.connect(self.investigated)

    @property
    def view(self) -> DayView | None:
        return self._panel.view

    @property
    def can_close(self) -> bool:
        return self.view is not None and self.view.closed_at_ms is None and not self.reading

    @property
    def _till(self) -> TillApi:
        return self._flow.counter.till

    def open(self) -> None:
        """What the books say at once, then the gateways' reports."""
        self._flow.start(self._till.day.preview(refresh=False), self._opened)

    def read(self) -> None:
        """Read the reports again; what is shown stays until they are in."""
        if not self.reading:
            self._set_reading(True)
            self._start(self._till.day.preview(refresh=True))

    def close_day(self, counted_minor: int | None, reason: str) -> None:
        self._flow.close()
        self._set_reading(True)
        actor = self._flow.counter.actor
        self._start(self._till.day.close(actor=actor, counted_minor=counted_minor, reason=reason))

    def attach(self, payment: str, number: str) -> None:
        self._flow.close()
        actor = self._flow.counter.actor
        self._then_again(self._till.day.attach(payment, number, actor=actor, reason=""))

    def settle(self, exception_id: str, reason: str) -> None:
        self._flow.close()
        actor = self._flow.counter.actor
        settle = self._till.exceptions.settle
        self._flow.decide(
            lambda second: self._then_again(settle(exception_id, reason=reason, actor=actor, approved_by=second))
        )

    def again_quietly(self) -> None:
        """The books changed: show them, without asking the gateways."""
        if self.view is not None and not self.reading:
            self._flow.start(self._till.day.preview(refresh=False, day=self.view.day), self.show)

    def _opened(self, view: DayView) -> None:
        self.show(view)
        if view.closed_at_ms is None:
            self.read()

    def _start(self, work: Coroutine[Any, Any, DayView]) -> None:
        async def read() -> DayView:
            try:
                return await work
            finally:
                self._set_reading(False)

        self._flow.start(read(), self.show)

    def _set_reading(self, reading: bool) -> None:
        self.reading = reading
        if reading:
            self._panel.show_reading()
        elif self.view is not None:
            self._panel.show_day(self.view)
        self.changed.emit()

    def show(self, view: DayView) -> None:
        """A day as it was read."""
        self._panel.show_day(view)
        self._totals.show_day(view)
        self.changed.emit()

    def _act(self, row: ExceptionView) -> None:
        if row.action in AT_ONCE:
            self._flow.decide(lambda second: self._then_again(self._do(row, second)))
        elif row.action is Action.COLLECT:
            self.collected.emit(row.order_id)
        else:
            self._flow.exception = row
            self._flow.open("attach" if row.action is Action.ATTACH else "settle")

    def _do(self, row: ExceptionView, second: str) -> Coroutine[Any, Any, Any]:
        decision = Resolution(AT_ONCE[row.action], self._flow.counter.actor, approved_by=second)
        return self._till.exceptions.act(row.id, decision)

    def _then_again(self, work: Coroutine[Any, Any, Any]) -> None:
        self._flow.start(work, lambda _: self.again_quietly())
