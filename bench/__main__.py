"""`./run bench [NAME ...]`: run benchmarks, print ratios, keep them under bench/results."""

from __future__ import annotations

import argparse
import importlib
import json
import sys

from bench.common import RESULTS, Result

NAMES = ("order_write", "startup", "paid_latency", "link", "settle", "sweep")


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help="/".join(n.replace("_", "-") for n in NAMES))
    given = parser.parse_args()
    names = [name.replace("-", "_") for name in given.names] or list(NAMES)
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    missed = 0
    for name in names:
        result: Result = importlib.import_module(f"bench.{name}").run()
        RESULTS.mkdir(parents=True, exist_ok=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(result.as_json(), indent=2) + "\n", encoding="utf-8")
        for line in result.lines():
            print(line)
        missed += not result.met
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
