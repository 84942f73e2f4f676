"""Panels for decisions: give a sale up, give a link up, give money back, count the drawer, attach a payment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from pos.ui.theme import body_font
from pos.ui.views.form import FormPanel, ReasonPanel, text_field
from pos.ui.widgets.amount import AmountField
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.chips import Chips
from pos.ui.widgets.keypad import Keypad
from pos.ui.widgets.labels import label, line
from pos.words.orders import Day
from pos.words.pay import ByHand, Paid, Refund, Release, Second, Terminal
from pos.words.sell import Cart, Cash, GiveUp

if TYPE_CHECKING:
    from PySide6.QtGui import QAction

    from pos.services.views import ExceptionView, OrderView
    from pos.ui.kit import Kit


def void_panel(kit: Kit, back: QAction) -> ReasonPanel:
    panel = ReasonPanel(
        kit, "voidPanel", back, Cash.BACK, (GiveUp.LEFT, GiveUp.MISTAKE, GiveUp.MISSING, GiveUp.TRAINING)
    )
    panel.set_words(GiveUp.TITLE, GiveUp.HINT)
    return panel


def give_back_panel(kit: Kit, back: QAction) -> ReasonPanel:
    """A part-paid sale is given up: asks why; the digit does it."""
    reasons = (GiveUp.LEFT, GiveUp.MISTAKE, GiveUp.MISSING)
    panel = ReasonPanel(kit, "giveBackPanel", back, Cash.BACK, reasons)
    panel.set_words(GiveUp.BACK_TITLE, GiveUp.BACK_HINT)
    return panel


class ReleasePanel(ReasonPanel):
    """A manager gives an unknown link up: says what that risks."""

    def __init__(self, kit: Kit, back: QAction) -> None:
        reasons = (Release.ON_PHONE, Release.NO_PHONE, Release.GATEWAY_DOWN)
        super().__init__(kit, "releasePanel", back, Cash.BACK, reasons)

    def open(self, view: OrderView) -> None:
        gateway = view.attempt.gateway_title if view.attempt else ""
        amount = self.kit.formats.money(view.totals.total_minor)
        self.set_words(Release.TITLE, Release.HINT.format(gateway=gateway, amount=amount))


class TerminalPanel(FormPanel):
    """The slip of a terminal says approved. `answered(note)`."""

    answered = Signal(str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction, split: QAction) -> None:
        super().__init__(kit, "terminalPanel", back, Cash.BACK)
        self.note = text_field("terminal.note", Terminal.NOTE)
        self.body.addWidget(self.note)
        self.body.addLayout(line(focusless(CommandButton(kit.theme, split, Cart.SPLIT)), 0))
        self.button = self.add_confirm(confirm, "")

    @property
    def can_confirm(self) -> bool:
        return True

    def open(self, left_minor: int) -> None:
        amount = self.kit.formats.money(left_minor)
        self.set_words(Terminal.TITLE.format(amount=amount), Terminal.HINT)
        self.button.setText(Terminal.CONFIRM.format(amount=amount))
        self.note.clear()

    def focus_first(self) -> None:
        self.note.setFocus()

    def confirm(self) -> None:
        self.answered.emit(self.note.text().strip())


class ByHandPanel(FormPanel):
    """A manager believes a bank's message, and says which. `answered(reason)`."""

    answered = Signal(str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "byHandPanel", back, Cash.BACK)
        self.reason = text_field("byhand.reason", ByHand.REASON)
        self.body.addWidget(self.reason)
        self.add_confirm(confirm, ByHand.CONFIRM, "unknown")
        self.reason.textChanged.connect(self.changed)

    @property
    def can_confirm(self) -> bool:
        return bool(self.reason.text().strip())

    def open(self, view: OrderView) -> None:
        gateway = view.attempt.gateway_title if view.attempt else ""
        amount = self.kit.formats.money(view.left_minor)
        self.set_words(ByHand.TITLE, ByHand.HINT.format(amount=amount, gateway=gateway))
        self.reason.clear()

    def focus_first(self) -> None:
        self.reason.setFocus()

    def confirm(self) -> None:
        if self.can_confirm:
            self.answered.emit(self.reason.text().strip())


class RefundPanel(FormPanel):
    """An amount (all of it at first) and a reason. `answered(amount_minor, reason)`."""

    answered = Signal(int, str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "refundPanel", back, Cash.BACK)
        self.set_words(Refund.TITLE, Refund.HINT)
        self.field = AmountField(kit.formats, "refund.amount", Refund.AMOUNT)
        self.keypad = Keypad(kit)
        self.keypad.pressed.connect(self.field.press)
        self.reasons = Chips("refund.reasons", Refund.REASON, "tab")
        words = (Refund.RETURNED, Refund.WRONG, Refund.GOOD_WILL)
        self.reasons.set([(word, word) for word in words], Refund.RETURNED)
        for widget in (
            label(Refund.AMOUNT, "small"),
            self.field,
            self.keypad,
            label(Refund.REASON, "small"),
            self.reasons,
        ):
            self.body.addWidget(widget)
        self.button = self.add_confirm(confirm, "", "double")
        self.field.edited.connect(self._edited)

    @property
    def can_confirm(self) -> bool:
        return bool(self.field.minor)

    def open(self, view: OrderView) -> None:
        self.field.set_minor(max(0, view.kept_minor - view.refunded_minor))

    def focus_first(self) -> None:
        self.field.setFocus()

    def confirm(self) -> None:
        if self.field.minor:
            self.answered.emit(self.field.minor, self.reasons.key or Refund.RETURNED)

    def _edited(self) -> None:
        self.button.setText(Refund.CONFIRM.format(amount=self.kit.formats.money(self.field.minor or 0)))
        self.changed.emit()


class SecondPanel(FormPanel):
    """Above the shop's limit another manager agrees, by name. `answered(name)`."""

    answered = Signal(str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "secondPanel", back, Cash.BACK)
        self.set_words(Second.TITLE, Second.HINT)
        self.field = text_field("second.name", Second.NAME)
        self.field.textChanged.connect(self.changed)
        self.body.addWidget(label(Second.NAME, "small"))
        self.body.addWidget(self.field)
        self.add_confirm(confirm, Second.CONFIRM)

    @property
    def can_confirm(self) -> bool:
        return bool(self.field.text().strip())

    def open(self) -> None:
        self.field.clear()

    def focus_first(self) -> None:
        self.field.setFocus()

    def confirm(self) -> None:
        if self.can_confirm:
            self.answered.emit(self.field.text().strip())


class CountPanel(FormPanel):
    """What lies in the drawer, or nothing. `answered(counted_minor or None, why it is over or short or "")`."""

    answered = Signal(object, str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "countPanel", back, Cash.BACK)
        self.set_words(Day.COUNT_TITLE, Day.COUNT_HINT)
        self.field = AmountField(kit.formats, "count.amount", Day.COUNTED_CASH)
        self.keypad = Keypad(kit)
        self.keypad.pressed.connect(self.field.press)
        self.reason = text_field("count.reason", Day.COUNT_REASON)
        parts: tuple[QWidget, ...] = (label(Day.COUNTED_CASH, "small"), self.field, self.keypad)
        for widget in (*parts, label(Day.COUNT_REASON, "small"), self.reason):
            self.body.addWidget(widget)
        self.add_confirm(confirm, Day.CLOSE)

    @property
    def can_confirm(self) -> bool:
        return True

    def open(self) -> None:
        self.field.set_minor(None)
        self.reason.clear()

    def focus_first(self) -> None:
        self.field.setFocus()

    def confirm(self) -> None:
        self.answered.emit(self.field.minor, self.reason.text().strip())


class AttachPanel(FormPanel):
    """The number of the order that a payment belongs to. `answered(payment, number)`."""

    answered = Signal(str, str)

    def __init__(self, kit: Kit, back: QAction, confirm: QAction) -> None:
        super().__init__(kit, "attachPanel", back, Cash.BACK)
        self._payment = ""
        self.field = text_field("attach.number", Day.ATTACH_NUMBER)
        self.field.textChanged.connect(self.changed)
        self.body.addWidget(label(Day.ATTACH_NUMBER, "small"))
        self.body.addWidget(self.field)
        self.add_confirm(confirm, Day.ATTACH)

    @property
    def can_confirm(self) -> bool:
        return bool(self.field.text().strip())

    def open(self, exception: ExceptionView) -> None:
        self._payment = exception.subject
        amount = self.kit.formats.money_or_dash(exception.gateway_minor)
        self.set_words(Day.ATTACH_TITLE, Day.ATTACH_HINT.format(amount=amount, gateway=exception.gateway.title()))
        self.field.clear()

    def focus_first(self) -> None:
        self.field.setFocus()

    def confirm(self) -> None:
        self.answered.emit(self._payment, self.field.text().strip())


class ReceiptPanel(FormPanel):
    """A receipt as it comes out of the printer."""

    def __init__(self, kit: Kit, back: QAction) -> None:
        super().__init__(kit, "receiptPanel", back, Cash.BACK)
        self.set_words(Paid.SLIP_TITLE)
        self.text = QPlainTextEdit()
        self.text.setObjectName("receipt.text")
        self.text.setAccessibleName(Paid.SLIP_TITLE)
        self.text.setReadOnly(True)
        font = body_font(14)
        font.setFamilies(["DejaVu Sans Mono", "Consolas", "Menlo", "monospace"])
        self.text.setFont(font)
        self.body.addWidget(self.text)
        self.fill_room()

    def show_lines(self, lines: list[str], title: str = "") -> None:
        self.set_words(title or Paid.SLIP_TITLE)
        self.text.setPlainText("\n".join(lines))

    def focus_first(self) -> None:
        self.text.setFocus()
