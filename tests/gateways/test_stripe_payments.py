"""Stripe: single payments, captures, refunds and disputes, on answers in the shape Stripe writes them."""

from __future__ import annotations

from typing import Any

import pytest

from pos.domain.errors import BadInput
from pos.domain.facts import Fact, Kind, Mode
from pos.domain.ports import Outcome, Reading, RefundRequest
from pos.gateways.base import parameters
from pos.gateways.stripe.adapter import StripeAdapter
from tests.gateways.stripe_shapes import (
    CREATED_S,
    REFERENCE,
    answer,
    balance,
    charge,
    dispute,
    error,
    failed,
    intent,
    listed,
    paid,
    refund,
)

STRIPE = StripeAdapter(account="acct_1", mode=Mode.TEST)
REFUND = RefundRequest("tt1-refund", "rf-1", "ch_1", 500, "EUR", REFERENCE)


def told(reading: Reading, kind: Kind) -> list[Fact]:
    return [fact for fact in reading.facts if fact.kind is kind]


def kinds(reading: Reading) -> set[str]:
    return {fact.kind.value for fact in reading.facts}


def payment(body: Any) -> Reading:
    return STRIPE.read(STRIPE.fetch_payment("ch_1"), answer(body))


def test_a_payment_names_our_reference_and_leads_to_its_link() -> None:
    first = payment(charge(payment_intent=intent("ch_1")))
    assert {"payment.captured", "payment.of.reference", "payment.fee"} <= kinds(first)
    assert first.next is not None
    assert first.next.path.startswith("/v1/checkout/sessions?")
    assert parameters(first.next.path)["payment_intent"] == "pi_1"
    second = STRIPE.read(first.next, answer(listed(paid())))
    assert [(f.object, f.target) for f in told(second, Kind.PAYMENT_OF_LINK)] == [("ch_1", "cs_test_1")]
    assert [link.state for link in second.links] == ["closed"]
    assert second.next is None


def test_an_earlier_failed_try_is_bound_to_the_link_too() -> None:
    first = payment(failed())
    assert first.next is not None
    second = STRIPE.read(first.next, answer(listed(paid(payment_intent=intent(charge(id="ch_2"))))))
    assert {(f.object, f.target) for f in told(second, Kind.PAYMENT_OF_LINK)} == {
        ("ch_1", "cs_test_1"),
        ("ch_2", "cs_test_1"),
    }


def test_a_session_of_another_intent_binds_nothing_of_ours() -> None:
    first = payment(charge())
    assert first.next is not None
    elsewhere = paid(payment_intent=intent(charge(id="ch_8", payment_intent="pi_8"), id="pi_8"))
    second = STRIPE.read(first.next, answer(listed(elsewhere)))
    assert "ch_1" not in {f.object for f in told(second, Kind.PAYMENT_OF_LINK)}


def test_the_way_from_a_payment_passes_refunds_and_disputes() -> None:
    step = payment(charge(refunds=listed(refund(), more=True), disputed=True))
    seen = []
    for body in (listed(refund(id="re_11")), listed(dispute()), listed(paid())):
        assert step.next is not None
        seen.append(step.next.path.partition("?")[0])
        step = STRIPE.read(step.next, answer(body))
        assert step.outcome is Outcome.OK
    assert seen == ["/v1/refunds", "/v1/disputes", "/v1/checkout/sessions"]
    assert step.next is None


def test_a_foreign_payment_without_marks_or_intent_is_told_too() -> None:
    reading = payment(charge(metadata={}, payment_intent=None))
    assert "payment.captured" in kinds(reading)
    assert not told(reading, Kind.PAYMENT_OF_REFERENCE)
    assert reading.next is None


def test_an_answer_about_another_payment_is_not_understood() -> None:
    assert (payment(charge(id="ch_2")).outcome, payment(charge(id="ch_2")).facts) == (Outcome.UNKNOWN, ())


def test_a_payment_that_bounced_after_success_is_reversed() -> None:
    reading = payment(failed(failure_balance_transaction="txn_5"))
    assert [fact.amount_minor for fact in told(reading, Kind.PAYMENT_REVERSED)] == [1250]


def test_a_fee_may_be_in_another_currency_than_the_payment() -> None:
    reading = payment(charge(balance_transaction=balance(currency="usd", fee=51)))
    assert [(f.amount_minor, f.currency) for f in told(reading, Kind.PAYMENT_FEE)] == [(51, "USD")]


def test_captured_counts_what_was_captured_not_what_was_allowed() -> None:
    assert told(payment(charge(amount_captured=1000)), Kind.PAYMENT_CAPTURED)[0].amount_minor == 1000
    assert payment(charge(amount_captured=0)).outcome is Outcome.UNKNOWN


def test_capturing_goes_through_the_intent_with_our_key() -> None:
    first = STRIPE.capture("ch_1", 1250, "EUR", "tt1-cap")
    looked = STRIPE.read(first, answer(charge(captured=False, amount_captured=0)))
    assert "payment.authorized" in kinds(looked)
    call = looked.next
    assert call is not None
    assert (call.method, call.path) == ("POST", "/v1/payment_intents/pi_1/capture")
    assert dict(call.headers)["Idempotency-Key"] == "tt1-cap"
    assert parameters(call.body)["amount_to_capture"] == "1250"
    done = STRIPE.read(call, answer(intent(charge())))
    assert [fact.amount_minor for fact in told(done, Kind.PAYMENT_CAPTURED)] == [1250]
    other = STRIPE.read(call, answer(intent(charge(payment_intent="pi_2"), id="pi_2")))
    assert (other.outcome, other.facts) == (Outcome.UNKNOWN, ())


def test_capturing_what_is_captured_already_only_tells_so() -> None:
    reading = STRIPE.read(STRIPE.capture("ch_1", 1250, "EUR", "k"), answer(charge()))
    assert (reading.outcome, reading.next) == (Outcome.OK, None)
    assert "payment.captured" in kinds(reading)


def test_a_refund_is_asked_for_with_our_marks_and_key() -> None:
    call = STRIPE.refund(REFUND)
    sent = parameters(call.body)
    assert (sent["charge"], sent["amount"]) == ("ch_1", "500")
    assert (sent["metadata[truetill_refund]"], sent["metadata[truetill_reference]"]) == ("rf-1", REFERENCE)
    assert dict(call.headers)["Idempotency-Key"] == "tt1-refund"
    with pytest.raises(BadInput):
        STRIPE.refund(RefundRequest("k", "rf-1", "ch_1", 0, "EUR"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("pending", Kind.REFUND_PENDING),
        ("requires_action", Kind.REFUND_PENDING),
        ("succeeded", Kind.REFUND_SUCCEEDED),
        ("failed", Kind.REFUND_FAILED),
        ("canceled", Kind.REFUND_FAILED),
    ],
)
def test_every_state_of_a_refund_has_its_fact(status: str, kind: Kind) -> None:
    reading = STRIPE.read(STRIPE.refund(REFUND), answer(refund(status=status)))
    (fact,) = told(reading, kind)
    assert (fact.object, fact.amount_minor, fact.at_ms) == ("re_1", 500, (CREATED_S + 600) * 1000)
    assert [f.target for f in told(reading, Kind.REFUND_OF_OURS)] == ["rf-1"]
    assert [f.target for f in told(reading, Kind.REFUND_OF_PAYMENT)] == ["ch_1"]
    assert reading.refund_id == "re_1"


@pytest.mark.parametrize(
    "changes", [{"amount": 501}, {"charge": "ch_2"}, {"metadata": {}}, {"charge": None}, {"status": "odd"}]
)
def test_another_refund_than_asked_for_is_not_understood(changes: dict[str, Any]) -> None:
    reading = STRIPE.read(STRIPE.refund(REFUND), answer(refund(**changes)))
    assert (reading.outcome, reading.facts, reading.refund_id) == (Outcome.UNKNOWN, (), "")


def test_a_definite_no_to_our_refund_is_a_failed_refund_of_ours() -> None:
    reading = STRIPE.read(STRIPE.refund(REFUND), error(400, "already refunded", "charge_already_refunded"))
    assert reading.outcome is Outcome.REFUSED
    assert [(fact.kind, fact.object) for fact in reading.facts] == [(Kind.REFUND_FAILED, "rf-1")]


@pytest.mark.parametrize("status", [401, 404, 409, 429, 500, 503])
def test_what_is_no_definite_no_fails_no_refund(status: int) -> None:
    reading = STRIPE.read(STRIPE.refund(REFUND), error(status))
    assert reading.outcome is not Outcome.REFUSED
    assert reading.facts == ()


def test_a_fetched_refund_takes_its_mode_from_its_charge() -> None:
    call = STRIPE.fetch_refund("re_1")
    reading = STRIPE.read(call, answer(refund(charge=charge(livemode=True))))
    assert {fact.mode for fact in reading.facts} == {Mode.LIVE}
    assert {"refund.succeeded", "payment.captured"} <= kinds(reading)
    assert STRIPE.read(call, answer(refund(id="re_2"))).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("status", "kind", "amount"),
    [
        ("needs_response", Kind.DISPUTE_OPEN, 1250),
        ("under_review", Kind.DISPUTE_OPEN, 1250),
        ("warning_needs_response", Kind.DISPUTE_OPEN, 0),
        ("warning_closed", Kind.DISPUTE_WON, 0),
        ("won", Kind.DISPUTE_WON, 1250),
        ("lost", Kind.DISPUTE_LOST, 1250),
    ],
)
def test_every_state_of_a_dispute_has_its_fact(status: str, kind: Kind, amount: int) -> None:
    first = payment(charge(disputed=True))
    assert first.next is not None
    reading = STRIPE.read(first.next, answer(listed(dispute(status=status))))
    assert [fact.amount_minor for fact in told(reading, kind)] == [amount]
    assert [fact.target for fact in told(reading, Kind.DISPUTE_OF_PAYMENT)] == ["ch_1"]
