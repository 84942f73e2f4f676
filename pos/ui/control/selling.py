"""The counter's page: scanning, cash, held orders, the tray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal

from pos.domain.status import Shown
from pos.ui.control.soon import Soon
from pos.ui.counter import Stage

if TYPE_CHECKING:
    from pos.services.views import OrderRow, OrderView
    from pos.ui.flow import Flow
    from pos.ui.views.cart import CartPanel
    from pos.ui.views.cash import CashPanel
    from pos.ui.views.lists import HeldPanel
    from pos.ui.views.sell import SellPanel

PAID_STAYS_MS = 90_000
"""A paid order keeps its card in the tray this long, so that the cashier sees it turn green."""
MAX_TRAY = 40


class SellControl(QObject):
    """`tray_changed(open)`."""

    tray_changed = Signal(bool)

    def __init__(self, flow: Flow, sell: SellPanel, cart: CartPanel) -> None:
        super().__init__()
        self._flow = flow
        self._sell = sell
        self._cart = cart
        self._tray: dict[str, OrderView] = {}
        self._fresh: dict[str, int] = {}
        self._held_soon = Soon(flow, self._read_held, self._show_held)
        sell.entered.connect(self._enter)
        sell.picked.connect(lambda product: flow.pick(product, sell.scan.text()))
        sell.walked.connect(cart.walk)
        cart.selected.connect(flow.counter.basket.select)
        sell.tray.wanted.connect(self._show_order)
        flow.prefix_used.connect(sell.scan.clear)
        flow.counter.changed.connect(self._counter_changed)

    def complete(self, cash: CashPanel, held: HeldPanel) -> None:
        """The panels that are not needed for the first paint."""
        self._cash = cash
        self._held = held
        cash.edited.connect(self._cash_edited)
        held.chosen.connect(self._recall)

    # Scanning -------------------------------------------------------------------------------------------------------

    def scan(self, code: str) -> None:
        self._flow.scan(code, self._sell.scan.text())

    def search(self) -> None:
        """To the scan field, from wherever one is."""
        self._flow.go("sell")
        self._sell.focus_first()
        self._sell.scan.selectAll()

    def _enter(self, typed: str) -> None:
        if self._flow.enter(typed, self._sell.first_found() if typed.strip() else None):
            self._sell.scan.clear()

    # Cash -----------------------------------------------------------------------------------------------------------

    def open_cash(self) -> None:
        self._cash.open()
        self._flow.open("cash")

    def cash_enough(self) -> bool:
        return self._flow.overlay == "cash" and self._cash.enough and self._flow.counter.may("cash")

    def take_cash(self) -> None:
        self._take(self._cash.given_minor)

    def exact_cash(self) -> None:
        self._take(None)

    def clear_cash(self) -> None:
        self._cash.field.set_minor(None)

    def _take(self, given_minor: int | None) -> None:
        self._flow.counter.take_cash(given_minor)

    def _cash_edited(self) -> None:
        self._flow.arranged.emit()

    def _counter_changed(self) -> None:
        """Cash was taken, or the order went on another way: its panel has done its work."""
        stage = self._flow.counter.stage
        if self._flow.overlay == "cash" and stage in (Stage.PAID, Stage.OWED, Stage.UNKNOWN):
            self._flow.close()

    # Held -----------------------------------------------------------------------------------------------------------

    def count_held(self) -> None:
        """The figure on the button of held orders, and the list behind it."""
        if self._flow.counter.ready:
            self._flow.start(self._read_held(), self._show_held)

    async def _read_held(self) -> list[OrderRow]:
        return await self._flow.counter.till.queries.held()

    def _show_held(self, rows: list[OrderRow]) -> None:
        self._sell.set_held(len(rows))
        self._held.show_orders(rows)

    def _recall(self, row: OrderRow) -> None:
        self._flow.close()
        self._flow.counter.recall(row.order_id)

    # Tray -----------------------------------------------------------------------------------------------------------

    @property
    def tray_open(self) -> bool:
        return not self._sell.tray.isHidden()

    def toggle_tray(self) -> None:
        self._sell.tray.setVisible(not self.tray_open)
        self._flow.go("sell")
        self.tray_changed.emit(self.tray_open)
        self.read_tray()
        QTimer.singleShot(0, self._sell, self._sell.fit)

    def open_card(self, no: int) -> None:
        order_id = self._sell.tray.order_at(no)
        if order_id:
            self._show_order(order_id)

    def read_tray(self) -> None:
        """All orders that wait, once; after that each changes by itself."""
        if self.tray_open and self._flow.counter.ready:
            self._flow.start(self._read_waiting(), lambda _: self._show_tray())

    def on_row(self, row: OrderRow, now_ms: int) -> None:
        """One order changed: its card alone is read again."""
        waits = row.shown in (Shown.WAITING, Shown.UNKNOWN)
        if row.order_id in self._tray and not waits:
            self._fresh[row.order_id] = now_ms
        if self.tray_open and (waits or row.order_id in self._tray):
            self._flow.start(self._flow.counter.till.queries.order(row.order_id), self._take_card)
        if self._flow.counter.ready and (row.shown is Shown.HELD or not self._flow.counter.order_id):
            self._held_soon.want()

    def on_opened(self, order_id: str) -> None:
        if order_id in self._tray and self.tray_open:
            self._flow.start(self._flow.counter.till.queries.order(order_id), self._take_card)

    def tick(self, now_ms: int) -> None:
        """Once a second: cards' timers; paid orders leave after a while."""
        gone = [key for key, since in self._fresh.items() if now_ms - since > PAID_STAYS_MS]
        for key in gone:
            del self._fresh[key]
            self._tray.pop(key, None)
        if gone:
            self._show_tray()
        self._sell.tray.tick()

    async def _read_waiting(self) -> None:
        queries = self._flow.counter.till.queries
        rows = await queries.waiting()
        kept = {key: self._tray[key] for key in self._fresh if key in self._tray}
        self._tray = kept
        for row in sorted(rows, key=lambda r: r.created_at_ms)[:MAX_TRAY]:
            self._tray[row.order_id] = await queries.order(row.order_id)

    def _take_card(self, view: OrderView) -> None:
        known = self._tray.get(view.order_id)
        if known is None or view.version >= known.version:
            self._tray[view.order_id] = view
            self._show_tray()

    def _show_tray(self) -> None:
        self._sell.tray.show_orders(sorted(self._tray.values(), key=lambda v: v.created_at_ms))

    def _show_order(self, order_id: str) -> None:
        self._flow.go("sell")
        self._flow.counter.open(order_id)
