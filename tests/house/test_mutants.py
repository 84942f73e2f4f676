"""The patches of `tests/mutants` still say something about this code. That tests notice them, `prove mutants` shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.failures.tables import exists
from tests.mutants.__main__ import Mutant, apply, mutants
from tests.processes import ROOT

LEAST = 14


def test_there_are_enough_of_them() -> None:
    assert len(mutants()) >= LEAST


@pytest.mark.parametrize("mutant", mutants(), ids=lambda m: m.name)
def test_a_mutant_applies_to_the_code_as_it_is_and_says_what_it_breaks(mutant: Mutant, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "pos", tmp_path / "pos", ignore=shutil.ignore_patterns("__pycache__"))
    assert apply(mutant, tmp_path, check_only=True) == ""
    assert mutant.why.endswith(".")
    assert mutant.tests
    assert [name for name in mutant.tests if not (exists(name) if "::" in name else (ROOT / name).exists())] == []
