"""One order with its attempt is one transaction and one sync; its cost beside the same rows by plain sqlite3.

Our own write is `services.checkout`'s first step, as it runs before every call to a gateway; the peer inserts as many
rows of the same size with nothing but sqlite3, same settings, same slowed disk. Rounds alternate.
"""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.common import Figure, Result, SlowDisk, median, scratch

ORDERS = 60
ROUNDS = 5
SEED = 1


def run() -> Result:
    folder = scratch()
    try:
        disk = SlowDisk(folder)
        if not disk.available:
            return Result("order-write", [Figure("all", None, None, "no C compiler for slow syncs")], SEED, None)
        done = subprocess.run(
            [sys.executable, "-m", "bench.order_write", str(folder)],
            env=disk.environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        raw: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        ratio = median(raw["ours_ms"]) / median(raw["peer_ms"])
        figures = [
            Figure("transactions per order", raw["commits"] / raw["orders"], 1.0),
            Figure("syncs per order", raw["syncs"] / raw["orders"], 1.0, "checkpoints of the log are counted apart"),
            Figure("checkpoint syncs per order", raw["checkpoint_syncs"] / raw["orders"], None),
            Figure("time against plain sqlite3", ratio, None, f"median of {ROUNDS} x {ORDERS} orders"),
        ]
        return Result("order-write", figures, SEED, raw=raw)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def child(folder: Path) -> None:
    """In a process with slow syncs: alternate rounds of ours and the peer's; prints the raw figures."""
    from bench.till import quiet_till

    log = folder / "syncs"
    till, lines = quiet_till(folder / "home")
    peer = sqlite3.connect(folder / "peer.db", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "wal_autocheckpoint=0"):
        peer.execute(f"PRAGMA {pragma}")
    peer.execute("CREATE TABLE rows(id INTEGER PRIMARY KEY, kind TEXT, body TEXT)")
    raw: dict[str, Any] = {"orders": ORDERS * ROUNDS, "ours_ms": [], "peer_ms": []}
    till.place(lines)  # warm up
    till.stop_checkpoints()
    commits, syncs = till.commits(), log.stat().st_size
    random.seed(SEED)
    for _ in range(ROUNDS):
        for _ in range(ORDERS):
            started = time.perf_counter()
            till.place(lines)
            raw["ours_ms"].append((time.perf_counter() - started) * 1000)
        raw.setdefault("syncs", 0)
        raw["syncs"] += log.stat().st_size - syncs
        for _ in range(ORDERS):
            started = time.perf_counter()
            _peer_write(peer, till.rows_per_order)
            raw["peer_ms"].append((time.perf_counter() - started) * 1000)
        syncs = log.stat().st_size
    raw["commits"] = till.commits() - commits
    till.checkpoint()
    raw["checkpoint_syncs"] = log.stat().st_size - syncs
    print(json.dumps(raw))


def _peer_write(peer: sqlite3.Connection, rows: int) -> None:
    peer.execute("BEGIN IMMEDIATE")
    peer.executemany("INSERT INTO rows(kind, body) VALUES (?, ?)", [("row", "x" * 300) for _ in range(rows)])
    peer.execute("COMMIT")


if __name__ == "__main__":
    child(Path(sys.argv[1]))
