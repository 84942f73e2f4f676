"""Screenshots of a window as people see it: for the story, the documents and the tests that look at them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QApplication, QWidget

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (1440, 900)


def take(window: QWidget, folder: Path, name: str, size: tuple[int, int] = SIZE) -> Path:
    """Write `<folder>/<name>.png` of the window at `size` logical pixels, as it stands: let it settle before."""
    folder.mkdir(parents=True, exist_ok=True)
    if (window.width(), window.height()) != size:
        window.resize(*size)
    # only layouts: other events could run a task inside the coroutine that may be calling, which qasync cannot bear
    QApplication.sendPostedEvents(None, QEvent.Type.LayoutRequest.value)
    path = folder / f"{name}.png"
    if not window.grab().save(str(path)):
        raise OSError(f"{path} could not be written")
    return path
