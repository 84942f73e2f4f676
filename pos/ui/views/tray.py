"""The tray: orders whose customers are still paying, one card each, while the next is rung up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout

from pos.domain.status import Shown
from pos.ui.steps import Step, line_of, pill_of, reached
from pos.ui.widgets.button import CommandButton, KeyButton, focusless
from pos.ui.widgets.labels import column, fit, label, line, set_tone
from pos.ui.widgets.pill import Pill
from pos.ui.widgets.stepbar import StepBar
from pos.words.sell import Tray as Words
from pos.words.states import LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction

    from pos.services.views import OrderView
    from pos.ui.kit import Kit

MAX_CARDS = 8
"""Cards shown; the rest is in the history, and gets a card when one leaves."""
COLUMNS = 4
COLUMNS_COMPACT = 3


class TrayCard(QFrame):
    """`wanted(order_id)` when its button is pressed."""

    wanted = Signal(str)

    def __init__(self, kit: Kit, no: int) -> None:
        super().__init__()
        self._kit = kit
        self.view: OrderView | None = None
        self.setProperty("trayCard", True)
        self.setObjectName(f"tray.{no}")
        self.number = label("", "strong")
        self.pill = Pill(kit.theme)
        self.amount = fit("", "trayamount")
        self.bar = StepBar(kit.theme, words=False)
        self.words = label("", "smallstrong")
        self.timer = label("", "small")
        self.button = KeyButton(kit.theme, Words.SHOW_QR, f"Alt {no}", "small")
        focusless(self.button)
        self.button.clicked.connect(self._press)
        top = line(self.number, 0, self.pill)
        under = line(self.words, 0, self.timer)
        self.setLayout(column(top, 7, self.amount, 11, self.bar, 9, under, 11, self.button, margins=(14, 13, 14, 12)))

    def show_order(self, view: OrderView) -> None:
        self.view = view
        look = LOOKS[view.shown]
        tone, words = line_of(view)
        if tone == "paid" and view.payment_text:
            words = Words.PAID_BY.format(method=view.payment_text.split(" · ")[0])
        self.number.setText(view.number)
        self.pill.set(pill_of(view) or look.short_word, look.tone, look.icon, plain=look.tone != "waiting")
        self.amount.setText(self._kit.formats.money(view.totals.total_minor))
        self.bar.set([Step("", tone if at < max(1, reached(view)) else "") for at in range(4)])
        self.words.setText(words)
        set_tone(self.words, tone)
        self.button.setText(_button_word(view))
        set_tone(self, look.tone if look.tone != "waiting" else "")
        self.setAccessibleName(Words.CARD.format(number=view.number, amount=self.amount.text(), state=self.pill.text))
        self.tick()

    def tick(self) -> None:
        """The time since the QR was shown, or when it was paid."""
        view = self.view
        if view is None:
            return
        if view.paid_at_ms is not None:
            self.timer.setText(self._kit.formats.time_s(view.paid_at_ms))
        elif view.attempt is not None and view.attempt.shown_at_ms is not None:
            # another till, whose clock is ahead, may have shown it
            seconds = max(0, self._kit.now_ms() - view.attempt.shown_at_ms) // 1000
            self.timer.setText(self._kit.formats.timer(seconds))

    def _press(self) -> None:
        if self.view is not None:
            self.wanted.emit(self.view.order_id)


class Tray(QFrame):
    """Cards in the order they began to wait; hidden until it is wanted."""

    wanted = Signal(str)

    def __init__(self, kit: Kit, toggle: QAction) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("tray")
        self.setAccessibleName(Words.TITLE)
        self.title = label(Words.TITLE, "title")
        self.summary = label("", "sub", name="tray.summary")
        self.close_button = CommandButton(kit.theme, toggle, Words.CLOSE, "row")
        focusless(self.close_button)
        self.empty = label(Words.EMPTY, "hint")
        self.cards: list[TrayCard] = []
        self._grid = QGridLayout()
        self._grid.setSpacing(12)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._columns = COLUMNS
        top = line(self.title, 9, self.summary, 0, self.close_button)
        self.setLayout(column(top, 12, self._grid, self.empty, margins=(20, 14, 20, 18)))
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.hide()

    def set_compact(self, compact: bool) -> None:
        columns = COLUMNS_COMPACT if compact else COLUMNS
        if columns != self._columns:
            self._columns = columns
            self._place()

    def show_orders(self, views: Sequence[OrderView]) -> None:
        """Cards for the first `MAX_CARDS`; each card is changed in place."""
        shown = list(views)[:MAX_CARDS]
        while len(self.cards) < len(shown):
            card = TrayCard(self._kit, len(self.cards) + 1)
            card.wanted.connect(self.wanted)
            self.cards.append(card)
            self._place()
        for at, card in enumerate(self.cards):
            card.setVisible(at < len(shown))
            if at < len(shown):
                card.show_order(shown[at])
        self.empty.setVisible(not shown)
        self._summarise(views)

    def order_at(self, no: int) -> str:
        """The order of card `no` (from 1), or ""."""
        card = self.cards[no - 1] if 0 < no <= len(self.cards) else None
        return card.view.order_id if card is not None and card.view is not None and card.isVisible() else ""

    def tick(self) -> None:
        if self.isVisible():
            for card in self.cards:
                card.tick()

    def _place(self) -> None:
        for at, card in enumerate(self.cards):
            self._grid.addWidget(card, at // self._columns, at % self._columns)
        for at in range(COLUMNS):
            self._grid.setColumnStretch(at, 1 if at < self._columns else 0)

    def _summarise(self, views: Sequence[OrderView]) -> None:
        waiting = [view for view in views if view.shown in (Shown.WAITING, Shown.UNKNOWN)]
        paid = len(views) - len(waiting)
        amount = self._kit.formats.money(sum(view.totals.total_minor for view in waiting))
        words = Words.SUMMARY_PAID if paid else Words.SUMMARY
        self.summary.setText(
            words.format(waiting=Words.WAITING(len(waiting)), amount=amount, paid=Words.JUST_PAID(paid))
        )


def _button_word(view: OrderView) -> str:
    if view.shown is Shown.PAID:
        return Words.RECEIPT
    return Words.SHOW_QR if view.shown is Shown.WAITING else Words.LOOK
