"""`./run prove crash`: all that may stop a till in the middle, three proofs at a time, each told when it is done.

`python -m tests.crash NAME ...` runs single ones. Each is a command; that of one which does not hold is printed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed

from tests.crash.driver import WAYS
from tests.processes import ROOT, environment

AT_ONCE = 3
"""On two processors: much of the time goes in waiting for the processes that are stopped."""
WITHIN_S = 1_800
POINTS = ["-m", "pytest", "tests/crash/test_kill_points.py", "-n0", "-s", "-p", "no:randomly", "-k"]
JOBS = {
    "power cuts": ["-m", "tests.crash.powercut", "--cuts", "1000"],
    "kills": ["-m", "tests.crash.kills", "--kills", "500", "--seed", "1"],
    "more kills": ["-m", "tests.crash.kills", "--kills", "500", "--seed", "2"],
    "PostgreSQL's stops": ["-m", "tests.crash.pg_stops", "--stops", "60"],
    **{f"kill points, {way}": [*POINTS, way] for way in WAYS},
    "power cuts, synchronous=NORMAL": ["-m", "tests.crash.powercut", "--cuts", "200", "--plant", "normal"],
    "power cuts, acknowledged too early": [
        "-m",
        "tests.crash.powercut",
        "--cuts",
        "30",
        "--orders",
        "10",
        "--plant",
        "early",
    ],
    "power cuts, a commit in two": [
        "-m",
        "tests.crash.powercut",
        "--cuts",
        "30",
        "--orders",
        "10",
        "--plant",
        "halves",
    ],
    "kills, acknowledged too early": ["-m", "tests.crash.kills", "--kills", "100", "--plant", "early"],
    "PostgreSQL's stops, acknowledged too early": ["-m", "tests.crash.pg_stops", "--stops", "20", "--plant", "early"],
}
"""The longest first. With a planted fault a command succeeds when it finds it."""


def job(name: str) -> tuple[int, str, float]:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, *JOBS[name]],
        cwd=ROOT,
        env=environment({"TRUETILL_EVERY_KILL_POINT": "1"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=WITHIN_S,
    )
    return done.returncode, done.stdout, time.monotonic() - started


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(JOBS))
    names = parser.parse_args().names or list(JOBS)
    failed = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        running = {pool.submit(job, name): name for name in names}
        for done in as_completed(running):
            name = running[done]
            status, said, seconds = done.result()
            print(said.rstrip())
            words = "holds" if status == 0 else f"DOES NOT HOLD (python {' '.join(JOBS[name])})"
            print(f"{name}: {words} ({seconds:.0f} s)\n", flush=True)
            failed += [name] if status else []
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
