"""Changing one line of the cart: its quantity, its discount."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from PySide6.QtCore import QRegularExpression, Signal
from PySide6.QtGui import QAction, QRegularExpressionValidator
from PySide6.QtWidgets import QLineEdit

from pos.domain.basket import Line, parse_quantity
from pos.domain.errors import BadInput
from pos.ui.views.form import FormPanel, text_field
from pos.ui.widgets.button import focusless
from pos.ui.widgets.chips import Chips
from pos.ui.widgets.keypad import Keypad
from pos.ui.widgets.labels import label
from pos.words.sell import Cash, Discount, Quantity

if TYPE_CHECKING:
    from pos.ui.kit import Kit

PERCENTS = ("5", "10", "15", "20", "50", "100")


class NumberPanel(FormPanel):
    """One number with a keypad. `failed(PosError)` when it is not one."""

    failed = Signal(object)

    def __init__(self, kit: Kit, name: str, back: QAction) -> None:
        super().__init__(kit, name, back, Cash.BACK)
        self.field = QLineEdit()
        self.field.setObjectName(f"{name}.field")
        self.field.setProperty("role", "amount")
        self.field.setValidator(QRegularExpressionValidator(QRegularExpression(r"[0-9]{0,6}([.,][0-9]{0,3})?")))
        self.field.textChanged.connect(self.changed)
        self.keypad = Keypad(kit)
        self.keypad.pressed.connect(self._press)
        self.body.addWidget(self.field)

    @property
    def can_confirm(self) -> bool:
        return bool(self.field.text())

    def focus_first(self) -> None:
        self.field.setFocus()
        self.field.selectAll()

    def number(self) -> str:
        return self.field.text().replace(",", ".").rstrip(".")

    def _press(self, text: str) -> None:
        if not text:
            self.field.backspace()
        else:
            self.field.insert(text)


class QuantityPanel(NumberPanel):
    """`answered(quantity_milli)`."""

    answered = Signal(int)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "quantityPanel", back)
        self.field.setAccessibleName(Quantity.TITLE)
        self.body.addWidget(self.keypad)
        self.add_confirm(confirm, Quantity.APPLY)

    def open(self, line: Line) -> None:
        self.set_words(Quantity.OF.format(name=line.name))
        self.field.setText(f"{Decimal(line.quantity_milli) / 1000:f}".rstrip("0").rstrip("."))

    def confirm(self) -> None:
        try:
            self.answered.emit(parse_quantity(self.number()))
        except BadInput as error:
            self.failed.emit(error)


class DiscountPanel(NumberPanel):
    """`answered(percent_ppm, reason)`."""

    answered = Signal(int, str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "discountPanel", back)
        self.field.setAccessibleName(Discount.PERCENT)
        self.percents = Chips("discount.percents", Discount.PERCENT, "tab")
        self.percents.set([(p, f"{p} %") for p in PERCENTS], "")
        self.percents.chosen.connect(self.field.setText)
        self.reason = text_field("discount.reason", Discount.REASON)
        self.reasons = Chips("discount.reasons", Discount.REASON, "tab")
        words = (Discount.END_OF_TRAY, Discount.REGULAR, Discount.STAFF, Discount.DAMAGED)
        self.reasons.set([(word, word) for word in words], "")
        self.reasons.chosen.connect(self.reason.setText)
        self.body.insertWidget(0, label(Discount.PERCENT, "small"))
        for widget in (self.percents, self.keypad, label(Discount.REASON, "small"), self.reason, self.reasons):
            self.body.addWidget(widget)
        self.confirm_button = focusless(self.add_confirm(confirm, Discount.APPLY))

    def open(self, line: Line) -> None:
        self.set_words(Discount.OF.format(name=line.name))
        share = Decimal(line.discount_minor * 100) / (line.list_minor or 1)
        self.field.setText(f"{share.quantize(Decimal('0.01')):f}".rstrip("0").rstrip(".") if share else "")
        self.reason.setText(line.note if line.discount_minor else "")

    def confirm(self) -> None:
        try:
            ppm = int(Decimal(self.number()) * 10_000)
        except InvalidOperation:
            self.failed.emit(BadInput(Discount.TOO_MUCH, Discount.TOO_MUCH_HINT))
            return
        self.answered.emit(ppm, self.reason.text().strip())
