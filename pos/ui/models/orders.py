"""The history as a table. A status change is one row's dataChanged; a new order is one row on top."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, Qt

from pos.ui.models.rows import ROOT, VALUE, Index
from pos.words.orders import Orders
from pos.words.states import LOOKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.services.views import OrderRow
    from pos.words.formats import Formats

NUMBER, TIME, TOTAL, PAYMENT, STATUS = range(5)


class OrdersModel(QAbstractTableModel):
    """Rows are `OrderRow` values, newest first."""

    def __init__(self, formats: Formats) -> None:
        super().__init__()
        self._formats = formats
        self.rows: list[OrderRow] = []
        self._at: dict[str, int] = {}

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else 5

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == VALUE:
            return row
        if role == Qt.ItemDataRole.DisplayRole:
            return self.cell(row, index.column())
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self.spoken(row)
        return None

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = int(Qt.ItemDataRole.DisplayRole)
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return (Orders.NUMBER, Orders.TIME, Orders.TOTAL, Orders.PAYMENT, Orders.STATUS)[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignTrailing if section == TOTAL else Qt.AlignmentFlag.AlignLeading
            return int(side | Qt.AlignmentFlag.AlignVCenter)
        return None

    def spoken(self, row: OrderRow) -> str:
        cells = [self.cell(row, column) for column in range(5)]
        return Orders.ROW.format(number=cells[0], time=cells[1], amount=cells[2], payment=cells[3], state=cells[4])

    def show(self, rows: Sequence[OrderRow]) -> None:
        """Another list altogether: another day, another search."""
        self.beginResetModel()
        self.rows = list(rows)
        self._index()
        self.endResetModel()

    def change(self, row: OrderRow) -> bool:
        """Take in an order's new row if it is listed and not older than ours; one dataChanged."""
        at = self._at.get(row.order_id)
        if at is None or row.version < self.rows[at].version:
            return False
        self.rows[at] = row
        self.dataChanged.emit(self.index(at, 0), self.index(at, 4))
        return True

    def add(self, row: OrderRow) -> None:
        """A new order, on top."""
        self.beginInsertRows(QModelIndex(), 0, 0)
        self.rows.insert(0, row)
        self._index()
        self.endInsertRows()

    def find(self, order_id: str) -> int | None:
        return self._at.get(order_id)

    def _index(self) -> None:
        self._at = {row.order_id: at for at, row in enumerate(self.rows)}

    def cell(self, row: OrderRow, column: int) -> str:
        if column == NUMBER:
            return row.number
        if column == TIME:
            return self._formats.time(row.created_at_ms)
        if column == TOTAL:
            return self._formats.money(row.total_minor)
        if column == PAYMENT:
            return row.payment_text
        return LOOKS[row.shown].short_word
