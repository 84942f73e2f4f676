"""A field for an amount: digits are major units until a point is typed; what is shown is written as money."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit

from pos.domain.errors import BadInput
from pos.domain.money import exponent, parse_major

if TYPE_CHECKING:
    from pos.words.formats import Formats

MAX_CHARACTERS = 13
_OURS = {Qt.Key.Key_Delete, Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape}


class AmountField(QLineEdit):
    """`minor` is what was typed, None while empty. Only the keyboard and `press` write into it."""

    edited = Signal()

    def __init__(self, formats: Formats, name: str, spoken: str) -> None:
        super().__init__()
        self._formats = formats
        self._typed = ""
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self.setProperty("role", "amount")
        self.setReadOnly(True)
        self.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)

    @property
    def minor(self) -> int | None:
        if not self._typed.strip("."):
            return None
        try:
            return parse_major(self._typed.rstrip("."), self._formats.currency)
        except BadInput:
            return None

    def press(self, text: str) -> None:
        """Digits, a point, or "" to erase the last character."""
        typed = self._typed[:-1] if not text else self._typed + text
        if self._fits(typed):
            self._typed = typed
            self._show()

    def set_minor(self, minor: int | None) -> None:
        digits = exponent(self._formats.currency)
        if minor is None:
            self._typed = ""
        else:
            whole, part = divmod(minor, 10**digits)
            self._typed = f"{whole}.{part:0{digits}d}" if part else str(whole)
        self._show()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _OURS:
            event.ignore()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Backspace:
            self.press("")
        elif event.text() in (".", ",") and event.text():
            self.press(".")
        elif event.text().isascii() and event.text().isdigit():
            self.press(event.text())
        else:
            event.ignore()

    def _fits(self, typed: str) -> bool:
        whole, point, part = typed.partition(".")
        digits = exponent(self._formats.currency)
        return (
            len(typed) <= MAX_CHARACTERS
            and "." not in part
            and len(part) <= digits
            and not (point and not digits)
            and (whole.isdigit() or not whole)
        )

    def _show(self) -> None:
        minor = self.minor
        self.setText("" if minor is None else self._formats.money(minor))
        self.edited.emit()
