"""`./run prove mutants [--only NAME ...]`: apply each patch to a copy and run the tests that it names, which must fail.

They are tests of the ordinary suite, so what one of them notices the suite notices. The one that fails must pass on the
code as it is, or it noticed the weather and not the patch. A patch that no longer applies, and one that no test
notices, are failures of the proof.
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
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", "node_modules", "out", "shared", "__pycache__", ".mypy_cache", ".ruff_cache"
)
ABOUT_PATCHES = ("tests/house/test_mutants.py", "tests/house/test_failures.py", "tests/house/test_money_rules.py")
TESTS_FAILED = 1
"""pytest's exit status when tests ran and some failed; any other says that they could not run."""
RUN_S = 1_500


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
    """The first test that fails with the mistake in place; "" when none does."""
    copy = folder / mutant.name
    shutil.copytree(ROOT, copy, ignore=LEFT_OUT, symlinks=True)
    trouble = apply(mutant, copy)
    if trouble:
        raise SystemExit(f"{mutant.name} does not apply: {trouble}")
    try:
        test = _first_failure(copy, mutant.tests)
        if test and _first_failure(ROOT, (test,)):
            raise SystemExit(f"{test} fails without {mutant.name} too")
        return test
    finally:
        shutil.rmtree(copy, ignore_errors=True)


def _first_failure(copy: Path, tests: tuple[str, ...]) -> str:
    env = os.environ | {"PYTHONPATH": str(copy), "QT_QPA_PLATFORM": "offscreen"}
    left_out = [f"--ignore={name}" for name in ABOUT_PATCHES]  # they see the patch itself, not what it does
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *left_out, *tests]
    done = subprocess.run(command, cwd=copy, env=env, capture_output=True, text=True, check=False, timeout=RUN_S)
    if done.returncode == 0:
        return ""
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    if done.returncode not in (TESTS_FAILED, 2) or failed is None:  # 2: stopped at the first failure
        raise SystemExit(f"the tests did not run: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return failed.group(1)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run prove mutants")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="numbers or parts of names")
    names = parser.parse_args().only
    chosen = [m for m in mutants() if not names or any(m.name.startswith(n) or n in m.name for n in names)]
    alive = []
    with tempfile.TemporaryDirectory(prefix="truetill-mutants-") as folder:
        for mutant in chosen:
            started = time.monotonic()
            test = noticed_by(mutant, Path(folder))
            took = f"{time.monotonic() - started:.0f} s"
            print(f"{mutant.name}: {f'noticed by {test}' if test else 'NOT NOTICED'} ({took})", flush=True)
            alive += [] if test else [mutant.name]
    print(f"{len(chosen) - len(alive)} of {len(chosen)} noticed")
    return 1 if alive or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
