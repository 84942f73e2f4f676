"""A field for a key or a passphrase: never shown, never copied, no undo, empty after use."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit

MAX_SECRET_CHARACTERS = 4096
_NEVER = (
    QKeySequence.StandardKey.Copy,
    QKeySequence.StandardKey.Cut,
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
)


class SecretField(QLineEdit):
    """`take()` gives the text and empties the field in one step."""

    def __init__(self, name: str, spoken: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setMaxLength(MAX_SECRET_CHARACTERS)
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setDragEnabled(False)
        hints = Qt.InputMethodHint
        self.setInputMethodHints(hints.ImhHiddenText | hints.ImhSensitiveData | hints.ImhNoPredictiveText)

    @property
    def filled(self) -> bool:
        return bool(self.text().strip())

    def take(self) -> str:
        text = self.text().strip()
        self.clear()
        return text

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not any(event.matches(key) for key in _NEVER):
            super().keyPressEvent(event)
