"""A pill: colour, mark and word of one state. Used in headings and as a light in the top bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from pos.ui.widgets.paint import PILL_HEIGHT, paint_pill, pill_width

if TYPE_CHECKING:
    from pos.ui.theme import Theme


class Pill(QWidget):
    """`set(text, tone, icon)`; an empty icon is a dot. `clicked` for the lights that open something."""

    clicked = Signal()

    def __init__(self, theme: Theme, name: str = "") -> None:
        super().__init__()
        self._theme = theme
        self.text = ""
        self.tone = "gone"
        self.icon = ""
        self.ring = False
        self.plain = False
        self.setObjectName(name)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set(self, text: str, tone: str, icon: str = "", *, ring: bool = False, plain: bool = False) -> None:
        """`ring` draws its edge; `plain` sets it on the card's own colour, for a card that wears the tone itself."""
        if (text, tone, icon, ring, plain) == (self.text, self.tone, self.icon, self.ring, self.plain):
            return
        self.text, self.tone, self.icon, self.ring, self.plain = text, tone, icon, ring, plain
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(pill_width(self.text, self.icon) if self.text else 0, PILL_HEIGHT + (3 if self.ring else 0))

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.text:
            painter = QPainter(self)
            look = (self.tone, self.icon)
            edge = "ring" if self.ring else "plain" if self.plain else ""
            paint_pill(painter, QRect(0, 0, self.width(), self.height()), self.text, look, self._theme, edge=edge)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.rect().contains(event.position().toPoint()):
            self.clicked.emit()
