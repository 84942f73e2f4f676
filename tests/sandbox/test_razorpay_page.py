"""Razorpay's links and QR codes over HTTP, as phones see them: one charge for many phones; late authorization."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest

from pos.sandbox import customer
from pos.sandbox.customer import Result
from tests.processes import run_pos
from tests.sandbox.conftest import Inbox, Shop, at_once, eventually
from tests.sandbox.razorpay_shop import RazorpayShop, callback_of
from tests.sandbox.test_page import phone, token_of


def statuses(shop: RazorpayShop) -> list[str]:
    """Newest first."""
    return [payment["status"] for payment in shop.payments()]


def test_the_page_has_a_short_address_and_says_who_answers(rzp: RazorpayShop) -> None:
    link = rzp.link()
    assert link["short_url"].startswith(f"{rzp.url}/i/")
    assert len(urlsplit(link["short_url"]).path) <= 13
    with phone() as one:
        page = one.get(link["short_url"])
        assert one.get(f"{rzp.url}/c/pay/{link['id']}").status_code == 404, "an id is no way in"
        assert one.get(f"{rzp.url}/i/{link['id']}").status_code == 404
    for text in ("TEST", "no money moves", "Corner Café", "Order 2-01873", "₹984.00", "UPI", "answering as Razorpay"):
        assert text in page.text
    assert "--accent: #0a52d6" in page.text
    assert "form-action 'self' http://127.0.0.1:9" in page.headers["content-security-policy"]


def test_a_upi_link_offers_upi_only(rzp: RazorpayShop) -> None:
    with phone() as one:
        page = one.get(rzp.link(upi_link=True)["short_url"]).text
    assert page.count('name="method"') == 1


@pytest.mark.parametrize("code", [False, True], ids=["link", "QR code"])
def test_ten_phones_at_the_same_moment_charge_once(rzp: RazorpayShop, code: bool) -> None:
    made = rzp.code() if code else rzp.link()
    address = rzp.url + customer.UPI_APP + made["image_content"].partition("?")[2] if code else made["short_url"]
    results: list[Result] = []
    together = threading.Barrier(10)

    def pay() -> None:
        with phone() as one:
            shown = one.get(address, follow_redirects=True)
            token = token_of(shown)
            together.wait(10)
            answer = one.post(str(shown.url), data={"token": token, "action": "pay", "method": "upi"})
            results.append(Result(address, answer.headers["sandbox-outcome"], None))

    at_once(pay)
    assert sorted(result.outcome for result in results) == ["already_paid"] * 9 + ["paid"]
    assert statuses(rzp) == ["captured"]


def test_a_link_without_a_callback_ends_on_the_page(rzp: RazorpayShop) -> None:
    link = rzp.link(callback_url=None, callback_method=None)
    result = customer.pay(link["short_url"])
    assert (result.outcome, result.location) == ("paid", urlsplit(link["short_url"]).path)
    with phone() as one:
        assert "This has been paid" in one.get(link["short_url"]).text


def test_the_callback_keeps_its_own_query_and_is_signed_with_the_keys_secret(rzp: RazorpayShop) -> None:
    link = rzp.link(callback_url="http://127.0.0.1:9/done?shop=s1")
    location = customer.pay(link["short_url"]).location
    query = callback_of(location)
    assert location is not None
    assert location.startswith("http://127.0.0.1:9/done?shop=s1&razorpay_payment_id=pay_")
    assert query["razorpay_payment_link_reference_id"] == link["reference_id"]
    rzp.control("/accounts", {"key": f"{rzp.key_id}:another secret"})
    assert rzp.http.get("/v1/payments").status_code == 401, "the new secret replaces the old one"


def test_pay_later_leaves_the_link_open_but_nobody_else_can_pay(rzp: RazorpayShop) -> None:
    rzp.control("/settings", {"pending_s": 0.6})
    link = rzp.link()
    first = customer.pay(link["short_url"], "pending")
    assert (first.outcome, first.location) == ("pending", urlsplit(link["short_url"]).path)
    waiting, payment = rzp.look(link["id"])
    assert (waiting["status"], payment["status"]) == ("created", "created")
    assert customer.pay(link["short_url"]).outcome == "in_flight"
    eventually(lambda: rzp.look(link["id"])[0]["status"] == "paid")
    assert statuses(rzp) == ["captured"]


def test_a_slow_payment_that_fails_may_be_tried_again(rzp: RazorpayShop) -> None:
    link = rzp.link()
    customer.pay(link["short_url"], "pending_fails")
    rzp.control(f"/payments/{rzp.look(link['id'])[1]['id']}/settle", {"as": "failed"})
    assert rzp.look(link["id"])[0]["status"] == "created"
    assert customer.pay(link["short_url"]).outcome == "paid"
    assert statuses(rzp) == ["captured", "failed"]


def test_cancelled_while_a_payment_is_on_its_way(rzp: RazorpayShop) -> None:
    """The race that a till must survive: the link says cancelled, and the money comes."""
    link = rzp.link()
    customer.pay(link["short_url"], "pending")
    assert rzp.client.payment_link.cancel(link["id"])["status"] == "cancelled"
    rzp.control(f"/payments/{rzp.look(link['id'])[1]['id']}/settle")
    gone, payment = rzp.look(link["id"])
    assert (gone["status"], payment["status"]) == ("cancelled", "captured")
    assert [row["payment_id"] for row in gone["payments"]] == [payment["id"]]


@pytest.mark.parametrize("ends", ["open", "cancelled", "expired"])
def test_a_failed_payment_is_authorized_late(rzp: RazorpayShop, rzp_inbox: Inbox, ends: str) -> None:
    rzp.control("/settings", {"pending_s": 600.0})
    link = rzp.link()
    result = customer.pay(link["short_url"], "failed_then_late")
    assert (result.outcome, result.done) == ("failed_then_late", True)
    _, failed = rzp.look(link["id"])
    assert (failed["status"], failed["error_reason"]) == ("failed", "payment_timed_out")
    if ends == "cancelled":
        rzp.client.payment_link.cancel(link["id"])
    elif ends == "expired":
        rzp.control(f"/links/{link['id']}/expire")
    rzp.control("/settings", {"clock_offset_s": 601.0})
    late = eventually(lambda: (now := rzp.client.payment.fetch(failed["id"]))["captured"] and now)
    assert (late["status"], late["error_code"], late["fee"] > 0) == ("captured", None, True)
    status = {"open": "paid"}.get(ends, ends)
    assert rzp.look(link["id"])[0]["status"] == status
    expected = ["payment.failed", "payment.authorized", "payment.captured", "order.paid", f"payment_link.{status}"]
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 5)
    assert sorted(rzp_inbox.types()) == sorted(expected)


def test_a_late_authorization_beside_the_retry_is_the_second_of_two(rzp: RazorpayShop) -> None:
    rzp.control("/settings", {"pending_s": 600.0})
    link = rzp.link()
    customer.pay(link["short_url"], "failed_then_late")
    _, failed = rzp.look(link["id"])
    assert customer.pay(link["short_url"]).outcome == "paid"
    rzp.control(f"/payments/{failed['id']}/settle")
    twice, _ = rzp.look(link["id"])
    assert (twice["status"], twice["amount_paid"], len(twice["payments"])) == ("paid", 2 * 98_400, 2)
    assert statuses(rzp) == ["captured", "captured"]


def test_a_late_authorization_may_wait_for_capture(rzp: RazorpayShop) -> None:
    link = rzp.link()
    customer.pay(link["short_url"], "failed_then_late")
    _, failed = rzp.look(link["id"])
    rzp.client.payment_link.cancel(link["id"])
    rzp.control(f"/payments/{failed['id']}/settle", {"as": "authorized"})
    held = rzp.client.payment.fetch(failed["id"])
    assert (held["status"], held["captured"], held["error_code"]) == ("authorized", False, None)
    assert rzp.client.payment.capture(failed["id"], 98_400)["status"] == "captured"


def test_a_payment_nobody_captures_is_given_back(rzp: RazorpayShop) -> None:
    rzp.set(manual_capture=True, capture_within_s=3600.0)
    link = rzp.link()
    customer.pay(link["short_url"])
    _, held = rzp.look(link["id"])
    rzp.control("/settings", {"clock_offset_s": 3601.0})
    gone = eventually(lambda: (now := rzp.client.payment.fetch(held["id"]))["status"] == "refunded" and now)
    assert (gone["captured"], gone["refund_status"], gone["amount_refunded"], gone["fee"]) == (
        False, "full", 98_400, None,
    )  # fmt: skip
    answer = rzp.post(f"/v1/payments/{held['id']}/capture", {"amount": 98_400})
    assert (answer.status_code, rzp.look(link["id"])[0]["status"]) == (400, "created")
    assert rzp.post(f"/v1/payments/{held['id']}/refund").status_code == 400
    assert rzp.client.settlement.all()["items"] == rzp.client.refund.all()["items"] == []


def test_stripes_failed_payments_stay_failed(shop: Shop) -> None:
    session = shop.session()
    result = customer.pay(session.url, "failed_then_late")
    assert (result.outcome, result.done) == ("again", False)
    body = {"outcome": "failed_then_late"}
    answer = httpx.post(f"{shop.url}/_sandbox/links/{session.id}/pay", json=body, trust_env=False)
    assert (answer.status_code, answer.json()["error"]) == (409, "never_late")
    customer.pay(session.url, "declined")
    charge = shop.look(session.id).payment_intent.latest_charge.id
    answer = httpx.post(f"{shop.url}/_sandbox/payments/{charge}/settle", json={}, trust_env=False)
    assert answer.status_code == 400


# -- QR codes ----------------------------------------------------------------------------------------------------------


def test_the_text_of_a_code_says_what_is_to_pay(rzp: RazorpayShop) -> None:
    text = rzp.code(1234)["image_content"]
    assert text.startswith("upi://pay?")
    assert "+" not in text, "a space is %20: apps do not read forms"
    fields = dict(parse_qsl(text.partition("?")[2], strict_parsing=True))
    assert (fields["am"], fields["cu"], fields["pn"], fields["pa"]) == (
        "12.34", "INR", "Corner Café", "sandbox.rzp@razorpay",
    )  # fmt: skip
    assert len(fields["tr"]) <= 35
    assert dict(parse_qsl(rzp.code(100_000)["image_content"]))["am"] == "1000.00"


@pytest.mark.parametrize(("was", "now"), [("am=12.34", "am=1.00"), ("pa=sandbox", "pa=crook"), ("tr=RZP", "tr=RZPx")])
def test_an_app_refuses_a_text_that_was_tampered_with(rzp: RazorpayShop, was: str, now: str) -> None:
    text = rzp.code(1234)["image_content"]
    assert was in text
    assert customer.pay(text.replace(was, now), sandbox=rzp.url).outcome == "unknown"
    assert rzp.payments() == []


def test_a_code_has_a_picture(rzp: RazorpayShop) -> None:
    code = rzp.code()
    picture = httpx.get(code["image_url"], trust_env=False)
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
    assert "<svg" in picture.text
    assert httpx.get(f"{rzp.url}/q/none.svg", trust_env=False).status_code == 404


def test_codes_close_when_their_time_is_over(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    code = rzp.code(close_by=int(time.time()) + 910)
    forever = rzp.code()
    rzp.control("/settings", {"clock_offset_s": 1_000.0})
    closed = eventually(lambda: (now := rzp.client.qrcode.fetch(code["id"]))["status"] == "closed" and now)
    assert (closed["close_reason"], closed["closed_at"] is None) == (None, False)
    assert rzp.client.qrcode.fetch(forever["id"])["status"] == "active"
    assert rzp.scan(code) == "expired"
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 3)
    assert sorted(rzp_inbox.types()) == ["qr_code.closed", "qr_code.created", "qr_code.created"]


def test_a_code_is_credited_and_closed(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    code = rzp.code()
    assert rzp.scan(code, "declined") == "declined"
    assert rzp.scan(code) == "paid"
    assert rzp.scan(code) == "already_paid"
    rzp_inbox.wait(lambda: "qr_code.closed" in rzp_inbox.types() and len(rzp_inbox.arrived) == 6)
    assert sorted(rzp_inbox.types()) == [
        "payment.authorized", "payment.captured", "payment.failed",
        "qr_code.closed", "qr_code.created", "qr_code.credited",
    ]  # fmt: skip
    credited = next(event for event in rzp_inbox.events() if event["event"] == "qr_code.credited")
    assert credited["contains"] == ["payment", "qr_code"]
    assert credited["payload"]["qr_code"]["entity"]["id"] == code["id"]


def test_a_customer_in_a_script_scans(rzp: RazorpayShop) -> None:
    code: Any = rzp.code()
    text = code["image_content"]
    declined = run_pos(["sandbox", "pay", text, "--sandbox", rzp.url, "--outcome", "declined"])
    assert (declined.returncode, declined.stdout) == (1, "declined\n")
    paid = run_pos(["sandbox", "pay", text, "--sandbox", rzp.url])
    assert (paid.returncode, paid.stdout) == (0, "paid\n")
    late = run_pos(["sandbox", "pay", rzp.link()["short_url"], "--outcome", "failed-then-late"])
    assert (late.returncode, late.stdout) == (0, "failed_then_late\n")
    nobody = run_pos(["sandbox", "pay", text, "--sandbox", "http://127.0.0.1:9"])
    assert (nobody.returncode, len(nobody.stderr.splitlines())) == (4, 1)
