"""A bare Qt window with a table, painted; says how long that took since the process was spawned."""

from __future__ import annotations

import json
import sys
import time

from PySide6.QtWidgets import QApplication, QMainWindow, QTableWidget


def main() -> None:
    spawned = float(sys.argv[1])
    app = QApplication([])
    window = QMainWindow()
    window.setCentralWidget(QTableWidget(20, 5))
    window.resize(1440, 900)
    window.show()
    app.processEvents()
    window.grab()
    print(json.dumps({"painted_ms": (time.monotonic() - spawned) * 1000}))


if __name__ == "__main__":
    main()
