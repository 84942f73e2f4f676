"""Faults, drills, keys and webhooks in Razorpay's dialect: what the caller sees, and what the bank has really done."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import httpx
import pytest
from razorpay import Utility
from razorpay.errors import SignatureVerificationError

from pos.sandbox import customer
from tests.processes import serve
from tests.sandbox.conftest import Inbox, eventually
from tests.sandbox.razorpay_shop import RazorpayShop, link_fields

LINKS = "/v1/payment_links"
KEY = "refund-0190-abc"


def verifies(inbox: Inbox, number: int, secret: str) -> bool:
    headers, body = inbox.arrived[number]
    try:
        return bool(Utility().verify_webhook_signature(body.decode(), headers["X-Razorpay-Signature"], secret))
    except SignatureVerificationError:
        return False


# -- HTTP --------------------------------------------------------------------------------------------------------------


def test_an_answer_lost_after_the_work_is_found_by_its_reference(rzp: RazorpayShop) -> None:
    rzp.fault("link.create", "drop")
    fields = link_fields(reference_id="lost")
    with pytest.raises(httpx.RemoteProtocolError):
        rzp.post(LINKS, fields)
    (found,) = rzp.get(LINKS, reference_id="lost")["payment_links"]
    assert (found["status"], found["amount"]) == ("created", 98_400)
    assert rzp.post(LINKS, fields).status_code == 400, "the reference is taken"


def test_a_request_lost_before_the_work(rzp: RazorpayShop) -> None:
    rzp.fault("link.create", "drop", before_work=True)
    fields = link_fields(reference_id="never")
    with pytest.raises(httpx.RemoteProtocolError):
        rzp.post(LINKS, fields)
    assert rzp.get(LINKS, reference_id="never") == {"payment_links": []}
    assert rzp.post(LINKS, fields).status_code == 200


def test_html_truncated_and_unknown_words(rzp: RazorpayShop) -> None:
    _, payment = rzp.paid()
    rzp.fault("payment.fetch", "html")
    rzp.fault("payment.fetch", "truncated")
    rzp.fault("payment.fetch", "unknown_status")
    path = f"/v1/payments/{payment['id']}"
    assert rzp.http.get(path).status_code == 502
    with pytest.raises(json.JSONDecodeError):
        rzp.http.get(path).json()
    odd = rzp.get(path)
    assert (odd["status"], odd["amount"]) == ("teleported", 98_400)
    assert rzp.get(path) == payment


@pytest.mark.parametrize(
    ("operation", "path"),
    [
        ("order.list", "/v1/orders"),
        ("qr.list", "/v1/payments/qr_codes"),
        ("settlement.list", "/v1/settlements"),
        ("settlement.recon", "/v1/settlements/recon/combined?year=2026&month=1"),
        ("refund.list", "/v1/refunds"),
        ("dispute.list", "/v1/disputes"),
        ("payment.list", "/v1/payments"),
        ("link.list", LINKS),
    ],
)
def test_operations_have_the_names_that_are_documented(rzp: RazorpayShop, operation: str, path: str) -> None:
    rzp.fault(operation, "rate_limited")
    assert [rzp.http.get(path).status_code for _ in range(2)] == [429, 200]


def test_another_amount_is_paid_and_a_late_one(rzp: RazorpayShop) -> None:
    rzp.fault("page.pay", "other_amount", amount_minor=98_000)
    link, payment = rzp.paid()
    assert (link["amount"], link["amount_paid"], payment["amount"]) == (98_400, 98_000, 98_000)
    rzp.control("/settings", {"pending_s": 0.3})
    rzp.fault("page.pay", "late")
    late = rzp.link()
    assert customer.pay(late["short_url"]).outcome == "late"
    rzp.client.payment_link.cancel(late["id"])
    eventually(lambda: rzp.look(late["id"])[1]["status"] == "captured")
    assert rzp.look(late["id"])[0]["status"] == "cancelled"


def test_refunds_that_wait_or_bounce(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    _, payment = rzp.paid()
    path = f"/v1/payments/{payment['id']}/refund"
    rzp.fault("refund.create", "refund_pending", after_s=0.3)
    waiting = rzp.post(path, {"amount": 400}).json()
    assert (waiting["status"], waiting["speed_processed"]) == ("pending", None)
    eventually(lambda: rzp.client.refund.fetch(waiting["id"])["status"] == "processed")
    rzp.fault("refund.create", "refund_fails", after_s=0.3)
    bounced = rzp.post(path, {"amount": 500}).json()
    assert bounced["status"] == "processed"
    eventually(lambda: rzp.client.refund.fetch(bounced["id"])["status"] == "failed")
    assert rzp.client.payment.fetch(payment["id"])["amount_refunded"] == 400
    rzp_inbox.wait(lambda: "refund.failed" in rzp_inbox.types())
    said = [event["event"] for event in rzp_inbox.events() if event["event"].startswith("refund.")]
    assert sorted(said) == ["refund.created"] * 2 + ["refund.failed"] + ["refund.processed"] * 2


# -- the key of a refund -----------------------------------------------------------------------------------------------


def refunded(rzp: RazorpayShop, payment_id: str) -> int:
    return int(rzp.get(f"/v1/payments/{payment_id}")["amount_refunded"])


def test_a_lost_refund_is_found_again_with_the_same_key(rzp: RazorpayShop) -> None:
    _, payment = rzp.paid()
    path = f"/v1/payments/{payment['id']}/refund"
    rzp.fault("refund.create", "drop")
    with pytest.raises(httpx.RemoteProtocolError):
        rzp.post(path, {"amount": 400}, KEY)
    again = rzp.post(path, {"amount": 400}, KEY)
    assert (again.status_code, refunded(rzp, payment["id"])) == (200, 400)
    assert [row["id"] for row in rzp.get("/v1/refunds")["items"]] == [again.json()["id"]]
    assert "idempotent-replayed" not in again.headers
    other = rzp.post(path, {"amount": 400}, KEY + "2")
    assert (other.status_code, refunded(rzp, payment["id"])) == (200, 800), "another key is another refund"


@pytest.mark.parametrize("after_work", [False, True])
def test_a_500_is_not_kept_under_the_key(rzp: RazorpayShop, after_work: bool) -> None:
    _, payment = rzp.paid()
    path = f"/v1/payments/{payment['id']}/refund"
    rzp.fault("refund.create", "error_500", after_work=after_work)
    assert rzp.post(path, {"amount": 400}, KEY).status_code == 500
    assert refunded(rzp, payment["id"]) == (400 if after_work else 0)
    assert [rzp.post(path, {"amount": 400}, KEY).status_code for _ in range(2)] == [200, 200]
    assert refunded(rzp, payment["id"]) == 400


def test_an_error_is_not_kept_under_the_key(rzp: RazorpayShop) -> None:
    link = rzp.link()
    customer.pay(link["short_url"], "pending")
    payment_id = rzp.look(link["id"])[1]["id"]
    path = f"/v1/payments/{payment_id}/refund"
    assert rzp.post(path, {"amount": 400}, KEY).status_code == 400
    rzp.control(f"/payments/{payment_id}/settle")
    assert rzp.post(path, {"amount": 400}, KEY).status_code == 200


def test_while_the_first_is_in_progress_the_second_is_a_conflict(rzp: RazorpayShop) -> None:
    _, payment = rzp.paid()
    path = f"/v1/payments/{payment['id']}/refund"
    rzp.fault("refund.create", "delay", delay_s=1.5, before_work=True)
    answers: list[httpx.Response] = []
    slow = threading.Thread(target=lambda: answers.append(rzp.post(path, {"amount": 400}, KEY)))
    slow.start()
    eventually(lambda: not rzp.control("/faults", method="GET"))  # the slow request has met its fault
    conflict = rzp.post(path, {"amount": 400}, KEY)
    assert (conflict.status_code, "in progress" in conflict.json()["error"]["description"]) == (409, True)
    slow.join(10)
    assert answers[0].status_code == 200
    assert rzp.post(path, {"amount": 400}, KEY).json() == answers[0].json()


def test_a_key_is_for_refunds_only(rzp: RazorpayShop) -> None:
    """There is none for links: two requests are two links, whatever they carry."""
    made = {rzp.post(LINKS, link_fields(reference_id=None), KEY).json()["id"] for _ in range(2)}
    assert len(made) == 2


# -- drills ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own_intent", [True, False])
def test_a_link_paid_twice(rzp: RazorpayShop, own_intent: bool) -> None:
    link, first = rzp.paid()
    rzp.control(f"/links/{link['id']}/capture", {"own_intent": own_intent})
    second = rzp.payments()[0]
    assert (second["amount"], second["status"]) == (98_400, "captured")
    assert (second["order_id"] != first["order_id"]) == own_intent
    twice = rzp.client.payment_link.fetch(link["id"])
    assert [row["payment_id"] for row in twice["payments"]] == [first["id"], second["id"]]
    assert rzp.get(LINKS, payment_id=second["id"])["payment_links"][0]["id"] == link["id"]


def test_a_code_paid_twice_and_money_on_a_closed_one(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    code = rzp.code()
    rzp.client.qrcode.close(code["id"])
    rzp.control(f"/links/{code['id']}/capture")
    rzp.control(f"/links/{code['id']}/capture")
    now = rzp.client.qrcode.fetch(code["id"])
    assert (now["status"], now["payments_count_received"], now["payments_amount_received"]) == ("closed", 2, 196_800)
    assert {payment["method"] for payment in rzp.payments()} == {"upi"}
    rzp_inbox.wait(lambda: rzp_inbox.types().count("qr_code.credited") == 2)


def test_payouts_disputes_and_refunds_by_drill(rzp: RazorpayShop) -> None:
    _, payment = rzp.paid(10_000)
    refund = rzp.post(f"/v1/payments/{payment['id']}/refund", {"amount": 1000}).json()
    rzp.control(f"/refunds/{refund['id']}/fail")
    dispute = rzp.control(f"/payments/{payment['id']}/dispute", {"amount_minor": 2000})
    rzp.control(f"/disputes/{dispute['id']}/close", {"outcome": "won"})
    (payout,) = rzp.control(f"/accounts/{rzp.account}/payout")
    settlement = rzp.client.settlement.fetch(payout["id"])
    assert settlement["amount"] == 10_000 - 236 - 1500


def test_settings_of_an_account_are_checked(rzp: RazorpayShop) -> None:
    for bad in (
        {"colour": "blue"}, {"manual_capture": 1}, {"capture_within_s": -1.0}, {"fee_per_mille": 1.5}, {"vpa": 1}, {},
    ):  # fmt: skip
        answer = httpx.post(f"{rzp.url}/_sandbox/accounts/{rzp.account}", json=bad, trust_env=False)
        assert (answer.status_code, bool(answer.json()["error"])) == (400, True), bad
    stripes = httpx.post(f"{rzp.url}/_sandbox/accounts/acct_sandbox", json={"qr_codes": False}, trust_env=False)
    assert stripes.status_code == 400
    rzp.set(fee_per_mille=0, fee_fixed_minor=100, fee_tax_percent=10)
    assert [rzp.paid()[1][name] for name in ("fee", "tax")] == [110, 10]
    shown = next(row for row in rzp.control("/accounts", method="GET") if row["id"] == rzp.account)
    assert (shown["options"]["fee_fixed_minor"], shown["options"]["qr_codes"]) == (100, True)
    assert rzp.secret not in json.dumps(rzp.control("/accounts", method="GET"))


@pytest.mark.parametrize("key", ["rzp_live_1DP5mmOlF5G5ag:secret", "rzp_test_nosecret", "rzp_test_:x", "rzp_test_x:"])
def test_live_keys_and_half_pairs_are_refused(rzp: RazorpayShop, key: str) -> None:
    answer = httpx.post(f"{rzp.url}/_sandbox/accounts", json={"key": key}, trust_env=False)
    assert (answer.status_code, key in answer.text) == (400, False)


# -- webhooks ----------------------------------------------------------------------------------------------------------


def test_copies_carry_the_same_event_id(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    rzp.fault("webhook.payment_link.cancelled", "duplicated", times=3)
    rzp.client.payment_link.cancel(rzp.link()["id"])
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 3)
    assert len({headers["x-razorpay-event-id"] for headers, _ in rzp_inbox.arrived}) == 1
    assert len({body for _, body in rzp_inbox.arrived}) == 1
    assert "id" not in rzp_inbox.events()[0], "the id stands in the header alone"


def test_a_lost_webhook_is_sent_again_by_hand(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    rzp.fault("webhook.payment_link.cancelled", "dropped")
    rzp.client.payment_link.cancel(rzp.link()["id"])
    (lost,) = eventually(
        lambda: [row for row in rzp.control("/deliveries", method="GET") if row["state"] == "dropped"][:1]
    )
    assert rzp_inbox.arrived == []
    rzp.control(f"/events/{lost['event']}/resend")
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 1)
    assert rzp_inbox.arrived[0][0]["x-razorpay-event-id"] == lost["event"]


def test_a_retry_keeps_the_old_secret_and_a_resend_takes_the_new_one(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    rzp_inbox.answers = [500]
    (endpoint,) = rzp.control("/webhooks", method="GET")
    rzp.fault("webhook", "delayed", delay_s=0.3)
    rzp.client.payment_link.cancel(rzp.link()["id"])
    rzp.control(f"/webhooks/{endpoint['id']}", {"secret": "the new one"})
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 2)
    assert [verifies(rzp_inbox, number, rzp_inbox.secret) for number in (0, 1)] == [True, True]
    event = rzp_inbox.arrived[0][0]["x-razorpay-event-id"]
    rzp.control(f"/events/{event}/resend")
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 3)
    assert (verifies(rzp_inbox, 2, "the new one"), verifies(rzp_inbox, 2, rzp_inbox.secret)) == (True, False)
    rzp.client.payment_link.cancel(rzp.link()["id"])
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 4)
    assert verifies(rzp_inbox, 3, "the new one"), "what happens after the change is signed with the new one"
    answer = httpx.post(f"{rzp.url}/_sandbox/webhooks/{endpoint['id']}", json={}, trust_env=False)
    assert answer.status_code == 400


def test_webhooks_come_reversed_and_with_a_wrong_signature(rzp: RazorpayShop, rzp_inbox: Inbox) -> None:
    rzp.fault("webhook", "reversed", count=4, gap_s=0.4)
    rzp.paid()
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 4)
    assert rzp_inbox.types() == ["payment_link.paid", "order.paid", "payment.captured", "payment.authorized"]
    rzp.fault("webhook", "bad_signature")
    rzp_inbox.answers = [401]
    rzp.client.payment_link.cancel(rzp.link()["id"])
    rzp_inbox.wait(lambda: len(rzp_inbox.arrived) == 6)
    assert [verifies(rzp_inbox, number, rzp_inbox.secret) for number in (4, 5)] == [False, True]


def test_both_dialects_are_served_at_once_and_each_may_have_an_endpoint(tmp_path: Path, rzp_inbox: Inbox) -> None:
    hooks = ["--webhook", "http://127.0.0.1:9/stripe", "--webhook-secret-env", "ONE"]
    hooks += ["--webhook", f"razorpay={rzp_inbox.url}", "--webhook-secret-env", "TWO"]
    arguments = ["sandbox", "serve", "--data", str(tmp_path), *hooks]
    for _ in range(2):  # a second start with the same words keeps both
        with serve(arguments, {"ONE": "whsec_one", "TWO": rzp_inbox.secret}) as served:
            rows = httpx.get(f"{served.url}/_sandbox/webhooks", trust_env=False).json()
            assert [(row["account"], row["url"]) for row in rows] == [
                ("acct_sandbox", "http://127.0.0.1:9/stripe"),
                ("acc_sandbox", rzp_inbox.url),
            ]
            stripes = httpx.get(f"{served.url}/v1/charges", auth=("sk_test_sandbox", ""), trust_env=False)
            pair = ("rzp_test_sandbox", "sandbox_secret")
            razorpays = httpx.get(f"{served.url}/v1/payments", auth=pair, trust_env=False)
            assert (stripes.status_code, razorpays.status_code) == (200, 200)
    with serve([*arguments[:8], "--key", "sk_test_sandbox"], {"ONE": "whsec_one"}) as served:
        rows = httpx.get(f"{served.url}/_sandbox/webhooks", trust_env=False).json()
        assert [row["account"] for row in rows] == ["acct_sandbox"], "what is no longer named is told nothing"
        razorpays = httpx.get(f"{served.url}/v1/payments", auth=pair, trust_env=False)
        assert razorpays.status_code == 401
