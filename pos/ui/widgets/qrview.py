"""Shows a QR code crisply: whole pixels per module, no smoothing. Where the text comes from is not its business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from pos.ui import qr

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

    from pos.ui.kit import Kit


class QrView(QWidget):
    """`show_text` encodes away from this thread and paints when the code is there; "" shows nothing."""

    def __init__(self, kit: Kit, name: str, side: int) -> None:
        super().__init__()
        self._kit = kit
        self._side = side
        self.text = ""
        self._code: qr.Code | None = None
        self._image: QImage | None = None
        self.setObjectName(name)
        self.setMinimumSize(96, 96)
        self.setMaximumSize(side, side)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        kit.theme.changed.connect(self._paint_again)

    def sizeHint(self) -> QSize:
        return QSize(self._side, self._side)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return min(width, self._side)

    @property
    def ready(self) -> bool:
        """The code that belongs to `text` is painted."""
        return self._code is not None and self._code.text == self.text

    def show_text(self, text: str, spoken: str) -> None:
        self.setAccessibleName(spoken)
        if text == self.text:
            return
        self.text = text
        self._code = self._image = None
        self.update()
        code = qr.known(text)
        if code is not None:
            self._take(code)
        elif text:
            self._kit.tasks.start(self, qr.encode_away(text), self._take)

    def _take(self, code: qr.Code) -> None:
        if code.text == self.text:
            self._code = code
            self._paint_again()

    def _paint_again(self) -> None:
        if self._code is not None:
            theme = self._kit.theme
            self._image = qr.image(self._code, theme.color("qr_dark"), theme.color("qr_light"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._kit.theme.color("qr_light"))
        painter.drawRoundedRect(self.rect(), 10, 10)
        if self._image is None:
            return
        ratio = self.devicePixelRatioF()
        device = int(min(self.width(), self.height()) * ratio)
        scale = max(1, device // (self._image.width() + 2 * qr.QUIET_ZONE))
        side = self._image.width() * scale
        left, top = (int(self.width() * ratio) - side) // 2, (int(self.height() * ratio) - side) // 2
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        scaled = self._image.scaled(
            side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
        )
        scaled.setDevicePixelRatio(ratio)
        painter.drawImage(QRect(left, top, side, side).topLeft() / ratio, scaled)


class Square(QWidget):
    """Holds one widget in its middle, as large and square as its room is at any moment, between two sides.

    The layout around it deals out that room: whatever stands above and below, nobody has to add up heights beforehand.
    """

    def __init__(self, inner: QWidget, least: int, most: int) -> None:
        super().__init__()
        self._inner = inner
        self._least, self._most = least, most
        inner.setParent(self)
        self.setMaximumHeight(most)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        return QSize(self._most, self._most)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._least, self._least)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setMaximumHeight(max(self._least, min(self.width(), self._most)))  # more would be gaps above and below
        side = min(self.width(), self.height(), self._most)
        self._inner.setGeometry((self.width() - side) // 2, (self.height() - side) // 2, side, side)
