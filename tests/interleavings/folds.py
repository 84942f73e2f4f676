"""All orders of up to seven facts and bindings, folded: exhaustive and pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pos.domain.facts import Fact, Kind
from pos.domain.order import Life
from pos.domain.payment import reference
from pos.domain.verdict import Verdict, fold
from tests.domain.strategies import ORDER, TOTAL, bundle, fact


def _paid(payment: str, amount: int = TOTAL) -> Fact:
    return fact(Kind.PAYMENT_CAPTURED, payment, amount_minor=amount, currency="INR", at_ms=3_000)


def _refund(kind: Kind, amount: int = 300) -> Fact:
    return fact(kind, "re_1", amount_minor=amount, currency="INR")


SETS: dict[str, tuple[Fact, ...]] = {
    "one payment, all its states": (
        fact(Kind.PAYMENT_PENDING, "ch_1"),
        fact(Kind.PAYMENT_FAILED, "ch_1"),
        fact(Kind.PAYMENT_AUTHORIZED, "ch_1"),
        fact(Kind.PAYMENT_VOIDED, "ch_1"),
        _paid("ch_1"),
        fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1"),
        fact(Kind.PAYMENT_OF_REFERENCE, "ch_1", reference(ORDER, 1)),
    ),
    "two payments of two links, one of them expired": (
        _paid("ch_1"),
        _paid("ch_2"),
        fact(Kind.PAYMENT_FAILED, "ch_2"),
        fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1"),
        fact(Kind.PAYMENT_OF_LINK, "ch_2", "cs_2"),
        fact(Kind.LINK_CLOSED, "cs_1"),
        fact(Kind.LINK_EXPIRED, "cs_2"),
    ),
    "a refund that bounces": (
        _paid("ch_1"),
        fact(Kind.PAYMENT_OF_REFERENCE, "ch_1", reference(ORDER, 1)),
        _refund(Kind.REFUND_PENDING),
        _refund(Kind.REFUND_SUCCEEDED),
        _refund(Kind.REFUND_FAILED),
        fact(Kind.REFUND_OF_PAYMENT, "re_1", "ch_1"),
        fact(Kind.LINK_CLOSED, "cs_1"),
    ),
    "a dispute that is lost, a reversal, two amounts": (
        _paid("ch_1"),
        _paid("ch_1", 400),
        fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1"),
        fact(Kind.DISPUTE_OPEN, "dp_1", amount_minor=TOTAL, currency="INR"),
        fact(Kind.DISPUTE_LOST, "dp_1", amount_minor=TOTAL, currency="INR"),
        fact(Kind.DISPUTE_OF_PAYMENT, "dp_1", "ch_1"),
        fact(Kind.PAYMENT_REVERSED, "ch_1", amount_minor=TOTAL, currency="INR"),
    ),
    "bindings that disagree, and a person's": (
        _paid("ch_1"),
        _paid("ch_2", 400),
        fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_unknown"),
        fact(Kind.PAYMENT_OF_REFERENCE, "ch_1", reference(ORDER, 2)),
        fact(Kind.PAYMENT_ATTACHED, "ch_2", reference(ORDER, 1)),
        fact(Kind.PAYMENT_OF_LINK, "ch_2", "cs_2"),
        fact(Kind.PAYMENT_FAILED, "ch_1"),
    ),
}


def verdicts(facts: Sequence[Fact], life: Life) -> tuple[int, set[Verdict]]:
    """(how many orders, the different verdicts): of all permutations, with each fact once and one of them twice."""
    found, count = set(), 0
    for chosen in itertools.permutations(facts):
        count += 1
        found.add(fold(bundle((*chosen, chosen[0]), life)))
    return count, found


def prefixes_agree(facts: Sequence[Fact], life: Life) -> int:
    """Every part of the facts has one verdict, however it is ordered; how many parts there are."""
    parts = [part for size in range(len(facts) + 1) for part in itertools.combinations(facts, size)]
    for part in parts:
        forwards, backwards = fold(bundle(part, life)), fold(bundle(tuple(reversed(part)), life))
        assert forwards == backwards, part
    return len(parts)
