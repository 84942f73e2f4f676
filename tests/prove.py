"""`./run prove [NAME ...]`: the proofs that are too long for every run of the tests.

Most keep two processors busy by themselves and run one after the other, saying how far they are. Those in `BESIDE` are
one process each, or wait for others most of the time: they run beside the rest, and what they say comes when they end.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

EVERYWHERE = {"TRUETILL_EVERY_KILL_POINT": "1", "TRUETILL_ALL_ON_POSTGRESQL": "1"}
PROOFS = {
    "failures": ["-m", "tests.failures.prove"],
    "crash": ["-m", "tests.crash"],
    "interleavings": ["-m", "tests.interleavings.run"],
    "plants": ["-m", "tests.simulation.planted"],
    "plug": ["-m", "tests.crash.plug", "--rounds", "12"],
    "model": ["-m", "tests.model"],
    "traces": ["-m", "tests.model.traces"],
    "mutants": ["-m", "tests.mutants"],
    "postgres": [
        "-m",
        "pytest",
        "tests/services",
        "tests/sync",
        "-k",
        "razorpay-postgresql",
        "-p",
        "no:randomly",
    ],
    "simulation": ["-m", "tests.simulation.run"],
    "story": ["-m", "tests.story_seeds", "--seeds", "1"],
}

BESIDE = ("model", "plants", "story", "plug")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run prove")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PROOFS))
    given, options = parser.parse_known_args()
    names = given.names or list(PROOFS)
    unknown = [name for name in names if name not in PROOFS]
    if unknown:
        print(f"no such proof: {', '.join(unknown)}; there are {', '.join(PROOFS)}", file=sys.stderr)
        return 2
    if options and len(names) != 1:
        print(f"{' '.join(options)} is for one proof; name it: {', '.join(PROOFS)}", file=sys.stderr)
        return 2
    return run(names, options)


def run(names: Sequence[str], options: Sequence[str]) -> int:
    """0 when every one holds, else 1."""
    started = time.monotonic()
    beside = [name for name in names if name in BESIDE] if len(names) > 1 else []
    with ThreadPoolExecutor(1) as pool:
        others = [pool.submit(holds, name, options, aloud=False) for name in beside]
        failed = [name for name in names if name not in beside and not holds(name, options, aloud=True)]
        failed += [name for name, other in zip(beside, others, strict=True) if not other.result()]
    if len(names) > 1:
        print(f"{len(names) - len(failed)} of {len(names)} hold ({time.monotonic() - started:.0f} s)")
    return 1 if failed else 0


def holds(name: str, options: Sequence[str], *, aloud: bool) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, *PROOFS[name], *options],
        check=False,
        env=os.environ | EVERYWHERE,
        stdout=None if aloud else subprocess.PIPE,
        stderr=None if aloud else subprocess.STDOUT,
        text=True,
    )
    words = "holds" if done.returncode == 0 else "DOES NOT HOLD"
    print(f"{done.stdout or ''}{name}: {words} ({time.monotonic() - started:.0f} s)", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
