"""The page of orders: the list, the order chosen in it, and what is done with that order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from pos.services.api import TillApi
    from pos.services.views import OrderRow, OrderView, TimelineRow
    from pos.ui.flow import Flow
    from pos.ui.kit import Kit
    from pos.ui.views.detail import DetailPanel
    from pos.ui.views.orders import OrdersPanel

MAX_LISTED = 500


class HistoryControl(QObject):
    """`changed` when another order is chosen or the chosen one changed."""

    changed = Signal()

    def __init__(self, kit: Kit, flow: Flow, panel: OrdersPanel, detail: DetailPanel) -> None:
        super().__init__()
        self._kit = kit
        self._flow = flow
        self._panel = panel
        self._detail = detail
        self._wanted = ""
        panel.wanted.connect(self._ask)
        panel.chosen.connect(self._choose)
        panel.opened.connect(lambda _: self.open_at_counter())

    @property
    def view(self) -> OrderView | None:
        return self._detail.view

    @property
    def _till(self) -> TillApi:
        return self._flow.counter.till

    def load(self, select: str = "") -> None:
        """Read the list as it is filtered; `select` is an order that is to be shown, of any day."""
        self._wanted = select or self._wanted
        self._panel.ask()
        if select:
            self._choose(select)

    def find(self) -> None:
        self._flow.go("orders")
        self._panel.search.setFocus()

    def on_row(self, row: OrderRow) -> None:
        self._panel.on_row(row)
        if self.view is not None and row.order_id == self.view.order_id:
            self._choose(row.order_id)

    def tick(self) -> None:
        self._detail.tick()

    def open_at_counter(self) -> None:
        if self.view is not None:
            order_id = self.view.order_id
            self._flow.go("sell")
            self._flow.counter.open(order_id)

    # Deciding about the chosen order --------------------------------------------------------------------------------

    def check(self) -> None:
        self._act(lambda order_id: self._till.checkout.check_now(order_id))

    def release(self, reason: str, second: str = "", *, believed: bool = False) -> None:
        actor = self._flow.counter.actor
        decide = self._till.tenders.by_hand if believed else self._till.checkout.release
        self._act(lambda order_id: decide(order_id, reason=reason, actor=actor, approved_by=second))

    def refund_owed(self, reason: str, second: str = "") -> None:
        more = {"reason": reason, "actor": self._flow.counter.actor, "approved_by": second}
        self._act(lambda order_id: self._till.refunds.refund_owed(order_id, **more))

    def refund(self, amount_minor: int, reason: str, second: str = "") -> None:
        more = {"reason": reason, "actor": self._flow.counter.actor, "approved_by": second}
        self._act(lambda order_id: self._till.refunds.refund(order_id, amount_minor=amount_minor, **more))

    # Inside ---------------------------------------------------------------------------------------------------------

    def _act(self, work: Any) -> None:
        if self.view is not None:
            started: Coroutine[Any, Any, OrderView] = work(self.view.order_id)
            self._flow.start(started, lambda view: self._choose(view.order_id))

    def _ask(self, status: str, all_days: bool, text: str) -> None:
        day = "" if all_days or text else self._kit.formats.day_of(self._kit.now_ms())
        work = self._till.queries.orders(status=status, day=day, text=text, limit=MAX_LISTED)
        self._flow.start(work, self._show)

    def _show(self, rows: list[OrderRow]) -> None:
        self._panel.show_orders(rows, self._wanted)
        if not rows and not self._wanted:
            self._detail.clear()
            self.changed.emit()
        self._wanted = ""

    def _choose(self, order_id: str) -> None:
        async def read() -> tuple[OrderView, list[TimelineRow]]:
            return await self._till.queries.order(order_id), await self._till.queries.timeline(order_id)

        self._latest = order_id
        self._flow.start(read(), self._take)

    def _take(self, found: tuple[OrderView, list[TimelineRow]]) -> None:
        view, rows = found
        if view.order_id == self._latest:
            self._detail.show_order(view, rows)
            self.changed.emit()
