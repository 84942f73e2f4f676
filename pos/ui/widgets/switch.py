"""A switch: on or off, by touch, Space or Enter. It shows what is, not what was asked: whoever owns it sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton

if TYPE_CHECKING:
    from pos.ui.theme import Theme

_WIDTH, _HEIGHT = 44, 26
_TOUCH = 48
"""Height that a finger finds."""


class Switch(QAbstractButton):
    """`wanted(bool)` when somebody wants it the other way."""

    wanted = Signal(bool)

    def __init__(self, theme: Theme, name: str, spoken: str) -> None:
        super().__init__()
        self._theme = theme
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.clicked.connect(self._clicked)

    def sizeHint(self) -> QSize:
        return QSize(_WIDTH + 6, _TOUCH)

    def show_on(self, on: bool) -> None:
        self.setChecked(on)

    def _clicked(self, checked: bool) -> None:
        self.setChecked(not checked)
        self.wanted.emit(checked)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QRectF(3, (self.height() - _HEIGHT) / 2, _WIDTH, _HEIGHT)
        token = ("button" if self.isChecked() else "disabled") if self.isEnabled() else "line"
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(token))
        painter.drawRoundedRect(track, _HEIGHT / 2, _HEIGHT / 2)
        rtl = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        right = self.isChecked() != rtl
        left = track.right() - _HEIGHT + 3 if right else track.left() + 3
        painter.setBrush(self._theme.color("card"))
        painter.drawEllipse(QRectF(left, track.top() + 3, _HEIGHT - 6, _HEIGHT - 6))
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(self._theme.color("focus"), 2))
            painter.drawRoundedRect(track.adjusted(-2, -2, 2, 2), _HEIGHT / 2 + 2, _HEIGHT / 2 + 2)
