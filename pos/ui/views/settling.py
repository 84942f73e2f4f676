"""An exception whose step is taken outside the till: what is known, what to do, and a line on how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout

from pos.ui.views.form import FormPanel, text_field
from pos.ui.widgets.button import KeyButton
from pos.ui.widgets.labels import label, line
from pos.words.orders import Settle, advice, happened
from pos.words.sell import Cash

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from pos.services.views import ExceptionView
    from pos.ui.kit import Kit


class SettlePanel(FormPanel):
    """`answered(exception id, reason)`; `looked(order id)` when the order is to be seen first."""

    answered = Signal(str, str)
    looked = Signal(str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "settlePanel", back, Cash.BACK)
        self._about: ExceptionView | None = None
        self.values = [label("", "strong", name=f"settle.{name}") for name in ("here", "there", "subject")]
        self.body.addLayout(self._known())
        self.look = KeyButton(kit.theme, Settle.LOOK, "", "small")
        self.look.setObjectName("settle.look")
        self.look.clicked.connect(self._look)
        self.body.addLayout(line(self.look, 0))
        self.body.addSpacing(12)
        self.reason = text_field("settle.reason", Settle.REASON)
        self.body.addWidget(label(Settle.REASON, "small"))
        self.body.addWidget(self.reason)
        self.add_confirm(confirm, Settle.CONFIRM)
        self.reason.textChanged.connect(self.changed)

    def _known(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setColumnStretch(1, 1)
        for row, words in enumerate((Settle.HERE, Settle.THERE, Settle.SUBJECT)):
            grid.addWidget(label(words, "small"), row, 0)
            grid.addWidget(self.values[row], row, 1)
        return grid

    @property
    def can_confirm(self) -> bool:
        return bool(self.reason.text().strip())

    def open(self, row: ExceptionView) -> None:
        self._about = row
        what = happened(row.code)[1]
        title = Settle.OF_ORDER.format(what=what, number=row.number) if row.number else what
        self.set_words(title, advice(row.code))
        formats = self.kit.formats
        texts = (formats.money_or_dash(row.here_minor), formats.money_or_dash(row.gateway_minor), row.subject)
        for value, text in zip(self.values, texts, strict=True):
            value.setText(text)
        self.look.setVisible(bool(row.order_id))
        self.reason.clear()

    def focus_first(self) -> None:
        self.reason.setFocus()

    def confirm(self) -> None:
        if self.can_confirm and self._about is not None:
            self.answered.emit(self._about.id, self.reason.text().strip())

    def _look(self) -> None:
        if self._about is not None:
            self.looked.emit(self._about.order_id)
