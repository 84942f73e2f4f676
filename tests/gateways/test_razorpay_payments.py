"""Razorpay: payments, refunds, disputes and the report, on answers in the shape Razorpay writes them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pos.domain.errors import BadInput
from pos.domain.facts import Fact, Kind, Mode
from pos.domain.money import CURRENCIES, MAX_AMOUNT_MINOR, exponent
from pos.domain.ports import LinkRequest, Outcome, Part, PreparedCall, Reading
from pos.gateways.base import parameters
from pos.gateways.razorpay import amounts
from tests.gateways.cases import RAZORPAY, RAZORPAY_REFUND
from tests.gateways.razorpay_shapes import (
    REFERENCE,
    answer,
    code,
    dispute,
    error,
    link,
    links,
    page,
    paid_link,
    payment,
    recon,
    refund,
    unpaid,
)


def told(reading: Reading, kind: Kind) -> list[Fact]:
    return [fact for fact in reading.facts if fact.kind is kind]


def fetched(body: Any) -> Reading:
    return RAZORPAY.read(RAZORPAY.fetch_payment("pay_1"), answer(body))


@pytest.mark.parametrize(
    ("status", "captured", "kind"),
    [
        ("created", False, Kind.PAYMENT_PENDING),
        ("failed", False, Kind.PAYMENT_FAILED),
        ("authorized", False, Kind.PAYMENT_AUTHORIZED),
        ("captured", True, Kind.PAYMENT_CAPTURED),
        ("refunded", True, Kind.PAYMENT_CAPTURED),
        ("refunded", False, Kind.PAYMENT_VOIDED),
    ],
)
def test_words_of_payments(status: str, captured: bool, kind: Kind) -> None:
    reading = fetched(payment(status=status, captured=captured, fee=None))
    (state,) = reading.facts
    assert (state.kind, state.amount_minor, state.currency, state.mode) == (kind, 1250, "INR", Mode.TEST)


@pytest.mark.parametrize(
    "changes", [{"captured": False}, {"captured": None}, {"amount": 0}, {"status": "settled"}, {"id": "pay_2"}]
)
def test_a_capture_that_contradicts_itself_is_not_understood(changes: dict[str, Any]) -> None:
    reading = fetched(payment(**changes))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


def test_a_fee_in_a_currency_that_is_not_named_is_not_told() -> None:
    assert told(fetched(payment(currency="USD", base_currency="INR")), Kind.PAYMENT_FEE) == []


def test_a_payment_alone_is_tied_to_its_link_by_asking_for_links_that_name_it() -> None:
    call = fetched(payment()).next
    assert call is not None
    assert parameters(call.path) == {"payment_id": "pay_1"}
    other = link(id="plink_9", reference_id="9_1", order_id="order_9", payments=[{"payment_id": "pay_9"}])
    reading = RAZORPAY.read(call, answer(links(other, paid_link())))
    assert [(f.object, f.target) for f in told(reading, Kind.PAYMENT_OF_LINK)] == [("pay_1", "plink_1")]
    assert [f.target for f in told(reading, Kind.PAYMENT_OF_REFERENCE)] == [REFERENCE]
    assert reading.next is not None
    assert reading.next.path.startswith("/v1/payments/pay_1/refunds")


def test_a_list_that_ignores_its_filter_binds_nothing() -> None:
    call = fetched(payment()).next
    assert call is not None
    reading = RAZORPAY.read(call, answer(links(link(id="plink_8"), link(id="plink_9", order_id="order_9"))))
    assert (reading.outcome, reading.facts) == (Outcome.OK, ())


def test_a_payments_own_notes_bind_nothing() -> None:
    """Checkout takes them from the customer's browser: a payment of the web shop would count here a second time."""
    forged = payment(order_id="order_web", notes={"truetill_reference": REFERENCE})
    assert told(fetched(forged), Kind.PAYMENT_OF_REFERENCE) == []
    reported = RAZORPAY.read(RAZORPAY.report(Part.PAYMENTS, 0, 1), answer(page(forged)))
    assert told(reported, Kind.PAYMENT_OF_REFERENCE) == []


def codes_of_payment() -> PreparedCall:
    links_asked = fetched(payment(order_id=None)).next
    assert links_asked is not None
    codes_asked = RAZORPAY.read(links_asked, answer(links())).next
    assert codes_asked is not None
    assert codes_asked.path == "/v1/payments/qr_codes?payment_id=pay_1"
    return codes_asked


def test_a_payment_through_a_upi_code_is_tied_to_it_when_the_code_names_it() -> None:
    first = RAZORPAY.read(codes_of_payment(), answer(page(code())))
    assert first.facts == ()
    assert first.next is not None
    assert first.next.path == "/v1/payments/qr_codes/qr_1/payments?count=100"
    second = RAZORPAY.read(first.next, answer(page(payment(id="pay_0"), payment())))
    bound = {(f.kind, f.object, f.target) for f in second.facts}
    assert bound == {
        (Kind.PAYMENT_OF_LINK, "pay_1", "qr_1"),
        (Kind.PAYMENT_OF_REFERENCE, "pay_1", REFERENCE),
        (Kind.PAYMENT_OF_SHOP, "pay_1", "s/1"),
    }
    assert second.next is not None
    assert second.next.path.startswith("/v1/payments/pay_1/refunds")


def test_a_list_of_codes_that_ignores_its_filter_binds_nothing() -> None:
    """A shop with one code so far: whatever is asked about, the list shows that one."""
    first = RAZORPAY.read(codes_of_payment(), answer(page(code())))
    assert first.next is not None
    second = RAZORPAY.read(first.next, answer(page(payment(id="pay_0"))))
    assert (second.outcome, second.facts) == (Outcome.OK, ())
    two = RAZORPAY.read(codes_of_payment(), answer(page(code(), code(id="qr_2"))))
    assert (two.outcome, two.facts) == (Outcome.OK, ())


@pytest.mark.parametrize("odd", [code(type="bharat_qr"), code(close_reason="another")])
def test_a_code_of_somebody_else_need_not_make_sense(odd: dict[str, Any]) -> None:
    reading = RAZORPAY.read(codes_of_payment(), answer(page(odd)))
    assert (reading.outcome, reading.facts) == (Outcome.OK, ())
    assert reading.next is not None


def test_a_link_of_somebody_else_need_not_make_sense() -> None:
    call = fetched(payment()).next
    assert call is not None
    reading = RAZORPAY.read(call, answer(links(link(status="teleported"), paid_link())))
    assert [f.target for f in told(reading, Kind.PAYMENT_OF_LINK)] == ["plink_1"]


def test_an_account_without_upi_codes_still_tells_what_was_given_back() -> None:
    without = RAZORPAY.read(codes_of_payment(), error(400, "The requested URL was not found on the server."))
    assert without.next is not None
    assert without.next.path.startswith("/v1/payments/pay_1/refunds")


def test_a_payment_that_no_list_knows_still_leads_to_its_refunds() -> None:
    call = fetched(payment(order_id=None)).next
    for wanted in ("/v1/payments/qr_codes?payment_id=pay_1", "/v1/payments/pay_1/refunds?count=100&skip=0"):
        assert call is not None
        reading = RAZORPAY.read(call, error(400, "The id provided does not exist"))
        assert (reading.outcome, reading.facts) == (Outcome.OK, ())
        call = reading.next
        assert call is not None
        assert call.path == wanted


def test_a_capture_that_is_not_done_yet_is_not_taken_as_done() -> None:
    call = RAZORPAY.capture("pay_1", 1250, "INR", "k")
    still = payment(status="authorized", captured=False, fee=None)
    assert RAZORPAY.read(call, answer(still)).outcome is Outcome.UNKNOWN


def test_a_capture_is_for_all_that_was_authorized() -> None:
    call = RAZORPAY.capture("pay_1", 1250, "INR", "k")
    assert json.loads(call.body) == {"amount": 1250, "currency": "INR"}
    assert told(RAZORPAY.read(call, answer(payment())), Kind.PAYMENT_CAPTURED)
    assert RAZORPAY.read(call, answer(payment(amount=1200))).outcome is Outcome.UNKNOWN
    refused = RAZORPAY.read(call, error(400, "This payment has already been captured"))
    assert (refused.outcome, refused.facts) == (Outcome.REFUSED, ())


def test_a_refund_carries_its_key_our_mark_and_its_amount() -> None:
    call = RAZORPAY.refund(RAZORPAY_REFUND)
    assert dict(call.headers)["X-Refund-Idempotency"] == "tt1-refund"
    assert json.loads(call.body) == {
        "amount": 500,
        "speed": "normal",
        "receipt": "rf-1",
        "notes": {"truetill_refund": "rf-1", "truetill_reference": REFERENCE},
    }
    reading = RAZORPAY.read(call, answer(refund()))
    assert (reading.outcome, reading.refund_id) == (Outcome.OK, "rfnd_1")


@pytest.mark.parametrize("changes", [{"amount": 501}, {"payment_id": "pay_2"}, {"notes": []}])
def test_another_refund_than_was_asked_for_is_not_understood(changes: dict[str, Any]) -> None:
    reading = RAZORPAY.read(RAZORPAY.refund(RAZORPAY_REFUND), answer(refund(**changes)))
    assert (reading.outcome, reading.facts, reading.refund_id) == (Outcome.UNKNOWN, (), "")


def test_a_definite_no_to_a_refund_is_a_refund_of_ours_that_failed() -> None:
    call = RAZORPAY.refund(RAZORPAY_REFUND)
    said = "The total refund amount is greater than the refund payment amount"
    reading = RAZORPAY.read(call, error(400, said))
    assert reading.outcome is Outcome.REFUSED
    assert [(f.kind, f.object) for f in reading.facts] == [(Kind.REFUND_FAILED, "rf-1")]
    again = "Different request with the same idempotency key has already been processed."
    reused = RAZORPAY.read(call, error(400, again))
    assert (reused.outcome, reused.facts) == (Outcome.KEY_REUSED, ())


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("pending", Kind.REFUND_PENDING),
        ("processed", Kind.REFUND_SUCCEEDED),
        ("failed", Kind.REFUND_FAILED),
    ],
)
def test_words_of_refunds(status: str, kind: Kind) -> None:
    reading = RAZORPAY.read(RAZORPAY.fetch_refund("rfnd_1"), answer(refund(status=status)))
    assert [f.amount_minor for f in told(reading, kind)] == [500]
    assert [f.target for f in told(reading, Kind.REFUND_OF_PAYMENT)] == ["pay_1"]


@pytest.mark.parametrize(
    ("changes", "kind", "held"),
    [
        ({}, Kind.DISPUTE_OPEN, 1250),
        ({"phase": "retrieval"}, Kind.DISPUTE_OPEN, 0),
        ({"status": "under_review"}, Kind.DISPUTE_OPEN, 1250),
        ({"status": "lost", "amount_deducted": 1000}, Kind.DISPUTE_LOST, 1000),
        ({"status": "lost"}, Kind.DISPUTE_LOST, 1250),
        ({"status": "won"}, Kind.DISPUTE_WON, 1250),
        ({"status": "closed", "phase": "fraud"}, Kind.DISPUTE_WON, 0),
    ],
)
def test_words_of_disputes(changes: dict[str, Any], kind: Kind, held: int) -> None:
    reading = RAZORPAY.read(RAZORPAY.report(Part.DISPUTES, 0, 1), answer(page(dispute(**changes))))
    assert [f.amount_minor for f in told(reading, kind)] == [held]


def rows(first: int, count: int) -> list[dict[str, Any]]:
    return [unpaid("failed", id=f"pay_{number}") for number in range(first, first - count, -1)]


def test_a_page_begins_with_the_last_rows_of_the_one_before() -> None:
    call = RAZORPAY.report(Part.PAYMENTS, 1_000_000, 2_000_001)
    assert parameters(call.path) == {"from": "1000", "to": "2001", "count": "100", "skip": "0"}
    first = RAZORPAY.read(call, answer(page(*rows(500, 100))))
    assert first.next is not None
    assert parameters(first.next.path)["skip"] == "97"
    second = RAZORPAY.read(first.next, answer(page(*rows(403, 40))))
    assert (second.outcome, second.next) == (Outcome.OK, None)


def test_rows_that_shifted_between_two_pages_are_noticed() -> None:
    first = RAZORPAY.read(RAZORPAY.report(Part.PAYMENTS, 0, 1), answer(page(*rows(500, 100))))
    assert first.next is not None
    gone = RAZORPAY.read(first.next, answer(page(*rows(390, 40))))
    assert (gone.outcome, gone.facts) == (Outcome.UNKNOWN, ())
    assert RAZORPAY.read(first.next, answer(page())).outcome is Outcome.UNKNOWN


def test_settlements_are_read_day_by_day_in_indias_time() -> None:
    evening = 1_790_103_600_000  # 22 September 2026, 19:00 UTC: the 23rd in India
    call = RAZORPAY.report(Part.PAYOUTS, evening, evening + 86_400_000)
    asked = parameters(call.path)
    assert (asked["year"], asked["month"], asked["day"]) == ("2026", "09", "23")
    given = recon(entity_id="rfnd_1", type="refund", debit=500, credit=0, amount=500, fee=0)
    waiting = recon(entity_id="pay_2", settled=False, settlement_id=None)
    reading = RAZORPAY.read(call, answer(page(recon(), given, waiting)))
    lines = {f.object: (f.target, f.amount_minor, f.fee_minor) for f in told(reading, Kind.PAYOUT_INCLUDED)}
    assert lines == {"pay_1": ("setl_1", 1250, 30), "rfnd_1": ("setl_1", -500, 0)}
    assert reading.next is not None
    assert parameters(reading.next.path)["day"] == "24"
    assert RAZORPAY.read(reading.next, answer(page())).next is None


def test_refunds_of_one_payment_go_on_over_pages_and_then_to_the_next() -> None:
    tries = RAZORPAY.read(RAZORPAY.fetch("plink_1"), answer(paid_link())).next
    assert tries is not None
    call = RAZORPAY.read(tries, answer(page(payment(), payment(id="pay_2")))).next
    seen: list[str] = []
    pages: list[list[dict[str, Any]]] = [[refund(id=f"rfnd_{n}") for n in range(100)], [refund()]]
    for body in (*pages, [refund(payment_id="pay_2")]):
        assert call is not None
        seen.append(call.path)
        call = RAZORPAY.read(call, answer(page(*body))).next
    assert call is None
    assert seen == [
        "/v1/payments/pay_1/refunds?count=100&skip=0",
        "/v1/payments/pay_1/refunds?count=100&skip=100",
        "/v1/payments/pay_2/refunds?count=100&skip=0",
    ]


@settings(max_examples=500, deadline=None)
@given(currency=st.sampled_from(sorted(CURRENCIES)), amount=st.integers(1, MAX_AMOUNT_MINOR))
def test_money_there_and_back(currency: str, amount: int) -> None:
    """Over all of ISO 4217: an amount Razorpay takes comes back as it was; what it cannot say is refused."""
    request = LinkRequest("k" * 12, REFERENCE, amount, currency, "x", "s", "1", "")
    try:
        call = RAZORPAY.create(request)
    except BadInput:
        assert (
            currency not in amounts.TAKEN
            or (exponent(currency) == 3 and amount % 10)
            or (currency == "INR" and amount < 100)
        )
        return
    sent = json.loads(call.body)
    made = link(amount=sent["amount"], currency=sent["currency"])
    (info,) = RAZORPAY.read(call, answer(made)).links
    assert (info.amount_minor, info.currency) == (amount, currency)
    reading = fetched(payment(amount=sent["amount"], currency=sent["currency"]))
    (captured,) = told(reading, Kind.PAYMENT_CAPTURED)
    assert (captured.amount_minor, captured.currency) == (amount, currency)
    given = RAZORPAY_REFUND._replace(amount_minor=amount, currency=currency)
    assert json.loads(RAZORPAY.refund(given).body)["amount"] == amount


def test_every_unit_razorpay_takes_is_the_one_of_iso_4217() -> None:
    assert {exponent(code) for code in amounts.TWO_DECIMAL} == {2}
    assert {exponent(code) for code in amounts.THREE_DECIMAL} == {3}
    assert {exponent(code) for code in amounts.WITHOUT_DECIMALS} == {0}
