"""The till's window from spawn to first paint, to a scanned item in the cart, to a till that is ready."""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from pathlib import Path

BARCODE = "8900000000011"


def main() -> None:
    spawned = float(sys.argv[1])
    gc.disable()  # as `pos till` does
    from pos.app import desktop
    from pos.devices.desk import MachineDesk
    from pos.devices.printer import printer
    from pos.devices.sound import Speaker

    home = Path(os.environ["POS_HOME"])
    app = desktop.application()
    facts = desktop.facts_at(home)
    window = desktop.first_paint(app, home, facts, MachineDesk(home, Speaker(player=""), printer("")))
    window.grab()
    said = {"painted_ms": (time.monotonic() - spawned) * 1000}
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    window.listen()
    QTest.keyClicks(window, BARCODE)
    QTest.keyClick(window, Qt.Key.Key_Return)
    app.processEvents()
    window.grab()
    lines = window.flow.counter.basket.lines
    said["scanned_ms"] = (time.monotonic() - spawned) * 1000 if lines else float("nan")

    window.complete()
    gc.enable()

    async def work() -> int:
        _, ending = await desktop.build(home, window)
        said["ready_ms"] = (time.monotonic() - spawned) * 1000
        await ending()
        return 0

    from pos.ui import aio

    loop = aio.make_loop(app)
    aio.run(loop, work)
    print(json.dumps(said))


if __name__ == "__main__":
    main()
