"""Split plans at the counter: saved, then part after part; and money of a link that goes back in cash."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from pos.domain.plan import Way

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.domain.cash import GiveBack
    from pos.domain.plan import Share
    from pos.services.views import OrderView
    from pos.ui.control.selling import SellControl
    from pos.ui.flow import Flow
    from pos.ui.views.split import SplitPanel


class ShareControl(QObject):
    """Between the split panel, the counter and the services."""

    def __init__(self, flow: Flow, panel: SplitPanel, selling: SellControl) -> None:
        super().__init__()
        self._flow = flow
        self._panel = panel
        self._selling = selling
        panel.answered.connect(self._save)
        panel.collected.connect(self.collect)
        panel.dropped.connect(self._drop)

    @property
    def _view(self) -> OrderView | None:
        return self._flow.counter.view or self._flow.counter.basket.view

    def open(self) -> None:
        counter, view = self._flow.counter, self._view
        left = counter.view.left_minor if counter.view else counter.basket.totals.total_minor
        self._panel.open(left, counter.till.queries.gateways(), view.plan if view else ())
        if self._flow.overlay != "split":
            self._flow.open("split")

    def less(self) -> None:
        self._panel.remove()

    def collect(self) -> None:
        """Take the next part of the plan, in the way that it says."""
        self._flow.close()
        share = self._view.next_share if self._view else None
        if share is None:
            return
        if share.way == Way.QR:
            choices = self._flow.counter.till.queries.gateways()
            self._flow.pay_qr(next((c for c in choices if c.name == share.gateway and not c.down), None))
        elif share.way == Way.TERMINAL:
            self._flow.open("terminal")
        else:
            self._selling.open_cash()

    def give_back(self, order_id: str, back: GiveBack) -> None:
        self._flow.close()
        till, actor = self._flow.counter.till, self._flow.counter.actor
        self._flow.decide(
            lambda second: self._flow.start(
                till.backs.give_back(order_id, back, actor=actor, approved_by=second), lambda _: None
            )
        )

    def _save(self, shares: Sequence[Share]) -> None:
        self._flow.close()
        self._flow.start(self._saved(shares), self._begin)

    async def _saved(self, shares: Sequence[Share]) -> OrderView | None:
        counter = self._flow.counter
        view = await counter.basket.flush() or counter.view
        return view and await counter.till.splits.plan(view.order_id, shares, actor=counter.actor)

    def _begin(self, view: OrderView | None) -> None:
        """The plan is in the books: the first part is taken at once."""
        if view is not None:
            self._flow.counter.put_down(view)
            self.collect()

    def _drop(self) -> None:
        self._flow.close()
        view, counter = self._view, self._flow.counter
        if view is not None:
            self._flow.start(counter.till.splits.drop(view.order_id, actor=counter.actor), counter.put_down)
