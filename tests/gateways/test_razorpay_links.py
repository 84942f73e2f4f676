"""Razorpay: making, looking at, finding and closing links and UPI codes, on answers in Razorpay's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pos.domain.errors import BadInput
from pos.domain.facts import Fact, Kind
from pos.domain.ports import Outcome, PreparedCall, Reading
from pos.gateways.base import parameters
from tests.gateways.cases import RAZORPAY, RAZORPAY_REQUEST, UPI_REQUEST
from tests.gateways.razorpay_shapes import (
    CREATED_S,
    REFERENCE,
    answer,
    code,
    error,
    link,
    links,
    page,
    paid_link,
    payment,
    refund,
    unpaid,
)

UPI_TEXT = code()["image_content"]


def looked(first: Any, *more: Any, call: PreparedCall | None = None) -> list[Reading]:
    """A look: the first answer, and the answers to what it leads to."""
    readings: list[Reading] = []
    asked: PreparedCall | None = call or RAZORPAY.fetch("plink_1")
    for body in (first, *more):
        assert asked is not None
        readings.append(RAZORPAY.read(asked, answer(body)))
        asked = readings[-1].next
    return readings


def told(readings: list[Reading], kind: Kind) -> list[Fact]:
    return [fact for reading in readings for fact in reading.facts if fact.kind is kind]


def test_a_link_is_asked_for_with_exact_amount_and_marks_and_nothing_is_sent_to_the_customer() -> None:
    call = RAZORPAY.create(RAZORPAY_REQUEST._replace(expires_at_ms=1_790_000_960_999))
    sent = json.loads(call.body)
    assert (call.method, call.path, call.key) == ("POST", "/v1/payment_links", "tt1-key-key")
    assert [name for name, _ in call.headers] == ["Content-Type"]  # there is no idempotency key for links
    assert sent == {
        "amount": 1250,
        "currency": "INR",
        "accept_partial": False,
        "reference_id": REFERENCE,
        "description": "Order 17",
        "notify": {"sms": False, "email": False},
        "reminder_enable": False,
        "notes": {"truetill_reference": REFERENCE, "truetill_shop": "shop-1", "truetill_till": "1"},
        "callback_url": "https://relay.example/return/1",
        "callback_method": "get",
        "expire_by": 1_790_000_960,
    }


def test_a_upi_code_is_asked_for_once_and_for_exactly_this_amount() -> None:
    call = RAZORPAY.create(UPI_REQUEST)
    sent = json.loads(call.body)
    assert call.path == "/v1/payments/qr_codes"
    assert (sent["usage"], sent["fixed_amount"], sent["payment_amount"]) == ("single_use", True, 1250)
    assert sent["notes"]["truetill_reference"] == REFERENCE


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_minor": 99},
        {"amount_minor": 0},
        {"currency": "XAU"},
        {"currency": "MGA"},
        {"currency": "KWD", "amount_minor": 1251},
        {"reference": "x" * 41},
        {"reference": ""},
        {"collect": "upi", "currency": "USD"},
    ],
)
def test_what_razorpay_would_refuse_is_refused_before_it_is_asked(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        RAZORPAY.create(RAZORPAY_REQUEST._replace(**changes))


def test_a_new_link_is_open_and_never_a_complete_look() -> None:
    reading = RAZORPAY.read(RAZORPAY.create(RAZORPAY_REQUEST), answer(link()))
    (info,) = reading.links
    assert (info.id, info.state, info.url, info.reference) == ("plink_1", "open", "https://rzp.io/i/abc", REFERENCE)
    assert (info.amount_minor, info.currency, info.complete_look) == (1250, "INR", False)
    assert info.expires_at_ms == (CREATED_S + 960) * 1000


@pytest.mark.parametrize("changes", [{"amount": 1251}, {"currency": "USD"}, {"reference_id": "other_1"}])
def test_another_link_than_was_asked_for_is_not_understood(changes: dict[str, Any]) -> None:
    reading = RAZORPAY.read(RAZORPAY.create(RAZORPAY_REQUEST), answer(link(**changes)))
    assert (reading.outcome, reading.links, reading.facts) == (Outcome.UNKNOWN, (), ())


def test_a_upi_code_shows_its_text_when_it_asks_for_exactly_the_amount() -> None:
    reading = RAZORPAY.read(RAZORPAY.create(UPI_REQUEST), answer(code()))
    (info,) = reading.links
    assert (info.id, info.state, info.url) == ("qr_1", "open", UPI_TEXT)


@pytest.mark.parametrize(
    "text",
    [
        UPI_TEXT.replace("am=12.5", "am=12.51"),
        UPI_TEXT.replace("am=12.5", "am=1e1"),
        UPI_TEXT.replace("&am=12.5", ""),
        UPI_TEXT + "&am=1",
        UPI_TEXT + "&AM=1",
        UPI_TEXT + "&PA=someone.else@icic",
        UPI_TEXT + "&mam=1",
        UPI_TEXT.replace("cu=INR", "cu=USD"),
        UPI_TEXT.replace("pa=rzr.shop@icic", "pa="),
        UPI_TEXT.replace("upi://pay", "https://evil.example"),
        UPI_TEXT.replace("upi://pay", "upi://mandate"),
    ],
)
def test_a_upi_text_for_anything_else_is_not_shown(text: str) -> None:
    reading = RAZORPAY.read(RAZORPAY.create(UPI_REQUEST), answer(code(image_content=text)))
    assert (reading.outcome, reading.links) == (Outcome.UNKNOWN, ())


def test_an_account_whose_codes_are_pictures_gets_a_code_without_text_and_is_told_so() -> None:
    reading = RAZORPAY.read(RAZORPAY.create(UPI_REQUEST), answer(code(image_content=None)))
    assert (reading.outcome, reading.links[0].url) == (Outcome.OK, "")
    assert "pictures only" in reading.message


def test_an_unpaid_link_is_looked_at_in_one_call() -> None:
    (reading,) = looked(link())
    assert reading.next is None
    assert (reading.links[0].state, reading.links[0].complete_look) == ("open", True)
    assert [fact.kind for fact in reading.facts] == [Kind.LINK_OPENED]


def test_a_paid_link_leads_to_the_payments_of_its_order_and_to_what_was_given_back() -> None:
    readings = looked(paid_link(), page(payment(), unpaid("failed", id="pay_0")), page(refund()))
    first, second, third = readings
    assert (first.links[0].state, first.links[0].complete_look) == ("closed", False)
    assert (second.links[0].state, second.links[0].complete_look) == ("closed", True)
    assert third.next is None
    (captured,) = told(readings, Kind.PAYMENT_CAPTURED)
    assert (captured.object, captured.amount_minor, captured.currency) == ("pay_1", 1250, "INR")
    assert captured.at_ms == (CREATED_S + 60) * 1000
    assert {f.target for f in told(readings, Kind.PAYMENT_OF_LINK)} == {"plink_1"}
    assert {f.target for f in told(readings, Kind.PAYMENT_OF_REFERENCE)} == {REFERENCE}
    assert [f.object for f in told(readings, Kind.PAYMENT_FAILED)] == ["pay_0"]
    assert [f.amount_minor for f in told(readings, Kind.PAYMENT_FEE)] == [30]
    assert [f.target for f in told(readings, Kind.REFUND_OF_OURS)] == ["rf-1"]


def test_a_link_called_paid_without_a_payment_that_is_captured_is_no_complete_look() -> None:
    _, second = looked(paid_link(), page(unpaid("authorized")))
    assert not second.links[0].complete_look
    assert [fact.kind for fact in second.facts if fact.kind is Kind.PAYMENT_AUTHORIZED]


def test_a_cancelled_link_with_a_payment_on_its_way_shows_it() -> None:
    readings = looked(link(status="cancelled", order_id="order_1"), page(unpaid("created")))
    assert (readings[1].links[0].state, readings[1].links[0].complete_look) == ("expired", True)
    assert told(readings, Kind.PAYMENT_PENDING)


def test_a_list_that_says_it_is_longer_than_it_is_makes_no_complete_look() -> None:
    more = page(unpaid("failed")) | {"count": 2}
    assert looked(paid_link(status="cancelled"), more)[1].links[0].complete_look is False


def test_a_payment_of_another_order_spoils_the_list() -> None:
    _, second = looked(paid_link(), page(payment(order_id="order_2")))
    assert (second.outcome, second.facts) == (Outcome.UNKNOWN, ())


def test_another_link_than_was_looked_at_is_not_understood() -> None:
    (reading,) = looked(link(id="plink_2"))
    assert reading.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("status", "state", "kind"),
    [
        ("created", "open", Kind.LINK_OPENED),
        ("partially_paid", "open", Kind.LINK_OPENED),
        ("paid", "closed", Kind.LINK_CLOSED),
        ("cancelled", "expired", Kind.LINK_EXPIRED),
        ("expired", "expired", Kind.LINK_EXPIRED),
    ],
)
def test_words_of_links(status: str, state: str, kind: Kind) -> None:
    (reading,) = looked(link(status=status))
    assert (reading.links[0].state, reading.facts[0].kind) == (state, kind)
    assert reading.links[0].complete_look is (status in ("created", "cancelled", "expired"))


def test_an_unlisted_word_is_unknown() -> None:
    (reading,) = looked(link(status="teleported"))
    assert (reading.outcome, reading.facts) == (Outcome.UNKNOWN, ())


def test_a_paid_upi_code_leads_to_its_payment() -> None:
    gone = code(status="closed", close_reason="paid", payments_count_received=1, payments_amount_received=1250)
    readings = looked(gone, page(payment(order_id=None)), page(), call=RAZORPAY.fetch("qr_1"))
    assert (readings[1].links[0].state, readings[1].links[0].complete_look) == ("closed", True)
    assert [f.target for f in told(readings, Kind.PAYMENT_OF_LINK)] == ["qr_1"]
    assert [f.target for f in told(readings, Kind.PAYMENT_OF_REFERENCE)] == [REFERENCE]


def test_a_upi_code_that_ended_unpaid_is_fenced_by_the_list_of_its_payments_alone() -> None:
    """A code counts what it received; what is authorized or on its way only stands in its list."""
    for call in (RAZORPAY.fetch("qr_1"), RAZORPAY.close("qr_1")):
        first, second = looked(code(status="closed", close_reason="on_demand"), page(), call=call)
        assert (first.links[0].state, first.links[0].complete_look) == ("expired", False)
        assert (second.links[0].state, second.links[0].complete_look) == ("expired", True)


@pytest.mark.parametrize(
    ("status", "kind"), [("authorized", Kind.PAYMENT_AUTHORIZED), ("created", Kind.PAYMENT_PENDING)]
)
@pytest.mark.parametrize("state", ["active", "closed"])
def test_a_payment_of_a_upi_code_that_is_not_counted_yet_is_seen(status: str, kind: Kind, state: str) -> None:
    on_its_way = payment(order_id=None, status=status, captured=False, fee=None)
    readings = looked(code(status=state), page(on_its_way), call=RAZORPAY.fetch("qr_1"))
    assert [f.object for f in told(readings, kind)] == ["pay_1"]
    assert [f.target for f in told(readings, Kind.PAYMENT_OF_LINK)] == ["qr_1"]


def test_finding_takes_only_exactly_our_reference() -> None:
    call = RAZORPAY.find(REFERENCE, 1_000, 2_001)
    assert parameters(call.path) == {"reference_id": REFERENCE}
    reading = RAZORPAY.read(call, answer(links(link(reference_id=REFERENCE + "0"), link(id="plink_2"))))
    assert [info.id for info in reading.links] == ["plink_2"]
    assert reading.next is None


def test_where_no_link_is_found_the_upi_codes_of_the_window_are_looked_through() -> None:
    first, second = looked(
        links(), page(code(id="qr_9", notes=[]), code()), call=RAZORPAY.find(REFERENCE, 1_000, 2_001)
    )
    assert first.next is not None
    assert parameters(first.next.path) == {"from": "1", "to": "3", "count": "100", "skip": "0"}
    assert [info.id for info in second.links] == ["qr_1"]


def test_an_account_without_upi_codes_has_none_to_be_found() -> None:
    call = RAZORPAY.read(RAZORPAY.find(REFERENCE, 0, 1), answer(links())).next
    assert call is not None
    reading = RAZORPAY.read(call, error(400, "The requested URL was not found on the server."))
    assert (reading.outcome, reading.links, reading.next) == (Outcome.OK, (), None)


def test_closing_says_gone_where_razorpay_will_not_cancel() -> None:
    reading = RAZORPAY.read(RAZORPAY.close("plink_1"), error(400, "Payment Link cannot be cancelled as it is paid"))
    assert (reading.outcome, reading.facts) == (Outcome.GONE, ())
    assert RAZORPAY.close("qr_1").path == "/v1/payments/qr_codes/qr_1/close"


@pytest.mark.parametrize(
    ("got", "outcome"),
    [
        (error(401, "Authentication failed"), Outcome.UNAUTHORIZED),
        (error(400, "The id provided does not exist"), Outcome.NOT_FOUND),
        (error(400, "amount exceeds maximum amount allowed."), Outcome.REFUSED),
        (error(429, "Too many requests"), Outcome.BUSY),
        (error(409, "in progress"), Outcome.BUSY),
        (error(500, "down", "SERVER_ERROR"), Outcome.UNKNOWN),
        (error(502, "bank", "GATEWAY_ERROR"), Outcome.UNKNOWN),
        (error(400, "bank", "GATEWAY_ERROR"), Outcome.UNKNOWN),
        (answer(b"<html>Sign in to the hotel</html>", 403), Outcome.UNKNOWN),
        (answer(b"", 404), Outcome.UNKNOWN),
        (answer({"message": "no Route matched"}, 404), Outcome.UNKNOWN),
        (answer(b"", 302), Outcome.UNKNOWN),
    ],
)
def test_errors(got: Any, outcome: Outcome) -> None:
    reading = RAZORPAY.read(RAZORPAY.fetch("plink_1"), got)
    assert (reading.outcome, reading.facts, reading.links) == (outcome, (), ())


def test_busy_says_when_to_come_back() -> None:
    got = answer({"error": {"code": "BAD_REQUEST_ERROR"}}, 429, (("retry-after", "7"),))
    assert RAZORPAY.read(RAZORPAY.fetch("plink_1"), got).retry_after_s == 7.0


def test_who_we_are_is_whether_the_key_is_accepted_and_what_the_account_lacks() -> None:
    first = RAZORPAY.read(RAZORPAY.whoami(), answer(page(payment())))
    assert (first.outcome, first.account, first.facts) == (Outcome.OK, "", ())
    assert first.next is not None
    assert RAZORPAY.read(first.next, answer(page())).lacks == ()
    assert RAZORPAY.read(first.next, error(400, "The requested URL was not found on the server.")).lacks == ("upi",)


def test_the_login_is_the_keys_id_and_secret_and_the_account_is_named_after_the_id() -> None:
    keys = {"key_id": "rzp_test_1", "secret_key": "s3cret"}
    assert RAZORPAY.authorization(keys) == (("Authorization", "Basic cnpwX3Rlc3RfMTpzM2NyZXQ="),)
    assert RAZORPAY.account_of(keys) == "rzp_test_1"
