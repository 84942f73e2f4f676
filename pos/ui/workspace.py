"""The middle of the window: a left place for panels, a right place for cart, detail or totals. Which, it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QStackedWidget, QWidget

from pos.ui.widgets.labels import column, line

if TYPE_CHECKING:
    from PySide6.QtGui import QResizeEvent

COMPACT_BELOW = 1366
"""Windows narrower than this get smaller margins, shorter words and a narrower side."""
SIDES = {"cart": (452, 380), "detail": (470, 400), "totals": (360, 300)}
"""Width of the right place by panel: usual, compact."""


class Workspace(QWidget):
    """`compact_changed(bool)` when the window crosses the limit."""

    compact_changed = Signal(bool)

    def __init__(self, banner: QWidget) -> None:
        super().__init__()
        self.setObjectName("workspace")
        self._panels: dict[str, QWidget] = {}
        self.left = QStackedWidget()
        self.right = QStackedWidget()
        self.left_name = ""
        self.right_name = ""
        self.compact = False
        whole = line(column(banner, self.left), self.right)
        whole.setStretch(0, 1)
        self.setLayout(whole)

    def add(self, name: str, panel: QWidget, *, right: bool = False) -> None:
        self._panels[name] = panel
        (self.right if right else self.left).addWidget(panel)

    def panel(self, name: str) -> QWidget:
        return self._panels[name]

    def show_panels(self, left: str, right: str) -> None:
        """Show these two; the left one takes the focus if it is another than before."""
        if right != self.right_name:
            self.right_name = right
            self.right.setVisible(bool(right))
            if right:
                self.right.setCurrentWidget(self._panels[right])
            self._fit()
        if left != self.left_name:
            self.left_name = left
            self.left.setCurrentWidget(self._panels[left])
            QTimer.singleShot(0, self, self.focus_left)

    def focus_left(self) -> None:
        panel = self._panels[self.left_name]
        focus = getattr(panel, "focus_first", None)
        if focus is not None:
            focus()

    def set_compact_for(self, window_width: int) -> None:
        compact = window_width < COMPACT_BELOW
        if compact != self.compact:
            self.compact = compact
            self._fit()
            self.compact_changed.emit(compact)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        if self.right_name:
            usual, compact = SIDES[self.right_name]
            self.right.setFixedWidth(compact if self.compact else usual)
