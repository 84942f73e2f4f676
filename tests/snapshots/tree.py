"""A screen as text: visible named widgets with their words and state, rows of lists. Reviewed like code.

    SNAPSHOTS=update .venv/bin/python -m pytest tests/snapshots

writes them anew; the diff shows what changed on the screens.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, QAbstractTableModel, QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QLabel, QLineEdit, QPlainTextEdit, QWidget

from pos.ui.widgets.button import KeyButton
from pos.ui.widgets.pill import Pill
from pos.ui.widgets.qrview import QrView
from pos.ui.widgets.ring import Ring
from pos.ui.widgets.stepbar import StepBar

FOLDER = Path(__file__).resolve().parent / "screens"
MAX_ROWS = 20


def tree(window: QWidget) -> str:
    """One line a widget, in reading order: top to bottom, then left to right."""
    found = [
        (widget.mapTo(window, QPoint(0, 0)), line)
        for widget in window.findChildren(QWidget)
        if widget.isVisible() and widget.window() is window
        for line in _lines(widget)
    ]
    # rounded to rows of 12 px, so that a pixel's difference between machines changes no order
    found.sort(key=lambda pair: (pair[0].y() // 12, pair[0].x() // 12))
    return "\n".join(line for _, line in found) + "\n"


def _lines(widget: QWidget) -> Iterator[str]:
    name = widget.objectName()
    if not name or name.startswith("qt_"):
        return
    text = _text(widget)
    if text is None:
        return
    off = "" if widget.isEnabled() else " (off)"
    yield f"{name}{off}: {text}"
    if isinstance(widget, QAbstractItemView):
        for row in _rows(widget.model()):
            yield f"    {row}"


def _text(widget: QWidget) -> str | None:
    match widget:
        case KeyButton():
            return f"[{widget.text()}]" + (f" {widget.key}" if widget.key else "")
        case QAbstractButton():
            return f"[{widget.text()}]" + (" *" if widget.isCheckable() and widget.isChecked() else "")
        case QLabel() | QLineEdit():
            return widget.text() or (f"({widget.placeholderText()})" if isinstance(widget, QLineEdit) else None)
        case Pill():
            return f"<{widget.tone}> {widget.text}" if widget.text else None
        case StepBar():
            return " | ".join(f"{step.text} <{step.tone}>" for step in widget.steps)
        case Ring():
            return widget.text
        case QrView():
            return widget.text
        case QPlainTextEdit():
            return widget.toPlainText()
        case QAbstractItemView():
            return f"{widget.model().rowCount()} rows"
    return None


def _rows(model: QAbstractItemModel) -> Iterator[str]:
    columns = model.columnCount() if isinstance(model, QAbstractTableModel) else 1
    for row in range(min(MAX_ROWS, model.rowCount())):
        cells = [model.index(row, at).data(Qt.ItemDataRole.DisplayRole) for at in range(columns)]
        yield " · ".join(str(cell) for cell in cells if cell)


def check(name: str, window: QWidget) -> None:
    """Compare a screen with its kept text, or keep it (SNAPSHOTS=update)."""
    path, now = FOLDER / f"{name}.txt", tree(window)
    if os.environ.get("SNAPSHOTS") == "update":
        FOLDER.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8")
        return
    assert path.is_file(), f"{path} is not there: run with SNAPSHOTS=update"
    assert now == path.read_text(encoding="utf-8"), f"{path.name}: run with SNAPSHOTS=update and read the diff"
