"""Changing many widgets at once with one layout at the end. Nothing is decided here, nothing is painted."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from PySide6.QtWidgets import QWidget


@contextmanager
def one_layout(widget: QWidget) -> Iterator[None]:
    """Inside, no layout of `widget` or of what holds it is worked out; afterwards they are, once.

    Qt lays out every visible ancestor for each single child that is shown or hidden: milliseconds each time.
    """
    held = []
    above: QWidget | None = widget
    while above is not None:
        layout = above.layout()
        if layout is not None and layout.isEnabled():
            layout.setEnabled(False)
            held.append(layout)
        above = above.parentWidget()
    try:
        yield
    finally:
        for layout in reversed(held):
            layout.setEnabled(True)
        for layout in reversed(held):
            layout.activate()
