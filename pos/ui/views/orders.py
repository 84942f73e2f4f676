"""The history: search, filters, and a table that changes by single rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QTimer, Signal
from PySide6.QtWidgets import QMenu, QWidget

from pos.domain.status import Shown
from pos.ui.delegates.table import Cell, TableDelegate
from pos.ui.models import orders as columns
from pos.ui.models.orders import OrdersModel
from pos.ui.widgets.button import KeyButton, focusless
from pos.ui.widgets.fields import HintField
from pos.ui.widgets.labels import column, frame, label, line
from pos.ui.widgets.lists import ShareTable
from pos.words.orders import Orders
from pos.words.states import LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.services.views import OrderRow
    from pos.ui.kit import Kit

ROW_HEIGHT = 49
SEARCH_PAUSE_MS = 200
STATUSES = ("", "waiting", "unknown", "unpaid", "part_paid", "paid", "overpaid", "held", "voided")
"""What can be filtered by: the words of payment-truth that `queries.orders` takes."""
WIDTHS = (0.183, 0.207, 0.137, 0.247, 0.226)


class OrdersPanel(QWidget):
    """`wanted(status, all_days, text)` for another list; `chosen(order_id)` for another order; `opened` on Enter."""

    wanted = Signal(str, bool, str)
    chosen = Signal(str)
    opened = Signal(str)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("ordersPanel")
        self.status = ""
        self.all_days = False
        self.search = HintField(kit.theme, "orders.search", Orders.SEARCH, "Ctrl F")
        self.day = self._filter("orders.day", Orders.TODAY)
        self.state = self._filter("orders.status", Orders.ANY_STATUS)
        self.state.setMenu(self._make_menu())
        self.model = OrdersModel(kit.formats)
        self.table = self._make_table()
        self.none = label(Orders.NONE, "hint", wrap=True)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._assemble()
        self._connect()

    def _filter(self, name: str, words: str) -> KeyButton:
        button = KeyButton(self._kit.theme, words, "", "field")
        button.setObjectName(name)
        focusless(button)
        return button

    def _make_menu(self) -> QMenu:
        menu = QMenu(self)
        for status in STATUSES:
            menu.addAction(status_word(status)).setData(status)
        menu.triggered.connect(lambda action: self._filter_status(action.data()))
        return menu

    def _make_table(self) -> ShareTable:
        delegate = TableDelegate(self._kit, self._cell, ROW_HEIGHT)
        table = ShareTable("orders.table", Orders.LIST, self.model, delegate, WIDTHS)
        table.set_row_height(ROW_HEIGHT)
        return table

    def _assemble(self) -> None:
        card = frame(card=True)
        card.setLayout(line(self.table, margins=(1, 1, 1, 1)))
        top = line(self.search, 10, self.day, 10, self.state)
        box = column(top, 12, card, self.none, margins=(22, 20, 22, 20))
        box.setStretch(2, 1)
        self.setLayout(box)

    def _connect(self) -> None:
        self.search.textChanged.connect(lambda: self._pause.start(SEARCH_PAUSE_MS))
        self._pause.timeout.connect(self.ask)
        self.search.returnPressed.connect(self.ask)
        self.day.clicked.connect(self._toggle_day)
        self.table.selectionModel().currentRowChanged.connect(self._current)
        self.table.entered.connect(lambda row: self.opened.emit(self.model.rows[row].order_id))

    def focus_first(self) -> None:
        self.table.setFocus()

    def ask(self) -> None:
        self.wanted.emit(self.status, self.all_days, self.search.text().strip())

    def show_orders(self, rows: Sequence[OrderRow], select: str = "") -> None:
        """Another list; the order that was chosen stays chosen if it is in it, else the first is."""
        keep = select or self.current_id()
        self.model.show(rows)
        self.none.setVisible(not rows)
        at = self.model.find(keep)
        if rows:
            self.table.selectRow(at if at is not None else 0)

    def current_id(self) -> str:
        row = self.table.currentIndex().row()
        return self.model.rows[row].order_id if 0 <= row < len(self.model.rows) else ""

    def select(self, order_id: str) -> bool:
        at = self.model.find(order_id)
        if at is not None:
            self.table.selectRow(at)
        return at is not None

    def on_row(self, row: OrderRow) -> None:
        """One order changed: one row is painted again; a new one of today comes on top."""
        if self.model.find(row.order_id) is not None:
            self.model.change(row)
        elif self._is_newest(row):
            self.model.add(row)

    def _is_newest(self, row: OrderRow) -> bool:
        filtered = self.status or self.search.text()
        return not filtered and row.created_at_ms >= max((r.created_at_ms for r in self.model.rows[:1]), default=0)

    def _current(self, current: QModelIndex) -> None:
        if current.isValid():
            self.chosen.emit(self.model.rows[current.row()].order_id)

    def _toggle_day(self) -> None:
        self.all_days = not self.all_days
        self.day.setText(Orders.ALL_DAYS if self.all_days else Orders.TODAY)
        self.ask()

    def _filter_status(self, status: str) -> None:
        self.status = status
        self.state.setText(status_word(status))
        self.ask()

    def _cell(self, row: OrderRow, at: int) -> Cell:
        text = self.model.cell(row, at)
        match at:
            case columns.NUMBER:
                return Cell(text, weight=700)
            case columns.TIME:
                return Cell(text, "secondary")
            case columns.TOTAL:
                return Cell(text, trailing=True)
            case columns.STATUS:
                look = LOOKS[row.shown]
                return Cell(text, tone=look.tone, icon=look.icon)
        return Cell(text)


def status_word(status: str) -> str:
    """A filter's word: the short word of the state that people see in the list."""
    same = {"": None, "voided": Shown.CANCELLED}
    shown = same.get(status, Shown(status) if status in set(Shown) else None)
    return LOOKS[shown].short_word if shown is not None else Orders.ANY_STATUS
