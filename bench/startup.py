"""Start-up: the first painted sale screen against a bare Qt window, and a scanned item in the cart.

Every start is a process of its own, byte code compiled beforehand, rounds alternate; measured from the moment the
process is spawned (CLOCK_MONOTONIC is shared by processes).
"""

from __future__ import annotations

import compileall
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.common import HERE, Figure, Result, median, scratch

ROUNDS = 15
SCREEN_LIMIT, SCAN_LIMIT = 2.0, 4.0
START_S = 60


def run() -> Result:
    compileall.compile_dir(HERE.parent / "pos", quiet=2)
    folder = scratch()
    try:
        _home(folder / "home")
        raw: dict[str, Any] = {"bare_ms": [], "screen_ms": [], "scanned_ms": [], "ready_ms": []}
        for number in range(ROUNDS + 1):
            bare = _start("bare", folder)
            till = _start("till", folder)
            if number == 0:
                continue  # the first start writes the catalogue snapshot and fills the disk cache
            raw["bare_ms"].append(bare["painted_ms"])
            raw["screen_ms"].append(till["painted_ms"])
            raw["scanned_ms"].append(till["scanned_ms"])
            raw["ready_ms"].append(till["ready_ms"])
        base = median(raw["bare_ms"])
        figures = [
            Figure("first painted sale screen against a bare window", median(raw["screen_ms"]) / base, SCREEN_LIMIT),
            Figure("a scanned item in the cart against a bare window", median(raw["scanned_ms"]) / base, SCAN_LIMIT),
            Figure("till built and ready against a bare window", median(raw["ready_ms"]) / base, None),
        ]
        return Result("startup", figures, 0, None, raw)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _home(home: Path) -> None:
    from bench.till import quiet_till
    from pos.app.demo.sample import sample_products

    till, _ = quiet_till(home)
    till.put_products(sample_products("INR"))
    till.close()


def _start(what: str, folder: Path) -> dict[str, float]:
    from bench.common import plain_environment

    env = plain_environment() | {"QT_QPA_PLATFORM": "offscreen", "POS_HOME": str(folder / "home")}
    command = [sys.executable, "-m", f"bench.start_{what}", str(time.monotonic())]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, timeout=START_S)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
