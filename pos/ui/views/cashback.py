"""Giving back in cash what a link took and its gateway cannot give back: how much, and why. For a manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from pos.domain.cash import GiveBack
from pos.ui.views.form import FormPanel, text_field
from pos.ui.widgets.amount import AmountField
from pos.ui.widgets.keypad import Keypad
from pos.ui.widgets.labels import label
from pos.words.pay import CashBack
from pos.words.sell import Cash
from pos.words.ways import gateway_title

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from pos.services.views import OrderView
    from pos.ui.kit import Kit


class CashBackPanel(FormPanel):
    """`answered(order_id, GiveBack)`; the payment is the first that its gateway refused to give back."""

    answered = Signal(str, object)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "cashBackPanel", back, Cash.BACK)
        self._order_id = self._payment = ""
        self.field = AmountField(kit.formats, "cashback.amount", CashBack.AMOUNT)
        self.keypad = Keypad(kit)
        self.reason = text_field("cashback.reason", CashBack.REASON)
        for widget in (self.reason, label(CashBack.AMOUNT, "small"), self.field, self.keypad):
            self.body.addWidget(widget)
        self.button = self.add_confirm(confirm, "", "double")
        self.keypad.pressed.connect(self.field.press)
        self.field.edited.connect(self._edited)
        self.reason.textChanged.connect(self.changed)

    @property
    def can_confirm(self) -> bool:
        return bool(self._payment and self.field.minor and self.reason.text().strip())

    def open(self, view: OrderView) -> None:
        stuck = next((payment for payment in view.payments if payment.stuck_minor), None)
        self._order_id, self._payment = view.order_id, stuck.id if stuck else ""
        gateway = gateway_title(stuck.gateway) if stuck else ""
        amount = self.kit.formats.money(stuck.stuck_minor if stuck else 0)
        self.set_words(CashBack.TITLE.format(number=view.number), CashBack.HINT.format(gateway=gateway, amount=amount))
        self.reason.clear()
        self.field.set_minor(stuck.stuck_minor if stuck else None)

    def focus_first(self) -> None:
        self.reason.setFocus()

    def confirm(self) -> None:
        if self.can_confirm:
            back = GiveBack(self.reason.text().strip(), self._payment, self.field.minor)
            self.answered.emit(self._order_id, back)

    def _edited(self) -> None:
        self.button.setText(CashBack.CONFIRM.format(amount=self.kit.formats.money(self.field.minor or 0)))
        self.changed.emit()
