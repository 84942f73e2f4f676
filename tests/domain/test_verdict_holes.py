"""Holes in the verdict that were found by looking for them."""

from __future__ import annotations

from pos.domain.facts import Kind, Mode
from pos.domain.payment import reference
from pos.domain.verdict import Flag, Money, fold
from tests.domain import strategies
from tests.domain.strategies import ORDER, TOTAL, fact

CAPTURE = fact(Kind.PAYMENT_CAPTURED, "ch_9", amount_minor=TOTAL, currency="INR", at_ms=3_000)


def test_a_payment_of_another_mode_or_account_never_counts_even_without_its_attempt() -> None:
    """Its reference names an attempt that is not here: the order's other attempts say which account is ours."""
    tie = fact(Kind.PAYMENT_OF_REFERENCE, "ch_9", reference(ORDER, 9))
    for wrong in ({"mode": Mode.LIVE}, {"account": "acct_other"}):
        facts = tuple(f._replace(**wrong) for f in (CAPTURE, tie))  # type: ignore[arg-type]
        verdict = fold(strategies.bundle(facts))
        assert (verdict.money, Flag.ACCOUNT in verdict.flags) == (Money.UNPAID, True)
    assert fold(strategies.bundle((CAPTURE, tie))).money is Money.PAID


def test_what_was_given_back_to_a_payment_of_another_order_is_not_this_orders() -> None:
    """A manager tied the payment to this order; the gateway says that it is another's."""
    attached = fact(Kind.PAYMENT_ATTACHED, "ch_9", reference(ORDER, 1))
    theirs = fact(Kind.PAYMENT_OF_REFERENCE, "ch_9", reference(ORDER[:-1] + "2", 1))
    refund = fact(Kind.REFUND_SUCCEEDED, "re_9", amount_minor=TOTAL, currency="INR")
    dispute = fact(Kind.DISPUTE_OPEN, "dp_9", amount_minor=TOTAL, currency="INR")
    ties = (fact(Kind.REFUND_OF_PAYMENT, "re_9", "ch_9"), fact(Kind.DISPUTE_OF_PAYMENT, "dp_9", "ch_9"))
    verdict = fold(strategies.bundle((CAPTURE, attached, theirs, refund, dispute, *ties)))
    assert (verdict.returned_minor, verdict.refunded_minor, verdict.flags) == (0, 0, ())


def test_a_capture_that_two_events_tell_of_is_one_payment() -> None:
    """One with a second of its own, one with half the amount: one payment, the larger amount, and somebody looks."""
    tie = fact(Kind.PAYMENT_OF_LINK, "ch_9", "cs_1")
    later = CAPTURE._replace(at_ms=3_001)
    verdict = fold(strategies.bundle((CAPTURE, later, tie)))
    assert (verdict.money, verdict.captured_minor, Flag.AMOUNT in verdict.flags) == (Money.PAID, TOTAL, False)
    half = CAPTURE._replace(amount_minor=TOTAL // 2)
    verdict = fold(strategies.bundle((half, CAPTURE, tie)))
    assert (verdict.money, verdict.captured_minor, Flag.AMOUNT in verdict.flags) == (Money.PAID, TOTAL, True)


def test_money_that_counts_is_in_the_orders_currency_whatever_else_was_said_of_the_payment() -> None:
    """Also where the other currency's fact sorts before it."""
    for payment in (f"ch_{n}" for n in range(20)):
        tie = fact(Kind.PAYMENT_OF_LINK, payment, "cs_1")
        captures = [
            fact(Kind.PAYMENT_CAPTURED, payment, amount_minor=TOTAL, currency=currency, at_ms=3_000)
            for currency in ("EUR", "INR")
        ]
        folded = fold(strategies.bundle((tie, *captures))).payments
        assert [(p.counts, p.captured_minor, p.currency) for p in folded] == [(True, TOTAL, "INR")]
