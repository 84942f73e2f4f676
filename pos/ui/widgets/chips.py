"""A row of chips of which one is chosen; it wraps where the room is small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPoint, QRect, QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QLayout, QLayoutItem, QPushButton, QStyle, QWidget

from pos.ui.widgets.labels import set_tone

if TYPE_CHECKING:
    from collections.abc import Sequence


class Flow(QLayout):
    """Items side by side, wrapped like words, in reading direction; `below` is the gap between rows."""

    def __init__(self, gap: int = 8, below: int = 8) -> None:
        super().__init__()
        self._below = below
        self._items: list[QLayoutItem] = []
        self._heights: dict[int, int] = {}  # by width: a window that changes asks hundreds of times
        self.setSpacing(gap)
        self.setContentsMargins(0, 0, 0, 0)

    def addItem(self, item: QLayoutItem) -> None:
        self._items.append(item)

    def count(self) -> int:
        return len(self._items)

    def itemAt(self, index: int) -> QLayoutItem | None:
        return self._items[index] if 0 <= index < len(self._items) else None

    def takeAt(self, index: int) -> QLayoutItem | None:
        return self._items.pop(index) if 0 <= index < len(self._items) else None

    def hasHeightForWidth(self) -> bool:
        return True

    def invalidate(self) -> None:
        self._heights.clear()
        super().invalidate()

    def heightForWidth(self, width: int) -> int:
        if width not in self._heights:
            self._heights[width] = self._place(QRect(0, 0, width, 0), move=False)
        return self._heights[width]

    def sizeHint(self) -> QSize:
        return self.minimumSize()

    def minimumSize(self) -> QSize:
        size = QSize()
        for item in self._items:
            size = size.expandedTo(item.minimumSize())
        return size

    def setGeometry(self, rect: QRect) -> None:
        super().setGeometry(rect)
        self._place(rect, move=True)

    def _place(self, rect: QRect, *, move: bool) -> int:
        at, height = QPoint(rect.topLeft()), 0
        parent = self.parentWidget()
        direction = parent.layoutDirection() if parent else Qt.LayoutDirection.LeftToRight
        for item in self._items:
            size = item.sizeHint()
            if at.x() > rect.left() and at.x() + size.width() > rect.right() + 1:
                at = QPoint(rect.left(), at.y() + height + self._below)
                height = 0
            if move:
                item.setGeometry(QStyle.visualRect(direction, rect, QRect(at, size)))
            at.setX(at.x() + size.width() + self.spacing())
            height = max(height, size.height())
        return at.y() + height - rect.top()


class Chips(QWidget):
    """`chosen(key)` when another chip is picked by a person."""

    chosen = Signal(str)

    def __init__(self, name: str, spoken: str, kind: str = "chip") -> None:
        super().__init__()
        self._kind = kind
        self._small = False
        self.setObjectName(name)
        self.setAccessibleName(spoken)
        self._flow = Flow(below=0)  # chips bring a margin of their own
        self.setLayout(self._flow)
        self._group = QButtonGroup(self)
        self._buttons: dict[str, QPushButton] = {}

    @property
    def key(self) -> str:
        return next((key for key, button in self._buttons.items() if button.isChecked()), "")

    @property
    def buttons(self) -> list[QPushButton]:
        """In reading order."""
        return list(self._buttons.values())

    def set(self, chips: Sequence[tuple[str, str]], chosen: str) -> None:
        """Show (key, words) chips; words alone change in place."""
        if [key for key, _ in chips] != list(self._buttons):
            self._rebuild([key for key, _ in chips])
        for key, words in chips:
            self._buttons[key].setText(words)
            self._buttons[key].setAccessibleName(words)
        if chosen in self._buttons:
            self._buttons[chosen].setChecked(True)
        self._flow.invalidate()

    def set_small(self, small: bool) -> None:
        """Narrower, for a small window."""
        self._small = small
        self._flow.setSpacing(7 if small else 8)
        for button in self._buttons.values():
            set_tone(button, "true" if small else "", "small")

    def _take_tab(self) -> None:
        """Tab halts at the chosen chip, the arrows go on from there; Qt would halt at the one it halted at before."""
        for button in self._buttons.values():
            policy = Qt.FocusPolicy.TabFocus if button.isChecked() else Qt.FocusPolicy.NoFocus
            button.setFocusPolicy(policy)

    def _rebuild(self, keys: Sequence[str]) -> None:
        while item := self._flow.takeAt(0):
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        self._buttons.clear()
        for key in keys:
            button = QPushButton()
            button.setObjectName(f"{self.objectName()}.{key}")
            button.setProperty("kind", self._kind)
            button.setProperty("small", "true" if self._small else "")
            button.setCheckable(True)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.toggled.connect(lambda on: self._take_tab() if on else None)
            button.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self._group.addButton(button)
            self._flow.addWidget(button)
            self._buttons[key] = button
