"""Manage: what is not done at the counter. A list of what there is on the left, its page beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QPushButton, QStackedWidget, QWidget

from pos.ui.theme import body_font
from pos.ui.views.gateways import GatewaysPanel
from pos.ui.widgets.button import CommandButton
from pos.ui.widgets.labels import column, frame, holder, label, line
from pos.words.gateways import Gateways
from pos.words.shell import Manage

if TYPE_CHECKING:
    from pos.ui.commands import Commands
    from pos.ui.kit import Kit

NAV_WIDTH, NAV_COMPACT, NAV_SIDE = 200, 156, 10
NAV_ICON = 50
"""Width of an entry beside its words: icon, gap, both edges."""
ICONS = {"gateways": "credit-card", "till": "monitor"}


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
    """`wanted(section)` when another entry is picked. Entries that somebody may not see are not there."""

    wanted = Signal(str)

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("managePanel")
        self.gateways = GatewaysPanel(kit, commands)
        self.till = TillPage(kit, commands)
        self._group = QButtonGroup(self)
        self.entries = {
            "gateways": self._entry("gateways", Gateways.TITLE),
            "till": self._entry("till", Manage.THIS_TILL),
        }
        self._pages: dict[str, GatewaysPanel | TillPage] = {"gateways": self.gateways, "till": self.till}
        self._stack = QStackedWidget()
        for page in self._pages.values():
            self._stack.addWidget(page)
        self._assemble()
        kit.theme.changed.connect(self._dress)
        self.show_section("till", may=frozenset({"till"}))

    def _assemble(self) -> None:
        self._nav = frame("manageNav")
        items = [item for entry in self.entries.values() for item in (entry, 4)]
        title = holder(line(label(Manage.TITLE, "title"), margins=(14, 0, 0, 0)))
        self._nav.setLayout(column(title, 14, *items, 0, margins=(NAV_SIDE, 20, NAV_SIDE, 14)))
        box = line(self._nav, self._stack)
        box.setStretch(1, 1)
        self.setLayout(box)
        self.set_compact(False)

    def _entry(self, name: str, words: str) -> QPushButton:
        button = QPushButton(f"  {words}")
        button.setObjectName(f"manage.{name}")
        button.setAccessibleName(words)
        button.setProperty("kind", "nav")
        button.setCheckable(True)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setIconSize(QSize(18, 18))
        button.clicked.connect(lambda: self.wanted.emit(name))
        self._group.addButton(button)
        return button

    def set_compact(self, compact: bool) -> None:
        """Narrower in a small window, but never than its longest entry; the pages see to themselves."""
        bold = QFontMetrics(body_font(weight=700))  # as the chosen one is written, which no size hint knows
        longest = max(bold.horizontalAdvance(entry.text()) for entry in self.entries.values())
        self._nav.setFixedWidth(max(NAV_COMPACT if compact else NAV_WIDTH, longest + NAV_ICON + 2 * NAV_SIDE))

    def show_section(self, section: str, may: frozenset[str]) -> None:
        """Show this page; `may` are the entries of whoever works here."""
        for name, button in self.entries.items():
            button.setVisible(name in may)
            button.setChecked(name == section)
        self._stack.setCurrentWidget(self._pages[section])
        self._dress()

    def focus_first(self) -> None:
        page = self._stack.currentWidget()
        if isinstance(page, GatewaysPanel | TillPage):
            page.focus_first()

    def _dress(self) -> None:
        for name, button in self.entries.items():
            token = "accent_deep" if button.isChecked() else "secondary"
            button.setIcon(self._kit.theme.icon(ICONS[name], token, 18))


class TillPage(QWidget):
    """What this till can be told that is no shop's business: its day, its display, its colours, its keys."""

    def __init__(self, kit: Kit, commands: Commands) -> None:
        super().__init__()
        self.setObjectName("tillPage")
        self._first: CommandButton | None = None
        grid = QGridLayout()
        grid.setSpacing(14)
        for at, card in enumerate(cards()):
            grid.addWidget(self._make(kit, commands, card), at // 2, at % 2)
        for at in range(2):
            grid.setColumnStretch(at, 1)
        self.setLayout(column(label(Manage.THIS_TILL, "page"), 18, grid, 0, margins=(26, 24, 26, 22)))

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
