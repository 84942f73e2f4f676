"""Taking goods back: the sale is read for its panel, what is chosen is priced, and the credit note is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from pos.domain.returning import Pick
    from pos.services.api import TillApi
    from pos.services.returns import TakenBack
    from pos.services.views import OrderView, ReturnView
    from pos.ui.flow import Flow
    from pos.ui.views.returns import ReturnPanel


class ReturnControl(QObject):
    """`written(lines)` with the credit note as it is printed. That the order changed, the bus tells."""

    written = Signal(list)

    def __init__(self, flow: Flow, panel: ReturnPanel) -> None:
        super().__init__()
        self._flow = flow
        self._panel = panel
        self._order_id = ""
        panel.wanted.connect(self._price)
        panel.answered.connect(self._take_back)

    @property
    def _till(self) -> TillApi:
        return self._flow.counter.till

    def open(self, view: OrderView | None) -> None:
        """Read what of this sale may come back, then show the panel."""
        if view is None:
            return
        self._order_id = view.order_id

        def show(sale: ReturnView) -> None:
            self._panel.open(view.number, sale)
            self._flow.open("return")

        self._flow.start(self._till.returns.look(view.order_id), show)

    def give_back(self, view: OrderView | None, reason: str) -> None:
        """A part-paid sale is given up, and what was paid goes back."""
        if view is not None:
            actor = self._flow.counter.actor
            order_id, back = view.order_id, self._till.givingup.give_back_and_void
            self._flow.decide(
                lambda second: self._flow.start(
                    back(order_id, reason=reason, actor=actor, approved_by=second), lambda _: None
                )
            )

    def _price(self, picks: tuple[Pick, ...]) -> None:
        from pos.services.returns import Goods

        work = self._till.returns.look(self._order_id, Goods(picks=picks))
        self._flow.start(work, lambda seen: self._panel.show_worth(picks, seen))

    def _take_back(self, picks: tuple[Pick, ...], reason: str) -> None:
        from pos.services.returns import Decision, Goods

        def act(second: str) -> None:
            decision = Decision(reason, self._flow.counter.actor, second)
            work = self._till.returns.take_back(self._order_id, Goods(picks=picks), decision)
            self._flow.start(work, self._done)

        self._flow.decide(act)

    def _done(self, taken: TakenBack) -> None:
        self._flow.close()
        self._flow.start(self._till.returns.paper(taken.note.number), self.written.emit)
