"""`./run prove failures`: every test of the catalogue against the mistakes it must catch.

1. The source and the tests are copied; the working tree is never touched.
2. One fault at a time is planted in a copy, and the tests that are named beside it run there.
3. Each of them must fail, in one of its cases at least. One that stays green proves nothing, and is named.

`python -m tests.failures.prove NAME ...` tries single faults.
"""

from __future__ import annotations

import argparse
import queue
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

from tests.engines import POSTGRESQL
from tests.failures.faults import FAULTS, Fault
from tests.processes import ROOT, environment

COPIED = ("pos", "tests")
NOT_COPIED = ("__pycache__", "node_modules", ".pytest_cache")
NOT_LINKED = {".git", "out", *COPIED}
AT_ONCE = 3
"""On two processors: much of a test's time is waiting for the processes it starts."""
WITHIN_S = 300
RAN = (0, 1, 5)
"""Exit statuses of pytest: all passed, some failed, and none was chosen."""
PYTEST = ["-m", "pytest", "-o", "addopts=", "-q", "--tb=no", "-p", "no:cacheprovider", "-p", "no:randomly"]


def copy_to(folder: Path) -> Path:
    """The tree with a source of its own; what no fault touches is linked."""
    folder.mkdir()
    for entry in ROOT.iterdir():
        if entry.name in COPIED:
            shutil.copytree(entry, folder / entry.name, ignore=shutil.ignore_patterns(*NOT_COPIED), symlinks=True)
        elif entry.name not in NOT_LINKED:
            (folder / entry.name).symlink_to(entry)
    return folder


def plant(tree: Path, fault: Fault) -> dict[Path, str]:
    """Make the mistake; what stood there before, by file."""
    before: dict[Path, str] = {}
    for edit in fault.edits:
        path = tree / edit.path
        text = path.read_text(encoding="utf-8")
        before.setdefault(path, text)
        if text.count(edit.old) != 1:
            raise LookupError(f"{edit.path} does not hold this once: {edit.old!r}")
        write(path, text.replace(edit.old, edit.new))
    return before


def write(path: Path, text: str) -> None:
    """Compiled modules are told from old ones by time and size alone: the old ones must not be left."""
    path.write_text(text, encoding="utf-8")
    for old in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
        old.unlink()


def failed_cases(report: Path) -> set[str]:
    """Node ids of the cases that failed, with their brackets."""
    found = set()
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            found.add(f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}")
    return found


def missed(tree: Path, fault: Fault) -> list[str]:
    """Tests that stay green with the fault in place. A server is started for those only that are green without one."""
    before = plant(tree, fault)
    try:
        green = still_green(tree, fault.caught_by, "-k", f"not {POSTGRESQL}")
        return still_green(tree, green) if green else []
    except subprocess.TimeoutExpired:
        return [f"(not done within {WITHIN_S} s)"]
    except LookupError as error:
        return [str(error)]
    finally:
        for path, text in before.items():
            write(path, text)


def still_green(tree: Path, tests: Sequence[str], *more: str) -> list[str]:
    """Those of the tests of which no case fails.

    Raises:
        LookupError: pytest could not run them.
        TimeoutExpired: they took too long.
    """
    report = tree / "out.xml"
    report.unlink(missing_ok=True)
    env = environment({"PYTHONPATH": str(tree), "QT_QPA_PLATFORM": "offscreen"})
    command = [sys.executable, *PYTEST, f"--junitxml={report}", *more, *tests]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False, timeout=WITHIN_S)
    if done.returncode not in RAN or not report.exists():
        raise LookupError(f"(pytest ended with {done.returncode}) {done.stdout[-500:]} {done.stderr[-500:]}")
    failed = failed_cases(report)
    return [test for test in tests if test not in failed | {case.partition("[")[0] for case in failed}]


def prove(names: Iterable[str], folder: Path) -> list[str]:
    """Names of faults that a test of theirs did not catch."""
    trees: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for number in range(AT_ONCE):
        trees.put(copy_to(folder / str(number)))

    def one(name: str) -> str:
        tree, started = trees.get(), time.monotonic()
        try:
            green = missed(tree, FAULTS[name])
        finally:
            trees.put(tree)
        took = f"({time.monotonic() - started:.0f} s)"
        print(f"{name}: {'caught' if not green else 'NOT CAUGHT by ' + ', '.join(green)} {took}", flush=True)
        return name if green else ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [name for name in pool.map(one, names) if name]


def main() -> int:
    parser = argparse.ArgumentParser(description="Every test of the catalogue against the mistakes it must catch.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="faults; all of them where none is named")
    names = parser.parse_args().names or list(FAULTS)
    unknown = [name for name in names if name not in FAULTS]
    if unknown:
        print(f"no such fault: {', '.join(unknown)}; there are {', '.join(FAULTS)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        green = prove(names, Path(folder))
    tests = {test for name in names for test in FAULTS[name].caught_by}
    print(f"{len(names)} faults, {len(tests)} tests, {len(green)} faults not caught by every test named")
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main())
