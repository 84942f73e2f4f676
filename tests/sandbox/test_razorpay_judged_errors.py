"""Razorpay's own client meets the errors the sandbox can answer, and raises what it raises for the real one.

That client forgets the HTTP status, so plain HTTP looks at it beside.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import requests
from razorpay.errors import BadRequestError, ServerError

from pos.sandbox import customer
from tests.sandbox.razorpay_shop import RazorpayShop, code_fields, link_fields, official_razorpay

pytestmark = pytest.mark.judge

LINKS, CODES = "/v1/payment_links", "/v1/payments/qr_codes"
SIX_MONTHS_S = 184 * 24 * 3600


def refused(act: Callable[[], Any], words: str) -> None:
    with pytest.raises(BadRequestError, match=words):
        act()


@pytest.mark.parametrize("secret", ["", "wrong", "s3cret_of_the_key "], ids=["none", "wrong", "nearly"])
def test_a_wrong_secret(rzp_judge: RazorpayShop, secret: str) -> None:
    with requests.Session() as session:
        other = official_razorpay(rzp_judge.url, rzp_judge.key_id, secret, session)
        refused(other.payment.all, "Authentication failed")
    answer = httpx.get(f"{rzp_judge.url}/v1/payments", auth=(rzp_judge.key_id, secret), trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "BAD_REQUEST_ERROR")


@pytest.mark.parametrize("key_id", ["rzp_test_nobody", "rzp_live_1DP5mmOlF5G5ag"])
def test_an_unknown_or_live_key(rzp_judge: RazorpayShop, key_id: str) -> None:
    with requests.Session() as session:
        other = official_razorpay(rzp_judge.url, key_id, rzp_judge.secret, session)
        refused(other.payment.all, "Authentication failed")


def test_no_credential_at_all_is_answered_in_the_words_of_the_path(rzp_judge: RazorpayShop) -> None:
    rzp_judge.link()
    for headers in ({}, {"Authorization": "Basic !!!"}, {"Authorization": "Bearer x"}):
        answer = httpx.get(f"{rzp_judge.url}{LINKS}", headers=headers, trust_env=False)
        assert (answer.status_code, "description" in answer.json()["error"]) == (401, True)


def test_an_object_that_does_not_exist(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    for fetch in (
        lambda: api.payment_link.fetch("plink_none"),
        lambda: api.payment_link.cancel("plink_none"),
        lambda: api.qrcode.fetch("qr_none"),
        lambda: api.qrcode.fetch_all_payments("qr_none"),
        lambda: api.order.fetch("order_none"),
        lambda: api.order.payments("order_none"),
        lambda: api.payment.fetch("pay_none"),
        lambda: api.payment.capture("pay_none", 100),
        lambda: api.payment.refund("pay_none", {}),
        lambda: api.refund.fetch("rfnd_none"),
        lambda: api.dispute.fetch("disp_none"),
        lambda: api.settlement.fetch("setl_none"),
    ):
        refused(fetch, "The id provided does not exist")
    answer = rzp_judge.http.get("/v1/payments/pay_none")
    assert (answer.status_code, answer.json()["error"]["description"]) == (400, "The id provided does not exist")


def test_another_shops_objects_and_other_kinds_do_not_exist(rzp_judge: RazorpayShop) -> None:
    link, payment = rzp_judge.paid()
    code = rzp_judge.code()
    refused(lambda: rzp_judge.client.payment_link.fetch(code["id"]), "does not exist")
    refused(lambda: rzp_judge.client.qrcode.fetch(link["id"]), "does not exist")
    rzp_judge.control("/accounts", {"key": "rzp_test_neighbour:x"})
    with requests.Session() as session:
        other = official_razorpay(rzp_judge.url, "rzp_test_neighbour", "x", session)
        refused(lambda: other.payment_link.fetch(link["id"]), "does not exist")
        refused(lambda: other.payment.refund(payment["id"], {}), "does not exist")
        assert other.payment_link.all({"payment_id": payment["id"]}) == {"payment_links": []}
        assert other.payment.all()["items"] == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": None}, "amount: cannot be blank"),
        ({"amount": 0}, "amount: cannot be blank"),
        ({"amount": 99}, "amount: amount should be minimum 1.00 for INR"),
        ({"amount": -5}, "amount: amount should be minimum 1.00 for INR"),
        ({"amount": 12.5}, "amount: must be an integer"),
        ({"amount": True}, "amount: must be an integer"),
        ({"amount": 1_000_000_000}, "exceeds maximum"),
        ({"currency": "XXX"}, "currency: wrong input"),
        ({"currency": "inr"}, "currency: wrong input"),
        ({"accept_partial": True}, "partial payments"),
        ({"reference_id": "x" * 41}, "reference_id: the length must be no more than 40"),
        ({"reference_id": 7}, "reference_id: must be a string"),
        ({"description": "x" * 2049}, "description: the length"),
        ({"expire_by": int(time.time()) + 800}, "expire_by: timestamp must be atleast 15 minutes in future"),
        ({"expire_by": int(time.time()) + SIX_MONTHS_S}, "expire_by: .*6 months"),
        ({"notes": {str(number): "x" for number in range(16)}}, "notes: .*15"),
        ({"notes": {"k": "v" * 257}}, "notes: the length must not be greater than 256"),
        ({"notes": {"k": {"a": 1}}}, "notes: must hold texts only"),
        ({"notes": "text"}, "notes: must be an object"),
        ({"callback_method": "post"}, "callback_method: must be one of get"),
        ({"callback_method": None}, "callback_method is required"),
        ({"callback_url": "javascript:alert(1)"}, "callback_url: must be a valid URL"),
        ({"upi_link": True, "currency": "EUR"}, "INR only"),
        ({"reminder_enable": "maybe"}, "reminder_enable: must be a boolean"),
        ({"colour": "blue"}, "colour is/are not required and should not be sent"),
        ({"customer": {"colour": "blue"}}, "customer.colour"),
    ],
)
def test_a_link_that_cannot_be(rzp_judge: RazorpayShop, change: dict[str, Any], words: str) -> None:
    fields = link_fields()
    fields = {name: value for name, value in {**fields, **change}.items() if value is not None}
    refused(lambda: rzp_judge.client.payment_link.create(fields), words)
    assert rzp_judge.client.payment_link.all() == {"payment_links": []}
    answer = rzp_judge.post(LINKS, fields)
    assert (answer.status_code, answer.json()["error"]["source"]) == (400, "business")


def test_a_reference_is_used_once_for_ever(rzp_judge: RazorpayShop) -> None:
    first = rzp_judge.link(reference_id="once")
    refused(lambda: rzp_judge.link(reference_id="once"), "payment link with given reference_id: once already exists")
    rzp_judge.client.payment_link.cancel(first["id"])
    refused(lambda: rzp_judge.link(reference_id="once"), "already exists")
    other = rzp_judge.link()
    refused(lambda: rzp_judge.client.payment_link.edit(other["id"], {"reference_id": "once"}), "already exists")
    rzp_judge.client.order.create({"amount": 500, "currency": "INR", "receipt": "order"})
    assert rzp_judge.link(reference_id="order")["reference_id"] == "order", "an order's receipt is no reference"


def test_cancelling_what_is_not_open(rzp_judge: RazorpayShop) -> None:
    cancel = rzp_judge.client.payment_link.cancel
    paid, _ = rzp_judge.paid()
    refused(lambda: cancel(paid["id"]), "cannot cancel or expire an already paid")
    gone = rzp_judge.link()
    cancel(gone["id"])
    refused(lambda: cancel(gone["id"]), "cannot cancel or expire a cancelled link")
    over = rzp_judge.link()
    rzp_judge.control(f"/links/{over['id']}/expire")
    assert rzp_judge.client.payment_link.fetch(over["id"])["status"] == "expired"
    refused(lambda: cancel(over["id"]), "cannot cancel or expire an expired link")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"type": None}, "type: cannot be blank"),
        ({"type": "bharat_qr"}, "type: must be one of upi_qr"),
        ({"usage": "multiple_use"}, "single_use only"),
        ({"fixed_amount": False}, "fixed amount only"),
        ({"payment_amount": None}, "payment_amount: cannot be blank"),
        ({"payment_amount": 99}, "minimum 1.00 for INR"),
        ({"close_by": int(time.time()) + 840}, "close_by should be at least 15 minutes after current time"),
        ({"close_by": int(time.time()) + 46 * 86_400}, "close_by should be at most 45 days after current time"),
        ({"notes": {"k": "v" * 257}}, "notes"),
        ({"customer_id": "cust_1"}, "customer_id is/are not required"),
    ],
)
def test_a_code_that_cannot_be(rzp_judge: RazorpayShop, change: dict[str, Any], words: str) -> None:
    fields = code_fields(**change)
    refused(lambda: rzp_judge.client.qrcode.create(fields), words)
    assert rzp_judge.client.qrcode.all()["items"] == []


def test_an_account_without_qr_codes(rzp_judge: RazorpayShop) -> None:
    code = rzp_judge.code()
    rzp_judge.set(qr_codes=False)
    refused(rzp_judge.code, "does not support QR creation")
    assert rzp_judge.client.qrcode.fetch(code["id"])["status"] == "active"
    assert rzp_judge.link()["status"] == "created"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"currency": "INR"}, "amount: cannot be blank"),
        ({"amount": 500, "receipt": "x" * 41}, "receipt: the length"),
        ({"amount": 500, "partial_payment": True}, "partial payments"),
        ({"amount": 500, "colour": "blue"}, "colour"),
    ],
)
def test_an_order_that_cannot_be(rzp_judge: RazorpayShop, fields: dict[str, Any], words: str) -> None:
    refused(lambda: rzp_judge.client.order.create(fields), words)


def test_refunding_what_was_never_captured_or_is_disputed(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    link = rzp_judge.link()
    customer.pay(link["short_url"], "declined")
    failed = rzp_judge.look(link["id"])[1]["id"]
    refused(lambda: api.payment.refund(failed, {}), "status should be captured")
    refused(lambda: api.payment.capture(failed, 98_400), "authorized and not yet captured")
    _, payment = rzp_judge.paid()
    refused(lambda: api.payment.refund(payment["id"], {"amount": 99}), "minimum 1.00 for INR")
    refused(lambda: api.payment.refund(payment["id"], {"speed": "light"}), "speed: must be one of")
    rzp_judge.control(f"/payments/{payment['id']}/dispute")
    refused(lambda: api.payment.refund(payment["id"], {}), "disputed")


def test_lists_have_bounds(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    for bad in ({"count": 0}, {"count": 101}, {"skip": -1}, {"from": "today"}, {"colour": "blue"}):
        refused(lambda bad=bad: api.payment.all(bad), "must be|not required")
    for bad in ({"month": 1}, {"year": 2026}, {"year": 2026, "month": 13}, {"year": 2026, "month": 2, "day": 30}):
        refused(lambda bad=bad: api.settlement.report(bad), "cannot be blank|out of bounds")


@pytest.mark.parametrize("key", ["short", "with space in it", "ümlaut-and-so-on".encode().decode("latin-1"), "x" * 256])
def test_a_refund_key_has_a_form(rzp_judge: RazorpayShop, key: str) -> None:
    _, payment = rzp_judge.paid()
    answer = rzp_judge.http.post(
        f"/v1/payments/{payment['id']}/refund", json={}, headers={b"X-Refund-Idempotency": key.encode("latin-1")}
    )
    assert (answer.status_code, "at least 10" in answer.json()["error"]["description"]) == (400, True)


def test_too_many_requests_and_a_broken_server(rzp_judge: RazorpayShop) -> None:
    rzp_judge.fault("payment.list", "rate_limited", retry_after_s=3)
    answer = rzp_judge.http.get("/v1/payments")
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "3")
    rzp_judge.fault("payment.list", "rate_limited")
    refused(rzp_judge.client.payment.all, "Too many requests")
    rzp_judge.fault("payment.list", "unauthorized")
    refused(rzp_judge.client.payment.all, "api key provided is invalid")
    rzp_judge.fault("payment.list", "error_500")
    with pytest.raises(ServerError, match="facing some trouble"):
        rzp_judge.client.payment.all()


def test_paths_that_do_not_exist(rzp_judge: RazorpayShop) -> None:
    refused(lambda: rzp_judge.client.invoice.all(), "not found on the server")
    assert rzp_judge.http.delete(LINKS).status_code == 404


def test_bodies_that_cannot_be_read(rzp_judge: RazorpayShop) -> None:
    rzp_judge.link()
    for bad in (b"{", b"[1]", b'"x"', b"\xff", b'{"description": "\\ud800"}', b"[" * 100_000, b'{"amount": 1e999}'):
        assert rzp_judge.http.post(LINKS, content=bad).status_code == 400, bad[:20]
    assert rzp_judge.http.post(LINKS, content=b" " * 300_000).status_code == 413
