"""Paints one product tile: a field of colour, name, price."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from pos.ui.models.rows import VALUE
from pos.ui.theme import body_font
from pos.ui.widgets.paint import draw_text

if TYPE_CHECKING:
    from pos.ui.kit import Kit
    from pos.ui.models.tiles import Tile

GAP = 12
RADIUS = 12.0


class TileDelegate(QStyledItemDelegate):
    """`size` is one tile without the `gap` after it; `band` the height of its colour."""

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.size = QSize(206, 148)
        self.band = 78
        self.gap = GAP
        self._name_font = body_font(14, 600)
        self._price_font = body_font(13)

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(self.size.width() + self.gap, self.size.height() + self.gap)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        tile: Tile = index.data(VALUE)
        rect = QStyle.visualRect(option.direction, option.rect, QRect(option.rect.topLeft(), self.size))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setLayoutDirection(option.direction)
        self._paint_card(painter, rect, tile, option)
        self._paint_words(painter, rect, tile)
        painter.restore()

    def _paint_card(self, painter: QPainter, rect: QRect, tile: Tile, option: QStyleOptionViewItem) -> None:
        theme = self._kit.theme
        shape = QPainterPath()
        outline = QRectF(rect).adjusted(0.5, 0.5, -0.5, -0.5)
        shape.addRoundedRect(outline, RADIUS, RADIUS)
        pressed = bool(option.state & QStyle.StateFlag.State_Sunken)
        painter.fillPath(shape, theme.color("gone_soft" if pressed else "card"))
        painter.save()
        painter.setClipPath(shape)
        painter.fillRect(QRect(rect.left(), rect.top(), rect.width(), self.band), theme.tile(tile.color))
        painter.restore()
        focused = bool(option.state & QStyle.StateFlag.State_HasFocus)
        painter.setPen(QPen(theme.color("focus"), 2) if focused else QPen(theme.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(shape)

    def _paint_words(self, painter: QPainter, rect: QRect, tile: Tile) -> None:
        theme = self._kit.theme
        top = rect.top() + self.band
        words = rect.adjusted(13, 0, -10, 0)
        name = QRect(words.left(), top + 9, words.width(), 20)
        draw_text(painter, name, tile.product.name, self._name_font, theme.color("ink"))
        if tile.product.price_minor:
            price = QRect(words.left(), top + 29, words.width(), 18)
            text = self._kit.formats.money(tile.product.price_minor)
            draw_text(painter, price, text, self._price_font, theme.color("secondary"))
