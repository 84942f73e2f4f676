"""The violet ring of an unknown outcome, and the green disc of a paid one. They show; they decide nothing."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from pos.ui.theme import Theme, body_font

LAP_S = 300
"""Seconds of one lap of the ring: the default time between two reports, after which the outcome is mostly known."""
_STROKE = 10


class Ring(QWidget):
    """A running timer in a ring; `set(text, seconds)`."""

    def __init__(self, theme: Theme, caption: str) -> None:
        super().__init__()
        self._theme = theme
        self._caption = caption
        self._text = ""
        self._share = 0.0
        self.setObjectName("unknownRing")
        self.set_side(226)

    def set_side(self, side: int) -> None:
        self.setFixedSize(side, side)

    def set(self, text: str, seconds: int) -> None:
        self._text = text
        self._share = (seconds % LAP_S) / LAP_S
        self.setAccessibleName(f"{text} {self._caption}")
        self.update()

    @property
    def text(self) -> str:
        return self._text

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        side = min(self.width(), self.height()) - _STROKE - 2
        circle = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        painter.setBrush(self._theme.color("card"))
        painter.setPen(QPen(self._theme.color("unknown_line"), _STROKE))
        painter.drawEllipse(circle)
        pen = QPen(self._theme.color("unknown"), _STROKE)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.setPen(pen)
        painter.drawArc(circle, 90 * 16, -round(360 * 16 * self._share))
        self._paint_words(painter, circle)

    def _paint_words(self, painter: QPainter, circle: QRectF) -> None:
        centre = Qt.AlignmentFlag.AlignCenter
        long = len(self._text) > 5
        painter.setPen(self._theme.color("ink"))
        scale = self.width() / 226
        painter.setFont(body_font(round((40 if long else 58) * scale), 700))
        painter.drawText(circle.adjusted(0, -14 * scale, 0, -14 * scale), centre, self._text)
        painter.setPen(self._theme.color("secondary"))
        painter.setFont(body_font(max(12, round(14 * scale))))
        painter.drawText(circle.adjusted(0, 64 * scale, 0, 0), centre, self._caption)


class Disc(QWidget):
    """A filled circle with a tick, or with an icon for other ends."""

    def __init__(self, theme: Theme, side: int = 208) -> None:
        super().__init__()
        self._theme = theme
        self._tone = "paid"
        self._icon = ""
        self.setObjectName("outcomeDisc")
        self.setFixedSize(QSize(side, side))

    def set(self, tone: str, icon: str = "") -> None:
        """An empty icon is the tick."""
        self._tone, self._icon = tone, icon
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color(self._tone))
        painter.drawEllipse(self.rect())
        side = self.width()
        if self._icon:
            size = side // 2
            pixmap = self._theme.pixmap(self._icon, "card", size, self.devicePixelRatioF())
            painter.drawPixmap((side - size) // 2, (side - size) // 2, pixmap)
            return
        pen = QPen(self._theme.color("card"), side * 0.068)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        points = [QPointF(side * x, side * y) for x, y in ((0.30, 0.50), (0.45, 0.64), (0.71, 0.35))]
        painter.drawPolyline(QPolygonF(points))
