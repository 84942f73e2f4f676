"""One order of the history: what it is, what to do, what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QGridLayout, QWidget

from pos.domain.status import Shown
from pos.ui.delegates.timeline import OrderTimelineDelegate
from pos.ui.models.timeline import TimelineModel
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.labels import column, fit, frame, holder, label, line, set_tone
from pos.ui.widgets.lists import ContentList
from pos.ui.widgets.pill import Pill
from pos.words.orders import Orders
from pos.words.pay import Refund
from pos.words.sell import Cart
from pos.words.states import LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.services.views import OrderView, PaymentView, TimelineRow
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit

OWED = (Shown.PAID_TWICE, Shown.OVERPAID)
MAX_PAYMENT_CARDS = 2


class DetailPanel(QWidget):
    """`show_order` for another order; `clear` where none is chosen."""

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self._commands = commands
        self.view: OrderView | None = None
        self.setObjectName("sidePanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = label("", "side", name="detail.order")
        self.pill = Pill(kit.theme, "detail.state")
        self.amount = fit("", "amount", name="detail.amount")
        self.of_order = label(Orders.ORDER_AMOUNT, "sub")
        self.received = label("", "side", tone="double", name="detail.received")
        self.received_word = label(Orders.RECEIVED, "sub")
        self.note = frame("note")
        self.note_title = label("", "strong", name="detail.noteTitle", wrap=True)
        self.note_text = label("", wrap=True, name="detail.note")
        self.cards = [PaymentCard(kit, at + 1) for at in range(MAX_PAYMENT_CARDS)]
        self.model = TimelineModel(kit.formats)
        self.list = ContentList("detail.happened", Orders.HAPPENED, self.model, OrderTimelineDelegate(kit))
        self.time = label(Refund.TIME, "small", wrap=True)
        self.choose = label(Orders.CHOOSE, "hint", wrap=True)
        self.keys = DetailKeys(kit, commands)
        self._assemble()
        self.clear()

    def _assemble(self) -> None:
        self.note.setLayout(column(self.note_title, 2, self.note_text, margins=(14, 12, 14, 12)))
        head = line(self.title, 0, self.pill)
        amounts = line(self.amount, 12, self.of_order, 12, self.received, 12, self.received_word, 0)
        self.cards_box = holder(line(self.cards[0], 12, self.cards[1], margins=(0, 0, 0, 14)))
        self.note_box = holder(line(self.note, margins=(0, 0, 0, 14)))
        self.happened = label(Orders.HAPPENED, "part")
        self.content = QWidget()
        upper = (head, 8, amounts, 10, self.note_box, self.cards_box, self.happened, 8)
        box = column(*upper, self.list, 14, self.time, 8, self.keys)
        box.setStretchFactor(self.list, 1000)
        box.addStretch(1)
        self.content.setLayout(box)
        outer = column(self.choose, self.content, margins=(22, 20, 22, 20))
        outer.setStretch(1, 1)
        self.setLayout(outer)

    def clear(self) -> None:
        self.view = None
        self.choose.show()
        self.content.hide()

    def show_order(self, view: OrderView, rows: Sequence[TimelineRow] | None = None) -> None:
        """Show an order; its timeline stays as it is when `rows` is None."""
        self.view = view
        self.choose.hide()
        self.content.show()
        look, formats = LOOKS[view.shown], self._kit.formats
        owed = view.shown in OWED
        self.title.setText(Orders.NUMBER + " " + view.number)
        self.pill.set(look.long_word, look.tone, look.icon)
        self.amount.setText(formats.money(view.totals.total_minor))
        self.received.setText(formats.money(view.kept_minor))
        for each in (self.of_order, self.received, self.received_word):
            each.setVisible(owed)
        self.time.setVisible(owed)
        self._show_payments(view, owed)
        self._show_note(view)
        if rows is not None:
            self.model.set_rows(rows)
        self.keys.show_order(view)
        self.tick()

    def tick(self) -> None:
        """Seconds until the gateway is asked again run by themselves."""
        view = self.view
        if view is None or view.shown is not Shown.UNKNOWN:
            return
        due = view.attempt.next_look_at_ms if view.attempt else None
        seconds = (due - self._kit.now_ms()) // 1000 if due else 0
        self.note_text.setText(Orders.UNKNOWN_WHEN.format(n=seconds) if seconds > 0 else Orders.UNKNOWN_TEXT)

    def _show_note(self, view: OrderView) -> None:
        self.note_box.setVisible(view.shown is Shown.UNKNOWN or view.shown in OWED)
        if view.shown is Shown.UNKNOWN:
            set_tone(self.note, "unknown")
            self.note_title.setText(Orders.UNKNOWN)
            self.note_text.setText(Orders.UNKNOWN_TEXT)
        elif view.shown in OWED:
            set_tone(self.note, "double")
            self.note_title.setText(Refund.BELONGS.format(amount=self._kit.formats.money(view.owed_minor)))
            twice = view.shown is Shown.PAID_TWICE
            self.note_text.setText(Refund.BELONGS_HINT if twice else Refund.BELONGS_MORE)

    def _show_payments(self, view: OrderView, owed: bool) -> None:
        paid = [payment for payment in view.payments if payment.captured_minor]
        shown = paid[:MAX_PAYMENT_CARDS] if owed and len(paid) > 1 else []
        tones = ["double" if payment.to_refund_minor else "paid" for payment in shown]
        self.model.marks = {p.id: (str(at + 1), tones[at]) for at, p in enumerate(shown)}
        self.cards_box.setVisible(bool(shown))
        for at, card in enumerate(self.cards):
            card.setVisible(at < len(shown))
            if at < len(shown):
                card.show_payment(shown[at], tones[at])


class PaymentCard(QFrame):
    """One of two payments: which pays the order, which goes back."""

    def __init__(self, kit: Kit, no: int) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName(f"detail.payment.{no}")
        self.time = label("", "strong")
        self.amount = label("", "side")
        self.via = label("", "small")
        self.id = label("", "small")
        self.what = label("", "smallstrong")
        top = line(Badge(kit, str(no), self), 8, self.time, 0)
        self.setLayout(column(top, 5, self.amount, 5, self.via, self.id, 6, self.what, margins=(14, 12, 14, 12)))

    def show_payment(self, payment: PaymentView, tone: str) -> None:
        self.time.setText(self._kit.formats.time_s(payment.captured_at_ms) if payment.captured_at_ms else "")
        self.amount.setText(self._kit.formats.money(payment.captured_minor))
        self.via.setText(Orders.VIA_LINK.format(gateway=payment.gateway.title(), no=payment.attempt_no or "?"))
        self.id.setText(_middle(payment.id))
        self.id.setToolTip(payment.id)
        self.what.setText(Refund.TO_BE_REFUNDED if tone == "double" else Refund.PAYS)
        set_tone(self.what, tone)
        set_tone(self, tone, "payment")


class Badge(QWidget):
    """A number on a disc in the tone of its card."""

    def __init__(self, kit: Kit, text: str, card: QFrame) -> None:
        super().__init__()
        self._kit = kit
        self._text = text
        self._card = card
        self.setFixedSize(20, 20)

    def paintEvent(self, event: object) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._kit.theme.color(str(self._card.property("payment") or "gone")))
        painter.drawEllipse(self.rect())
        painter.setPen(self._kit.theme.color("card"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)


class DetailKeys(QWidget):
    """The keys of one order in the history, by what it allows."""

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        theme = kit.theme
        self._formats = kit.formats
        self.refund = CommandButton(theme, commands["refund.owed"], "", "double")
        self.check = CommandButton(theme, commands["check"], Orders.ASK_NOW)
        self.open = CommandButton(theme, commands["order.open"], Orders.OPEN)
        self.manager = CommandButton(theme, commands["release"], Orders.MANAGER)
        self.goods = CommandButton(theme, commands["return"], Cart.RETURN)
        self.give_back = CommandButton(theme, commands["refund"], Orders.REFUND)
        self.give_up = CommandButton(theme, commands["give_back"], Orders.GIVE_UP)
        self.in_cash = CommandButton(theme, commands["cash_back"], Orders.IN_CASH)
        self.receipt = CommandButton(theme, commands["print"], Orders.RECEIPT)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(10)
        self._grid.addWidget(self.refund, 0, 0, 1, 2)
        self._small = (
            self.check, self.manager, self.open, self.goods, self.give_back, self.in_cash, self.give_up, self.receipt,
        )  # fmt: skip
        for at, button in enumerate(self._small):
            self._grid.addWidget(button, 1 + at // 2, at % 2)
        for button in (self.refund, *self._small):
            focusless(button)

    def show_order(self, view: OrderView) -> None:
        owed = view.shown in OWED
        self.refund.setVisible(owed)
        twice = view.shown is Shown.PAID_TWICE
        self.refund.setText(
            Cart.REFUND_SECOND if twice else Cart.REFUND_OWED.format(amount=self._formats.money(view.owed_minor))
        )
        shown = {
            self.check: "check" in view.may,
            self.manager: "release" in view.may,
            self.open: not owed,
            self.goods: "return_" in view.may,
            self.give_back: "refund" in view.may and not owed,
            self.give_up: "give_back" in view.may,
            self.in_cash: "cash_back" in view.may,
            self.receipt: view.kept_minor > 0,
        }
        used = [button for button in self._small if shown[button]]
        for button in self._small:
            button.setVisible(button in used)
        for at, button in enumerate(used):
            self._grid.addWidget(button, 1 + at // 2, at % 2)


def _middle(text: str) -> str:
    """A long id with its middle left out."""
    return text if len(text) <= 22 else f"{text[:10]}…{text[-4:]}"
