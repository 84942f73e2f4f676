"""Digits to touch. `pressed(text)`: a digit, 00, or "" for the key that erases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QSizePolicy, QWidget

from pos.ui.widgets.button import focusless
from pos.words.sell import Cash

if TYPE_CHECKING:
    from pos.ui.kit import Kit

KEY_HEIGHT = 86
KEYS = ("7", "8", "9", "4", "5", "6", "1", "2", "3", "00", "0", "")


class Keypad(QWidget):
    pressed = Signal(str)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(10)
        self.keys: list[QPushButton] = []
        for at, text in enumerate(KEYS):
            button = self._make(text)
            self.keys.append(button)
            grid.addWidget(button, at // 3, at % 3)
        self._erase = button
        self.setMaximumHeight(4 * KEY_HEIGHT + 3 * grid.spacing())
        kit.theme.changed.connect(self._dress)
        self._dress()

    def _make(self, text: str) -> QPushButton:
        button = QPushButton(text)
        button.setObjectName(f"digit.{text or 'erase'}")
        button.setProperty("kind", "digit")
        button.setAccessibleName(text or Cash.ERASE)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        button.setMaximumHeight(KEY_HEIGHT)
        button.clicked.connect(lambda: self.pressed.emit(text))
        focusless(button)
        return button

    def _dress(self) -> None:
        self._erase.setIcon(self._kit.theme.icon("delete", "ink", 26))
        self._erase.setIconSize(QSize(26, 26))
