"""The rail: the screens, one icon and word each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from pos.words.shell import Rail

if TYPE_CHECKING:
    from pos.ui.kit import Kit

ICONS = {"sell": "layout-grid", "orders": "list", "reconcile": "arrow-left-right", "manage": "settings"}
USUAL, COMPACT, SIDE, EDGE = 88, 76, 6, 4


class RailView(QWidget):
    """`chosen(page)` when a screen is picked; `show_page` marks the one that is shown."""

    chosen = Signal(str)

    def __init__(self, kit: Kit) -> None:
        super().__init__()
        self._kit = kit
        self.setObjectName("rail")
        self.setAccessibleName(Rail.NAME)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._buttons: dict[str, QToolButton] = {}
        self._page = "sell"
        box = QVBoxLayout(self)
        box.setContentsMargins(SIDE, 14, SIDE, 14)
        box.setSpacing(4)
        for page in ICONS:
            box.addWidget(self._make(page))
        box.addStretch(1)
        self.set_compact(False)
        kit.theme.changed.connect(self._dress)
        self.show_page("sell")

    def set_compact(self, compact: bool) -> None:
        """Narrower in a small window, but never than its longest word."""
        longest = 0
        for button in self._buttons.values():
            button.ensurePolished()  # its font comes from the style sheet
            longest = max(longest, button.fontMetrics().horizontalAdvance(button.text()))
        self.setFixedWidth(max(COMPACT if compact else USUAL, longest + 2 * (SIDE + EDGE)))

    def show_page(self, page: str) -> None:
        self._page = page
        for name, button in self._buttons.items():
            button.setChecked(name == page)
        self._dress()

    def _make(self, page: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"rail.{page}")
        button.setProperty("rail", True)
        button.setCheckable(True)
        button.setText(str(getattr(Rail, page.upper())))
        button.setAccessibleName(button.text())
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        button.setIconSize(QSize(20, 20))
        button.setFixedHeight(65)
        button.setSizePolicy(button.sizePolicy().Policy.Expanding, button.sizePolicy().Policy.Fixed)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.clicked.connect(lambda: self.chosen.emit(page))
        self._buttons[page] = button
        return button

    def _dress(self) -> None:
        for page, button in self._buttons.items():
            token = "rail_active_ink" if page == self._page else "rail_ink"
            button.setIcon(self._kit.theme.icon(ICONS[page], token))
