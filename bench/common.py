"""What benchmarks share: disk syncs made as slow as a real disk's, and the shape of a result."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SYNC_US = 3_500
SHIM_SOURCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
static int (*real_fsync)(int), (*real_fdatasync)(int);
static void wait_and_count(void) {
    char *us = getenv("SYNC_US"), *log = getenv("SYNC_LOG");
    int fd = log ? open(log, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
    if (fd >= 0) { if (write(fd, "s", 1)) {} close(fd); }
    long wanted = us ? atol(us) : 0;
    struct timespec pause = { wanted / 1000000, (wanted % 1000000) * 1000 };
    nanosleep(&pause, 0);
}
int fsync(int fd) {
    if (!real_fsync) real_fsync = dlsym(RTLD_NEXT, "fsync");
    wait_and_count();
    return real_fsync(fd);
}
int fdatasync(int fd) {
    if (!real_fdatasync) real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    wait_and_count();
    return real_fdatasync(fd);
}
"""


@dataclass
class Figure:
    """One measured ratio. `value` None: not measured, and why."""

    name: str
    value: float | None
    limit: float | None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.value is None or self.limit is None or self.value <= self.limit


@dataclass
class Result:
    name: str
    figures: list[Figure] = field(default_factory=list)
    seed: int = 0
    sync_us: int | None = SYNC_US
    raw: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        return all(figure.met for figure in self.figures)

    def lines(self) -> list[str]:
        found = [f"{self.name} (disk syncs of {self.sync_us} us)" if self.sync_us is not None else self.name]
        for figure in self.figures:
            if figure.value is None:
                found.append(f"  NOT MEASURED {figure.name}: {figure.note}")
                continue
            limit = f" (limit {figure.limit:g}) {'PASS' if figure.met else 'FAIL'}" if figure.limit is not None else ""
            found.append(f"  {figure.name}: {figure.value:.2f}{limit} {figure.note}".rstrip())
        return found

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "seed": self.seed,
            "sync_us": self.sync_us,
            "figures": [vars(figure) for figure in self.figures],
            "raw": self.raw,
        }


class SlowDisk:
    """An environment in which every fsync takes `SYNC_US` more and is counted; needs a C compiler."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "syncs"
        self.library = folder / "slow_sync.so"
        self.available = self._build()

    def _build(self) -> bool:
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            return False
        source = self.library.with_suffix(".c")
        source.write_text(SHIM_SOURCE, encoding="utf-8")
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(self.library), str(source), "-ldl"]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0

    def environment(self, sync_us: int = SYNC_US) -> dict[str, str]:
        env = plain_environment()
        if self.available:
            env |= {"LD_PRELOAD": str(self.library), "SYNC_US": str(sync_us), "SYNC_LOG": str(self.log)}
        return env

    def count(self) -> int:
        return self.log.stat().st_size if self.log.exists() else 0


def plain_environment() -> dict[str, str]:
    """This process's environment, with byte code kept and without anybody's till."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE" and not k.startswith("POS_")}
    return env | {"PYTHONPATH": str(HERE.parent)}


def scratch() -> Path:
    return Path(tempfile.mkdtemp(prefix="truetill-bench-"))


def median(values: list[float]) -> float:
    return statistics.median(values) if values else float("nan")
