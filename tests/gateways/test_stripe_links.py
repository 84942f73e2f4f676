"""Stripe: making, looking at, finding and closing a link, on answers in the shape Stripe writes them."""

from __future__ import annotations

from typing import Any

import pytest

from pos.domain.errors import BadInput
from pos.domain.facts import Fact, Kind, Mode
from pos.domain.ports import LinkRequest, Operation, Outcome, Reading
from pos.gateways.base import parameters
from pos.gateways.stripe.adapter import StripeAdapter
from tests.gateways.stripe_shapes import (
    CREATED_S,
    REFERENCE,
    answer,
    charge,
    dispute,
    error,
    failed,
    intent,
    listed,
    paid,
    refund,
    session,
)

STRIPE = StripeAdapter(account="acct_1", mode=Mode.TEST)
REQUEST = LinkRequest("tt1-key", REFERENCE, 1250, "EUR", "Order 17", "shop-1", "1", "https://relay.example/return/1")


def fetched(body: Any) -> Reading:
    return STRIPE.read(STRIPE.fetch("cs_test_1"), answer(body))


def told(reading: Reading, kind: Kind) -> list[Fact]:
    return [fact for fact in reading.facts if fact.kind is kind]


def kinds(reading: Reading) -> set[str]:
    return {fact.kind.value for fact in reading.facts}


def test_a_link_is_asked_for_with_exact_amount_marks_and_key() -> None:
    call = STRIPE.create(REQUEST)
    sent = parameters(call.body)
    assert (call.method, call.path) == ("POST", "/v1/checkout/sessions")
    assert dict(call.headers)["Idempotency-Key"] == "tt1-key"
    assert dict(call.headers)["Stripe-Version"] == "2026-08-26.dahlia"
    assert sent["line_items[0][price_data][unit_amount]"] == "1250"
    assert sent["line_items[0][price_data][currency]"] == "eur"
    assert sent["payment_method_types[]"] == "card"
    assert sent["client_reference_id"] == REFERENCE
    assert sent["metadata[truetill_reference]"] == REFERENCE
    assert sent["payment_intent_data[metadata][truetill_reference]"] == REFERENCE
    assert sent["payment_intent_data[metadata][truetill_shop]"] == "shop-1"
    assert sent["adaptive_pricing[enabled]"] == "false"
    assert "expires_at" not in sent
    assert not any("authorization" in name.lower() for name, _ in call.headers)


def test_the_same_request_is_the_same_bytes() -> None:
    assert STRIPE.create(REQUEST) == STRIPE.create(REQUEST)


def test_an_expiry_is_sent_in_seconds() -> None:
    call = STRIPE.create(REQUEST._replace(expires_at_ms=1_790_000_000_999))
    assert parameters(call.body)["expires_at"] == "1790000000"


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 49},
        {"amount_minor": 0},
        {"amount_minor": -1},
        {"currency": "KWD", "amount_minor": 5001},
        {"currency": "UGX", "amount_minor": 5000},
        {"currency": "MGA", "amount_minor": 5050},
        {"return_url": ""},
        {"reference": ""},
        {"reference": "x" * 201},
    ],
)
def test_what_stripe_cannot_take_is_refused_before_any_call(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        STRIPE.create(REQUEST._replace(**changes))
    assert refused.value.title
    assert refused.value.hint


def test_a_made_link_is_shown_with_its_page_and_no_look() -> None:
    reading = STRIPE.read(STRIPE.create(REQUEST), answer(session()))
    (link,) = reading.links
    assert reading.outcome is Outcome.OK
    assert (link.id, link.state, link.reference) == ("cs_test_1", "open", REFERENCE)
    assert link.url.startswith("https://checkout.stripe.com/")
    assert link.expires_at_ms == (CREATED_S + 86_400) * 1000
    assert not link.complete_look
    assert kinds(reading) == {"link.opened"}


@pytest.mark.parametrize(
    "changes",
    [{"client_reference_id": "other_1"}, {"amount_total": 1251}, {"currency": "usd"}, {"client_reference_id": None}],
)
def test_another_link_than_asked_for_is_not_understood(changes: dict[str, Any]) -> None:
    reading = STRIPE.read(STRIPE.create(REQUEST), answer(session(**changes)))
    assert (reading.outcome, reading.facts, reading.links) == (Outcome.UNKNOWN, (), ())


def test_a_link_made_in_the_other_mode_is_never_shown() -> None:
    reading = STRIPE.read(STRIPE.create(REQUEST), answer(session(livemode=True)))
    assert (reading.outcome, reading.links, reading.mode) == (Outcome.UNKNOWN, (), Mode.LIVE)
    assert [fact.mode for fact in reading.facts] == [Mode.LIVE]


def test_an_open_link_nobody_tried() -> None:
    reading = fetched(session())
    assert (reading.links[0].state, reading.links[0].complete_look) == ("open", True)
    assert kinds(reading) == {"link.opened"}


def test_a_paid_link_tells_its_charge_bindings_and_fee() -> None:
    reading = fetched(paid())
    (captured,) = told(reading, Kind.PAYMENT_CAPTURED)
    assert (captured.object, captured.amount_minor, captured.currency) == ("ch_1", 1250, "EUR")
    assert captured.at_ms == (CREATED_S + 60) * 1000
    assert (captured.gateway, captured.account, captured.mode) == ("stripe", "acct_1", Mode.TEST)
    assert [fact.target for fact in told(reading, Kind.PAYMENT_OF_LINK)] == ["cs_test_1"]
    assert [fact.target for fact in told(reading, Kind.PAYMENT_OF_REFERENCE)] == [REFERENCE]
    assert [(fact.amount_minor, fact.currency) for fact in told(reading, Kind.PAYMENT_FEE)] == [(45, "EUR")]
    assert (reading.links[0].state, reading.links[0].complete_look) == ("closed", True)
    assert reading.next is None


def test_objects_keep_their_own_mode() -> None:
    live = paid(livemode=True, payment_intent=intent(charge(livemode=True), livemode=True))
    reading = fetched(live)
    assert reading.mode is Mode.LIVE
    assert {fact.mode for fact in reading.facts} == {Mode.LIVE}


def test_a_declined_try_on_an_open_link() -> None:
    reading = fetched(session(payment_intent=intent(failed(), "requires_payment_method")))
    assert (reading.links[0].state, reading.links[0].complete_look) == ("open", True)
    bindings = {"payment.of.link", "payment.of.reference", "payment.of.shop"}
    assert kinds(reading) == {"link.opened", "payment.failed", *bindings}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (charge(status="pending", captured=False, amount_captured=0), "payment.pending"),
        (charge(captured=False, amount_captured=0), "payment.authorized"),
        (charge(captured=False, amount_captured=0, refunded=True), "payment.voided"),
        (failed(), "payment.failed"),
        (charge(), "payment.captured"),
    ],
)
def test_every_state_of_a_charge_has_its_fact(body: dict[str, Any], expected: str) -> None:
    status = {"payment.pending": "processing", "payment.authorized": "requires_capture"}.get(expected, "succeeded")
    assert expected in kinds(fetched(paid(payment_intent=intent(body, status))))


def test_a_cancelled_intent_lets_its_uncaptured_charge_go() -> None:
    uncaptured = charge(captured=False, amount_captured=0)
    reading = fetched(session(status="expired", payment_intent=intent(uncaptured, "canceled")))
    assert "payment.voided" in kinds(reading)
    assert reading.links[0].complete_look


@pytest.mark.parametrize(
    "body",
    [
        paid(payment_status="unpaid", payment_intent=intent(None, "processing")),
        paid(payment_intent=None),
        paid(payment_intent="pi_1"),
        paid(payment_intent=intent("ch_1")),
        paid(payment_intent=intent(failed(), "processing")),
        session(status="expired", payment_intent=intent(None, "requires_action")),
    ],
    ids=["processing", "no intent", "intent not shown", "charge not shown", "a second try runs", "at the bank"],
)
def test_a_look_that_may_hide_a_payment_is_not_complete(body: dict[str, Any]) -> None:
    reading = fetched(body)
    assert reading.outcome is Outcome.OK
    assert not reading.links[0].complete_look
    assert not told(reading, Kind.PAYMENT_CAPTURED)


def test_complete_but_unpaid_says_closed_and_pending() -> None:
    waiting = charge(status="pending", captured=False, amount_captured=0, balance_transaction=None)
    reading = fetched(paid(payment_status="unpaid", payment_intent=intent(waiting, "processing")))
    assert {"link.closed", "payment.pending"} <= kinds(reading)
    assert reading.links[0].complete_look


def test_refunds_come_with_the_look() -> None:
    given_back = charge(refunds=listed(refund(), refund(id="re_2", status="pending", metadata={})))
    reading = fetched(paid(payment_intent=intent(given_back)))
    assert {"refund.succeeded", "refund.pending"} <= kinds(reading)
    assert [(f.object, f.target) for f in told(reading, Kind.REFUND_OF_OURS)] == [("re_1", "rf-1")]
    assert {f.target for f in told(reading, Kind.REFUND_OF_PAYMENT)} == {"ch_1"}


def test_more_refunds_and_disputes_are_read_in_further_calls() -> None:
    many = charge(refunds=listed(refund(), more=True), disputed=True)
    first = fetched(paid(payment_intent=intent(many)))
    assert first.next is not None
    assert first.next.path.startswith("/v1/refunds?")
    assert parameters(first.next.path)["payment_intent"] == "pi_1"
    second = STRIPE.read(first.next, answer(listed(refund(id="re_2", charge=charge()))))
    assert "refund.succeeded" in kinds(second)
    assert second.next is not None
    assert second.next.path.startswith("/v1/disputes?")
    third = STRIPE.read(second.next, answer(listed(dispute())))
    assert [(f.amount_minor, f.fee_minor) for f in told(third, Kind.DISPUTE_OPEN)] == [(1250, 1500)]
    assert third.next is None


def test_an_answer_about_another_link_is_not_understood() -> None:
    assert fetched(paid(id="cs_test_2")).outcome is Outcome.UNKNOWN
    assert fetched(paid(id="cs_test_2")).facts == ()


def test_a_charge_of_another_intent_is_not_understood() -> None:
    reading = fetched(paid(payment_intent=intent(charge(payment_intent="pi_2"))))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


def test_a_refund_of_another_charge_is_not_understood() -> None:
    mixed = charge(refunds=listed(refund(charge="ch_2")))
    reading = fetched(paid(payment_intent=intent(mixed)))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


def test_finding_reads_exactly_our_reference_and_pages() -> None:
    call = STRIPE.find(REFERENCE, 1_790_000_000_500, 1_790_000_060_500)
    asked = parameters(call.path)
    assert (asked["created[gte]"], asked["created[lte]"]) == ("1790000000", "1790000061")
    foreign = {"id": "cs_test_9", "client_reference_id": REFERENCE + "0", "status": "a new word"}
    reading = STRIPE.read(call, answer(listed(foreign, paid(), more=True)))
    assert [link.id for link in reading.links] == ["cs_test_1"]
    assert "payment.captured" in kinds(reading)
    assert reading.rows == 2
    assert reading.next is not None
    assert parameters(reading.next.path)["starting_after"] == "cs_test_1"
    last = STRIPE.read(reading.next, answer(listed()))
    assert (last.outcome, last.links, last.next) == (Outcome.OK, (), None)


def test_closing_looks_again_and_has_no_key() -> None:
    call = STRIPE.close("cs_test_1")
    assert call.path == "/v1/checkout/sessions/cs_test_1/expire"
    assert "Idempotency-Key" not in dict(call.headers)
    reading = STRIPE.read(call, answer(session(status="expired", url=None)))
    assert (reading.links[0].state, reading.links[0].complete_look) == ("expired", True)
    assert kinds(reading) == {"link.expired"}


def test_closing_what_is_not_open_any_more_means_fetch_it() -> None:
    said = 'Only Checkout Sessions with a status in ["open"] can be expired.'
    assert STRIPE.read(STRIPE.close("cs_test_1"), error(400, said)).outcome is Outcome.GONE


def test_an_id_cannot_reach_another_resource() -> None:
    assert STRIPE.fetch("cs_1/../../refunds?x").path.startswith("/v1/checkout/sessions/cs_1%2F..%2F..%2Frefunds%3Fx?")


def test_who_am_i() -> None:
    body = {"id": "acct_9", "object": "account", "settings": {"dashboard": {"display_name": "Corner Shop"}}}
    reading = STRIPE.read(STRIPE.whoami(), answer(body))
    assert (reading.outcome, reading.account, reading.account_name) == (Outcome.OK, "acct_9", "Corner Shop")
    assert STRIPE.with_account("acct_9").account == "acct_9"


@pytest.mark.parametrize(
    ("status", "kind", "code", "expected"),
    [
        (400, "invalid_request_error", None, Outcome.REFUSED),
        (402, "card_error", "card_declined", Outcome.REFUSED),
        (401, "invalid_request_error", None, Outcome.UNAUTHORIZED),
        (403, "invalid_request_error", None, Outcome.UNAUTHORIZED),
        (404, "invalid_request_error", "resource_missing", Outcome.NOT_FOUND),
        (409, "idempotency_error", "idempotency_key_in_use", Outcome.BUSY),
        (400, "invalid_request_error", "lock_timeout", Outcome.BUSY),
        (400, "idempotency_error", None, Outcome.KEY_REUSED),
        (400, "api_error", None, Outcome.UNKNOWN),
        (400, "a_new_kind", None, Outcome.UNKNOWN),
        (500, "api_error", None, Outcome.UNKNOWN),
        (503, "api_error", None, Outcome.UNKNOWN),
        (302, "api_error", None, Outcome.UNKNOWN),
    ],
)
def test_error_answers(status: int, kind: str, code: str | None, expected: Outcome) -> None:
    reading = STRIPE.read(STRIPE.create(REQUEST), error(status, "said sk_test_abc123", code, kind))
    assert (reading.outcome, reading.facts) == (expected, ())
    assert "sk_test" not in reading.message


@pytest.mark.parametrize(
    ("value", "expected"), [("7", 7.0), ("99999", 3600.0), ("nan", None), ("-1", None), ("", None)]
)
def test_too_many_requests(value: str, expected: float | None) -> None:
    reading = STRIPE.read(STRIPE.whoami(), answer(b"slow down", 429, (("retry-after", value),)))
    assert (reading.outcome, reading.retry_after_s) == (Outcome.BUSY, expected)


@pytest.mark.parametrize("status", [401, 403, 404, 400, 402])
def test_a_captive_portal_says_nothing_about_a_payment(status: int) -> None:
    reading = STRIPE.read(STRIPE.fetch("cs_test_1"), answer(b"<html>log in to the wifi</html>", status))
    assert reading.outcome is Outcome.UNKNOWN


def test_operations_are_named() -> None:
    assert STRIPE.find(REFERENCE, 0, 1).operation is Operation.FIND
    assert STRIPE.close("x").operation is Operation.CLOSE
