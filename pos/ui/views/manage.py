"""Manage: what is not done at the counter, each with a word of what it is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QGridLayout, QWidget

from pos.ui.widgets.button import CommandButton
from pos.ui.widgets.labels import column, frame, label
from pos.words.shell import Manage

if TYPE_CHECKING:
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit


@dataclass(frozen=True, slots=True)
class Card:
    title: str
    hint: str
    commands: tuple[str, ...]


def cards() -> tuple[Card, ...]:
    return (
        Card(Manage.DAY, Manage.DAY_HINT, ("day",)),
        Card(Manage.DISPLAY, Manage.DISPLAY_HINT, ("display",)),
        Card(Manage.LOOK, Manage.LOOK_HINT, ("theme.light", "theme.dark", "theme.contrast")),
        Card(Manage.KEYS, Manage.KEYS_HINT, ("help", "find")),
    )


class ManagePanel(QWidget):
    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self.setObjectName("managePanel")
        self._first: CommandButton | None = None
        grid = QGridLayout()
        grid.setSpacing(14)
        for at, card in enumerate(cards()):
            grid.addWidget(self._make(kit, commands, card), at // 2, at % 2)
        for at in range(2):
            grid.setColumnStretch(at, 1)
        self.setLayout(column(label(Manage.TITLE, "page"), 18, grid, 0, margins=(26, 24, 26, 22)))

    def focus_first(self) -> None:
        if self._first is not None:
            self._first.setFocus()

    def _make(self, kit: Kit, commands: Commands, card: Card) -> QWidget:
        made = frame(card=True)
        box = column(label(card.title, "title"), 4, label(card.hint, "row", wrap=True), 14, margins=(20, 18, 20, 18))
        for command in card.commands:
            button = CommandButton(kit.theme, commands[command])
            self._first = self._first or button
            box.addWidget(button)
            box.addSpacing(8)
        box.addStretch(1)
        made.setLayout(box)
        return made
