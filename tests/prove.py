"""`./run prove [NAME ...]`: the proofs that are too long for every run of the tests."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

EVERYWHERE = {"TRUETILL_EVERY_KILL_POINT": "1", "TRUETILL_ALL_ON_POSTGRESQL": "1"}
PROOFS = {
    "failures": ["-m", "tests.failures.prove"],
    "crash": ["-m", "tests.crash"],
    "interleavings": ["-m", "tests.interleavings.run"],
    "plants": ["-m", "tests.simulation.planted"],
    "plug": ["-m", "tests.crash.plug", "--rounds", "40"],
    "model": ["-m", "tests.model"],
    "traces": ["-m", "tests.model.traces"],
    "mutants": ["-m", "tests.mutants"],
    "postgres": [
        "-m",
        "pytest",
        "tests/store",
        "tests/services",
        "tests/sync",
        "-k",
        "postgresql or server_down",
        "-p",
        "no:randomly",
    ],
    "simulation": ["-m", "tests.simulation.run"],
    "story": ["-m", "tests.story_seeds", "--seeds", "5"],
}


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
    failed = []
    for name in names:
        started = time.monotonic()
        status = subprocess.run(
            [sys.executable, *PROOFS[name], *options], check=False, env=os.environ | EVERYWHERE
        ).returncode
        print(f"{name}: {'holds' if status == 0 else 'DOES NOT HOLD'} ({time.monotonic() - started:.0f} s)", flush=True)
        failed += [name] if status else []
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
