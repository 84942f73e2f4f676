"""Razorpay's own client, unmodified but for its address, lives through the whole life of a payment."""

from __future__ import annotations

import time

import pytest
from razorpay.errors import BadRequestError, SignatureVerificationError

from pos.sandbox import customer
from tests.sandbox.conftest import Inbox
from tests.sandbox.razorpay_shop import RazorpayShop, callback_of, for_the_clients_check

pytestmark = pytest.mark.judge
IST_S = 19_800


def test_a_link_is_created_found_paid_and_comes_back(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    expire_by = int(time.time()) + 1800
    link = rzp_judge.link(reference_id="0190-abc_1", notes={"till": "1"}, expire_by=expire_by)
    assert (link["status"], link["amount"], link["amount_paid"], link["expire_by"]) == ("created", 98_400, 0, expire_by)
    assert (link["payments"], link["notes"], "order_id" in link) == (None, {"till": "1"}, False)
    found = api.payment_link.all({"reference_id": "0190-abc_1"})["payment_links"]
    assert [item["id"] for item in found] == [link["id"]]

    result = customer.pay(link["short_url"])
    assert result.outcome == "paid"
    query = callback_of(result.location)
    assert api.utility.verify_payment_link_signature(for_the_clients_check(query))
    assert query["razorpay_payment_link_status"] == "paid"

    paid, payment = rzp_judge.look(link["id"])
    assert (paid["status"], paid["amount_paid"]) == ("paid", 98_400)
    assert [(row["payment_id"], row["status"]) for row in paid["payments"]] == [(payment["id"], "captured")]
    assert payment["id"] == query["razorpay_payment_id"]
    assert (payment["status"], payment["captured"], payment["amount"]) == ("captured", True, 98_400)
    assert (payment["notes"], payment["order_id"]) == ([], paid["order_id"])
    assert "plink" not in str(payment), "a payment does not say which link it came through"
    assert "0190-abc_1" not in str(payment)
    order = api.order.fetch(paid["order_id"])
    assert (order["status"], order["amount_due"], order["attempts"]) == ("paid", 0, 1)
    by_payment = api.payment_link.all({"payment_id": payment["id"]})["payment_links"]
    assert [item["id"] for item in by_payment] == [link["id"]]


def test_fees_hold_a_tax_and_are_known_once_captured(rzp_judge: RazorpayShop) -> None:
    link = rzp_judge.link(100_000)
    customer.pay(link["short_url"], "declined")
    _, failed = rzp_judge.look(link["id"])
    assert (failed["fee"], failed["tax"], failed["error_reason"]) == (None, None, "payment_declined")
    customer.pay(link["short_url"])
    _, paid = rzp_judge.look(link["id"])
    assert (paid["fee"], paid["tax"]) == (2360, 360), "2 %, and 18 % of that, inside what is called the fee"


def test_a_link_is_cancelled_and_takes_nothing_more(rzp_judge: RazorpayShop) -> None:
    link = rzp_judge.link()
    gone = rzp_judge.client.payment_link.cancel(link["id"])
    assert (gone["status"], gone["cancelled_at"] >= gone["created_at"], gone["expired_at"]) == ("cancelled", True, 0)
    assert customer.pay(link["short_url"]).outcome == "expired"
    assert rzp_judge.payments() == []


def test_a_link_is_changed_while_it_is_open(rzp_judge: RazorpayShop) -> None:
    link = rzp_judge.link()
    expire_by = int(time.time()) + 4000
    changes = {"reference_id": "another", "expire_by": expire_by, "notes": {"a": "b"}, "reminder_enable": True}
    changed = rzp_judge.client.payment_link.edit(link["id"], changes)
    assert {name: changed[name] for name in changes} == changes
    assert rzp_judge.client.payment_link.fetch(link["id"]) == changed
    rzp_judge.client.payment_link.cancel(link["id"])
    with pytest.raises(BadRequestError, match="only in created"):
        rzp_judge.client.payment_link.edit(link["id"], {"notes": {"a": "c"}})


def test_an_authorized_payment_waits_for_capture(rzp_judge: RazorpayShop) -> None:
    rzp_judge.set(manual_capture=True)
    link = rzp_judge.link()
    customer.pay(link["short_url"])
    held, payment = rzp_judge.look(link["id"])
    assert (held["status"], held["amount_paid"], held["payments"]) == ("created", 0, None)
    assert (payment["status"], payment["captured"], payment["fee"]) == ("authorized", False, None)
    assert customer.pay(link["short_url"]).outcome == "already_paid", "a second phone cannot pay what is held"
    capture = rzp_judge.client.payment.capture
    with pytest.raises(BadRequestError, match="must be equal to the amount authorized"):
        capture(payment["id"], 98_399)
    taken = capture(payment["id"], 98_400, {"currency": "INR"})
    assert (taken["status"], taken["captured"]) == ("captured", True)
    assert rzp_judge.look(link["id"])[0]["status"] == "paid"
    with pytest.raises(BadRequestError, match="already been captured"):
        capture(payment["id"], 98_400)


def test_money_goes_back_in_parts_and_never_more_than_came(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    _, payment = rzp_judge.paid(10_000)
    first = api.payment.refund(payment["id"], {"amount": 2500, "notes": {"refund": "r1"}, "receipt": "r-1"})
    assert (first["status"], first["amount"], first["notes"], first["receipt"]) == (
        "processed",
        2500,
        {"refund": "r1"},
        "r-1",
    )
    partly = api.payment.fetch(payment["id"])
    assert (partly["status"], partly["amount_refunded"], partly["refund_status"]) == ("captured", 2500, "partial")
    with pytest.raises(BadRequestError, match="greater than the refund payment amount"):
        api.payment.refund(payment["id"], {"amount": 7501})
    rest = api.payment.refund(payment["id"], {})
    assert rest["amount"] == 7500
    whole = api.payment.fetch(payment["id"])
    assert (whole["status"], whole["refund_status"], whole["captured"]) == ("refunded", "full", True)
    with pytest.raises(BadRequestError, match="fully refunded already"):
        api.payment.refund(payment["id"], {})
    newest_first = [rest["id"], first["id"]]
    assert [item["id"] for item in api.payment.fetch_multiple_refund(payment["id"])["items"]] == newest_first
    assert [item["id"] for item in api.refund.all()["items"]] == newest_first
    assert api.refund.fetch(first["id"]) == api.payment.fetch_refund_id(payment["id"], first["id"]) == first


def test_a_refund_with_a_key_happens_once(rzp_judge: RazorpayShop) -> None:
    _, payment = rzp_judge.paid(10_000)
    headers = {"X-Refund-Idempotency": "refund-0190-abc"}
    asked = {"amount": 2500}
    refund = rzp_judge.client.payment.refund
    first = refund(payment["id"], asked, headers=dict(headers))
    assert refund(payment["id"], asked, headers=dict(headers)) == first
    with pytest.raises(BadRequestError, match="Different request with the same idempotency key"):
        refund(payment["id"], {"amount": 2600}, headers=dict(headers))
    assert rzp_judge.client.payment.fetch(payment["id"])["amount_refunded"] == 2500


def test_a_qr_code_is_scanned_and_closes(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    code = rzp_judge.code(1234, notes={"order": "o1"}, close_by=int(time.time()) + 1_000)
    assert (code["status"], code["close_reason"], code["payments_count_received"]) == ("active", None, 0)
    assert rzp_judge.scan(code) == "paid"
    paid = api.qrcode.fetch(code["id"])
    assert (paid["status"], paid["close_reason"], paid["payments_amount_received"]) == ("closed", "paid", 1234)
    (payment,) = api.qrcode.fetch_all_payments(code["id"])["items"]
    assert (payment["status"], payment["method"], payment["order_id"], payment["notes"]) == (
        "captured",
        "upi",
        None,
        [],
    )
    assert [item["id"] for item in api.qrcode.all({"payment_id": payment["id"]})["items"]] == [code["id"]]
    assert api.order.all()["items"] == [], "a code has no order"


def test_a_qr_code_is_closed_by_the_shop(rzp_judge: RazorpayShop) -> None:
    code = rzp_judge.code()
    gone = rzp_judge.client.qrcode.close(code["id"])
    assert (gone["status"], gone["close_reason"]) == ("closed", "on_demand")
    assert rzp_judge.scan(code) == "expired"
    with pytest.raises(BadRequestError, match="already been closed"):
        rzp_judge.client.qrcode.close(code["id"])


def test_an_order_of_the_shops_own(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    order = api.order.create({"amount": 5000, "currency": "INR", "receipt": "rcpt-1", "notes": {"a": "b"}})
    assert (order["status"], order["attempts"], order["receipt"]) == ("created", 0, "rcpt-1")
    rzp_judge.control(f"/orders/{order['id']}/pay", {"outcome": "declined"})
    assert api.order.fetch(order["id"])["status"] == "attempted"
    rzp_judge.control(f"/orders/{order['id']}/pay")
    assert [row["status"] for row in api.order.payments(order["id"])["items"]] == ["captured", "failed"]
    assert [row["id"] for row in api.order.all({"receipt": "rcpt-1"})["items"]] == [order["id"]]
    assert api.order.all({"authorized": 1})["items"] == []
    held = api.order.create({"amount": 5000, "currency": "INR", "payment_capture": 0})
    rzp_judge.control(f"/orders/{held['id']}/pay")
    assert [row["id"] for row in api.order.all({"authorized": 1})["items"]] == [held["id"]]


def test_a_settlement_adds_up_and_is_reported_by_indian_days(rzp_judge: RazorpayShop) -> None:
    api = rzp_judge.client
    _, payment = rzp_judge.paid(100_000)
    refund = api.payment.refund(payment["id"], {"amount": 400})
    # half past midnight in India is the evening before at Greenwich
    now = int(time.time())
    midnight = (now + IST_S) // 86_400 * 86_400 - IST_S + 86_400
    rzp_judge.control("/settings", {"clock_offset_s": float(midnight + 1800 - now)})
    (made,) = rzp_judge.control("/payouts", {"account": rzp_judge.account})
    settlement = api.settlement.fetch(made["id"])
    assert (settlement["amount"], settlement["fees"], settlement["tax"]) == (100_000 - 2360 - 400, 2360, 360)
    assert [row["id"] for row in api.settlement.all()["items"]] == [made["id"]]
    there = time.gmtime(midnight + 1800 + IST_S)
    day = {"year": there.tm_year, "month": there.tm_mon, "day": there.tm_mday}
    rows = api.settlement.report(day)["items"]
    assert [(row["type"], row["entity_id"], row["credit"], row["debit"]) for row in rows] == [
        ("payment", payment["id"], 97_640, 0),
        ("refund", refund["id"], 0, 400),
    ]
    assert (rows[0]["amount"], rows[0]["fee"], rows[0]["tax"]) == (100_000, 2360, 360)
    assert (rows[0]["order_id"], rows[1]["payment_id"]) == (payment["order_id"], payment["id"])
    assert {row["settlement_utr"] for row in rows} == {settlement["utr"]}
    assert api.settlement.report({**day, "count": 1, "skip": 1})["items"] == rows[1:]
    before = time.gmtime(midnight - 1800 + IST_S)
    yesterday = {"year": before.tm_year, "month": before.tm_mon, "day": before.tm_mday}
    assert api.settlement.report(yesterday)["items"] == []


def test_a_dispute(rzp_judge: RazorpayShop) -> None:
    _, payment = rzp_judge.paid(10_000)
    opened = rzp_judge.control(f"/payments/{payment['id']}/dispute", {"reason": "goods_not_received"})
    dispute = rzp_judge.client.dispute.fetch(opened["id"])
    assert (dispute["status"], dispute["payment_id"], dispute["amount"]) == ("open", payment["id"], 10_000)
    rzp_judge.control(f"/disputes/{opened['id']}/close", {"outcome": "lost"})
    assert [row["status"] for row in rzp_judge.client.dispute.all()["items"]] == ["lost"]


def test_lists_skip_and_filter_by_time(rzp_judge: RazorpayShop) -> None:
    made = [rzp_judge.paid(1000 + number)[1]["id"] for number in range(5)]
    newest_first = made[::-1]
    listed = rzp_judge.client.payment.all
    assert [row["id"] for row in listed()["items"]] == newest_first
    assert [row["id"] for row in listed({"count": 2, "skip": 1})["items"]] == newest_first[1:3]
    now = int(time.time())
    assert listed({"from": now - 60, "to": now + 60})["count"] == 5
    assert listed({"from": now + 60})["items"] == listed({"to": now - 60})["items"] == []
    rzp_judge.paid(2000)
    shifted = [row["id"] for row in listed({"count": 2, "skip": 2})["items"]]
    assert shifted == newest_first[1:3], "what arrives between two pages shifts them"


def test_webhooks_verify_and_come_in_their_shape(rzp_judge: RazorpayShop, rzp_inbox: Inbox) -> None:
    link, payment = rzp_judge.paid(reference_id="0190-hook")
    rzp_inbox.wait(lambda: "payment_link.paid" in rzp_inbox.types() and len(rzp_inbox.arrived) == 4)
    verify = rzp_judge.client.utility.verify_webhook_signature
    for headers, body in rzp_inbox.arrived:
        assert verify(body.decode(), headers["X-Razorpay-Signature"], rzp_inbox.secret)
        with pytest.raises(SignatureVerificationError):
            verify(body.decode(), headers["X-Razorpay-Signature"], "another secret")
    assert sorted(rzp_inbox.types()) == ["order.paid", "payment.authorized", "payment.captured", "payment_link.paid"]
    said = {event["event"]: event for event in rzp_inbox.events()}
    paid = said["payment_link.paid"]
    assert (paid["entity"], paid["account_id"]) == ("event", rzp_judge.account)
    assert paid["contains"] == ["payment_link", "order", "payment"] == list(paid["payload"])
    assert paid["payload"]["payment_link"]["entity"]["reference_id"] == "0190-hook"
    assert paid["payload"]["payment"]["entity"] == payment
    assert paid["payload"]["order"]["entity"]["id"] == link["order_id"]
    held = said["payment.authorized"]["payload"]["payment"]["entity"]
    assert (held["status"], held["captured"], held["fee"]) == ("authorized", False, None), "as it was then"
