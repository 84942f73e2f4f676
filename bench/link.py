"""From *Pay by QR* to the code on the screen, without the gateway's own time; and what importing an adapter costs.

The window, the till and the bank are real; disk syncs take 3.5 ms in the till. A round rings up one product, presses
the key, and stops the clock when the finished code has been painted. The gateway's own time is that of the same call
made by a bare client with a kept-open connection, in the same run; what our client, the two commits around the call,
the reading back and the painting cost is what is left, in frames of a 60 Hz screen. The limit holds for a gateway that
takes a tenth of a second, as one on the internet does at least; what a gateway on this machine leaves is told beside.
"""

from __future__ import annotations

import asyncio
import gc
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.common import Figure, Result, SlowDisk, median, plain_environment, scratch

ROUNDS = 25
WARM_UP = 10
SEED = 1
FRAME_MS = 1000 / 60
LIMIT_FRAMES = 2.0
IMPORT_LIMIT_MS = 15.0
IMPORTS = 9
WITHIN_S = 10.0
GATEWAY_S = 0.1
"""What a gateway adds by being far away; over loopback alone it would answer before a screen is laid out."""
HAND_S = 0.3
"""A hand needs this long from the scanner to the key; what a scan does behind the screen is over by then."""
RUN_S = 240
GATEWAYS = ("stripe", "razorpay")
PRODUCT = "FLAT"
IMPORT = """import time, httpx
began = time.perf_counter()
import pos.gateways.{name}.adapter
print((time.perf_counter() - began) * 1000)"""


def run() -> Result:
    folder = scratch()
    try:
        figures, raw = _imports()
        disk = SlowDisk(folder)
        if not disk.available:
            return Result(
                "link", [*figures, Figure("frames", None, None, "no C compiler for slow syncs")], SEED, None, raw
            )
        env = disk.environment() | {"QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, "-m", "bench.link", str(folder)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=RUN_S)
        if done.returncode:
            return Result("link", [*figures, Figure("frames", None, None, done.stderr[-400:])], SEED, raw=raw)
        raw |= json.loads(done.stdout.splitlines()[-1])
        for name in GATEWAYS:
            figures += [
                _frames(raw, name, "", LIMIT_FRAMES),
                _frames(raw, name, "_at_once", None),
            ]
        return Result("link", figures, SEED, raw=raw)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _frames(raw: dict[str, Any], name: str, how: str, limit: float | None) -> Figure:
    shown, own = median(raw[f"{name}_shown{how}_ms"]), median(raw[f"{name}_own{how}_ms"])
    words = "frames from key to code" + (", a gateway that answers at once" if how else "")
    note = f"{shown:.1f} ms, of which the gateway {own:.1f} ms"
    return Figure(f"{name}: {words}", (shown - own) / FRAME_MS, limit, note)


def _imports() -> tuple[list[Figure], dict[str, Any]]:
    """Each in processes of its own, the fastest of several: the rest is what else the machine did."""
    figures, raw = [], dict[str, Any]()
    for name in GATEWAYS:
        command = [sys.executable, "-c", IMPORT.format(name=name)]
        times = []
        for _ in range(IMPORTS):
            done = subprocess.run(command, env=plain_environment(), capture_output=True, text=True, check=True)
            times.append(float(done.stdout))
        raw[f"{name}_import_ms"] = times
        best = min(times)
        figures.append(
            Figure(f"{name}: import against 15 ms", best / IMPORT_LIMIT_MS, 1.0, f"{best:.1f} ms beyond httpx")
        )
    return figures, raw


def child(folder: Path) -> None:
    """With slow syncs: relay, bank and window; prints the raw figures."""
    import os

    from pos.app.demo.world import world
    from pos.app.desktop import run_story

    with world(pending_s=2.0) as made:
        os.environ.update(made.environment)

        async def play(till: Any, stage: Any) -> dict[str, Any]:
            gc.freeze()  # as `pos till` does when it stands
            return await _measure(till, made.bank)

        print(json.dumps(run_story(made.home, folder / "shots", play)))


async def _measure(till: Any, bank: str) -> dict[str, Any]:
    from PySide6.QtWidgets import QApplication

    from pos.ui.main_window import MainWindow

    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    raw: dict[str, Any] = {}
    for name in GATEWAYS:
        await till.desk.get(name)  # connected, as after the first sale of the day
        for how, delay_s in (("", GATEWAY_S), ("_at_once", 0.0)):
            await asyncio.to_thread(_slow_down, bank, delay_s)
            times = [await _one(window, name) for _ in range(ROUNDS + WARM_UP)]
            raw[f"{name}_shown{how}_ms"] = times[WARM_UP:]
            await asyncio.to_thread(_slow_down, bank, delay_s)
            raw[f"{name}_own{how}_ms"] = await asyncio.to_thread(_own, till, name)
    return raw


def _slow_down(bank: str, delay_s: float) -> None:
    """The next links take as long as those of a gateway at the other end of the country."""
    import httpx

    if delay_s:
        fault = {"operation": "link.create", "kind": "delay", "count": ROUNDS + WARM_UP, "delay_s": delay_s}
        httpx.post(f"{bank}/_sandbox/faults", json=fault, trust_env=False).raise_for_status()


async def _one(window: Any, gateway: str) -> float:
    """Milliseconds from the command to the painted code."""
    from PySide6.QtCore import QEvent, QObject

    flow, code = window.flow, window.panels.pay.qr.code
    flow.go("sell")
    flow.next_customer()
    flow.scan(PRODUCT)
    await window.kit.tasks.quiet()
    await asyncio.sleep(HAND_S)
    painted: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    class Watch(QObject):
        def eventFilter(self, seen: QObject, event: QEvent) -> bool:
            if event.type() != QEvent.Type.Paint or not code.ready:
                return False
            code.paintEvent(event)
            if not painted.done():
                painted.set_result(time.perf_counter())
            return True

    watch = Watch()
    code.installEventFilter(watch)
    started = time.perf_counter()
    window.commands[f"pay.qr.{gateway}"].trigger()
    try:
        return (await asyncio.wait_for(painted, WITHIN_S) - started) * 1000
    finally:
        code.removeEventFilter(watch)
        await window.kit.tasks.quiet()
        window.flow.give_up()  # a counter has one customer: links of former rounds must not be looked at meanwhile
        await window.kit.tasks.quiet()


def _own(till: Any, name: str) -> list[float]:
    """The same kind of call by a bare client: a new link each time."""
    import uuid

    import httpx

    from pos.domain.ports import LinkRequest

    gate = till.desk.at_hand(name)
    times = []
    with httpx.Client(trust_env=False, base_url=gate._base) as client:
        for _ in range(ROUNDS + WARM_UP):
            reference = f"{uuid.uuid4()}_1"
            request = LinkRequest(
                f"bench-{reference}", reference, 18_000, "INR", "Bench", "b", "1", "https://x.example/"
            )
            call = gate.adapter.create(request)
            began = time.perf_counter()
            answer = client.request(call.method, call.path, headers=[*call.headers, *gate._login], content=call.body)
            times.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
    return times[WARM_UP:]


if __name__ == "__main__":
    child(Path(sys.argv[1]))
