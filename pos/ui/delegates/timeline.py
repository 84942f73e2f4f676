"""Paints what happened: on the pay panel with a mark of its state, in the history with its source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QAbstractItemView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from pos.ui.models.rows import VALUE
from pos.ui.models.timeline import TimelineModel
from pos.ui.theme import body_font
from pos.ui.widgets.paint import draw_text, draw_wrapped, wrapped_height
from pos.words.states import source_word

if TYPE_CHECKING:
    from pos.services.views import TimelineRow
    from pos.ui.kit import Kit

MARKS = {
    "ok": ("check", "paid"),
    "waiting": ("clock", "waiting"),
    "unknown": ("circle-question-mark", "unknown"),
    "bad": ("x", "failed"),
}
"""A row's state -> (icon, tone)."""
NOW = "now"
"""The state of a row that is going on: a dot."""
Rowish = QModelIndex | QPersistentModelIndex
TEXT_LEFT = 104
"""Where the words of a row of the pay panel begin."""
BADGE_ROOM = 30


def _whole(option: QStyleOptionViewItem, left: int, text: str, font: QFont, row_height: int) -> QSize:
    """As high as the words need from their `left` on: the half that was cut off is the one that says what to do."""
    view = option.widget
    room = view.viewport().width() if isinstance(view, QAbstractItemView) else option.rect.width()
    more = wrapped_height(text, font, room - left) - QFontMetrics(font).height()
    return QSize(0, row_height + max(0, more))


def _first_line(rect: QRect, font: QFont, row_height: int) -> QRect:
    """Where wrapped words begin, so that their first line stands where a single one would."""
    return rect.adjusted(0, (row_height - QFontMetrics(font).height()) // 2, 0, 0)


class PayTimelineDelegate(QStyledItemDelegate):
    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.row_height = 32
        self._font = body_font(14)

    def sizeHint(self, option: QStyleOptionViewItem, index: Rowish) -> QSize:
        return _whole(option, TEXT_LEFT, index.data(VALUE).text, self._font, self.row_height)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Rowish) -> None:
        row: TimelineRow = index.data(VALUE)
        theme, rect = self._kit.theme, option.rect
        painter.save()
        painter.setLayoutDirection(option.direction)

        def place(left: int, width: int) -> QRect:
            return QStyle.visualRect(
                option.direction, rect, QRect(rect.left() + left, rect.top(), width, self.row_height)
            )

        draw_text(painter, place(1, 72), self._kit.formats.time_s(row.at_ms), self._font, theme.color("secondary"))
        mark = place(75, 16)
        self._paint_mark(painter, QRect(mark.left(), mark.center().y() - 7, 16, 16), row.state)
        words = place(TEXT_LEFT, rect.width() - TEXT_LEFT)
        words.setBottom(rect.bottom())
        draw_wrapped(painter, _first_line(words, self._font, self.row_height), row.text, self._font, theme.color("ink"))
        painter.restore()

    def _paint_mark(self, painter: QPainter, rect: QRect, state: str) -> None:
        if state == NOW:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._kit.theme.color("waiting"))
            painter.drawEllipse(QRectF(rect).adjusted(2.5, 2.5, -2.5, -2.5))
            return
        icon, tone = MARKS.get(state, MARKS["ok"])
        painter.drawPixmap(rect, self._kit.theme.pixmap(icon, tone, 16, painter.device().devicePixelRatioF()))


class OrderTimelineDelegate(QStyledItemDelegate):
    """A rule along the side, time, source as a chip, text, and the number of the payment it is about."""

    def __init__(self, kit: Kit, row_height: int = 37) -> None:
        super().__init__()
        self._kit = kit
        self._row_height = row_height
        self._font = body_font(14)
        self._chip_font = body_font(12, 500)
        self._badge_font = body_font(12, 700)

    def sizeHint(self, option: QStyleOptionViewItem, index: Rowish) -> QSize:
        row = index.data(VALUE)
        left, badges = self._beside(row, index)
        return _whole(option, left + BADGE_ROOM * len(badges), row.text, self._font, self._row_height)

    def _beside(self, row: TimelineRow, index: Rowish) -> tuple[int, list[tuple[str, str]]]:
        """Where the words begin, and the marks of the payments behind them."""
        model = index.model()
        marks = model.marks if isinstance(model, TimelineModel) else {}
        chip = QFontMetrics(self._chip_font).horizontalAdvance(source_word(row.source)) + 18
        return 88 + chip + 10 if not marks else 174, [marks[each] for each in row.payment.split() if each in marks]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Rowish) -> None:
        row: TimelineRow = index.data(VALUE)
        left, badges = self._beside(row, index)
        theme, rect = self._kit.theme, option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setLayoutDirection(option.direction)

        def place(left: int, width: int) -> QRect:
            return QStyle.visualRect(
                option.direction, rect, QRect(rect.left() + left, rect.top(), width, self._row_height)
            )

        single = badges[0][1] if len(badges) == 1 else "line"
        rail = place(0, 2)
        rail.setBottom(rect.bottom())
        painter.fillRect(rail, theme.color(single))
        draw_text(painter, place(17, 66), self._kit.formats.time_s(row.at_ms), self._font, theme.color("secondary"))
        word = source_word(row.source)
        chip = QFontMetrics(self._chip_font).horizontalAdvance(word) + 18
        self._paint_chip(painter, place(88, chip), word)
        words = place(left, rect.width() - left - BADGE_ROOM * len(badges))
        words.setBottom(rect.bottom())
        first = _first_line(words, self._font, self._row_height)
        draw_wrapped(painter, first, row.text, self._font, theme.color("ink"))
        for at, (number, tone) in enumerate(badges):
            spot = place(rect.width() - BADGE_ROOM * (len(badges) - at) + 10, 20)
            self._paint_badge(painter, spot, number, tone)
        painter.restore()

    def _paint_chip(self, painter: QPainter, rect: QRect, word: str) -> None:
        shape = QRect(rect.left(), rect.center().y() - 10, rect.width(), 22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._kit.theme.color("gone_soft"))
        painter.drawRoundedRect(shape, 11, 11)
        painter.setFont(self._chip_font)
        painter.setPen(self._kit.theme.color("gone"))
        painter.drawText(shape, Qt.AlignmentFlag.AlignCenter, word)

    def _paint_badge(self, painter: QPainter, rect: QRect, number: str, tone: str) -> None:
        circle = QRect(rect.left(), rect.center().y() - 9, 20, 20)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._kit.theme.color(tone))
        painter.drawEllipse(circle)
        painter.setFont(self._badge_font)
        painter.setPen(self._kit.theme.color("card"))
        painter.drawText(circle, Qt.AlignmentFlag.AlignCenter, number)
