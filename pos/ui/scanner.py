"""Tells a barcode scanner from a person: fast keystrokes that end in Enter, whatever has the focus.

Every printable key waits a moment (`PAUSE_MS`). If more follow as fast and Enter ends them, they are a scan and never
reach a field; if not, they are given to the field they were meant for, in order. A person notices nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from collections.abc import Callable

PAUSE_MS = 35
"""Scanners send a character every 1-20 ms; a fast typist needs 60."""
MIN_CHARACTERS = 4
MAX_CHARACTERS = 64
_ENDS = {Qt.Key.Key_Return, Qt.Key.Key_Enter}
_MODIFIERS = {Qt.Key.Key_Shift, Qt.Key.Key_CapsLock, Qt.Key.Key_AltGr}
_PLAIN = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.KeypadModifier


class Scanner(QObject):
    """Watches the keys of one window. `scanned(code)`; `fallback` takes letters typed where no field has the focus."""

    scanned = Signal(str)

    def __init__(self, window: QWidget, *, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__(window)
        self._window = window
        self._now_s = now_s
        self._held: list[tuple[QWidget, QKeyEvent]] = []
        self._last_s = 0.0
        self._replaying = False
        self._flooded = False
        """More came in one go than any code is long: the rest is left alone until it pauses."""
        self.fallback: Callable[[], QWidget | None] = lambda: None
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setTimerType(Qt.TimerType.PreciseTimer)
        # once more round the loop: keys that came while the thread was busy are read before the pause is believed
        self._pause.timeout.connect(lambda: QTimer.singleShot(0, self, self._rested))
        app = QApplication.instance()
        assert app is not None, "a window stands in an application"
        app.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if kind not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride) or self._replaying:
            return False
        if not isinstance(event, QKeyEvent) or not isinstance(watched, QWidget) or watched.window() is not self._window:
            return False
        if kind == QEvent.Type.ShortcutOverride:
            return self._claims(event)
        return self._take(watched, event)

    def _claims(self, event: QKeyEvent) -> bool:
        """A key that is to be held must reach us as a key press, not as somebody's shortcut."""
        if self._holdable(event) or (event.key() in _ENDS and self._is_scan(event)):
            event.accept()
            return True
        return False

    def _take(self, watched: QWidget, event: QKeyEvent) -> bool:
        if event.key() in _MODIFIERS:
            return False  # a scanner holds Shift for its capitals
        if event.key() in _ENDS and self._is_scan(event):
            event.accept()  # an event that is not accepted would be offered to every parent as well
            self._finish()
            return True
        if not self._holdable(event):
            self.release()
            return False
        fast = self._fast(event)
        if self._flooded and fast:
            self._last_s = self._at_s(event)
            return False
        self._flooded = False
        if self._held and not fast:
            self.release()
        event.accept()
        self._last_s = self._at_s(event)
        copy = QKeyEvent(event.type(), event.key(), event.modifiers(), event.text(), False, event.count())
        self._held.append((self._target(watched), copy))
        if len(self._held) >= MAX_CHARACTERS:
            self._flooded = True
            self.release()
        else:
            self._pause.start(PAUSE_MS)
        return True

    def _holdable(self, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Space and not self._held:
            return False  # it presses buttons, and no code begins with it
        plain = not (event.modifiers() & ~_PLAIN)
        return plain and not event.isAutoRepeat() and len(event.text()) == 1 and event.text().isprintable()

    def _at_s(self, event: QKeyEvent) -> float:
        """When the key was pressed, not when we got round to it: a busy window must not turn a scan into typing."""
        return event.timestamp() / 1000 or self._now_s()

    def _fast(self, event: QKeyEvent) -> bool:
        return (self._at_s(event) - self._last_s) * 1000 <= PAUSE_MS

    def _is_scan(self, event: QKeyEvent) -> bool:
        return len(self._held) >= MIN_CHARACTERS and self._fast(event)

    def _rested(self) -> None:
        if not self._pause.isActive():
            self.release()

    def _finish(self) -> None:
        code = "".join(event.text() for _, event in self._held)
        self._held.clear()
        self._pause.stop()
        self.scanned.emit(code)

    def release(self) -> None:
        """Typed by a person after all: give the keys to where they were meant to go."""
        self._pause.stop()
        held, self._held = self._held, []
        self._replaying = True
        try:
            for target, event in held:
                if shiboken6.isValid(target):
                    QApplication.sendEvent(target, event)
        finally:
            self._replaying = False

    def _target(self, watched: QWidget) -> QWidget:
        if watched.inputMethodHints() or watched.testAttribute(Qt.WidgetAttribute.WA_InputMethodEnabled):
            return watched
        if watched.property("keys"):
            return watched
        return self.fallback() or watched
