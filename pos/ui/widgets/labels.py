"""Labels and boxes made in one line. Text is always plain text: names of products and shops are never markup."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QSizePolicy, QSpacerItem, QVBoxLayout, QWidget

MIN_FIT_PX = 12


def label(text: str = "", role: str = "body", *, name: str = "", tone: str = "", wrap: bool = False) -> QLabel:
    """A plain-text label; `role` and `tone` are looked up in the style sheet."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    if tone:
        made.setProperty("tone", tone)
    made.setWordWrap(wrap)
    if name:
        made.setObjectName(name)
    return made


class FitLabel(QLabel):
    """A large amount that becomes smaller rather than being cut off: an amount with a digit missing is a lie."""

    def minimumSizeHint(self) -> QSize:
        return QSize(48, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        wanted, room = self.fontMetrics().horizontalAdvance(self.text()), self.contentsRect().width()
        if wanted <= room or not self.text():
            super().paintEvent(event)
            return
        font = QFont(self.font())
        font.setPixelSize(max(MIN_FIT_PX, font.pixelSize() * room // wanted))
        painter = QPainter(self)
        painter.setFont(font)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.contentsRect(), self.alignment(), self.text())


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where the room is too small; whole for those who listen."""

    def minimumSizeHint(self) -> QSize:
        return QSize(48, super().minimumSizeHint().height())

    def shown_text(self) -> str:
        """What the eye sees of it."""
        return self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.contentsRect().width())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.contentsRect(), self.alignment() | Qt.AlignmentFlag.AlignVCenter, self.shown_text())


def elided(text: str = "", role: str = "small", *, name: str = "") -> ElidedLabel:
    """As `label`, for words that may be long where there is little room."""
    made = ElidedLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setObjectName(name)
    return made


def fit(text: str = "", role: str = "total", *, name: str = "") -> FitLabel:
    """As `label`, for amounts in large figures."""
    made = FitLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setObjectName(name)
    return made


def centred(made: QLabel) -> QLabel:
    made.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return made


def trailing(made: QLabel) -> QLabel:
    """At the end of its line: right, or left where one reads from the right."""
    made.setAlignment(Qt.AlignmentFlag.AlignTrailing | Qt.AlignmentFlag.AlignVCenter)
    return made


def set_tone(widget: QWidget, tone: str, name: str = "tone") -> None:
    """Change a property that the style sheet looks at, and dress the widget again if it changed."""
    if widget.property(name) != tone:
        widget.setProperty(name, tone)
        restyle(widget)


def restyle(widget: QWidget) -> None:
    style = widget.style()
    for each in (widget, *widget.findChildren(QWidget)):
        style.unpolish(each)
        style.polish(each)


def frame(name: str = "", **properties: str | bool) -> QFrame:
    made = QFrame()
    if name:
        made.setObjectName(name)
    for key, value in properties.items():
        made.setProperty(key, value)
    return made


def rule() -> QFrame:
    """A hairline."""
    return frame(rule=True)


Item = QWidget | QLayout | QSpacerItem | int
"""What a row or column is made of; a number is a gap in pixels, 0 a stretch."""


def column(*items: Item, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QVBoxLayout:
    """Items one below the other; a number is a gap in pixels, 0 a stretch."""
    box = QVBoxLayout()
    box.setSpacing(0)
    box.setContentsMargins(*margins)
    fill(box, items)
    return box


def line(*items: Item, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QHBoxLayout:
    """Items side by side, in reading order; a number is a gap in pixels, 0 a stretch."""
    box = QHBoxLayout()
    box.setSpacing(0)
    box.setContentsMargins(*margins)
    fill(box, items)
    return box


def fill(box: QVBoxLayout | QHBoxLayout, items: tuple[Item, ...]) -> None:
    for item in items:
        if isinstance(item, int):
            if item:
                box.addSpacing(item)
            else:
                box.addStretch(1)
        elif isinstance(item, QSpacerItem):
            box.addItem(item)
        elif isinstance(item, QLayout):
            box.addLayout(item)
        else:
            box.addWidget(item)


def holder(layout: QLayout, name: str = "") -> QWidget:
    made = QWidget()
    made.setLayout(layout)
    if name:
        made.setObjectName(name)
    return made


def keep_place(widget: QWidget) -> QWidget:
    """Hidden, it still takes its room: what stands below does not jump."""
    policy: QSizePolicy = widget.sizePolicy()
    policy.setRetainSizeWhenHidden(True)
    widget.setSizePolicy(policy)
    return widget
