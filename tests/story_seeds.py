"""The story with several seeds and more sales; every one must end with verified books."""

from __future__ import annotations

import argparse
import subprocess
import sys


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    failed = 0
    for seed in range(1, given.seeds + 1):
        command = [
            sys.executable,
            "-m",
            "pos",
            "demo",
            "--headless",
            "--no-window",
            "--sales",
            "10",
            "--seed",
            str(seed),
        ]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        print(f"seed {seed}: {'verified' if done.returncode == 0 else done.stdout + done.stderr}", flush=True)
        failed += done.returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
