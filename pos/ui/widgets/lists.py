"""A list as tall as its rows, and a table whose columns share its width. Both scroll when the room is too small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QAbstractItemModel, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QListView,
    QSizePolicy,
    QStyledItemDelegate,
    QTableView,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QKeyEvent, QResizeEvent

HEADER_HEIGHT = 34


class ContentList(QListView):
    """Takes the height of its rows, less where there is less room; nothing in it can be chosen.

    A row is as high as its words need in the list's width. `newest`: the last row stays in sight.
    """

    def __init__(
        self, name: str, spoken: str, model: QAbstractItemModel, delegate: QStyledItemDelegate, *, newest: bool = False
    ) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setModel(model)
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.setMinimumHeight(0)
        for changed in (model.rowsInserted, model.rowsRemoved, model.modelReset, model.dataChanged):
            changed.connect(self.updateGeometry)
        if newest:
            self.verticalScrollBar().rangeChanged.connect(lambda _, last: self.verticalScrollBar().setValue(last))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(120, sum(self.sizeHintForRow(row) for row in range(self.model().rowCount())))

    def minimumSizeHint(self) -> QSize:
        return QSize(60, 0)


class ShareTable(QTableView):
    """Whole rows are chosen; `entered(row)` on Enter or a double tap. `shares` of the width add up to one."""

    entered = Signal(int)

    def __init__(
        self, name: str, spoken: str, model: QAbstractItemModel, delegate: QStyledItemDelegate, shares: Sequence[float]
    ) -> None:
        super().__init__()
        self._shares = tuple(shares)
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setModel(model)
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.doubleClicked.connect(lambda index: self.entered.emit(index.row()))
        self._dress_headers()

    def _dress_headers(self) -> None:
        across, down = self.horizontalHeader(), self.verticalHeader()
        across.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        across.setHighlightSections(False)
        across.setFixedHeight(HEADER_HEIGHT)
        down.hide()

    def set_row_height(self, height: int) -> None:
        self.verticalHeader().setDefaultSectionSize(height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        room, at = self.viewport().width(), 0
        for section, share in enumerate(self._shares):
            width = room - at if section == len(self._shares) - 1 else round(room * share)
            self.horizontalHeader().resizeSection(section, width)
            at += width

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self.entered.emit(self.currentIndex().row())
            return
        super().keyPressEvent(event)
