"""The laws of payment truth, as properties: whatever order messages come in, the books end the same."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from pos.domain.facts import Fact, Kind
from pos.domain.matching import findings
from pos.domain.order import Life
from pos.domain.payment import reference
from pos.domain.shown import Shown, State, outward, shown
from pos.domain.verdict import Certainty, Flag, Money, certainty, fold
from tests.domain.strategies import ORDER, TOTAL, bundle, fact, facts, lives, payment_facts

RANK = [Money.UNPAID, Money.PART_PAID, Money.PAID, Money.OVERPAID]


@given(facts, lives, st.randoms(use_true_random=False))
def test_order_and_duplicates_never_change_the_verdict(found: list[Fact], life: Life, random: object) -> None:
    shuffled = [*found, *found[: len(found) // 2]]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert fold(bundle(tuple(shuffled), life)) == fold(bundle(tuple(dict.fromkeys(found)), life))


@given(payment_facts, payment_facts)
def test_more_payment_facts_never_lower_the_money(known: list[Fact], more: list[Fact]) -> None:
    before, after = fold(bundle(tuple(known))), fold(bundle((*known, *more)))
    assert RANK.index(after.money) >= RANK.index(before.money)
    assert after.kept_minor >= before.kept_minor


@given(facts, lives)
def test_every_state_has_one_word_and_one_answer(found: list[Fact], life: Life) -> None:
    made = bundle(tuple(found), life)
    verdict = fold(made)
    for sure in Certainty:
        state = State(made.order, verdict, sure, made.attempts)
        assert shown(state) in Shown
        assert outward(state).value in {"success", "failure", "unknown"}


@given(facts, lives)
def test_what_is_owed_is_proposed_and_never_more_than_was_captured(found: list[Fact], life: Life) -> None:
    verdict = fold(bundle(tuple(found), life))
    assert sum(p.amount_minor for p in verdict.proposals) <= verdict.owed_minor
    captured = {p.id: p.captured_minor for p in verdict.payments}
    assert all(p.amount_minor <= captured[p.payment] for p in verdict.proposals)


@given(facts, lives)
def test_too_much_money_is_never_silent(found: list[Fact], life: Life) -> None:
    """I14: captures less what is really back above what is due needs an open exception."""
    made = bundle(tuple(found), life)
    verdict = fold(made)
    if verdict.kept_firm_minor > verdict.due_minor:
        assert {f.code for f in findings(made, verdict)} & {"M06", "M07", "M09"}


def test_all_orders_of_a_double_payment_with_refund_end_the_same() -> None:
    told = (
        fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1"),
        fact(Kind.PAYMENT_CAPTURED, "ch_1", amount_minor=TOTAL, currency="INR", at_ms=3_000),
        fact(Kind.PAYMENT_FAILED, "ch_1"),
        fact(Kind.PAYMENT_CAPTURED, "ch_2", amount_minor=TOTAL, currency="INR", at_ms=4_000),
        fact(Kind.PAYMENT_OF_REFERENCE, "ch_2", reference(ORDER, 2)),
        fact(Kind.REFUND_OF_PAYMENT, "re_1", "ch_2"),
        fact(Kind.REFUND_SUCCEEDED, "re_1", amount_minor=TOTAL, currency="INR"),
    )
    ends = {fold(bundle(order)) for order in itertools.permutations(told)}
    assert len(ends) == 1
    end = ends.pop()
    assert (end.money, end.kept_minor, end.captured_minor) == (Money.PAID, TOTAL, 2 * TOTAL)


def test_captured_before_belonging_is_belonging_before_captured() -> None:
    captured = fact(Kind.PAYMENT_CAPTURED, "ch_1", amount_minor=TOTAL, currency="INR", at_ms=3_000)
    belongs = fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1")
    assert fold(bundle((captured,))).money is Money.UNPAID
    assert fold(bundle((captured, belongs))) == fold(bundle((belongs, captured)))
    assert fold(bundle((belongs, captured))).money is Money.PAID


def test_a_late_failed_never_undoes_paid_and_a_late_capture_beats_failed() -> None:
    belongs = fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1")
    failed = fact(Kind.PAYMENT_FAILED, "ch_1")
    captured = fact(Kind.PAYMENT_CAPTURED, "ch_1", amount_minor=TOTAL, currency="INR", at_ms=3_000)
    assert fold(bundle((belongs, captured, failed))).money is Money.PAID
    assert fold(bundle((belongs, failed, captured))).money is Money.PAID


def test_another_currency_never_counts_and_is_flagged() -> None:
    told = (
        fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1"),
        fact(Kind.PAYMENT_CAPTURED, "ch_1", amount_minor=TOTAL, currency="EUR", at_ms=3_000),
    )
    verdict = fold(bundle(told))
    assert (verdict.money, verdict.flags) == (Money.UNPAID, (Flag.CURRENCY,))


def test_a_declined_card_on_an_open_link_leaves_the_order_waiting() -> None:
    made = bundle((fact(Kind.PAYMENT_OF_LINK, "ch_1", "cs_1"), fact(Kind.PAYMENT_FAILED, "ch_1")))
    verdict = fold(made)
    sure = certainty(made.attempts, verdict.in_flight, now_ms=4_000)
    assert shown(State(made.order, verdict, sure, made.attempts)) is Shown.WAITING


def test_unknown_needs_a_late_look_or_failed_looks_not_the_passing_of_time() -> None:
    made = bundle(())
    assert certainty(made.attempts, False, now_ms=5_000) is Certainty.WAITING
    assert certainty(made.attempts, False, now_ms=5_000 + 60_001) is Certainty.UNKNOWN
