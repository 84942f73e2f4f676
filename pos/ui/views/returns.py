"""Goods come back: which lines of the sale and how much of each, what that is worth, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QRegularExpressionValidator
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from pos.domain.basket import parse_quantity
from pos.domain.errors import BadInput
from pos.domain.returning import Pick
from pos.ui.views.form import FormPanel
from pos.ui.views.gatewaylist import scroll
from pos.ui.widgets.button import KeyButton, focusless
from pos.ui.widgets.chips import Chips
from pos.ui.widgets.labels import elided, label, line
from pos.words.pay import Refund, Return
from pos.words.sell import Cash

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from pos.services.views import ReturnLineView, ReturnView
    from pos.ui.kit import Kit

FIELD_WIDTH = 110


class ReturnPanel(FormPanel):
    """`wanted(picks)` when what is chosen changes; `answered(picks, reason)`."""

    wanted = Signal(object)
    answered = Signal(object, str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "returnPanel", back, Cash.BACK)
        self.rows: list[ReturnRow] = []
        self._priced: tuple[Pick, ...] = ()
        self._list = QVBoxLayout()
        self._list.setSpacing(0)
        self._list.setContentsMargins(0, 0, 0, 0)
        inside = QWidget()
        inside.setLayout(self._list)
        self.area = scroll(inside, "return.lines", Return.LINES)
        inside.setAutoFillBackground(False)  # a scroll area turns it on
        self.everything = KeyButton(kit.theme, Return.EVERYTHING, "", "small")
        self.everything.setObjectName("return.everything")
        self.everything.clicked.connect(self._take_everything)
        self.worth = label("", "side", name="return.worth")
        self.tax = label("", "small", name="return.tax")
        self.reasons = Chips("return.reasons", Refund.REASON, "tab")
        words = (Refund.RETURNED, Refund.WRONG, Return.DAMAGED)
        self.reasons.set([(word, word) for word in words], Refund.RETURNED)
        self._fill_body()
        self.button = self.add_confirm(confirm, "", "double")

    def _fill_body(self) -> None:
        self.body.addWidget(self.area, 1)
        self.body.addLayout(line(self.worth, 12, self.tax, 0, focusless(self.everything)))
        self.body.addWidget(label(Refund.REASON, "small"))
        self.body.addWidget(self.reasons)
        self.body.addSpacing(12)
        self.fill_room()  # for the lines: a long sale is scrolled

    @property
    def picks(self) -> tuple[Pick, ...]:
        return tuple(Pick(row.line.line, row.quantity_milli) for row in self.rows if row.quantity_milli)

    @property
    def can_confirm(self) -> bool:
        """Only what was priced, and as it was priced."""
        return bool(self.picks) and self.picks == self._priced

    def open(self, number: str, sale: ReturnView) -> None:
        self.set_words(Return.TITLE.format(number=number), Return.HINT)
        for row in self.rows:
            self._list.removeWidget(row)
            row.hide()
            row.deleteLater()
        while self._list.count():
            self._list.takeAt(0)
        self.rows = [ReturnRow(self.kit, each) for each in sale.lines]
        for row in self.rows:
            row.changed.connect(self._edited)
            self._list.addWidget(row)
        self._list.addStretch(1)
        self._edited()

    def show_worth(self, picks: tuple[Pick, ...], seen: ReturnView) -> None:
        """What the service says the chosen goods are worth, unless something else is chosen by now."""
        if picks != self.picks:
            return
        self._priced = picks
        money = self.kit.formats.money
        self.worth.setText(Return.WORTH.format(amount=money(seen.total_minor)))
        self.tax.setText(Return.TAX.format(amount=money(seen.tax_minor)) if seen.tax_minor else "")
        self.button.setText(Return.CONFIRM.format(amount=money(seen.total_minor)))
        self.changed.emit()

    def focus_first(self) -> None:
        first = next((row for row in self.rows if row.field.isEnabled()), None)
        if first is not None:
            first.field.setFocus()

    def confirm(self) -> None:
        if self.can_confirm:
            self.answered.emit(self.picks, self.reasons.key or Refund.RETURNED)

    def _take_everything(self) -> None:
        for row in self.rows:
            row.take_all()

    def _edited(self) -> None:
        self._priced = ()
        money = self.kit.formats.money
        self.worth.setText(Return.WORTH.format(amount=money(0)))
        self.tax.setText("")
        self.button.setText(Return.CONFIRM.format(amount=money(0)))
        self.changed.emit()
        if self.picks:
            self.wanted.emit(self.picks)


class ReturnRow(QFrame):
    """One line of the sale, with a field for how much of it comes back."""

    changed = Signal()

    def __init__(self, kit: Kit, sold: ReturnLineView) -> None:
        super().__init__()
        self.line = sold
        self.setObjectName(f"return.line.{sold.line + 1}")
        self.field = QLineEdit()
        self.field.setObjectName(f"return.quantity.{sold.line + 1}")
        self.field.setAccessibleName(Return.HOW_MANY.format(name=sold.name))
        self.field.setPlaceholderText("0")
        self.field.setFixedWidth(FIELD_WIDTH)
        self.field.setAlignment(Qt.AlignmentFlag.AlignTrailing)
        self.field.setValidator(QRegularExpressionValidator(QRegularExpression(r"[0-9]{0,6}([.,][0-9]{0,3})?")))
        self.field.setEnabled(sold.left_milli > 0)
        self.field.textChanged.connect(self.changed)
        quantity = kit.formats.quantity
        left = Return.OF.format(left=quantity(sold.left_milli), sold=quantity(sold.sold_milli))
        words = left if sold.left_milli else Return.ALL_BACK
        self.setLayout(
            line(elided(sold.name, "strong"), 12, label(words, "small"), 0, self.field, margins=(0, 6, 0, 6))
        )

    @property
    def quantity_milli(self) -> int:
        """What was typed, at most what is left; 0 while it is no number."""
        try:
            typed = parse_quantity(self.field.text().replace(",", ".").rstrip("."))
        except BadInput:
            return 0
        return min(typed, self.line.left_milli)

    def take_all(self) -> None:
        if self.line.left_milli:
            whole, part = divmod(self.line.left_milli, 1000)
            self.field.setText(f"{whole}.{part:03d}".rstrip("0").rstrip("."))
