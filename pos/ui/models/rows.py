"""A list of values that announces small changes: one row changed is one dataChanged, never a reset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

if TYPE_CHECKING:
    from collections.abc import Sequence

Index = QModelIndex | QPersistentModelIndex
ROOT = QModelIndex()
VALUE = int(Qt.ItemDataRole.UserRole)
"""The role under which a delegate finds the row's own value."""


class RowsModel(QAbstractListModel):
    """Rows are immutable values. `set_rows` changes only what differs; subclasses say how a row is read aloud."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[Any] = []

    def rowCount(self, parent: Index = ROOT) -> int:
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        if not index.isValid() or not 0 <= index.row() < len(self.rows):
            return None
        row = self.rows[index.row()]
        if role == VALUE:
            return row
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.spoken(row)
        return None

    def spoken(self, row: Any) -> str:
        """The row as one line of text: what a screen reader says, and what a snapshot shows."""
        return str(row)

    def set_rows(self, rows: Sequence[Any]) -> None:
        """Become `rows`: change in place what differs, insert or remove only the rest."""
        new = list(rows)
        if len(new) == len(self.rows):
            self._replace(new)
            return
        start = _common_start(self.rows, new)
        end = _common_start(self.rows[start:][::-1], new[start:][::-1])
        self._cut(start, len(self.rows) - end)
        self._put(start, new[start : len(new) - end])

    def _replace(self, new: list[Any]) -> None:
        for at, value in enumerate(new):
            if value != self.rows[at]:
                self.rows[at] = value
                self.dataChanged.emit(self.index(at), self.index(at))

    def _cut(self, start: int, stop: int) -> None:
        if stop > start:
            self.beginRemoveRows(QModelIndex(), start, stop - 1)
            del self.rows[start:stop]
            self.endRemoveRows()

    def _put(self, start: int, values: list[Any]) -> None:
        if values:
            self.beginInsertRows(QModelIndex(), start, start + len(values) - 1)
            self.rows[start:start] = values
            self.endInsertRows()


def _common_start(first: Sequence[Any], second: Sequence[Any]) -> int:
    count = 0
    for left, right in zip(first, second, strict=False):
        if left != right:
            break
        count += 1
    return count
