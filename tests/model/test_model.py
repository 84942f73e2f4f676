"""A short form of `./run prove model`, and the table that says what its transitions stand for."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from tests.model.__main__ import HERE, MODEL, PROPERTIES, Checker, available

ROW = re.compile(r"^\| (\w[\w ,]*) \| `([\w.]+)` \|$", re.MULTILINE)
NEEDS = pytest.mark.skipif(not available(), reason="Debian's spin and gcc are not installed here")


def table() -> dict[str, str]:
    return dict(ROW.findall((HERE / "README.md").read_text(encoding="utf-8")))


def test_every_transition_stands_for_something_that_exists() -> None:
    processes = MODEL.read_text(encoding="utf-8").partition("/* What a person at the counter starts. */")[2]
    named = {name.strip() for name in re.findall(r"/\* ([\w ,]+) \*/", processes.partition("init {")[0])}
    assert named == set(table())
    for path in table().values():
        module, _, rest = path.partition(".")
        parts = path.split(".")
        for at in range(len(parts), 0, -1):
            try:
                found: object = importlib.import_module(".".join(parts[:at]))
            except ModuleNotFoundError:
                continue
            for name in parts[at:]:
                found = getattr(found, name)
            break
        else:
            pytest.fail(f"{module}.{rest} does not exist")


@NEEDS
def test_the_protocol_holds(tmp_path: Path) -> None:
    checker = Checker(tmp_path, ())
    seen = {name: checker.check(name) for name in PROPERTIES}
    assert [name for name, each in seen.items() if not each.holds] == []
    assert min(each.states for each in seen.values()) > 10_000


@NEEDS
@pytest.mark.parametrize(("fault", "name"), [("CASH_NO_FENCE", "once"), ("HINT_IS_FACT", "honest")])
def test_a_planted_fault_breaks_it(fault: str, name: str, tmp_path: Path) -> None:
    assert not Checker(tmp_path, (fault,)).check(name).holds
