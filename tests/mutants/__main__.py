"""`./run prove mutants [--only NAME ...]`: apply each patch to a copy and run the tests that it names, which must fail.

They are tests of the ordinary suite, so what one of them notices the suite notices. The one that fails must pass on the
code as it is, or it noticed the weather and not the patch. A patch that no longer applies, and one that no test
notices, are failures of the proof. Three at a time, each in a tree of its own.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.engines import POSTGRESQL
from tests.failures.prove import AT_ONCE, copy_to
from tests.processes import ROOT, environment

HERE = Path(__file__).resolve().parent
ABOUT_PATCHES = ("tests/house/test_mutants.py", "tests/house/test_failures.py", "tests/house/test_money_rules.py")
PYTEST = ["-m", "pytest", "-x", "-q", "-n0", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header"]
TESTS_FAILED, NONE_CHOSEN = 1, 5
"""pytest's exit statuses when some failed, and when none was chosen; others but 0 say that the tests could not run."""
RUN_S = 600


@dataclass(frozen=True)
class Mutant:
    """`why` is what is wrong with it; `tests` the folders, files or tests that should notice."""

    name: str
    path: Path
    why: str
    tests: tuple[str, ...]


def mutants() -> list[Mutant]:
    found = []
    for path in sorted(HERE.glob("*.patch")):
        head = path.read_text(encoding="utf-8").partition("diff --git")[0]
        why, _, tests = head.partition("Tests:")
        found.append(Mutant(path.stem, path, why.strip(), tuple(tests.split())))
    return found


def apply(mutant: Mutant, root: Path, *, check_only: bool = False) -> str:
    """ "" or why the patch does not apply; `root` is no git repository of its own."""
    more = ["--check"] if check_only else []
    ceiling = os.environ | {"GIT_CEILING_DIRECTORIES": str(root.parent)}
    command = ["git", "apply", *more, str(mutant.path)]
    done = subprocess.run(command, cwd=root, env=ceiling, capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else ""


def noticed_by(mutant: Mutant, folder: Path) -> str:
    """The first test that fails with the mistake in place; "" when none does.

    Raises:
        LookupError: the patch does not apply, the tests do not run, or the one that fails does so without it too.
    """
    tree = copy_to(folder / mutant.name)
    try:
        if trouble := apply(mutant, tree):
            raise LookupError(f"does not apply: {trouble}")
        test = _first_failure(tree, mutant.tests)
        if test and _failing(ROOT, (test,)):
            raise LookupError(f"{test} fails without it too")
        return test
    finally:
        shutil.rmtree(tree, ignore_errors=True)


def _first_failure(tree: Path, tests: tuple[str, ...]) -> str:
    """The first test that fails; a server is started only where none does without one."""
    return _failing(tree, tests, "-k", f"not {POSTGRESQL}") or _failing(tree, tests)


def _failing(tree: Path, tests: tuple[str, ...], *more: str) -> str:
    env = environment({"PYTHONPATH": str(tree), "QT_QPA_PLATFORM": "offscreen"})
    left_out = [f"--ignore={name}" for name in ABOUT_PATCHES]  # they see the patch itself, not what it does
    command = [sys.executable, *PYTEST, *left_out, *more, *tests]
    done = subprocess.run(command, cwd=tree, env=env, capture_output=True, text=True, check=False, timeout=RUN_S)
    if done.returncode in (0, NONE_CHOSEN):
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode != TESTS_FAILED or failed is None:
        raise LookupError(f"the tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed.group(1)


def tried(mutant: Mutant, folder: Path) -> bool:
    """Whether it was noticed; says so."""
    started = time.monotonic()
    try:
        test = noticed_by(mutant, folder)
        said = f"noticed by {test}" if test else "NOT NOTICED"
    except (LookupError, subprocess.TimeoutExpired) as error:
        test, said = "", f"NOT TRIED: {error}"
    print(f"{mutant.name}: {said} ({time.monotonic() - started:.0f} s)", flush=True)
    return bool(test)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run prove mutants")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="numbers or parts of names")
    names = parser.parse_args().only
    chosen = [m for m in mutants() if not names or any(m.name.startswith(n) or n in m.name for n in names)]
    with tempfile.TemporaryDirectory(prefix="truetill-mutants-") as folder, ThreadPoolExecutor(AT_ONCE) as pool:
        noticed = sum(pool.map(lambda mutant: tried(mutant, Path(folder)), chosen))
    print(f"{noticed} of {len(chosen)} noticed")
    return 0 if chosen and noticed == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
