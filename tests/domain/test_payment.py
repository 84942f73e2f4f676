"""Attempts: the drawing is the table, keys are a formula, references read back."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from pos.domain import payment
from pos.domain.payment import ALLOWED, LIVE, SHOWN, KeyParts, Phase, idempotency_key, parse_reference, reference

PARTS = KeyParts("shop", "order", 1, 1, "create", "", 1000, "INR", "acct_1")
UUID = "0190a000-0000-7000-8000-000000000001"


def test_the_drawing_in_the_docstring_is_the_table() -> None:
    drawing = next(line for line in (payment.__doc__ or "").splitlines() if "->" in line and "drafted" in line)
    chain = [Phase(word.strip()) for word in drawing.split("->")]
    assert all(after in ALLOWED[before] for before, after in pairwise(chain))


def test_ends_are_ends_and_only_unshown_attempts_are_abandoned() -> None:
    assert ALLOWED[Phase.CLOSED] == {Phase.RELEASED}  # of a payment that hangs there: docs/adr/0012
    assert not ALLOWED[Phase.ABANDONED]
    assert {p for p, to in ALLOWED.items() if Phase.ABANDONED in to} == {Phase.DRAFTED, Phase.REQUESTING}
    assert {Phase.OPEN, Phase.CLOSING} == LIVE & SHOWN


def test_the_key_depends_on_every_part_and_on_nothing_else() -> None:
    key = idempotency_key(PARTS)
    assert key == idempotency_key(replace(PARTS))
    assert key.startswith("tt1-")
    assert len(key) == 44
    assert key == key.lower()
    changes = [
        {"shop": "x"}, {"order_id": "x"}, {"revision": 2}, {"attempt_no": 2}, {"operation": "refund"},
        {"subject": "x"}, {"amount_minor": 1}, {"currency": "EUR"}, {"account": "x"},
    ]  # fmt: skip
    assert len({idempotency_key(replace(PARTS, **change)) for change in changes} | {key}) == len(changes) + 1


def test_references_read_back_and_foreign_ones_do_not() -> None:
    assert parse_reference(reference(UUID, 3)) == (UUID, 3)
    for text in ("", "order_1", f"{UUID}_", f"{UUID}_x", f"{UUID}_²", UUID):
        assert parse_reference(text) is None
