"""The catalogue of failures is whole, its tests exist, and each has a mistake that it must catch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.failures.faults import FAULTS
from tests.failures.tables import BAD_INPUT, CASES, exists, rows
from tests.house.source import text

NUMBERS = range(1, 101)
MAY_BE_LATER = {*range(79, 90), 98, 99}
CANNOT_OCCUR_MAX = 8
GUARDS = "pos/store/migrations/versions/v0001_first.py"
BAD_NUMBERS = [*range(18, 53), *range(71, 79)]


def test_every_failure_is_in_the_table_once_and_in_order() -> None:
    assert [row.number for row in rows(CASES)] == list(NUMBERS)


def test_every_bad_input_is_in_the_table_once_and_has_its_test() -> None:
    assert [row.number for row in rows(BAD_INPUT)] == BAD_NUMBERS
    assert [row.number for row in rows(BAD_INPUT) if not row.tests] == []


def test_only_what_needs_shifts_printers_or_pairing_is_put_off() -> None:
    assert {row.number for row in rows(CASES) if row.later} <= MAY_BE_LATER
    untested = [row for row in rows(CASES) if not row.tests]
    assert [row.number for row in untested if not (row.later or row.not_yet)] == []


def test_what_cannot_occur_is_little_and_names_what_prevents_it() -> None:
    never = [row for row in rows(CASES) if row.cannot_occur]
    assert len(never) <= CANNOT_OCCUR_MAX
    for row in never:
        names = re.findall(r"`(\w+)`", row.text)
        assert row.tests, row.number
        assert names, row.number
        assert all(name in text("pos/store/tables.py") + text(GUARDS) for name in names), row.number


@pytest.mark.parametrize("table", [CASES, BAD_INPUT], ids=lambda path: path.stem)
def test_the_tests_that_are_named_exist(table: Path) -> None:
    assert [test for row in rows(table) for test in row.tests if not exists(test)] == []


def test_every_test_of_the_catalogue_has_a_fault_that_it_must_catch() -> None:
    named = {test for row in rows(CASES) for test in row.tests}
    caught = {test for fault in FAULTS.values() for test in fault.caught_by}
    assert named - caught == set()
    assert [test for test in sorted(caught) if not exists(test)] == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_still_fits_the_source(name: str) -> None:
    fault = FAULTS[name]
    assert fault.mistake.endswith(".")
    for edit in fault.edits:
        assert text(edit.path).count(edit.old) == 1, (edit.path, edit.old)
        assert edit.old != edit.new
    assert fault.caught_by
