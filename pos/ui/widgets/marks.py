"""Small pictures beside words: an icon in a state's colour, and a square with a letter. They say nothing alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from pos.ui.theme import body_font

if TYPE_CHECKING:
    from pos.ui.theme import Theme

_BADGE = 40
BADGES = ("unknown", "accent", "double", "waiting", "paid", "gone")
"""Tokens a badge's ground is taken from, by what it stands for."""


class Mark(QWidget):
    """An outline icon; the words beside it carry the meaning."""

    def __init__(self, theme: Theme, icon: str, token: str, size: int = 16) -> None:
        super().__init__()
        self._theme = theme
        self._size = size
        self.icon, self.token = icon, token
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def set(self, icon: str, token: str) -> None:
        self.icon, self.token = icon, token
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._size, self._size)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.icon:
            pixmap = self._theme.pixmap(self.icon, self.token, self._size, self.devicePixelRatioF())
            QPainter(self).drawPixmap(0, 0, pixmap)


class Badge(QWidget):
    """The first letter of a name on a coloured square; the same name always has the same colour."""

    def __init__(self, theme: Theme, name: str, title: str) -> None:
        super().__init__()
        self._theme = theme
        self._letter = title[:1].upper()
        self._token = BADGES[sum(name.encode()) % len(BADGES)]
        self.setFixedSize(_BADGE, _BADGE)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(self._token))
        painter.drawRoundedRect(QRectF(self.rect()), 9, 9)
        painter.setPen(self._theme.color("card"))
        painter.setFont(body_font(17, 700))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._letter)
