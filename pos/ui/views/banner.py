"""One line above the panels for what went wrong or was done: a title and what to do. Never a dialog box."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame

from pos.ui.widgets.button import KeyButton, focusless
from pos.ui.widgets.labels import column, label, line, set_tone
from pos.words.language import translate
from pos.words.shell import Banner as Words

if TYPE_CHECKING:
    from pos.domain.errors import PosError
    from pos.ui.kit import Kit

ERROR_MS = 15_000
NOTE_MS = 4_000
"""How long a line stays when nobody dismisses it."""
ROOM_MS = 2_000
"""How long its room stays then: longer than a finger takes that was on its way to it."""


class Banner(QFrame):
    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self.setObjectName("banner")
        self.title = label("", name="bannerTitle", wrap=True)
        self.hint = label("", "row", name="bannerHint", wrap=True)
        self.dismiss = KeyButton(kit.theme, Words.DISMISS, "Esc", "row")
        self.dismiss.setObjectName("bannerDismiss")
        self.dismiss.clicked.connect(self.clear)
        focusless(self.dismiss)
        box = line(column(self.title, 1, self.hint), 16, self.dismiss, margins=(16, 9, 9, 9))
        box.setStretch(0, 1)
        self.setLayout(box)
        self._gone = QTimer(self)
        self._gone.setSingleShot(True)
        self._gone.timeout.connect(self.clear)
        self._room = QTimer(self)
        self._room.setSingleShot(True)
        self._room.timeout.connect(self.give_room_back)
        self.hide()

    def on_command(self, command: str) -> None:
        """Somebody does the next thing: what was said of the one before is over. Esc has its own meaning."""
        if command != "back":
            self.clear()

    def give_room_back(self) -> None:
        """Another panel comes up, and everything moves anyway."""
        if self.isHidden():
            self._keep_room(False)

    def _keep_room(self, kept: bool) -> None:
        policy = self.sizePolicy()
        policy.setRetainSizeWhenHidden(kept)
        self.setSizePolicy(policy)

    def show_error(self, error: PosError) -> None:
        self._show(translate(error.title), translate(error.hint), "failed", ERROR_MS)

    def show_note(self, text: str) -> None:
        self._show(text, "", "accent", NOTE_MS)

    def clear(self) -> None:
        """Gone, but its room stays: what moved up under a finger would be what is tapped next."""
        self._gone.stop()
        if not self.isHidden():
            self._keep_room(True)
            self.hide()
            self._room.start(ROOM_MS)

    def _show(self, title: str, hint: str, tone: str, stays_ms: int) -> None:
        self.title.setText(title)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.setAccessibleName(f"{title} {hint}".strip())
        set_tone(self, tone)
        self._room.stop()
        self.show()
        self._gone.start(stays_ms)
