"""Four bars that fill as a payment goes on, with or without words below."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QStyle, QWidget

from pos.ui.theme import Theme, body_font

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pos.ui.steps import Step

BAR = 6
GAP = 8
WORDS = 34


class StepBar(QWidget):
    def __init__(self, theme: Theme, *, words: bool = True, name: str = "") -> None:
        super().__init__()
        self._theme = theme
        self._words = words
        self.steps: tuple[Step, ...] = ()
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(WORDS if words else BAR)

    def set(self, steps: Sequence[Step]) -> None:
        if tuple(steps) != self.steps:
            self.steps = tuple(steps)
            self.setAccessibleName(", ".join(step.text for step in steps if step.tone))
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(160, self.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        count = max(1, len(self.steps))
        width = (self.width() - GAP * (count - 1)) / count
        for at, step in enumerate(self.steps):
            cell = QRect(round(at * (width + GAP)), 0, round(width), self.height())
            cell = QStyle.visualRect(self.layoutDirection(), self.rect(), cell)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color(step.tone or "track"))
            painter.drawRoundedRect(QRectF(cell.x(), 0, cell.width(), BAR), BAR / 2, BAR / 2)
            if self._words:
                self._paint_word(painter, cell, step)

    def _paint_word(self, painter: QPainter, cell: QRect, step: Step) -> None:
        painter.setFont(body_font(13, 600))
        painter.setPen(self._theme.color(step.tone or "hint"))
        under = QRect(cell.x() - GAP // 2, BAR + 8, cell.width() + GAP, WORDS - BAR - 8)
        text = painter.fontMetrics().elidedText(step.text, Qt.TextElideMode.ElideRight, under.width())
        painter.drawText(under, Qt.AlignmentFlag.AlignCenter, text)
