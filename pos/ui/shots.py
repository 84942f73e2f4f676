"""Screenshots of a window as people see it: for the story, the documents and the tests that look at them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

SIZE = (1440, 900)


def take(window: QWidget, folder: Path, name: str, size: tuple[int, int] = SIZE) -> Path:
    """Write `<folder>/<name>.png` of the window at `size` logical pixels, after what is pending was painted."""
    folder.mkdir(parents=True, exist_ok=True)
    if (window.width(), window.height()) != size:
        window.resize(*size)
    QApplication.processEvents()
    path = folder / f"{name}.png"
    if not window.grab().save(str(path)):
        raise OSError(f"{path} could not be written")
    return path
