"""Paints one line of the cart: name and amount, below them quantity, price, discount and note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from pos.ui.models.cart import detail
from pos.ui.models.rows import VALUE
from pos.ui.theme import body_font
from pos.ui.widgets.paint import draw_text

if TYPE_CHECKING:
    from PySide6.QtGui import QColor, QPainter

    from pos.domain.basket import Line
    from pos.ui.kit import Kit

ROW_HEIGHT = 66
_SIDE = 18


class CartDelegate(QStyledItemDelegate):
    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self._name_font = body_font(15, 600)
        self._detail_font = body_font(13)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(0, ROW_HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        line: Line = index.data(VALUE)
        theme, formats, rect = self._kit.theme, self._kit.formats, option.rect
        painter.save()
        painter.setLayoutDirection(option.direction)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, theme.color("accent_soft"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.color("line"))
        amount = formats.amount(line.amount_minor)
        inner = rect.adjusted(_SIDE, 0, -_SIDE, 0)
        upper = QRect(inner.left(), inner.top() + 13, inner.width(), 22)
        width = painter.fontMetrics().horizontalAdvance(amount) + 48
        name = QRect(upper.left(), upper.top(), upper.width() - width, upper.height())
        draw_text(painter, QStyle.visualRect(option.direction, upper, name), line.name, self._name_font, self._ink())
        draw_text(painter, upper, amount, self._name_font, self._ink(), trailing=True)
        lower = QRect(inner.left(), inner.top() + 34, inner.width(), 20)
        draw_text(painter, lower, detail(line, formats), self._detail_font, theme.color("secondary"))
        painter.restore()

    def _ink(self) -> QColor:
        return self._kit.theme.color("ink")
