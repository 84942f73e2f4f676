"""Paints cells of the big tables straight from the row: plain text, or a pill of a state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from pos.ui.models.rows import VALUE
from pos.ui.theme import body_font
from pos.ui.widgets.paint import PILL_HEIGHT, draw_text, paint_pill, pill_width

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtGui import QPainter

    from pos.ui.kit import Kit

_SIDE = 10


@dataclass(frozen=True, slots=True)
class Cell:
    """What a cell shows: a text, or (where `tone` is set) a pill of tone and icon."""

    text: str
    color: str = "ink"
    weight: int = 400
    trailing: bool = False
    tone: str = ""
    icon: str = ""


class TableDelegate(QStyledItemDelegate):
    """`cell(row, column)` says what to paint; selected rows stand on the accent."""

    def __init__(self, kit: Kit, cell: Callable[[Any, int], Cell], row_height: int) -> None:
        super().__init__()
        self._kit = kit
        self._cell = cell
        self._row_height = row_height
        self._fonts = {weight: body_font(15, weight) for weight in (400, 600, 700)}

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(40, self._row_height)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        theme, rect = self._kit.theme, option.rect
        cell = self._cell(index.data(VALUE), index.column())
        painter.save()
        painter.setLayoutDirection(option.direction)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("accent_soft"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))
        inner = rect.adjusted(_SIDE, 0, -_SIDE, -1)
        if cell.tone:
            self._paint_pill(painter, inner, option, cell)
        elif cell.text:
            font = self._fonts[cell.weight]
            draw_text(painter, inner, cell.text, font, theme.color(cell.color), trailing=cell.trailing)
        painter.restore()

    def _paint_pill(self, painter: QPainter, inner: QRect, option: QStyleOptionViewItem, cell: Cell) -> None:
        width = min(pill_width(cell.text, cell.icon), inner.width())
        top = inner.center().y() - PILL_HEIGHT // 2
        pill = QStyle.visualRect(option.direction, inner, QRect(inner.left(), top, width, PILL_HEIGHT))
        paint_pill(painter, pill, cell.text, (cell.tone, cell.icon), self._kit.theme)
