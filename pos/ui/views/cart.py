"""The cart: lines, totals and the tender keys. The total stands in one place and nothing is ever put over it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLabel, QListView, QWidget

from pos.domain.order import Life
from pos.domain.status import Shown
from pos.ui.counter import Counter, Stage
from pos.ui.delegates.cart import CartDelegate
from pos.ui.models.cart import CartModel
from pos.ui.views.tenders import Tenders
from pos.ui.widgets.button import CommandButton, focusless
from pos.ui.widgets.labels import column, fit, frame, keep_place, label, line, rule, set_tone, trailing
from pos.ui.widgets.pill import Pill
from pos.ui.widgets.still import one_layout
from pos.words.sell import Cart
from pos.words.states import LOOKS

if TYPE_CHECKING:
    from pos.domain.basket import Totals
    from pos.services.views import OrderView
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit
    from pos.words.formats import Formats

MAX_PARTS = 3
"""Payments of one order that each have a row of their own."""
MAX_ROWS = 5
"""Rows between the lines and the total: subtotal, discount, taxes, payments."""
BOTTOM = 18


@dataclass(frozen=True, slots=True)
class Row:
    text: str
    amount: str


def total_rows(totals: Totals, formats: Formats) -> list[Row]:
    """Subtotal, discount and taxes of a basket."""
    rows = [
        Row(Cart.SUBTOTAL, formats.amount(totals.subtotal_minor)),
        Row(Cart.DISCOUNT, formats.amount(-totals.discount_minor)),
    ]
    for tax in totals.taxes:
        words = Cart.TAX_INCLUDED if totals.tax_included else Cart.TAX_ADDED
        rate = formats.percent(tax.rate_ppm)
        rows.append(Row(words.format(tax=tax.name or Cart.TAX, rate=rate), formats.amount(tax.amount_minor)))
    return rows


def paid_rows(view: OrderView, formats: Formats) -> list[Row]:
    """How it was paid, what came back, and what is still to pay."""
    rows = [Row(view.payment_text, formats.amount(view.kept_minor + view.change_minor))]
    if 1 < len(view.paid_by) <= MAX_PARTS:
        rows = [Row(paid.text, formats.amount(paid.amount_minor)) for paid in view.paid_by[:-1]]
        last = view.paid_by[-1]  # of it came what is now given as change
        rows.append(Row(last.text, formats.amount(last.amount_minor + view.change_minor)))
    if view.change_minor:
        rows.append(Row(Cart.CHANGE, formats.amount(-view.change_minor)))
    if view.owed_minor:
        rows.append(Row(Cart.OWED, formats.amount(-view.owed_minor)))
    rows.append(Row(Cart.STILL_TO_PAY, formats.amount(view.left_minor)))
    return rows


def plan_rows(view: OrderView, formats: Formats) -> list[Row]:
    """The parts of a plan, while none is paid."""
    return [Row(share.text, formats.amount(share.amount_minor)) for share in view.plan[:MAX_ROWS]]


class CartPanel(QWidget):
    """Shows a `Counter`; `selected(row)` when a line is picked."""

    selected = Signal(int)

    def __init__(self, kit: Kit, counter: Counter, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self._counter = counter
        self.setObjectName("sidePanel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.title = label("", "title", name="orderNumber")
        self.sub = label("", "small", name="orderHint")
        self.pill = Pill(kit.theme, "orderState")
        self.hold = CommandButton(kit.theme, commands["hold"], Cart.HOLD, "hold")
        self.hold.show_key_of(None)
        self.lines, self.model = self._make_lines()
        self.empty = label(Cart.EMPTY, "hint", name="cartEmpty")
        self.note_text = label("", wrap=True, name="fenceNote")
        self.note = frame("note")
        self._rows: list[tuple[QLabel, QLabel]] = []
        self.total_word = label("", "big", name="totalWord")
        self.total = trailing(fit("", "total", name="total"))
        self.tenders = Tenders(kit, commands)
        self._assemble()
        counter.changed.connect(self.refresh)
        self.refresh()

    def _make_lines(self) -> tuple[QListView, CartModel]:
        view, model = QListView(), CartModel(self._kit.formats)
        view.setObjectName("cartLines")
        view.setAccessibleName(Cart.LINES)
        view.setModel(model)
        view.setItemDelegate(CartDelegate(self._kit))
        view.itemDelegate().setParent(view)
        view.setUniformItemSizes(True)
        view.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        view.selectionModel().currentRowChanged.connect(self._picked)
        return view, model

    def _assemble(self) -> None:
        focusless(self.hold)
        self.hold.setFixedSize(70, 40)
        state = line(self.pill, self.hold)
        state.setSpacing(10)  # between both, and no gap where there is one of them
        self._head = line(column(0, self.title, 1, self.sub, 0), 0, state, margins=(18, 0, 18, 0))
        head = QWidget()
        head.setFixedHeight(74)
        head.setLayout(self._head)
        self._note_icon = label()
        inside = line(self._note_icon, 12, self.note_text, margins=(16, 12, 14, 12))
        inside.setStretch(2, 1)
        self.note.setLayout(inside)
        note = line(self.note, margins=(18, 0, 18, 14))
        sums = QGridLayout()
        sums.setContentsMargins(18, 14, 18, 0)
        sums.setSpacing(0)
        for at in range(MAX_ROWS):
            pair = label("", "row"), trailing(label("", "row"))
            pair[0].setMinimumHeight(20)
            sums.addWidget(pair[0], at, 0)
            sums.addWidget(pair[1], at, 1)
            self._rows.append(pair)
        self._rule = rule()
        total = line(self.total_word, 0, self.total, margins=(18, 0, 18, 0))
        total.setAlignment(self.total_word, Qt.AlignmentFlag.AlignBottom)
        self.total_word.setContentsMargins(0, 0, 0, 5)
        box = column(head, rule(), self.empty, self.lines, note, self._rule, sums, margins=(1, 0, 0, 0))
        box.addSpacing(15)
        box.addLayout(total)
        box.addSpacing(19)
        box.addLayout(line(self.tenders, margins=(18, 0, 18, BOTTOM)))
        box.setStretch(3, 1)
        self.empty.setContentsMargins(18, 22, 18, 0)
        keep_place(self.lines)
        self.setLayout(box)

    def refresh(self) -> None:
        counter, view = self._counter, self._counter.view
        self.model.set_rows(counter.basket.lines)
        self.lines.setVisible(bool(counter.basket.lines))
        self.empty.setVisible(not counter.basket.lines)
        self._show_selection(counter)
        with one_layout(self.tenders):
            self._show_head(counter, view)
            self._show_note(counter)
            self._show_sums(counter, view)
            self.tenders.show_stage(counter)

    def walk(self, step: int) -> None:
        """Move the chosen line with the arrow keys."""
        if self._counter.editable:
            row = self._counter.basket.selected + step
            self.selected.emit(max(0, min(row, self.model.rowCount() - 1)))

    def set_cash(self, open_: bool) -> None:
        """The cash panel is open: its keys stand here."""
        if open_ != self.tenders.cash_open:
            self.tenders.cash_open = open_
            self.refresh()

    def _show_selection(self, counter: Counter) -> None:
        model = self.lines.selectionModel()
        row = counter.basket.selected if counter.editable else -1
        index = self.model.index(row) if 0 <= row < self.model.rowCount() else QModelIndex()
        if index.isValid():
            model.setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
            self.lines.scrollTo(index)
        else:
            model.clear()

    def _picked(self, current: QModelIndex) -> None:
        if current.isValid() and self._counter.editable:
            self.selected.emit(current.row())

    def _show_head(self, counter: Counter, view: OrderView | None) -> None:
        saved = view or counter.basket.view
        self.title.setText(Cart.ORDER.format(number=saved.number) if saved else Cart.NEW_ORDER)
        self.hold.setVisible(counter.stage is Stage.RINGING)
        self.pill.setVisible(view is not None)
        if view is None:
            self.sub.setText(Cart.WALK_IN)
            return
        look = LOOKS[view.shown]
        self.pill.set(look.short_word, look.tone, look.icon)
        if view.shown is Shown.PAID and view.paid_at_ms is not None:
            self.sub.setText(Cart.PAID_AT.format(time=self._kit.formats.time_s(view.paid_at_ms)))
        elif counter.stage in (Stage.WAITING, Stage.UNKNOWN, Stage.ASKING):
            self.sub.setText(Cart.LOCKED)
        else:
            self.sub.setText(look.long_word)

    def _show_note(self, counter: Counter) -> None:
        fenced = counter.stage is Stage.UNKNOWN
        self.note.setVisible(fenced)
        if fenced:
            self.note_text.setText(Cart.FENCED)
            self._note_icon.setPixmap(self._kit.theme.pixmap("lock", "unknown_deep", 20, self.devicePixelRatioF()))
            set_tone(self.note, "unknown")

    def _show_sums(self, counter: Counter, view: OrderView | None) -> None:
        formats, rows = self._kit.formats, []
        ringing = counter.stage is Stage.RINGING
        word, amount, tone = Cart.TO_PAY, 0, ""
        if view is None or ringing:
            totals = counter.basket.totals
            rows, amount = total_rows(totals, formats), totals.total_minor
            word = Cart.TO_PAY if self.tenders.cash_open else Cart.TOTAL
        elif view.kept_minor and view.life is Life.PLACED:
            rows = paid_rows(view, formats)
            settled = view.left_minor == 0
            word = Cart.PAID if settled else Cart.LEFT
            amount = view.due_minor if settled else view.left_minor
            tone = "paid" if settled else ""
        else:
            rows, amount = plan_rows(view, formats), view.left_minor or view.totals.total_minor
        for at, (left, right) in enumerate(self._rows):
            used = at < len(rows)
            left.setVisible(used)
            right.setVisible(used)
            if used:
                left.setText(rows[at].text)
                right.setText(rows[at].amount)
        self.total_word.setText(word)
        self.total.setText(formats.money(amount))
        set_tone(self.total, tone)
