"""Panels that ask one thing: a title, what to type or choose, one key to do it and Esc to go back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from pos.ui.widgets.button import CommandButton, KeyButton, focusless
from pos.ui.widgets.labels import column, frame, label, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtGui import QAction, QKeyEvent

    from pos.ui.kit import Kit

MAX_REASON_CHARACTERS = 120


class FormPanel(QWidget):
    """`confirm` is what Enter does; `can_confirm` whether it may. Subclasses fill `body`."""

    changed = Signal()

    def __init__(self, kit: Kit, name: str, back: QAction, back_words: str) -> None:
        super().__init__()
        self.kit = kit
        self.setObjectName(name)
        self.title = label("", "page", name=f"{name}.title")
        self.hint = label("", "sub", name=f"{name}.hint", wrap=True)
        self.body = QVBoxLayout()
        self.body.setSpacing(10)
        self.back = CommandButton(kit.theme, back, back_words)
        self.keys_row = line(0, focusless(self.back))
        card = frame("paySheet")
        self._box = column(self.title, 4, self.hint, 20, self.body, 0, self.keys_row, margins=(30, 28, 30, 30))
        card.setLayout(self._box)
        self.setLayout(line(card, margins=(20, 18, 20, 18)))

    @property
    def can_confirm(self) -> bool:
        return False

    def confirm(self) -> None:
        """Do what the panel is for."""

    def fill_room(self) -> None:
        """The body takes all the room that is left: for lists."""
        self._box.setStretchFactor(self.body, 1)
        self._box.setStretch(5, 0)

    def set_words(self, title: str, hint: str = "") -> None:
        self.title.setText(title)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def add_confirm(self, action: QAction, words: str, kind: str = "primary") -> CommandButton:
        button = CommandButton(self.kit.theme, action, words, kind)
        button.setMinimumWidth(260)
        self.keys_row.addSpacing(10)
        self.keys_row.addWidget(focusless(button))
        return button


class Reasons(QFrame):
    """Reasons with a digit each; `chosen(reason)` at once, by touch or by digit."""

    chosen = Signal(str)

    def __init__(self, kit: Kit, name: str, reasons: Sequence[str]) -> None:
        super().__init__()
        self.setObjectName(name)
        self._reasons = list(reasons)
        self.buttons: list[KeyButton] = []
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(10)
        for at, reason in enumerate(reasons, 1):
            button = KeyButton(kit.theme, reason, str(at), "wide")
            button.setObjectName(f"{name}.{at}")
            button.setCheckable(True)
            button.setAutoExclusive(True)
            button.clicked.connect(lambda _=False, at=at: self.press(at))
            focusless(button)
            self.buttons.append(button)
            box.addWidget(button)

    def press(self, digit: int) -> bool:
        if not 0 < digit <= len(self._reasons):
            return False
        self.buttons[digit - 1].setChecked(True)
        self.chosen.emit(self._reasons[digit - 1])
        return True


class ReasonPanel(FormPanel):
    """A question answered by one digit: `answered(reason)`."""

    answered = Signal(str)

    def __init__(self, kit: Kit, name: str, back: QAction, back_words: str, reasons: Sequence[str]) -> None:
        super().__init__(kit, name, back, back_words)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setProperty("keys", True)
        self.reasons = Reasons(kit, f"{name}.reason", reasons)
        self.reasons.chosen.connect(self.answered)
        self.body.addWidget(self.reasons)

    def focus_first(self) -> None:
        self.setFocus()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not (event.text().isdigit() and self.reasons.press(int(event.text()))):
            super().keyPressEvent(event)


def text_field(name: str, spoken: str) -> QLineEdit:
    """A field for one short line."""
    field = QLineEdit()
    field.setObjectName(name)
    field.setAccessibleName(spoken)
    field.setPlaceholderText(spoken)
    field.setMaxLength(MAX_REASON_CHARACTERS)
    return field
