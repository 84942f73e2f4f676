"""From the webhook posted to the relay until the till's window has been repainted as paid.

The floor is measured in the same run: one commit of the relay (a hook answered), one fetch from the gateway, one
commit of the till, one repaint of the window. All disk syncs take 3.5 ms, in all three processes. The bank's own
webhooks are switched off: the benchmark posts one itself, signed as the bank would, and stops the clock at the
repaint that follows the window's *paid*.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from bench.common import Figure, Result, SlowDisk, median, scratch

ROUNDS = 25
WARM_UP = 2
QUIET_S = 2.0
PAUSE_S = 0.3
SEED = 1
LIMIT_RATIO = 2.0
WITHIN_S = 10.0
RUN_S = 300


def run() -> Result:
    folder = scratch()
    try:
        disk = SlowDisk(folder)
        if not disk.available:
            return Result("paid-latency", [Figure("all", None, None, "no C compiler for slow syncs")], SEED, None)
        env = disk.environment() | {"QT_QPA_PLATFORM": "offscreen"}
        command = [sys.executable, "-m", "bench.paid_latency", str(folder)]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=RUN_S)
        if done.returncode:
            return Result("paid-latency", [Figure("all", None, None, done.stderr[-400:])], SEED)
        raw: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        floor = sum(median(raw[name]) for name in ("relay_commit_ms", "fetch_ms", "till_commit_ms", "repaint_ms"))
        raw["floor_ms"] = floor
        figures = [
            Figure("median against the floor", median(raw["paid_ms"]) / floor, LIMIT_RATIO, f"floor {floor:.1f} ms"),
            Figure("slowest against the floor", max(raw["paid_ms"]) / floor, None),
        ]
        return Result("paid-latency", figures, SEED, raw=raw)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def child(folder: Path) -> None:
    """With slow syncs: relay, bank and window; prints the raw figures."""
    from pos.app.demo.world import world
    from pos.app.desktop import run_story

    with world(pending_s=2.0) as made:
        for endpoint in made.desk("GET", "/webhooks"):
            made.desk("DELETE", f"/webhooks/{endpoint['id']}")
        import os

        os.environ.update(made.environment)

        async def play(till: Any, stage: Any) -> dict[str, Any]:
            return await _measure(made, till, stage)

        print(json.dumps(run_story(made.home, folder / "shots", play)))


async def _measure(made: Any, till: Any, stage: Any) -> dict[str, Any]:
    from PySide6.QtWidgets import QApplication

    from pos.domain.basket import Line
    from pos.sandbox import customer
    from pos.ui.main_window import MainWindow

    window = next(w for w in QApplication.topLevelWidgets() if isinstance(w, MainWindow))
    lines = [Line("FLAT", "Flat white", 1000, 18_000, 50_000, "GST")]
    raw: dict[str, list[float]] = {"paid_ms": []}
    await _until_live(till)
    async with httpx.AsyncClient(trust_env=False) as client:
        for number in range(ROUNDS + WARM_UP):
            view = await till.checkout.sell(lines, "stripe")
            await stage.scene(f"round{number}", view.order_id)
            await asyncio.to_thread(customer.pay, view.attempt.link_url, "paid")
            took = await _one(made, client, window, view, number)
            if number >= WARM_UP:
                raw["paid_ms"].append(took)
    await asyncio.sleep(QUIET_S)
    gate = await till.desk.get("stripe")
    path = gate.adapter.fetch(view.attempt.link_id).path
    raw |= await asyncio.to_thread(_floor, made, till, path)
    raw["repaint_ms"] = [_repaint(window) for _ in range(ROUNDS)]
    return raw


async def _one(made: Any, client: httpx.AsyncClient, window: Any, view: Any, number: int) -> float:
    painted: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def paid() -> None:
        window.repaint()
        if not painted.done():
            painted.set_result(time.perf_counter())

    signal = window.flow.counter.turned_paid
    signal.connect(paid)
    started = time.perf_counter()
    await _post(made, client, f"evt_bench{number}", view.attempt.link_id)
    try:
        return (await asyncio.wait_for(painted, WITHIN_S) - started) * 1000
    finally:
        signal.disconnect(paid)


async def _post(made: Any, client: httpx.AsyncClient, event: str, link: str) -> None:
    body, headers = _webhook(event, link)
    (await client.post(made.hook, content=body, headers=headers)).raise_for_status()


def _webhook(event: str, link: str) -> tuple[bytes, dict[str, str]]:
    """A signed webhook, as the bank would send it."""
    from pos.app.demo.world import WEBHOOK_SECRET
    from pos.sandbox.signing import stripe_signature

    session = {"id": link, "object": "checkout.session", "client_reference_id": ""}
    kind = "checkout.session.completed"
    said = {"id": event, "object": "event", "type": kind, "livemode": False, "data": {"object": session}}
    body = json.dumps(said).encode()
    return body, {"Stripe-Signature": stripe_signature(WEBHOOK_SECRET, body, int(time.time()))}


def _floor(made: Any, till: Any, path: str) -> dict[str, list[float]]:
    """Each part alone, from a thread, with plain connections and nothing else going on."""
    from pos.sandbox.accounts import DEFAULT_KEY

    found: dict[str, list[float]] = {"relay_commit_ms": [], "fetch_ms": [], "till_commit_ms": []}
    with httpx.Client(trust_env=False) as client:
        for number in range(ROUNDS):
            body, headers = _webhook(f"evt_floor{number}", "cs_nobody")
            started = time.perf_counter()
            client.post(made.hook, content=body, headers=headers).raise_for_status()
            found["relay_commit_ms"].append((time.perf_counter() - started) * 1000)
            time.sleep(PAUSE_S)  # the till looks at the hint meanwhile
            started = time.perf_counter()
            client.get(made.bank + path, headers={"Authorization": f"Bearer {DEFAULT_KEY}"}).raise_for_status()
            found["fetch_ms"].append((time.perf_counter() - started) * 1000)
            started = time.perf_counter()
            till.database.write_now(partial(_note, value=str(number)))
            found["till_commit_ms"].append((time.perf_counter() - started) * 1000)
    return found


def _note(tx: Any, value: str) -> None:
    tx.shop.set_meta("bench", value)  # another value each time: SQLite does not write what is there already


def _repaint(window: Any) -> float:
    started = time.perf_counter()
    window.repaint()
    return (time.perf_counter() - started) * 1000


async def _until_live(till: Any) -> None:
    from pos.services.bus import StatusChanged

    live = asyncio.Event()
    stop = till.bus.subscribe(lambda e: live.set() if isinstance(e, StatusChanged) and e.status.relay == "ok" else None)
    await asyncio.wait_for(live.wait(), WITHIN_S)
    stop()


if __name__ == "__main__":
    child(Path(sys.argv[1]))
