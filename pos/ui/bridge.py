"""The one bridge from the bus to Qt: each event becomes one signal, in the same turn of the loop. No rules here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from pos.services.bus import (
    Bus,
    CodeWanted,
    Event,
    GatewaysChanged,
    LinkIssued,
    OrderChanged,
    PageOpened,
    ReconcileDone,
    StatusChanged,
)

if TYPE_CHECKING:
    from collections.abc import Callable


class Bridge(QObject):
    """Signals carry the event's own values: `order_changed(OrderRow)`, `status_changed(StatusView)`, ids as text."""

    order_changed = Signal(object)
    link_issued = Signal(str, str)
    code_wanted = Signal(str)
    page_opened = Signal(str)
    status_changed = Signal(object)
    reconcile_done = Signal(object)
    gateways_changed = Signal()

    def __init__(self, bus: Bus, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._stop: Callable[[], None] | None = bus.subscribe(self._take)

    def close(self) -> None:
        """Stop listening; twice is once."""
        if self._stop is not None:
            self._stop()
            self._stop = None

    def _take(self, event: Event) -> None:
        match event:
            case OrderChanged(row):
                self.order_changed.emit(row)
            case LinkIssued(order_id, attempt_id):
                self.link_issued.emit(order_id, attempt_id)
            case CodeWanted(text):
                self.code_wanted.emit(text)
            case PageOpened(order_id):
                self.page_opened.emit(order_id)
            case StatusChanged(status):
                self.status_changed.emit(status)
            case GatewaysChanged():
                self.gateways_changed.emit()
            case ReconcileDone():
                self.reconcile_done.emit(event)
