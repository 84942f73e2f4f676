"""The scan field and the amount field. They take text; what it means is decided elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QStyle, QWidget

from pos.ui.widgets.paint import CAP_HEIGHT, cap_width, paint_cap

if TYPE_CHECKING:
    from pos.ui.theme import Theme

MAX_SEARCH_CHARACTERS = 100
_OURS = {Qt.Key.Key_Delete, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Escape}


class HintField(QLineEdit):
    """A field that shows the key that leads to it, after its hint."""

    def __init__(self, theme: Theme, name: str, hint: str, key: str) -> None:
        super().__init__()
        self._theme = theme
        self._key = key
        self.setObjectName(name)
        self.setAccessibleName(hint)
        self.setPlaceholderText(hint)
        self.setMaxLength(MAX_SEARCH_CHARACTERS)

    def set_hint(self, hint: str) -> None:
        self.setPlaceholderText(hint)
        self.setAccessibleName(hint)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.text():
            return
        left = 18 + QFontMetrics(self.font()).horizontalAdvance(self.placeholderText()) + 10
        width = cap_width(self._key)
        cap = QRect(left, (self.height() - CAP_HEIGHT) // 2, width, CAP_HEIGHT)
        if cap.right() < self.width() - 8:
            painter = QPainter(self)
            paint_cap(painter, QStyle.visualRect(self.layoutDirection(), self.rect(), cap), self._key, self._theme)


class ScanField(HintField):
    """Empty, it leaves Del and the arrows to the cart; `walked(step)` moves the chosen line."""

    walked = Signal(int)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and not self.text():
            control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
            if event.key() in _OURS or (control and event.key() != Qt.Key.Key_V):
                event.ignore()
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {int(Qt.Key.Key_Up): -1, int(Qt.Key.Key_Down): 1}.get(event.key(), 0)
        if step:
            self.walked.emit(step)
            return
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        super().keyPressEvent(event)


def is_text_input(widget: QWidget | None) -> bool:
    return isinstance(widget, QLineEdit) and not widget.isReadOnly()
