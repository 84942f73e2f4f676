"""Labels and boxes made in one line. Text is always plain text: names of products and shops are never markup."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLayout, QSizePolicy, QVBoxLayout, QWidget


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


def column(*items: QWidget | QLayout | int, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QVBoxLayout:
    """Items one below the other; a number is a gap in pixels, 0 a stretch."""
    box = QVBoxLayout()
    box.setSpacing(0)
    box.setContentsMargins(*margins)
    fill(box, items)
    return box


def line(*items: QWidget | QLayout | int, margins: tuple[int, int, int, int] = (0, 0, 0, 0)) -> QHBoxLayout:
    """Items side by side, in reading order; a number is a gap in pixels, 0 a stretch."""
    box = QHBoxLayout()
    box.setSpacing(0)
    box.setContentsMargins(*margins)
    fill(box, items)
    return box


def fill(box: QVBoxLayout | QHBoxLayout, items: tuple[QWidget | QLayout | int, ...]) -> None:
    for item in items:
        if isinstance(item, int):
            if item:
                box.addSpacing(item)
            else:
                box.addStretch(1)
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
